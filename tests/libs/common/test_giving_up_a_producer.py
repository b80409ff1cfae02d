"""Giving up a Kafka producer in the middle of a request that is tried again, over a broker that never answers.

The first two tests document what aiokafka 0.14 does when its records are failed at that moment: its sender ends by a KeyError in `reenqueue`, or,
when the batch went back into the queue just before, asyncio complains of one in a callback. When they fail, the client was mended, and
`amont.common.log.giving_up` may be simpler.
"""

import asyncio
import gc
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.sender import Sender

from amont.common.errors import Unavailable
from amont.common.log import Record, kafka
from amont.common.log.giving_up import give_up
from amont.common.testing.waiting import until

PLACE = TopicPartition("programmes", 0)
BACK_OFF_MS = 50


class Silent:
    """A client whose broker never answers. Closed, every request gets an error that asks to be tried again."""

    def __init__(self) -> None:
        self.asked = 0
        self._conns: dict[Any, Any] = {}
        self._waiting: list[asyncio.Future[None]] = []

    async def send(self, *_: Any) -> None:
        self.asked += 1
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting

    async def close(self) -> None:
        for one in self._waiting:
            if not one.done():
                one.set_exception(KafkaConnectionError("closed"))

    def force_metadata_update(self) -> "asyncio.Future[None]":
        return asyncio.get_running_loop().create_future()

    async def _maybe_wait_metadata(self) -> None:
        return


class Stuck:
    """The parts of an AIOKafkaProducer, with one batch on its way."""

    def __init__(self) -> None:
        self.client = Silent()
        leader = SimpleNamespace(leader_for_partition=lambda _: 1)
        self._message_accumulator = MessageAccumulator(leader, 1000, 0, 30.0)
        self._sender = Sender(
            self.client,
            acks=-1,
            txn_manager=None,
            message_accumulator=self._message_accumulator,
            retry_backoff_ms=BACK_OFF_MS,
            request_timeout_ms=1000,
        )

    async def with_a_batch(self, place: TopicPartition = PLACE) -> "asyncio.Future[Any]":
        await self._sender.start()
        builder = self._message_accumulator.create_builder()
        builder.append(timestamp=None, key=b"k", value=b"v")
        answer: asyncio.Future[Any] = await self._message_accumulator.add_batch(builder, place, 1.0)
        await until(lambda: self.client.asked == 1)
        return answer

    async def stop(self) -> None:
        await self._sender.close()


async def test_aiokafka_ends_its_sender_by_a_key_error_when_records_fail_that_are_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    producer = Stuck()
    answer = await producer.with_a_batch()
    producer._message_accumulator.fail_all(KafkaError("given up"))
    await producer.client.close()
    sender = producer._sender.sender_task
    await until(sender.done)
    assert isinstance(sender.exception().__cause__, KeyError)
    assert "Unexpected error in sender routine" in caplog.text
    with pytest.raises(KafkaError):
        await answer


async def test_it_trips_over_a_batch_that_went_back_into_the_queue(caplog: pytest.LogCaptureFixture) -> None:
    producer = Stuck()
    answer = await producer.with_a_batch()
    producer._sender.sender_task.cancel()
    await producer.client.close()
    await asyncio.wait([producer._sender.sender_task])
    producer._message_accumulator.fail_all(KafkaError("given up"))
    with pytest.raises(KafkaError):
        await answer
    await until(lambda: "KeyError" in caplog.text)
    del producer, answer
    gc.collect()  # it complains about a future that nobody asked as well


async def test_a_producer_that_is_given_up_ends_without_an_error_and_sends_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    gc.collect()
    caplog.clear()
    producer = Stuck()
    answer = await producer.with_a_batch()
    await give_up(producer)  # type: ignore[arg-type]  # its parts are enough
    with pytest.raises(KafkaError, match="given up"):
        await answer
    assert producer._sender.sender_task.done()
    assert producer.client.asked == 1
    del producer, answer
    gc.collect()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_of_many_calls_that_fail_on_one_producer_one_gives_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an outage every lane and every request fails on the same one at the same moment."""
    given_up: list[object] = []

    async def fails(*_: object) -> None:
        await asyncio.sleep(0)
        raise KafkaError("no answer")

    async def counts(producer: object) -> None:
        given_up.append(producer)

    monkeypatch.setattr(kafka, "_send", fails)
    monkeypatch.setattr(kafka, "give_up", counts)
    log = kafka.KafkaLog("127.0.0.1:1", client_id="test")
    stuck: Any = object()
    log._producer = stuck
    calls = [log.append([Record(topic="t", key="k", value=b"v")]) for _ in range(20)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(one) for one in outcomes} == {Unavailable}
    await log.close()
    assert given_up == [stuck]
