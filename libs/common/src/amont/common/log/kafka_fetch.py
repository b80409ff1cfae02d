"""Fetching from aiokafka so that a record which it cannot decode stops its own partition, and nothing is skipped.

`AIOKafkaConsumer.getmany` hands out the fetches of several partitions at once and moves their positions one after the other. When it stumbles over a
record of one (a CRC that does not hold, a codec that is not there), what it took from the others before is gone, and their positions are behind it;
called again, it moves behind the record, too. So it is asked for one partition at a time, whose position has not moved when it raises; the position is
then sought anew, which drops what is left of the fetch, and the partition is read record by record until the one that cannot be decoded is the next.
That one is told of. (aiokafka 0.14.0, `consumer/fetcher.py`: `fetched_records`, `FetchResult`, `seek_to`.)
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError, RecordTooLargeError

Raw = ConsumerRecord[bytes | None, bytes | None]
Batch = tuple[Raw, ...]

BATCH = 4000
"""The most records of a partition at once; a fetch that is not compressed brings fewer."""
FETCH_WAIT_MS = 50


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
                await self._back(consumer, at, error, nothing_before=most == 1 and not records)
        else:
            if records:
                self._singly.discard(at)
        return records

    async def _back(self, consumer: AIOKafkaConsumer, at: TopicPartition, error: Exception, *, nothing_before: bool) -> None:
        position = await consumer.position(at)
        if isinstance(error, RecordTooLargeError):  # the one that aiokafka passes by
            position -= 1
        consumer.seek(at, position)
        if nothing_before:
            self._stumbles(at, Unreadable(position, error))
        self._singly.add(at)


async def _anything(consumer: Any) -> None:
    """Wait until something has been fetched, as `getmany` does, which would hand it out."""
    with consumer._subscription.fetch_context():  # noqa: SLF001 - so that a member which has nothing to read is not thought to hang
        fetched = consumer._fetcher._create_fetch_waiter()  # noqa: SLF001 - nothing public waits without taking
        await asyncio.wait([fetched], timeout=FETCH_WAIT_MS / 1000)
    if fetched.done():
        fetched.result()  # or raise what is wrong with the group
    else:
        fetched.cancel()
