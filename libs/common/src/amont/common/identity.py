"""Who asks, and what they may do: one table, deny by default.

An actor comes from a verified token (`web.tokens`). A resource says whom it concerns. What the actor has no relation to does not exist for them
(404); what they may see but not change is refused (403), and so is a list of what they have no right to anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from amont.common.errors import NotAllowed, NotFound


class Privilege(StrEnum):
    """What a token may grant beside being somebody."""

    PARTICIPANT = "participant"
    COORDINATOR = "coordinator"
    GROUP_COORDINATOR = "group-coordinator"
    AUDITOR = "auditor"
    HRIS = "hris"
    OPS = "ops"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `person` is `tenant:employee_id` for people, `tenant:client` for a machine; `tenant` the subsidiary the token is for."""

    person: str
    tenant: str
    privileges: frozenset[Privilege]

    @property
    def everywhere(self) -> bool:
        """Whether the actor sees the whole group."""
        return bool(self.privileges & {Privilege.GROUP_COORDINATOR, Privilege.AUDITOR, Privilege.OPS})


@dataclass(frozen=True, slots=True)
class Resource:
    """Whom a thing concerns: the people it is about, and every subsidiary that has a part in it."""

    kind: str
    id: str
    tenants: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()


class Action(StrEnum):
    """Everything that can be asked for."""

    READ_SUBSIDIARY = "read-subsidiary"
    MANAGE_SUBSIDIARY = "manage-subsidiary"
    GRADE_SUBSIDIARY = "grade-subsidiary"
    READ_EMPLOYEE = "read-employee"
    FEED_STAFF = "feed-staff"
    READ_FEED = "read-feed"
    MANAGE_FEED = "manage-feed"
    READ_PROGRAMME = "read-programme"
    MANAGE_PROGRAMME = "manage-programme"
    INVITE = "invite"
    ENROL = "enrol"
    EDIT_ENROLMENT = "edit-enrolment"
    READ_ENROLMENT = "read-enrolment"
    WITHDRAW = "withdraw"
    RUN_ROUND = "run-round"
    READ_ROUND = "read-round"
    READ_PAIR = "read-pair"
    ANSWER_PROPOSAL = "answer-proposal"
    END_PAIR = "end-pair"
    READ_SESSION = "read-session"
    BOOK_SESSION = "book-session"
    READ_DELIVERY = "read-delivery"
    EXPORT = "export"
    ERASE = "erase"
    READ_ERASURE = "read-erasure"
    SET_PREFERENCES = "set-preferences"
    OPERATE = "operate"


class Scope(StrEnum):
    """How far a right reaches."""

    OWN = "own"  # things that are about the actor
    TENANT = "tenant"  # things in which the actor's subsidiary has a part
    SOLE = "sole"  # things that concern the actor's subsidiary alone
    GROUP = "group"  # everything


_WIDEST_FIRST = (Scope.GROUP, Scope.TENANT, Scope.SOLE, Scope.OWN)
_P, _C, _G, _A, _H, _O = (
    Privilege.PARTICIPANT,
    Privilege.COORDINATOR,
    Privilege.GROUP_COORDINATOR,
    Privilege.AUDITOR,
    Privilege.HRIS,
    Privilege.OPS,
)

