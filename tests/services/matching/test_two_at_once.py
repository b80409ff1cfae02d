"""Two matching processes on one store, and one that dies between two steps: nobody is booked twice and nothing stays half made."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from tests.services.matching.matching_facts import PROGRAMME, SECOND, Office, actor, finish, pairs, publish

from amont.common.testing.hearing import Hearing, hearing
from amont.matching import commands
from amont.matching.app import build
from amont.matching.domain.job import LEASE
from amont.matching.domain.programme import REPLACEMENT_WAIT, Programme

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
