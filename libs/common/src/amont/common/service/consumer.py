"""The consuming shell: what happens to a batch of records, for every service and every log.

    applied, duplicate, stale     their position is committed
    permanent                     (undecodable, unknown type or version, the domain says no, a defect) to the dead-letter topic, awaited, then committed
    transient                     (store, log, network) the batch is begun again with back-off and jitter, 60 s in all; then it is given back
                                  to the log uncommitted and comes again: nothing is skipped
    a compare-and-set was lost    the batch is begun again at once; what was applied is recognised by its `seq`

Records are decoded one by one, so that a bad one harms nobody else.
"""

import asyncio
import hashlib
import random
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from opentelemetry.trace import SpanKind

from amont.common import metrics
from amont.common.aggregate import Aggregate
from amont.common.errors import DomainError, Unacceptable, Unavailable, Unreadable
from amont.common.events.envelope import Envelope, Event
from amont.common.events.topics import TOPICS, TYPES, dead_letters_of
from amont.common.events.values import instant_text
from amont.common.log import Received, Record
from amont.common.service.unit import Moved, Unit
from amont.common.tracing import TRACING
from amont.common.work import Backlog, Key, Reaction, Reactions, Recent, Work

BACK_OFF_SECONDS = 60.0
"""How long one batch is tried before it is given back to the log."""
LARGEST_VALUE = 1_500_000
"""What a dead letter keeps of a record that is larger than any broker takes by default."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """A record that could be read."""

    envelope: Envelope
    event: Event


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that could not be taken, and why."""

    record: Received
    reason: str
    detail: str


@dataclass(slots=True)
class _Tried:
    """What earlier attempts at a batch have settled: where inserts met somebody, and which records are parked."""

    inserts: frozenset[Key] = frozenset()
    parked: set[tuple[int, int]] = field(default_factory=set)
    cut_off: bool = False
    """Whether one of them ended in an outage: what it had saved may not be published."""


def _place(record: Received) -> tuple[int, int]:
    return record.partition, record.offset


def read(record: Received, topic: str) -> Heard | None:
    """Decode a record; None for a tombstone and for a type of the topic that is known but not asked for. Raises Unreadable."""
    if record.value is None:
        return None
    try:
        key = record.key.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("broken-key", "The key is not UTF-8.") from None
    envelope = Envelope.parse(record.headers, key=key)
    kind = TYPES.get(envelope.type)
    if kind is None or kind.topic != topic:
        known = ", ".join(one.type_name() for one in TOPICS[topic].types)
        raise Unreadable("unknown-type", f"{envelope.type[:120]!r} is not a type of {topic}. Known here: {known}.")
    event = kind.decode(record.value)
    if event.key != key:
        raise Unreadable(
            "wrong-key",
            f"The key does not name what the event is about; {topic} is keyed by {kind.__name__}'s subject, here it would be {event.key!r}.",
        )
    if event.guarded and envelope.subject != event.subject:
        raise Unreadable("wrong-subject", "ce_subject does not name the event's own subject.")
    return Heard(envelope, event)


