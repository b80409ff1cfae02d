"""The event log on Apache Kafka: FastStream's batch subscribers for reading, aiokafka's idempotent producer for writing.

FastStream's defaults lose records (measured; `docs/decisions/0003`), so it is used in the one way that does not: batches of raw records, a parser
of ours that touches neither keys nor headers (its own one raises on a header that is not UTF-8, and the batch would be skipped), manual
acknowledgement, explicit `{partition: offset + 1}` commits after the effect, one worker, from the earliest record, topics never created by accident.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

import structlog
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RecordTooLargeError,
)
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from faststream.security import BaseSecurity, SASLScram512

from amont.common import metrics
from amont.common.errors import Unacceptable, Unavailable
from amont.common.events.envelope import Event
from amont.common.events.topics import DEAD_LETTER_BYTES
from amont.common.log import Handler, Received, Record

BATCH = 500
FETCH_WAIT_MS = 50
PAUSE_SECONDS = 1.0
"""How long a reader rests after a batch that it had to give back."""
ANSWER_WITHIN_SECONDS = 15.0
"""How long the log may take for one call before it is Unavailable."""

Raw = ConsumerRecord[bytes | None, bytes | None]
Batch = tuple[Raw, ...]

_logger = structlog.get_logger(__name__)


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
async def _port_errors(what: str) -> AsyncIterator[None]:
    """Let nothing of the client out."""
    try:
        yield
    except (MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError) as error:
        raise Unacceptable(f"Kafka will not take it ({what}): {type(error).__name__}") from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka does not answer ({what}): {type(error).__name__}") from error


async def _raw(batch: Batch) -> KafkaMessage:
    """FastStream's message around a batch, with nothing decoded."""
    return KafkaMessage(raw_message=batch, body=b"", headers={}, path={}, message_id="", correlation_id="", consumer=FAKE_CONSUMER)


async def _as_it_is(message: KafkaMessage) -> Any:
    return message.raw_message


def broker_for(bootstrap: Sequence[str], *, client_id: str, options: KafkaOptions) -> KafkaBroker:
    """A broker that only reads, creates nothing and injects nothing."""
    return KafkaBroker(
        bootstrap,
        client_id=client_id,
        consumer_only=True,
        allow_auto_create_topics=False,
        apply_types=False,
        logger=None,
        security=options.security(),
        middlewares=[KafkaPrometheusMiddleware(registry=metrics.REGISTRY)],
    )


class KafkaLog:
    """See the module."""

    def __init__(self, bootstrap: str, *, client_id: str, options: KafkaOptions | None = None) -> None:
        self.options = options or KafkaOptions()
        self._bootstrap = bootstrap.split(",")
        self._client_id = client_id
        self.broker = broker_for(self._bootstrap, client_id=client_id, options=self.options)
        self._producer: AIOKafkaProducer | None = None
        self._making = asyncio.Lock()
        self._abandoned: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        async with _port_errors("connect"), asyncio.timeout(self.options.answer_within_seconds):
            await self._ready_producer()
            await self.broker.connect()

    async def close(self) -> None:
        await self.broker.stop()
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.flush(), self.options.answer_within_seconds)
            except (KafkaError, OSError, TimeoutError):
                self._abandon(producer)
            else:
                await producer.stop()
        if self._abandoned:
            await asyncio.wait(self._abandoned)

    async def ping(self) -> None:
        async with _port_errors("ping"), asyncio.timeout(self.options.answer_within_seconds):
            producer = await self._ready_producer()
            await producer.client.fetch_all_metadata()

    async def append(self, records: Sequence[Record]) -> None:
        if not records:
            return
        async with _port_errors("append"):
            producer = None
            try:
                async with asyncio.timeout(self.options.answer_within_seconds):  # an idempotent producer itself never gives up
                    producer = await self._ready_producer()
                    await _send(producer, records)
            except (KafkaError, TimeoutError):
                if producer is not None:
                    self._abandon(producer)  # it may stay stuck on a fatal error (aiokafka #1017): begin afresh
                raise

    async def _ready_producer(self) -> AIOKafkaProducer:
        async with self._making:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap,
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
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
        """Use it no more. Others may have made a new one already."""
        if self._producer is producer:
            self._producer = None
        ending = asyncio.create_task(_end(producer), name="end a producer")
        self._abandoned.add(ending)
        ending.add_done_callback(self._abandoned.discard)

    def reader(self, group: str, topic: str, handler: Handler, *, types: Sequence[type[Event]] = ()) -> "KafkaReader":
        return KafkaReader(self, group, topic, handler, types)


async def _send(producer: AIOKafkaProducer, records: Sequence[Record]) -> None:
    """Send all and wait until every one is acknowledged, or until one cannot be."""
    sent: list[asyncio.Future[Any]] = []
    try:
        for record in records:
            headers = list(record.headers)
            sent.append(await producer.send(record.topic, value=record.value, key=record.key.encode(), headers=headers))
        await asyncio.gather(*sent)
    except BaseException:
        for one in sent:
            if not one.cancel() and not one.cancelled():
                one.exception()  # or asyncio complains that nobody asked
        raise


