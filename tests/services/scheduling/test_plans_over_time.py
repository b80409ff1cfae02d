"""Plans through the composition root: facts are heard, people decide, time passes, and what scheduling said is read off the log."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from tests.services.scheduling.scheduling_facts import (
    EVERYBODY,
    MENTEE,
    MENTOR,
    NEXT_THURSDAY,
    OTHER_MENTEE,
    OTHER_PAIR,
    PAIR,
    THURSDAY,
    TUESDAY,
    confirmed,
    employee,
    ended,
    enrolled,
    left,
    pair_fact,
    programme,
    resumed,
    suspended,
    utc,
    what_is_known_of,
)

from amont.common import metrics
from amont.common.errors import Conflict, DomainError, NotAllowed, NotFound, Stale
from amont.common.events import (
    EmployeeWithdrawn,
    EnrolmentChanged,
    Event,
    PairDeclined,
    PairExpired,
    PairProposed,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionProposed,
    SessionRescheduled,
    SessionScheduled,
)
from amont.common.events.scheduling import SessionFact
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, PairStatus, Role, SessionStatus
from amont.common.identity import Actor, Privilege
from amont.common.kept import HISTORY_KEPT
from amont.common.testing.hearing import START, Hearing, hearing, record_of
from amont.common.work import Work
from amont.scheduling import commands
from amont.scheduling.app import build
from amont.scheduling.domain.errors import (
    HoursUnknown,
    HoursUnreadable,
    PlanNotActive,
    SessionNotBegun,
    SessionNotOpen,
    SlotRefused,
    SlotTaken,
    SomebodyAway,
)
from amont.scheduling.domain.plan import Plan, PlanStatus
from amont.scheduling.domain.session import Session

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
THE_MENTEE = Actor(MENTEE, "fr", frozenset({Privilege.PARTICIPANT}))
THE_MENTOR = Actor(MENTOR, "uk", frozenset({Privilege.PARTICIPANT}))
THE_OTHER_MENTEE = Actor(OTHER_MENTEE, "de", frozenset({Privilege.PARTICIPANT}))


@pytest.fixture
async def scheduling(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as service:
        yield service


@pytest.fixture
async def proposed(scheduling: Hearing) -> Hearing:
    """A pair whose first session is proposed; what was said so far has been read."""
    await scheduling.hears(*EVERYBODY, confirmed())
    await scheduling.said()
    return scheduling


@pytest.fixture
async def scheduled(proposed: Hearing) -> Hearing:
    """A pair that meets on the first Thursday."""
    await schedule(proposed, THURSDAY)
    await proposed.said()
    return proposed


async def plan_of(service: Hearing, pair: str = PAIR) -> Plan:
    return await service.look(Plan, pair)


async def last_session(service: Hearing, pair: str = PAIR) -> Session:
    return (await plan_of(service, pair)).sessions[-1]


async def schedule(service: Hearing, at: str, actor: Actor = THE_MENTEE, pair: str = PAIR) -> None:
    session = await last_session(service, pair)
    await service.asked(commands.schedule_session, pair, session.id, utc(at), actor)
    await service.settle()


async def reschedule(service: Hearing, at: str) -> None:
    await service.asked(commands.reschedule_session, PAIR, (await last_session(service)).id, utc(at), THE_MENTOR)
    await service.settle()


async def cancel(service: Hearing, actor: Actor = THE_MENTEE) -> None:
    await service.asked(commands.cancel_session, PAIR, (await last_session(service)).id, actor)
    await service.settle()


async def complete(service: Hearing, session: str | None = None) -> None:
    await service.asked(commands.complete_session, PAIR, session or (await last_session(service)).id, THE_MENTOR)
    await service.settle()


async def said(service: Hearing) -> list[type[Event]]:
    return [type(event) for event in await service.said()]


async def the_one_thing_said(service: Hearing) -> SessionFact:
    (event,) = await service.said()
    assert isinstance(event, SessionFact)
    return event


async def time_comes(service: Hearing, at: str | datetime) -> None:
    await service.passes((utc(at) if isinstance(at, str) else at) - service.clock.now())


async def test_a_confirmed_pair_is_offered_three_times_that_suit_both(scheduling: Hearing) -> None:
    await scheduling.hears(*EVERYBODY, confirmed())
    event = await the_one_thing_said(scheduling)
    session = await last_session(scheduling)
    assert isinstance(event, SessionProposed)
    assert [option.starts_at for option in event.options] == [utc(THURSDAY), utc(TUESDAY), utc(NEXT_THURSDAY)]
    assert all(option.ends_at - option.starts_at == HOUR for option in event.options)
    assert (event.pair, event.session, event.number, event.planned, event.seq) == (PAIR, session.id, 1, 6, 1)
    assert (event.mentee, event.mentor, event.mentee_zone, event.mentor_zone) == (MENTEE, MENTOR, "Europe/Paris", "Europe/London")
    assert (event.status, event.slot, event.mentee_local, event.invitation_sequence) == (SessionStatus.PROPOSED, None, None, 0)


async def test_the_same_facts_twice_change_nothing(proposed: Hearing) -> None:
    before = await plan_of(proposed)
    await proposed.hears(*EVERYBODY, confirmed())
    assert await plan_of(proposed) == before
    assert await proposed.said() == []
    assert await proposed.parked() == []


async def test_facts_in_any_order_end_in_the_same_proposal(tmp_path: Path) -> None:
    groups = ([programme()], what_is_known_of(MENTEE), what_is_known_of(MENTOR), [confirmed()])
    ends = set()
    for number, order in enumerate(permutations(groups)):
        async with hearing(build, tmp_path / str(number)) as service:
            for facts in order:
                await service.hears(*facts)
            await service.passes(MINUTE)
            assert await said(service) == [SessionProposed]
            assert await service.parked() == []
            ends.add((await plan_of(service)).sessions)
    assert len(ends) == 1


async def test_a_plan_that_lacks_a_fact_looks_again_in_a_minute(scheduling: Hearing) -> None:
    await scheduling.hears(confirmed())
    assert (await plan_of(scheduling)).due_at == START + MINUTE
    await scheduling.passes(MINUTE)
    assert await scheduling.said() == []
    await scheduling.hears(*EVERYBODY)
    await scheduling.passes(MINUTE)
    assert await said(scheduling) == [SessionProposed]


async def test_a_pair_that_is_only_proposed_has_no_plan(scheduling: Hearing) -> None:
    await scheduling.hears(
        *EVERYBODY,
        pair_fact(PairProposed, PairStatus.PROPOSED, 1),
        suspended(2),
        resumed(3, status=PairStatus.PROPOSED),
        pair_fact(PairExpired, PairStatus.ENDED, 4),
    )
    with pytest.raises(NotFound):
        await plan_of(scheduling)
    assert await scheduling.said() == []


async def test_a_chosen_option_is_promised_to_each_on_their_own_clock(proposed: Hearing) -> None:
    await schedule(proposed, THURSDAY)
    event = await the_one_thing_said(proposed)
    assert isinstance(event, SessionScheduled)
    assert event.slot is not None
    assert (event.slot.starts_at, event.slot.ends_at) == (utc(THURSDAY), utc(THURSDAY) + HOUR)
    assert (event.mentee_local, event.mentor_local) == ("2027-01-07T14:00", "2027-01-07T13:00")
    assert (event.options, event.invitation_sequence, event.seq) == ((), 0, 2)


async def test_any_other_time_that_suits_both_may_be_chosen_too(proposed: Hearing) -> None:
    await schedule(proposed, "2027-01-05T10:00", THE_MENTOR)
    assert (await last_session(proposed)).mentee_local == "2027-01-05T11:00"


async def test_choosing_the_same_time_again_says_nothing(scheduled: Hearing) -> None:
    await schedule(scheduled, THURSDAY, THE_MENTOR)
    await reschedule(scheduled, THURSDAY)
    assert await scheduled.said() == []


@pytest.mark.parametrize(
    ("starts_at", "why"),
    [
        ("2027-01-04T08:00", "lies behind"),
        ("2027-01-08T13:00", "is not a time that both can make"),
        ("2027-01-07T14:30", "is not a time that both can make"),
        ("2027-01-07T13:10", "is not a time that both can make"),
        ("2028-01-06T13:00", "lies more than a year ahead"),
        ("9999-12-31T23:00", "lies more than a year ahead"),
    ],
)
async def test_a_time_that_does_not_suit_both_is_refused(proposed: Hearing, starts_at: str, why: str) -> None:
    with pytest.raises(SlotRefused, match=f"{why}. Take one of the options") as refused:
        await schedule(proposed, starts_at)
    assert [fault.pointer for fault in refused.value.faults] == ["/starts_at"]


async def test_an_option_stays_good_when_windows_change_before_it_is_chosen(proposed: Hearing) -> None:
    await proposed.hears(enrolled(MENTEE, "fri 10:00-12:00", seq=2, kind=EnrolmentChanged))
    await schedule(proposed, THURSDAY)
    with pytest.raises(SlotRefused):
        await reschedule(proposed, NEXT_THURSDAY)


async def test_moving_a_session_is_not_a_cancellation_and_renews_the_invitation(scheduled: Hearing) -> None:
    await reschedule(scheduled, TUESDAY)
    event = await the_one_thing_said(scheduled)
    assert isinstance(event, SessionRescheduled)
    assert (event.mentee_local, event.mentor_local, event.invitation_sequence) == ("2027-01-12T10:00", "2027-01-12T09:00", 1)
    await reschedule(scheduled, NEXT_THURSDAY)
    assert (await the_one_thing_said(scheduled)).invitation_sequence == 2


async def test_a_proposed_session_is_not_rescheduled_and_a_scheduled_one_not_scheduled(proposed: Hearing) -> None:
    with pytest.raises(SessionNotOpen, match=r"is proposed; only a scheduled session can be rescheduled"):
        await reschedule(proposed, THURSDAY)
    await schedule(proposed, THURSDAY)
    with pytest.raises(SessionNotOpen, match=r"is scheduled; only a proposed session can be scheduled"):
        await schedule(proposed, TUESDAY)


async def test_a_cancelled_session_is_followed_by_another_one_without_its_time(scheduled: Hearing) -> None:
    first = await last_session(scheduled)
    await cancel(scheduled)
    off, again = await scheduled.said()
    assert isinstance(off, SessionCancelled)
    assert isinstance(again, SessionProposed)
    assert (off.session, off.by, off.invitation_sequence, off.slot) == (first.id, Role.MENTEE, 1, first.slot)
    assert (again.number, again.session == first.id) == (1, False)
    assert utc(THURSDAY) not in [option.starts_at for option in again.options]


async def test_cancelling_twice_in_a_row_waits_a_day_before_the_next_proposal(proposed: Hearing) -> None:
    await cancel(proposed)
    assert await said(proposed) == [SessionCancelled, SessionProposed]
    await cancel(proposed, THE_MENTOR)
    assert await said(proposed) == [SessionCancelled]
    await proposed.passes(DAY)
    assert await said(proposed) == [SessionProposed]
    assert len({session.id for session in (await plan_of(proposed)).sessions}) == 3


async def test_turned_down_times_come_back_when_there_are_no_others(proposed: Hearing) -> None:
    for _ in range(10):
        await cancel(proposed)
        await proposed.passes(DAY)
        assert (await last_session(proposed)).options


async def test_cancelling_what_one_has_cancelled_says_nothing_and_what_the_other_has_is_refused(scheduled: Hearing) -> None:
    first = await last_session(scheduled)
    await cancel(scheduled)
    await scheduled.said()
    await scheduled.asked(commands.cancel_session, PAIR, first.id, THE_MENTEE)
    assert await scheduled.said() == []
    with pytest.raises(SessionNotOpen, match="is cancelled; only a proposed or scheduled session can be cancelled"):
        await scheduled.asked(commands.cancel_session, PAIR, first.id, THE_MENTOR)


async def test_a_session_is_completed_only_after_it_has_begun(scheduled: Hearing) -> None:
    with pytest.raises(SessionNotBegun, match=r"begins at 2027-01-07T13:00:00\+00:00; say that it was held after that"):
        await complete(scheduled)
    await time_comes(scheduled, THURSDAY)
    await complete(scheduled)
    event = await the_one_thing_said(scheduled)
    assert isinstance(event, SessionCompleted)
    assert event.status is SessionStatus.COMPLETED
    await complete(scheduled)
    assert await scheduled.said() == []


async def test_a_proposed_session_cannot_have_been_held(proposed: Hearing) -> None:
    with pytest.raises(SessionNotOpen, match="is proposed; only a scheduled"):
        await complete(proposed)


async def test_the_next_session_is_proposed_a_week_before_the_cadence_and_not_for_earlier(scheduled: Hearing) -> None:
    await time_comes(scheduled, utc(THURSDAY) + HOUR)
    await complete(scheduled)
    wanted_from = utc(THURSDAY) + 30 * DAY
    assert (await plan_of(scheduled)).due_at == wanted_from - 7 * DAY
    await scheduled.said()
    await time_comes(scheduled, wanted_from - 7 * DAY - MINUTE)
    assert await scheduled.said() == []
    await scheduled.passes(MINUTE)
    event = await the_one_thing_said(scheduled)
    assert isinstance(event, SessionProposed)
    assert event.number == 2
    assert event.options[0].starts_at == utc("2027-02-09T09:00")


async def test_the_last_planned_session_ends_the_plan(scheduling: Hearing) -> None:
    await scheduling.hears(*EVERYBODY[1:], programme(sessions=2, session_every_days=1), confirmed())
    for _ in range(2):
        session = await last_session(scheduling)
        await scheduling.asked(commands.schedule_session, PAIR, session.id, session.options[0].starts_at, THE_MENTEE)
        await time_comes(scheduling, session.options[0].starts_at)
        await complete(scheduling)
    plan = await plan_of(scheduling)
    assert (plan.status, plan.held, plan.due_at) == (PlanStatus.OVER, 2, None)
    await scheduling.hears(suspended(), resumed())
    assert (await plan_of(scheduling)).status is PlanStatus.OVER


async def test_a_session_nobody_speaks_of_is_missed_after_the_grace_and_proposed_again(scheduled: Hearing) -> None:
    first = await last_session(scheduled)
    deadline = utc(THURSDAY) + HOUR + 7 * DAY
    await time_comes(scheduled, deadline - MINUTE)
    assert await scheduled.said() == []
    await scheduled.passes(MINUTE)
    missed, again = await scheduled.said()
    assert isinstance(missed, SessionMissed)
    assert isinstance(again, SessionProposed)
    assert (missed.session, missed.status, again.number) == (first.id, SessionStatus.MISSED, 1)


async def test_a_missed_session_may_have_been_held_after_all_until_another_is_scheduled_for_it(scheduled: Hearing) -> None:
    first = await last_session(scheduled)
    await time_comes(scheduled, utc(THURSDAY) + HOUR + 7 * DAY)
    stand_in = await last_session(scheduled)
    await scheduled.said()
    await complete(scheduled, first.id)
    off, held = await scheduled.said()
    assert isinstance(off, SessionCancelled)
    assert isinstance(held, SessionCompleted)
    assert (off.session, off.by, held.session) == (stand_in.id, None, first.id)
    plan = await plan_of(scheduled)
    assert (plan.held, plan.open) == (1, None)


async def test_a_missed_session_stays_missed_once_another_is_scheduled_for_it(scheduled: Hearing) -> None:
    first = await last_session(scheduled)
    await time_comes(scheduled, utc(THURSDAY) + HOUR + 7 * DAY)
    await schedule(scheduled, "2027-01-19T09:00")
    with pytest.raises(SessionNotOpen, match="is missed; only a scheduled"):
        await complete(scheduled, first.id)


async def test_a_missed_session_stays_missed_once_another_was_held_for_it(scheduled: Hearing) -> None:
    first = await last_session(scheduled)
    await time_comes(scheduled, utc(THURSDAY) + HOUR + 7 * DAY)
    await schedule(scheduled, "2027-01-19T09:00")
    await time_comes(scheduled, "2027-01-19T09:00")
    await complete(scheduled)
    with pytest.raises(SessionNotOpen, match="is missed; only a scheduled"):
        await complete(scheduled, first.id)


async def test_options_that_all_passed_are_renewed_for_the_same_session(proposed: Hearing) -> None:
    first = await last_session(proposed)
    await time_comes(proposed, NEXT_THURSDAY)
    event = await the_one_thing_said(proposed)
    assert isinstance(event, SessionProposed)
    assert event.session == first.id
    assert min(option.starts_at for option in event.options) >= utc(NEXT_THURSDAY) + 2 * DAY


async def test_a_suspended_pair_rests_and_wakes_with_a_new_proposal(scheduled: Hearing) -> None:
    await scheduled.hears(suspended())
    event = await the_one_thing_said(scheduled)
    assert isinstance(event, SessionCancelled)
    assert event.by is None
    plan = await plan_of(scheduled)
    assert (plan.status, plan.due_at) == (PlanStatus.RESTING, None)
    await scheduled.passes(90 * DAY)
    assert await scheduled.said() == []
    await scheduled.hears(resumed())
    again = await the_one_thing_said(scheduled)
    assert isinstance(again, SessionProposed)
    assert again.number == 1


async def test_nothing_is_booked_while_the_pair_rests(scheduled: Hearing) -> None:
    await time_comes(scheduled, THURSDAY)
    await scheduled.hears(suspended())
    assert await scheduled.said() == []
    with pytest.raises(PlanNotActive, match=r"'pair-1' is resting: nothing can be booked"):
        await reschedule(scheduled, TUESDAY)
    await complete(scheduled)
    assert await said(scheduled) == [SessionCompleted]
    assert (await plan_of(scheduled)).due_at is None


@pytest.mark.parametrize("end", [ended(), pair_fact(PairDeclined, PairStatus.ENDED, 6), pair_fact(PairExpired, PairStatus.ENDED, 6)])
async def test_the_end_of_a_pair_cancels_what_is_upcoming_for_ever(scheduled: Hearing, end: Event) -> None:
    await scheduled.hears(end, end)
    assert await said(scheduled) == [SessionCancelled]
    await scheduled.hears(confirmed(), resumed(7))
    await scheduled.passes(90 * DAY)
    assert await scheduled.said() == []
    assert (await plan_of(scheduled)).status is PlanStatus.OVER


async def test_a_plan_is_let_go_of_two_years_after_its_end_and_no_older_event_makes_it_again(scheduled: Hearing) -> None:
    before = metrics.RETENTION.labels("plans")._value.get()
    await scheduled.hears(ended())
    await scheduled.passes(HISTORY_KEPT - MINUTE)
    assert (await plan_of(scheduled)).status is PlanStatus.OVER
    await scheduled.said()
    await scheduled.passes(MINUTE)
    for again in (confirmed(), resumed(), ended()):
        await scheduled.hears(record_of(again, time=START, id=f"{type(again).__name__} comes again"))
    with pytest.raises(NotFound):
        await plan_of(scheduled)
    assert await scheduled.said() == []
    assert metrics.RETENTION.labels("plans")._value.get() == before + 1


async def test_the_plan_of_a_pair_that_lives_is_kept_however_old_it_is(scheduled: Hearing) -> None:
    await scheduled.hears(suspended())
    await scheduled.passes(2 * HISTORY_KEPT)
    await scheduled.hears(record_of(resumed(), time=START))
    assert (await plan_of(scheduled)).status is PlanStatus.ACTIVE


async def test_a_scheduled_session_keeps_its_instant_when_somebody_moves_and_the_next_one_follows_them(scheduled: Hearing) -> None:
    await scheduled.hears(employee(MENTOR, "America/New_York", seq=2), enrolled(MENTOR, "tue 04:00-06:00", seq=2, kind=EnrolmentChanged))
    assert (await last_session(scheduled)).mentor_local == "2027-01-07T13:00"
    assert await scheduled.said() == []
    await cancel(scheduled)
    _, again = await scheduled.said()
    assert isinstance(again, SessionProposed)
    assert again.mentor_zone == "America/New_York"
    assert {option.starts_at.weekday() for option in again.options} == {1}


async def test_without_a_common_time_it_looks_again_every_day(scheduling: Hearing) -> None:
    before = metrics.SESSIONS.labels("NoCommonSlot")._value.get()
    await scheduling.hears(*EVERYBODY, enrolled(MENTEE, "sun 03:00-04:00", seq=2, kind=EnrolmentChanged), confirmed())
    assert (await plan_of(scheduling)).due_at == START + DAY
    await scheduling.hears(enrolled(MENTEE, "thu 14:00-16:00", seq=3, kind=EnrolmentChanged))
    await scheduling.passes(DAY)
    assert await said(scheduling) == [SessionProposed]
    assert metrics.SESSIONS.labels("NoCommonSlot")._value.get() == before + 1


async def test_hours_that_cannot_be_read_are_looked_at_again_the_next_day(scheduling: Hearing) -> None:
    backwards = enrolled(MENTEE, "thu 16:00-14:00", seq=2, kind=EnrolmentChanged)
    await scheduling.hears(*EVERYBODY, backwards, confirmed())
    assert (await plan_of(scheduling)).due_at == START + DAY
    with pytest.raises(HoursUnreadable, match=r"'enrolment-of-fr:e42' cannot be read: 'thu 16:00-14:00' does not end after its start"):
        await scheduling.asked(commands.list_slots, PAIR, THE_MENTOR, None, None, 10)


@pytest.mark.parametrize(
    "fact",
    [
        left(MENTOR),
        employee(MENTEE, "Europe/Paris", seq=2, status=EmployeeStatus.ON_LEAVE),
        enrolled(MENTEE, "thu 14:00-16:00", seq=2, kind=EmployeeWithdrawn, status=EnrolmentStatus.WITHDRAWN),
    ],
)
async def test_nothing_is_proposed_to_somebody_who_is_away(scheduling: Hearing, fact: Event) -> None:
    await scheduling.hears(*EVERYBODY, fact, confirmed())
    assert await scheduling.said() == []
    assert (await plan_of(scheduling)).due_at == START + HOUR


async def test_nothing_is_booked_for_somebody_who_is_away_or_not_known(proposed: Hearing) -> None:
    await proposed.hears(employee(MENTEE, "Europe/Paris", seq=2, status=EmployeeStatus.ON_LEAVE))
    with pytest.raises(SomebodyAway, match="One of the two is away at present"):
        await schedule(proposed, THURSDAY)
    await proposed.hears(left("us:e1"), confirmed(pair=OTHER_PAIR, mentee="us:e1"))
    with pytest.raises(HoursUnknown, match="Try again in a minute"):
        await proposed.asked(commands.list_slots, OTHER_PAIR, THE_MENTOR, None, None, 10)


async def test_a_mentor_of_two_is_not_booked_twice(scheduled: Hearing) -> None:
    await scheduled.hears(confirmed(pair=OTHER_PAIR, mentee=OTHER_MENTEE))
    session = await last_session(scheduled, OTHER_PAIR)
    assert session.options[0].starts_at == utc(THURSDAY) + HOUR
    with pytest.raises(SlotTaken, match=r"has another session at 2027-01-07T13:30:00\+00:00"):
        await schedule(scheduled, "2027-01-07T13:30", THE_OTHER_MENTEE, OTHER_PAIR)
    await schedule(scheduled, "2027-01-07T14:00", THE_OTHER_MENTEE, OTHER_PAIR)


async def at_the_same_moment(service: Hearing, starts_at: datetime, pairs: tuple[str, ...]) -> None:
    """Both plans are booked by processes that have not seen each other's write; saved in the given order."""
    works = []
    for pair in pairs:
        plan = await plan_of(service, pair)
        work = Work(service.service.unit.house)
        with work.step():
            actor = Actor(plan.mentee, plan.mentee[:2], frozenset({Privilege.PARTICIPANT}))
            await commands.schedule_session(work, pair, plan.sessions[-1].id, starts_at, actor)
        works.append(work)
    for work in works:
        await service.service.unit.publish_or_leave(await service.service.unit.save(work))


