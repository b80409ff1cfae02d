"""A process that begins or ends beside another one of its service says nothing of what that one is about to say.

In virtual time, over the memory adapters.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import pytest
from structlog.testing import capture_logs
from tests.libs.common.shell import COLLECTIONS, NOTES, TALLIES, Tally, hear, told

from amont.common.aggregate import Decision
from amont.common.clock import FixedClock
from amont.common.documents import Clear, Write
from amont.common.errors import Unavailable
from amont.common.events import ProgrammeChanged, RoundPublished, SubsidiaryChanged
from amont.common.ids import SeededIds
from amont.common.log import Record
from amont.common.service import Parts, Service
from amont.common.service.unit import Unit
from amont.common.testing.hearing import START, record_of
from amont.common.testing.memory import Broker, Database, MemoryLog, MemoryStore
from amont.common.testing.simulation.loop import VirtualLoop
from amont.common.work import House, Work

DOCUMENTS = 50


class SlowLog(MemoryLog):
    """Takes its time for each call, or fails."""

    seconds = 0.0
    away = False

    async def append(self, records: Sequence[Record]) -> None:
        await asyncio.sleep(self.seconds)
        if self.away:
            raise Unavailable("no answer")
        await super().append(records)


class SlowStore(MemoryStore):
    """Takes its time for the clearing of outboxes."""

    async def commit(self, writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        if all(isinstance(one, Clear) for one in writes):
            await asyncio.sleep(1.0)
        return await super().commit(writes)


class Deployment:
    """A process that stays, and one that comes and goes."""

    def __init__(self) -> None:
        broker, database, clock = Broker(partitions=1), Database(), FixedClock(START)
        self.database, self.broker = database, broker
        self.log = SlowLog(broker, client_id="stays")
        self.stays = Unit(House("matching", SlowStore(database), clock, SeededIds(clock, "a"), COLLECTIONS), self.log)
        self.other_log = SlowLog(broker, client_id="goes")
        parts = Parts(store=MemoryStore(database), log=self.other_log, clock=clock, ids=SeededIds(clock, "b"))
        self.goes = Service("matching", parts, consumes={SubsidiaryChanged: hear}, publishes=(), keeps=[TALLIES, NOTES])

    def said(self, topic: str) -> list[str]:
        return [record.key.decode() for record in self.broker.everything(topic)]

    def load(self, command: Callable[[Work, str], Awaitable[None]]) -> "asyncio.Task[list[None]]":
        """Work for the process that stays, for some seconds."""
        self.log.seconds = 1.0

        async def work(number: int) -> None:
            await asyncio.sleep(number / 10)
            await self.stays.run(command, f"d{number:02d}")

        return asyncio.ensure_future(asyncio.gather(*(work(number) for number in range(DOCUMENTS))))


async def publish_programme(work: Work, id_: str) -> None:
    tally = await work.get_or_new(Tally, id_)
    work.save(tally.hear("x").becomes().saying(ProgrammeChanged))


async def publish_round(work: Work, id_: str) -> None:
    new = Tally(id=id_, seq=1)
    said = {"programme": id_, "kind": "full", "published_by": "fr:ada", "published_at": work.now, "pairs": 1, "unmatched": 0}
    work.save(Decision(new, (RoundPublished(seq=1, round=id_, override_reason=None, **said),)))


COMMANDS = [(publish_programme, "enrolment-programmes"), (publish_round, "matching-rounds")]


def play(scene: Callable[[Deployment], Awaitable[None]], seed: int) -> None:
    loop = VirtualLoop(random.Random(seed))
    try:
        with capture_logs():
            loop.run_until_complete(scene(Deployment()))
    finally:
        loop.close()
    assert loop.complaints == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("command", "topic"), COMMANDS)
def test_a_process_that_is_restarted_repeats_nothing_of_one_at_work_beside_it(
    command: Callable[[Work, str], Awaitable[None]], topic: str, seed: int
) -> None:
    async def scene(two: Deployment) -> None:
        await two.goes.start()
        working = two.load(command)
        for _ in range(3):
            await asyncio.sleep(1.1)
            assert any("_out" in one for one in two.database.collections["tallies"].values()), "or this shows nothing"
            await two.goes.stop()
            await two.goes.start()
        await working
        await two.goes.stop()
        assert sorted(two.said(topic)) == [f"d{number:02d}" for number in range(DOCUMENTS)]

    play(scene, seed)


@pytest.mark.parametrize(("command", "topic"), COMMANDS)
def test_what_it_left_behind_itself_it_says_before_it_ends(command: Callable[[Work, str], Awaitable[None]], topic: str) -> None:
    async def scene(two: Deployment) -> None:
        await two.goes.start()
        two.other_log.away = True
        await two.goes.run(command, "d00")
        assert two.said(topic) == []
        two.other_log.away = False
        await two.goes.stop()
        assert two.said(topic) == ["d00"]

    play(scene, 0)


def test_what_the_log_is_taking_when_a_drain_ends_is_seen_through_noted_and_not_said_again() -> None:
    async def scene(two: Deployment) -> None:
        two.goes._drain_seconds = 1.0
        await two.goes.start()
        two.other_log.seconds = 5.0
        await two.log.append([record_of(told("a", 1))])
        await asyncio.sleep(2.0)
        assert two.goes.unit.relay._under_way, "or this shows nothing"
        await two.goes.stop()
        assert two.said("enrolment-programmes") == ["a"]
        assert "_out" not in two.database.collections["tallies"]["a"]

    play(scene, 0)
