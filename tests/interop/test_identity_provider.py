"""People sign in at pages by OpenID Connect: at a provider that none of us wrote (`oidc-provider`, certified), as a browser goes there and back."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from tests.support.npm import node_modules

from amont.common.settings import IdentitySettings
from amont.common.testing.hearing import Hearing, hearing
from amont.common.web import app
from amont.common.web.sign_in import OpenIdSignIn, SignInSettings
from amont.enrolment.app import build

HERE = "http://127.0.0.1:8000"
SECRET = "a-client-secret-of-a-test"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    provider = node_modules() / "oidc-provider" / "lib" / "index.js"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = {"PROVIDER": str(provider), "PORT": str(port), "SECRET": SECRET, "REDIRECT": f"{HERE}/enrolment/signed-in"}
    script = Path(__file__).with_name("identity-provider.mjs")
    with subprocess.Popen(
        ["node", str(script)], env={**os.environ, **said}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert any("listens" in line for line in process.stdout), "the provider ended"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


class _Form(HTMLParser):
    """The first form of a page: where it goes and what it holds."""

    action = ""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = said["action"]
        if tag == "input" and "name" in said:
            self.fields[said["name"]] = said.get("value", "")


async def back_from(issuer: str, there: str, person: str) -> str:
    """Where the provider sends the browser once the person has signed in and agreed."""
    async with httpx.AsyncClient(timeout=20) as browser:
        answer = await browser.get(there)
        for _ in range(20):
            if answer.is_redirect:
                where = urljoin(str(answer.url), answer.headers["location"])
                if where.startswith(HERE):
                    return where
                assert where.startswith(issuer), where
                answer = await browser.get(where)
                continue
            form = _Form(answer.text)
            fields = {**form.fields, **({"login": person, "password": "any"} if "login" in form.fields else {})}
            answer = await browser.post(urljoin(str(answer.url), form.action), data=fields)
    raise AssertionError(f"the provider does not let the person in: {answer.text[:500]}")


def browser_at(heard: Hearing, issuer: str) -> httpx.AsyncClient:
    settings = SignInSettings(client_id="amont-pages", client_secret=SECRET, session_key="k" * 32, public_url=HERE)
    sign_in = OpenIdSignIn(settings, IdentitySettings(issuer=issuer, jwks=f"{issuer}/jwks"))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app([heard.service], title="test", sign_in=sign_in)), base_url=HERE)


async def test_a_browser_signs_in_and_comes_back_to_the_page_that_was_wanted(issuer: str, tmp_path: Path) -> None:
    async with hearing(build, tmp_path) as heard, browser_at(heard, issuer) as browser:
        wanted = await browser.get("/enrolment/?then=1")
        sent_away = await browser.get(wanted.headers["location"])
        assert sent_away.status_code == 303
        there = sent_away.headers["location"]
        assert there.startswith(f"{issuer}/auth?")
        assert "code_challenge_method=S256" in there
        answer = await browser.get(await back_from(issuer, there, "fr:ada"))
        assert (answer.status_code, answer.headers["location"]) == (303, "/enrolment/?then=1")
        page = await browser.get("/enrolment/")
        assert (page.status_code, "fr:ada" in page.text) == (200, True)


async def test_a_code_serves_the_browser_that_asked_for_it_and_once(issuer: str, tmp_path: Path) -> None:
    async with hearing(build, tmp_path) as heard, browser_at(heard, issuer) as browser, browser_at(heard, issuer) as other:
        there = (await browser.get("/enrolment/sign-in")).headers["location"]
        back = await back_from(issuer, there, "fr:ada")
        assert (await other.get(back)).status_code == 403
        await other.get("/enrolment/sign-in")
        assert (await other.get(back)).status_code == 403  # another state, nonce and verifier
        assert (await browser.get(back)).status_code == 303
        assert (await browser.get(back)).status_code == 403
        assert (await other.get("/enrolment/")).status_code == 303


async def test_whom_the_provider_does_not_name_as_we_do_is_nobody(issuer: str, tmp_path: Path) -> None:
    async with hearing(build, tmp_path) as heard, browser_at(heard, issuer) as browser:
        there = (await browser.get("/enrolment/sign-in")).headers["location"]
        answer = await browser.get(await back_from(issuer, there, "ada@fr.example"))
        assert answer.status_code == 403
        assert "tenant:employee_id" in answer.text
        assert not any(name.endswith("session") for name in browser.cookies)


async def test_who_says_no_at_the_provider_is_told_so(issuer: str, tmp_path: Path) -> None:
    async with hearing(build, tmp_path) as heard, browser_at(heard, issuer) as browser:
        there = (await browser.get("/enrolment/sign-in")).headers["location"]
        state = re.search(r"state=([^&]+)", urlsplit(there).query)
        assert state is not None
        answer = await browser.get(f"/enrolment/signed-in?error=access_denied&state={state[1]}")
        assert answer.status_code == 403
        assert "/enrolment/sign-in" in answer.text