@pytest.mark.parametrize("order", [(PAIR, OTHER_PAIR), (OTHER_PAIR, PAIR)])
async def test_of_two_bookings_at_the_same_moment_the_larger_pair_gives_way(proposed: Hearing, order: tuple[str, ...]) -> None:
    await proposed.hears(confirmed(pair=OTHER_PAIR, mentee=OTHER_MENTEE))
    await proposed.said()
    await at_the_same_moment(proposed, utc(TUESDAY), order)
    await proposed.settle()
    events = [event for event in await proposed.said() if isinstance(event, SessionFact)]
    assert sorted((event.pair, event.seq, type(event).__name__) for event in events) == [
        (PAIR, 2, "SessionScheduled"),
        (OTHER_PAIR, 2, "SessionScheduled"),
        (OTHER_PAIR, 3, "SessionCancelled"),
        (OTHER_PAIR, 4, "SessionProposed"),
    ]
    kept, gave_way = await plan_of(proposed), await plan_of(proposed, OTHER_PAIR)
    assert kept.booked is not None
    assert gave_way.sessions[0].cancelled_by is None
    assert kept.booked.starts_at not in [option.starts_at for option in gave_way.sessions[1].options]


@pytest.mark.parametrize("checked_first", [PAIR, OTHER_PAIR])
async def test_a_double_booking_is_found_by_whichever_check_comes_last(proposed: Hearing, checked_first: str) -> None:
    """The first check runs between the two writes and sees nothing; the second one sees both, whichever of the two has to give way."""
    checked_last = OTHER_PAIR if checked_first == PAIR else PAIR
    await proposed.hears(confirmed(pair=OTHER_PAIR, mentee=OTHER_MENTEE))
    plan = await plan_of(proposed, checked_last)
    late = Work(proposed.service.unit.house)
    with late.step():
        actor = Actor(plan.mentee, plan.mentee[:2], frozenset({Privilege.PARTICIPANT}))
        await commands.schedule_session(late, checked_last, plan.sessions[-1].id, utc(TUESDAY), actor)
    await proposed.asked(
        commands.schedule_session, checked_first, (await last_session(proposed, checked_first)).id, utc(TUESDAY), THE_MENTOR
    )
    await proposed.settle()
    await proposed.service.unit.save(late)
    await proposed.settle()
    assert (await plan_of(proposed)).booked is not None
    assert (await plan_of(proposed, OTHER_PAIR)).booked is None


