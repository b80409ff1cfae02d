"""The four services in this process on the embedded adapters, driven by hand: nothing waits, time moves when told to."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import httpx

from amont.common import hosting
from amont.common.clock import FixedClock
from amont.common.documents.sqlite import SqliteStore
from amont.common.events.topics import SERVICES
from amont.common.ids import SeededIds
from amont.common.log import Record
from amont.common.log.sqlite import SqliteLog
from amont.common.service import Parts, Service
from amont.common.testing.hearing import START, AnyToken
from amont.common.web import app
from amont.notifications.sending import FolderSender, MailSender


class Together:
    """See the module."""

    def __init__(self, services: dict[str, Service], log: SqliteLog, clock: FixedClock, mails: Path) -> None:
        self.services, self.log, self.clock, self.mails = services, log, clock, mails
        self.app = app(list(services.values()), title="test", verifier=AnyToken())

    async def settle(self) -> None:
        """Until no service has anything left to do."""
        while sum([await service.step() for service in self.services.values()]):
            pass

    async def passes(self, time: timedelta) -> None:
        self.clock.advance(time)
        await self.settle()

    async def hears(self, records: Iterable[Record]) -> None:
        await self.log.append(list(records))
        await self.settle()

    async def ask(
        self, method: str, path: str, who: str | None, body: Any = None, *, headers: Mapping[str, str] = MappingProxyType({})
    ) -> httpx.Response:
        """`who` is `person|role,role`; None sends no token. The path begins with the service: `/matching/pairs`."""
        _, service, rest = path.split("/", 2)
        headers = {**headers, **({"Authorization": f"Bearer {quote(who, safe=':|,@')}"} if who else {})}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            return await client.request(method, f"/api/{service}/v1/{rest}", json=body)

    async def makes_user(self, tenant: str, token: str, user: Any) -> None:
        """By SCIM, with the token of the subsidiary's feed."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test") as client:
            answer = await client.post(f"/scim/{tenant}/v2/Users", headers={"Authorization": f"Bearer {token}"}, json=user)
        assert answer.is_success, answer.text

    async def done(self, method: str, path: str, who: str, body: Any = None) -> Any:
        answer = await self.ask(method, path, who, body)
        assert answer.is_success, f"{method} {path} as {who}: {answer.status_code} {answer.text}"
        return answer.json()

    async def every(self, path: str, who: str) -> list[Any]:
        """All items of a list."""
        items: list[Any] = []
        following: str | None = path
        while following:
            page = await self.done("GET", following.replace("/api/", "/", 1).replace("/v1/", "/", 1), who)
            items += page["items"]
            following = page["next"]
        return items


@asynccontextmanager
async def together(folder: Path) -> AsyncIterator[Together]:
    """All four, built by their own composition roots."""
    clock, mails = FixedClock(START), folder / "mails"
    log = SqliteLog(folder / "log.sqlite", sync="normal")
    services = {}
    for name in SERVICES:
        store = SqliteStore(folder / f"{name}.sqlite", sync="normal")
        parts = Parts(store=store, log=log, clock=clock, ids=SeededIds(clock, name), tools={MailSender: FolderSender(mails)})
        services[name] = hosting.service_builders()[name](parts)
        await services[name].open()
        services[name].ready = True
    try:
        yield Together(services, log, clock, mails)
    finally:
        for service in services.values():
            await service.stop()
