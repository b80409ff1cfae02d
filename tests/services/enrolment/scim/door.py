"""What the tests of the SCIM door share: an enrolment with two subsidiaries, a token of each one's feed, and asking as one of them."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.services.enrolment.staffing import GROUP, de, fr

from amont.common.events import StaffLeft, StaffRecorded
from amont.common.events.envelope import Envelope
from amont.common.events.topics import TYPES
from amont.common.testing.hearing import Hearing, hearing
from amont.common.web import app
from amont.common.web.limits import RateLimit
from amont.enrolment import commands
from amont.enrolment.app import build
from amont.enrolment.domain.employee import Employee

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUPS = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
EMPLOYEE = "urn:amont:params:scim:schemas:extension:employee:1.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

Answer = httpx.Response


def lea(**more: Any) -> dict[str, Any]:
    """A user who misses nothing."""
    return {
        "schemas": [CORE, ENTERPRISE, EMPLOYEE],
        "userName": "lea@example.org",
        "name": {"givenName": "Léa", "familyName": "Martin"},
        "emails": [{"value": "lea@example.org", "type": "work", "primary": True}],
        "active": True,
        ENTERPRISE: {"employeeNumber": "e1"},
        EMPLOYEE: {"grade": "C1"},
        **more,
    }


def patch(*operations: Mapping[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


@dataclass
class Feed:
    """Asks as one subsidiary's feed."""

    client: httpx.AsyncClient
    tenant: str
    token: str

    async def __call__(self, method: str, path: str, body: Any = None, *, of: str | None = None, **headers: str) -> Answer:
        """`of` asks for another subsidiary's, with this one's token. A body of bytes goes as it is."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        given = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/scim+json",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        return await self.client.request(method, f"/scim/{of or self.tenant}/v2{path}", content=content, headers=given)

    async def made(self, **more: Any) -> dict[str, Any]:
        """A user that was made."""
        answer = await self("POST", "/Users", lea(**more))
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body


@dataclass
class Scene:
    """One enrolment, and the feeds of its two subsidiaries."""

    hearing: Hearing
    fr: Feed
    de: Feed

    async def told(self) -> list[StaffRecorded | StaffLeft]:
        """What came on the inbound topic since the last time."""
        records = await self.hearing._new_on("hris-staff")
        kinds = [(TYPES[Envelope.parse(one.headers, key=one.key.decode()).type], one.value or b"") for one in records]
        return [kind.decode(value) for kind, value in kinds]  # type: ignore[misc]

    async def employee(self, person: str = "fr:e1") -> Employee:
        await self.hearing.settle()
        return await self.hearing.look(Employee, person)


@asynccontextmanager
async def scene(folder: Path, limit: RateLimit | None = None) -> AsyncIterator[Scene]:
    """Without a limit that a test would meet unless it asks for one."""
    async with hearing(build, folder) as one:
        await one.given(fr())
        await one.given(de())
        tokens = [(await one.asked(commands.make_token, tenant, GROUP))[1] for tenant in ("fr", "de")]
        transport = httpx.ASGITransport(app([one.service], title="test", limit=limit), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Scene(one, Feed(client, "fr", tokens[0]), Feed(client, "de", tokens[1]))
