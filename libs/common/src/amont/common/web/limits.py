"""How often a client may ask: a token bucket each, in front of every route. In memory and per process: it keeps one client from starving the others, it does
not bill.

A client is a bearer token, or a browser's session, that has been believed before, known here by its digest; whoever comes without one, or with one that
nobody has believed yet, is the address that they come from, so that made-up tokens are no new clients. Whoever checks tokens says that one was believed
(`believe`): no answer says it, since a page that is not there is not there for anybody. What operations ask (health, metrics) is never refused.
"""

import base64
import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amont.common import metrics
from amont.common.web.problems import Refusals
from amont.common.web.tokens import bearer

MOST_CLIENTS = 10_000
"""Buckets that are remembered; the one that asked longest ago is forgotten first, and would be full by then."""
AT_ONCE = 5
"""So many seconds' worth may come at once."""
EXEMPT = ("/health/", "/metrics")
NOT_BELIEVED = 401
SESSION_COOKIE = "amont-session"
"""What `web.browsers` signs people in with."""
ONLY_THIS_HOST = "__Host-"
_HOLDER = "amont.believed"


@dataclass(slots=True)
class _Belief:
    """Stands in the scope of a request, which is copied on its way to a route; this is not."""

    proved: str | None = None


def believe(scope: Scope, credential: str) -> None:
    """This credential of the request, and no other that came along, has proved who asks."""
    belief = scope.get(_HOLDER)
    if isinstance(belief, _Belief):
        belief.proved = credential


class RateLimit:
    """`per_second` requests a second on average, `burst` at once."""

    def __init__(self, per_second: float, burst: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = per_second, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    @classmethod
    def of(cls, per_second: float) -> "RateLimit | None":
        """As the settings say; None for 0, which is no limit."""
        return cls(per_second, max(1, round(per_second * AT_ONCE))) if per_second else None

    def wait(self, client: str) -> float:
        """0 when the client may ask now, which counts; otherwise the seconds until it may."""
        now = self._clock()
        left, at = self._buckets.pop(client, (float(self._burst), now))
        left = min(float(self._burst), left + (now - at) * self._rate)
        granted = left >= 1
        self._buckets[client] = (left - 1 if granted else left, now)
        while len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (1 - left) / self._rate


class Limited:
    """Refuses with 429 and `Retry-After` whoever asks too often."""

    def __init__(self, app: ASGIApp, limit: RateLimit, refusals: Refusals) -> None:
        self._app, self._limit, self._refusals = app, limit, refusals
        self._believed: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(EXEMPT):
            await self._app(scope, receive, send)
            return
        token = _token_of(scope)
        known = token is not None and token in self._believed
        wait = self._limit.wait(f"token:{token}" if known else f"address:{(scope.get('client') or ('',))[0]}")
        if wait > 0:
            await self._refuse(wait, scope, receive, send, "token" if known else "address")
            return

        belief = _Belief()

        async def heard(message: Message) -> None:
            if token is not None and message["type"] == "http.response.start":
                believed = belief.proved is not None and _digest_of(belief.proved) == token
                if believed or message["status"] == NOT_BELIEVED:
                    self._learn(token, believed=believed)
            await send(message)

        await self._app({**scope, _HOLDER: belief}, receive, heard)

    def _learn(self, token: str, *, believed: bool) -> None:
        self._believed.pop(token, None)
        if believed:
            self._believed[token] = None
            if len(self._believed) > MOST_CLIENTS:
                self._believed.popitem(last=False)

    async def _refuse(self, wait: float, scope: Scope, receive: Receive, send: Send, client: str) -> None:
        metrics.REQUESTS_LIMITED.labels(client).inc()
        seconds = math.ceil(wait)
        detail = f"You ask too often. Wait {seconds} s."
        answer = self._refusals(scope["path"], 429, "too-many-requests", "Too many requests", detail, {"Retry-After": str(seconds)})
        await answer(scope, receive, send)


def _token_of(scope: Scope) -> str | None:
    """The digest of the bearer token, or of a browser's session; the token itself is kept nowhere."""
    header = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    token = bearer(header.decode("latin-1")) or _session_in(scope)
    return _digest_of(token) if token else None


def _digest_of(credential: str) -> str:
    return hashlib.blake2b(_in_one_spelling(credential), digest_size=16).hexdigest()


def _session_in(scope: Scope) -> str:
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    said = cookie_parser(cookies.decode("latin-1"))
    return said.get(f"{ONLY_THIS_HOST}{SESSION_COOKIE}") or said.get(SESSION_COOKIE, "")


def _in_one_spelling(token: str) -> bytes:
    """base64url spells the end of a JWT's signature in several ways that mean the same bytes, with padding and without; none of them is signed."""
    signed, _, signature = token.rpartition(".")
    if signed.count(".") == 1:
        with suppress(ValueError):  # no base64, so no JWT
            return signed.encode() + b"." + base64.urlsafe_b64decode(signature + "==")
    return token.encode()
