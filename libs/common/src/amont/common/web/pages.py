"""Pages for people: HTML from the server under a strict policy, no script, nothing from elsewhere. `/docs` is one: every route, by tag."""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import BaseLoader, ChoiceLoader, DictLoader, Environment, StrictUndefined

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
html { background: Canvas; color: CanvasText; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem 3rem; }
h1, h2, h3, p, dd, li, span, code { overflow-wrap: anywhere; min-width: 0; }
h2 { margin: 2rem 0 .5rem; border-bottom: 1px solid; }
dt { margin-top: .8rem; font-weight: 600; }
dd { margin: 0; }
dt b { display: inline-block; min-width: 4rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .75rem; border: 1px solid; border-radius: .5rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: center; border-bottom: 1px solid; padding-bottom: .5rem; }
header form { margin-left: auto; }
fieldset { border: 1px solid; border-radius: .5rem; margin: 1.25rem 0; padding: .5rem 1rem 1rem; min-width: 0; }
legend { font-weight: 600; padding: 0 .35rem; }
label { display: inline-flex; gap: .5rem; align-items: center; margin: .2rem 1rem .2rem 0; min-height: 2rem; }
input, select, textarea, button { font: inherit; }
input[type=text], input[type=number], input[type=time], select, textarea { padding: .35rem .5rem; max-width: 100%; box-sizing: border-box; }
input[type=number] { width: 5rem; }
input[type=time] { width: 8.4rem; }
label.above { flex-wrap: wrap; }
textarea { width: 100%; }
button, .button { display: inline-block; font-weight: 600; padding: .55rem 1.1rem; border: 1px solid; border-radius: .5rem; cursor: pointer; }
.button { text-decoration: none; }
.rows { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1rem; align-items: center; }
.rows > span { overflow-wrap: anywhere; }
.rows > select { justify-self: start; min-width: 12rem; }
.said { border: 1px solid; border-left-width: .4rem; border-radius: .5rem; padding: .5rem 1rem; margin: 1rem 0; }
.fault { color: light-dark(#a3001b, #ff9aa8); font-weight: 600; margin: .35rem 0; }
.hint { font-size: .9rem; margin: .35rem 0; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; max-height: 22rem; overflow-y: auto; border: 1px solid; border-radius: .5rem; padding: .75rem; }
@media (max-width: 30rem) { .rows { grid-template-columns: 1fr; } .rows > span { margin-top: .5rem; } }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
METHODS = ("get", "post", "put", "patch", "delete")

_BASE = """<!doctype html>
<html lang="{{ language }}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{{ title }}</title>
  <style>{{ style|safe }}</style>
</head>
<body>
{% block head %}{% endblock %}
<main>
  <h1>{{ title }}</h1>
  {% block content %}{% endblock %}
</main>
</body>
</html>
"""
_DOCS = """{% extends "base" %}
{% block content %}
  <p>Every route of this process. Send a bearer token: <code>Authorization: Bearer …</code>.
  Bodies, answers and examples are in <a href="openapi.json">openapi.json</a>, for any OpenAPI viewer.</p>
  {% for tag, routes in tags.items() %}
  <h2>{{ tag }}</h2>
  <dl>
    {% for method, path, summary in routes %}
    <dt><code><b>{{ method }}</b> {{ path }}</code></dt>
    <dd>{{ summary }}</dd>
    {% endfor %}
  </dl>
  {% endfor %}
{% endblock %}
"""


class Pages:
    """Templates that extend `base` and fill its block `content`; everything shown is escaped."""

    def __init__(self, templates: BaseLoader) -> None:
        loader = ChoiceLoader([DictLoader({"base": _BASE}), templates])
        self._environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)

    def __call__(self, template: str, *, title: str, language: str = "en", status: int = 200, **shown: Any) -> HTMLResponse:
        text = self._environment.get_template(template).render(title=title, language=language, style=_STYLE, **shown)
        return HTMLResponse(text, status, headers=HEADERS)


def plain_page(template: str, *, title: str, **shown: Any) -> HTMLResponse:
    """A page of one template that stands in the code."""
    return Pages(DictLoader({"page": template}))("page", title=title, **shown)


def docs_router() -> APIRouter:
    """`/docs`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs(request: Request) -> HTMLResponse:
        return plain_page(_DOCS, title=f"{request.app.title}: the API", tags=_routes_by_tag(request.app.openapi()))

    return router


def _routes_by_tag(schema: Mapping[str, Any]) -> Mapping[str, list[tuple[str, str, str]]]:
    found: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for path, routes in schema.get("paths", {}).items():
        for method in METHODS:
            if route := routes.get(method):
                says = route.get("description") or route.get("summary", "")
                found[(route.get("tags") or ["other"])[0]].append((method.upper(), path, says))
    return found