RIGHTS: Mapping[Action, Mapping[Privilege, Scope]] = MappingProxyType(
    {
        Action.READ_SUBSIDIARY: {_P: Scope.TENANT, _C: Scope.TENANT, _G: Scope.GROUP, _A: Scope.GROUP, _H: Scope.TENANT, _O: Scope.GROUP},
        Action.MANAGE_SUBSIDIARY: {_G: Scope.GROUP},
        Action.GRADE_SUBSIDIARY: {_C: Scope.SOLE, _G: Scope.GROUP},
        Action.READ_EMPLOYEE: {_P: Scope.OWN, _C: Scope.TENANT, _G: Scope.GROUP},
        Action.FEED_STAFF: {_H: Scope.TENANT, _G: Scope.GROUP},
        Action.READ_FEED: {_C: Scope.TENANT, _G: Scope.GROUP, _A: Scope.GROUP, _H: Scope.TENANT, _O: Scope.GROUP},
        Action.MANAGE_FEED: {_C: Scope.TENANT, _G: Scope.GROUP},
        Action.READ_PROGRAMME: {_P: Scope.TENANT, _C: Scope.TENANT, _G: Scope.GROUP, _A: Scope.GROUP},
        Action.MANAGE_PROGRAMME: {_C: Scope.SOLE, _G: Scope.GROUP},
        Action.INVITE: {_C: Scope.TENANT, _G: Scope.GROUP},
        Action.ENROL: {_P: Scope.OWN},
        Action.EDIT_ENROLMENT: {_P: Scope.OWN, _C: Scope.TENANT, _G: Scope.GROUP},
        Action.READ_ENROLMENT: {_P: Scope.OWN, _C: Scope.TENANT, _G: Scope.GROUP},
        Action.WITHDRAW: {_P: Scope.OWN, _C: Scope.TENANT, _G: Scope.GROUP},
        Action.RUN_ROUND: {_C: Scope.SOLE, _G: Scope.GROUP},
        Action.READ_ROUND: {_C: Scope.SOLE, _G: Scope.GROUP, _A: Scope.GROUP},
        Action.READ_PAIR: {_P: Scope.OWN, _C: Scope.TENANT, _G: Scope.GROUP},
        Action.ANSWER_PROPOSAL: {_P: Scope.OWN},
        Action.END_PAIR: {_P: Scope.OWN, _C: Scope.TENANT, _G: Scope.GROUP},
        Action.READ_SESSION: {_P: Scope.OWN, _C: Scope.TENANT, _G: Scope.GROUP},
        Action.BOOK_SESSION: {_P: Scope.OWN},
        Action.READ_DELIVERY: {_P: Scope.OWN, _O: Scope.GROUP},
        Action.EXPORT: {_P: Scope.OWN, _C: Scope.TENANT, _G: Scope.GROUP},
        Action.ERASE: {_C: Scope.TENANT, _G: Scope.GROUP},
        Action.READ_ERASURE: {_C: Scope.TENANT, _G: Scope.GROUP, _A: Scope.GROUP},
        Action.SET_PREFERENCES: {_P: Scope.OWN},
        Action.OPERATE: {_O: Scope.GROUP},
    },
)


def authorize(actor: Actor, action: Action, resource: Resource) -> None:
    """Let the actor do it, or raise: NotFound when the thing is none of their business, NotAllowed when they may only see it."""
    rights = RIGHTS[action]
    if any(_reaches(rights[privilege], actor, resource) for privilege in actor.privileges if privilege in rights):
        return
    if not sees(actor, resource):
        raise NotFound(resource.kind, resource.id)
    raise NotAllowed(f"{action.value} is not for {', '.join(sorted(actor.privileges)) or 'nobody'} on this {resource.kind}.")


def reach_of(actor: Actor, action: Action) -> Scope:
    """The widest scope in which the actor may do this: how far a list goes. Raises NotAllowed when there is none.

    That a list exists is no secret, unlike what is in it: who may have nothing of it is refused (403), never told that it does not exist.
    """
    rights = RIGHTS[action]
    scopes = {rights[privilege] for privilege in actor.privileges if privilege in rights}
    for scope in _WIDEST_FIRST:
        if scope in scopes:
            return scope
    raise NotAllowed(f"{action.value} is not for {', '.join(sorted(actor.privileges)) or 'nobody'}.")


def sees(actor: Actor, resource: Resource) -> bool:
    """Whether the thing exists for the actor at all."""
    if actor.everywhere or actor.person in resource.people:
        return True
    staff = bool(actor.privileges - {Privilege.PARTICIPANT})
    public = not resource.people
    return actor.tenant in resource.tenants and (staff or public)


def _reaches(scope: Scope, actor: Actor, resource: Resource) -> bool:
    match scope:
        case Scope.GROUP:
            return True
        case Scope.OWN:
            return actor.person in resource.people
        case Scope.TENANT:
            return actor.tenant in resource.tenants
        case Scope.SOLE:
            return resource.tenants == {actor.tenant}
