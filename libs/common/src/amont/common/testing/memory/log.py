"""The event-log port in memory: a `MemoryLog` is one process's connection to a `Broker`.

It reads as the Kafka adapter does: topics have partitions, a key stays in one; a group's members share them, and every one that comes, goes or falls
silent deals them out anew; whoever had a partition goes on with the batch in hand, and its commit is refused. Partitions are taken side by side, each
in a lane of its own that handles, commits behind the batch and, when it has to give it back, rests alone.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog

from amont.common.errors import Unavailable
from amont.common.events.envelope import Event
from amont.common.log import Handler, Received, Record
from amont.common.testing.memory.broker import Broker
from amont.common.testing.memory.calling import Call, Deed, directly

BATCH = 500
WAIT_SECONDS = 5.0
"""How long a fetch waits for something to come."""
PAUSE_SECONDS = 1.0
"""How long a reader rests after a batch that it had to give back."""

_logger = structlog.get_logger(__name__)


class MemoryLog:
    """See the module. `batch` is how many records of a partition are fetched at most, `life` numbers the processes that have the same `client_id`."""

    def __init__(self, broker: Broker, *, client_id: str, life: int = 1, call: Call = directly, batch: int = BATCH) -> None:
        self.broker, self._call, self.batch, self.client_id, self.life = broker, call, batch, client_id, life
        self._closed = False
        self.readers: list[MemoryReader] = []

    async def call(self, what: str, deed: Deed) -> Any:
        """Ask the broker. Raises Unavailable."""
        if self._closed:
            raise Unavailable("the log has been closed")
        return await self._call(what, deed)

    async def open(self) -> None:
        self._closed = False
        await self.call("log open", lambda: None)

    async def close(self) -> None:
        self._closed = True

    async def ping(self) -> None:
        await self.call("log ping", lambda: None)

    async def append(self, records: Sequence[Record]) -> None:
        if not records:
            return
        placed: dict[tuple[str, int], list[Record]] = defaultdict(list)
        for record in records:
            placed[self.broker.place(record)].append(record)

        async def produce() -> None:
            for number, (place, here) in enumerate(placed.items()):
                if number:
                    await asyncio.sleep(0)
                self.broker.append(*place, here)

        def produce_together() -> None:
            for place, here in placed.items():
                self.broker.append(*place, here)

        await self.call(f"append {' '.join(map(_named, records))}", produce if len(placed) > 1 else produce_together)

    def reader(self, group: str, topic: str, handler: Handler, *, types: Sequence[type[Event]] = ()) -> "MemoryReader":  # noqa: ARG002
        self.readers.append(MemoryReader(self, group, topic, handler, f"{self.client_id}/{len(self.readers)}"))
        return self.readers[-1]


def _named(record: Record) -> str:
    """Topic, key and number: which record it is, for people."""
    number = dict(record.headers).get("ce_seq")
    return f"{record.topic}/{record.key}{'#' + number.decode() if number else ''}"


class MemoryReader:
    """One subscription."""

    def __init__(self, log: MemoryLog, group: str, topic: str, handler: Handler, member: str) -> None:
        self._log, self.group, self._topic, self._handler, self._member = log, group, topic, handler, member
        self._generation = 0
        self._positions: dict[int, int] = {}
        """Where the next fetch begins, in each partition of ours."""
        self.handled: dict[int, int] = {}
        """Up to where each partition of ours was handled since it is ours, whether or not a commit has said so."""
        self._lanes: dict[int, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping, self._news = asyncio.Event(), asyncio.Event()
        self._torn = False
        """Whether a lane was cancelled in the middle: nothing behind it may be read."""

    @property
    def alive(self) -> bool:
        return bool(self._tasks) and not self._torn and not any(task.done() for task in self._tasks)

    async def trouble(self) -> str | None:
        return None if self.alive or self._stopping.is_set() else "its loop has ended"

    async def start(self) -> None:
        self._stopping.clear()
        self._torn = False
        await self._hear()
        self._tasks = [
            asyncio.create_task(self._read_on(), name=f"{self.group} reads"),
            asyncio.create_task(self._beat(), name=f"{self.group} beats"),
        ]

    async def stop(self) -> None:
        self._stopping.set()
        try:
            while self._lanes:
                await asyncio.wait(self._lanes.values())
        except asyncio.CancelledError:  # nobody waits for what is in hand: it is cut off, and its position does not move
            await self._end(self._lanes.values(), self._tasks)
            raise
        await self._end(self._tasks)
        self._tasks, self._generation = [], 0
        with contextlib.suppress(Unavailable):  # then the others wait until we are known to be silent
            broker = self._log.broker
            await self._log.call(f"leave {self.group}", lambda: broker.leave(self.group, self._topic, self._member, self._log.life))

    async def _end(self, *groups: Iterable[asyncio.Task[None]]) -> None:
        ending = [task for group in groups for task in group]
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._log.broker.session_seconds / 3)
            with contextlib.suppress(Unavailable):
                await self._hear()

    async def _hear(self) -> None:
        """Say that we are there. Another deal, and everything but what is in hand begins at the group's positions."""
        broker, now = self._log.broker, asyncio.get_running_loop().time
        share = await self._log.call(
            f"join {self.group}", lambda: broker.hear(self.group, self._topic, self._member, self._log.life, now())
        )
        if share.generation > self._generation:
            self._generation, self._positions, self.handled = share.generation, dict(share.positions), {}
            self._news.set()

    async def _read_on(self) -> None:
        while not (self._stopping.is_set() or self._torn):
            self._news.clear()
            try:
                found = await self._fetch()
            except Unavailable as error:
                _logger.warning("fetch_failed", topic=self._topic, group=self.group, reason=str(error))
                await self._rest()
                continue
            for number, records in found.items():
                self._positions[number] = records[-1].offset + 1
                self._lanes[number] = asyncio.create_task(self._lane(number, records), name=f"{self.group} lane {number}")
            if not found:
                await self._wait()

    async def _fetch(self) -> dict[int, list[Received]]:
        """The next records of the partitions that have nothing in hand."""
        generation, limit, broker = self._generation, self._log.batch, self._log.broker
        free = {number: at for number, at in self._positions.items() if number not in self._lanes}
        if not free:
            return {}
        what = f"fetch {self._topic} for {self.group}"
        found: dict[int, list[Received]] = await self._log.call(what, lambda: broker.fetch(self._topic, free, limit))
        return found if generation == self._generation and not self._stopping.is_set() else {}

    async def _wait(self) -> None:
        """For something to come, for a lane to end, or to be stopped."""
        waits = (self._log.broker.appended(self._topic, WAIT_SECONDS), self._stopping.wait(), self._news.wait())
        tasks = [asyncio.ensure_future(one) for one in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _lane(self, number: int, batch: Sequence[Received]) -> None:
        generation = self._generation
        try:
            if await self._taken(batch):
                if generation == self._generation:
                    self.handled[number] = batch[-1].offset + 1
                    await self._commit(self._ends(batch), generation)
            elif generation == self._generation:
                self._positions[number] = batch[0].offset
                await self._rest()
        except BaseException:
            self._torn = True
            raise
        finally:
            del self._lanes[number]
            self._news.set()

    async def _taken(self, batch: Sequence[Received]) -> bool:
        try:
            await self._handler(batch)
        except Unavailable as error:
            _logger.warning("batch_given_back", topic=self._topic, group=self.group, records=len(batch), reason=str(error))
        except Exception:
            _logger.exception("batch_failed", topic=self._topic, group=self.group, records=len(batch))
        else:
            return True
        return False

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), PAUSE_SECONDS)

    def _ends(self, batch: Sequence[Received]) -> dict[int, int]:
        """Behind the batch, and nothing else."""
        return {batch[-1].partition: batch[-1].offset + 1}

    async def _commit(self, ends: Mapping[int, int], generation: int) -> None:
        broker, what = self._log.broker, f"commit {self.group} {dict(ends)}"
        try:
            moved = await self._log.call(
                what, lambda: broker.commit(self.group, self._topic, self._member, self._log.life, generation, ends)
            )
        except Unavailable as error:
            _logger.warning("commit_failed", topic=self._topic, group=self.group, reason=str(error))
        else:
            if not moved:
                _logger.warning("commit_refused", topic=self._topic, group=self.group)
