"""What ends a process, and what a Kafka reader tells its watchdog, where no server is needed to show it."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from amont.common import hosting, metrics
from amont.common.errors import Unavailable
from amont.common.log import Received, kafka_reader
from amont.common.log.kafka import KafkaLog
from amont.common.log.kafka_reader import STILL_SECONDS, KafkaReader

STUCK = """
import asyncio, contextlib
from fastapi import FastAPI
from amont.common import hosting

hosting.GIVE_UP_SECONDS = 0.2

def make(fail):
    @contextlib.asynccontextmanager
    async def lifespan(_):
        asyncio.get_running_loop().call_soon(fail)
        yield
        await asyncio.Event().wait()
    return FastAPI(lifespan=lifespan)

hosting.serve(make, hosting.listen("127.0.0.1", 0))
"""
AT = TopicPartition("enrolment-employees", 0)


def test_a_process_that_must_end_and_cannot_end_in_order_ends_all_the_same() -> None:
    ended = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, timeout=60, check=False)
    assert ended.returncode == 1


async def test_a_watchdog_that_fails_itself_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody watches then, so nobody can say that it still reads."""

    async def watch() -> dict[str, str]:
        raise ZeroDivisionError

    monkeypatch.setattr(hosting, "WATCH_SECONDS", 0.0)
    ended: list[bool] = []
    await hosting._watch([SimpleNamespace(name="matching", watch=watch)], lambda: ended.append(True))  # type: ignore[list-item]
    assert ended == [True]


class Consumer:
    """A client in the middle of a partition of five records. `silent` it does not say where it reads."""

    silent = False

    async def position(self, _: TopicPartition) -> int:
        if self.silent:
            await asyncio.Event().wait()
        return 5

    async def end_offsets(self, of: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(of, 5)

    async def commit(self, _: Any) -> None:
        return

    def assignment(self) -> set[TopicPartition]:
        return {AT}

    def paused(self) -> set[TopicPartition]:
        return set()

    def pause(self, _: TopicPartition) -> None:
        return

    resume = pause

    def seek(self, _: TopicPartition, __: int) -> None:
        return


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> Consumer:
    made = Consumer()
    monkeypatch.setattr(KafkaReader, "_consumer", made)
    return made


def reader(handler: Any, group: str) -> KafkaReader:
    return KafkaLog("127.0.0.1:1", client_id="test").reader(group, AT.topic, handler)


async def nothing(_: Sequence[Received]) -> None:
    return


async def test_a_client_that_does_not_say_where_it_reads_stands_still(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_reader, "POSITION_SECONDS", 0.01)
    reads = reader(nothing, "matching-silent")
    assert await reads._lag(100.0) is None
    assert await reads._lag(100.0 + STILL_SECONDS) is None, "it has read everything"
    consumer.silent = True
    assert await reads._lag(200.0) is None
    assert await reads._lag(200.0 + STILL_SECONDS) == "partition 0 lags and has not moved for 60 s"


async def test_partitions_that_rest_are_counted_until_they_are_taken(consumer: Consumer) -> None:
    assert consumer.assignment() == {AT}
    away = True

    async def handle(_: Sequence[Received]) -> None:
        if away:
            raise Unavailable("the store is away")

    reads = reader(handle, "matching-resting")
    reads._hurry.set()
    record: Any = SimpleNamespace(topic=AT.topic, partition=0, offset=4, key=b"k", value=b"v", headers=())

    async def take() -> float | None:
        reads._began[AT] = 0.0
        reads._lanes[AT] = lane = asyncio.create_task(reads._lane(AT, [record], 0, None))
        await lane
        return metrics.REGISTRY.get_sample_value("amont_partitions_resting", {"group": "matching-resting"})

    assert await take() == 1
    assert await take() == 1
    away = False
    assert await take() == 0
