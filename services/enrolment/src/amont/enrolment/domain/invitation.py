"""Whom a coordinator may invite to a programme, and how often: what a person was sent is one document of theirs, so that no two processes, and no two
programmes, send more together than one person should get. What is not here: the words (notifications), and whether somebody wants them at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from amont.common.aggregate import Aggregate, Decision
from amont.common.events import EmployeeInvited
from amont.common.events.values import EmployeeStatus, Role
from amont.enrolment.domain.eligibility import Case, reasons_against
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.history import Signed, aged, known_until
from amont.enrolment.domain.programme import Programme
from amont.enrolment.domain.reasons import Reason

MAX_NUMBER = 3
"""One invitation and two reminders."""
REMIND_AFTER = timedelta(days=7)
MAX_LATELY = 3
"""Invitations and reminders of all programmes that one person gets within LATELY."""
LATELY = timedelta(days=30)


class Outcome(StrEnum):
    """What an invitation of somebody comes to."""

    INVITE = "invite"
    REMIND = "remind"
    NOT_ELIGIBLE = "not-eligible"
    TAKES_PART = "takes-part"
    LEFT_ALONE = "left-alone"  # withdrew: nobody is asked to explain a no, nor asked again
    INVITED_BEFORE = "invited-before"
    TOO_SOON = "too-soon"
    TOO_MANY = "too-many"
    NO_ADDRESS = "no-address"
    UNKNOWN = "unknown"


SENDS = frozenset({Outcome.INVITE, Outcome.REMIND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(Signed):
    """One mail that was asked for; `number` 1 is the invitation, others remind of it."""

    programme: str
    role: Role
    number: int
    request: str
    """The id of the request that asked for it, so that the same request sent again is recognised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What comes of inviting somebody, and why not. `person` is as it was asked for where nobody is found."""

    person: str
    outcome: Outcome
    role: Role | None = None
    reasons: tuple[Reason, ...] = ()
    last: Invitation | None = None
    """The newest one of this programme before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitations(Aggregate):
    """See the module. The id is the person's."""

    sent: tuple[Invitation, ...] = ()

    def facts(self) -> Mapping[str, Any]:
        newest = self.sent[-1]
        return {
            "person": self.id,
            "programme": newest.programme,
            "role": newest.role,
            "number": newest.number,
            "invited_at": newest.at,
        }

    def to(self, programme: str) -> list[Invitation]:
        """Those to one programme, the oldest first."""
        return [one for one in self.sent if one.programme == programme]

    def limit(self, programme: str, now: datetime, *, remind: bool) -> Outcome:
        """Whether another one may go out, as far as it is about how many there were."""
        before = self.to(programme)
        if before and (not remind or len(before) >= MAX_NUMBER):
            return Outcome.INVITED_BEFORE
        if before and now - before[-1].at < REMIND_AFTER:
            return Outcome.TOO_SOON
        if sum(now - one.at < LATELY for one in self.sent) >= MAX_LATELY:
            return Outcome.TOO_MANY
        return Outcome.REMIND if before else Outcome.INVITE

    def send(self, programme: str, role: Role, *, at: datetime, by: str, request: str) -> Decision["Invitations"]:
        """One more, whatever the limits: whoever asks has looked at the answer."""
        number = len(self.to(programme)) + 1
        new = Invitation(programme=programme, role=role, number=number, at=at, by=by, request=request)
        return self._with((*self.sent, new)).saying(EmployeeInvited)

    def aged(self, now: datetime) -> Decision["Invitations"]:
        """A year after an invitation nobody knows any more who asked for it; that it was sent stays, so that nobody gets more than they should."""
        return self._with(aged(self.sent, now))

    def _with(self, sent: tuple[Invitation, ...]) -> Decision["Invitations"]:
        return self.becomes(sent=sent, due_at=known_until(sent))


def answer(
    employee: Employee, programme: Programme, sent: Invitations, now: datetime, *, roles: Sequence[Role], remind: bool, request: str
) -> Answer:
    """What inviting somebody comes to: to the first of these roles that they may take. The same request again comes to the same."""
    before = sent.to(programme.id)
    last = before[-1] if before else None
    if last is not None and last.request == request:
        return Answer(person=employee.id, outcome=Outcome.INVITE if last.number == 1 else Outcome.REMIND, role=last.role, last=last)
    seats = [seat for role in roles if (seat := employee.seat(programme.id, role)) is not None]
    if any(seat.open for seat in seats):
        return Answer(person=employee.id, outcome=Outcome.TAKES_PART, last=last)
    if seats and employee.status is not EmployeeStatus.LEFT:
        return Answer(person=employee.id, outcome=Outcome.LEFT_ALONE, last=last)
    against = {role: reasons_against(Case(employee=employee, programme=programme, role=role, now=now)) for role in roles}
    role = next((role for role, reasons in against.items() if not reasons), None)
    if role is None:
        reasons = tuple(dict.fromkeys(reason for one in against.values() for reason in one))
        return Answer(person=employee.id, outcome=Outcome.NOT_ELIGIBLE, reasons=reasons, last=last)
    if employee.profile is None or not employee.profile.email:
        return Answer(person=employee.id, outcome=Outcome.NO_ADDRESS, role=role, last=last)
    return Answer(person=employee.id, outcome=sent.limit(programme.id, now, remind=remind), role=role, last=last)
