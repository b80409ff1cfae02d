"""Living pairs: every fact about the two, their enrolments, their policy or the lines above them is held against the hard rules at once."""

import contextlib
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from tests.services.matching.matching_facts import (
    DAY,
    ERIC,
    EVE,
    JIM,
    JULE,
    SECOND,
    Breaks,
    Office,
    a_confirmed_pair,
    a_proposal,
    accept,
    kinds,
    pairs,
    publish,
)

from amont.common.errors import Unavailable
from amont.common.events import PairEnded, PairResumed, PairSuspended
from amont.common.events.envelope import Event
from amont.common.events.values import EmployeeStatus, EndReason, EnrolmentStatus, PairStatus, Role, SuspendReason
from amont.common.testing.hearing import Hearing, hearing, record_of
from amont.matching.app import build
from amont.matching.commands import clock
from amont.matching.domain.pair import Pair
from amont.matching.domain.person import Person


async def test_a_leaver_frees_the_partner(matching: Hearing, office: Office) -> None:
    await a_confirmed_pair(matching, office)
    gone = office.left(JIM)
    await matching.hears(gone, gone)
    [ended] = await matching.said()
    assert isinstance(ended, PairEnded)
    assert ended.reason is EndReason.LEFT
    await matching.passes(SECOND)
    assert (await matching.look(Person, JIM)).due_at is None


async def test_who_withdraws_ends_their_pair(matching: Hearing, office: Office) -> None:
    await a_confirmed_pair(matching, office)
    await matching.hears(office.withdrawn(EVE, Role.MENTEE))
    [ended] = await matching.said()
    assert isinstance(ended, PairEnded)
    assert ended.reason is EndReason.WITHDRAWN


async def test_leave_suspends_a_confirmed_pair_until_the_return(matching: Hearing, office: Office) -> None:
    await a_confirmed_pair(matching, office)
    await matching.hears(office.on_leave(JIM, Role.MENTOR))
    [rests] = await matching.said()
    assert isinstance(rests, PairSuspended)
    assert (rests.reason, rests.status) == (SuspendReason.ON_LEAVE, PairStatus.SUSPENDED)
    await matching.passes(timedelta(days=200))
    assert await matching.said() == []
    await matching.hears(office.back(JIM, Role.MENTOR))
    [awake] = await matching.said()
    assert isinstance(awake, PairResumed)
    assert awake.status is PairStatus.CONFIRMED


async def test_leave_told_by_two_topics_suspends_once_and_ends_when_both_say_so(matching: Hearing, office: Office) -> None:
    await a_confirmed_pair(matching, office)
    await matching.hears(office.employee(JIM, status=EmployeeStatus.ON_LEAVE))
    await matching.hears(office.on_leave(JIM, Role.MENTOR))
    assert kinds(await matching.said()) == ["PairSuspended"]
    await matching.hears(office.back(JIM, Role.MENTOR))
    assert await matching.said() == []
    await matching.hears(office.employee(JIM, status=EmployeeStatus.ACTIVE))
    assert kinds(await matching.said()) == ["PairResumed"]


async def test_leave_ends_what_is_only_proposed(matching: Hearing, office: Office) -> None:
    await a_proposal(matching, office)
    await matching.hears(office.on_leave(JIM, Role.MENTOR))
    [ended] = await matching.said()
    assert isinstance(ended, PairEnded)
    assert ended.reason is EndReason.NO_FAULT


MOVES = [
    ({"band": 11}, SuspendReason.RULE_BROKEN),
    ({"managers": (EVE,)}, SuspendReason.LINE_CONFLICT),
    ({"managers": (EVE,), "band": 12}, SuspendReason.LINE_CONFLICT),
    ({"zone": "Asia/Tokyo"}, SuspendReason.RULE_BROKEN),
]


