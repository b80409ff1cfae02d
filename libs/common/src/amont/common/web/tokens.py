"""Bearer tokens: signed JWTs, checked with explicit algorithms, issuer, audience and expiry (RFC 8725). Keys come from a file or an https address."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import TypeAdapter, ValidationError

from amont.common.errors import Unavailable
from amont.common.events.values import PersonId, tenant_of
from amont.common.identity import Actor, Privilege

ALGORITHMS = ["ES256", "RS256", "EdDSA", "Ed25519"]
KEYS_FRESH_SECONDS = 600.0
KEYS_AGAIN_SECONDS = 10.0
"""How soon keys are asked for again: for a token that none of them verifies, or after they could not be had."""
KEYS_STALE_SECONDS = 86_400.0
"""How long keys are used while the issuer does not give new ones."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

MALFORMED = (JoseError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)
"""What the libraries raise for data that is not what the standards say."""
_person = TypeAdapter[str](PersonId)
_logger = structlog.get_logger(__name__)


def bearer(authorization: str) -> str:
    """The token of an `Authorization` header, in however many blanks it is wrapped; empty when it is none (RFC 6750, section 2.1)."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


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
        return actor_of(await self.claims(token))

    async def claims(self, token: str) -> Mapping[str, Any]:
        """What the token says, once it has proved that the issuer said it, for this audience, and not too long ago. Raises BadToken, Unavailable."""
        claims = await self._signed(token)
        registry = jwt.JWTClaimsRegistry(
            leeway=30,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            registry.validate(dict(claims))
        except MALFORMED as error:
            raise BadToken(f"The token is refused: {_why(error)}.") from None
        return claims

    async def _signed(self, token: str) -> Mapping[str, Any]:
        for fresh in (False, True):
            keys = await self._keys.get(fresh=fresh)
            try:
                return jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            except MALFORMED as error:
                reason = _why(error)
        raise BadToken(f"The token is refused: {reason}.")


def actor_of(claims: Mapping[str, Any]) -> Actor:
    """The actor that verified claims speak of: `sub` is `tenant:employee_id`, `roles` a list of privileges. Raises BadToken.

    Who has no roles is a participant; roles of which we know none give nothing.
    """
    roles = claims.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise BadToken("The token's roles must be a list of words.")
    try:
        person = _person.validate_python(claims.get("sub"), strict=True)
    except ValidationError:
        raise BadToken("The token's sub must be tenant:employee_id.") from None
    known = {one.value for one in Privilege}
    privileges = frozenset(Privilege(role) for role in roles if role in known)
    return Actor(person, tenant_of(person), privileges if roles else frozenset({Privilege.PARTICIPANT}))


def _why(error: Exception) -> str:
    return error.error if isinstance(error, JoseError) else "it is malformed or its key unknown"


class Keys:
    """An issuer's public keys (a JWK set), from a file or an https address, cached. While new ones cannot be had, those of the last day serve on."""

    def __init__(self, where: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        if "://" in where and not is_trustworthy(where):
            raise ValueError(f"AMONT_JWKS is {where!r}; write an https URL or a file")
        self._where = where
        self._clock = clock
        self._keys: KeySet | None = None
        self._read_at = self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def get(self, *, fresh: bool = False) -> KeySet:
        """The keys; `fresh` asks again unless that was just done. Raises Unavailable."""
        must_wait = fresh or not self._usable
        if must_wait or (self._is_due(fresh=False) and not self._asking.locked()):
            async with self._asking:
                if self._is_due(fresh=fresh):
                    await self._ask()
        if self._keys is None or not self._usable:
            raise Unavailable("The issuer's keys cannot be had; they are asked for again in a few seconds.")
        return self._keys

    @property
    def _usable(self) -> bool:
        return self._clock() - self._read_at < KEYS_STALE_SECONDS

    def _is_due(self, *, fresh: bool) -> bool:
        now = self._clock()
        return now - self._asked_at > KEYS_AGAIN_SECONDS and (fresh or now - self._read_at > KEYS_FRESH_SECONDS)

    async def _ask(self) -> None:
        self._asked_at = self._clock()
        try:
            self._keys = _key_set(await self._read())
        except Unavailable as error:
            _logger.warning("issuer_keys_unavailable", reason=str(error), serving_old_ones=self._usable)
        else:
            self._read_at = self._clock()

    async def _read(self) -> Any:
        if "://" not in self._where:
            try:
                return json.loads(await asyncio.to_thread(Path(self._where).read_text, encoding="utf-8"))
            except (OSError, ValueError, RecursionError) as error:
                raise Unavailable(f"The key file of AMONT_JWKS cannot be read: {type(error).__name__}") from error
        try:
            async with httpx.AsyncClient(timeout=10, follow_redirects=False) as client:
                answer = await client.get(self._where)
                answer.raise_for_status()
                return answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            raise Unavailable(f"The issuer's keys cannot be had: {type(error).__name__}") from error


def is_trustworthy(address: str) -> bool:
    """Whether what comes from an address can be relied on: https, or this machine itself."""
    parts = urlsplit(address)
    return parts.hostname is not None and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


def _key_set(document: Any) -> KeySet:
    try:
        return KeySet.import_key_set(document)
    except MALFORMED as error:
        raise Unavailable(f"What AMONT_JWKS names is no set of keys: {type(error).__name__}") from error
