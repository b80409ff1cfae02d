"""Where those links in mails lead for which a service has no pages yet: in the demo to its own pages, with `amont up` to how to answer by the API."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from amont.common.errors import NotFound
from amont.common.web.pages import plain_page
from amont.local.issuer import on_this_machine
from amont.local.overview.reading import Overview

VERBS = {"pair": ("", "accept", "decline"), "session": ("", "choose")}
"""What a link may end with, by what it is about."""

_PAGE = """{% extends "base" %}
{% block content %}
  <p>{{ about }} Pages to answer on come later; for now the answer goes through the API. Nothing has happened by opening this link.</p>
  {% if sign_in %}<p>Get a token on the <a href="/sign-in">sign-in page</a> of this machine, as the person the mail was for,
  and put it in <code>TOKEN</code>.</p>{% endif %}
  {% for what, request in requests %}
  <h2>{{ what }}</h2>
  <pre>{{ request }}</pre>
  {% endfor %}
  <p><a href="/docs">Every route of the API</a></p>
{% endblock %}
"""


def to_the_demo(overview: Overview) -> APIRouter:
    """The demo shows what a link is about on its own pages."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(on_this_machine)])

    @router.get("/matching/pairs/{id_}")
    @router.get("/matching/pairs/{id_}/{verb}")
    async def pair(id_: str, verb: str = "") -> RedirectResponse:
        _known("pair", verb)
        return await to_pair(id_)

    @router.get("/scheduling/sessions/{id_}")
    @router.get("/scheduling/sessions/{id_}/{verb}")
    async def session(id_: str, verb: str = "") -> RedirectResponse:
        _known("session", verb)
        found = (await overview.read_on()).sessions.get(id_)
        return await to_pair(found.pair if found else "")

    @router.get("/notifications/preferences")
    async def preferences() -> RedirectResponse:
        return RedirectResponse("/", 303)

    async def to_pair(id_: str) -> RedirectResponse:
        """Only to what there is: what stands in a link is nobody's to choose."""
        known = id_ in (await overview.read_on()).pairs
        return RedirectResponse(f"/demo/pairs/{id_}" if known else "/", 303)

    return router


def to_the_api(*, sign_in: bool) -> APIRouter:
    """A page that says what a link is about and the request that answers. It knows nothing but the link, so anybody may read it."""
    router = APIRouter(include_in_schema=False)

    def page(title: str, about: str, *requests: tuple[str, str]) -> HTMLResponse:
        return plain_page(_PAGE, title=title, about=about, requests=requests, sign_in=sign_in)

    @router.get("/matching/pairs/{id_}")
    @router.get("/matching/pairs/{id_}/{verb}")
    async def pair(id_: str, request: Request, verb: str = "") -> HTMLResponse:
        _known("pair", verb)
        where = f"/api/matching/v1/pairs/{id_}"
        look, yes, no = (
            ("See it", _get(request, where)),
            ("Accept", _post(request, f"{where}/accept")),
            ("Decline", _post(request, f"{where}/decline")),
        )
        return page("A pair", f"This link is about the pair {id_}.", *{"": (look, yes, no), "accept": (yes,), "decline": (no,)}[verb])

    @router.get("/scheduling/sessions/{id_}")
    @router.get("/scheduling/sessions/{id_}/{verb}")
    async def session(
        id_: str, request: Request, verb: str = "", starts_at: Annotated[str, Query(max_length=40)] = "2027-01-14T10:00:00+01:00"
    ) -> HTMLResponse:
        _known("session", verb)
        body = f'{{"starts_at": "{_instant(starts_at)}"}}'
        return page(
            "A session",
            f"This link is about the session {id_}. A session belongs to a pair: write the pair's id for PAIR.",
            ("See your pairs and their sessions", _get(request, "/api/scheduling/v1/plans")),
            ("See other times", _get(request, "/api/scheduling/v1/plans/PAIR/slots")),
            ("Choose a time", _post(request, f"/api/scheduling/v1/plans/PAIR/sessions/{id_}/schedule", body)),
            ("Move it to another time", _post(request, f"/api/scheduling/v1/plans/PAIR/sessions/{id_}/reschedule", body)),
        )

    @router.get("/notifications/preferences")
    async def preferences(request: Request) -> HTMLResponse:
        where = "/api/notifications/v1/preferences"
        return page(
            "What you want no messages about",
            "This link is about the messages that you can do without.",
            ("See what you have said", _get(request, where)),
            ("No more invitations", _put(request, where, '{"muted": ["invitations"]}')),
            ("Invitations again", _put(request, where, '{"muted": []}')),
        )

    return router


def home(*, sign_in: bool) -> APIRouter:
    """`/` leads to where one begins."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def begin() -> RedirectResponse:
        return RedirectResponse("/sign-in" if sign_in else "/docs", 303)

    return router


def _known(kind: str, verb: str) -> None:
    if verb not in VERBS[kind]:
        raise NotFound("page", verb[:50])


def _instant(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise NotFound("time", text) from None


def _get(request: Request, path: str) -> str:
    return f'curl -H "Authorization: Bearer $TOKEN" {_address(request)}{path}'


def _post(request: Request, path: str, body: str = "", method: str = "POST") -> str:
    data = f" -H 'Content-Type: application/json' -d '{body}'" if body else ""
    return f'curl -X {method} -H "Authorization: Bearer $TOKEN"{data} {_address(request)}{path}'


def _put(request: Request, path: str, body: str) -> str:
    return _post(request, path, body, method="PUT")


def _address(request: Request) -> str:
    return str(request.base_url).rstrip("/")
