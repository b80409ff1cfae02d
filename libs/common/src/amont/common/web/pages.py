"""Plain pages for people: HTML from the server under a strict policy, no script, nothing from elsewhere. `/docs` is one: every route, by tag."""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import DictLoader, Environment, StrictUndefined

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem 3rem; }
h1, h2, h3, p, dd, code { overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .5rem; border-bottom: 1px solid; }
dt { margin-top: .8rem; }
dd { margin: 0; }
dt b { display: inline-block; min-width: 4rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .75rem; border: 1px solid; border-radius: .5rem; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
METHODS = ("get", "post", "put", "patch", "delete")

_BASE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{{ title }}</title>
  <style>{{ style|safe }}</style>
</head>
<body>
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


def plain_page(template: str, *, title: str, **shown: Any) -> HTMLResponse:
    """A page whose `template` extends `base` and fills its block `content`; everything shown is escaped."""
    loader = DictLoader({"base": _BASE, "page": template})
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return HTMLResponse(environment.get_template("page").render(title=title, style=_STYLE, **shown), headers=HEADERS)


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
