"""Two works of one process meet in one document, or a work meets the sweep: what one of them is saying, or has said, the other one does not say again.

In virtual time, over the memory adapters. What two processes do to each other is in `test_newest_comes_last.py`.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from tests.libs.common.shell import COLLECTIONS, Tally

from amont.common.clock import FixedClock
from amont.common.documents import Clear, Document, Put, Write
from amont.common.errors import Unavailable
from amont.common.events import ProgrammeChanged
from amont.common.ids import SeededIds
from amont.common.log import Record
from amont.common.service.holding import SETTLED_SECONDS
from amont.common.service.saying import WAIT_SECONDS
from amont.common.service.unit import Unit
from amont.common.testing.hearing import START
from amont.common.testing.memory import Broker, Database, MemoryLog, MemoryStore
from amont.common.testing.simulation.loop import VirtualLoop
from amont.common.work import House, Work

Wait = Callable[[], Awaitable[None]]


class SlowLog(MemoryLog):
    """Each call does first what the test says, if it says anything."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker, client_id="a")
        self.before: list[Wait] = []

    async def append(self, records: Sequence[Record]) -> None:
        if self.before:
            await self.before.pop(0)()
        await super().append(records)


class SlowStore(MemoryStore):
    """Each write of a document, or each clearing of an outbox, does first what the test says."""

    before_put: list[Wait]
    before_clear: list[Wait]
    after_put: list[Wait]

    async def commit(self, writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        puts = any(isinstance(one, Put) for one in writes)
        if puts and self.before_put:
            await self.before_put.pop(0)()
        if not puts and self.before_clear and any(isinstance(one, Clear) for one in writes):
            await self.before_clear.pop(0)()
        lost = await super().commit(writes)
        if puts and self.after_put:
            await self.after_put.pop(0)()
        return lost


class OneProcess:
    """Of a service, on a store and a log."""

    def __init__(self) -> None:
        self.broker, self.database, self.clock = Broker(partitions=1), Database(), FixedClock(START)
        self.log, self.store = SlowLog(self.broker), SlowStore(self.database)
        self.store.before_put, self.store.before_clear, self.store.after_put = [], [], []
        self.unit = Unit(House("matching", self.store, self.clock, SeededIds(self.clock, "a"), COLLECTIONS), self.log)

    @property
    def said(self) -> list[int]:
        return [int(dict(record.headers)["ce_seq"] or b"0") for record in self.broker.everything("enrolment-programmes")]

    @property
    def document(self) -> Document:
        return self.database.collections["tallies"]["a"]

    @property
    def is_clean(self) -> bool:
        return "_out" not in self.document and "_out_at" not in self.document

    async def passes(self, seconds: float) -> None:
        """Time, in which it sweeps."""
        for _ in range(int(seconds / 5)):
            self.clock.advance(timedelta(seconds=5))
            await asyncio.sleep(5.0)
            with contextlib.suppress(Unavailable):
                await self.unit.relay.sweep()


async def add(work: Work) -> None:
    tally = await work.get_or_new(Tally, "a")
    work.save(tally.hear("x").becomes().saying(ProgrammeChanged))


Scene = Callable[[OneProcess], Awaitable[None]]


@pytest.fixture(params=range(10))
def play(request: pytest.FixtureRequest) -> Callable[[Scene], None]:
    """Play a scene in an order that a seed decides."""

    def played(scene: Scene) -> None:
        loop = VirtualLoop(random.Random(request.param))
        try:
            with capture_logs():
                loop.run_until_complete(scene(OneProcess()))
        finally:
            loop.close()
        assert loop.complaints == []

    return played


def _slowly(seconds: float) -> Wait:
    return lambda: asyncio.sleep(seconds)


async def _fails() -> None:
    await asyncio.sleep(1.0)
    raise Unavailable("no answer")


def test_who_reads_what_is_being_said_does_not_say_it_again(play: Callable[[Scene], None]) -> None:
    async def scene(one: OneProcess) -> None:
        one.log.before.append(_slowly(1.0))
        first = asyncio.create_task(one.unit.run(add))
        await asyncio.sleep(0.5)
        assert one.document["_out"], "or this shows nothing"
        await one.unit.run(add)
        await first
        assert one.said == [1, 2]
        assert one.is_clean

    play(scene)


def test_nor_who_reads_it_before_the_store_has_answered_its_writer(play: Callable[[Scene], None]) -> None:
    async def scene(one: OneProcess) -> None:
        one.store.after_put.append(_slowly(1.0))
        first = asyncio.create_task(one.unit.run(add))
        await asyncio.sleep(0.5)
        assert one.document["_out"], "or this shows nothing"
        await one.unit.run(add)
        await first
        assert one.said == [1, 2]
        assert one.is_clean

    play(scene)


def test_nor_who_reads_what_was_said_and_is_being_cleared(play: Callable[[Scene], None]) -> None:
    async def scene(one: OneProcess) -> None:
        one.store.before_clear.append(_slowly(1.0))
        first = asyncio.create_task(one.unit.run(add))
        await asyncio.sleep(0.5)
        assert (one.said, one.is_clean) == ([1], False), "or this shows nothing"
        await one.unit.run(add)
        await first
        assert one.said == [1, 2]
        assert one.is_clean

    play(scene)


def test_nor_does_the_sweep(play: Callable[[Scene], None]) -> None:
    async def scene(one: OneProcess) -> None:
        one.log.before.append(_slowly(1.0))
        first = asyncio.create_task(one.unit.run(add))
        await asyncio.sleep(0.5)
        await one.unit.relay.sweep(older_than=timedelta(0))
        await first
        assert one.said == [1]
        assert one.is_clean

    play(scene)


def test_the_sweep_clears_what_is_on_the_log_and_was_not_cleared_with_a_write_that_failed(play: Callable[[Scene], None]) -> None:
    """A document's clearing rides on its next write; when that fails, nobody else remembers it."""

    async def scene(one: OneProcess) -> None:
        one.store.before_clear.append(_fails)
        await one.unit.run(add)
        one.store.before_put.append(_fails)
        with contextlib.suppress(Unavailable):
            await one.unit.run(add)
        assert not one.is_clean, "or this shows nothing"
        await one.passes(20)
        assert one.said == [1]
        assert one.is_clean

    play(scene)


def test_what_the_log_did_not_take_is_said_by_whoever_comes_next(play: Callable[[Scene], None]) -> None:
    async def scene(one: OneProcess) -> None:
        one.log.before.append(_fails)
        first = asyncio.create_task(one.unit.run(add))
        await asyncio.sleep(0.5)
        await one.unit.run(add)
        await first
        assert one.said == [1, 2]
        await one.passes(3 * SETTLED_SECONDS)
        assert one.said[-1] == 2
        assert one.is_clean

    play(scene)


def test_a_write_that_lost_keeps_nobody_waiting(play: Callable[[Scene], None]) -> None:
    async def scene(one: OneProcess) -> None:
        await asyncio.gather(*(one.unit.run(add) for _ in range(4)))
        assert one.said == [1, 2, 3, 4]
        began = asyncio.get_running_loop().time()
        await one.unit.run(add)
        assert asyncio.get_running_loop().time() - began < 1.0
        assert one.is_clean

    play(scene)


def test_nobody_waits_for_long(play: Callable[[Scene], None]) -> None:
    """A log that is away keeps a call for longer than anybody waits; then both are said, and the newest comes last."""

    async def scene(one: OneProcess) -> None:
        one.log.before.append(_slowly(3 * WAIT_SECONDS))
        first = asyncio.create_task(one.unit.run(add))
        await asyncio.sleep(0.5)
        await one.unit.run(add)
        assert not first.done()
        assert one.said == [1, 2]
        await first
        await one.passes(3 * SETTLED_SECONDS)
        assert one.said[-1] == 2
        assert one.is_clean

    play(scene)
