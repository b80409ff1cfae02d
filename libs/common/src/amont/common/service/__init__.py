"""A service: its tables, wired to log, store, HTTP, timers, health and metrics. Start and stop order lives here; rules and formats do not.

Start: store, log, sweep what a crash left behind, then read, then say ready. Stop: not ready, stop reading (what is in hand finishes and
commits), stop the timers, publish what is pending, close.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, cast

import structlog
from fastapi import APIRouter

from amont.common import metrics
from amont.common.aggregate import Aggregate
from amont.common.clock import Clock
from amont.common.documents import AtMost, Document, Store
from amont.common.documents.collection import Collection
from amont.common.errors import DomainError, Unacceptable, Unavailable, UnreadableDocument
from amont.common.events.envelope import Event
from amont.common.events.values import instant_text
from amont.common.ids import Ids
from amont.common.log import Log, Reader
from amont.common.service.consumer import DEAD_LETTERS_IN_A_ROW, Consumer
from amont.common.service.door import Door
from amont.common.service.letters.letter import LETTERS
from amont.common.service.letters.replaying import Replayer
from amont.common.service.unit import Moved, Unit
from amont.common.service.unreadable import unreadable
from amont.common.tracing import TRACING
from amont.common.work import Backlog, Due, Handle, House, Reactions, Waking, Work

Warm = Callable[[Callable[[], bool]], None]
"""Makes ready what somebody would wait for later; asks now and then whether the service stops."""
DuePage = 200
ANSWER_WITHIN_SECONDS = 2.0
"""How long a readiness check waits for store and log."""
TICK_SECONDS = 1.0
SWEEP_SECONDS = 5.0
DRAIN_SECONDS = 25.0
"""How long a stop waits for what is in hand, unless the settings say otherwise."""
CLOSE_SECONDS = 15.0
"""How long it then tries to say what is pending; what is not said waits in its outbox."""
AGAIN_AFTER = timedelta(minutes=1)
"""When a due document is looked at again after its handler failed."""

_logger = structlog.get_logger(__name__)

__all__ = ["Parts", "Service", "Warm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The outside parts of a service: real, embedded or a test's."""

    store: Store
    log: Log
    clock: Clock
    ids: Ids
    tools: Mapping[type, object] = field(default_factory=dict)
    """What a service's own ports are bound to; what is not here, the service binds by its settings."""
    dead_letters_in_a_row: int = DEAD_LETTERS_IN_A_ROW
    """How many dead letters of our own fault stop a topic; 0 is never."""
    drain_seconds: float = DRAIN_SECONDS
    """How long a stop waits for what is in hand."""


