"""A Kafka reader whose commits never succeed: told of at once, and trouble once a broker that answers has refused them for too long."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError

from amont.common.log import kafka_reader
from amont.common.log.kafka import KafkaLog
from amont.common.log.kafka_reader import LOOK_SECONDS, STUCK_SECONDS, KafkaReader
from amont.common.testing.waiting import until

AT = TopicPartition("topic", 0)


class Consumer:
    """One that has a partition and may commit nothing; `away` while nobody answers."""

    def __init__(self) -> None:
        self.tried, self.away, self.refuses = 0, False, True

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset({AT})

    def paused(self) -> frozenset[TopicPartition]:
        return frozenset()

    def resume(self, _: TopicPartition) -> None:
        """It never rests."""

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        if self.away:
            raise KafkaConnectionError
        return dict.fromkeys(partitions, 4)

    async def position(self, _: TopicPartition) -> int:
        return 4

    async def commit(self, _: dict[TopicPartition, int]) -> None:
        self.tried += 1
        if self.refuses:
            raise GroupAuthorizationFailedError


@asynccontextmanager
async def committing(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[KafkaReader, Consumer, Callable[[float], None]]]:
    """A reader with a batch that is handled and cannot be committed, its client, and how time goes on."""

    async def hears(_: Any) -> None:
        return

    monkeypatch.setattr(kafka_reader, "PAUSE_SECONDS", 0.001)
    reader, consumer = KafkaLog("nowhere:9092", client_id="test").reader("group", "topic", hears), Consumer()
    monkeypatch.setattr(reader._subscriber, "consumer", consumer)
    monkeypatch.setattr(type(reader), "alive", True)
    loop = asyncio.get_running_loop()
    present, passed = loop.time, [0.0]

    def go_on(seconds: float) -> None:
        passed[0] += seconds

    monkeypatch.setattr(loop, "time", lambda: present() + passed[0])
    record = cast("Any", SimpleNamespace(topic="topic", partition=0, offset=3, key=b"k", value=b"v", headers=()))
    reader._lanes[AT] = asyncio.create_task(reader._lane(AT, [record], reader._turn, None))
    await until(lambda: consumer.tried > 1)
    yield reader, consumer, go_on
    reader._hurry.set()
    await until(lambda: not reader._lanes)


async def looks(reader: KafkaReader, go_on: Callable[[float], None], seconds: float) -> list[str | None]:
    """What is told until so many seconds have passed."""
    told = []
    for _ in range(int(seconds / LOOK_SECONDS) + 1):
        told.append(await reader.trouble())
        go_on(LOOK_SECONDS + 1)
    return told


async def test_a_commit_that_never_succeeds_is_told_of_once_and_is_trouble_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with structlog.testing.capture_logs() as said:
        async with committing(monkeypatch) as (reader, _, go_on):
            [line] = said
            assert line["event"] == "commit_tried_again"
            assert line["reason"] == "GroupAuthorizationFailedError"
            assert not any(await looks(reader, go_on, STUCK_SECONDS / 2))
            told = await looks(reader, go_on, STUCK_SECONDS / 2)
            assert told[-1] == "partition 0 cannot commit its position for 300 s, though the broker answers"
            assert len(said) == 1


async def test_a_commit_is_no_trouble_while_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with committing(monkeypatch) as (reader, consumer, go_on):
        consumer.away = True
        assert not any(await looks(reader, go_on, 3 * STUCK_SECONDS))
        consumer.away = False  # it has only just come back
        assert not any(await looks(reader, go_on, STUCK_SECONDS / 2))


async def test_a_commit_that_succeeds_in_the_end_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    async with committing(monkeypatch) as (reader, consumer, go_on):
        assert not any(await looks(reader, go_on, STUCK_SECONDS / 2))
        consumer.refuses = False
        await until(lambda: not reader._lanes)
        assert not any(await looks(reader, go_on, 2 * STUCK_SECONDS))
