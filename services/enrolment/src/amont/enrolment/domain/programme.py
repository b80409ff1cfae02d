"""A programme: a campaign with a policy, the subsidiaries that take part and the topics on offer. Its policy is versioned, because matching has to say
by which rules it decided. What is not here: who may enrol in one (`eligibility`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict, Fault, Invalid
from amont.common.events import Policy, ProgrammeChanged
from amont.common.events.values import ProgrammeStatus
from amont.common.identity import Resource
from amont.enrolment.domain.words import MAX_NAME, is_slug

MAX_TOPICS = 200
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

    @property
    def resource(self) -> Resource:
        return Resource("programme", self.id, tenants=frozenset(self.tenants))

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

    @classmethod
    def created(
        cls, id_: str, *, name: str, tenants: Sequence[str], topics: Sequence[str], policy: Policy, known: Collection[str], request: str
    ) -> Decision[Self]:
        """A draft. `known` are the tenants that exist. Raises Invalid with every fault."""
        slug = () if is_slug(id_) else (Fault("/programme", "1 to 64 of a-z, 0-9 and the hyphen"),)
        _refuse((*slug, *faults_in(name, tenants, topics, known)), id_)
        new = cls(id=id_, name=name.strip(), tenants=tuple(tenants), topics=tuple(topics), policy=policy, request=request)
        return Decision(new).saying(ProgrammeChanged)

    def edit(self, *, name: str, tenants: Sequence[str], topics: Sequence[str], policy: Policy, known: Collection[str]) -> Decision[Self]:
        """Other data; another policy is the policy's next version; the same says nothing. Raises ProgrammeClosed, Invalid with every fault."""
        if self.status is ProgrammeStatus.CLOSED:
            raise ProgrammeClosed(self.id)
        _refuse(faults_in(name, tenants, topics, known), self.id)
        version = self.policy_version + (policy != self.policy)
        decision = self.becomes(name=name.strip(), tenants=tuple(tenants), topics=tuple(topics), policy=policy, policy_version=version)
        return decision if decision.state == self else decision.saying(ProgrammeChanged)

    def open(self) -> Decision[Self]:
        """People may enrol. Raises ProgrammeClosed."""
        if self.status is ProgrammeStatus.CLOSED:
            raise ProgrammeClosed(self.id)
        return self._to(ProgrammeStatus.OPEN) if self.status is ProgrammeStatus.DRAFT else self.becomes()

    def run(self) -> Decision[Self]:
        """A round was published: the first one sets an open programme going."""
        return self._to(ProgrammeStatus.RUNNING) if self.status is ProgrammeStatus.OPEN else self.becomes()

    def close(self) -> Decision[Self]:
        """Nobody enrols any more; for good."""
        return self._to(ProgrammeStatus.CLOSED) if self.status is not ProgrammeStatus.CLOSED else self.becomes()

    def _to(self, status: ProgrammeStatus) -> Decision[Self]:
        return self.becomes(status=status).saying(ProgrammeChanged)


def _refuse(faults: Sequence[Fault], id_: str) -> None:
    if faults:
        raise Invalid(f"Programme {id_[:64]!r} cannot be taken as it is: {len(faults)} fault(s).", faults)


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