@pytest.mark.parametrize(("move", "reason"), MOVES)
async def test_a_staff_move_against_a_rule_suspends_the_pair_and_the_way_back_resumes_it(
    matching: Hearing, office: Office, move: dict[str, object], reason: SuspendReason
) -> None:
    pair = await a_confirmed_pair(matching, office)
    before = office.employee(JIM)
    await matching.hears(before, office.employee(JIM, **move))
    [rests] = await matching.said()
    assert isinstance(rests, PairSuspended)
    assert rests.reason is reason
    assert (await matching.look(Pair, pair.id)).rests_until == matching.clock.now() + 7 * DAY
    await matching.passes(3 * DAY)
    await matching.hears(office.employee(JIM, **{name: getattr(before, name) for name in move}))
    assert kinds(await matching.said()) == ["PairResumed"]
    await matching.passes(30 * DAY)
    assert await matching.said() == []


@pytest.mark.parametrize(("move", "reason"), MOVES)
async def test_a_proposal_against_a_rule_ends_at_once(
    matching: Hearing, office: Office, move: dict[str, object], reason: SuspendReason
) -> None:
    await a_proposal(matching, office)
    await matching.hears(office.employee(JIM, **move))
    [ended] = await matching.said()
    assert isinstance(ended, PairEnded)
    assert ended.reason == reason.value


async def test_a_broken_rule_ends_the_pair_after_its_days_of_rest(matching: Hearing, office: Office) -> None:
    await a_confirmed_pair(matching, office, suspension_days=10)
    await matching.hears(office.employee(JIM, managers=(EVE,)))
    await matching.passes(10 * DAY - SECOND)
    assert kinds(await matching.said()) == ["PairSuspended"]
    await matching.passes(SECOND)
    [ended] = await matching.said()
    assert isinstance(ended, PairEnded)
    assert ended.reason is EndReason.LINE_CONFLICT


async def test_another_broken_rule_changes_the_reason_but_not_the_deadline(matching: Hearing, office: Office) -> None:
    pair = await a_confirmed_pair(matching, office)
    await matching.hears(office.employee(JIM, band=12))
    await matching.passes(5 * DAY)
    await matching.hears(office.employee(JIM, managers=(EVE,)))
    assert [(event.reason) for event in await matching.said() if isinstance(event, PairSuspended)] == [
        SuspendReason.RULE_BROKEN,
        SuspendReason.LINE_CONFLICT,
    ]
    assert (await matching.look(Pair, pair.id)).rests_until == matching.clock.now() + 2 * DAY


async def test_a_broken_rule_during_leave_counts_days_from_then(matching: Hearing, office: Office) -> None:
    await a_confirmed_pair(matching, office)
    await matching.hears(office.on_leave(JIM, Role.MENTOR))
    await matching.passes(50 * DAY)
    await matching.hears(office.employee(JIM, band=12))
    await matching.passes(6 * DAY)
    assert kinds(await matching.said()) == ["PairSuspended", "PairSuspended"]
    await matching.passes(DAY)
    assert kinds(await matching.said()) == ["PairEnded"]


async def test_hours_and_languages_are_looked_at_too(matching: Hearing, office: Office) -> None:
    await a_confirmed_pair(matching, office)
    await matching.hears(office.edited(EVE, Role.MENTEE, availability=("fri 08:00-12:00",)))
    assert kinds(await matching.said()) == ["PairSuspended"]
    await matching.hears(office.edited(EVE, Role.MENTEE, availability=("mon 08:00-10:00",)))
    assert kinds(await matching.said()) == ["PairResumed"]
    await matching.hears(office.edited(EVE, Role.MENTEE, languages=("fr",)))
    assert kinds(await matching.said()) == ["PairSuspended"]
    await matching.hears(office.edited(EVE, Role.MENTEE, languages=("en-GB",)))
    assert kinds(await matching.said()) == ["PairResumed"]


async def test_what_no_rule_looks_at_wakes_nobody(matching: Hearing, office: Office) -> None:
    await a_confirmed_pair(matching, office)
    await matching.hears(office.employee(JIM, function="law", site="BER"), office.edited(EVE, Role.MENTEE, topics={"data": 1}))
    assert await matching.said() == []