async def test_a_policy_that_plans_fewer_sessions_ends_the_plan_at_its_next_proposal(scheduled: Hearing) -> None:
    await time_comes(scheduled, THURSDAY)
    await complete(scheduled)
    await scheduled.hears(programme(seq=2, sessions=1))
    assert (await plan_of(scheduled)).status is PlanStatus.ACTIVE
    await scheduled.passes(60 * DAY)
    assert (await plan_of(scheduled)).status is PlanStatus.OVER


async def test_a_plan_that_is_over_before_its_pair_is_kept_as_long_as_the_pair_lives(scheduled: Hearing) -> None:
    await time_comes(scheduled, THURSDAY)
    await complete(scheduled)
    await scheduled.hears(programme(seq=2, sessions=1))
    await scheduled.passes(60 * DAY)
    await scheduled.passes(2 * HISTORY_KEPT)
    before = await plan_of(scheduled)
    away_and_back = [record_of(one, time=scheduled.clock.now(), id=f"{type(one).__name__} later") for one in (suspended(), resumed())]
    await scheduled.hears(*away_and_back)
    after = await plan_of(scheduled)
    assert (after.status, after.sessions) == (PlanStatus.OVER, before.sessions)


async def test_a_session_ends_by_the_rules_it_was_proposed_with(scheduled: Hearing) -> None:
    await scheduled.hears(programme(seq=2, session_grace_days=0, session_minutes=30))
    await time_comes(scheduled, utc(THURSDAY) + 6 * DAY)
    assert await scheduled.said() == []


