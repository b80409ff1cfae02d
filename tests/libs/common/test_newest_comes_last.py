"""Several processes say one document: once everything is at rest, the last record of its key on a compacted topic is its newest state.

In virtual time and in an order that a seed decides, over the memory adapters: who is slow between the store and the log, and how slow, is the test's.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.libs.common.shell import COLLECTIONS, Tally, batch_of, envelope, hear, told

from amont.common.clock import FixedClock
from amont.common.documents import Document
from amont.common.errors import Unavailable
from amont.common.events import ProgrammeChanged, SubsidiaryChanged
from amont.common.ids import SeededIds
from amont.common.log import Record
from amont.common.service.consumer import Consumer
from amont.common.service.holding import APPEND_SECONDS, LANDS_WITHIN_SECONDS, SETTLED_SECONDS
from amont.common.service.unit import Unit
from amont.common.testing.hearing import START
from amont.common.testing.memory import Broker, Database, MemoryLog, MemoryStore
from amont.common.testing.simulation.loop import VirtualLoop
from amont.common.testing.waiting import until
from amont.common.work import SAID_AGAIN_WITHIN, House, Work

TOPIC = "enrolment-programmes"
CALM_SECONDS = 4 * SETTLED_SECONDS


class SlowLog(MemoryLog):
    """One process's way to the log: each call waits for what the test says before its records arrive, or fails though they arrive later."""

    def __init__(self, broker: Broker, name: str) -> None:
        super().__init__(broker, client_id=name)
        self.before: list[Callable[[], Awaitable[None]]] = []
        self.lands_later: list[float] = []
        self.lands_anyway: list[float] = []
        """After how many seconds, whether its caller still waits or not."""

    async def append(self, records: Sequence[Record]) -> None:
        if self.lands_later:
            seconds = self.lands_later.pop(0)
            asyncio.get_running_loop().call_later(seconds, lambda: [self.broker.append(*self.broker.place(one), [one]) for one in records])
            raise Unavailable("no answer")
        if self.lands_anyway:
            await asyncio.shield(asyncio.create_task(self._lands(self.lands_anyway.pop(0), records)))
            return
        if self.before:
            await self.before.pop(0)()
        await super().append(records)

    async def _lands(self, seconds: float, records: Sequence[Record]) -> None:
        await asyncio.sleep(seconds)
        await super().append(records)


class TwoProcesses:
    """Of one service, on one store and one log. Each sweeps every five seconds, as services do."""

    def __init__(self) -> None:
        self.broker, self.database, self.clock = Broker(partitions=1), Database(), FixedClock(START)
        self.logs = [SlowLog(self.broker, name) for name in "ab"]
        self.units = [self.unit(log) for log in self.logs]
        self._calls: list[str] = []
        self._lost = 0

    def lose_the_next_answer_of_a(self) -> None:
        """The store answers nothing to the first process once."""
        self._lost = 1

    def unit(self, log: SlowLog) -> Unit:
        async def counted(what: str, deed: Any) -> Any:
            await asyncio.sleep(0)
            self._calls.append(what)
            if log is self.logs[0] and self._lost:
                self._lost = 0
                raise Unavailable("no answer")
            done = deed()
            return await done if asyncio.iscoroutine(done) else done

        store = MemoryStore(self.database, counted)
        return Unit(House("matching", store, self.clock, SeededIds(self.clock, log.client_id), COLLECTIONS), log)

    async def passes(self, seconds: float, *living: Unit) -> None:
        """Time, in which the processes that live sweep."""
        for _ in range(int(seconds / 5)):
            self.clock.advance(timedelta(seconds=5))
            await asyncio.sleep(5.0)
            for unit in living or self.units:
                await self.sweeps(unit)

    async def sweeps(self, unit: Unit, **how: Any) -> None:
        with contextlib.suppress(Unavailable):
            await unit.relay.sweep(**how)

    @property
    def said(self) -> list[int]:
        return [int(dict(record.headers)["ce_seq"] or b"0") for record in self.broker.everything(TOPIC)]

    @property
    def document(self) -> Document:
        return self.database.collections["tallies"]["a"]

    def is_at_rest_with_the_newest_last(self) -> bool:
        return "_out" not in self.document and "_out_at" not in self.document and self.said[-1] == self.document["seq"] == max(self.said)

    def calls(self) -> list[str]:
        found, self._calls = self._calls, []
        return found


async def add(work: Work) -> None:
    tally = await work.get_or_new(Tally, "a")
    work.save(tally.hear("x").becomes().saying(ProgrammeChanged))


Scene = Callable[[TwoProcesses], Awaitable[None]]


def play(scene: Scene, seed: int = 0) -> None:
    loop = VirtualLoop(random.Random(seed))
    try:
        with capture_logs():
            loop.run_until_complete(scene(TwoProcesses()))
    finally:
        loop.close()
    assert loop.complaints == []


