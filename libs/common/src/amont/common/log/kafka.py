"""The event log on Apache Kafka: aiokafka's idempotent producer for writing; reading is in `kafka_reader`. Topics are never created by accident."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RecordTooLargeError,
)
from aiokafka.partitioner import DefaultPartitioner
from faststream.kafka import KafkaBroker
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from faststream.security import BaseSecurity, SASLScram512

from amont.common import metrics
from amont.common.errors import Unacceptable, Unavailable
from amont.common.events.envelope import Event
from amont.common.events.topics import DEAD_LETTER_BYTES
from amont.common.log import Handler, Record
from amont.common.log.giving_up import give_up
from amont.common.log.kafka_reader import KafkaReader

REQUEST_BYTES = 128 * 1024
"""How much goes to one partition in one request, unless one record is larger: readers fetch whole requests, and twice this much at once. With the
client's own 16 KB, 500 events are ten round trips."""
ANSWER_WITHIN_SECONDS = 15.0
"""How long the log may take for one call before it is Unavailable."""

_PARTITIONER = DefaultPartitioner()

_errors = logging.getLogger("amont.faststream")
_errors.setLevel(logging.ERROR)
"""What FastStream catches. What it says below that it says of every batch, or of topics that it is not to create."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaOptions:
    """What the two ends need beside addresses."""

    instance: str | None = None
    """A stable name of this process: static membership, so that a restart within the session time-out moves no partition."""
    session_timeout_ms: int = 30_000
    answer_within_seconds: float = ANSWER_WITHIN_SECONDS
    user: str | None = None
    password: str | None = None

    def security(self) -> BaseSecurity | None:
        """SCRAM over TLS when a user is given."""
        return SASLScram512(self.user, self.password or "", use_ssl=True) if self.user else None

    def client_settings(self) -> dict[str, Any]:
        """The same for a bare aiokafka client."""
        if not self.user:
            return {}
        from aiokafka.helpers import create_ssl_context  # noqa: PLC0415 - only where TLS is spoken

        return {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password or "",
            "ssl_context": create_ssl_context(),
        }


@contextlib.asynccontextmanager
async def port_errors(what: str) -> AsyncIterator[None]:
    """Let nothing of the client out: what it raises becomes Unavailable or Unacceptable."""
    try:
        yield
    except (MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError) as error:
        raise Unacceptable(f"Kafka will not take it ({what}): {type(error).__name__}") from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka does not answer ({what}): {type(error).__name__}") from error


def broker_for(bootstrap: Sequence[str], *, client_id: str, options: KafkaOptions) -> KafkaBroker:
    """A broker that only reads, creates nothing and injects nothing."""
    return KafkaBroker(
        bootstrap,
        client_id=client_id,
        consumer_only=True,
        allow_auto_create_topics=False,
        apply_types=False,
        logger=_errors,
        security=options.security(),
        middlewares=[KafkaPrometheusMiddleware(registry=metrics.REGISTRY)],
    )


class KafkaLog:
    """See the module."""

    port_errors = staticmethod(port_errors)

    def __init__(self, bootstrap: str, *, client_id: str, options: KafkaOptions | None = None) -> None:
        self.options = options or KafkaOptions()
        self.bootstrap = bootstrap.split(",")
        self._client_id = client_id
        self.broker = broker_for(self.bootstrap, client_id=client_id, options=self.options)
        self._producer: AIOKafkaProducer | None = None
        self._closed = False
        self._making = asyncio.Lock()
        self._queueing = asyncio.Lock()
        """Whoever appends first is first in every partition: one may wait there for room, and the next must not pass."""
        self._abandoned: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._closed = False
        async with port_errors("connect"), asyncio.timeout(self.options.answer_within_seconds):
            await self._ready_producer()
            await self.broker.connect()

    async def close(self) -> None:
        self._closed = True
        await self.broker.stop()
        async with self._making:  # or one that is just being made would stay
            producer = self._producer
        if producer is not None:
            try:
                await asyncio.wait_for(producer.flush(), self.options.answer_within_seconds)
            except (KafkaError, OSError, TimeoutError):
                self._abandon(producer)
            else:
                self._producer = None
                await producer.stop()
        if self._abandoned:
            await asyncio.wait(self._abandoned)

    async def ping(self) -> None:
        async with port_errors("ping"), asyncio.timeout(self.options.answer_within_seconds):
            producer = await self._ready_producer()
            await producer.client.fetch_all_metadata()

    async def append(self, records: Sequence[Record]) -> None:
        if not records:
            return
        async with port_errors("append"):
            producer = None
            try:
                async with asyncio.timeout(self.options.answer_within_seconds):  # an idempotent producer itself never gives up
                    producer = await self._ready_producer()
                    await _send(producer, records, self._queueing)
            except (KafkaError, TimeoutError, asyncio.CancelledError):
                if producer is not None:  # it may stay stuck on a fatal error (aiokafka #1017), or say later what nobody waits for
                    self._abandon(producer)
                raise

    async def _ready_producer(self) -> AIOKafkaProducer:
        async with self._making:
            if self._closed:
                raise Unavailable("The connection to Kafka has been closed")
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self.bootstrap,
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=REQUEST_BYTES,
                    max_request_size=DEAD_LETTER_BYTES,
                    request_timeout_ms=int(self.options.answer_within_seconds * 1000),
                    **self.options.client_settings(),
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    def _abandon(self, producer: AIOKafkaProducer) -> None:
        """Use it no more. Who is not the first to say so leaves it to who was; others may have made a new one already."""
        if self._producer is not producer:
            return
        self._producer = None
        ending = asyncio.create_task(give_up(producer), name="end a producer")
        self._abandoned.add(ending)
        ending.add_done_callback(self._abandoned.discard)

    def reader(self, group: str, topic: str, handler: Handler, *, types: Sequence[type[Event]] = ()) -> KafkaReader:
        return KafkaReader(self, group, topic, handler, types)


async def _send(producer: AIOKafkaProducer, records: Sequence[Record], in_turn: asyncio.Lock) -> None:
    """Send all and wait until every one is acknowledged, or until one cannot be.

    By the batch, each partition's own: a future, a lookup and soon a request for each record would cost more than what is sent.
    """
    sent: list[asyncio.Future[Any]] = []
    try:
        async with in_turn:
            for (topic, partition), theirs in (await _by_partition(producer, records)).items():
                for batch in _batches(producer, theirs):
                    sent.append(await producer.send_batch(batch, topic, partition=partition))  # noqa: PERF401 - what was sent must be known when the next fails
        await asyncio.gather(*sent)
    except BaseException:
        for one in sent:
            if not one.cancel() and not one.cancelled():
                one.exception()  # or asyncio complains that nobody asked
        raise


async def _by_partition(producer: AIOKafkaProducer, records: Sequence[Record]) -> Mapping[tuple[str, int], list[Record]]:
    """The records by where their keys belong (the partitioner of every Kafka client), in order."""
    partitions = {topic: sorted(await producer.partitions_for(topic)) for topic in {record.topic for record in records}}
    placed: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        there = partitions[record.topic]
        placed[record.topic, _PARTITIONER(record.key.encode(), there, there)].append(record)
    return placed


def _batches(producer: AIOKafkaProducer, records: Sequence[Record]) -> Iterator[Any]:
    """The records in as many batches as it takes; a record too large for one has one to itself, and the broker decides."""
    batch = producer.create_batch()
    for record in records:
        row = {"key": record.key.encode(), "value": record.value, "timestamp": None, "headers": list(record.headers)}
        if batch.append(**row) is None:  # it is full
            yield batch
            batch = producer.create_batch()
            batch.append(**row)
    yield batch
