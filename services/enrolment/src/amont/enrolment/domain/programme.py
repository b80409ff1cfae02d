"""A programme: a campaign with a policy, the subsidiaries that take part and the topics on offer. Its policy is versioned, because matching has to say
by which rules it decided; who changed what, and why, is kept beside it. What is not here: who may enrol in one (`eligibility`), its charter's text.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict, Fault, Invalid, NotFound
from amont.common.events import RULES_TO_SWITCH_OFF, Policy, ProgrammeChanged
from amont.common.events.values import ProgrammeStatus, Role
from amont.common.identity import Resource
from amont.enrolment.domain.history import POLICY, Change, Revision, Stamp, aged, difference, known_until
from amont.enrolment.domain.seats import seats_for
from amont.enrolment.domain.words import MAX_NAME, is_slug

MAX_TOPICS = 200
MAX_REVISIONS = 300
"""How often a programme can be edited: its history is in its document."""
TAKES_PEOPLE = frozenset({ProgrammeStatus.OPEN, ProgrammeStatus.RUNNING})


class ProgrammeExists(Conflict):
    """The slug is taken."""

    code = "programme-exists"
    title = "There is a programme of that name"

    def __init__(self, id_: str) -> None:
        super().__init__(f"Programme {id_!r} exists already. Choose another id, or change the one that exists.")


class ProgrammeClosed(Conflict):
    """A closed programme stays as it was."""

    code = "programme-closed"
    title = "The programme is closed"

    def __init__(self, id_: str) -> None:
        super().__init__(f"Programme {id_!r} is closed; it can be read, not changed. Make a new one.")


class TooManyRevisions(Conflict):
    """Somebody, or some program, edits without end."""

    code = "too-many-revisions"
    title = "The programme has been changed too often"

    def __init__(self, id_: str) -> None:
        super().__init__(f"Programme {id_!r} has been changed {MAX_REVISIONS} times. Close it and make a new one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme(Aggregate):
    """See the module. `tenants` are the subsidiaries taking part; a topic is a slug."""

    name: str
    tenants: tuple[str, ...]
    topics: tuple[str, ...]
    policy: Policy
    policy_version: int = 1
    status: ProgrammeStatus = ProgrammeStatus.DRAFT
    request: str
    """The id of the request that made it, so that the same request sent again is recognised."""
    template: str | None = None
    """What it was made from."""
    history: tuple[Revision, ...] = ()
    """Every change, the oldest first; empty for one that was made before changes were kept, until its first."""

    @property
    def resource(self) -> Resource:
        return Resource("programme", self.id, tenants=frozenset(self.tenants))

    @property
    def editable(self) -> bool:
        return self.status is not ProgrammeStatus.CLOSED

    @property
    def takes_people(self) -> bool:
        return self.status in TAKES_PEOPLE

    def facts(self) -> Mapping[str, Any]:
        return {
            "programme": self.id,
            "name": self.name,
            "status": self.status,
            "tenants": self.tenants,
            "topics": self.topics,
            "policy": self.policy,
            "policy_version": self.policy_version,
        }

    def policy_of(self, version: int) -> Policy:
        """The policy as it was in a version: what changed since, undone. Raises NotFound for one that has not been, or is older than the history."""
        first = min((one.policy_version - one.changes_policy for one in self.history), default=self.policy_version)
        if not first <= version <= self.policy_version:
            raise NotFound("policy", f"{self.id}/{version}")
        fields = self.policy.model_dump(mode="json")
        for revision in reversed(self.history):
            if revision.policy_version <= version:
                break
            fields |= {pointer.removeprefix(POLICY): one.before for pointer, one in revision.changed.items() if pointer.startswith(POLICY)}
        return Policy.model_validate(fields)

    @classmethod
    def created(
        cls,
        id_: str,
        *,
        name: str,
        tenants: Sequence[str],
        topics: Sequence[str],
        policy: Policy,
        known: Collection[str],
        request: str,
        stamp: Stamp,
        template: str | None = None,
    ) -> Decision[Self]:
        """A draft. `known` are the tenants that exist. Raises Invalid with every fault."""
        slug = () if is_slug(id_) else (Fault("/programme", "1 to 64 of a-z, 0-9 and the hyphen"),)
        _refuse((*slug, *faults_in(name, tenants, topics, known), *_faults_in_rules(policy)), id_)
        new = cls(
            id=id_, name=name.strip(), tenants=tuple(tenants), topics=tuple(topics), policy=policy, request=request, template=template
        )
        return Decision(new._with((new._revised(new, stamp),))).saying(ProgrammeChanged)

    def edit(
        self, *, name: str, tenants: Sequence[str], topics: Sequence[str], policy: Policy, known: Collection[str], stamp: Stamp
    ) -> Decision[Self]:
        """Other data; another policy is the policy's next version; the same says nothing.

        Raises ProgrammeClosed, TooManyRevisions, Invalid with every fault: the policy of a programme that takes people is changed for a reason.
        """
        edited = self.proposed(name=name, tenants=tenants, topics=topics, policy=policy, known=known)
        if edited == self:
            return Decision(self)
        if self.takes_people and policy != self.policy and not stamp.why:
            _refuse([Fault("/why", "say why (`--why` by command): people may enrol under the policy as it is")], self.id)
        if len(self.history) >= MAX_REVISIONS:
            raise TooManyRevisions(self.id)
        return self._becoming(edited, stamp)

    def proposed(self, *, name: str, tenants: Sequence[str], topics: Sequence[str], policy: Policy, known: Collection[str]) -> Self:
        """The programme as it would be with other data, of which nobody has decided anything. Raises ProgrammeClosed, Invalid with every fault."""
        if not self.editable:
            raise ProgrammeClosed(self.id)
        _refuse((*faults_in(name, tenants, topics, known), *_faults_in_rules(policy), *self._faults_in_seats(policy)), self.id)
        version = self.policy_version + (policy != self.policy)
        return replace(self, name=name.strip(), tenants=tuple(tenants), topics=tuple(topics), policy=policy, policy_version=version)

    def _faults_in_seats(self, policy: Policy) -> Iterator[Fault]:
        """Where people have enrolled uncounted nobody can begin to count them, and those who wait cannot be told that nobody counts any more."""
        for role in Role:
            before, after = seats_for(self.policy, role), seats_for(policy, role)
            if self.status is not ProgrammeStatus.DRAFT and (before == 0) is not (after == 0):
                yield Fault(
                    f"/policy/{role}_seats", "whether seats are counted is decided before a programme opens; later their number can change"
                )

    def open(self, stamp: Stamp) -> Decision[Self]:
        """People may enrol. Raises ProgrammeClosed."""
        if not self.editable:
            raise ProgrammeClosed(self.id)
        return self._to(ProgrammeStatus.OPEN, stamp) if self.status is ProgrammeStatus.DRAFT else self.becomes()

    def run(self, stamp: Stamp) -> Decision[Self]:
        """A round was published: the first one sets an open programme going."""
        return self._to(ProgrammeStatus.RUNNING, stamp) if self.status is ProgrammeStatus.OPEN else self.becomes()

    def close(self, stamp: Stamp) -> Decision[Self]:
        """Nobody enrols any more; for good."""
        return self._to(ProgrammeStatus.CLOSED, stamp) if self.status is not ProgrammeStatus.CLOSED else self.becomes()

    def _to(self, status: ProgrammeStatus, stamp: Stamp) -> Decision[Self]:
        return self._becoming(replace(self, status=status), stamp)

    def _becoming(self, other: Self, stamp: Stamp) -> Decision[Self]:
        return Decision(other._with((*self.history, self._revised(other, stamp)))).saying(ProgrammeChanged)

    def aged(self, now: datetime) -> Decision[Self]:
        """A year after a change it stays, since policies of before are worked out from it; who made it and why is forgotten."""
        return Decision(self._with(aged(self.history, now)))

    def _with(self, history: tuple[Revision, ...]) -> Self:
        return replace(self, history=history, due_at=known_until(history))

    def _revised(self, other: Self, stamp: Stamp) -> Revision:
        return Revision(
            number=len(self.history) + 1,
            policy_version=other.policy_version,
            changed=self.changed_to(other),
            by=stamp.by,
            at=stamp.at,
            why=stamp.why,
        )

    def changed_to(self, other: Self) -> Mapping[str, Change]:
        """Each field that is another in the other one, by JSON pointer."""
        return difference(self._told(), other._told())

    def _told(self) -> dict[str, Any]:
        """What a revision compares: the programme's data as JSON."""
        return {
            "name": self.name,
            "status": self.status.value,
            "tenants": list(self.tenants),
            "topics": list(self.topics),
            "policy": self.policy.model_dump(mode="json"),
        }


