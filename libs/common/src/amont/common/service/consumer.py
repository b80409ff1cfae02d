"""The consuming shell: what happens to a batch of records, for every service and every log.

    applied, duplicate, stale     their position is committed
    permanent                     (undecodable, unknown type or version, the domain says no, a defect) to the dead-letter topic, awaited, and into the
                                  store as a letter; then committed
    a document it needs           cannot be loaded: parked as well, and taken up again by itself (`letters.replaying`): another process may be able to
    behind a dead letter          of its own key, where order matters: parked as well, untried, so that nobody sees a later fact before an earlier one
    too many dead letters in a row the deployment is bad, not the data: nothing more is parked or committed, and the topic stands still until a restart
    transient                     (store, log, network) the batch is begun again with back-off and jitter, 60 s in all; then it is given back
                                  to the log uncommitted and comes again: nothing is skipped
    a compare-and-set was lost    the batch is begun again at once; what was applied is recognised by its `seq`

Records are decoded one by one, so that a bad one harms nobody else.
"""

import asyncio
import contextlib
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from amont.common import metrics
from amont.common.aggregate import Aggregate
from amont.common.errors import Halted, Unavailable, Unreadable, UnreadableDocument
from amont.common.log import Received
from amont.common.service.letters import parking
from amont.common.service.letters.letter import BLOCKED_BY, UNREADABLE_DOCUMENT, letter_id, text_of, waits_behind
from amont.common.service.letters.parking import First, Parked
from amont.common.service.reading import Heard, not_taken, react, read
from amont.common.service.unit import Moved, Unit
from amont.common.work import Backlog, Key, Reaction, Reactions, Recent, Work

