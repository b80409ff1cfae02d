"""Moving from one subsidiary to another, where a person gets another id: their programmes come with them where the rules allow.

Both sides must say it: the former subsidiary that somebody has left, the new one (`former_id`) who they were. One feed alone could otherwise end what
another subsidiary's people take part in, or take it over. The two may say so in any order. What is not here: the rules themselves (`eligibility`).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from amont.common.aggregate import Decision
from amont.common.events import EmployeeEnrolled, EmployeeWithdrawn
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Role
from amont.enrolment.domain.eligibility import Case, faults_in_form, reasons_against
from amont.enrolment.domain.employee import HERE, Employee, asking, followed, told
from amont.enrolment.domain.programme import Programme


def may_hand_over(former: Employee, new: Employee) -> bool:
    """Whether both sides have said that these are one person, and the new one is here."""
    said = former.move.successor == new.id and new.move.former == former.id
    return said and former.status is EmployeeStatus.LEFT and new.status in HERE


def take_over(
    former: Employee, new: Employee, programmes: Mapping[str, Programme], now: datetime, *, id_of: Callable[[str, Role], str]
) -> Decision[Employee]:
    """Take part under the new id in what ended when the person left. Where a rule stands against it, they are told that it has ended; where seats are
    counted, they ask for one as whoever comes back does.

    `id_of` gives the id of the new person's enrolment in a programme and role.
    """
    decision = new.becomes(move=replace(new.move, arrived=True))
    for seat in former.enrolments:
        programme = programmes.get(seat.programme)
        if seat.status is not EnrolmentStatus.ENDED or programme is None or not programme.takes_people:
            continue
        if decision.state.seat(seat.programme, seat.role) is not None:
            continue
        id_ = id_of(programme.id, seat.role)
        case = Case(employee=decision.state, programme=programme, role=seat.role, now=now)
        against = [one for one in reasons_against(case) if one.code != "on-leave"]  # a seat is kept through leave
        if against or faults_in_form(seat.form, programme, seat.role):
            decision = told(
                decision, replace(seat, id=id_, status=EnrolmentStatus.WITHDRAWN, version=1), EmployeeWithdrawn, moved_from=former.id
            )
        elif seat.counted:
            decision = asking(decision, replace(seat, id=id_, version=1), now)
        else:
            decision = told(decision, replace(seat, id=id_, status=EnrolmentStatus.ENROLLED, version=1), EmployeeEnrolled)
    return followed(decision, new.status, now) if new.status else decision