async def _b_overtakes_a(two: TwoProcesses, stalls: float) -> None:
    """A commits, stalls before it says so; B commits and says; A wakes."""
    a, b = two.units
    two.logs[0].before.append(lambda: asyncio.sleep(stalls))
    slow = asyncio.create_task(a.run(add))
    await until(lambda: "a" in two.database.collections["tallies"])
    await b.run(add)
    await slow


@pytest.mark.parametrize("seed", range(20))
def test_who_stalls_between_store_and_log_does_not_have_the_last_word(seed: int) -> None:
    async def scene(two: TwoProcesses) -> None:
        await _b_overtakes_a(two, stalls=4.0)
        assert two.said == [1, 2, 1], "or this shows nothing"
        await two.passes(CALM_SECONDS)
        assert two.is_at_rest_with_the_newest_last()

    play(scene, seed)


def test_nor_does_it_when_nobody_is_left_to_say_it_again() -> None:
    """Both die once the old state is on the log; whoever comes afterwards finds the outbox."""

    async def scene(two: TwoProcesses) -> None:
        await _b_overtakes_a(two, stalls=4.0)
        heir = two.unit(two.logs[1])
        await heir.relay.sweep(older_than=-SAID_AGAIN_WITHIN)
        await two.passes(CALM_SECONDS, heir)
        assert two.is_at_rest_with_the_newest_last()

    play(scene)


def test_an_old_state_that_arrives_although_its_call_had_failed_does_not_stay_last() -> None:
    async def scene(two: TwoProcesses) -> None:
        a, b = two.units
        two.logs[0].lands_later.append(9.0)
        await a.run(add)
        await b.run(add)
        assert two.said == [1, 2]
        await two.passes(10)
        assert two.said[2] == 1
        await two.passes(CALM_SECONDS)
        assert two.is_at_rest_with_the_newest_last()

    play(scene)


def test_nor_one_of_the_same_process() -> None:
    async def scene(two: TwoProcesses) -> None:
        a, _ = two.units
        two.logs[0].lands_later.append(9.0)
        await a.run(add)
        await two.passes(5, a)
        await a.run(add)
        assert two.said == [1, 1, 2]
        await asyncio.sleep(5.0)
        assert two.said == [1, 1, 2, 1]
        await two.passes(CALM_SECONDS)
        assert two.is_at_rest_with_the_newest_last()

    play(scene)


@pytest.mark.parametrize("says_on", [0, 1])
@pytest.mark.parametrize("seed", range(5))
def test_nor_one_whose_caller_was_cancelled(seed: int, says_on: int) -> None:
    """A client goes away, or a drain ends: the call to the log goes on without anybody who waits for it, and whoever says more knows it."""

    async def scene(two: TwoProcesses) -> None:
        a, _ = two.units
        two.logs[0].lands_anyway.append(14.0)
        cancelled = asyncio.create_task(a.run(add))
        await until(lambda: "a" in two.database.collections["tallies"])
        cancelled.cancel()
        await asyncio.wait([cancelled])
        assert cancelled.cancelled()
        await asyncio.sleep(10.5)
        two.clock.advance(timedelta(seconds=10.5))
        await two.sweeps(a)
        await two.units[says_on].run(add)
        await asyncio.sleep(4.0)
        assert set(two.said) == {1, 2}, "or this shows nothing"
        await two.passes(CALM_SECONDS)
        assert two.is_at_rest_with_the_newest_last()

    play(scene, seed)


def test_what_could_not_be_said_is_said_by_the_first_sweep_that_can() -> None:
    """However long others would wait before they look at it."""

    async def scene(two: TwoProcesses) -> None:
        a, _ = two.units
        two.logs[0].lands_later += [1e6] * 5
        await a.run(add)
        await a.run(add)
        await two.passes(10, a)
        assert two.said == []
        two.logs[0].lands_later = []
        await two.passes(5, a)
        assert two.said == [1, 2]
        await two.passes(CALM_SECONDS)
        assert "_out" not in two.document

    play(scene)


def test_who_was_away_for_longer_than_others_wait_says_nothing() -> None:
    """A is frozen right after its write, wakes when B has settled the matter, and leaves it alone."""

    async def scene(two: TwoProcesses) -> None:
        a, b = two.units
        work = Work(a.house)
        await add(work)
        entries = await a.save(work)
        await b.run(add)
        await two.passes(CALM_SECONDS, b)
        assert two.is_at_rest_with_the_newest_last()
        before = two.said
        await a.publish_or_leave(entries)
        await two.passes(CALM_SECONDS)
        assert two.said == before

    play(scene)


def test_two_sweeps_of_one_document_do_not_leave_it_behind_a_newer_state() -> None:
    """One takes over what a dead process left; later the other comes to it, is slow, and meanwhile something newer is said."""

    async def scene(two: TwoProcesses) -> None:
        dead = two.unit(two.logs[0])
        work = Work(dead.house)
        await add(work)
        await dead.save(work)
        two.clock.advance(timedelta(seconds=6))
        a, b = two.units
        await b.relay.sweep()
        await asyncio.sleep(SETTLED_SECONDS - 5)
        two.logs[0].before.append(lambda: asyncio.sleep(14.0))
        slow = asyncio.create_task(a.relay.sweep(older_than=-SAID_AGAIN_WITHIN))
        await asyncio.sleep(6.0)
        await b.relay.sweep()
        await b.run(add)
        await slow
        await two.passes(CALM_SECONDS)
        assert two.is_at_rest_with_the_newest_last()

    play(scene)


