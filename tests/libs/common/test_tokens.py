"""Bearer tokens against an issuer's keys: only what proves who asks is taken, and an issuer that misbehaves is not a defect of ours."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from amont.common.errors import Unavailable
from amont.common.identity import RIGHTS, Privilege, Resource, authorize
from amont.common.web import tokens
from amont.common.web.tokens import KEYS_AGAIN_SECONDS, KEYS_FRESH_SECONDS, KEYS_STALE_SECONDS, BadToken, JwtVerifier, Keys

ISSUER, AUDIENCE = "https://login.example.com", "amont"
KEY = ECKey.generate_key("P-256", {"kid": "a"})
OTHER = ECKey.generate_key("P-256", {"kid": "b"})
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def published(*keys: ECKey) -> Any:
    return KeySet(list(keys)).as_dict(private=False)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "fr:e1", "roles": ["coordinator"], "iat": now, "exp": now + 600}
    return {name: value for name, value in {**usual, **changes}.items() if value is not ...}


def signed(key: ECKey = KEY, **changes: Any) -> str:
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims(**changes), key, algorithms=["ES256"])


def raw(header: Any, payload: Any, signature: bytes = b"x" * 64) -> str:
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.fixture
def verifier(tmp_path: Path) -> JwtVerifier:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(published(KEY)), encoding="utf-8")
    return JwtVerifier(ISSUER, AUDIENCE, Keys(str(path)))


async def test_a_good_token_says_who_asks(verifier: JwtVerifier) -> None:
    actor = await verifier.actor(signed())
    assert (actor.person, actor.tenant, actor.privileges) == ("fr:e1", "fr", {Privilege.COORDINATOR})


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": ...},
        {"iss": "https://evil.example"},
        {"iss": ...},
        {"exp": 1},
        {"exp": ...},
        {"nbf": 9_999_999_999},
        {"sub": ...},
        {"sub": "nobody"},
        {"sub": ":e1"},
        {"sub": "FR:e1"},
        {"sub": "fr:"},
        {"sub": "fr:e1\n"},
        {"sub": "fr:" + "e" * 65},
        {"sub": 5},
        {"roles": "coordinator"},
        {"roles": None},
        {"roles": [{"a": 1}]},
        {"roles": [["coordinator"]]},
        {"roles": ["coordinator", 5]},
    ],
    ids=str,
)
async def test_a_token_with_other_claims_is_refused(verifier: JwtVerifier, changes: dict[str, Any]) -> None:
    with pytest.raises(BadToken):
        await verifier.actor(signed(**changes))


@pytest.mark.parametrize("roles", [[], ...])
async def test_who_has_no_roles_is_a_participant(verifier: JwtVerifier, roles: Any) -> None:
    assert (await verifier.actor(signed(roles=roles))).privileges == {Privilege.PARTICIPANT}


async def test_roles_of_which_none_is_known_give_nothing(verifier: JwtVerifier) -> None:
    actor = await verifier.actor(signed(roles=["admin", "reader"]))
    assert actor.privileges == frozenset()
    for action in RIGHTS:
        with pytest.raises(Exception, match="is not for nobody"):
            authorize(actor, action, Resource("own", "1", frozenset({"fr"}), frozenset({"fr:e1"})))


async def test_an_unknown_role_beside_a_known_one_is_passed_over(verifier: JwtVerifier) -> None:
    assert (await verifier.actor(signed(roles=["admin", "auditor"]))).privileges == {Privilege.AUDITOR}


def hs256_with_the_public_key() -> str:
    unsigned = raw({"alg": "HS256", "kid": "a"}, claims(), b"")
    mac = hmac.digest(KEY.as_pem(private=False), unsigned.removesuffix(".").encode(), "sha256")
    return unsigned + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token",
    [
        lambda: "",
        lambda: "a.b.c",
        lambda: raw({"alg": "none"}, claims(), b""),
        lambda: raw({"alg": "none", "kid": "a"}, claims(), b""),
        hs256_with_the_public_key,
        lambda: signed(OTHER),
        lambda: jwt.encode({"alg": "ES256", "kid": "a"}, claims(), OTHER, algorithms=["ES256"]),
        lambda: signed()[:-4] + "AAAA",
        lambda: raw({"alg": "ES256", "kid": "a", "crit": 5}, claims()),
        lambda: raw({"alg": "ES256", "kid": ["a"]}, claims()),
        lambda: raw([], claims()),
        lambda: raw({"alg": "ES256", "kid": "a"}, []),
    ],
    ids=[
        "empty",
        "letters",
        "none",
        "none-kid",
        "hs256",
        "other-key",
        "other-key-same-kid",
        "signature",
        "crit",
        "kid",
        "header",
        "payload",
    ],
)
async def test_what_proves_nothing_is_refused(verifier: JwtVerifier, token: Callable[[], str]) -> None:
    with pytest.raises(BadToken):
        await verifier.actor(token())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.dictionaries(st.sampled_from(["crit", "kid", "typ", "b64", "jwk", "x5c", "cty", "zip"]), ANY_JSON), body=ANY_JSON)
async def test_no_header_and_no_payload_is_a_defect_of_ours(verifier: JwtVerifier, header: dict[str, Any], body: Any) -> None:
    with pytest.raises(BadToken):
        await verifier.actor(raw({"alg": "ES256", "kid": "a", **header}, body))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["iss", "aud", "sub", "roles", "exp", "iat", "nbf"]), ANY_JSON, min_size=1))
async def test_no_signed_claim_is_a_defect_of_ours(verifier: JwtVerifier, changes: dict[str, Any]) -> None:
    try:
        actor = await verifier.actor(signed(**changes))
    except BadToken:
        return
    assert ":" in actor.person


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1.evil.example/keys",
        "http://localhost.evil.example/keys",
        "http://localhost@evil.example/keys",
        "http://login.example.com/keys",
        "file:///etc/passwd",
        "https:///keys",
    ],
)
def test_keys_come_from_https_this_machine_or_a_file(where: str) -> None:
    with pytest.raises(ValueError, match="AMONT_JWKS"):
        Keys(where)


@pytest.mark.parametrize(
    "where", ["https://login.example.com/keys", "http://127.0.0.1:9/keys", "http://localhost/k", "http://[::1]:9/k", "keys.json"]
)
def test_these_places_are_taken(where: str) -> None:
    Keys(where)


class Issuer:
    """An issuer's address: counts how often it is asked, and answers with what it holds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answer: Any = published(KEY)
        self.status = 200
        self.asked = 0
        self.now = 1000.0
        client = httpx.AsyncClient
        transport = httpx.MockTransport(self._handle)
        monkeypatch.setattr(tokens.httpx, "AsyncClient", lambda **options: client(transport=transport, **options))
        self.keys = Keys("https://login.example.com/keys", clock=lambda: self.now)
        self.verifier = JwtVerifier(ISSUER, AUDIENCE, self.keys)

    async def _handle(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        await asyncio.sleep(0)
        return httpx.Response(self.status, content=self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode())


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Issuer:
    return Issuer(monkeypatch)


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"error": "x"},
        {"keys": 5},
        {"keys": []},
        {"keys": [5]},
        {"keys": [{"kty": "EC"}]},
        None,
        "x",
        b"<html>",
        b"\xff",
        b"[" * 100_000,
    ],
    ids=lambda answer: str(answer)[:20],
)
async def test_odd_answers_of_the_issuer_are_an_outage(issuer: Issuer, answer: Any) -> None:
    issuer.answer = answer
    with pytest.raises(Unavailable):
        await issuer.verifier.actor(signed())


