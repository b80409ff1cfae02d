"""Signing people in at a browser by OpenID Connect: the authorization code flow with PKCE (RFC 7636), by Authlib's client.

What has to be remembered between going there and coming back (state, nonce, verifier, where to) is in a cookie of the browser that goes, for ten minutes.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from amont.common.errors import Unavailable
from amont.common.settings import PREFIX, IdentitySettings
from amont.common.web.browsers import ON_ITS_WAY, Sessions, SignInFailed
from amont.common.web.tokens import MALFORMED, BadToken, JwtVerifier, Keys, actor_of, is_trustworthy

BACK_WITHIN = timedelta(minutes=10)
"""As `people_words` says, too."""
MOST_UNDER_WAY = 5
"""Windows of one browser that are on their way at once; one more, and those before are forgotten."""
_UNDER_WAY, _SIGNING_IN = "amont-signing-in-", "signing-in"
_SECONDS = 10
_ENDPOINTS = ("authorization_endpoint", "token_endpoint")

_logger = structlog.get_logger(__name__)


class SignInSettings(BaseSettings):
    """How people sign in at pages. Without `client_id` nobody does, and only the API serves them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    client_id: str | None = Field(default=None, description="Amont's client at the issuer: people sign in at pages with it")
    client_secret: SecretStr | None = Field(default=None, description="its secret, or AMONT_CLIENT_SECRET_FILE; none for a public client")
    session_key: SecretStr | None = Field(
        default=None, validate_default=True, description="32 random characters or more: signs the cookie of who is signed in"
    )
    public_url: str | None = Field(default=None, validate_default=True, description="where people reach Amont: https://amont.example.com")

    @field_validator("session_key")
    @classmethod
    def _is_long(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if not info.data.get("client_id"):
            if key or info.data.get("client_secret"):
                raise ValueError("it is of use with AMONT_CLIENT_ID only, which is not set, as is AMONT_CLIENT_SECRET")
        elif len(key.get_secret_value() if key else "") < 32:
            raise ValueError("write 32 random characters or more, since AMONT_CLIENT_ID is set")
        return key

    @field_validator("public_url")
    @classmethod
    def _is_where_people_come_back_to(cls, url: str | None, info: ValidationInfo) -> str | None:
        if not info.data.get("client_id"):
            return url
        if not url or not is_trustworthy(url) or (root := _root_of(url)) is None:
            raise ValueError("write https and a host (http on loopback only) without a path, since AMONT_CLIENT_ID is set")
        return root


class OpenIdSignIn:
    """At the group's identity provider. Its addresses are what it publishes (OpenID Connect Discovery 1.0), asked for once."""

    def __init__(self, settings: SignInSettings, identity: IdentitySettings) -> None:
        """`settings` name a client. Raises ValueError when the issuer is not configured, or is no https address."""
        if identity.issuer is None or identity.jwks is None:
            raise ValueError("AMONT_CLIENT_ID is set and AMONT_ISSUER or AMONT_JWKS is not: say whose client it is")
        if not is_trustworthy(identity.issuer):
            raise ValueError("AMONT_CLIENT_ID is set and AMONT_ISSUER is no https address, so nobody can sign in there")
        if settings.client_id == identity.audience:
            raise ValueError(
                "AMONT_CLIENT_ID is AMONT_AUDIENCE: a token that only says who signed in would be one for the API. Give the pages a client of their own."
            )
        key = settings.session_key.get_secret_value() if settings.session_key else ""
        self._url = settings.public_url or ""
        self.sessions = Sessions(key, secure=urlsplit(self._url).scheme == "https")
        self._issuer, self._client = identity.issuer, settings.client_id or ""
        self._secret = settings.client_secret.get_secret_value() if settings.client_secret else None
        self._verifier = JwtVerifier(identity.issuer, self._client, Keys(identity.jwks))
        self._addresses: Mapping[str, str] = {}

    async def begin(self, request: Request, service: str, then: str) -> Response:
        """See `browsers.SignIn`. Each window has a cookie of its own, so that several may be on their way at once."""
        addresses = await self._discovered()
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        async with self._at_the_issuer(service) as client:
            url, state = client.create_authorization_url(addresses["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
        answer = RedirectResponse(url, 303, ON_ITS_WAY)
        under_way = self.sessions.names(request, _UNDER_WAY)
        for name in under_way if len(under_way) >= MOST_UNDER_WAY else ():
            self.sessions.drop(answer, name)
        says = {"state": state, "nonce": nonce, "verifier": verifier, "then": then}
        self.sessions.put(answer, _cookie_of(state), _SIGNING_IN, says, BACK_WITHIN)
        return answer

    async def finish(self, request: Request, service: str) -> Response:
        """See `browsers.SignIn`."""
        said = parse_qs(request.url.query, keep_blank_values=True)
        states, codes = said.get("state", []), said.get("code", [])
        under_way = self.sessions.read(request, _cookie_of(states[0]), _SIGNING_IN) if len(states) == 1 else None
        if under_way is None or under_way["state"] != states[0]:
            raise SignInFailed("too-late")
        if "error" in said or len(codes) != 1 or not codes[0]:
            _logger.warning("sign_in_refused", reason=said.get("error", ["neither a code nor an error"])[0][:100])
            raise SignInFailed("refused")
        claims = await self._claims(service, codes[0], under_way)
        try:
            person = actor_of({"sub": claims.get("sub")}).person
        except BadToken as error:
            _logger.warning("sign_in_refused", reason=str(error))
            raise SignInFailed("nobody-of-ours") from None
        if claims.get("nonce") != under_way["nonce"] or claims.get("azp") not in {None, self._client}:
            raise SignInFailed("not-confirmed")
        answer = RedirectResponse(under_way["then"], 303, ON_ITS_WAY)
        self.sessions.drop(answer, _cookie_of(states[0]))
        self.sessions.begin(answer, person)
        return answer

    async def _claims(self, service: str, code: str, under_way: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the provider says of whoever signed in. The grant is named: without it the client would guess one, and some need no code."""
        addresses = await self._discovered()
        try:
            async with self._at_the_issuer(service) as client:
                token = await client.fetch_token(
                    addresses["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=under_way["verifier"]
                )
            return await self._verifier.claims(str(token.get("id_token", "")))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"People cannot sign in: {addresses['token_endpoint']}: {type(error).__name__}: {error}") from error
        except (AuthlibBaseError, BadToken, *MALFORMED) as error:
            said = (
                error.error if isinstance(error, AuthlibBaseError) else str(error) if isinstance(error, BadToken) else type(error).__name__
            )
            _logger.warning("sign_in_refused", reason=said)
            raise SignInFailed("not-confirmed") from None

    def _at_the_issuer(self, service: str) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self._client,
            self._secret,
            scope="openid",
            redirect_uri=f"{self._url}/{service}/signed-in",
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
            timeout=_SECONDS,
        )

    async def _discovered(self) -> Mapping[str, str]:
        if not self._addresses:
            try:
                async with httpx2.AsyncClient(timeout=_SECONDS) as client:
                    answer = await client.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
                    answer.raise_for_status()
                    said = answer.json()
                self._addresses = self._checked(said)
            except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, LookupError, AttributeError, TypeError) as error:
                where = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                raise Unavailable(f"People cannot sign in: {where} cannot be used: {type(error).__name__}: {error}") from error
        return self._addresses

    def _checked(self, said: Mapping[str, Any]) -> Mapping[str, str]:
        found = {one: str(said[one]) for one in _ENDPOINTS}
        if said["issuer"] != self._issuer:
            raise ValueError(f"it speaks for {str(said['issuer'])[:200]!r}, and AMONT_ISSUER is {self._issuer!r}")
        if not all(map(is_trustworthy, found.values())):
            raise ValueError(f"it names an address that is not https: {sorted(found.values())}")
        return found


def _cookie_of(state: str) -> str:
    """The name of the cookie that remembers one sign-in."""
    return f"{_UNDER_WAY}{hashlib.sha256(state.encode()).hexdigest()[:16]}"


def _root_of(address: str) -> str | None:
    """Scheme, host and port; None for an address that has more."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None or re.search(r"[^!-~]", address):
        return None
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
