"""An issuer of tokens for made-up people, for one machine: `amont up` and the demo sign people in with it.

It exists on loopback only and never beside a configured issuer: `for_this_machine` refuses both, and its page answers only requests that name
loopback as their host, come from no other site and through no proxy, so that neither another page in the browser nor somebody behind a tunnel can
ask it for a token.
"""

import ipaddress
import json
import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from amont.common.clock import Clock, SystemClock
from amont.common.errors import Invalid, NotAllowed
from amont.common.identity import Actor, Privilege
from amont.common.settings import IdentitySettings
from amont.common.web.browsers import ON_ITS_WAY, Sessions, within
from amont.common.web.tokens import BadToken, actor_of

ISSUER, AUDIENCE = "urn:amont:this-machine", "amont"
VALID_FOR = timedelta(hours=12)
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

_pages = Environment(loader=PackageLoader("amont.local"), autoescape=True, undefined=StrictUndefined)


class LocalIssuer:
    """Signs and checks tokens with a key of its own. Tokens follow the machine's clock even where the programme's time is simulated."""

    def __init__(self, key: OKPKey, clock: Clock | None = None) -> None:
        self._key = key
        self._clock = clock or SystemClock()

    @classmethod
    def with_new_key(cls) -> "LocalIssuer":
        return cls(OKPKey.generate_key("Ed25519"))

    @classmethod
    def with_key_in(cls, folder: Path) -> "LocalIssuer":
        """The folder's key, made at first use, readable by its owner only: tokens stay good across restarts."""
        path = folder / "issuer.jwk.json"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _write_whole(path, json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=True)))
        return cls(OKPKey.import_key(json.loads(path.read_text(encoding="utf-8"))))

    def token(self, person: str, *privileges: Privilege) -> str:
        """A bearer token for somebody, valid for twelve hours."""
        now = self._clock.now()
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": person, "roles": list(privileges), "iat": now, "exp": now + VALID_FOR}
        return jwt.encode({"alg": "Ed25519"}, claims, self._key, algorithms=["Ed25519"])

    async def actor(self, token: str) -> Actor:
        """As `web.tokens.Verifier`. Raises BadToken."""
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock.now().timestamp()),
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = jwt.decode(token, KeySet([self._key]), algorithms=["Ed25519"]).claims
            registry.validate(claims)
        except (JoseError, ValueError) as error:
            raise BadToken(f"The token is refused: {getattr(error, 'error', 'unreadable')}.") from None
        return actor_of(claims)


def for_this_machine(host: str, settings: IdentitySettings, folder: Path | None) -> LocalIssuer:
    """The machine's own issuer. Raises NotAllowed beside a configured issuer or on an address that others can reach."""
    if settings.issuer is not None:
        raise NotAllowed("AMONT_ISSUER is set: made-up people cannot sign in beside a real issuer.")
    if not is_loopback(host):
        raise NotAllowed(
            f"{host} can be reached by others: made-up people sign in on loopback only. Set AMONT_ISSUER and AMONT_JWKS, or use --host 127.0.0.1."
        )
    return LocalIssuer.with_key_in(folder) if folder else LocalIssuer.with_new_key()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _write_whole(path: Path, text: str) -> None:
    """All of a file or nothing of it, readable by its owner only."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


def on_this_machine(request: Request) -> None:
    """Refuse a request that does not name loopback as its host (another site may point its name here), that another site in the same browser makes,
    or that a proxy or tunnel hands on for somebody elsewhere.
    """
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in LOOPBACK_NAMES:
        raise NotAllowed("This page answers on loopback only: open it as http://127.0.0.1 or http://localhost.")
    handed_on = sorted(header for header in request.headers if header in {"forwarded", "via"} or header.startswith("x-forwarded-"))
    if handed_on:
        raise NotAllowed(f"This page answers nobody behind a proxy, and the request carries {', '.join(handed_on)}.")
    if not all(_is_here(origin) for origin in request.headers.getlist("origin")):
        raise NotAllowed("This page answers no other site: open it yourself, as http://127.0.0.1 or http://localhost.")


def _is_here(origin: str) -> bool:
    try:
        return is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return False


class SignInHere:
    """At this machine's own page (`browsers.SignIn`): it signs the browser in itself, so that nobody comes back from elsewhere."""

    def __init__(self) -> None:
        self.sessions = Sessions.with_new_key()

    async def begin(self, request: Request, service: str, then: str) -> Response:  # noqa: ARG002 - one page for all services
        """See `browsers.SignIn`."""
        return RedirectResponse(f"/sign-in?then={quote(then, safe='')}", 303)

    async def finish(self, request: Request, service: str) -> Response:  # noqa: ARG002
        """See `browsers.SignIn`."""
        return RedirectResponse(f"/{service}/", 303)


def _is_ours(request: Request) -> bool:
    """Whether a form was sent by this very page: another program on this machine may ask for a token, and signs nobody's browser in."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def sign_in_page(issuer: LocalIssuer, sign_in: SignInHere) -> APIRouter:
    """`/sign-in`: become anybody, at this browser and with a token to use the API with; the token alone, for whoever asks for plain text, as a
    script does.
    """
    router = APIRouter(include_in_schema=False, dependencies=[Depends(on_this_machine)])

    def page(**shown: object) -> HTMLResponse:
        text = _pages.get_template("sign-in.html").render(privileges=[one.value for one in Privilege], **shown)
        headers = {
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
            "Cache-Control": "no-store",
        }
        return HTMLResponse(text, headers=headers)

    @router.get("/sign-in")
    async def ask(request: Request, then: str = "") -> HTMLResponse:
        visitor = sign_in.sessions.visitor(request)
        return page(token=None, person=visitor.person if visitor else "", chosen=["participant"], then=within(then, ""))

    @router.post("/sign-in")
    async def answer(
        request: Request,
        person: Annotated[str, Form()],
        role: Annotated[list[Privilege], Form()] = [],  # noqa: B006 - FastAPI copies it
        then: Annotated[str, Form()] = "",
    ) -> Response:
        try:
            actor_of({"sub": person})
        except BadToken:
            raise Invalid("Write who you are as tenant:employee_id, for instance fr:e42.") from None
        if request.headers.get("accept", "").startswith("text/plain"):
            return PlainTextResponse(issuer.token(person, *role), headers={"Cache-Control": "no-store"})
        wanted = within(then, "")
        token, chosen = issuer.token(person, *role), [one.value for one in role]
        here = _is_ours(request)
        shown: Response = (
            RedirectResponse(wanted, 303, ON_ITS_WAY) if wanted and here else page(token=token, person=person, chosen=chosen, then="")
        )
        if here:
            sign_in.sessions.begin(shown, person)
        return shown

    return router