async def test_keys_that_were_had_serve_on_for_a_day_while_the_issuer_is_away(issuer: Issuer) -> None:
    await issuer.verifier.actor(signed())
    issuer.status = 500
    issuer.now += KEYS_FRESH_SECONDS + 1
    assert (await issuer.verifier.actor(signed())).person == "fr:e1"
    issuer.now += KEYS_STALE_SECONDS
    with pytest.raises(Unavailable):
        await issuer.verifier.actor(signed())
    issuer.status = 200
    issuer.now += KEYS_AGAIN_SECONDS + 1
    assert (await issuer.verifier.actor(signed())).person == "fr:e1"


@pytest.mark.parametrize("status", [200, 500])
async def test_bad_tokens_do_not_hammer_the_issuer(issuer: Issuer, status: int) -> None:
    await issuer.verifier.actor(signed())
    issuer.status, issuer.asked = status, 0
    issuer.now += KEYS_AGAIN_SECONDS + 1
    for _ in range(20):
        with pytest.raises(BadToken):
            await issuer.verifier.actor(signed(OTHER))
    assert issuer.asked == 1


async def test_an_issuer_that_never_answered_is_not_hammered(issuer: Issuer) -> None:
    issuer.status = 503
    for _ in range(20):
        with pytest.raises(Unavailable):
            await issuer.verifier.actor(signed())
    assert issuer.asked == 1
    issuer.status = 200
    issuer.now += KEYS_AGAIN_SECONDS + 1
    assert (await issuer.verifier.actor(signed())).person == "fr:e1"


async def test_many_who_ask_at_once_ask_the_issuer_once(issuer: Issuer) -> None:
    actors = await asyncio.gather(*(issuer.verifier.actor(signed()) for _ in range(20)))
    assert (len(actors), issuer.asked) == (20, 1)


async def test_a_new_key_of_the_issuer_is_found_with_the_first_token_it_signs(issuer: Issuer) -> None:
    await issuer.verifier.actor(signed())
    issuer.answer = published(KEY, OTHER)
    issuer.now += KEYS_AGAIN_SECONDS + 1
    assert (await issuer.verifier.actor(signed(OTHER))).person == "fr:e1"
    assert issuer.asked == 2
