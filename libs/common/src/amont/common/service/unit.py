"""Doing a work for real: read, decide, save, publish; again when somebody was faster. Three callers share it: commands, batches of events, due documents."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

import structlog

from amont.common import metrics
from amont.common.errors import Conflict, DomainError, Unavailable
from amont.common.log import Log
from amont.common.service.relay import Relay
from amont.common.work import Effect, Entry, House, Key, Recent, Work

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 8
"""How often a command is done again after losing a compare-and-set; losing that often means that something writes in a loop."""

_logger = structlog.get_logger(__name__)


class Moved(Exception):
    """An aggregate had moved: what was decided on it must be decided again. `inserts` are those of `lost` that were thought not to be there."""

    def __init__(self, lost: frozenset[Key], inserts: frozenset[Key]) -> None:
        super().__init__(f"{len(lost)} had moved")
        self.lost = lost
        self.inserts = inserts


class Unit:
    """The shell's hands: one per service."""

    def __init__(self, house: House, log: Log) -> None:
        self.house = house
        self.log = log
        self.relay = Relay(house, log)
        self.stopping = asyncio.Event()

    async def run(self, command: Callable[Concatenate[Work, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a command, `command(work, …)`, and save what it decided. Raises what the command raises, Conflict when it keeps losing, Unavailable."""
        return await self.run_with(lambda: Work(self.house), command, *args, **kwargs)

    async def run_with(
        self,
        new_work: Callable[[], Work],
        command: Callable[Concatenate[Work, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """As `run`, with works that know more (a correlation, an idempotency key)."""
        name = getattr(command, "__name__", "command")
        inserts: frozenset[Key] = frozenset()
        for _ in range(ATTEMPTS):
            work = new_work()
            await work.look_at(inserts)
            try:
                with work.step():
                    result = await command(work, *args, **kwargs)
            except DomainError as error:
                metrics.COMMANDS.labels(self.house.name, name, error.code).inc()
                raise
            try:
                entries = await self.save(work)
            except Moved as moved:
                inserts |= moved.inserts
                continue
            metrics.COMMANDS.labels(self.house.name, name, "done").inc()
            await self.publish_or_leave(entries)
            await self.do_effects(work.effects)
            return result
        metrics.COMMANDS.labels(self.house.name, name, "conflict").inc()
        raise Conflict(f"Somebody else keeps changing the same thing; {name} gave up after {ATTEMPTS} attempts. Try again.")

    async def save(self, work: Work, recent: Recent | None = None) -> list[Entry]:
        """Write everything the work has saved, in one go. Raises Moved when any compare-and-set lost; what won is in the store all the same."""
        await self.relay.others_end(work.written())
        stale = await work.check_memory()
        if stale:
            if recent is not None:
                recent.forget(stale)
            raise Moved(stale, frozenset())
        entries = work.written()
        self.relay.begins(entries)
        known_at = asyncio.get_running_loop().time()
        clears = self.relay.take_clears({entry.key: entry for entry in entries})
        try:
            lost = await self.house.store.commit([*work.writes(entries), *clears])
        except BaseException:
            self.relay.give_back(clears)  # they are others' too
            self.relay.ends(entries)
            raise
        self.relay.ends(entry for entry in entries if entry.key in lost)
        won = []
        for entry in entries:
            if entry.key in lost:
                continue
            entry.version, entry.dirty, entry.known_at = entry.next_version, False, known_at
            won.append(entry)
            if recent is not None and not entry.removed:
                recent.put(entry)
        if lost:
            if recent is not None:
                recent.forget(lost)
            await self.publish_or_leave(won, recent)
            raise Moved(lost, frozenset(entry.key for entry in entries if entry.key in lost and entry.version is None))
        return entries

    async def publish_or_leave(self, entries: Sequence[Entry], recent: Recent | None = None) -> None:
        """Publish now; if the log is away, the events stay in their outboxes and the sweeper publishes them."""
        try:
            await self.relay.publish(entries, recent)
            await self.relay.clear()
        except Unavailable as error:
            _logger.warning("events_left_in_outbox", service=self.house.name, documents=len(entries), reason=str(error))

    async def do_effects(self, effects: Sequence[Effect], *, at_once: int = 8) -> None:
        """Do what was to be done after the save, a few at once. A failure is logged: whoever planned an effect also plans its repetition."""
        gate = asyncio.Semaphore(at_once)

        async def one(effect: Effect) -> None:
            async with gate:
                try:
                    await effect()
                except Exception as error:
                    _logger.warning(
                        "effect_failed", service=self.house.name, error=type(error).__name__, exc_info=not isinstance(error, Unavailable)
                    )

        await asyncio.gather(*(one(effect) for effect in effects))
