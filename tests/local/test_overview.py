"""The demo's pages: they answer, they are harmless, they show what happened, and they show it to this machine only."""

import re
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from pathlib import Path

import httpx
import pytest

from amont.common.clock import FixedClock
from amont.common.events import Event, PairConfirmed, PairEnded, SessionCancelled, SessionCompleted
from amont.common.log.sqlite import SqliteLog
from amont.common.web import app
from amont.local import demo, overview
from amont.local.demo.folder import Folder
from amont.local.demo.play import START
from amont.local.demo.world import services_in
from amont.local.history import History, Tail, Told
from amont.local.issuer import LocalIssuer, SignInHere, sign_in_page
from amont.local.links import to_the_demo

ASKED = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("overview") / "demo"
    demo.run(path, port=0, serve=False, seed=5, as_json=True, scale=demo.Scale(people=90, wishes=24, months=1))
    return path


@pytest.fixture(scope="module")
async def client(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who looks; nothing that they do changes anything."""
    clock, issuer = FixedClock(START), LocalIssuer.with_new_key()
    services, log = services_in(Folder(folder), clock, "test")
    for service in services:
        await service.open()
        service.ready = True
    here = SignInHere()
    made = app(services, title="test", verifier=issuer, sign_in=here)
    made.include_router(sign_in_page(issuer, here))
    shown = overview.Overview(folder, clock, log, issuer)
    made.include_router(overview.pages(shown))
    made.include_router(to_the_demo(shown))
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url=ASKED) as client:
            yield client
    finally:
        for service in services:
            await service.stop()


async def test_the_first_page_shows_the_programme_and_every_pair(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    pairs = re.findall(r'href="(/demo/pairs/[^"]+)"', page.text)
    assert page.status_code == 200
    assert "Digital 2027" in page.text
    assert pairs
    for path in set(pairs):
        one = await client.get(path)
        assert one.status_code == 200
        assert "Proposed" in one.text


async def test_every_kind_of_mail_can_be_read(client: httpx.AsyncClient) -> None:
    glance = await client.get("/")
    kinds = set(re.findall(r'href="(/demo/mails\?kind=[^"]+)"', glance.text))
    assert len(kinds) > 4
    for kind in kinds:
        listed = await client.get(kind)
        first = re.search(r'href="(/demo/mails/[0-9a-f-]+)"', listed.text)
        assert first
        mail = await client.get(first[1])
        assert mail.status_code == 200
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in mail.text  # no script, no form, no origin of ours
        assert "&lt;base target=&#34;_blank&#34;&gt;" in mail.text
        assert "Message-ID" in mail.text


@pytest.mark.parametrize("path", ["/", "/demo/mails", "/demo/style.css"])
async def test_pages_carry_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    policy = answer.headers["content-security-policy"] if path != "/demo/style.css" else "default-src 'none'; frame-ancestors 'none'"
    assert answer.status_code == 200
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_no_page_has_a_script_or_anything_from_elsewhere(client: httpx.AsyncClient) -> None:
    for path in ("/", "/demo/mails"):
        text = (await client.get(path)).text
        assert "<script" not in text
        assert "style=" not in text
        assert "http://" not in text
        assert "https://" not in text


@pytest.mark.parametrize("path", ["/", "/demo/mails", "/demo/style.css", "/sign-in"])
@pytest.mark.parametrize("host", ["amont.example.com", "127.0.0.1.example.com:8000", "evil.example:8000", "localhost.evil.example", ""])
async def test_a_request_that_names_another_host_is_refused(client: httpx.AsyncClient, path: str, host: str) -> None:
    assert (await client.get(path, headers={"Host": host})).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000", "[::1]"])
async def test_a_request_that_names_loopback_is_answered(client: httpx.AsyncClient, host: str) -> None:
    for path in ("/demo/mails", "/sign-in"):
        assert (await client.get(path, headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("path", ["/demo/pairs/nobody", "/demo/mails/nobody", "/demo/mails/..%2Famont.log", "/demo/mails/*"])
async def test_what_is_not_there_is_a_plain_404(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_every_link_in_a_mail_leads_somewhere(folder: Path, client: httpx.AsyncClient) -> None:
    texts = [message_from_bytes(path.read_bytes(), policy=policy.default).as_string() for path in (folder / "mails").glob("*.eml")]
    links = {
        re.sub(r"[0-9a-f-]{36}", "ID", found[0]): found[0]
        for text in texts
        for found in re.finditer(r"/(?:matching|scheduling|enrolment)/\w+/[0-9a-f-]{36}(?:/\w+)?", text.replace("=\n", ""))
    }
    assert len(links) >= 5
    for shape, link in links.items():
        answer = await client.get(link, follow_redirects=True)
        assert answer.status_code == 200, shape
        assert answer.url.path == "/sign-in" if "enrolment" in shape else answer.url.path.startswith("/demo/pairs/"), shape


async def test_a_link_to_nothing_known_leads_to_the_first_page_and_an_unknown_one_nowhere(client: httpx.AsyncClient) -> None:
    assert (await client.get("/matching/pairs/nobody/accept")).headers["location"] == "/"
    assert (await client.get("/matching/pairs/nobody/delete")).status_code == 404


async def test_of_one_instant_a_session_is_held_before_the_pair_ends_and_then_the_rest_is_called_off(tmp_path: Path) -> None:
    history = History(Tail(SqliteLog.in_folder(str(tmp_path)), "test"))
    kinds: list[type[Event]] = [PairEnded, PairConfirmed, SessionCancelled, SessionCompleted]
    history._stories["p"] = [Told(START, "", kind.model_construct()) for kind in kinds]
    assert [type(one.event) for one in history.story_of("p")] == [PairConfirmed, SessionCompleted, PairEnded, SessionCancelled]