def _refuse(faults: Sequence[Fault], id_: str) -> None:
    if faults:
        raise Invalid(f"Programme {id_[:64]!r} cannot be taken as it is: {len(faults)} fault(s).", faults)


def _faults_in_rules(policy: Policy) -> Iterator[Fault]:
    for place, rule in enumerate(policy.off):
        if rule not in RULES_TO_SWITCH_OFF:
            yield Fault(f"/policy/off/{place}", f"{rule[:64]!r} is no rule that can be off; write one of {', '.join(RULES_TO_SWITCH_OFF)}")


def faults_in(name: str, tenants: Sequence[str], topics: Sequence[str], known: Collection[str]) -> tuple[Fault, ...]:
    """Everything that is wrong with a programme's data, but its policy, which is checked by its own type."""
    faults = []
    if not name.strip() or len(name) > MAX_NAME:
        faults.append(Fault("/name", f"a name of 1 to {MAX_NAME} characters"))
    if not tenants:
        faults.append(Fault("/tenants", "at least one subsidiary takes part"))
    for at, tenant in enumerate(tenants):
        if tenant not in known:
            faults.append(Fault(f"/tenants/{at}", f"there is no subsidiary {tenant[:32]!r}; add it first"))
        elif tenant in tenants[:at]:
            faults.append(Fault(f"/tenants/{at}", f"{tenant!r} is named twice"))
    if not 1 <= len(topics) <= MAX_TOPICS:
        faults.append(Fault("/topics", f"1 to {MAX_TOPICS} topics"))
    for at, topic in enumerate(topics):
        if not is_slug(topic):
            faults.append(Fault(f"/topics/{at}", f"{topic[:64]!r} is not a slug: 1 to 64 of a-z, 0-9 and the hyphen"))
        elif topic in topics[:at]:
            faults.append(Fault(f"/topics/{at}", f"{topic!r} is named twice"))
    return tuple(faults)
