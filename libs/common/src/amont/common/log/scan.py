"""A look at a topic from its beginning to where it ends now, without a group: nothing is committed, no reader is disturbed, nothing is made."""

import asyncio
import time
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from amont.common.errors import NotFound, Unavailable
from amont.common.log import BATCH_BYTES, Log, Received
from amont.common.log.kafka import KafkaLog, port_errors
from amont.common.log.kafka_fetch import Fetch, Unreadable, received
from amont.common.log.sqlite import SqliteLog

AT_ONCE = 500
SILENT_SECONDS = 30.0
"""How long Kafka may give nothing of a topic that has more."""


def scan(log: Log, topic: str) -> AsyncIterator[Received]:
    """Every record of a topic, in the order of each key. The log need not be open. Raises Unavailable, also where a record is that no
    client can decode, and NotFound for a topic that is not there.
    """
    if isinstance(log, KafkaLog):
        return _scan_kafka(log, topic)
    if isinstance(log, SqliteLog):
        return _scan_sqlite(log, topic)
    raise TypeError(f"{type(log).__name__} cannot be scanned")


async def _scan_sqlite(log: SqliteLog, topic: str) -> AsyncIterator[Received]:
    if not log.is_there:
        return
    await log.open()
    try:
        offset = 0
        while page := await log.since(topic, offset, AT_ONCE, within=BATCH_BYTES):
            for one in page:
                yield one
            offset = page[-1].offset + 1
    finally:
        await log.close()


async def _scan_kafka(log: KafkaLog, topic: str) -> AsyncIterator[Received]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=log.bootstrap,
        client_id="amont-scan",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **log.options.client_settings(),
    )
    try:
        async with port_errors("connect"):
            await consumer.start()
            await asyncio.sleep(0)  # a task of the client's that was never begun makes its stop raise CancelledError (aiokafka 0.14)
            partitions = await _partitions(log, topic)
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            left = {one for one in partitions if await consumer.position(one) < ends[one]}
        fetch = Fetch(_stumbles)
        heard = time.monotonic()
        while left:
            async with port_errors("read"), asyncio.timeout(SILENT_SECONDS):
                records = await fetch(consumer)
            if records:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENT_SECONDS:
                raise Unavailable(f"Kafka has more of {topic!r}, and has given nothing of it for {SILENT_SECONDS:.0f} seconds.")
            for one in records:
                if one.offset < ends[TopicPartition(topic, one.partition)]:
                    yield received(one)
            async with port_errors("read"):
                left = {one for one in left if await consumer.position(one) < ends[one]}
    finally:
        async with port_errors("close"):
            await consumer.stop()


def _stumbles(at: TopicPartition, unreadable: Unreadable) -> None:
    raise Unavailable(
        f"Record {unreadable.offset} of partition {at.partition} of {at.topic} cannot be decoded by any client ({type(unreadable.error).__name__}). "
        "docs/operations/alerts.md says what to do about it."
    )


async def _partitions(log: KafkaLog, topic: str) -> list[TopicPartition]:
    """Asked of the admin client, which makes no topic by asking."""
    admin = AIOKafkaAdminClient(bootstrap_servers=log.bootstrap, client_id="amont-scan", **log.options.client_settings())
    await admin.start()
    try:
        if topic not in await admin.list_topics():
            raise NotFound("topic", topic)
        (described,) = await admin.describe_topics([topic])
        return [TopicPartition(topic, number) for number in sorted(one["partition"] for one in described["partitions"])]
    finally:
        await admin.close()
