"""Rate limits on everything that a process answers over HTTP: per client, told with `Retry-After`, and never in the way of operations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import APIRouter, Response
from starlette.types import Receive, Scope, Send

from amont.common import metrics
from amont.common.identity import Actor
from amont.common.web import CurrentActor, app
from amont.common.web.limits import Limited, RateLimit
from amont.common.web.problems import Refusals
from amont.common.web.tokens import BadToken


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Believing:
    """Believes what begins with `good`."""

    async def actor(self, token: str) -> Actor:
        if not token.startswith("good"):
            raise BadToken("Who are you?")
        return Actor("fr:e1", "fr", frozenset())


@asynccontextmanager
async def asking(clock: Clock, *, address: str = "192.0.2.1") -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who asks an application that believes tokens which begin with `good`; 1 request a second, 3 at once."""
    router = APIRouter()

    @router.get("/thing")
    async def thing(_: CurrentActor) -> Response:
        return Response("here")

    made = app([], title="test", verifier=Believing(), limit=RateLimit(1, 3, clock=clock))
    made.include_router(router)
    transport = httpx.ASGITransport(made, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def _no_app(scope: Scope, receive: Receive, send: Send) -> None:
    await Response(status_code=204)(scope, receive, send)


async def statuses(client: httpx.AsyncClient, times: int, token: str | None = None, path: str = "/thing") -> list[int]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return [(await client.get(path, headers=headers)).status_code for _ in range(times)]


async def test_a_client_that_asks_too_often_is_told_when_to_ask_again() -> None:
    clock = Clock()
    async with asking(clock) as client:
        assert await statuses(client, 5, "good-one") == [200, 200, 200, 200, 429]
        late = await client.get("/thing", headers={"Authorization": "Bearer good-one"})
        assert (late.headers["Retry-After"], late.headers["content-type"]) == ("1", "application/problem+json")
        assert (late.json()["type"], late.json()["status"]) == ("urn:amont:problem:too-many-requests", 429)
        clock.now += 1
        assert await statuses(client, 2, "good-one") == [200, 429]


async def test_one_client_does_not_keep_another_from_asking() -> None:
    async with asking(Clock()) as client:
        assert (await statuses(client, 6, "good-one"))[-1] == 429
        assert await statuses(client, 4, "good-two") == [200, 200, 200, 200]


async def test_made_up_tokens_are_no_new_clients_and_one_that_was_believed_goes_on() -> None:
    async with asking(Clock()) as client:
        assert await statuses(client, 1, "good-one") == [200]
        assert [(await statuses(client, 1, f"bad-{number}"))[0] for number in range(4)] == [401, 401, 429, 429]
        assert await statuses(client, 2) == [429, 429]
        assert await statuses(client, 3, "good-one") == [200, 200, 200]


async def test_a_page_that_is_not_there_believes_no_token() -> None:
    async with asking(Clock()) as client:
        assert [(await statuses(client, 1, f"bad-{number}", "/nowhere"))[0] for number in range(3)] == [404, 404, 404]
        assert [(await statuses(client, 1, f"bad-{number}"))[0] for number in range(3)] == [429, 429, 429]


async def test_blanks_around_a_token_make_no_other_client() -> None:
    async with asking(Clock()) as client:
        assert await statuses(client, 4, "good-one") == [200, 200, 200, 200]
        assert [(await statuses(client, 1, " " * blanks + "good-one"))[0] for blanks in range(4)] == [429, 429, 429, 429]
        assert (await client.get("/thing", headers={"Authorization": "bearer good-one"})).status_code == 429


async def test_another_spelling_of_a_signature_makes_no_other_client() -> None:
    """Of a signature of 32 bytes the last character has two bits that mean nothing, and padding may follow."""
    token = "good.payload." + "A" * 42
    async with asking(Clock()) as client:
        assert await statuses(client, 4, f"{token}E") == [200, 200, 200, 200]
        assert [(await statuses(client, 1, f"{token}{end}"))[0] for end in ("E=", "F", "G==", "H")] == [429, 429, 429, 429]
        assert await statuses(client, 1, f"{token}I") == [200]  # another signature


async def test_the_seconds_to_wait_are_never_too_few() -> None:
    clock = Clock()
    limit = RateLimit(0.4, 1, clock=clock)
    refused = Limited(_no_app, limit, Refusals([]))
    told = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(refused), base_url="http://test") as client:
        await client.get("/")
        told.append((await client.get("/")).headers["Retry-After"])
        clock.now += float(told[0])
        told.append(str((await client.get("/")).status_code))
    assert told == ["3", "204"]  # 2.5 seconds are two and a half


async def test_health_and_metrics_are_never_refused_and_refusals_are_counted() -> None:
    counted = metrics.REQUESTS_LIMITED.labels("address")
    before = counted._value.get()
    async with asking(Clock()) as client:
        assert await statuses(client, 5) == [401, 401, 401, 429, 429]
        for path in ("/health/live", "/metrics"):
            assert await statuses(client, 9, path=path) == [200] * 9
    assert counted._value.get() == before + 2


async def test_no_limit_is_no_limit() -> None:
    assert RateLimit.of(0) is None
    limit = RateLimit.of(0.5)
    assert limit is not None
    assert [limit.wait("x") > 0 for _ in range(3)] == [False, False, True]
