"""Signing in at pages: what a provider that is wrong, slow or hostile can make of it, which cookie counts, and where a browser may be sent on to."""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from amont.common.clock import FixedClock
from amont.common.settings import IdentitySettings, MissingSettings, read_settings
from amont.common.web import sign_in
from amont.common.web.browsers import VALID_FOR, Sessions, within
from amont.common.web.limits import Limited, RateLimit
from amont.common.web.people import People, Sent, SignedIn, language_of, page_router
from amont.common.web.people_words import LANGUAGES, SAYS, SIGN_IN, WORDS
from amont.common.web.problems import BodyLimit, Refusals, handle_errors
from amont.common.web.sign_in import BACK_WITHIN, MOST_UNDER_WAY, OpenIdSignIn, SignInSettings

HERE = "http://127.0.0.1:8000"
KEY = "k" * 32
CRITICAL = ".".join(
    base64.urlsafe_b64encode(one).decode().rstrip("=") for one in (b'{"alg":"HS256","crit":1}', b'{"sub":"fr:ada"}', b"x" * 32)
)
"""A header that the library falls over."""


@dataclass
class Provider:
    """An identity provider that says what it is told to. `says` are claims in place of the right ones."""

    key: OKPKey = field(default_factory=lambda: OKPKey.generate_key("Ed25519"))
    says: dict[str, Any] = field(default_factory=dict)
    about_itself: dict[str, Any] = field(default_factory=dict)
    fails: bool = False
    nonce: str = ""
    asked: list[Mapping[str, list[str]]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, body: bytes) -> Any:
        if path.endswith("openid-configuration"):
            there = {"authorization_endpoint": f"{self.url}/auth", "token_endpoint": f"{self.url}/token"}
            return {"issuer": self.url, **there, **self.about_itself}
        if path == "/jwks":
            return KeySet([self.key]).as_dict(private=False)
        self.asked.append(parse_qs(body.decode()))
        until = datetime.now(UTC) + timedelta(minutes=5)
        claims = {"iss": self.url, "aud": "pages", "sub": "fr:ada", "nonce": self.nonce, "exp": until, **self.says}
        token = jwt.encode(
            {"alg": "Ed25519"}, {name: one for name, one in claims.items() if one is not None}, self.key, algorithms=["Ed25519"]
        )
        return {"access_token": "a", "token_type": "Bearer", "id_token": token}


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.dumps(made.answer(self.path, self.rfile.read(length))).encode()
            self.send_response(500 if made.fails else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the server's name for it

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def browser(way_in: Any, wrapped: Callable[[FastAPI, Refusals], None] = lambda *_: None) -> httpx.AsyncClient:
    """At a service with one page, which says who reads it, and one form."""
    pages = page_router()

    @pages.get("/")
    async def who(visitor: SignedIn) -> Response:
        return Response(f"{visitor.person} {visitor.secret} {[str(one) for one in visitor.actor.privileges]}")

    @pages.post("/send")
    async def send(visitor: SignedIn, sent: Sent) -> Response:
        return Response(f"{visitor.person} {sent.get('text')}")

    made = FastAPI()
    made.state.sign_in = way_in
    door = People("some", pages)
    made.include_router(door.router)
    refusals = Refusals([door])
    handle_errors(made, refusals)
    made.add_middleware(BodyLimit, refusals=refusals)
    wrapped(made, refusals)
    return httpx.AsyncClient(transport=httpx.ASGITransport(made, raise_app_exceptions=False), base_url=HERE)


def at(provider: Provider) -> httpx.AsyncClient:
    settings = SignInSettings(client_id="pages", session_key=KEY, public_url=HERE)
    return browser(OpenIdSignIn(settings, IdentitySettings(issuer=provider.url, jwks=f"{provider.url}/jwks")))


async def comes_back(client: httpx.AsyncClient, provider: Provider, then: str = "/some/", **instead: str | None) -> httpx.Response:
    """The browser goes to the provider and is back; `instead` stands in for what the provider would send along."""
    begun = await client.get("/some/sign-in", params={"then": then})
    said = {name: one[0] for name, one in parse_qs(urlsplit(begun.headers["location"]).query).items()}
    provider.nonce = said["nonce"]
    says = {"code": "c", "state": said["state"], **instead}
    return await client.get("/some/signed-in", params={name: one for name, one in says.items() if one is not None})


async def test_who_comes_back_is_signed_in_as_a_participant_and_nothing_more(provider: Provider) -> None:
    provider.says = {"roles": ["group-coordinator", "ops"]}
    async with at(provider) as client:
        answer = await comes_back(client, provider)
        assert (answer.status_code, answer.headers["location"]) == (303, "/some/")
        assert (await client.get("/some/")).text.endswith("['participant']")
        assert {"code", "code_verifier"} < provider.asked[0].keys()


@pytest.mark.parametrize(
    "says",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "amont"},
        {"iss": "https://elsewhere.example"},
        {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
        {"sub": "ada@fr.example"},
        {"sub": None},
        {"aud": ["pages", "other"], "azp": "other"},
    ],
    ids=str,
)
async def test_a_provider_that_says_something_else_signs_nobody_in(provider: Provider, says: dict[str, Any]) -> None:
    provider.says = says
    async with at(provider) as client:
        answer = await comes_back(client, provider)
        assert answer.status_code == 403
        assert "/some/sign-in" in answer.text
        assert (await client.get("/some/")).headers["location"].startswith("/some/sign-in")