async def _end(producer: AIOKafkaProducer) -> None:
    """End a producer that may still hold records: they must not reach the log after what is sent next, so it may not flush."""
    given_up = KafkaError("the producer was given up")
    with contextlib.suppress(Exception):
        producer._message_accumulator.fail_all(given_up)  # noqa: SLF001 - `stop` alone would wait for the records for ever
        await producer.client.close()  # what is in flight ends at once
        await asyncio.wait_for(producer.stop(), ANSWER_WITHIN_SECONDS)
    with contextlib.suppress(Exception):
        await producer.client.close()


class KafkaReader:
    """One subscription: FastStream fetches, the handler takes, positions are committed one by one."""

    def __init__(self, log: KafkaLog, group: str, topic: str, handler: Handler, types: Sequence[type[Event]]) -> None:
        self._group, self._topic, self._handler = group, topic, handler
        self._busy = asyncio.Lock()
        self._stopping = False
        options = log.options
        self._answer_within = options.answer_within_seconds
        self._subscriber = log.broker.subscriber(
            topic,
            batch=True,
            group_id=group,
            group_instance_id=f"{options.instance}-{group}" if options.instance else None,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            max_records=BATCH,
            batch_timeout_ms=FETCH_WAIT_MS,
            session_timeout_ms=options.session_timeout_ms,
            heartbeat_interval_ms=max(500, options.session_timeout_ms // 10),
            parser=_raw,
            decoder=_as_it_is,
            title=topic,
        )
        self._subscriber(self._described(types))

    def _described(self, types: Sequence[type[Event]]) -> Any:
        """The function FastStream calls, annotated with what is on the topic: the AsyncAPI document is read off it."""

        async def hear(batch: Any) -> None:
            await self._take(batch)

        one: Any = Union[tuple(types)] if types else Any  # noqa: UP007 - made at run time
        hear.__annotations__ = {"batch": list.__class_getitem__(one), "return": None}
        hear.__name__ = f"hear_{self._topic.replace('-', '_')}"
        return hear

    async def start(self) -> None:
        self._stopping = False
        async with _port_errors("subscribe"):
            try:
                async with asyncio.timeout(self._answer_within):
                    await self._subscriber.start()
            except BaseException:
                await self._subscriber.stop()
                raise

    async def stop(self) -> None:
        self._stopping = True
        async with self._busy:
            pass  # what is in hand is done now; FastStream waits for its own next call, so it must not find us busy
        await self._subscriber.stop()

    @property
    def alive(self) -> bool:
        tasks = getattr(self._subscriber, "tasks", [])
        return bool(tasks) and not all(task.done() for task in tasks)

    async def _take(self, batch: Batch) -> None:
        """Hand a batch over and commit behind it. Nothing leaves this function: FastStream would swallow it and fetch the next batch."""
        async with self._busy:
            if self._stopping:
                return
            try:
                await self._handler([_received(record) for record in batch])
            except Unavailable as error:
                _logger.warning("batch_given_back", topic=self._topic, group=self._group, records=len(batch), reason=str(error))
                await self._give_back(batch)
            except Exception:
                _logger.exception("batch_failed", topic=self._topic, group=self._group, records=len(batch))
                await self._give_back(batch)
            else:
                await self._commit(batch)

    async def _commit(self, batch: Batch) -> None:
        ends: dict[TopicPartition, int] = defaultdict(int)
        for record in batch:
            partition = TopicPartition(record.topic, record.partition)
            ends[partition] = max(ends[partition], record.offset + 1)
        try:
            async with asyncio.timeout(self._answer_within):
                await self._consumer.commit(dict(ends))
        except (CommitFailedError, IllegalStateError, KafkaError, TimeoutError) as error:
            # The group has moved on, or the broker is away: what was applied comes again and is recognised.
            _logger.warning("commit_failed", topic=self._topic, group=self._group, reason=type(error).__name__)

    async def _give_back(self, batch: Batch) -> None:
        """Go back to where the batch began, in every partition that is still ours."""
        begins: Mapping[TopicPartition, int] = {
            partition: min(record.offset for record in batch if (record.topic, record.partition) == partition)
            for partition in {TopicPartition(record.topic, record.partition) for record in batch}
        }
        for partition, offset in begins.items():
            with contextlib.suppress(IllegalStateError):
                self._consumer.seek(partition, offset)
        await asyncio.sleep(PAUSE_SECONDS)

    @property
    def _consumer(self) -> Any:
        return self._subscriber.consumer


def _received(record: Raw) -> Received:
    return Received(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key or b"",
        value=record.value,
        headers=tuple(record.headers),
    )
