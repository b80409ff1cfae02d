"""An employee: what the HR system said, in time, and their enrolments, in one document.

Records are ordered by their position, so that late, repeated and reordered ones converge: `last` is the newest that is true by now, `future`
those that are not true yet, at most one per instant. Enrolments follow the person's status: leave suspends them, return resumes them, leaving
the group ends them. What is not here: how a record is read (`staff`), and who may enrol (`eligibility`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import DomainError, NotFound
from amont.common.events import (
    EmployeeChanged,
    EmployeeEnrolled,
    EmployeeLeft,
    EmployeeWithdrawn,
    EnrolmentChanged,
    EnrolmentResumed,
    EnrolmentSuspended,
)
from amont.common.events.enrolment import EnrolmentFact
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Role, tenant_of
from amont.common.identity import Resource
from amont.enrolment.domain.enrolment import AlreadyEnrolled, Enrolment, EnrolmentOver, Form
from amont.enrolment.domain.staff import Profile, StaffEntry


class Outcome(StrEnum):
    """What became of a staff record."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"
    DEFERRED = "deferred"
    REFUSED = "refused"


MOST_AHEAD = 30
"""Records of one person that may lie ahead: all of them becoming true at once must still fit into one document's outbox."""


class TooFarAhead(DomainError):
    """An HR system plans more for one person than anybody can."""

    code = "too-many-future-records"
    title = "Too many records lie ahead"

    def __init__(self, person: str) -> None:
        super().__init__(f"{person!r} has {MOST_AHEAD} records that lie ahead already. Send a change nearer to its day, or fewer of them.")


FOLLOWS: Mapping[tuple[EmployeeStatus, EnrolmentStatus], tuple[EnrolmentStatus, Callable[..., EnrolmentFact]]] = MappingProxyType(
    {
        (EmployeeStatus.ACTIVE, EnrolmentStatus.SUSPENDED): (EnrolmentStatus.ENROLLED, EnrolmentResumed),
        (EmployeeStatus.ON_LEAVE, EnrolmentStatus.ENROLLED): (EnrolmentStatus.SUSPENDED, EnrolmentSuspended),
        (EmployeeStatus.LEFT, EnrolmentStatus.ENROLLED): (EnrolmentStatus.ENDED, EmployeeWithdrawn),
        (EmployeeStatus.LEFT, EnrolmentStatus.SUSPENDED): (EnrolmentStatus.ENDED, EmployeeWithdrawn),
    }
)
"""What a person's status does to each of their enrolments; what is not listed stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Employee(Aggregate):
    """See the module. `due_at` is when the first of `future` becomes true."""

    last: StaffEntry | None = None
    future: tuple[StaffEntry, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()

    @property
    def tenant(self) -> str:
        return tenant_of(self.id)

    @property
    def status(self) -> EmployeeStatus | None:
        """None while everything known lies ahead."""
        return self.last.status if self.last else None

    @property
    def profile(self) -> Profile | None:
        """None for a leaver, and while everything known lies ahead."""
        return self.last.profile if self.last else None

    @property
    def resource(self) -> Resource:
        return Resource("employee", self.id, frozenset({self.tenant}), frozenset({self.id}))

    def facts(self) -> Mapping[str, Any]:
        return {"person": self.id}

    def take(self, entry: StaffEntry, now: datetime) -> tuple[Decision["Employee"], Outcome]:
        """A record has arrived. Older than what is known for its instant: nothing. Ahead: kept. Otherwise it becomes true, after what is due before it.

        Raises TooFarAhead.
        """
        if self._is_stale(entry):
            return Decision(self), Outcome.STALE
        if not self.future and entry.position.effective_at <= now:
            decision = _turned(Decision(self), entry)
            return decision, Outcome.APPLIED if decision.events else Outcome.UNCHANGED
        others = (one for one in self.future if one.position.effective_at != entry.position.effective_at)
        future = tuple(sorted((*others, entry), key=lambda one: one.position))
        if len(future) > MOST_AHEAD:
            raise TooFarAhead(self.id)
        decision = self.becomes(future=future).state.ripen(now)
        if entry.position.effective_at > now:
            return decision, Outcome.DEFERRED
        return decision, Outcome.APPLIED if decision.events else Outcome.UNCHANGED

    def _is_stale(self, entry: StaffEntry) -> bool:
        """Whether something newer, or the record itself, is known for its instant or for a later one that is true by now."""
        if self.last is not None and entry.position <= self.last.position:
            return True
        rivals = (one.position for one in self.future if one.position.effective_at == entry.position.effective_at)
        return any(entry.position <= rival for rival in rivals)

    def ripen(self, now: datetime) -> Decision["Employee"]:
        """What lay ahead and is true by now takes effect, in order."""
        ahead = tuple(one for one in self.future if one.position.effective_at > now)
        decision = self.becomes(future=ahead, due_at=ahead[0].position.effective_at if ahead else None)
        for entry in self.future[: len(self.future) - len(ahead)]:
            decision = _turned(decision, entry)
        return decision

    def seat(self, programme: str, role: Role) -> Enrolment | None:
        """The person's enrolment in a programme in a role, over or not."""
        return next((one for one in self.enrolments if (one.programme, one.role) == (programme, role)), None)

    def enrolment(self, id_: str) -> Enrolment:
        """One of the person's enrolments. Raises NotFound."""
        for one in self.enrolments:
            if one.id == id_:
                return one
        raise NotFound("enrolment", id_)

    def holds(self, wanted: Enrolment) -> bool:
        """Whether the same request gave the person this seat before. Raises AlreadyEnrolled when another one did."""
        before = self.seat(wanted.programme, wanted.role)
        if before is None or not before.open:
            return False
        if before.request != wanted.request:
            raise AlreadyEnrolled(before.id, before.programme, before.role)
        return True

    def enrol(self, wanted: Enrolment) -> Decision["Employee"]:
        """Take a seat, again if need be. The same request twice changes nothing. Raises AlreadyEnrolled."""
        if self.holds(wanted):
            return self.becomes()
        before = self.seat(wanted.programme, wanted.role)
        return _told(self.becomes(), replace(wanted, version=before.version + 1 if before else 1), EmployeeEnrolled)

    def edit(self, id_: str, form: Form) -> Decision["Employee"]:
        """Another form for an enrolment; the same one says nothing. Raises NotFound, EnrolmentOver."""
        enrolment = self.enrolment(id_)
        if not enrolment.open:
            raise EnrolmentOver(id_, enrolment.status)
        if enrolment.form == form:
            return self.becomes()
        return _told(self.becomes(), replace(enrolment, form=form, version=enrolment.version + 1), EnrolmentChanged)

    def sign(self, id_: str, charter: int, now: datetime) -> Decision["Employee"]:
        """Accept an edition of the charter; nobody else needs to hear of it. Raises NotFound, EnrolmentOver."""
        enrolment = self.enrolment(id_)
        if not enrolment.open:
            raise EnrolmentOver(id_, enrolment.status)
        if enrolment.charter_version == charter:
            return self.becomes()
        signed = replace(enrolment, charter_version=charter, charter_accepted_at=now, version=enrolment.version + 1)
        return self.becomes(enrolments=tuple(signed if one.id == id_ else one for one in self.enrolments))

    def withdraw(self, id_: str, private_reason: str | None) -> Decision["Employee"]:
        """Take part no more; once is enough. Raises NotFound."""
        enrolment = self.enrolment(id_)
        if not enrolment.open:
            return self.becomes()
        over = replace(enrolment, status=EnrolmentStatus.WITHDRAWN, private_reason=private_reason, version=enrolment.version + 1)
        return _told(self.becomes(), over, EmployeeWithdrawn)


