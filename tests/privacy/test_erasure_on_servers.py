"""The same on real servers, each service a process of its own: what stays on Kafka, and that it stays no longer than the page of privacy says."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.privacy.planted import COORDINATOR, EMPLOYEE_ID, GROUP, NAMES, PERSON, files_under, hits, lived
from tests.support.house import House, until

from amont.common.erasing import FORGOTTEN_AFTER
from amont.common.events.topics import SERVICES, TOPICS
from amont.common.log import Record
from amont.common.log.scan import scan
from amont.native.stack import Stack, available

COMPACTS_AT_ONCE = {
    "log.roll.ms": "1000",
    "log.cleaner.backoff.ms": "500",
    "log.cleaner.min.cleanable.ratio": "0.0",
    "log.cleaner.max.compaction.lag.ms": "1000",
    "log.cleaner.delete.retention.ms": "0",
}
"""What takes a broker days by its defaults."""
OTHER_KEYS = 60
"""Enough to begin a new segment in each partition: the one that is written to is never compacted."""


class Served:
    """A house as a `World`."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def done(self, method: str, path: str, who: str, body: Any = None) -> Any:
        _, service, rest = path.split("/", 2)
        person, _, roles = who.partition("|")
        async with self.house.client(service, quote(person, safe=":"), roles) as client:
            answer = await client.request(method, quote(f"/{rest}", safe="/?=&:%"), json=body)
        assert answer.is_success, f"{method} {path} as {who}: {answer.status_code} {answer.text}"
        return answer.json()

    async def makes_user(self, tenant: str, token: str, user: Any) -> None:
        async with self.house.client("enrolment", "nobody") as client:
            where = client.base_url.copy_with(path=f"/scim/{tenant}/v2/Users")
            answer = await client.post(where, headers={"Authorization": f"Bearer {token}"}, json=user)
        assert answer.is_success, answer.text

    async def every(self, path: str, who: str) -> list[Any]:
        page = await self.done("GET", path, who)
        assert page["next"] is None
        return list(page["items"])

    async def hears(self, records: Iterable[Record]) -> None:
        await self.house.append(records)
        await self.settle()

    async def passes(self, time: timedelta) -> None:
        self.house.passes(time)
        await self.settle()

    async def settle(self) -> None:
        await self.house.settled()


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[Served]:
    with Stack(kafka_settings=COMPACTS_AT_ONCE) as stack:
        house = House(folder, log_url=stack.kafka.url, store_url=stack.store.url)
        try:
            yield Served(await house.start())
        finally:
            await house.stop()


async def documents(house: House) -> dict[str, bytes]:
    collections = {name: [*mine, "dead_letters"] for name, mine in (await house.collections()).items()}
    return {
        f"{name}/{collection}/{one['_id']}": json.dumps(one, ensure_ascii=False).encode()
        for name, mine in collections.items()
        for collection in mine
        for one in await house.everything(name, collection)
    }


async def topics(house: House) -> dict[str, bytes]:
    """Everything that can be read from each."""
    found = {}
    for topic in TOPICS:
        records = [record async for record in scan(house.log, topic)]
        parts = [part for one in records for part in (one.key, one.value, *(value for _, value in one.headers)) if part]
        found[topic] = b"\n".join(parts)
    return found


async def compacted(house: House) -> None:
    """Until nothing is left under her key. Other keys move every partition on to another segment."""
    others = [Record(topic="enrolment-employees", key=f"zz:{number}", value=None) for number in range(OTHER_KEYS)]

    async def is_gone() -> bool:
        await house.append(others)
        return EMPLOYEE_ID.encode() not in (await topics(house))["enrolment-employees"]

    await until(is_gone, within=300, what="the broker has compacted enrolment-employees")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What there was before she was erased, right after, and in the end."""

    before: dict[str, bytes]
    cleared: dict[str, bytes]
    certificate: dict[str, Any]
    forgotten: dict[str, bytes]
    topics_forgotten: dict[str, bytes]
    mails: bytes
    logs: bytes


def erased() -> Seen | None:
    """What comes of her erasure; None when this machine has no servers."""
    if available() is not None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_erased(Path(folder)))


async def _erased(folder: Path) -> Seen:
    async with world(folder) as served:
        house = served.house
        await lived(served)
        before = await documents(house)
        answer = await served.done("POST", f"/enrolment/employees/{PERSON}/erase", COORDINATOR, {"reason": NAMES[6]})
        for _ in range(8):
            await served.passes(timedelta(seconds=10))
        cleared = await documents(house)
        for time in (timedelta(hours=2), FORGOTTEN_AFTER, *[timedelta(hours=1), timedelta(seconds=10)] * 3):
            await served.passes(time)
        certificate = await served.done("GET", f"/enrolment/erasures/{answer['reference']}", GROUP)
        forgotten = await documents(house)
        await compacted(house)
        return Seen(
            before=before,
            cleared=cleared,
            certificate=certificate,
            forgotten=forgotten,
            topics_forgotten=await topics(house),
            mails=b"".join(files_under(house.mails).values()),
            logs=house.said().encode(),
        )


@pytest.mark.beside.with_args(erased)
def test_on_kafka_and_mongodb_only_topics_that_expire_hold_anything_of_her_in_the_end(played: Seen | None) -> None:
    if played is None:
        pytest.skip(available() or "")
    assert {where.split("/")[0] for where, _ in hits(played.before, [PERSON])} == set(SERVICES)
    assert hits(played.cleared, [*NAMES[:3], *NAMES[4:6]]) == []
    assert played.certificate["stage"] == "forgotten"
    assert hits(played.forgotten, [*NAMES, EMPLOYEE_ID]) == []
    left = {topic for topic, _ in hits(played.topics_forgotten, [*NAMES, EMPLOYEE_ID])}
    named = {topic for topic, _ in hits(played.topics_forgotten, NAMES[:3])}
    assert named == {"hris-staff", "dlq-enrolment"}
    assert [topic for topic in left if TOPICS[topic].compacted] == []
    assert max(TOPICS[topic].retention_days for topic in left - {"dlq-enrolment"}) < FORGOTTEN_AFTER.days
    assert hits({"mails": played.mails}, [*NAMES, EMPLOYEE_ID]) == []
    assert hits({"logs": played.logs}, [*NAMES[:3], *NAMES[4:]]) == []