async def test_a_token_of_another_key_signs_nobody_in(provider: Provider) -> None:
    async with at(provider) as client:
        assert (await comes_back(client, provider)).status_code == 303
        provider.key = OKPKey.generate_key("Ed25519")  # what it publishes has been read before
        provider.nonce = ""
        assert (await comes_back(client, provider)).status_code == 403


@pytest.mark.parametrize(
    "instead",
    [
        {"state": "another"},
        {"state": ""},
        {"state": None},
        {"state": None, "code": None},
        {"code": ""},
        {"code": None},
        {"error": "access_denied"},
        {"code": None, "code[]": "c"},
    ],
    ids=str,
)
async def test_what_did_not_begin_here_does_not_end_here_and_nobody_is_asked(provider: Provider, instead: dict[str, str | None]) -> None:
    async with at(provider) as client:
        assert (await comes_back(client, provider, **instead)).status_code == 403
        assert not any(name.endswith("session") for name in client.cookies)
        assert not provider.asked
        assert (await client.get("/some/signed-in", params=[("code", "c"), ("code", "d")])).status_code == 403


async def test_two_windows_may_sign_in_at_once_and_the_oldest_of_many_is_forgotten(provider: Provider) -> None:
    async with at(provider) as client:
        said = []
        for _ in range(MOST_UNDER_WAY):
            begun = await client.get("/some/sign-in")
            said.append({name: one[0] for name, one in parse_qs(urlsplit(begun.headers["location"]).query).items()})
        assert len(client.cookies) == MOST_UNDER_WAY
        for one in said[:2]:
            provider.nonce = one["nonce"]
            assert (await client.get("/some/signed-in", params={"code": "c", "state": one["state"]})).status_code == 303
        assert len(client.cookies) == MOST_UNDER_WAY - 2 + 1  # what is done with is dropped
        for _ in range(3):
            await client.get("/some/sign-in")
        assert len(client.cookies) == 2


async def test_a_sign_in_that_takes_very_long_begins_again(provider: Provider) -> None:
    settings = SignInSettings(client_id="pages", session_key=KEY, public_url=HERE)
    way_in = OpenIdSignIn(settings, IdentitySettings(issuer=provider.url, jwks=f"{provider.url}/jwks"))
    clock = FixedClock(datetime.now(UTC))
    way_in.sessions = Sessions(KEY, secure=False, clock=clock)
    async with browser(way_in) as client:
        begun = await client.get("/some/sign-in")
        said = {name: one[0] for name, one in parse_qs(urlsplit(begun.headers["location"]).query).items()}
        clock.advance(BACK_WITHIN + timedelta(seconds=1))
        assert (await client.get("/some/signed-in", params={"code": "c", "state": said["state"]})).status_code == 403
        assert not provider.asked


