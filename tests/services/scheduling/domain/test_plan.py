"""The plan's own rules, without a service: what may follow what, and the one due date that follows from the state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amont.common.events import SessionCancelled, SessionProposed, SessionScheduled, Slot
from amont.common.events.values import Role, SessionStatus
from amont.common.kept import HISTORY_KEPT
from amont.scheduling.domain.hours import Hours, overlap
from amont.scheduling.domain.plan import Plan, PlanStatus
from amont.scheduling.domain.projections import Pace
from amont.scheduling.domain.slots import Windows

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PACE = Pace(sessions=2, minutes=60, every_days=30, grace_days=7)
ALWAYS = tuple(f"{day} 00:00-24:00" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
HOURS = Hours(mentee=Windows("fr:e42", "Europe/Paris", ALWAYS), mentor=Windows("us:e7", "America/New_York", ALWAYS))
PLAN = Plan(id="p", programme="digital", mentee="fr:e42", mentor="us:e7", mentee_enrolment="a", mentor_enrolment="b")


def proposed() -> Plan:
    return PLAN.start(NOW).state.propose("s1", PACE, HOURS, NOW).state


def scheduled(at: datetime = NOW + 3 * DAY) -> Plan:
    return proposed().schedule("s1", at, HOURS, NOW).state


def test_a_decision_says_the_sessions_full_state_with_the_next_seq() -> None:
    decision = proposed().schedule("s1", NOW + 3 * DAY, HOURS, NOW)
    (event,) = decision.events
    assert isinstance(event, SessionScheduled)
    assert (event.seq, decision.state.seq, event.planned, event.pair) == (2, 2, 2, "p")


def test_wall_times_are_those_of_the_day_across_a_change_of_clocks() -> None:
    """On 15 March New York has summer time and Paris has not: five hours apart, not six."""
    session = scheduled(NOW.replace(day=15)).sessions[0]
    assert (session.mentee_local, session.mentor_local) == ("2027-03-15T09:00", "2027-03-15T04:00")


def test_due_is_the_earliest_of_what_time_can_bring() -> None:
    assert PLAN.start(NOW).state.due_at == NOW
    assert proposed().due_at == proposed().sessions[0].options[-1].starts_at
    booked = scheduled()
    assert (booked.check_at, booked.due_at) == (NOW, NOW)
    assert booked.stand().state.due_at == NOW + 3 * DAY + HOUR + 7 * DAY
    assert booked.stand().state.rest(NOW).state.due_at is None


def test_only_who_is_booked_elsewhere_at_an_overlapping_upcoming_time_is_booked_twice() -> None:
    mine = scheduled()
    theirs = replace(mine, id="q", mentee="de:e9")
    strangers = replace(mine, id="q", mentee="de:e9", mentor="uk:e1")
    later = replace(theirs, sessions=(scheduled(NOW + 3 * DAY + HOUR).sessions[0],))
    assert mine.clashes_with(theirs, NOW)
    assert theirs.clashes_with(mine, NOW)
    assert not mine.clashes_with(mine, NOW)
    assert not mine.clashes_with(strangers, NOW)
    assert not mine.clashes_with(later, NOW)
    assert not mine.clashes_with(theirs, NOW + 3 * DAY)
    assert not mine.clashes_with(proposed(), NOW)


def test_giving_way_cancels_for_nobody_and_proposes_at_once() -> None:
    decision = scheduled().give_way(NOW)
    (event,) = decision.events
    assert isinstance(event, SessionCancelled)
    assert (event.by, event.invitation_sequence, decision.state.due_at, decision.state.check_at) == (None, 1, NOW, None)


def test_a_cancelled_proposal_was_never_an_invitation() -> None:
    (event,) = proposed().cancel("s1", Role.MENTOR, NOW).events
    assert isinstance(event, SessionCancelled)
    assert (event.invitation_sequence, event.slot, event.mentee_local) == (0, None, None)


def test_a_rest_or_an_end_leaves_a_session_that_has_begun_to_its_people() -> None:
    begun = NOW + 3 * DAY
    for plan in (scheduled().rest(begun).state, scheduled().end(begun).state):
        assert plan.open is not None
        assert plan.complete("s1", begun).state.held == 1
        assert plan.due_at is not None


def test_an_end_is_for_ever() -> None:
    over = proposed().end(NOW).state
    for again in (over.wake(NOW), over.rest(NOW), over.end(NOW)):
        assert (again.state, again.events) == (over, ())


def test_the_last_one_planned_is_held_after_all_even_when_the_plan_was_ended() -> None:
    missed = scheduled().stand().state.miss().state.end(NOW).state
    held = missed.complete("s1", NOW + 20 * DAY).state
    assert (held.held, held.status, held.due_at) == (1, PlanStatus.OVER, NOW + HISTORY_KEPT)


def test_nothing_to_give_up_on_says_nothing() -> None:
    assert proposed().miss().events == ()
    assert PLAN.give_way(NOW).events == ()


def test_a_proposal_that_the_policy_no_longer_plans_is_taken_back() -> None:
    held = scheduled().complete("s1", NOW + 4 * DAY).state.propose("s2", PACE, HOURS, NOW + 30 * DAY).state
    decision = held.propose("unused", replace(PACE, sessions=1), HOURS, NOW + 60 * DAY)
    assert [type(event) for event in decision.events] == [SessionCancelled]
    assert decision.state.status is PlanStatus.OVER


def test_options_reach_further_only_when_there_are_none_nearby() -> None:
    one_day = Windows("us:e7", "UTC", ("mon 09:00-10:00",))
    mondays = [NOW.replace(hour=9) + number * 7 * DAY for number in range(1, 12)]
    hours = Hours(mentee=HOURS.mentee, mentor=one_day)
    assert [slot.starts_at for slot in hours.options(after=NOW + 2 * DAY, minutes=60)] == mondays[:3]
    busy = tuple(Slot(starts_at=at, ends_at=at + HOUR) for at in mondays[:4])
    far = replace(hours, busy=busy)
    assert [slot.starts_at for slot in far.options(after=NOW + 2 * DAY, minutes=60)] == mondays[4:7]


@given(st.integers(0, 40), st.integers(1, 20), st.integers(0, 40), st.integers(1, 20))
def test_two_times_overlap_when_some_minute_is_in_both(begin: int, length: int, other: int, others: int) -> None:
    def slot(at: int, minutes: int) -> Slot:
        return Slot(starts_at=NOW + timedelta(minutes=at), ends_at=NOW + timedelta(minutes=at + minutes))

    shared = set(range(begin, begin + length)) & set(range(other, other + others))
    assert overlap(slot(begin, length), slot(other, others)) == bool(shared)


@pytest.mark.parametrize(("every_days", "first"), [(1, 2), (7, 5), (30, 28)])
def test_the_next_options_respect_both_the_notice_and_the_cadence(every_days: int, first: int) -> None:
    """The first session was held two days ago (its start is 3 days after NOW); `first` counts days from its completion."""
    plan: Any = scheduled()
    plan = replace(plan, sessions=(replace(plan.sessions[0], pace=replace(PACE, every_days=every_days)),))
    today = NOW + 5 * DAY
    done = plan.complete("s1", today).state
    decision = done.propose("s2", PACE, HOURS, today)
    (event,) = decision.events
    assert isinstance(event, SessionProposed)
    assert event.options[0].starts_at == today + first * DAY
    assert event.status is SessionStatus.PROPOSED
