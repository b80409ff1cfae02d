"""The machine's own issuer: its tokens expire and say for whom they are; it exists on loopback only and never beside a configured issuer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OKPKey

from amont.common.clock import FixedClock
from amont.common.errors import NotAllowed
from amont.common.identity import Privilege
from amont.common.settings import IdentitySettings
from amont.common.web.problems import Refusals, handle_errors
from amont.common.web.tokens import BadToken
from amont.local.issuer import AUDIENCE, ISSUER, VALID_FOR, LocalIssuer, SignInHere, for_this_machine, is_loopback, sign_in_page

NOW = datetime(2027, 1, 4, 8, tzinfo=UTC)


@pytest.fixture
def key() -> OKPKey:
    return OKPKey.generate_key("Ed25519")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def _signed(key: OKPKey, **changes: object) -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "fr:e1", "roles": [], "iat": NOW, "exp": NOW + VALID_FOR, **changes}
    return jwt.encode({"alg": "Ed25519"}, {name: claim for name, claim in claims.items() if claim is not None}, key, algorithms=["Ed25519"])


async def test_a_token_says_who_somebody_is(key: OKPKey, clock: FixedClock) -> None:
    issuer = LocalIssuer(key, clock)
    actor = await issuer.actor(issuer.token("fr:e1", Privilege.COORDINATOR))
    assert (actor.person, actor.tenant, actor.privileges) == ("fr:e1", "fr", {Privilege.COORDINATOR})


async def test_a_token_without_roles_is_a_participant_s(key: OKPKey, clock: FixedClock) -> None:
    issuer = LocalIssuer(key, clock)
    assert (await issuer.actor(issuer.token("fr:e1"))).privileges == {Privilege.PARTICIPANT}


async def test_a_token_expires_after_twelve_hours(key: OKPKey, clock: FixedClock) -> None:
    issuer = LocalIssuer(key, clock)
    token = issuer.token("fr:e1")
    clock.advance(VALID_FOR - timedelta(minutes=1))
    assert (await issuer.actor(token)).person == "fr:e1"
    clock.advance(timedelta(minutes=2))
    with pytest.raises(BadToken):
        await issuer.actor(token)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://login.example.com"},
        {"iss": None},
        {"exp": None},
        {"sub": None},
        {"sub": "nobody"},
    ],
    ids=lambda changes: "-".join(f"{name}={value}" for name, value in changes.items()),
)
async def test_a_token_with_other_claims_is_refused(key: OKPKey, clock: FixedClock, changes: dict[str, object]) -> None:
    with pytest.raises(BadToken):
        await LocalIssuer(key, clock).actor(_signed(key, **changes))


async def test_a_token_of_another_key_is_refused(key: OKPKey, clock: FixedClock) -> None:
    with pytest.raises(BadToken):
        await LocalIssuer(key, clock).actor(_signed(OKPKey.generate_key("Ed25519")))


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJmcjplMSJ9."])
async def test_what_is_not_a_signed_token_is_refused_without_repeating_it(key: OKPKey, clock: FixedClock, token: str) -> None:
    with pytest.raises(BadToken) as refused:
        await LocalIssuer(key, clock).actor(token)
    assert not token or token not in str(refused.value).split()


def test_it_is_impossible_beside_a_configured_issuer() -> None:
    settings = IdentitySettings(issuer="https://login.example.com", jwks="https://login.example.com/keys")
    with pytest.raises(NotAllowed, match="AMONT_ISSUER"):
        for_this_machine("127.0.0.1", settings, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "amont.example.com", ""])
def test_it_is_impossible_where_others_can_reach_it(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(NotAllowed, match="loopback"):
        for_this_machine(host, IdentitySettings(), None)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_it_is_possible_on_loopback(host: str) -> None:
    assert isinstance(for_this_machine(host, IdentitySettings(), None), LocalIssuer)


async def test_tokens_stay_good_across_restarts_and_the_key_is_its_owner_s(tmp_path: Path) -> None:
    token = LocalIssuer.with_key_in(tmp_path / "data").token("fr:e1")
    assert (await LocalIssuer.with_key_in(tmp_path / "data").actor(token)).person == "fr:e1"
    assert (tmp_path / "data" / "issuer.jwk.json").stat().st_mode & 0o077 == 0


async def test_a_start_that_was_killed_while_the_key_was_written_does_not_brick_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(SystemExit):
            LocalIssuer.with_key_in(tmp_path)
    assert not (tmp_path / "issuer.jwk.json").exists()
    token = LocalIssuer.with_key_in(tmp_path).token("fr:e1")
    assert (await LocalIssuer.with_key_in(tmp_path).actor(token)).person == "fr:e1"


async def signed_in(key: OKPKey, person: str = "fr:e1", *, then: str = "", **headers: str) -> httpx.Response:
    """The page's answer to a form that is sent with these headers."""
    made = FastAPI()
    made.include_router(sign_in_page(LocalIssuer(key), SignInHere()))
    handle_errors(made, Refusals([]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://127.0.0.1:8000") as client:
        return await client.post("/sign-in", data={"person": person, "role": "participant", "then": then}, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Forwarded": "for=192.0.2.1"},
        {"X-Forwarded-For": "192.0.2.1"},
        {"x-forwarded-host": "127.0.0.1"},
        {"X-Forwarded-Proto": ""},
        {"Via": "1.1 tunnel"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Origin": "http://127.0.0.1@evil.example"},
        {"Origin": "http://[evil"},
        {"Origin": "null"},
        {"Origin": ""},
    ],
    ids=str,
)
async def test_nobody_signs_in_through_a_proxy_or_from_another_site(key: OKPKey, headers: dict[str, str]) -> None:
    answer = await signed_in(key, **headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:amont:problem:not-allowed")


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
async def test_somebody_on_this_machine_signs_in(key: OKPKey, origin: str | None) -> None:
    answer = await signed_in(key, **({"Origin": origin} if origin else {}))
    assert answer.status_code == 200
    assert "eyJ" in answer.text


@pytest.mark.parametrize(
    ("then", "where"), [("/enrolment/programmes/p1", "/enrolment/programmes/p1"), ("https://evil.example", None), ("//evil.example", None)]
)
async def test_a_browser_that_signs_in_goes_on_to_the_page_that_it_wanted(key: OKPKey, then: str, where: str | None) -> None:
    answer = await signed_in(key, then=then)
    assert (answer.status_code, answer.headers.get("location")) == (303 if where else 200, where)
    assert answer.headers["set-cookie"].startswith("amont-session=")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:3000", "http://localhost:8000"])
async def test_another_program_on_this_machine_signs_nobody_s_browser_in(key: OKPKey, origin: str) -> None:
    answer = await signed_in(key, then="/enrolment/", Origin=origin)
    assert (answer.status_code, answer.headers.get("set-cookie")) == (200, None)


async def test_a_script_gets_the_token_alone(key: OKPKey) -> None:
    answer = await signed_in(key, Accept="text/plain")
    assert answer.headers["cache-control"] == "no-store"
    assert (await LocalIssuer(key).actor(answer.text)).person == "fr:e1"


@pytest.mark.parametrize("person", ["nobody", ":e1", "FR:e1", "fr:", "fr:a\nb"])
async def test_who_signs_in_is_somebody_a_token_can_name(key: OKPKey, person: str) -> None:
    assert (await signed_in(key, person)).status_code == 422