BACK_OFF_SECONDS = 60.0
"""How long one batch is tried before it is given back to the log."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
DEAD_LETTERS_IN_A_ROW = 50
"""How many dead letters that look like a fault of ours, with nothing applied in between, stop a topic; 0 is never."""
OUR_FAULT = frozenset({"defect", "refused-by-the-store", UNREADABLE_DOCUMENT})
"""Reasons that are a fault of ours on any topic; on a topic of our own, every reason but `blocked-by` is."""

_logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Tried:
    """What earlier attempts at a batch have settled: where inserts met somebody, and which records are parked."""

    inserts: frozenset[Key] = frozenset()
    told: set[tuple[int, int]] = field(default_factory=set)
    """Those on the dead-letter topic."""
    parked: dict[tuple[int, int], Parked] = field(default_factory=dict)
    """Those that have their letters, too."""
    cut_off: bool = False
    """Whether one of them ended in an outage: what it had saved may not be published."""


@dataclass(slots=True)
class _Decided:
    """What a batch comes to, before anything is written: each record that is of concern here, in order, with why it is not taken if it is not."""

    work: Work
    outcomes: list[tuple[Received, Heard | None, Parked | None]]

    @property
    def parked(self) -> list[Parked]:
        return [parked for *_, parked in self.outcomes if parked is not None]

    @property
    def refused(self) -> bool:
        """Whether anything that could be read was not taken."""
        return any(heard is not None and parked is not None for _, heard, parked in self.outcomes)


def _place(record: Received) -> tuple[int, int]:
    return record.partition, record.offset


class Consumer:
    """Hears one topic for one service."""

    def __init__(self, unit: Unit, topic: str, reactions: Reactions, *, in_a_row: int = DEAD_LETTERS_IN_A_ROW) -> None:
        self._unit = unit
        self._topic = topic
        self._reactions = reactions
        self._recent = Recent()
        self._in_order = parking.in_order(topic)
        self._most_in_a_row = in_a_row
        self._row = 0
        self.halted: str | None = None
        """Why it takes nothing more, for whoever has to do something about it."""

    async def __call__(self, batch: Sequence[Received]) -> None:
        """Take a batch. When this returns, every effect is saved, its events are on the log, and every record that could not be taken is parked.

        Raises Unavailable when it could not be done within the back-off: nothing of the batch may then be committed. Raises Halted, now and from then on,
        when there were too many dead letters in a row.
        """
        if self.halted:
            raise Halted(self.halted)
        began = asyncio.get_running_loop().time()
        attempt = 0
        tried = _Tried()
        while True:
            try:
                await self._take(batch, tried)
                break
            except Moved as moved:
                tried.inserts |= moved.inserts
                metrics.BATCH_RETRIES.labels(self._unit.house.name, "moved").inc()
            except Halted:
                raise
            except Unavailable as error:
                metrics.BATCH_RETRIES.labels(self._unit.house.name, "unavailable").inc()
                tried.cut_off = True
                self._recent.clear()
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1.0)
                if asyncio.get_running_loop().time() - began + pause > BACK_OFF_SECONDS or await self._stops_within(pause, error):
                    raise
                attempt += 1
        metrics.BATCH_SECONDS.labels(self._unit.house.name).observe(asyncio.get_running_loop().time() - began)

    async def _stops_within(self, pause: float, error: Unavailable) -> bool:
        """Wait; whether the service was asked to stop meanwhile."""
        _logger.warning("batch_waits", service=self._unit.house.name, topic=self._topic, reason=str(error), pause=round(pause, 2))
        try:
            await asyncio.wait_for(self._unit.stopping.wait(), pause)
        except TimeoutError:
            return False
        return True

    async def _take(self, batch: Sequence[Received], tried: _Tried) -> None:
        """Take a batch together; in halves when it has more to say about one aggregate than an outbox holds, the store refuses part of it, or part of it
        shows a defect of ours outside a reaction: one record must not hold up those behind it for ever.
        """
        try:
            await self._take_together(batch, tried)
        except Moved:
            raise
        except Exception as error:
            if isinstance(error, Unavailable) and not isinstance(error, Backlog):
                raise
            if len(batch) == 1:
                if isinstance(error, Backlog):
                    raise
                why = not_taken(self._unit.house.name, error)
                refused = [Parked(batch[0], why.reason, why.detail)]
                row = self._row_after([(batch[0], None, refused[0])])
                await self._park(refused, tried)
                self._row = row
                return
            tried.cut_off = True  # what the whole had saved before it was refused is said by its parts
            middle = len(batch) // 2
            await self._take(batch[:middle], tried)
            await self._take(batch[middle:], tried)

    async def _take_together(self, batch: Sequence[Received], tried: _Tried) -> None:
        """Decide, park what was refused, save, publish.

        Parked before anything is saved: once a later event of the same stream is saved, a refused one would look as if it had been applied. What is
        parked stays parked when the batch is begun again; so a refusal must rest on what the store holds, not on what this process remembers.
        """
        left = [record for record in batch if _place(record) not in tried.parked]
        firsts = await self._parked_keys(left, tried)
        decided = await self._decide(left, tried, self._recent, firsts)
        if decided.work.trusts_memory and decided.refused:
            self._recent.clear()
            await self._unit.relay.clear()  # what is read now must not hold events that are on the log already
            decided = await self._decide(left, tried, None, firsts)
        self._row_after(decided.outcomes)
        work = decided.work
        await self._park(decided.parked, tried)
        if tried.cut_off:
            work.take_over()
        entries = await self._unit.save(work, self._recent)
        await self._unit.relay.publish(work.pending() if tried.cut_off else entries, self._recent)
        self._row = self._row_after(decided.outcomes)  # another partition's batch may have counted meanwhile
        self._count(decided)
        if work.ignored:
            metrics.EVENTS_IGNORED.labels(self._unit.house.name).inc(work.ignored)
            _logger.info("events_ignored", service=self._unit.house.name, topic=self._topic, saves=work.ignored)
        await self._unit.do_effects(work.effects)

    async def _parked_keys(self, batch: Sequence[Received], tried: _Tried) -> dict[str, First]:
        """The keys of the batch that have something unresolved before them. The store says so, since another process may have parked it."""
        if not self._in_order or not batch:
            return {}
        firsts = await parking.parked_keys(self._unit.house.store, self._topic, {text_of(record.key) for record in batch})
        for one in tried.parked.values():  # for the one letter that a store has refused
            firsts.setdefault(text_of(one.record.key), First(letter_id(one.record), *_place(one.record)))
        return firsts

    async def _decide(self, batch: Sequence[Received], tried: _Tried, recent: Recent | None, firsts: dict[str, First]) -> _Decided:
        decided = _Decided(Work(self._unit.house, recent=recent), [])
        await decided.work.look_at(tried.inserts)
        readings = [(record, one) for record in batch if (one := self._read(record)) is not None]
        await self._read_ahead(decided.work, [one for _, one in readings if isinstance(one, Heard)])
        firsts = dict(firsts)
        for record, one in readings:
            parked = await self._taken(decided.work, record, one, firsts)
            if parked is not None and self._in_order:
                firsts.setdefault(text_of(record.key), First(letter_id(record), *_place(record)))
            decided.outcomes.append((record, one if isinstance(one, Heard) else None, parked))
        return decided

    def _read(self, record: Received) -> Heard | Unreadable | None:
        """The event, why there is none, or None when it is nothing to this service."""
        try:
            one = read(record, self._topic)
        except Unreadable as error:
            return error
        if one is not None and type(one.event) not in self._reactions:
            metrics.EVENTS_SKIPPED.labels(self._unit.house.name, type(one.event).__name__).inc()
            return None
        return one

    async def _read_ahead(self, work: Work, heard: Sequence[Heard]) -> None:
        wanted: dict[type[Aggregate], list[str]] = defaultdict(list)
        for one in heard:
            reaction = self._reactions[type(one.event)]
            if isinstance(reaction, Reaction):
                with contextlib.suppress(Exception):  # a hint: what is wrong with the event its reaction meets, and it is parked
                    for kind, id_ in reaction.needs(one.event, one.envelope):
                        wanted[kind].append(id_)
        for kind, ids in wanted.items():
            with contextlib.suppress(UnreadableDocument):  # who needs that one is told when it asks for it
                await work.prefetch(kind, ids)

    async def _taken(self, work: Work, record: Received, one: Heard | Unreadable, firsts: dict[str, First]) -> Parked | None:
        if isinstance(one, Unreadable):
            return Parked(record, one.reason, str(one))
        first = firsts.get(text_of(record.key)) if firsts else None
        if first is not None and first.comes_before(record):
            return Parked(record, BLOCKED_BY, waits_behind(first.id), blocked_by=first.id)
        refused = await react(self._unit.house.name, self._reactions, work, one)
        return None if refused is None else Parked(record, refused.reason, refused.detail)

    def _row_after(self, outcomes: Sequence[tuple[Received, Heard | None, Parked | None]]) -> int:
        """How many dead letters in a row there are with these. Raises Halted when that is too many."""
        row = self._row
        for *_, parked in outcomes:
            if parked is None:
                row = 0
            elif parked.reason in OUR_FAULT or (self._in_order and parked.reason != BLOCKED_BY):
                row += 1
                if row == self._most_in_a_row:
                    self._halt(parked)
        return row

    def _halt(self, last: Parked) -> None:
        where = f"partition {last.record.partition}, offset {last.record.offset}"
        self.halted = (
            f"{self._topic}: {self._most_in_a_row} dead letters in a row would be parked, the last one {where} for {last.reason}: {last.detail[:200]} "
            "This batch was not parked, and nothing more of the topic is taken or committed. Look at what was deployed last, mend it and start again; "
            "if the records are to blame, start with a larger AMONT_DEAD_LETTERS_IN_A_ROW (0: never stop)."
        )
        _logger.error("reader_halted", service=self._unit.house.name, topic=self._topic, what_to_do=self.halted)
        raise Halted(self.halted)

    def _count(self, decided: _Decided) -> None:
        taken = [heard for _, heard, parked in decided.outcomes if heard is not None and parked is None]
        applied = Counter(type(one.event).__name__ for one in taken)
        now = self._unit.house.clock.now()
        for one in taken:
            if one.event.guarded:
                metrics.EFFECT_SECONDS.labels(self._unit.house.name).observe(max(0.0, (now - one.envelope.time).total_seconds()))
        for name, count in applied.items():
            metrics.EVENTS_APPLIED.labels(self._unit.house.name, name).inc(count)

    async def _park(self, parked: Sequence[Parked], tried: _Tried) -> None:
        if not parked:
            return
        untold = [one for one in parked if _place(one.record) not in tried.told]
        await parking.tell(self._unit, untold)
        tried.told.update(_place(one.record) for one in untold)
        await parking.keep(self._unit, parked)
        tried.parked.update((_place(one.record), one) for one in parked)
        parking.note(self._unit.house.name, parked)
