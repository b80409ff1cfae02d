"""The users of a SCIM source over HTTP, page by page (RFC 7644, section 3.4.2.4), from a server that is trusted with nothing: not to answer, not to end.

Nothing is written there, and redirects are not followed, since a token goes along. What stops a look says what was asked, what came and what to do.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic_core import from_json, to_json

from amont.common.errors import Unavailable
from amont.common.web.tokens import LOOPBACK

PAGE = 100
MOST_PAGE_BYTES = 20_000_000
MOST_PAGES = 100_000
"""Ten million users: more than any group has. Who gives more never ends."""
TRIES = 5
LONGEST_WAIT = 60.0
"""Seconds that a source may ask us to wait between two pages."""
TIMEOUT = httpx.Timeout(60.0, connect=10.0)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of users, and how many the source says there are in all."""

    users: list[Any]
    total: int


class Source:
    """`url` ends before or with `/Users`. Raises ValueError for one that is no address."""

    def __init__(
        self, url: str, token: str | None, *, transport: httpx.BaseTransport | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"--scim is {url!r}: write the address that ends before /Users, as in https://idp.example/scim/v2.")
        if parts.query or parts.fragment or parts.username:
            raise ValueError(
                f"--scim is {parts.hostname!r} with more than an address: leave out what is no path, and give the token with --token."
            )
        self.url = url.rstrip("/").removesuffix("/Users") + "/Users"
        self.in_the_clear = parts.scheme == "http" and parts.hostname not in LOOPBACK and token is not None
        self._token, self._transport, self._sleep = token, transport, sleep

    def pages(self) -> Iterator[Page]:
        """Every page. Raises Unavailable when the source cannot be read to its end."""
        headers = {"Accept": "application/scim+json, application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        seen: set[bytes] = set()
        start = 1
        with httpx.Client(headers=headers, timeout=TIMEOUT, transport=self._transport, trust_env=self._transport is None) as http:
            while True:
                page = self._page(http, start)
                yield page
                start += len(page.users)
                if not page.users or start > page.total:
                    return
                digest = hashlib.blake2b(to_json(page.users), digest_size=16).digest()
                if digest in seen or len(seen) > MOST_PAGES:
                    raise Unavailable(self._endless(start, page.total, same=digest in seen))
                seen.add(digest)

    def _page(self, http: httpx.Client, start: int) -> Page:
        for _ in range(TRIES):
            status, headers, body = self._asked(http, start)
            if status not in {429, 503}:
                return self._read(start, status, headers, body)
            wait = headers.get("Retry-After", "5")
            self._sleep(min(float(wait) if wait.isascii() and wait.isdecimal() else 5.0, LONGEST_WAIT))
        raise Unavailable(f"{self.url} answers {status} again and again, at user {start:,}. Ask it later.")

    def _asked(self, http: httpx.Client, start: int) -> tuple[int, httpx.Headers, bytes]:
        try:
            with http.stream("GET", self.url, params={"startIndex": start, "count": PAGE}) as answer:
                body = b""
                for some in answer.iter_bytes():
                    body += some
                    if len(body) > MOST_PAGE_BYTES:
                        raise Unavailable(f"{self.url} gives a page of over {MOST_PAGE_BYTES:,} bytes where {PAGE} users were asked for.")
                return answer.status_code, answer.headers, body
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = str(error) or type(error).__name__
            raise Unavailable(f"{self.url} cannot be reached: {why}. Is the address right, and open from here?") from error

    def _read(self, start: int, status: int, headers: httpx.Headers, body: bytes) -> Page:
        if status == 401:
            raise Unavailable(
                f"{self.url} refuses the token (401)." if self._token else f"{self.url} wants a token (401): give it with --token."
            )
        if status == 403:
            raise Unavailable(f"{self.url} does not let this token read users (403): it needs the right to read them.")
        if 300 <= status < 400:
            raise Unavailable(
                f"{self.url} sends us to {headers.get('Location', 'elsewhere')[:200]!r} ({status}): is that the address to give?"
            )
        if status == 404:
            raise Unavailable(f"{self.url} is not there (404): give the address that ends before /Users.")
        if status != 200:
            raise Unavailable(f"{self.url} answers {status}, at user {start:,}: {_detail(body)}")
        return self._page_of(headers.get("Content-Type", "no type"), body)

    def _page_of(self, media_type: str, body: bytes) -> Page:
        given = _object(body)
        users, total = given.get("Resources", []), given.get("totalResults")
        if not isinstance(total, int) or isinstance(total, bool) or not isinstance(users, list):
            raise Unavailable(
                f"{self.url} answers 200 with {media_type[:80]!r}, which is no SCIM list of users (RFC 7644, section 3.4.2: an object with totalResults and "
                "Resources). Is it the address of a SCIM 2.0 service?"
            )
        return Page(users, total)

    def _endless(self, start: int, total: int, *, same: bool) -> str:
        if same:
            return (
                f"{self.url} gives a page again that it has given before, at user {start:,} of {total:,}: it does not heed startIndex, so it cannot be read "
                "to its end."
            )
        return f"{self.url} has given {start - 1:,} users and says there are {total:,}: it does not end."


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = from_json(body)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _detail(body: bytes) -> str:
    """What a SCIM error says (RFC 7644, section 3.12), or nothing that could be repeated."""
    detail = _object(body).get("detail")
    return detail[:300] if isinstance(detail, str) and detail else "it does not say why."
