"""The machine's own issuer: its tokens expire and say for whom they are; it exists on loopback only and never beside a configured issuer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from amont.common.clock import FixedClock
from amont.common.errors import NotAllowed
from amont.common.identity import Privilege
from amont.common.settings import IdentitySettings
from amont.common.web.tokens import BadToken
from amont.local.issuer import AUDIENCE, ISSUER, VALID_FOR, LocalIssuer, for_this_machine, is_loopback

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