class Consumer:
    """Hears one topic for one service."""

    def __init__(self, unit: Unit, topic: str, reactions: Reactions) -> None:
        self._unit = unit
        self._topic = topic
        self._reactions = reactions
        self._recent = Recent()

    async def __call__(self, batch: Sequence[Received]) -> None:
        """Take a batch. When this returns, every effect is saved, its events are on the log, and every record that could not be taken is parked.

        Raises Unavailable when it could not be done within the back-off: nothing of the batch may then be committed.
        """
        began = time.monotonic()
        attempt = 0
        tried = _Tried()
        while True:
            try:
                await self._take(batch, tried)
                break
            except Moved as moved:
                tried.inserts |= moved.inserts
                metrics.BATCH_RETRIES.labels(self._unit.house.name, "moved").inc()
            except Unavailable as error:
                metrics.BATCH_RETRIES.labels(self._unit.house.name, "unavailable").inc()
                tried.cut_off = True
                self._recent.clear()
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1.0)
                if time.monotonic() - began + pause > BACK_OFF_SECONDS or await self._stops_within(pause, error):
                    raise
                attempt += 1
        metrics.BATCH_SECONDS.labels(self._unit.house.name).observe(time.monotonic() - began)

    async def _stops_within(self, pause: float, error: Unavailable) -> bool:
        """Wait; whether the service was asked to stop meanwhile."""
        _logger.warning("batch_waits", service=self._unit.house.name, topic=self._topic, reason=str(error), pause=round(pause, 2))
        try:
            await asyncio.wait_for(self._unit.stopping.wait(), pause)
        except TimeoutError:
            return False
        return True

    async def _take(self, batch: Sequence[Received], tried: _Tried) -> None:
        """Take a batch together; in halves when it has more to say about one aggregate than an outbox holds, or the store refuses part of it."""
        try:
            await self._take_together(batch, tried)
        except (Backlog, Unacceptable, ValueError) as error:
            if len(batch) == 1:
                if isinstance(error, Backlog):
                    raise
                await self._park([Parked(batch[0], "refused-by-the-store", type(error).__name__)], tried)
                return
            middle = len(batch) // 2
            await self._take(batch[:middle], tried)
            await self._take(batch[middle:], tried)

    async def _take_together(self, batch: Sequence[Received], tried: _Tried) -> None:
        """Decide, park what was refused, save, publish.

        Parked before anything is saved: once a later event of the same stream is saved, a refused one would look as if it had been applied. What is
        parked stays parked when the batch is begun again; so a refusal must rest on what the store holds, not on what this process remembers.
        """
        work, parked, heard = await self._decide([record for record in batch if _place(record) not in tried.parked], tried, self._recent)
        heard_of = {id(record) for record, _ in heard}
        if work.trusts_memory and any(id(one.record) in heard_of for one in parked):
            self._recent.clear()
            await self._unit.relay.clear()  # what is read now must not hold events that are on the log already
            work, parked, heard = await self._decide([record for record in batch if _place(record) not in tried.parked], tried, None)
        await self._park(parked, tried)
        entries = await self._unit.save(work, self._recent)
        await self._unit.relay.publish(work.pending() if tried.cut_off else entries, self._recent)
        self._count(heard, parked)
        if work.ignored:
            metrics.EVENTS_IGNORED.labels(self._unit.house.name).inc(work.ignored)
            _logger.info("events_ignored", service=self._unit.house.name, topic=self._topic, saves=work.ignored)
        await self._unit.do_effects(work.effects)

    async def _decide(
        self, batch: Sequence[Received], tried: _Tried, recent: Recent | None
    ) -> tuple[Work, list[Parked], list[tuple[Received, Heard]]]:
        work = Work(self._unit.house, recent=recent)
        await work.look_at(tried.inserts)
        parked: list[Parked] = []
        heard = [(record, one) for record, one in self._read_all(batch, parked) if one is not None]
        await self._read_ahead(work, [one.event for _, one in heard])
        for record, one in heard:
            await self._react(work, record, one, parked)
        return work, parked, heard

    def _read_all(self, batch: Iterable[Received], parked: list[Parked]) -> Iterable[tuple[Received, Heard | None]]:
        for record in batch:
            try:
                one = read(record, self._topic)
            except Unreadable as error:
                parked.append(Parked(record, error.reason, str(error)))
                continue
            if one is not None and type(one.event) not in self._reactions:
                metrics.EVENTS_SKIPPED.labels(self._unit.house.name, type(one.event).__name__).inc()
                continue
            yield record, one

    async def _read_ahead(self, work: Work, events: Iterable[Event]) -> None:
        wanted: dict[type[Aggregate], list[str]] = defaultdict(list)
        for event in events:
            reaction = self._reactions[type(event)]
            if isinstance(reaction, Reaction):
                for kind, id_ in reaction.needs(event):
                    wanted[kind].append(id_)
        for kind, ids in wanted.items():
            await work.prefetch(kind, ids)

    async def _react(self, work: Work, record: Received, one: Heard, parked: list[Parked]) -> None:
        reaction = self._reactions[type(one.event)]
        handle = reaction.handle if isinstance(reaction, Reaction) else reaction
        name = f"{self._unit.house.name} hears {type(one.event).__name__}"
        step = None
        try:
            with (
                TRACING.span(name, one.envelope.traceparent, kind=SpanKind.CONSUMER, event=one.envelope.id, subject=one.envelope.subject),
                work.step(one.envelope, seq=one.event.seq if one.event.guarded else 0) as step,
            ):
                await handle(one.event, work)
        except (Unavailable, asyncio.CancelledError):
            raise
        except DomainError as error:
            if step is not None and work.applied_before(step):
                work.ignored += 1
                return
            parked.append(Parked(record, error.code, str(error)))
        except Exception as error:
            _logger.exception("reaction_failed", service=self._unit.house.name, type=one.envelope.type, id=one.envelope.id)
            parked.append(Parked(record, "defect", _trace_hash(error)))

    def _count(self, heard: Sequence[tuple[Received, Heard]], parked: Sequence[Parked]) -> None:
        not_taken = {id(one.record) for one in parked}
        applied = Counter(type(one.event).__name__ for record, one in heard if id(record) not in not_taken)
        now = self._unit.house.clock.now()
        for record, one in heard:
            if one.event.guarded and id(record) not in not_taken:
                metrics.EFFECT_SECONDS.labels(self._unit.house.name).observe(max(0.0, (now - one.envelope.time).total_seconds()))
        for name, count in applied.items():
            metrics.EVENTS_APPLIED.labels(self._unit.house.name, name).inc(count)

    async def _park(self, parked: Sequence[Parked], tried: _Tried) -> None:
        if not parked:
            return
        service, now = self._unit.house.name, self._unit.house.clock.now()
        await self._unit.log.append([dead_letter(one, service, now) for one in parked])
        tried.parked.update(_place(one.record) for one in parked)
        for one in parked:
            metrics.DEAD_LETTERS.labels(service, one.reason).inc()
            _logger.warning(
                "parked",
                service=service,
                topic=one.record.topic,
                partition=one.record.partition,
                offset=one.record.offset,
                reason=one.reason,
            )


def dead_letter(parked: Parked, service: str, now: datetime) -> Record:
    """The record as it came, with why and where from in headers of its own. It goes under the original key, so that one person's stay in order."""
    record = parked.record
    why = {
        "amont_dlq_reason": parked.reason,
        "amont_dlq_detail": parked.detail[:2000],
        "amont_dlq_topic": record.topic,
        "amont_dlq_partition": str(record.partition),
        "amont_dlq_offset": str(record.offset),
        "amont_dlq_at": instant_text(now),
    }
    value = record.value
    if value is not None and len(value) > LARGEST_VALUE:
        why["amont_dlq_truncated_from"] = str(len(value))
        value = value[:LARGEST_VALUE]
    original = tuple((name, value) for name, value in record.headers if not name.startswith("amont_dlq_"))
    headers = (*original, *((name, value.encode()) for name, value in why.items()))
    return Record(topic=dead_letters_of(service), key=record.key.decode("utf-8", "replace"), value=value, headers=headers)


def _trace_hash(error: Exception) -> str:
    """Which defect it was, without what it was about: the type and a hash of where it was raised."""
    frames = "".join(f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__))
    return f"{type(error).__name__} at {hashlib.sha256(frames.encode()).hexdigest()[:16]}"
