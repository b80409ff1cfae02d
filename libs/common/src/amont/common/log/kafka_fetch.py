"""Fetching from aiokafka so that a record which it cannot decode stops its own partition, and nothing is skipped.

`AIOKafkaConsumer.getmany` hands out the fetches of several partitions at once and moves their positions one after the other. When it stumbles over a
record of one (a CRC that does not hold, a codec that is not there), what it took from the others before is gone, and their positions are behind it;
called again, it moves behind the record, too. So it is asked for one partition at a time, whose position has not moved when it raises; the position is
then sought anew, which drops what is left of the fetch, and the partition is read record by record until the one that cannot be decoded is the next.
That one is told of, unless it can be read otherwise (`kafka_names`). (aiokafka 0.14.0, `consumer/fetcher.py`: `fetched_records`, `FetchResult`, `seek_to`.)
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError, RecordTooLargeError

from amont.common.log import BATCH_BYTES, Received
from amont.common.log.kafka_names import batch_at

Raw = ConsumerRecord[bytes | None, bytes | None]
Batch = tuple[Raw, ...]

BATCH = 4000
"""The most records of a partition at once; a fetch that is not compressed brings fewer."""
FETCH_WAIT_MS = 50
NOWHERE = TopicPartition("", -1)
OTHERWISE_SECONDS = 5.0
"""How long the others wait, at most, for a batch that is asked for once more."""


class Unreadable(NamedTuple):
    """In the place of a record that cannot be decoded. Where no record is told from another, that is the first of those."""

    offset: int
    error: Exception


class Fetch:
    """What FastStream calls for the next batch, in the place of its subscriber's `get_msg`. `stumbles` is told what is next and cannot be decoded."""

    def __init__(self, stumbles: Callable[[TopicPartition, Unreadable], None]) -> None:
        self._stumbles = stumbles
        self._singly: set[TopicPartition] = set()
        """Partitions that are read record by record."""

    async def __call__(self, consumer: AIOKafkaConsumer) -> Batch:
        """Whatever has been fetched; nothing when nothing is within a moment. Raises what concerns no partition: KafkaError, ConsumerStoppedError."""
        await consumer.getmany(NOWHERE, timeout_ms=0)  # which raises what is wrong with the group before anything is taken
        records = [record for at in sorted(consumer.assignment()) for record in await self._of(consumer, at)]
        if not records:
            await _anything(consumer)
        return tuple(records)

    async def _of(self, consumer: AIOKafkaConsumer, at: TopicPartition) -> list[Raw]:
        """What has been fetched of a partition, up to what cannot be decoded."""
        records: list[Raw] = []
        most = 1 if at in self._singly else BATCH
        try:
            while len(records) < BATCH:
                got = await consumer.getmany(at, timeout_ms=0, max_records=most)
                if at not in got:
                    break
                records += got[at]
                if most == BATCH:
                    return records
        except ConsumerStoppedError:
            raise
        except Exception as error:
            with contextlib.suppress(IllegalStateError, KafkaError):  # it may have become somebody else's
                position = await self._back(consumer, at, error)
                if most == 1 and not records:
                    return await self._otherwise(consumer, at, Unreadable(position, error))
        else:
            if records:
                self._singly.discard(at)
        return records

    async def _back(self, consumer: AIOKafkaConsumer, at: TopicPartition, error: Exception) -> int:
        """Drop what is left of the fetch; where it stumbled, at the earliest."""
        position = await consumer.position(at)
        if isinstance(error, RecordTooLargeError):  # the one that aiokafka passes by
            position -= 1
        consumer.seek(at, position)
        self._singly.add(at)
        return int(position)

    async def _otherwise(self, consumer: AIOKafkaConsumer, at: TopicPartition, unreadable: Unreadable) -> list[Raw]:
        """The rest of the batch, if only the name of a header cannot be decoded."""
        records: list[Raw] = []
        end = unreadable.offset
        if isinstance(unreadable.error, UnicodeDecodeError):
            with contextlib.suppress(Exception):  # then it rests, as others do
                async with asyncio.timeout(OTHERWISE_SECONDS):
                    records, end = await batch_at(consumer, at, unreadable.offset)
            if await consumer.position(at) != unreadable.offset:
                return []  # what is before it has been given back meanwhile, or the partition was somebody else's
        if records:
            consumer.seek(at, end)
        else:
            self._stumbles(at, unreadable)
        return records


def received(record: Raw | Unreadable) -> Received:
    """A record as handlers have it. Raises what there was to say of one that cannot be decoded."""
    if isinstance(record, Unreadable):
        raise record.error
    return Received(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key or b"",
        value=record.value,
        headers=tuple(record.headers),
    )


def pieces(records: Sequence[Raw | Unreadable]) -> Iterator[Sequence[Raw | Unreadable]]:
    """The records in pieces of BATCH_BYTES at most, or of one larger record: of a compressed fetch only the broker's bytes are limited."""
    begin = held = 0
    for at, record in enumerate(records):
        size = _size(record)
        if at > begin and held + size > BATCH_BYTES:
            yield records[begin:at]
            begin, held = at, 0
        held += size
    yield records[begin:]


def _size(record: Raw | Unreadable) -> int:
    if isinstance(record, Unreadable):
        return 0
    return len(record.key or b"") + len(record.value or b"") + sum(len(name) + len(value or b"") for name, value in record.headers)


async def _anything(consumer: Any) -> None:
    """Wait until something has been fetched, as `getmany` does, which would hand it out."""
    fetched = consumer._fetcher._create_fetch_waiter()  # noqa: SLF001 - nothing public waits without taking
    await asyncio.wait([fetched], timeout=FETCH_WAIT_MS / 1000)
    if fetched.done():
        fetched.result()  # or raise what is wrong with the group
    else:
        fetched.cancel()
