"""Parking: what a service cannot take goes to its dead-letter topic, for good and for anybody, and then into its own store, for people to act on.

First the topic, awaited; then the letters, in a commit of their own; only then may anything else of the batch be saved. A crash in between parks
again: the topic holds the record twice, the store once. The store is also who says which keys are parked, to every replica alike.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import structlog

from amont.common import metrics
from amont.common.aggregate import Decision
from amont.common.documents import AnyOf, Find, Store
from amont.common.errors import Unacceptable
from amont.common.events.topics import TOPICS, dead_letters_of
from amont.common.events.values import instant_text
from amont.common.log import Received, Record
from amont.common.service.letters.letter import LETTERS, DeadLetter, kept_of, lane_of, letter_id, said_in, text_of
from amont.common.service.unit import Unit
from amont.common.tracing import within
from amont.common.work import Work

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that could not be taken, and why; `blocked_by` is the letter it waits behind, when that is all."""

    record: Received
    reason: str
    detail: str
    blocked_by: str | None = None


@dataclass(frozen=True, slots=True)
class First:
    """The first unresolved letter of a key."""

    id: str
    partition: int
    offset: int

    def comes_before(self, record: Received) -> bool:
        """Whether the record must wait for it. What came before a letter does not: it is a redelivery."""
        return self.partition != record.partition or self.offset < record.offset


def in_order(topic: str) -> bool:
    """Whether the records of a topic depend on those before them under the same key: what others write may come in any order."""
    return any(kind.guarded for kind in TOPICS[topic].types)


async def parked_keys(store: Store, topic: str, keys: Iterable[str]) -> dict[str, First]:
    """Which of these keys have unresolved letters, and the first of each. One question when the topic has none at all."""
    if not await store.count_by(LETTERS.name, "blocking", {"blocking": topic}):
        return {}
    lanes = {lane_of(topic, key): key for key in keys}
    parked = await store.count_by(LETTERS.name, "lane", {"blocking": topic, "lane": AnyOf(tuple(lanes))})
    firsts = {lanes[lane]: await first_in(store, lane) for lane in parked}
    return {key: First(one.id, one.partition, one.offset) for key, one in firsts.items() if one is not None}


async def first_in(store: Store, lane: str) -> DeadLetter | None:
    """The first unresolved letter of a lane, None when it flows."""
    found = await store.find(Find(collection=LETTERS.name, where={"lane": lane}, sort="offset", limit=1))
    return LETTERS.load(found[0]) if found else None


async def tell(unit: Unit, parked: Sequence[Parked]) -> None:
    """Put the records on the dead-letter topic; of one that does not fit there, as after it came compressed, where it is to be found. Raises Unavailable."""
    service, now = unit.house.name, unit.house.clock.now()
    letters = [dead_letter(one, service, now) for one in parked]
    try:
        await unit.log.append(letters)
    except Unacceptable:
        if len(parked) > 1:
            for one in parked:
                await tell(unit, [one])
            return
        _logger.warning("dead_letter_cut", service=service, letter=letter_id(parked[0].record))
        await unit.log.append([_pointer(letters[0])])


async def keep(unit: Unit, parked: Sequence[Parked]) -> None:
    """Give each record its letter; one that has a letter keeps it as it is. Raises Unavailable.

    A letter that the store will never take is logged; its record is on the dead-letter topic all the same.
    """
    try:
        await unit.run(park, parked)
    except (Unacceptable, ValueError) as error:
        if len(parked) > 1:
            for one in parked:
                await keep(unit, [one])
            return
        _logger.error("letter_refused_by_the_store", service=unit.house.name, id=letter_id(parked[0].record), reason=type(error).__name__)  # noqa: TRY400


async def park(work: Work, parked: Sequence[Parked]) -> None:
    known = await work.get_many(DeadLetter, [letter_id(one.record) for one in parked])
    for one in parked:
        if letter_id(one.record) in known:
            continue
        work.save(
            Decision(
                DeadLetter.of(
                    one.record,
                    reason=one.reason,
                    detail=one.detail,
                    blocked_by=one.blocked_by,
                    ordered=in_order(one.record.topic),
                    now=work.now,
                )
            )
        )


def note(service: str, parked: Sequence[Parked]) -> None:
    """Count and log what was parked: where it came from and why, never what it says."""
    for one in parked:
        metrics.DEAD_LETTERS.labels(service, one.reason).inc()
        with within(said_in(one.record.headers).get("traceparent")):
            _logger.warning("parked", service=service, letter=letter_id(one.record), reason=one.reason)


def _pointer(letter: Record) -> Record:
    """A dead letter without the record: its key as a digest, no value, and of the headers only where it came from and why."""
    why = tuple((name, value) for name, value in letter.headers if name.startswith("amont_dlq_"))
    return Record(topic=letter.topic, key=sha256(letter.key.encode()).hexdigest(), value=b"", headers=(*why, ("amont_dlq_cut", b"yes")))


def dead_letter(parked: Parked, service: str, now: datetime) -> Record:
    """The record as it came, with why and where from in headers of its own. It goes under the original key, so that one person's stay in order."""
    record = parked.record
    value, truncated_from = kept_of(record.value)
    why: Mapping[str, str] = {
        "amont_dlq_reason": parked.reason,
        "amont_dlq_detail": parked.detail[:2000],
        "amont_dlq_topic": record.topic,
        "amont_dlq_partition": str(record.partition),
        "amont_dlq_offset": str(record.offset),
        "amont_dlq_at": instant_text(now),
        **({} if truncated_from is None else {"amont_dlq_truncated_from": str(truncated_from)}),
    }
    original = tuple((name, value) for name, value in record.headers if not name.startswith("amont_dlq_"))
    headers = (*original, *((name, value.encode()) for name, value in why.items()))
    return Record(topic=dead_letters_of(service), key=text_of(record.key), value=value, headers=headers)
