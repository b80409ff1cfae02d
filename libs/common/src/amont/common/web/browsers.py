"""Who sits at a browser: signed in for some hours by a cookie that is signed here and that no server remembers (decision 47).

A browser acts for the person alone: whatever else somebody may do, pages give them what a participant has. So a right that is taken away at the identity
provider is not kept alive by a cookie.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Protocol

from fastapi import Request, Response
from joserfc import jwt
from joserfc.jwk import OctKey

from amont.common.clock import Clock, SystemClock
from amont.common.errors import NotAllowed
from amont.common.events.values import tenant_of
from amont.common.identity import Actor, Privilege
from amont.common.web.limits import ONLY_THIS_HOST, SESSION_COOKIE
from amont.common.web.tokens import MALFORMED

VALID_FOR = timedelta(hours=4)
"""Then the identity provider is asked again, which a person who is signed in there does not notice."""
LONGEST_ADDRESS = 300
"""Of a page that is gone on to: it lies in a cookie meanwhile, and all cookies of a request are one line, which proxies bound."""
ON_ITS_WAY = MappingProxyType({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
"""What goes with an answer that sends a browser on while signing it in."""
_ALGORITHMS = ["HS256"]
_SESSION = "session"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at a browser. `secret` is what a form of theirs carries, so that no other site can send one for them."""

    person: str
    secret: str

    @property
    def actor(self) -> Actor:
        return Actor(self.person, tenant_of(self.person), frozenset({Privilege.PARTICIPANT}))


class Sessions:
    """Writes the cookie and reads it. Whoever has the same key believes it: the processes of all services behind one address."""

    def __init__(self, key: str, *, secure: bool, clock: Clock | None = None) -> None:
        """`secure` is for an address that is https, as every one but loopback is."""
        self._key = OctKey.import_key(hashlib.sha256(key.encode()).digest())
        self._secure = secure
        self._clock = clock or SystemClock()

    @classmethod
    def with_new_key(cls) -> "Sessions":
        """On loopback, for as long as the process lives."""
        return cls(secrets.token_urlsafe(32), secure=False)

    def begin(self, response: Response, person: str) -> None:
        """Sign somebody in."""
        self.put(response, SESSION_COOKIE, _SESSION, {"sub": person, "secret": secrets.token_urlsafe(16)}, VALID_FOR)

    def end(self, response: Response) -> None:
        """Sign them out at this browser."""
        self.drop(response, SESSION_COOKIE)

    def visitor(self, request: Request) -> Visitor | None:
        """Who sits there; None for nobody whom we have signed in within `VALID_FOR`."""
        said = self.read(request, SESSION_COOKIE, _SESSION)
        return Visitor(said["sub"], said["secret"]) if said else None

    def put(self, response: Response, cookie: str, use: str, says: Mapping[str, Any], valid_for: timedelta) -> None:
        """A cookie that says something and proves that we wrote it, for one use. Sent along from our own pages and by following a link."""
        now = self._clock.now()
        value = jwt.encode({"alg": "HS256"}, {**says, "use": use, "exp": now + valid_for}, self._key, algorithms=_ALGORITHMS)
        seconds = int(valid_for.total_seconds())
        response.set_cookie(self._named(cookie), value, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite="lax")

    def drop(self, response: Response, cookie: str) -> None:
        """Take a cookie back."""
        response.delete_cookie(self._named(cookie), path="/", secure=self._secure, httponly=True, samesite="lax")

    def read(self, request: Request, cookie: str, use: str) -> Mapping[str, Any] | None:
        """What a cookie says; None when there is none, or none of ours, or its time is over."""
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock.now().timestamp()), use={"essential": True, "value": use}, exp={"essential": True}
        )
        try:
            said = jwt.decode(self.presented(request, cookie), self._key, algorithms=_ALGORITHMS).claims
            registry.validate(said)
        except MALFORMED:
            return None
        return said

    def presented(self, request: Request, cookie: str = SESSION_COOKIE) -> str:
        """The cookie as it came, whoever wrote it."""
        return request.cookies.get(self._named(cookie), "")

    def names(self, request: Request, beginning: str) -> list[str]:
        """The cookies of ours that begin like this."""
        whole = self._named(beginning)
        return [f"{beginning}{name.removeprefix(whole)}" for name in request.cookies if name.startswith(whole)]

    def _named(self, cookie: str) -> str:
        """Over https no neighbour under the same domain can set it, either (RFC 6265bis, section 4.1.3.2)."""
        return f"{ONLY_THIS_HOST}{cookie}" if self._secure else cookie


class SignInFailed(NotAllowed):
    """The identity provider did not say who it is, or not in time. `why` is a word that pages have a sentence for (`people_words.SIGN_IN`)."""

    code = "sign-in-failed"
    title = "Signing in did not work"

    def __init__(self, why: str) -> None:
        super().__init__(f"Nobody was signed in: {why}.")
        self.why = why


class SignIn(Protocol):
    """A way for people to sign in at pages."""

    sessions: Sessions

    async def begin(self, request: Request, service: str, then: str) -> Response:
        """Send the browser to where one signs in; `then` is the page that was wanted. Raises Unavailable."""
        ...

    async def finish(self, request: Request, service: str) -> Response:
        """The browser is back: sign in and go on to the page that was wanted. Raises SignInFailed, Unavailable."""
        ...


def within(address: str | None, otherwise: str) -> str:
    """An address of ours that a browser may be sent on to; anything that leads elsewhere, or is very long, becomes `otherwise`."""
    if not address or not address.startswith("/") or address.startswith("//") or "\\" in address or not address.isprintable():
        return otherwise
    return address if len(address) <= LONGEST_ADDRESS else otherwise
