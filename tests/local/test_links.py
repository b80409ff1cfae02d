"""What `amont up` answers where a mail's link leads: the request to send, harmlessly; and the API's own page, which needs nothing from elsewhere."""

from collections.abc import AsyncIterator

import httpx
import pytest

from amont.common.web import app
from amont.local.links import home, to_the_api


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    made = app((), title="test")
    for router in (home(sign_in=True), to_the_api(sign_in=True)):
        made.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.mark.parametrize(
    ("link", "request_"),
    [
        ("/matching/pairs/p1", "/api/matching/v1/pairs/p1/accept"),
        ("/matching/pairs/p1/accept", "/api/matching/v1/pairs/p1/accept"),
        ("/matching/pairs/p1/decline", "/api/matching/v1/pairs/p1/decline"),
        ("/scheduling/sessions/s1", "/api/scheduling/v1/plans/PAIR/sessions/s1/schedule"),
        ("/scheduling/sessions/s1/choose?starts_at=2027-01-14T09:00:00.000000Z", "2027-01-14T09:00:00+00:00"),
    ],
)
async def test_a_link_is_answered_with_the_request_to_send(client: httpx.AsyncClient, link: str, request_: str) -> None:
    page = await client.get(link)
    assert page.status_code == 200
    assert request_ in page.text
    assert "curl -X POST" in page.text


async def test_who_wants_no_invitations_is_told_how_to_say_so(client: httpx.AsyncClient) -> None:
    page = (await client.get("/notifications/preferences")).text
    assert "curl -X PUT" in page
    assert "/api/notifications/v1/preferences" in page


@pytest.mark.parametrize("link", ["/docs", "/matching/pairs/<b>x", "/scheduling/sessions/s1"])
async def test_plain_pages_are_harmless(client: httpx.AsyncClient, link: str) -> None:
    page = await client.get(link)
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "<b>x" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]


@pytest.mark.parametrize("link", ["/matching/pairs/p1/delete", "/scheduling/sessions/s1/choose?starts_at=';ls'"])
async def test_a_link_of_no_mail_is_a_404(client: httpx.AsyncClient, link: str) -> None:
    assert (await client.get(link)).status_code == 404


async def test_the_first_page_leads_to_where_one_begins(client: httpx.AsyncClient) -> None:
    assert (await client.get("/")).headers["location"] == "/sign-in"


async def test_docs_lists_every_route(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assert "openapi.json" in page
    for path in (await client.get("/openapi.json")).json()["paths"]:
        assert path in page