@pytest.mark.parametrize(
    "about_itself",
    [{"issuer": "https://elsewhere.example"}, {"token_endpoint": "http://elsewhere.example/token"}, {"authorization_endpoint": None}],
    ids=str,
)
async def test_a_provider_that_publishes_what_cannot_be_trusted_is_not_gone_to(provider: Provider, about_itself: dict[str, Any]) -> None:
    provider.about_itself = about_itself
    async with at(provider) as client:
        answer = await client.get("/some/sign-in")
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        provider.about_itself = {}
        assert (await client.get("/some/sign-in")).status_code == 303


async def test_a_provider_that_fails_is_tried_again_and_nothing_is_signed_in_meanwhile(provider: Provider) -> None:
    async with at(provider) as client:
        assert (await client.get("/some/sign-in")).status_code == 303
        provider.fails = True
        assert (await comes_back(client, provider)).status_code in {403, 503}
        assert not any("session" in name for name in client.cookies)
        provider.fails = False
        assert (await comes_back(client, provider)).status_code == 303


@pytest.mark.parametrize(
    ("address", "is_ours"),
    [
        ("/some/", True),
        ("/some/enrol?role=mentor", True),
        ("https://evil.example/", False),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("/some\\..\\evil", False),
        ("/\t/evil.example", False),
        ("/some/\r\nSet-Cookie: a=b", False),
        ("some", False),
        ("/" + "x" * 2_000, False),
        ("", False),
    ],
)
async def test_a_browser_is_sent_on_to_our_own_pages_only(provider: Provider, address: str, is_ours: bool) -> None:  # noqa: FBT001 - a column of the table
    assert within(address, "/home") == (address if is_ours else "/home")
    async with at(provider) as client:
        assert (await comes_back(client, provider, then=address)).headers["location"] == (address if is_ours else "/some/")


class Here:
    """A way to sign in that signs everybody in as themselves."""

    def __init__(self, *, secure: bool = False, key: str = KEY, clock: FixedClock | None = None) -> None:
        self.sessions = Sessions(key, secure=secure, clock=clock or FixedClock(datetime(2027, 1, 4, tzinfo=UTC)))

    async def begin(self, request: Request, service: str, then: str) -> Response:  # noqa: ARG002
        answer = Response(then)
        self.sessions.begin(answer, request.query_params.get("as", "fr:ada"))
        return answer

    async def finish(self, request: Request, service: str) -> Response:
        raise NotImplementedError


async def test_a_session_ends_by_itself_and_no_other_key_believes_it() -> None:
    clock = FixedClock(datetime(2027, 1, 4, tzinfo=UTC))
    async with browser(Here(clock=clock)) as client, browser(Here(key="another" * 6, clock=clock)) as elsewhere:
        await client.get("/some/sign-in")
        elsewhere.cookies.update(client.cookies)
        assert (await client.get("/some/")).status_code == 200
        assert (await elsewhere.get("/some/")).status_code == 303
        clock.advance(VALID_FOR + timedelta(seconds=1))
        assert (await client.get("/some/")).status_code == 303