async def test_slots_are_as_long_as_the_open_session(proposed: Hearing) -> None:
    await proposed.hears(programme(seq=2, session_minutes=120))
    slots = await proposed.asked(commands.list_slots, PAIR, THE_MENTOR, utc("2027-01-07"), utc("2027-01-08"), 50)
    assert [slot.starts_at for slot in slots] == [utc("2027-01-07T13:00"), utc("2027-01-07T13:30"), utc("2027-01-07T14:00")]


async def test_an_unknown_session_and_somebody_elses_plan_are_not_found(proposed: Hearing) -> None:
    with pytest.raises(NotFound, match="There is no session 'nope' here"):
        await proposed.asked(commands.complete_session, PAIR, "nope", THE_MENTOR)
    with pytest.raises(NotFound, match="There is no plan 'pair-1' here"):
        await proposed.asked(commands.read_plan, PAIR, THE_OTHER_MENTEE)


async def test_a_coordinator_reads_and_does_not_book(proposed: Hearing) -> None:
    coordinator = Actor("fr:e1", "fr", frozenset({Privilege.COORDINATOR}))
    plan, version = await proposed.asked(commands.read_plan, PAIR, coordinator)
    assert (plan.id, version) == (PAIR, (await proposed.asked(commands.read_plan, PAIR, THE_MENTEE))[1])
    with pytest.raises(NotAllowed):
        await proposed.asked(commands.cancel_session, PAIR, plan.sessions[0].id, coordinator)


async def test_a_decision_on_an_older_version_is_stale(proposed: Hearing) -> None:
    session = await last_session(proposed)
    with pytest.raises(Stale) as stale:
        await proposed.asked(commands.cancel_session, PAIR, session.id, THE_MENTEE, version=1)
    assert stale.value.current > 1


async def test_what_happens_to_sessions_is_counted(proposed: Hearing) -> None:
    before = {name: metrics.SESSIONS.labels(name)._value.get() for name in ("SessionScheduled", "SessionCancelled")}
    await schedule(proposed, THURSDAY)
    await proposed.hears(suspended(), suspended())
    after = {name: metrics.SESSIONS.labels(name)._value.get() for name in before}
    assert after == {name: count + 1 for name, count in before.items()}


def test_every_refusal_has_a_code_of_its_own() -> None:
    kinds = [PlanNotActive, SessionNotOpen, SessionNotBegun, SlotTaken, SlotRefused, HoursUnknown, SomebodyAway, HoursUnreadable]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(issubclass(kind, DomainError) and kind.code not in {DomainError.code, Conflict.code} for kind in kinds)
