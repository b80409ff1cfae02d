"""A sender of staff records that speaks Kafka otherwise than we do: packed batches, and headers whose names are not UTF-8. What it sends is to be taken."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.record.default_records import DefaultRecordBase, _DefaultRecordBatchBuilderPy

from amont.common.log import Record
from amont.common.log.kafka import port_errors

BATCH_BYTES = 1 << 20
_PARTITIONER = DefaultPartitioner()


class Latin(str):
    """A header's name as some producer writes it."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return super().encode("latin-1")


ODD_HEADER = (Latin("prénom"), b"\xff")


async def send_oddly(bootstrap: str, records: Sequence[Record]) -> None:
    """Send all and wait until each is acknowledged; in order within a partition. Raises Unavailable, and any part may then have been sent."""
    async with port_errors("append"), AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", request_timeout_ms=10_000) as producer:
        placed: dict[tuple[str, int], list[Record]] = defaultdict(list)
        for record in records:
            partitions = sorted(await producer.partitions_for(record.topic))
            placed[record.topic, _PARTITIONER(record.key.encode(), partitions, partitions)].append(record)
        for (topic, partition), theirs in placed.items():
            await (await producer.send_batch(packed(producer, theirs), topic, partition=partition))


def packed(producer: AIOKafkaProducer, records: Sequence[Record]) -> Any:
    """One gzip batch, in which every third record has such a header."""
    batch = producer.create_batch()
    batch._builder = _DefaultRecordBatchBuilderPy(2, DefaultRecordBase.CODEC_GZIP, 0, -1, -1, 0, BATCH_BYTES)  # type: ignore[assignment]  # the one in C refuses such a name
    for number, record in enumerate(records):
        headers = [*record.headers, *([ODD_HEADER] if number % 3 == 0 else [])]
        taken = batch.append(key=record.key.encode(), value=record.value, timestamp=None, headers=headers)
        assert taken is not None, "a burst is to fit into one batch"
    return batch
