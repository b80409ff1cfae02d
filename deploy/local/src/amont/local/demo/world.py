"""The world of the demo: the four real services on SQLite in one process, a clock that is moved by hand, and people who call the HTTP API.

The HR systems write to the inbound topic, with the bytes that a Kafka producer would send. Nothing sleeps: `settle` steps every service until none
has anything left to do, and `until` moves the clock from one due date to the next.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic_core import from_json, to_json

from amont.common import hosting
from amont.common.clock import FixedClock
from amont.common.documents import AtMost, Find, store_from
from amont.common.documents.collection import DUE_INDEX
from amont.common.events import Envelope
from amont.common.events.hris import StaffFact
from amont.common.events.values import instant_text
from amont.common.identity import Privilege
from amont.common.ids import SeededIds, derived
from amont.common.log import Record
from amont.common.log.sqlite import SqliteLog
from amont.common.service import Parts, Service
from amont.common.web import app
from amont.local.demo.folder import Folder
from amont.local.group import Dirt, Group
from amont.local.history import Tail, Told, told
from amont.local.issuer import LocalIssuer
from amont.local.up import ORDER
from amont.notifications.sending import FolderSender, MailSender

AT_LEAST = timedelta(minutes=1)
"""How far the clock moves at the least: what is due within a minute is done together."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said. `body` is the JSON of a success or of a problem document."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        return self.status < 400

    def or_raise(self) -> Any:
        """The body of a success; anything else is a defect of the demo or of a service, and ends it with the problem document."""
        if not self.ok:
            raise RuntimeError(f"HTTP {self.status}: {to_json(self.body).decode()}")
        return self.body


class World:
    """See the module. Everything is done one after the other, so that the same seed gives the same history."""

    def __init__(
        self, services: Sequence[Service], log: SqliteLog, clock: FixedClock, http: httpx.AsyncClient, issuer: LocalIssuer
    ) -> None:
        self.services, self.log, self.clock = services, log, clock
        self._http, self._issuer = http, issuer
        self._tokens: dict[tuple[str, tuple[Privilege, ...]], str] = {}
        self._keys = 0
        self._tail = Tail(log, "demo")

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def emit(self, records: Iterable[Record]) -> None:
        """Put records on the log, as an HR system's producer does."""
        await self.log.append(list(records))

    async def settle(self) -> None:
        """Let every service do what there is to do, until nobody has anything left."""
        while sum([await service.step() for service in self.services]):
            pass

    async def until(self, at: datetime) -> None:
        """Let time pass, stopping wherever something is due, and do what it brings. Nothing happens when it is that time already."""
        if at == self.now:
            return
        while (due := await self._next_due(at)) is not None:
            self.clock.move_to(min(max(due, self.now + AT_LEAST), at))
            await self.settle()
            if self.now >= at:
                return
        self.clock.move_to(at)
        await self.settle()

    async def _next_due(self, at: datetime) -> datetime | None:
        """When the first document is due, up to an instant."""
        found = [
            document["due_at"]
            for service in self.services
            for collection in service.unit.house.collections.values()
            if DUE_INDEX in collection.spec.indexes
            for document in await service.unit.house.store.find(
                Find(collection=collection.name, where={"due_at": AtMost(instant_text(at))}, sort="due_at", limit=1)
            )
        ]
        return datetime.fromisoformat(min(found)) if found else None

    async def post(self, person: str, path: str, body: Any = None, *privileges: Privilege) -> Answer:
        """Somebody asks for something, with an Idempotency-Key of its own."""
        self._keys += 1
        return await self._ask("POST", person, path, body, {"Idempotency-Key": f"demo-{self._keys}"}, privileges)

    async def put(self, person: str, path: str, body: Any, *privileges: Privilege) -> Answer:
        return await self._ask("PUT", person, path, body, {}, privileges)

    async def get(self, person: str, path: str, *privileges: Privilege) -> Answer:
        return await self._ask("GET", person, path, None, {}, privileges)

    async def every(self, person: str, path: str, *privileges: Privilege) -> list[Any]:
        """All items of a list, page by page."""
        items: list[Any] = []
        following: str | None = path
        while following is not None:
            page = (await self.get(person, following, *privileges)).or_raise()
            items += page["items"]
            following = page["next"]
        return items

    async def news(self, *topics: str) -> list[Told]:
        """What is new on these topics since they were last asked for."""
        return [told(record) for topic in topics for record in await self._tail.new_on(topic)]

    async def _ask(
        self, method: str, person: str, path: str, body: Any, headers: dict[str, str], privileges: tuple[Privilege, ...]
    ) -> Answer:
        if (token := self._tokens.get((person, privileges))) is None:
            token = self._tokens[person, privileges] = self._issuer.token(person, *privileges)
        answer = await self._http.request(method, path, json=body, headers={**headers, "Authorization": f"Bearer {token}"})
        return Answer(answer.status_code, from_json(answer.content) if answer.content else None)


def staff_record(event: StaffFact, *, at: datetime, number: int) -> Record:
    """A staff record as an HR system's Kafka client sends it: CloudEvents 1.0 in binary mode, keyed by `tenant:employee_id`."""
    envelope = Envelope(
        id=derived("hris", event.person, number),
        type=event.type_name(),
        source=f"/hris/{event.tenant}",
        subject=event.person,
        time=at,
        tenant=event.owner,
    )
    return Record(topic=event.topic, key=event.key, value=event.encode(), headers=envelope.headers())


def feed(group: Group) -> list[Record]:
    """Everything that the HR systems have written by the beginning. A record sent twice is sent twice as it is."""
    written: list[Record] = []
    for number, record in enumerate(group.records):
        twice = number > 0 and group.records[number - 1] == record
        sent = staff_record(record, at=group.at, number=number - twice)
        written.append(_without_grade(sent) if group.people[record.person].dirt is Dirt.NO_GRADE else sent)
    return written


def _without_grade(record: Record) -> Record:
    body = {name: value for name, value in from_json(record.value or b"").items() if name != "grade"}
    return Record(topic=record.topic, key=record.key, value=to_json(body), headers=record.headers)


def services_in(folder: Folder, clock: FixedClock, seed: int | str) -> tuple[list[Service], SqliteLog]:
    """The four services as their own composition roots assemble them; only the clock, the ids and the mail sender are the demo's. One log for all."""
    log = SqliteLog.in_folder(folder.url.removeprefix("sqlite://"))
    builders = hosting.service_builders()
    tools: dict[type, object] = {MailSender: FolderSender(folder.mails, durable=False)}
    services = [
        builders[name](
            Parts(
                store=store_from(folder.url, database=f"amont_{name}"),
                log=log,
                clock=clock,
                ids=SeededIds(clock, f"{seed}/{name}"),
                tools=tools if name == "notifications" else {},
            )
        )
        for name in ORDER
    ]
    return services, log


@asynccontextmanager
async def a_world(folder: Folder, clock: FixedClock, issuer: LocalIssuer, seed: int) -> AsyncIterator[World]:
    """The services opened, with their HTTP in front of them; closed again at the end."""
    services, log = services_in(folder, clock, seed)
    for service in services:
        await service.open()
        service.ready = True
    transport = httpx.ASGITransport(app(services, title="Amont demo", verifier=issuer))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        try:
            yield World(services, log, clock, http, issuer)
        finally:
            for service in services:
                await service.stop()
