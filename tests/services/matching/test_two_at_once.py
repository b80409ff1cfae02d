"""Two matching processes on one store, and one that dies between two steps: nobody is booked twice and nothing stays half made."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from tests.services.matching.matching_facts import (
    COORDINATOR,
    ERIC,
    EVE,
    JIM,
    JULE,
    PROGRAMME,
    SECOND,
    Before,
    Office,
    accept,
    actor,
    finish,
    pairs,
    publish,
    solve,
)
from tests.services.matching.test_rulings import two_and_two

from amont.common.events import PairEnded
from amont.common.events.values import EndReason, PairStatus
from amont.common.testing.hearing import Hearing, hearing
from amont.common.work import Work
from amont.matching import commands
from amont.matching.app import build
from amont.matching.commands.looking import ruling_id
from amont.matching.commands.rulings import wake_ruling
from amont.matching.domain.job import LEASE
from amont.matching.domain.pair import RuleStandsInTheWay
from amont.matching.domain.programme import REPLACEMENT_WAIT, Programme
from amont.matching.domain.ruling import Ruling, RulingKind

MENTEES = [f"fr:e{number}" for number in range(5)]
MENTORS = [f"de:j{number}" for number in range(15)]
PLACES = {**dict.fromkeys(MENTEES, 1), **dict.fromkeys(MENTORS, 1), MENTORS[0]: 2}


async def _published(matching: Hearing, office: Office) -> None:
    await matching.hears(
        office.programme(),
        *(event for person in MENTEES for event in office.mentee(person)),
        *(event for person in MENTORS for event in office.mentor(person, capacity=PLACES[person])),
    )
    await publish(matching)


async def _decline_some(matching: Hearing, count: int) -> None:
    for pair in (await pairs(matching, live=True))[:count]:
        await matching.asked(commands.decline_pair, pair.id, actor(pair.mentee))
    await matching.settle()


async def _nobody_is_booked_twice(matching: Hearing) -> None:
    booked = Counter(person for pair in await pairs(matching, live=True) for person in (pair.mentee, pair.mentor))
    assert all(count <= PLACES[person] for person, count in booked.items())
    couples = Counter((pair.mentee, pair.mentor) for pair in await pairs(matching))
    assert set(couples.values()) == {1}, "nobody is proposed to the same person again"


async def test_two_processes_that_replace_at_the_same_moment_book_nobody_twice(tmp_path: Path, office: Office) -> None:
    async with hearing(build, tmp_path) as one, hearing(build, tmp_path) as other:
        await _published(one, office)
        for _ in range(3):
            await _decline_some(one, 3)
            other.clock.advance(one.clock.now() - other.clock.now())
            for time in (REPLACEMENT_WAIT, *[SECOND] * 5) * 3:
                await asyncio.gather(one.passes(time), other.passes(time))
                await _nobody_is_booked_twice(one)
            await finish(one)
            await _nobody_is_booked_twice(other)
            assert len(await pairs(other, live=True)) == len(MENTEES)


@pytest.mark.parametrize("steps", range(8))
async def test_a_process_that_dies_between_two_steps_leaves_nothing_half_made(tmp_path: Path, office: Office, steps: int) -> None:
    async with hearing(build, tmp_path) as dying:
        await _published(dying, office)
        await _decline_some(dying, 2)
        dying.clock.advance(REPLACEMENT_WAIT)
        for _ in range(steps):
            await dying.service.step()
            dying.clock.advance(SECOND)
        async with hearing(build, tmp_path) as heir:
            heir.clock.advance(dying.clock.now() - heir.clock.now() + LEASE)
            for time in (SECOND, SECOND, REPLACEMENT_WAIT, SECOND, SECOND, LEASE) * 2:
                await heir.passes(time)
                await finish(heir)
            await _nobody_is_booked_twice(heir)
            assert len(await pairs(heir, live=True)) == len(MENTEES)
            programme = await heir.look(Programme, PROGRAMME)
            assert (programme.publishing, programme.replace_at) == (None, None)


async def _forbid(matching: Hearing) -> Ruling:
    ruling, _ = await matching.asked(commands.rule, PROGRAMME, COORDINATOR, RulingKind.FORBIDDEN, EVE, JIM)
    return ruling


async def _the_two_are_parted(matching: Hearing) -> None:
    assert [(pair.mentee, pair.mentor) for pair in await pairs(matching, live=True)] == [(ERIC, JULE)]
    [ended] = [pair for pair in await pairs(matching) if not pair.live]
    assert (ended.mentee, ended.mentor, ended.ended) == (EVE, JIM, EndReason.RULE_BROKEN)
    assert [(event.pair, event.reason) for event in await matching.said() if isinstance(event, PairEnded)] == [(ended.id, ended.ended)]


async def test_two_who_are_forbidden_between_the_rulings_read_and_the_pair_written_are_parted(tmp_path: Path, office: Office) -> None:
    """The ruling's own look comes before the pair is there: it is the publication's last look that finds it."""
    async with hearing(build, tmp_path) as one, hearing(build, tmp_path) as other:
        await two_and_two(one, office)
        round_ = await solve(one)

        async def look(work: Work) -> None:
            await wake_ruling(await work.get(Ruling, ruling_id(PROGRAMME, EVE, JIM)), work)

        async def forbid() -> None:
            await _forbid(other)
            await other.asked(look)

        Before.into(one, "pairs", forbid)
        assert [pair.mentor for pair in await publish(one, round_)] == [JULE, JIM], "it was written"
        ruling = await one.look(Ruling, ruling_id(PROGRAMME, EVE, JIM))
        assert ruling.due_at == ruling.decided_until
        await _the_two_are_parted(one)


async def test_two_who_are_proposed_between_the_pairs_read_and_the_ruling_written_are_parted(tmp_path: Path, office: Office) -> None:
    """The publication has come to its end before the ruling is there: it is the ruling's own look that finds the pair, and until then nobody can accept."""
    async with hearing(build, tmp_path) as one, hearing(build, tmp_path) as other:
        await two_and_two(one, office)
        round_ = await solve(one)
        Before.into(other, "rulings", lambda: publish(one, round_))
        await _forbid(other)
        [pair] = [pair for pair in await pairs(one, live=True) if pair.mentee == EVE]
        with pytest.raises(RuleStandsInTheWay):
            await one.asked(commands.accept_pair, pair.id, actor(EVE))
        await one.settle()
        await _the_two_are_parted(one)
        await one.passes(SECOND)
        ruling = await one.look(Ruling, ruling_id(PROGRAMME, EVE, JIM))
        assert ruling.due_at == ruling.decided_until


async def test_a_pair_that_is_confirmed_between_the_pairs_read_and_the_ruling_written_stays(tmp_path: Path, office: Office) -> None:
    async with hearing(build, tmp_path) as one, hearing(build, tmp_path) as other:
        await two_and_two(one, office)
        round_ = await solve(one)

        async def confirm() -> None:
            [pair] = [pair for pair in await publish(one, round_) if pair.mentee == EVE]
            await accept(one, pair, EVE, JIM)

        Before.into(other, "rulings", confirm)
        ruling = await _forbid(other)
        await one.passes(SECOND)
        [pair] = [pair for pair in await pairs(one) if pair.mentee == EVE]
        assert pair.status is PairStatus.CONFIRMED
        assert (await one.look(Ruling, ruling.id)).kind is RulingKind.FORBIDDEN
