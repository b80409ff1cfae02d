"""The services as processes, for tests: started, killed, asked over HTTP, and watched until they have nothing left to do."""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from tests.support.nursery import Child, nursery

from amont.common.documents import AtMost, Find, Store, store_from
from amont.common.events.topics import SERVICES, TOPICS
from amont.common.events.values import instant_text
from amont.common.log import Log, Record, log_from
from amont.common.log.kafka import KafkaOptions
from amont.common.log.sqlite import SqliteLog
from amont.common.log.topics import ensure
from amont.common.testing.dying import aim
from amont.common.testing.hearing import START
from amont.native.ports import free_ports

READERS = [(f"{service}-{topic.name}", topic.name) for topic in TOPICS.values() for service in sorted(topic.consumers & set(SERVICES))]
"""Every group there is, and the topic it reads."""
PARTITIONS = 4
"""Of every topic on Kafka."""
STOPS_WITHIN = 80.0
"""The grace period of `docs/operations/delivery.md`."""
READY_WITHIN = SETTLED_WITHIN = 300.0
"""These are for what never comes; a machine that has no time must not look like that."""


async def until(condition: Callable[[], Awaitable[bool]], *, within: float, what: str) -> None:
    """Wait for a condition; raises AssertionError that names it when the deadline passes."""
    deadline = time.monotonic() + within
    while not await condition():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        await asyncio.sleep(0.05)