def _turned(decision: Decision[Employee], entry: StaffEntry) -> Decision[Employee]:
    """The record becomes what is true, said when readers see a difference. Nobody is told that somebody left whom they never heard of (`seq` 0)."""
    before = decision.state
    decision = Decision(replace(before, last=entry), decision.events)
    effective_at = entry.position.effective_at
    if entry.profile is None:
        if before.seq and not (before.last and before.last.profile is None and before.last.position.effective_at == effective_at):
            decision = decision.saying(EmployeeLeft, effective_at=effective_at)
    elif (before.status, before.profile) != (entry.status, entry.profile):
        decision = decision.saying(EmployeeChanged, status=entry.status, effective_at=effective_at, **entry.profile.facts())
    return _followed(decision, entry.status)


def _followed(decision: Decision[Employee], status: EmployeeStatus) -> Decision[Employee]:
    for enrolment in decision.state.enrolments:
        if (follows := FOLLOWS.get((status, enrolment.status))) is not None:
            becomes, kind = follows
            decision = _told(decision, replace(enrolment, status=becomes, version=enrolment.version + 1), kind)
    return decision


def _told(decision: Decision[Employee], enrolment: Enrolment, kind: Callable[..., EnrolmentFact]) -> Decision[Employee]:
    """The enrolment in its new state, in its place, and the event that says so."""
    others = tuple(one for one in decision.state.enrolments if one.id != enrolment.id)
    state = replace(decision.state, enrolments=tuple(sorted((*others, enrolment), key=lambda one: one.id)))
    return Decision(state, decision.events).saying(kind, **enrolment.facts(state.id))