def test_what_is_said_again_does_not_stay_behind_what_its_process_says_meanwhile() -> None:
    async def scene(two: TwoProcesses) -> None:
        await _b_overtakes_a(two, stalls=4.0)
        _, b = two.units
        await asyncio.sleep(SETTLED_SECONDS)
        two.logs[1].before.append(lambda: asyncio.sleep(14.0))
        slow = asyncio.create_task(b.relay.sweep())
        await asyncio.sleep(1.0)
        await b.run(add)
        await slow
        assert two.said[-1] == 2, "or this shows nothing"
        await two.passes(CALM_SECONDS)
        assert two.is_at_rest_with_the_newest_last()

    play(scene)


def test_who_finds_a_batch_handled_by_another_does_not_say_what_the_other_has_written() -> None:
    """A tries a batch again that B, who had its partition before, has handled meanwhile; A is slow, B goes on."""

    async def scene(two: TwoProcesses) -> None:
        _, b = two.units
        batch = batch_of(told("a", 1))
        consumers = [Consumer(unit, "enrolment-subsidiaries", {SubsidiaryChanged: hear}) for unit in two.units]
        work = Work(b.house)
        with work.step(envelope(told("a", 1)), seq=1):
            await hear(told("a", 1), work)
        entries = await b.save(work)
        two.lose_the_next_answer_of_a()
        two.logs[0].before.append(lambda: asyncio.sleep(14.0))
        slow = asyncio.create_task(consumers[0](batch))
        await asyncio.sleep(2.0)
        await b.publish_or_leave(entries)
        await b.run(add)
        await slow
        await two.passes(CALM_SECONDS)
        assert two.is_at_rest_with_the_newest_last()

    play(scene)


async def _lives(two: TwoProcesses, number: int, chance: random.Random) -> None:
    """Twelve deeds of one process, each after what may befall it: a stall, a record that arrives late, a pause, a death between two deeds."""
    log = two.logs[number]
    for turn in range(12):
        befalls = chance.choice(("nothing", "nothing", "stall", "late", "pause", "death"))
        if befalls == "stall":
            log.before.append(partial(asyncio.sleep, chance.uniform(0.0, APPEND_SECONDS - 1)))
        elif befalls == "late":
            log.lands_later.append(chance.uniform(0.0, LANDS_WITHIN_SECONDS - 1))
        elif befalls == "pause":
            await asyncio.sleep(chance.uniform(0.0, SETTLED_SECONDS + 10))
        elif befalls == "death":
            two.units[number] = two.unit(log)
            await two.sweeps(two.units[number], older_than=-SAID_AGAIN_WITHIN)
        unit = two.units[number]
        if chance.random() < 0.5:
            await unit.run(add)
        else:
            await Consumer(unit, "enrolment-subsidiaries", {SubsidiaryChanged: hear})(batch_of(told("a", 10 * turn + number + 1)))
        if chance.random() < 0.3:
            await two.sweeps(unit)


@pytest.mark.parametrize("seed", range(40))
def test_the_newest_comes_last_whoever_is_slow_fails_or_dies(seed: int) -> None:
    """Commands and batches of both processes, in any order."""

    async def scene(two: TwoProcesses) -> None:
        await asyncio.gather(*(_lives(two, number, random.Random(f"{seed}/{number}")) for number in (0, 1)))
        for log in two.logs:
            log.before, log.lands_later = [], []
        await two.passes(2 * CALM_SECONDS)
        assert two.is_at_rest_with_the_newest_last()

    play(scene, seed)


def test_a_document_that_one_process_writes_costs_no_call_more_than_before() -> None:
    async def scene(two: TwoProcesses) -> None:
        a, _ = two.units
        await a.run(add)
        two.calls()
        await a.run(add)
        assert [call.partition(" ")[0] for call in two.calls()] == ["get", "write", "write"], "read it, write it, clear it"
        assert two.said == [1, 2]
        assert "_out" not in two.document

    play(scene)


def test_a_document_that_is_held_and_written_often_does_not_fill_its_outbox() -> None:
    """What is on the log and is not the last of a compacted topic is dropped by the next write of who has said it."""

    async def scene(two: TwoProcesses) -> None:
        await _b_overtakes_a(two, stalls=4.0)
        _, b = two.units
        for _ in range(300):
            await b.run(add)
        assert len(two.document["_out"]) <= 2
        await two.passes(CALM_SECONDS)
        assert two.is_at_rest_with_the_newest_last()
        assert len(set(two.said)) == 302

    play(scene)
