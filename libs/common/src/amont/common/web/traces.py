"""A span for each request: its method, the route's template and the status; never an address, a query or the words of an error.

OpenTelemetry's own instrumentation of FastAPI records whole query strings, client addresses and the messages of exceptions, which may be personal.
"""

import re

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amont.common.tracing import TRACING

NOT_TRACED = re.compile(r"/(health/.*|metrics|docs.*|openapi\.json|asyncapi\.json)")


class Traced:
    """Begins a trace, or goes on with the caller's (`traceparent`)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or NOT_TRACED.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        parent = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1") or None
        with TRACING.span(scope["method"], parent, kind=SpanKind.SERVER):
            span = trace.get_current_span()

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self._app(scope, receive, answer)
            finally:
                route = getattr(scope.get("route"), "path", None)
                span.set_attribute("http.request.method", scope["method"])
                if route is not None:
                    span.update_name(f"{scope['method']} {route}")
                    span.set_attribute("http.route", route)
