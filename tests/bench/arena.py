"""Where the figures on real servers are made: Kafka and the MongoDB-wire server on loopback, what is fed to them, and the two ways to read it.

The bare loop is `aiokafka.getmany` + pydantic + `bulk_write` of upserts + commit: no outbox, no guard, no event said, no dead letters. The other
is a service as it runs. Both read the same topic from four partitions, from the first record to the last. A rate counts from the first batch that
is done; every run has a database of its own, which goes when it ends, since this server slows down with what it keeps. The store has the one
extra index that this server needs for compare-and-set (`amont.native.stack.speed_up`); MongoDB needs none.
"""

import asyncio
import os
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient, UpdateOne

from amont.common import hosting, memory, metrics
from amont.common.clock import SystemClock
from amont.common.documents import store_from
from amont.common.events.envelope import Event
from amont.common.ids import RandomIds
from amont.common.log import Handler, Reader, Received, Record
from amont.common.log.kafka import KafkaLog, KafkaOptions
from amont.common.log.topics import ensure
from amont.common.service import Parts, Service
from amont.native.stack import Stack, speed_up
from amont.notifications.sending import FolderSender, MailSender

RECORDS = int(os.environ.get("BENCH_RECORDS", "20000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
DRIVER = os.environ.get("BENCH_DRIVER", "motor")
"""The driver of the services' store; the bare loop's is PyMongo's."""
PATIENCE_SECONDS = 600.0
LOOK_SECONDS = 0.02
"""How often the counter is looked at: looking costs processor time too, at low rates as much as an event."""

Begin = Callable[[Service], Awaitable[Any]]
Change = Callable[[Received], Received]


@dataclass(frozen=True, slots=True)
class Run:
    """Events a second by the clock on the wall, and microseconds of this process's processor time for each."""

    rate: float
    cpu: float


class Spent:
    """Seconds inside named calls; several at once count several times."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def watch(self, owner: Any, method: str, name: str) -> None:
        original = getattr(owner, method)

        async def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return await original(*args, **kwargs)
            finally:
                self.seconds[name] += time.perf_counter() - began

        setattr(owner, method, timed)


def applied(service: str) -> float:
    """Events that took effect in a service so far."""
    samples = (sample for metric in metrics.EVENTS_APPLIED.collect() for sample in metric.samples if sample.name.endswith("_total"))
    return sum(sample.value for sample in samples if sample.labels["service"] == service)


@contextmanager
def measured(events: Callable[[], float]) -> Iterator[Callable[[], Run]]:
    """From here on; the function that it gives says what was done since."""
    wall, cpu, first = time.perf_counter(), time.process_time(), events()

    def run() -> Run:
        done = events() - first
        return Run(done / (time.perf_counter() - wall), 1e6 * (time.process_time() - cpu) / done)

    yield run


async def until(service: str, total: float) -> None:
    """Wait until so many events have taken effect in a service."""
    while applied(service) < total:  # noqa: ASYNC110 - a counter tells nobody
        await asyncio.sleep(LOOK_SECONDS)


async def until_applied(service: str, events: int, before: float) -> Run:
    """Wait until so many have taken effect; measured from the first batch on."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await until(service, before + 1)
        with measured(lambda: applied(service)) as run:
            await until(service, before + events)
            return run()


class Arena:
    """The servers, and what can be run on them."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.kafka = stack.kafka.url.removeprefix("kafka://")
        self.store_url = stack.store.url
        self._mails = folder / "mails"

    async def fill(self, records: Iterable[Record]) -> None:
        """Put records on the log."""
        log, left = KafkaLog(self.kafka, client_id="bench"), iter(records)
        while some := list(islice(left, 2000)):
            await log.append(some)
        await log.close()

    async def bare(self, topic: str, kinds: dict[str, type[Event]], events: int) -> Run:
        """The bare loop over a topic; `kinds` by their CloudEvents type."""
        client: AsyncMongoClient[Any] = AsyncMongoClient(self.store_url)
        database = f"bare_{uuid.uuid4().hex[:8]}"
        documents = client[database]["documents"]
        group = f"bare-{uuid.uuid4().hex[:8]}"
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self.kafka, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        done = 0

        async def batch() -> int:
            batches = await consumer.getmany(timeout_ms=50, max_records=500)
            records = [record for batch in batches.values() for record in batch]
            if records:
                heard = [kinds[dict(one.headers)["ce_type"].decode()].model_validate_json(one.value, extra="ignore") for one in records]
                upserts = [UpdateOne({"_id": one.subject}, {"$set": one.model_dump(mode="json")}, upsert=True) for one in heard]
                await documents.bulk_write(upserts, ordered=False)
                await consumer.commit({TopicPartition(at.topic, at.partition): batch[-1].offset + 1 for at, batch in batches.items()})
            return len(records)

        async with asyncio.timeout(PATIENCE_SECONDS):
            while not done:
                done += await batch()
            with measured(lambda: done) as run:
                while done < events:
                    done += await batch()
                result = run()
        await consumer.stop()
        await client.drop_database(database)
        await client.close()
        return result

    @asynccontextmanager
    async def service(
        self, name: str, *, spent: Spent | None = None, change: Change | None = None, only: str | None = None
    ) -> AsyncIterator[Service]:
        """A service on a database of its own, open and not started. It reads every topic (or `only` one) from the beginning; `change` sees each
        record first."""
        database = f"{name}_{uuid.uuid4().hex[:8]}"
        store, log = store_from(self.store_url, database=database, driver=DRIVER), KafkaLog(self.kafka, client_id="bench")
        reader, run = log.reader, uuid.uuid4().hex[:8]

        def own_group(group: str, topic: str, handler: Handler, **more: Any) -> Reader:
            async def changed(batch: Any) -> None:
                await handler([change(record) for record in batch] if change else batch)

            return reader(f"{group}-{run}", topic, changed, **more)

        log.reader = own_group  # type: ignore[method-assign, assignment]
        clock = SystemClock()
        parts = Parts(store=store, log=log, clock=clock, ids=RandomIds(clock), tools={MailSender: FolderSender(self._mails)})
        service = hosting.service_builders()[name](parts)
        speed_up(self.store_url, database, [one.name for one in import_module(f"amont.{name}.documents").COLLECTIONS])
        if only is not None:
            service.consumes = {kind: reaction for kind, reaction in service.consumes.items() if kind.topic == only}
        await service.open()
        if spent is not None:
            for owner, method, what in ((store, "get", "read"), (store, "commit", "write and clear"), (log, "append", "produce")):
                spent.watch(owner, method, what)
        try:
            yield service
        finally:
            await service.stop()
            client: AsyncMongoClient[Any] = AsyncMongoClient(self.store_url)
            await client.drop_database(database)
            await client.close()

    async def run(self, name: str, events: int, *, begin: Begin | None = None, timers: bool = True, **more: Any) -> Run:
        """A service as it runs, over `events` of them. Without `timers`, documents whose time has come wait until the measurement is over."""
        async with self.service(name, **more) as service:
            if begin is not None:
                await begin(service)
            if not timers:
                service.tick = _nothing_due  # type: ignore[method-assign]
            before = applied(name)
            await service.start()
            return await until_applied(name, events, before)


async def _nothing_due() -> int:
    return 0


@asynccontextmanager
async def arena() -> AsyncIterator[Arena]:
    """Servers that have just begun, with every topic."""
    memory.settle()
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), java_options=()) as stack:
        made = Arena(stack, Path(folder))
        await ensure(made.kafka, replication=1, partitions=4, dry_run=False, options=KafkaOptions())
        yield made
