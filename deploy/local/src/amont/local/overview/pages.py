"""The pages' addresses and the headers that keep them harmless."""

from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from amont.local.issuer import on_this_machine
from amont.local.overview.letters import letter
from amont.local.overview.reading import Overview
from amont.local.overview.story import day, story, when
from amont.local.words import CRITERIA, ENDED

STRICT = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
WITH_A_MAIL = STRICT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""A mail's frame inherits the page's policy, and mails are dressed by style attributes because mail programs read nothing else."""
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
MAILS_SHOWN = 100

_templates = Environment(
    loader=PackageLoader("amont.local"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_templates.filters |= {"day": day, "when": when}
_templates.globals |= {"criteria": CRITERIA, "ended": ENDED}


def pages(overview: Overview) -> APIRouter:
    """The router with all of them."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(on_this_machine)])

    def page(template: str, policy: str = STRICT, **shown: Any) -> HTMLResponse:
        text = _templates.get_template(f"overview/{template}.html").render(now=overview.clock.now(), **shown)
        return HTMLResponse(text, headers={**HEADERS, "Content-Security-Policy": policy})

    @router.get("/")
    async def glance(request: Request) -> HTMLResponse:
        return page("glance", **await overview.glance(request.app))

    @router.get("/demo/pairs/{id_}")
    async def pair(id_: str, request: Request) -> HTMLResponse:
        row, fact = await overview.pair(request.app, id_)
        history = overview.history
        return page(
            "pair",
            row=row,
            fact=fact,
            lines=story(history.story_of(id_), history.name_of),
            sessions=sorted(history.sessions_of(id_), key=lambda one: (one.number, one.seq)),
            mails=overview.mails_about(id_),
            name_of=history.name_of,
        )

    @router.get("/demo/mails")
    async def mails(kind: Annotated[str, Query(max_length=50)] = "") -> HTMLResponse:
        history = await overview.read_on()
        found = [one for one in history.deliveries.values() if kind in {"", one.kind}]
        return page("mails", kind=kind, count=len(found), mails=found[-MAILS_SHOWN:][::-1], name_of=history.name_of)

    @router.get("/demo/mails/{id_}")
    async def mail(id_: str) -> HTMLResponse:
        history = await overview.read_on()
        return page("mail", WITH_A_MAIL, letter=letter(overview.folder / "mails", id_), delivery=history.deliveries.get(id_))

    @router.get("/demo/style.css")
    async def style() -> Response:
        text = (files("amont.local") / "templates" / "overview" / "style.css").read_text(encoding="utf-8")
        return Response(text, media_type="text/css", headers={**HEADERS, "Cache-Control": "max-age=600"})

    return router