class House:
    """Processes around one log and one store. `layout` says which services share a process."""

    def __init__(
        self,
        folder: Path,
        *,
        log_url: str,
        store_url: str,
        layout: Sequence[str] = SERVICES,
        driver: str = "motor",
        frozen: bool = True,
        seed: str = "1",
        environment: dict[str, str] | None = None,
    ) -> None:
        self.folder, self.log_url, self.store_url, self.layout = folder, log_url, store_url, tuple(layout)
        folder.mkdir(parents=True, exist_ok=True)
        self.mails = folder / "mails"
        self.mails.mkdir(exist_ok=True)
        self._clock = folder / "clock"
        self.ledger = folder / "ledger"
        self.now = START
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AMONT_")},
            "AMONT_LOG_URL": log_url,
            "AMONT_STORE_URL": store_url,
            "AMONT_STORE_DRIVER": driver,
            "AMONT_MAIL_URL": f"folder://{self.mails}",
            "AMONT_MAIL_SENDER": "Amont <amont@group.example>",
            "AMONT_MAIL_DOMAIN": "group.example",
            "AMONT_PUBLIC_URL": "https://amont.group.example",
            "AMONT_SESSION_TIMEOUT_MS": "6000",
            "AMONT_TEST_SEED": seed,
            **({"AMONT_TEST_CLOCK": str(self._clock)} if frozen else {}),
            **(environment or {}),
        }
        self._processes: dict[str, Child] = {}
        self._ports: dict[str, int] = {}
        self.log: Log = log_from(log_url, client_id="test")
        self.stores: dict[str, Store] = {name: store_from(store_url, database=f"amont_{name}", driver=driver) for name in SERVICES}
        self._write_clock()

    def _write_clock(self) -> None:
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(instant_text(self.now))
        fresh.replace(self._clock)

    def passes(self, by: timedelta) -> datetime:
        """Move everybody's clock."""
        self.now += by
        self._write_clock()
        return self.now

    async def start(self) -> "House":
        """Topics, processes, and wait until all are ready."""
        if self.log_url.startswith("kafka://"):
            await ensure(self.log_url.removeprefix("kafka://"), replication=1, partitions=PARTITIONS, dry_run=False, options=KafkaOptions())
        await self.log.open()
        for names in self.layout:
            self.launch(names)
        await self.ready()
        for store in self.stores.values():
            await store.open([])
        return self

    def launch(self, names: str) -> None:
        """Start one process (again). `enrolment@2` is a second one of enrolment, a member of its groups that nobody keeps a place for."""
        self._ports.setdefault(names, free_ports(1)[0])
        which, _, replica = names.partition("@")
        aimed = {"AMONT_TEST_DIES": str(self._order(names)), "AMONT_TEST_LEDGER": str(self.ledger)} | (
            {"AMONT_INSTANCE": ""} if replica else {}
        )
        log = self.folder / f"{names.replace(',', '-')}.log"
        self._processes[names] = nursery().bear([which, str(self._ports[names])], self._environment | aimed, log)

    def _order(self, names: str) -> Path:
        return self.folder / f"{names.replace(',', '-')}.dies"

    def kill(self, names: str) -> None:
        """SIGKILL."""
        self._processes[names].kill()
        self._processes[names].wait()

    async def dies(self, names: str, point: str, calls: int, within: float) -> bool:
        """Let one SIGKILL itself at a point (`amont.common.testing.dying`); False when nothing brought it there in time, and it lives on."""
        aim(self._order(names), point, calls)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._processes[names].wait, within)
        self._order(names).unlink(missing_ok=True)
        return not self.running(names)

    def terminate(self, names: str, within: float = STOPS_WITHIN) -> int:
        """SIGTERM and wait; the exit code."""
        self._processes[names].terminate()
        return self._processes[names].wait(within)

    async def begins_again(self, ahead: timedelta) -> None:
        """Every process ends and begins again at an instant `ahead` of the machine's clock, where time then stands still."""
        await asyncio.gather(*(asyncio.to_thread(self.terminate, names) for names in self.layout))
        self._environment["AMONT_TEST_CLOCK"] = str(self._clock)
        self.now = datetime.now(self.now.tzinfo)
        self.passes(ahead)
        for names in self.layout:
            self.launch(names)
        await self.ready()

    def running(self, names: str) -> bool:
        return self._processes[names].poll() is None

    async def stop(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
        await self.log.close()
        for store in self.stores.values():
            await store.close()

    def said(self) -> str:
        """What the processes logged."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    async def ready(self, within: float = READY_WITHIN) -> None:
        async def all_ready() -> bool:
            for names in self.layout:
                assert self.running(names), f"{names} ended with {self._processes[names].returncode}:\n{self.said()[-4000:]}"
            answers = [await self._ready(names) for names in self.layout]
            return all(answers)

        await until(all_ready, within=within, what=f"services ready\n{self.said()[-2000:]}")

    async def is_ready(self, names: str, within: float = READY_WITHIN) -> None:
        """Wait for one process."""
        await until(lambda: self._ready(names), within=within, what=f"{names} ready")

    async def _ready(self, names: str) -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{self._ports[names]}/health/ready", timeout=5)).status_code == 200
        except httpx.HTTPError:
            return False

    def client(self, service: str, person: str, *roles: str) -> httpx.AsyncClient:
        """An HTTP client of one service, signed in as somebody."""
        names = next(names for names in self.layout if service in names.split(","))
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self._ports[names]}/api/{service}/v1",
            headers={"Authorization": f"Bearer {person}|{','.join(roles)}"},
            timeout=60,
        )

    async def append(self, records: Iterable[Record]) -> None:
        await self.log.append(list(records))

    async def settled(self, within: float = SETTLED_WITHIN) -> None:
        """Until every group has read everything, every outbox is empty and nothing is due."""

        async def quiet() -> bool:
            return await self._read_everything() and await self._nothing_pending() and await self._read_everything()

        await until(quiet, within=within, what=f"everything settled\n{self.said()[-3000:]}")

    async def _read_everything(self) -> bool:
        if isinstance(self.log, SqliteLog):
            left = [await self.log.read(group, topic, 1) for group, topic in READERS]
            return not any(left)
        return await _kafka_lag(self.log_url.removeprefix("kafka://")) == 0

    async def _nothing_pending(self) -> bool:
        now = instant_text(self.now if "AMONT_TEST_CLOCK" in self._environment else datetime.now(self.now.tzinfo))
        for name, collections in (await self.collections()).items():
            for collection in collections:
                for field, latest in (("_out_at", "9999"), ("due_at", now)):  # what is to be said again is pending, too
                    if await self.stores[name].find(Find(collection=collection, where={field: AtMost(latest)}, limit=1)):
                        return False
        return True

    async def collections(self) -> dict[str, list[str]]:
        """The names of every service's collections."""
        from importlib import import_module

        return {name: [one.name for one in import_module(f"amont.{name}.documents").COLLECTIONS] for name in SERVICES}

    async def everything(self, service: str, collection: str) -> list[Any]:
        """Every document of a collection."""
        found: list[Any] = []
        while page := await self.stores[service].find(
            Find(collection=collection, after=(found[-1]["_id"],) if found else None, limit=1000),
        ):
            found += page
        return found


async def _kafka_lag(bootstrap: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    topics = {topic for _, topic in READERS}
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap)  # named here, since it gets to know one that is not in 0.1 s
    await admin.start()
    await consumer.start()
    try:
        every = [TopicPartition(topic, partition) for topic in topics for partition in range(PARTITIONS)]
        ends = await consumer.end_offsets(every)
        lag = 0
        everybodys = await asyncio.gather(*(admin.list_consumer_group_offsets(group) for group, _ in READERS))
        for (_, topic), committed in zip(READERS, everybodys, strict=True):
            for partition in range(PARTITIONS):
                at = TopicPartition(topic, partition)
                lag += ends[at] - max(0, committed[at].offset if at in committed else 0)
        return lag
    finally:
        await consumer.stop()
        await admin.close()
