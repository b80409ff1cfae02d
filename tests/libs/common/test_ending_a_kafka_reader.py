"""How a Kafka reader ends when its client ends oddly, and when it is cut off at the last moment. Both were found by seeds of `tests/simulation/kafka`."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition

from amont.common.errors import Unavailable
from amont.common.log import Received
from amont.common.log.kafka import KafkaLog
from amont.common.log.kafka_reader import KafkaReader


async def hears(_: Sequence[Received]) -> None:
    return


async def nothing() -> None:
    return


@pytest.fixture
async def reader() -> KafkaReader:
    return KafkaLog("nowhere:9092", client_id="test").reader("group", "topic", hears)


async def test_a_start_that_fails_says_so_whatever_its_client_makes_of_its_own_tasks(
    reader: KafkaReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiokafka waits for a heartbeat that it has cancelled before it began: a start that ended in that was no failure to anybody, and none came after it."""

    async def takes_too_long() -> None:
        raise TimeoutError

    async def cancelled_by_nobody() -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(reader._log, "ping", nothing)
    monkeypatch.setattr(reader._subscriber, "start", takes_too_long)
    monkeypatch.setattr(reader._subscriber, "stop", cancelled_by_nobody)
    with pytest.raises(Unavailable):
        await reader.start()


async def test_a_start_that_is_cancelled_is_cancelled(reader: KafkaReader, monkeypatch: pytest.MonkeyPatch) -> None:
    began = asyncio.Event()

    async def stops_for_long() -> None:
        began.set()
        await asyncio.Event().wait()

    async def takes_too_long() -> None:
        raise TimeoutError

    monkeypatch.setattr(reader._log, "ping", nothing)
    monkeypatch.setattr(reader._subscriber, "start", takes_too_long)
    monkeypatch.setattr(reader._subscriber, "stop", stops_for_long)
    starting = asyncio.create_task(reader.start())
    await began.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_a_stop_that_is_cut_off_as_its_last_lane_ends_is_cut_off(reader: KafkaReader) -> None:
    at = TopicPartition("topic", 0)
    may_end = asyncio.Event()

    async def lane() -> bool:
        await may_end.wait()
        stopping.cancel()
        del reader._lanes[at]
        return True

    reader._lanes[at] = asyncio.create_task(lane())
    stopping = asyncio.create_task(reader.stop())
    await asyncio.sleep(0)  # it waits for the lane
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await stopping
