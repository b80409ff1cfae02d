"""Staff events through enrolment with every guarantee on, against a bare loop, on the same real Kafka and MongoDB-wire server.

The bare loop is `aiokafka.getmany` + pydantic + `bulk_write` of upserts + commit: no outbox, no guard, no event said, no dead letters. Ours is the
enrolment service as it runs. Both read 20,000 records of about 600 bytes on 10,000 people from four partitions, in batches of at most 500; rates
are taken from the first batch to the last, and the two alternate. The store has the one extra index that this server needs for compare-and-set
(`amont.native.stack.speed_up`); MongoDB needs none.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient, UpdateOne

from amont.common import metrics
from amont.common.clock import SystemClock
from amont.common.documents import store_from
from amont.common.events import StaffRecorded
from amont.common.events.envelope import Envelope
from amont.common.identity import Actor, Privilege
from amont.common.ids import RandomIds, derived
from amont.common.log import Record
from amont.common.log.kafka import KafkaLog, KafkaOptions
from amont.common.log.topics import ensure
from amont.common.service import Parts
from amont.common.testing.hearing import START
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.documents import COLLECTIONS
from amont.native.stack import Stack, speed_up

RECORDS, PEOPLE, ROUNDS = int(os.environ.get("BENCH_RECORDS", "20000")), 10_000, 3
GROUP = Actor("group:bench", "group", frozenset({Privilege.GROUP_COORDINATOR}))


def staff_record(number: int) -> Record:
    """One record; the second of a person changes their job title."""
    person = number % PEOPLE
    body = {
        "tenant": "fr",
        "employee_id": f"e{person}",
        "given_name": "Camille",
        "family_name": f"Martin{person}",
        "email": f"camille.martin{person}@group.example",
        "grade": "C3",
        "job_title": f"Analyst, revision {number // PEOPLE}, of the retail data office",
        "function": "data",
        "business_unit": "retail",
        "team": f"team-{person % 300}",
        "site": "Paris",
        "zone": "Europe/Paris",
        "languages": ["fr", "en"],
        "manager_id": f"e{person // 8}",
        "joined_on": "2020-01-01",
        "effective_at": f"2024-{1 + number // PEOPLE:02d}-01",
        "occurred_at": "2024-01-01T08:00:00Z",
    }
    envelope = Envelope(id=derived("bench", number), type=StaffRecorded.type_name(), source="/hris/fr", subject=f"fr:e{person}", time=START)
    return Record(topic="hris-staff", key=f"fr:e{person}", value=json.dumps(body).encode(), headers=envelope.headers())


class Spent:
    """Seconds inside named calls."""

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


async def bare_loop(kafka: str, store: str) -> float:
    """Records a second of the baseline."""
    client: AsyncMongoClient[Any] = AsyncMongoClient(store)
    people = client[f"bare_{uuid.uuid4().hex[:8]}"]["employees"]
    consumer = AIOKafkaConsumer(
        "hris-staff",
        bootstrap_servers=kafka,
        group_id=f"bare-{uuid.uuid4().hex[:8]}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    done, began = 0, 0.0
    while done < RECORDS:
        batches = await consumer.getmany(timeout_ms=50, max_records=500)
        records = [record for batch in batches.values() for record in batch]
        if not records:
            continue
        began = began or time.perf_counter()
        events = [StaffRecorded.model_validate_json(record.value, extra="ignore") for record in records]
        await people.bulk_write(
            [UpdateOne({"_id": event.subject}, {"$set": event.model_dump(mode="json")}, upsert=True) for event in events], ordered=False
        )
        await consumer.commit({TopicPartition(at.topic, at.partition): batch[-1].offset + 1 for at, batch in batches.items()})
        done += len(records)
    rate = done / (time.perf_counter() - began)
    await consumer.stop()
    await client.close()
    return rate


def applied() -> float:
    samples = [s for metric in metrics.EVENTS_APPLIED.collect() for s in metric.samples if s.name.endswith("_total")]
    return sum(s.value for s in samples if s.labels == {"service": "enrolment", "type": "StaffRecorded"})


async def ours(kafka: str, store_url: str, spent: Spent) -> float:
    """Records a second of the enrolment service."""
    database = f"ours_{uuid.uuid4().hex[:8]}"
    clock = SystemClock()
    store = store_from(store_url, database=database)
    log = KafkaLog(kafka, client_id="bench")
    log.reader = _own_group(log.reader)  # type: ignore[method-assign]
    service = build(Parts(store=store, log=log, clock=clock, ids=RandomIds(clock)))
    speed_up(store_url, database, [one.name for one in COLLECTIONS])
    await service.open()
    await service.run(commands.add_subsidiary, "fr", GROUP, name="France", zone="Europe/Paris", languages=("fr",), grades={"C3": 5})
    for owner, method, name in ((store, "get", "read"), (store, "commit", "write and clear"), (log, "append", "produce")):
        spent.watch(owner, method, name)
    before, began, first = applied(), 0.0, 0.0
    await service.start()
    while (done := applied() - before) < RECORDS:
        if done and not began:
            began, first = time.perf_counter(), done
        await asyncio.sleep(0.002)
    rate = (RECORDS - first) / (time.perf_counter() - began)
    await service.stop()
    return rate


def _own_group(reader: Callable[..., Any]) -> Callable[..., Any]:
    """Each run reads from the beginning."""
    run = uuid.uuid4().hex[:8]
    return lambda group, topic, handler, *, types=(): reader(f"{group}-{run}", topic, handler, types=types)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), java_options=()) as stack:
        kafka = stack.kafka.url.removeprefix("kafka://")
        await ensure(kafka, replication=1, partitions=4, dry_run=False, options=KafkaOptions())
        log = KafkaLog(kafka, client_id="bench")
        for start in range(0, RECORDS, 2000):
            await log.append([staff_record(number) for number in range(start, min(start + 2000, RECORDS))])
        await log.close()
        bare, guarded, spent = [], [], Spent()
        for number in range(ROUNDS + 1):
            both = (await bare_loop(kafka, stack.store.url), await ours(kafka, stack.store.url, spent))
            if number:  # the first round warms the servers
                bare.append(both[0])
                guarded.append(both[1])
                print(
                    f"round {number}: bare loop {both[0]:7,.0f}/s   enrolment {both[1]:7,.0f}/s   ratio {both[1] / both[0]:.0%}", flush=True
                )
            else:
                spent.seconds.clear()
        ratio = statistics.median(g / b for g, b in zip(guarded, bare, strict=True))
        print(f"\nmedian: bare loop {statistics.median(bare):,.0f}/s, enrolment {statistics.median(guarded):,.0f}/s, ratio {ratio:.0%}")
        whole = sum(RECORDS / rate for rate in guarded)
        for name, seconds in sorted(spent.seconds.items(), key=lambda item: -item[1]):
            print(f"  {name:16} {seconds / whole:.0%}")
        print(f"  {'everything else':16} {1 - sum(spent.seconds.values()) / whole:.0%}  (decoding, rules, encoding, fetching, committing)")
