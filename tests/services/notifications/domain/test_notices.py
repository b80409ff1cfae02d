"""Who is told what by which event, and what must not go on to whom."""

import pytest
from tests.services.notifications.two_people import BOTH, LATER, MENTEE, MENTOR, SLOT, enrolment, invited, pair, proposed_session, session

from amont.common.events import (
    EmployeeWithdrawn,
    Event,
    PairAccepted,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairResumed,
    PairSuspended,
    SessionCancelled,
    SessionMissed,
)
from amont.common.events.values import EndReason, EnrolmentStatus, Role, SuspendReason
from amont.notifications.domain.delivery import Kind
from amont.notifications.domain.notices import of_enrolment, of_invitation, of_pair, of_session

OFF = [
    (PairDeclined, {}),
    (PairExpired, {}),
    (PairEnded, {"reason": EndReason.LEFT}),
    (PairSuspended, {"reason": SuspendReason.RULE_BROKEN}),
    (PairResumed, {}),
]


def people(told: list) -> list[str]:  # type: ignore[type-arg]
    return [notice.person for notice in told]


@pytest.mark.parametrize(("kind", "more"), OFF)
def test_a_mentor_who_was_not_asked_yet_hears_nothing(kind: type[Event], more: dict[str, str]) -> None:
    assert people(of_pair(pair(kind, accepted_by=(), **more))) == [MENTEE]


@pytest.mark.parametrize(("kind", "more"), OFF)
@pytest.mark.parametrize("accepted_by", [(Role.MENTEE,), BOTH])
def test_a_mentor_who_was_asked_hears_of_it(kind: type[Event], more: dict[str, str], accepted_by: tuple[Role, ...]) -> None:
    assert people(of_pair(pair(kind, accepted_by=accepted_by, **more))) == [MENTEE, MENTOR]


def test_the_mentee_is_asked_first_then_the_mentor() -> None:
    [asked] = of_pair(pair())
    assert (asked.person, asked.matter.role, asked.matter.partner) == (MENTEE, Role.MENTEE, MENTOR)
    [asked] = of_pair(pair(PairAccepted, accepted_by=(Role.MENTEE,), by=Role.MENTEE))
    assert (asked.person, asked.matter.role, asked.matter.partner) == (MENTOR, Role.MENTOR, MENTEE)
    assert of_pair(pair(PairAccepted, accepted_by=(Role.MENTOR,), by=Role.MENTOR)) == []


def test_a_second_invitation_is_a_reminder() -> None:
    assert [notice.kind for number in (1, 2, 3) for notice in of_invitation(invited(number))] == ["invited", "reminded", "reminded"]


@pytest.mark.parametrize("kind", [PairDeclined, PairExpired])
def test_when_a_proposal_is_off_nobody_is_named(kind: type[Event]) -> None:
    assert [notice.matter.partner for notice in of_pair(pair(kind, accepted_by=BOTH))] == [None, None]


@pytest.mark.parametrize("reason", EndReason)
def test_of_an_end_only_what_both_may_know_goes_on(reason: EndReason) -> None:
    sayable = {EndReason.COMPLETED: "completed", EndReason.LINE_CONFLICT: "line-of-management"}
    told = of_pair(pair(PairEnded, accepted_by=BOTH, reason=reason))
    assert [notice.matter.reason for notice in told] == [sayable.get(reason, "other")] * 2


@pytest.mark.parametrize(
    ("reason", "said"),
    [(SuspendReason.LINE_CONFLICT, "line-of-management"), (SuspendReason.ON_LEAVE, "leave"), (SuspendReason.RULE_BROKEN, "other")],
)
def test_of_a_suspension_the_kind_of_reason_goes_on(reason: SuspendReason, said: str) -> None:
    assert {notice.matter.reason for notice in of_pair(pair(PairSuspended, accepted_by=BOTH, reason=reason))} == {said}


def test_who_withdrew_is_told_so_and_who_left_is_not() -> None:
    assert people(of_enrolment(enrolment(EmployeeWithdrawn, status=EnrolmentStatus.WITHDRAWN))) == [MENTEE]
    assert of_enrolment(enrolment(EmployeeWithdrawn, status=EnrolmentStatus.ENDED)) == []


def test_who_moved_where_a_rule_stands_against_it_is_told_so() -> None:
    (notice,) = of_enrolment(enrolment(EmployeeWithdrawn, status=EnrolmentStatus.WITHDRAWN, moved_from="de:1"))
    assert notice.kind is Kind.NOT_CARRIED


def test_a_session_is_told_to_both_each_in_their_zone() -> None:
    mentee, mentor = of_session(session(invitation_sequence=3))
    assert mentee.matter.sitting
    assert mentor.matter.sitting
    assert (mentee.person, mentee.matter.partner, mentee.matter.sitting.zone) == (MENTEE, MENTOR, "Europe/Paris")
    assert (mentor.person, mentor.matter.partner, mentor.matter.sitting.zone) == (MENTOR, MENTEE, "America/New_York")
    assert {sitting.sequence for sitting in (mentee.matter.sitting, mentor.matter.sitting)} == {3}


def test_options_are_told_while_there_are_some() -> None:
    told = of_session(proposed_session())
    assert [notice.matter.sitting.options for notice in told if notice.matter.sitting] == [(SLOT, LATER)] * 2
    assert of_session(proposed_session().model_copy(update={"options": ()})) == []


@pytest.mark.parametrize(("kind", "more"), [(SessionCancelled, {"by": None}), (SessionMissed, {})])
def test_a_session_without_a_time_is_not_spoken_of(kind: type[Event], more: dict[str, None]) -> None:
    assert of_session(session(kind, slot=None, **more)) == []