async def test_a_rule_that_is_switched_off_stays_off(matching: Hearing, office: Office) -> None:
    await a_confirmed_pair(matching, office, off=("outside_the_line", "mentor_is_junior", "not-a-rule"))
    await matching.hears(office.employee(JIM, managers=(EVE,), band=15))
    assert await matching.said() == []


async def test_a_move_far_above_puts_the_pair_in_line(matching: Hearing, office: Office) -> None:
    """Nobody of the pair moves, and who moves is in no programme: jim > lead > head, and head comes under eve's report."""
    await matching.hears(
        office.programme(),
        *office.mentee(EVE),
        *office.mentor(JIM),
        office.employee(JIM, managers=("de:lead",)),
        office.employee("de:lead", managers=("de:head",)),
        office.employee("de:head"),
        office.employee("fr:report", managers=(EVE,)),
    )
    [pair] = await publish(matching)
    await accept(matching, pair, EVE, JIM)
    await matching.said()
    await matching.hears(office.employee("de:head", managers=("de:other", "fr:report")))
    [rests] = await matching.said()
    assert isinstance(rests, PairSuspended)
    assert rests.reason is SuspendReason.LINE_CONFLICT
    await matching.hears(office.employee("de:head", managers=("de:other",)))
    assert kinds(await matching.said()) == ["PairResumed"]


async def test_a_line_built_step_by_step_in_any_order_is_found(tmp_path: Path) -> None:
    """jim > a > b > eve, each link told alone, in every order; a and b were never heard of before."""
    for number, order in enumerate(permutations([(JIM, "de:a"), ("de:a", "de:b"), ("de:b", EVE)])):
        office = Office()
        async with hearing(build, tmp_path / str(number)) as matching:
            await a_confirmed_pair(matching, office)
            for person, manager in order[:-1]:
                await matching.hears(office.employee(person, managers=(manager,)))
            assert await matching.said() == []
            person, manager = order[-1]
            await matching.hears(office.employee(person, managers=(manager,)))
            assert kinds(await matching.said()) == ["PairSuspended"], order


async def test_a_whole_line_told_in_one_batch_is_found(matching: Hearing, office: Office) -> None:
    await a_confirmed_pair(matching, office)
    links = [("de:b", EVE), (JIM, "de:a"), ("de:a", "de:b")]
    await matching.hears(*(office.employee(person, managers=(manager,)) for person, manager in links))
    await matching.passes(SECOND)
    assert kinds(await matching.said()) == ["PairSuspended"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fact", ["person", "enrolment", "policy"])
async def test_a_look_that_breaks_in_the_middle_is_repeated_until_everything_is_written(
    matching: Hearing, office: Office, seed: int, fact: str
) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentee(ERIC), *office.mentor(JIM, capacity=2))
    for pair in await publish(matching):
        await accept(matching, pair, pair.mentee, JIM)
    facts: dict[str, Event] = {
        "person": office.employee(JIM, managers=("de:head",), band=12),
        "enrolment": office.edited(JIM, Role.MENTOR, languages=("de",)),
        "policy": office.programme(min_common_hours=9),
    }
    await matching.log.append([record_of(facts[fact])])
    for reader in matching.service._readers:
        await reader.drain()
    breaking = Breaks.into(matching, seed)
    for _ in range(20):
        with contextlib.suppress(Unavailable):
            await matching.passes(SECOND)
    assert breaking.left < 6, "nothing broke"
    assert [pair.suspended for pair in await pairs(matching)] == [SuspendReason.RULE_BROKEN] * 2