@pytest.mark.parametrize("cookie", ["", "a", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJmcjphZGEifQ.", "é", "e" * 5000, CRITICAL])
async def test_a_cookie_that_is_none_of_ours_is_nobody(cookie: str) -> None:
    async with browser(Here()) as client:
        answer = await client.get("/some/", headers={"Cookie": f"amont-session={cookie}".encode()})
        assert answer.status_code == 303


async def test_what_remembers_a_sign_in_under_way_is_no_session(provider: Provider) -> None:
    async with at(provider) as client:
        await client.get("/some/sign-in")
        [under_way] = client.cookies.values()
        assert (await client.get("/some/", headers={"Cookie": f"amont-session={under_way}"})).status_code == 303


async def test_over_https_the_cookie_is_for_this_host_and_for_no_script() -> None:
    async with browser(Here(secure=True)) as client:
        said = (await client.get("/some/sign-in")).headers["set-cookie"]
        assert said.startswith("__Host-amont-session=")
        assert all(word in said for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"))
        assert "Domain" not in said


async def test_a_form_counts_only_where_our_page_gave_it_to_this_person() -> None:
    async with browser(Here()) as ada, browser(Here()) as kim:
        await ada.get("/some/sign-in")
        await kim.get("/some/sign-in", params={"as": "de:kim"})
        _, secret, _ = (await ada.get("/some/")).text.split(" ", 2)
        assert (await ada.post("/some/send", data={"secret": secret, "text": "x"})).text == "fr:ada x"
        for sent in ({"text": "x"}, {"secret": "", "text": "x"}, {"secret": "é", "text": "x"}):
            assert (await ada.post("/some/send", data=sent)).status_code == 403
        assert (await kim.post("/some/send", data={"secret": secret, "text": "x"})).status_code == 403
        assert (await ada.post("/some/sign-out", data={"secret": "x"})).status_code == 403
        assert (await ada.get("/some/")).status_code == 200
        sent = await ada.post("/some/send", data={"secret": secret}, files={"text": b"x"})
        assert (sent.status_code, sent.headers["content-type"]) == (400, "text/html; charset=utf-8")


async def test_who_is_signed_out_meanwhile_loses_the_form_and_is_told_so() -> None:
    async with browser(Here()) as client:
        answer = await client.post("/some/send", data={"text": "x"})
        assert (answer.status_code, "You are signed out" in answer.text) == (401, True)
        await client.get("/some/sign-in")
        _, secret, _ = (await client.get("/some/")).text.split(" ", 2)
        out = await client.post("/some/sign-out", data={"secret": secret})
        assert (out.status_code, "You are signed out" in out.text) == (200, True)
        assert (await client.get("/some/")).status_code == 303


async def test_refusals_are_pages_also_in_front_of_the_routes() -> None:
    def limited(made: FastAPI, refusals: Refusals) -> None:
        made.add_middleware(Limited, limit=RateLimit(1, 3), refusals=refusals)

    async with browser(Here(), limited) as client:
        asked = [
            await client.get("/some/nothing"),
            await client.post("/some/send", content=b"x" * 1_000_001),
            await client.delete("/some/send"),
            await client.get("/some/"),
        ]
        assert [one.status_code for one in asked] == [404, 413, 405, 429]
        for one in asked:
            assert one.headers["content-type"].startswith("text/html")
            policy = dict(part.split(" ", 1) for part in one.headers["content-security-policy"].split("; "))
            assert policy.pop("style-src").startswith("'sha256-")
            assert policy == {"default-src": "'none'", "form-action": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'"}


async def test_a_signed_in_browser_is_a_client_of_its_own() -> None:
    def limited(made: FastAPI, refusals: Refusals) -> None:
        made.add_middleware(Limited, limit=RateLimit(0.001, 3), refusals=refusals)

    async with browser(Here(), limited) as client:
        await client.get("/some/sign-in")
        assert (await client.get("/some/")).status_code == 200  # believed from here on
        assert [(await client.get("/some/")).status_code for _ in range(4)] == [200, 200, 200, 429]


@pytest.mark.parametrize(
    "beside", [{"Authorization": "Bearer made-up-{}"}, {"Cookie": "__Host-amont-session=made-up-{}"}], ids=["a token", "a cookie"]
)
async def test_what_comes_along_unproved_makes_nobody_another_client(beside: dict[str, str]) -> None:
    def limited(made: FastAPI, refusals: Refusals) -> None:
        made.add_middleware(Limited, limit=RateLimit(0.001, 3), refusals=refusals)

    async with browser(Here(), limited) as client:
        await client.get("/some/sign-in")
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        client.cookies.clear()
        said = []
        for number in range(9):
            made_up = {name: value.format(number % 2) for name, value in beside.items()}
            both = f"{cookie}; {made_up['Cookie']}" if "Cookie" in made_up else cookie
            said.append((await client.get("/some/", headers={**made_up, "Cookie": both})).status_code)
        assert said.count(200) <= 2, said


async def test_where_nobody_can_sign_in_a_page_says_so() -> None:
    async with browser(None) as client:
        answer = await client.get("/some/")
        assert (answer.status_code, "AMONT_CLIENT_ID" in answer.text) == (501, True)


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("de-DE,de;q=0.9,fr;q=0.5,en;q=0.4", "fr"),
        ("fr;q=0.2,en;q=0.9", "en"),
        ("fr;q=0,en;q=0.1", "en"),
        ("*", "en"),
        ("fr;q=x", "en"),
        (", ,;;", "en"),
    ],
)
def test_pages_speak_the_language_that_the_browser_would_rather_have(asked: str, language: str) -> None:
    assert language_of(Request({"type": "http", "headers": [(b"accept-language", asked.encode())]})) == language


def test_every_refusal_is_worded_in_every_language() -> None:
    assert all(set(one) == set(LANGUAGES) for one in (*SAYS.values(), *SIGN_IN.values()))
    raised = re.findall(r'SignInFailed\("([a-z-]+)"\)', Path(sign_in.__file__).read_text(encoding="utf-8"))
    assert set(raised) == set(SIGN_IN)
    assert timedelta(minutes=10) == BACK_WITHIN  # as the sentence says
    assert {frozenset(WORDS[language]) for language in LANGUAGES} == {frozenset(WORDS["en"])}


@pytest.mark.parametrize(
    ("missing", "wrong"),
    [
        ("AMONT_SESSION_KEY", None),
        ("AMONT_SESSION_KEY", "short"),
        ("AMONT_PUBLIC_URL", None),
        ("AMONT_PUBLIC_URL", "http://amont.example.com"),
        ("AMONT_PUBLIC_URL", "https://amont.example.com/mentoring"),
        ("AMONT_PUBLIC_URL", "https://amont.example.com/?x=1"),
        ("AMONT_PUBLIC_URL", "https://amont.example.com/#x"),
        ("AMONT_PUBLIC_URL", "https://somebody:secret@amont.example.com"),
        ("AMONT_PUBLIC_URL", "https://amont.example.com:99999"),
        ("AMONT_PUBLIC_URL", "https://amont example.com"),
    ],
)
def test_half_a_configuration_is_named(monkeypatch: pytest.MonkeyPatch, missing: str, wrong: str | None) -> None:
    for name, one in {"AMONT_CLIENT_ID": "pages", "AMONT_SESSION_KEY": KEY, "AMONT_PUBLIC_URL": "https://amont.example.com"}.items():
        monkeypatch.setenv(name, one)
    if wrong is None:
        monkeypatch.delenv(missing)
    else:
        monkeypatch.setenv(missing, wrong)
    with pytest.raises(MissingSettings) as refused:
        read_settings(SignInSettings)
    assert [name for name, *_ in refused.value.rows] == [missing]


@pytest.mark.parametrize("identity", [{}, {"issuer": "https://login.example.com"}, {"issuer": "urn:login", "jwks": "keys.json"}], ids=str)
def test_a_client_of_nobody_is_refused_at_the_start(identity: dict[str, str]) -> None:
    settings = SignInSettings(client_id="pages", session_key=KEY, public_url=HERE)
    with pytest.raises(ValueError, match="AMONT_CLIENT_ID is set"):
        OpenIdSignIn(settings, IdentitySettings(**identity))


@pytest.mark.parametrize("url", ["HTTPS://amont.example.com", "https://amont.example.com/", "https://amont.example.com:8443"])
def test_wherever_the_address_is_https_the_cookie_goes_by_https_only(url: str) -> None:
    settings = SignInSettings(client_id="pages", session_key=KEY, public_url=url)
    sessions = OpenIdSignIn(settings, IdentitySettings(issuer="https://login.example.com", jwks="keys.json")).sessions
    response = Response()
    sessions.begin(response, "fr:ada")
    assert "Secure" in response.headers["set-cookie"]
    assert settings.public_url == url.lower().rstrip("/")


def test_a_client_that_is_the_api_s_audience_is_refused_at_the_start() -> None:
    settings = SignInSettings(client_id="amont", session_key=KEY, public_url=HERE)
    with pytest.raises(ValueError, match="AMONT_AUDIENCE"):
        OpenIdSignIn(settings, IdentitySettings(issuer="https://login.example.com", jwks="keys.json"))


def test_a_key_without_a_client_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMONT_SESSION_KEY", KEY)
    with pytest.raises(MissingSettings, match="AMONT_CLIENT_ID"):
        read_settings(SignInSettings)


def test_a_session_is_no_token_for_the_api() -> None:
    """Its algorithm is none of those a bearer token may have."""
    response = Response()
    Sessions(KEY, secure=False).begin(response, "fr:ada")
    head = response.headers["set-cookie"].partition("=")[2].partition(".")[0]
    assert json.loads(base64.urlsafe_b64decode(head + "=="))["alg"] == "HS256"