class Service:
    """One of the four, assembled by its `app.build`.

    `consumes` and `publishes` are its tables, `keeps` its collections, `due` what to do with a document whose time has come, `jobs` the same for kinds
    whose handlers or effects take long: each kind has a timer of its own, so that nothing else waits for it. `routers` are its HTTP, `doors` those whose
    callers bring credentials of the service's own. Every service keeps its dead letters, too. `warm` is done beside each start, in a thread; it is handed
    what says whether the service stops, and a stop waits for it: a thread that is in a compiler when the interpreter ends takes the process down with SIGABRT.
    """

    def __init__(
        self,
        name: str,
        parts: Parts,
        *,
        consumes: Reactions,
        publishes: Sequence[type[Event]],
        keeps: Sequence[Collection[Any]],
        due: Due | None = None,
        jobs: Due | None = None,
        routers: Sequence[APIRouter] = (),
        doors: Sequence[Door] = (),
        tools: Mapping[type, object] | None = None,
        warm: Warm | None = None,
    ) -> None:
        self.name = name
        self.consumes = consumes
        self.publishes = tuple(publishes)
        self.routers = tuple(routers)
        self.doors = tuple(doors)
        self.clock = parts.clock
        self._due, self._jobs, self._warm = due or {}, jobs or {}, warm
        self._keeps = (*keeps, LETTERS)
        house = House(name, parts.store, parts.clock, parts.ids, {one.kind: one for one in self._keeps}, {**(tools or {}), **parts.tools})
        self.unit = Unit(house, parts.log)
        self.letters = Replayer(self.unit, consumes)
        self.run = self.unit.run
        self._store, self._log, self._drain_seconds = parts.store, parts.log, parts.drain_seconds
        self._consumers = {topic: Consumer(self.unit, topic, consumes, in_a_row=parts.dead_letters_in_a_row) for topic in self.topics}
        self._readers: list[Reader] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = self.unit.stopping
        self.ready = False
        self.trouble: dict[str, str] = {}
        """What the watchdog saw when it last looked: topics that are not read any more, and why."""

    @property
    def topics(self) -> dict[str, list[type[Event]]]:
        """What it reads: the event classes of its table, by topic."""
        topics: dict[str, list[type[Event]]] = {}
        for kind in self.consumes:
            topics.setdefault(kind.topic, []).append(kind)
        return topics

    async def open(self) -> None:
        """Connect store and log and make collections; raises Unavailable."""
        await self._store.open([one.spec for one in self._keeps])
        await self._log.open()
        if not self._readers:
            self._readers = [
                self._log.reader(f"{self.name}-{topic}", topic, self._consumers[topic], types=types) for topic, types in self.topics.items()
            ]

    async def start(self) -> None:
        """Open, waiting for store and log as long as it takes, then read and keep time."""
        pause = 0.5
        self._stopping.clear()
        self._tasks = [] if self._warm is None else [asyncio.create_task(self._warmed(self._warm), name=f"{self.name} warms up")]
        while True:
            try:
                await self.open()
                await self.unit.relay.sweep()
                for reader in self._readers:
                    if not reader.alive:  # a second start beside the first would be a second reader that nobody stops
                        await reader.start()
                break
            except Unavailable as error:
                _logger.warning("waiting", service=self.name, reason=str(error), pause=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 10.0)
        self._tasks += [
            asyncio.create_task(self._every(TICK_SECONDS, self.tick), name=f"{self.name} due"),
            asyncio.create_task(self._every(TICK_SECONDS, self.letters.tick), name=f"{self.name} letters"),
            asyncio.create_task(self._every(SWEEP_SECONDS, self._sweep), name=f"{self.name} sweep"),
        ]
        for kind in self._jobs:
            work_off = partial(self.work_off, kind)
            self._tasks.append(asyncio.create_task(self._every(TICK_SECONDS, work_off), name=f"{self.name} {kind.__name__}"))
        self.ready = True
        _logger.info("started", service=self.name, topics=sorted(self.topics))

    async def stop(self) -> None:
        """Drain and close; what cannot finish in time is left uncommitted and comes again."""
        self.ready = False
        self._stopping.set()
        try:
            in_hand = (*(reader.stop() for reader in self._readers), *self._tasks)
            await asyncio.wait_for(asyncio.gather(*in_hand, return_exceptions=True), self._drain_seconds)
        except TimeoutError:
            _logger.warning("not_drained", service=self.name, seconds=self._drain_seconds, what_now="what is in hand comes again")
        if self._readers:  # otherwise it was never open
            with contextlib.suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self.unit.relay.say_what_is_left()
        await self._log.close()
        await self._store.close()
        _logger.info("stopped", service=self.name)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Service"]:
        """Started inside, stopped outside."""
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def check(self) -> dict[str, str]:
        """What is wrong with what it is wired to, by part; empty when it is ready to work."""
        faults = {} if self.ready else {"service": "starting or stopping"}
        faults |= {topic: one.halted for topic, one in self._consumers.items() if one.halted}
        for name, part in (("store", self._store), ("log", self._log)):
            try:
                await asyncio.wait_for(part.ping(), ANSWER_WITHIN_SECONDS)
            except Unavailable as error:
                faults[name] = str(error)
            except TimeoutError:
                faults[name] = f"does not answer within {ANSWER_WITHIN_SECONDS:g} s"
        return faults

    async def watch(self) -> dict[str, str]:
        """The watchdog's look: what only a new process can mend, by topic. Remembered for `trouble`."""
        if self.ready:
            found = await asyncio.gather(*(reader.trouble() for reader in self._readers))
            self.trouble = {topic: why for topic, why in zip(self.topics, found, strict=True) if why is not None}
            metrics.READERS_IN_TROUBLE.labels(self.name).set(len(self.trouble))
            metrics.READERS_HALTED.labels(self.name).set(sum(one.halted is not None for one in self._consumers.values()))
            metrics.READERS_ALIVE.labels(self.name).set(sum(reader.alive for reader in self._readers))
        return self.trouble

    async def step(self) -> int:
        """Embedded only: take what is on the log, due or to be replayed now; how much there was. The demo and tests run on it without waiting."""
        taken = 0
        for reader in self._readers:
            while handled := await reader.drain():  # type: ignore[attr-defined]  # the embedded log's readers can be stepped
                taken += handled
        jobs = sum([await self.work_off(kind) for kind in self._jobs])
        return taken + await self.tick() + jobs + await self.letters.tick()

    async def tick(self) -> int:
        """Handle every document whose time has come, jobs left out; how many there were. Raises Unavailable."""
        handled = 0
        for kind, handler in self._due.items():
            handled += await self._tick(self.unit.house.collections[kind], handler)
        return handled

    async def work_off(self, kind: type[Aggregate]) -> int:
        """Do every job of a kind that is due; how many there were. Raises Unavailable."""
        return await self._tick(self.unit.house.collections[kind], self._jobs[kind])

    async def _tick(self, collection: Collection[Any], handler: Handle | Waking) -> int:
        total, after = 0, None
        while True:
            work = Work(self.unit.house)
            query = collection.where(due_at=AtMost(instant_text(work.now))).by("due_at")
            documents = await self._store.find(query.page(after=after, limit=DuePage))
            due = await self._handle(work, collection, documents, handler)
            if due is None:
                continue
            total += due
            if len(documents) < DuePage or self._stopping.is_set():
                return total
            after = (documents[-1]["due_at"], documents[-1]["_id"])

    async def _handle(self, work: Work, collection: Collection[Any], documents: Sequence[Document], handler: Handle | Waking) -> int | None:
        """Wake these documents together; how many could be, None when somebody was faster about one. Raises Unavailable.

        When the store will never take what became of one of them, the others do not wait for it: each is woken alone, and that one put off as it is.
        """
        due = [aggregate for one in documents if (aggregate := self._loaded(work, collection, one)) is not None]
        handle = handler.handle if isinstance(handler, Waking) else handler
        if due and isinstance(handler, Waking):
            with contextlib.suppress(UnreadableDocument):  # who needs that one is told when it asks for it
                await handler.ahead(due, work)
        for aggregate in due:
            await self._wake(work, aggregate, handle)
        try:
            entries = await self.unit.save(work)
        except Moved as moved:  # who won is due no more, so what it had planned is done now or never
            await self.unit.do_effects(work.effects_without(moved.lost))
            return None
        except (Unacceptable, ValueError) as error:
            if len(documents) > 1:
                for document in documents:
                    await self._handle(Work(self.unit.house), collection, [document], handler)
            else:
                await self._refused(due[0], collection, error)
            return len(due)
        await self.unit.publish_or_leave(entries)
        await self.unit.do_effects(work.effects)
        return len(due)

    async def _refused(self, aggregate: Aggregate, collection: Collection[Any], error: Exception) -> None:
        _logger.error("due_refused_by_the_store", service=self.name, kind=collection.name, id=aggregate.id, reason=type(error).__name__)
        metrics.DUE_HANDLED.labels(self.name, "failed").inc()
        await self.unit.run(_put_off, type(aggregate), aggregate.id)

    def _loaded(self, work: Work, collection: Collection[Any], document: Document) -> Aggregate | None:
        """None for what cannot be read: it is passed over and counted, and stays due until a release that can comes to it."""
        try:
            return cast("Aggregate", work.found(collection, document))
        except ValueError as error:
            unreadable(self.name, collection.name, document["_id"], error)
            return None

    async def _wake(self, work: Work, aggregate: Aggregate, handler: Handle) -> None:
        current = await work.peek(type(aggregate), aggregate.id)
        if current is None or current.due_at is None or current.due_at > work.now:
            return  # a handler before this one on the page has seen to it
        kind = type(aggregate).__name__
        try:
            with TRACING.span(f"{self.name} wakes {kind}", work.trace_of(current), id=aggregate.id), work.step():
                await handler(current, work)
        except Exception as error:
            if isinstance(error, Unavailable) and not isinstance(error, Backlog):
                raise
            expected = isinstance(error, (DomainError, Backlog))
            _logger.warning("due_failed", service=self.name, kind=kind, id=aggregate.id, exc_info=not expected)
            metrics.DUE_HANDLED.labels(self.name, "failed").inc()
        else:
            metrics.DUE_HANDLED.labels(self.name, "done").inc()
        left = await work.peek(type(aggregate), aggregate.id)
        if left is not None and left.due_at is not None and left.due_at <= work.now:
            work.put_off(left, work.now + AGAIN_AFTER)

    async def _warmed(self, warm: Warm) -> None:
        try:
            await asyncio.to_thread(warm, self._stopping.is_set)
        except Exception:
            _logger.exception("not_warmed_up", service=self.name, what_now="whoever comes first waits")

    async def _sweep(self) -> None:
        await self.unit.relay.sweep()

    async def _every(self, seconds: float, action: Callable[[], Awaitable[Any]]) -> None:
        while not self._stopping.is_set():
            try:
                await action()
            except Unavailable as error:
                _logger.warning("timer_waits", service=self.name, reason=str(error))
            except Exception:
                _logger.exception("timer_failed", service=self.name)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)


async def _put_off(work: Work, kind: type[Aggregate], id_: str) -> None:
    """Have one that is due woken later."""
    aggregate = await work.peek(kind, id_)
    if aggregate is not None and aggregate.due_at is not None and aggregate.due_at <= work.now:
        work.put_off(aggregate, work.now + AGAIN_AFTER)
