"""Moving from one subsidiary to another, where a person gets another id: their programmes come with them where the rules allow.

Both sides must say it: the former subsidiary that somebody has left, the new one (`former_id`) who they were. One feed alone could otherwise end what
another subsidiary's people take part in, or take it over. The two may say so in any order. Of two who claim one person the first is listened to, until
its own newest record names that person no more. What is not here: the rules themselves (`eligibility`).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from amont.common.aggregate import Decision
from amont.common.events import EmployeeEnrolled, EmployeeWithdrawn
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Role
from amont.enrolment.domain.eligibility import Case, faults_in_form, reasons_against
from amont.enrolment.domain.employee import HERE, Employee, asking, followed, told
from amont.enrolment.domain.programme import Programme


class Refusal(StrEnum):
    """Why a claim to have been somebody cannot be followed."""

    UNKNOWN = "unknown"
    """Nobody has told us of that person, yet."""
    CLAIMED = "claimed"
    """Somebody else claims the same."""
    HANDED_OVER = "handed-over"
    """What the person took part in has gone to somebody else."""


def refusal(former: Employee, new: Employee, successor: Employee | None) -> Refusal | None:
    """Why `new` cannot be whom `former` became. `successor` is whom `former` knows as that, if anybody."""
    known = former.move.successor
    if known == new.id:
        return None
    if former.move.handed_over:
        return Refusal.HANDED_OVER
    if successor is not None and successor.move.former == former.id:
        return Refusal.CLAIMED
    return None


def may_hand_over(former: Employee, new: Employee) -> bool:
    """Whether both sides have said that these are one person, and the new one is here."""
    said = former.move.successor == new.id and new.move.former == former.id
    return said and former.status is EmployeeStatus.LEFT and new.status in HERE


def take_over(
    former: Employee, new: Employee, programmes: Mapping[str, Programme], now: datetime, *, id_of: Callable[[str, Role], str]
) -> Decision[Employee]:
    """Take part under the new id in what ended when the person left. Where a rule stands against it, they are told that it has ended; where seats are
    counted, they ask for one as whoever comes back does. Who comes back to where they had left from has what went along, as it has become since, and of
    what is over elsewhere nothing.

    `id_of` gives the id of the new person's enrolment in a programme and role.
    """
    back = new.move.handed_over
    seats = tuple(replace(one, status=EnrolmentStatus.WITHDRAWN) if back and not one.open else one for one in new.enrolments)
    decision = new.becomes(move=new.move.arrive(), enrolments=seats)
    for seat in former.enrolments:
        programme = programmes.get(seat.programme)
        if seat.status is not EnrolmentStatus.ENDED or programme is None or not programme.takes_people:
            continue
        before = decision.state.seat(seat.programme, seat.role)
        if before is not None and (before.open or not back):
            continue
        taken = replace(seat, id=id_of(programme.id, seat.role), version=before.version + 1 if before else 1)
        case = Case(employee=decision.state, programme=programme, role=seat.role, now=now)
        against = [one for one in reasons_against(case) if one.code != "on-leave"]  # a seat is kept through leave
        if against or faults_in_form(seat.form, programme, seat.role):
            decision = told(decision, replace(taken, status=EnrolmentStatus.WITHDRAWN), EmployeeWithdrawn, moved_from=former.id)
        elif seat.counted:
            decision = asking(decision, taken, now)
        else:
            decision = told(decision, replace(taken, status=EnrolmentStatus.ENROLLED), EmployeeEnrolled)
    return followed(decision, new.status, now) if new.status else decision
