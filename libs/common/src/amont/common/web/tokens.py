"""Bearer tokens: signed JWTs, checked with explicit algorithms, issuer, audience and expiry (RFC 8725). Keys come from a file or an https address."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from amont.common.errors import Unavailable
from amont.common.events.values import tenant_of
from amont.common.identity import Actor, Privilege

ALGORITHMS = ["ES256", "RS256", "EdDSA", "Ed25519"]
KEYS_FRESH_SECONDS = 600.0
KEYS_AGAIN_SECONDS = 10.0
"""How soon keys are fetched again for a token that none of them verifies."""


class BadToken(Exception):
    """The token does not prove who asks; the message says why, without the token."""


class Verifier(Protocol):
    """Turns a token into an actor."""

    async def actor(self, token: str) -> Actor:
        """Raises BadToken, or Unavailable when the issuer's keys cannot be had."""
        ...


class NoVerifier:
    """No issuer is configured: every token is refused."""

    async def actor(self, token: str) -> Actor:  # noqa: ARG002
        raise BadToken("No issuer is configured here (AMONT_ISSUER), so no token can be accepted.")


class JwtVerifier:
    """Checks against one issuer."""

    def __init__(self, issuer: str, audience: str, keys: "Keys") -> None:
        self._issuer, self._audience, self._keys = issuer, audience, keys

    async def actor(self, token: str) -> Actor:
        claims = await self._claims(token)
        registry = jwt.JWTClaimsRegistry(
            leeway=30,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            registry.validate(dict(claims))
        except JoseError as error:
            raise BadToken(f"The token is refused: {error.error}.") from None
        return actor_of(claims)

    async def _claims(self, token: str) -> Mapping[str, Any]:
        for fresh in (False, True):
            keys = await self._keys.get(fresh=fresh)
            try:
                return jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            except JoseError as error:
                reason = error.error
            except ValueError:
                reason = "unknown key"
        raise BadToken(f"The token is refused: {reason}.")


def actor_of(claims: Mapping[str, Any]) -> Actor:
    """The actor that verified claims speak of: `sub` is `tenant:employee_id`, `roles` a list of privileges. Raises BadToken."""
    person, roles = claims["sub"], claims.get("roles", [])
    if not isinstance(person, str) or ":" not in person or not isinstance(roles, list):
        raise BadToken("The token's sub must be tenant:employee_id and its roles a list.")
    known = {one.value for one in Privilege}
    privileges = {Privilege(role) for role in roles if role in known}
    return Actor(person, tenant_of(person), frozenset(privileges | {Privilege.PARTICIPANT}) if not privileges else frozenset(privileges))


class Keys:
    """An issuer's public keys (a JWK set), from a file or an https address, cached."""

    def __init__(self, where: str) -> None:
        if not where.startswith(("https://", "http://127.0.0.1", "http://localhost")) and "://" in where:
            raise ValueError(f"AMONT_JWKS is {where!r}; write an https URL or a file")
        self._where = where
        self._keys: KeySet | None = None
        self._read_at = 0.0

    async def get(self, *, fresh: bool = False) -> KeySet:
        """The keys; `fresh` asks again unless that was just done. Raises Unavailable."""
        age = time.monotonic() - self._read_at
        if self._keys is None or age > (KEYS_AGAIN_SECONDS if fresh else KEYS_FRESH_SECONDS):
            self._keys = KeySet.import_key_set(await self._read())
            self._read_at = time.monotonic()
        return self._keys

    async def _read(self) -> Any:
        if "://" not in self._where:
            try:
                return json.loads(await asyncio.to_thread(Path(self._where).read_text, encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise Unavailable(f"The key file of AMONT_JWKS cannot be read: {type(error).__name__}") from error
        try:
            async with httpx.AsyncClient(timeout=10, follow_redirects=False) as client:
                answer = await client.get(self._where)
                answer.raise_for_status()
                return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"The issuer's keys cannot be had: {type(error).__name__}") from error