async def test_facts_of_different_topics_converge_whatever_their_order(tmp_path: Path) -> None:
    ends = set()
    for number in range(6):
        office = Office()
        async with hearing(build, tmp_path / str(number)) as matching:
            await a_confirmed_pair(matching, office)
            facts: list[Event] = [
                office.programme(min_common_hours=5),
                office.employee(JIM, team="team-x"),
                office.edited(EVE, Role.MENTEE, availability=("mon 06:00-13:00",)),
            ]
            for fact in list(permutations(facts))[number]:
                await matching.hears(fact)
            await matching.passes(SECOND)
            [pair] = await pairs(matching)
            ends.add((pair.status, pair.suspended, pair.rests_until))
    assert len(ends) == 1
    assert next(iter(ends))[1] is SuspendReason.RULE_BROKEN


async def test_a_changed_policy_is_held_against_every_live_pair(matching: Hearing, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "PAGE", 2)
    await matching.hears(office.programme(), *(e for n in range(5) for e in (*office.mentee(f"fr:e{n}"), *office.mentor(f"de:j{n}"))))
    for pair in await publish(matching):
        await accept(matching, pair, pair.mentee, pair.mentor)
    await matching.said()
    await matching.hears(office.programme(min_common_hours=5))
    for _ in range(10):
        await matching.passes(SECOND)
    assert kinds(await matching.said()) == ["PairSuspended"] * 5
    await matching.hears(office.programme(min_common_hours=4))
    for _ in range(10):
        await matching.passes(SECOND)
    assert kinds(await matching.said()) == ["PairResumed"] * 5


async def test_somebody_who_left_and_came_back_has_no_pair_and_may_have_one(matching: Hearing, office: Office) -> None:
    await a_confirmed_pair(matching, office)
    await matching.hears(office.left(JIM), office.withdrawn(JIM, Role.MENTOR, EnrolmentStatus.ENDED))
    assert [event.reason for event in await matching.said() if isinstance(event, PairEnded)] == [EndReason.LEFT]
    await matching.hears(office.employee(JIM), office.enrolled(JIM, Role.MENTOR), *office.mentee(ERIC))
    assert [(pair.mentee, pair.mentor) for pair in await publish(matching)] == [(ERIC, JIM)]


async def test_a_person_in_both_roles_is_looked_at_in_both(matching: Hearing, office: Office) -> None:
    """Jule mentors Eve and is mentored by Jim; she leaves."""
    await matching.hears(
        office.programme(across="none"),
        *office.mentee(EVE),
        office.employee(JULE, band=9),
        office.enrolled(JULE, Role.MENTOR),
        office.enrolled(JULE, Role.MENTEE),
        *office.mentor(JIM, topics={"data": 1}),
    )
    assert len(await publish(matching)) == 2
    await matching.said()
    await matching.hears(office.left(JULE))
    assert kinds(await matching.said()) == ["PairEnded", "PairEnded"]


async def _reads_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> int:
    """How often the store is read when so many mentors, each in a pair, are given another manager at once, or go on leave."""
    async with hearing(build, tmp_path / str(count)) as matching:
        office, numbers = Office(), range(count)
        people = [one for k in numbers for one in (*office.mentee(f"fr:e{k}"), *office.mentor(f"de:j{k}"))]
        await matching.hears(office.programme(), *people)
        couples = [(pair.mentor, pair.mentee) for pair in await publish(matching)]
        await matching.said()
        reads = 0
        for name in ("get", "find"):
            read = getattr(matching.service.unit.house.store, name)

            async def counted(*args: Any, read: Callable[..., Any] = read) -> Any:
                nonlocal reads
                reads += 1
                return await read(*args)

            monkeypatch.setattr(matching.service.unit.house.store, name, counted)
        await matching.hears(
            *(office.employee(mentor, managers=(mentee,)) for mentor, mentee in couples[1::2]),
            *(office.on_leave(mentor, Role.MENTOR) for mentor, _ in couples[::2]),
        )
        assert Counter(kinds(await matching.said())) == {"PairEnded": count}
        return reads


async def test_many_pairs_are_looked_at_in_no_more_reads_than_a_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await _reads_for(tmp_path, monkeypatch, 24) <= await _reads_for(tmp_path, monkeypatch, 3)
