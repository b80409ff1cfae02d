"""What is held instead of being taken: leavers beyond a subsidiary's share, and everything that a paused feed brings."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.services.enrolment.staffing import COORDINATOR, ELSEWHERE, GROUP, LEA, de, fr, left, oneself, recorded, settled
from tests.services.matching.matching_facts import Before

from amont.common.errors import Invalid, NotAllowed, NotFound
from amont.common.events import EmployeeChanged, EmployeeLeft
from amont.common.events.values import EmployeeStatus
from amont.common.identity import Privilege
from amont.common.log import Record
from amont.common.metrics import REGISTRY
from amont.common.testing.hearing import START, Hearing, hearing, record_of
from amont.common.work import Work
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.commands.feeds import ask_breaker
from amont.enrolment.domain.arrival import MOST_AHEAD, MOST_HELD, Outcome, TooFarAhead
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.feed import COUNTED, HOUR, LEAST_LEAVERS, Feed, NothingHeld
from amont.enrolment.domain.staff import understand_left, understand_recorded
from amont.enrolment.domain.subsidiary import Subsidiary

CROWD = 40
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
API = "/api/enrolment/v1/subsidiaries/fr"


def leavings(numbers: Iterable[int], tenant: str = "fr") -> list[Record]:
    return [record_of(left(f"p{number}", at=START, wrote=START, tenant=tenant)) for number in numbers]


async def gone(enrolment: Hearing) -> set[str]:
    """Whose leaving was told since the last time."""
    await enrolment.passes(SECOND)
    await enrolment.passes(SECOND)
    return {event.person for event in await enrolment.said() if isinstance(event, EmployeeLeft)}


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    """Forty people in each of two subsidiaries, who have been there for more than an hour: ten may leave within one."""
    async with hearing(build, tmp_path) as one:
        await one.given(fr())
        await one.given(de())
        await one.hears(
            *(recorded(f"p{number}") for number in range(CROWD)),
            *(recorded(f"p{number}", tenant="de", grade="AT") for number in range(CROWD)),
        )
        await one.passes(HOUR)
        await one.said()
        yield one


async def test_one_leaver_leaves_at_once(enrolment: Hearing) -> None:
    await enrolment.hears(*leavings([3]))
    assert [event.subject for event in await enrolment.said()] == ["fr:p3"]
    leaver = await enrolment.look(Employee, "fr:p3")
    assert leaver.left_at is not None
    assert leaver.due_at == leaver.left_at + 30 * DAY  # when they are let go of


async def test_more_than_the_share_are_held_and_nothing_else_stops(enrolment: Hearing) -> None:
    trips = REGISTRY.get_sample_value("amont_breaker_trips_total", {"tenant": "fr"}) or 0
    await enrolment.hears(*leavings(range(30)), recorded("p35", at=START, team="moved"), *leavings([1], "de"))
    said = await enrolment.said()
    assert [event.subject for event in said if isinstance(event, EmployeeChanged)] == ["fr:p35"]
    left_ones = {event.person for event in said if isinstance(event, EmployeeLeft)}
    assert len(left_ones - {"de:p1"}) == LEAST_LEAVERS
    assert "de:p1" in left_ones
    assert await gone(enrolment) == set()
    state = await enrolment.asked(commands.feed_state, "fr", COORDINATOR)
    assert (state.leavers, state.limit, state.people_with_held, state.settling) == (10, 10, 20, False)
    assert state.tripped_at is not None
    assert REGISTRY.get_sample_value("amont_breaker_trips_total", {"tenant": "fr"}) == trips + 1
    assert (await enrolment.asked(commands.feed_state, "de", GROUP)).tripped_at is None


async def test_an_open_breaker_stays_open_until_somebody_decides(enrolment: Hearing) -> None:
    await enrolment.hears(*leavings(range(11)))
    assert len(await gone(enrolment)) == 10
    open_for = REGISTRY.get_sample_value("amont_breaker_open_seconds_total", {"tenant": "fr"}) or 0
    for _ in range(5):
        await enrolment.passes(2 * HOUR)
    assert REGISTRY.get_sample_value("amont_breaker_open_seconds_total", {"tenant": "fr"}) == pytest.approx(open_for + 36_002, abs=5)
    await enrolment.hears(*leavings([20]))
    assert await gone(enrolment) == set()


async def test_released_leavers_leave_and_a_new_hour_begins(enrolment: Hearing) -> None:
    await enrolment.hears(*leavings(range(30)))
    first = await gone(enrolment)
    await enrolment.asked(commands.release_leavers, "fr", COORDINATOR, " the site was sold ")
    assert first | await gone(enrolment) == {f"fr:p{number}" for number in range(30)}
    state = await enrolment.asked(commands.feed_state, "fr", COORDINATOR)
    assert (state.leavers, state.people_with_held, state.tripped_at, state.settling) == (0, 0, None, False)
    (ruling,) = state.rulings
    assert (ruling.verb, ruling.by, ruling.why) == ("release", COORDINATOR.person, "the site was sold")
    await enrolment.hears(*leavings([31]))
    assert await gone(enrolment) == {"fr:p31"}


async def test_dropped_leavers_stay_also_when_their_record_comes_again(enrolment: Hearing) -> None:
    await enrolment.hears(*leavings(range(30)))
    first = await gone(enrolment)
    await enrolment.asked(commands.drop_leavers, "fr", COORDINATOR, "a truncated file")
    assert await gone(enrolment) == set()
    await enrolment.hears(*leavings(range(30)))
    assert await gone(enrolment) == set()
    stays = next(f"fr:p{number}" for number in range(30) if f"fr:p{number}" not in first)
    assert (await enrolment.look(Employee, stays)).status is EmployeeStatus.ACTIVE
    assert (await enrolment.asked(commands.feed_state, "fr", COORDINATOR)).people_with_held == 0
    corrected = record_of(left(stays.partition(":")[2], at=START + SECOND, wrote=START))
    await enrolment.hears(corrected)
    assert await gone(enrolment) == {stays}


async def test_a_dropped_leaving_that_a_later_file_says_again_is_heard_and_one_that_was_taken_changes_nothing(enrolment: Hearing) -> None:
    await enrolment.hears(*leavings(range(30)))
    first = sorted(await gone(enrolment))
    await enrolment.asked(commands.drop_leavers, "fr", COORDINATOR, "a truncated file")
    assert await gone(enrolment) == set()
    stays = next(f"p{number}" for number in range(30) if f"fr:p{number}" not in first)
    before = await enrolment.look(Employee, first[0])
    again = [left(one, at=START, wrote=START + DAY) for one in (stays, first[0].partition(":")[2])]
    await enrolment.hears(*map(record_of, again))
    assert await gone(enrolment) == {f"fr:{stays}"}
    after = await enrolment.look(Employee, first[0])
    assert (after.left_at, after.due_at, after.seq) == (before.left_at, before.due_at, before.seq)


async def test_who_came_within_the_hour_is_not_counted_so_that_a_first_load_with_its_history_goes_through(enrolment: Hearing) -> None:
    history = [
        record_of(fact)
        for number in range(100, 150)
        for fact in (recorded(f"p{number}"), left(f"p{number}", at=START - timedelta(days=2), wrote=START))
    ]
    await enrolment.hears(*history)
    assert len(await gone(enrolment)) == 50
    assert (await enrolment.asked(commands.feed_state, "fr", COORDINATOR)).leavers == 0


async def test_leavers_of_one_hour_are_forgotten_in_the_next(enrolment: Hearing) -> None:
    for first in (0, 10, 20):
        await enrolment.hears(*leavings(range(first, first + 10)))
        assert len(await gone(enrolment)) == 10
        await enrolment.passes(COUNTED)


async def test_leavings_that_lay_ahead_are_counted_when_their_day_comes(enrolment: Hearing) -> None:
    day = START + timedelta(days=3)
    await enrolment.hears(*(left(f"p{number}", at=day, wrote=START) for number in range(25)))
    assert await gone(enrolment) == set()
    await enrolment.passes(timedelta(days=3))
    assert len(await gone(enrolment)) == LEAST_LEAVERS
    assert (await enrolment.asked(commands.feed_state, "fr", COORDINATOR)).people_with_held == 15


async def test_a_redelivered_leaving_counts_once(enrolment: Hearing) -> None:
    for _ in range(3):
        await enrolment.hears(*leavings(range(5)))
    await gone(enrolment)
    assert (await enrolment.asked(commands.feed_state, "fr", COORDINATOR)).leavers == 5


async def test_a_person_whose_leaving_is_held_and_who_gets_a_newer_record_stays(enrolment: Hearing) -> None:
    await enrolment.hears(*leavings(range(11)))
    first = await gone(enrolment)
    (held,) = {f"fr:p{number}" for number in range(11)} - first
    await enrolment.hears(recorded(held.partition(":")[2], at=START + SECOND, team="back"))
    assert [event.subject for event in await enrolment.said()] == [held]
    assert (await enrolment.look(Employee, held)).held == ()
    await enrolment.asked(commands.release_leavers, "fr", COORDINATOR, "they have left")
    assert await gone(enrolment) == set()
    employee = await enrolment.look(Employee, held)
    assert (employee.status, employee.profile and employee.profile.team) == (EmployeeStatus.ACTIVE, "back")


async def test_an_older_record_finds_its_place_before_a_held_leaving(enrolment: Hearing) -> None:
    await enrolment.hears(*leavings(range(11)))
    first = await gone(enrolment)
    (held,) = {f"fr:p{number}" for number in range(11)} - first
    await enrolment.hears(recorded(held.partition(":")[2], at=START - HOUR, team="older"))
    assert (await enrolment.look(Employee, held)).held != ()
    await enrolment.asked(commands.release_leavers, "fr", COORDINATOR, "they have left")
    assert await gone(enrolment) == {held}


async def test_two_processes_together_let_no_more_go_than_the_limit(enrolment: Hearing) -> None:
    """Another process asks the breaker just before the first one writes, after everything that the first has read."""

    async def others(work: Work) -> None:
        for number in range(20, 28):
            employee = await work.get(Employee, f"fr:p{number}")
            entry = understand_left(left(f"p{number}", at=START, wrote=START), fr(), f"event {number}").entry
            work.save(employee.take(entry, work.now)[0])
            await ask_breaker(work, fr(), employee.id)

    Before.into(enrolment, "feeds", lambda: enrolment.asked(others))
    await enrolment.hears(*leavings(range(8)))
    assert len(await gone(enrolment)) == LEAST_LEAVERS
    state = await enrolment.asked(commands.feed_state, "fr", COORDINATOR)
    assert (state.leavers, state.people_with_held) == (LEAST_LEAVERS, 6)


async def test_a_paused_feed_is_held_in_order_and_taken_when_it_is_resumed(enrolment: Hearing) -> None:
    await enrolment.asked(commands.pause_feed, "fr", COORDINATOR, "migration tonight")
    await enrolment.hears(
        recorded("p1", at=START, team="second"),
        recorded("p1", at=START - HOUR, team="first"),
        recorded("p1", at=START + timedelta(days=2), team="later"),
        recorded("new", at=START),
        left("p2", at=START),
        recorded("p1", tenant="de", grade="AT", at=START, team="goes on"),
    )
    assert [event.subject for event in await enrolment.said()] == ["de:p1"]
    assert (await enrolment.asked(commands.feed_state, "fr", COORDINATOR)).people_with_held == 3
    await enrolment.passes(timedelta(days=1))
    await enrolment.asked(commands.resume_feed, "fr", COORDINATOR, "done")
    for _ in range(3):
        await enrolment.passes(SECOND)
    said = await enrolment.said()
    assert [event.team for event in said if isinstance(event, EmployeeChanged) and event.person == "fr:p1"] == ["first", "second"]
    assert {event.subject for event in said} == {"fr:p1", "fr:p2", "fr:new"}
    await enrolment.passes(timedelta(days=2))
    assert [event.team for event in await enrolment.said() if isinstance(event, EmployeeChanged)] == ["later"]
    assert await enrolment.parked() == []
    state = await enrolment.asked(commands.feed_state, "fr", COORDINATOR)
    assert [(one.verb, one.by, one.why) for one in state.rulings] == [
        ("pause", COORDINATOR.person, "migration tonight"),
        ("resume", COORDINATOR.person, "done"),
    ]
    assert (state.paused, state.people_with_held, state.settling) == (None, 0, False)


async def test_leavers_of_a_paused_feed_meet_the_breaker_when_it_is_resumed(enrolment: Hearing) -> None:
    await enrolment.asked(commands.pause_feed, "fr", COORDINATOR, "wait")
    await enrolment.hears(*leavings(range(30)))
    await enrolment.asked(commands.resume_feed, "fr", COORDINATOR, "go")
    for _ in range(4):
        await enrolment.passes(SECOND)
    assert len(await gone(enrolment)) == LEAST_LEAVERS
    assert (await enrolment.asked(commands.feed_state, "fr", COORDINATOR)).people_with_held == 20


async def test_a_record_that_was_held_while_the_feed_was_being_resumed_is_not_forgotten(enrolment: Hearing) -> None:
    await enrolment.asked(commands.pause_feed, "fr", COORDINATOR, "wait")

    async def resume() -> None:
        await enrolment.asked(commands.resume_feed, "fr", COORDINATOR, "go")

    Before.into(enrolment, "employees", resume)
    await enrolment.hears(recorded("p1", at=START, team="just then"))
    for _ in range(3):
        await enrolment.passes(SECOND)
    employee = await enrolment.look(Employee, "fr:p1")
    assert (employee.held, employee.profile and employee.profile.team) == ((), "just then")


async def test_more_than_can_be_held_of_one_person_is_a_dead_letter_that_says_what_to_do(enrolment: Hearing) -> None:
    await enrolment.asked(commands.pause_feed, "fr", COORDINATOR, "wait")
    await enrolment.hears(*(recorded("p1", at=START + minute * SECOND, team=f"{minute}") for minute in range(MOST_HELD + 1)))
    ((reason, detail),) = await enrolment.parked()
    assert reason == "too-many-held-records"
    assert "Resume" in detail


async def test_what_is_paused_twice_or_resumed_twice_is_as_it_was(enrolment: Hearing) -> None:
    once = await enrolment.asked(commands.pause_feed, "fr", COORDINATOR, "wait")
    assert await enrolment.asked(commands.pause_feed, "fr", GROUP, "wait more") == once
    await enrolment.asked(commands.resume_feed, "fr", COORDINATOR, "go")
    await enrolment.settle()
    resumed = await enrolment.asked(commands.resume_feed, "fr", COORDINATOR, "go")
    assert [one.verb for one in resumed.rulings] == ["pause", "resume"]


async def test_a_decision_needs_a_reason_a_coordinator_and_something_to_decide_about(enrolment: Hearing) -> None:
    with pytest.raises(NothingHeld):
        await enrolment.asked(commands.release_leavers, "fr", COORDINATOR, "why not")
    with pytest.raises(Invalid):
        await enrolment.asked(commands.pause_feed, "fr", COORDINATOR, " ")
    with pytest.raises(NotFound):
        await enrolment.asked(commands.pause_feed, "fr", ELSEWHERE, "wait")
    with pytest.raises(NotAllowed):
        await enrolment.asked(commands.drop_leavers, "fr", oneself(LEA), "no")


async def test_held_leavers_are_seen_released_and_accounted_for_over_http(enrolment: Hearing) -> None:
    await enrolment.hears(*leavings(range(12)))
    async with enrolment.client("fr:coord", Privilege.COORDINATOR) as client:
        feed = (await client.get(f"{API}/feed")).json()
        assert (feed["breaker"]["leavers"], feed["people_with_held_records"]) == (10, 2)
        page = (await client.get(f"{API}/held", params={"limit": 1})).json()
        assert [(one["what"], one["waits_for"]) for one in page["items"][0]["records"]] == [("left", "leavers")]
        assert page["next"]
        refused = await client.post(f"{API}/held/release", json={"why": ""})
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (422, "invalid")
        answer = await client.post(f"{API}/held/release", json={"why": "the site was sold"})
        assert (answer.status_code, answer.json()["settling"]) == (200, True)
        again = await client.post(f"{API}/held/drop", json={"why": "once more"})
        assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "nothing-held")
        await enrolment.settle()
        await enrolment.passes(SECOND)
        assert (await client.get(f"{API}/held")).json()["items"] == []
        paused = (await client.post(f"{API}/pause", json={"why": "migration"})).json()
        assert paused["paused"]["by"] == "fr:coord"
        resumed = (await client.post(f"{API}/resume", json={"why": "done"})).json()
        assert [one["verb"] for one in resumed["decisions"]] == ["release", "pause", "resume"]


async def test_a_subsidiary_sets_its_own_share(enrolment: Hearing) -> None:
    await enrolment.given(replace(await enrolment.look(Subsidiary, "fr"), leaver_share=0.0))
    await enrolment.hears(*leavings([1]))
    assert await gone(enrolment) == set()
    await enrolment.given(replace(await enrolment.look(Subsidiary, "fr"), leaver_share=1.0))
    await enrolment.asked(commands.release_leavers, "fr", COORDINATOR, "all may go")
    await enrolment.hears(*leavings(range(30)))
    assert len(await gone(enrolment)) == 30


async def test_a_held_leaving_leaves_the_enrolments_alone(tmp_path: Path) -> None:
    async with hearing(build, tmp_path) as one:
        await settled(one)
        await one.given(replace(fr(), leaver_share=0.0))
        await one.passes(HOUR)
        await one.hears(left("bob", at=START, wrote=START))
        assert await gone(one) == set()


asking = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2_400)), max_size=80)


@given(asking, st.integers(0, 600), st.floats(0.001, 0.999))
def test_within_any_hour_no_more_go_than_the_limit(asked: list[tuple[int, int]], people: int, share: float) -> None:
    now, feed = START, Feed(id="fr", people=people, counted_at=START)
    let_go: dict[str, float] = {}
    for number, seconds in asked:
        now += timedelta(seconds=seconds)
        before = feed
        feed = feed.ask(f"fr:{number}", share, now).state
        if feed.leavers != before.leavers and any(f"fr:{number}" in minute.people for minute in feed.leavers):
            let_go[f"fr:{number}"] = now.timestamp()
        within = [at for at in let_go.values() if now.timestamp() - at < HOUR.total_seconds()]
        assert len(within) <= feed.limit(share)
        assert feed.gone(now) <= feed.limit(share)


async def test_what_is_held_and_what_lies_ahead_are_together_no_more_than_is_kept_of_one_person(enrolment: Hearing) -> None:
    await enrolment.asked(commands.pause_feed, "fr", COORDINATOR, "a migration")
    await enrolment.hears(*(recorded("p1", at=START + (10 + day) * DAY, team=f"held {day}") for day in range(MOST_HELD)))
    held = await enrolment.look(Employee, "fr:p1")
    for day in range(MOST_AHEAD - MOST_HELD):
        decision, outcome = held.take(understand_recorded(recorded("p1", at=START + (40 + day) * DAY), fr(), f"{day}").entry, START)
        held = decision.state
        assert outcome is Outcome.DEFERRED
    with pytest.raises(TooFarAhead):
        held.take(understand_recorded(recorded("p1", at=START + 80 * DAY), fr(), "one more").entry, START)
    await enrolment.given(held)
    await enrolment.asked(commands.resume_feed, "fr", COORDINATOR, "it is done")
    await enrolment.passes(SECOND)
    after = await enrolment.look(Employee, "fr:p1")
    assert (len(after.held), len(after.future)) == (0, MOST_AHEAD)
