r"""Reading past a header whose name is not UTF-8, which no producer is kept from sending and aiokafka does not decode: as `nom\xe9`.

One such record stops its partition, and none behind it in the same batch can be read. Read as here it is what any other bad record is, and is parked.
The batch is asked for once more, since aiokafka lets nobody see the bytes of what it has fetched, and read by its own decoder in Python
(aiokafka 0.14.0, `record/default_records.py`: `_DefaultRecordBatchPy._read_msg`).
"""

from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

WAIT_MS = 500
BYTES = 1
"""The broker gives one batch, whatever its size."""


class _Bytes(bytearray):
    """Of which every slice decodes."""

    def __getitem__(self, key: Any) -> Any:
        got = super().__getitem__(key)
        return _Bytes(got) if isinstance(key, slice) else got

    def decode(self, *_: Any) -> str:
        return super().decode("utf-8", "backslashreplace")


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc]  # final to who reads it only
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Bytes(self._buffer)


class _Records(_MemoryRecordsPy):  # type: ignore[misc]
    def next_batch(self, *_: Any) -> Any:
        piece = self._next_slice
        self._cache_next()
        if piece is None or piece[self.MAGIC_OFFSET] < 2:
            raise CorruptRecordException("no batch of records with headers")
        return _Batch(piece)


async def batch_at(consumer: Any, at: TopicPartition, position: int) -> tuple[list[Any], int]:
    """The records from a position to the end of their batch, and the position behind it. Raises KafkaError."""
    client = consumer._client  # noqa: SLF001 - there is no other way to the bytes
    request = FetchRequest(WAIT_MS, 1, BYTES, READ_UNCOMMITTED, [(at.topic, [(at.partition, position, BYTES)])], rack_id="")
    response = await client.send(client.cluster.leader_for_partition(at), request)
    [(_, [(_, code, _, *_, data)])] = response.topics
    if code:
        raise for_code(code)
    read = PartitionRecords(at, _Records(data), [], position, None, None, True, READ_UNCOMMITTED)
    return list(read), read.next_fetch_offset
