"""Errors on the wire: RFC 9457 problem documents with a stable `type`, every fault at once, a JSON pointer each."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amont.common.errors import DomainError, NotAllowed, NotFound, Unacceptable, Unavailable
from amont.common.events.wording import detail
from amont.common.service.door import Door
from amont.common.web.tokens import BadToken
from amont.common.work import Backlog

MEDIA_TYPE = "application/problem+json"
MAX_BODY_BYTES = 1_000_000
DRAINED_BYTES, DRAINED_SECONDS = 8_000_000, 5.0
"""How much of a body that is refused is still taken in, and for how long."""
RETRY_AFTER_SECONDS = 5
RETRY_AFTER_BACKLOG_SECONDS = 30

_logger = structlog.get_logger(__name__)


def problem(
    status: int, code: str, title: str, detail: str, extra: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A problem document. `code` is the last part of its `type`."""
    body = {"type": f"urn:amont:problem:{code}", "title": title, "status": status, "detail": detail, **(extra or {})}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def pointer(location: tuple[Any, ...]) -> str:
    """A JSON pointer (RFC 6901) from a validation location; the first part says where: body, query, path."""
    where, *parts = location or ("body",)
    path = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return path if where == "body" else f"{where}:{path}"


def responses(*kinds: type[DomainError]) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: the problems it may answer with, beside 401, 404 and 422."""
    documented: dict[int | str, dict[str, Any]] = {}
    every: tuple[type[DomainError], ...] = (NotFound, NotAllowed, *kinds)
    for kind in every:
        entry = documented.setdefault(kind.status, {"description": "", "content": {MEDIA_TYPE: {}}})
        entry["description"] = "; ".join(filter(None, (entry["description"], kind.title)))
    return documented


class Refusals:
    """What says no before a route is asked: a problem document, or what the door that the path leads to says instead."""

    def __init__(self, doors: Sequence[Door]) -> None:
        self._doors = tuple(doors)

    def __call__(self, path: str, status: int, code: str, title: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
        for door in self._doors:
            if path.startswith(door.prefix):
                return door.refusal(status, detail, headers or {})
        return problem(status, code, title, detail, headers=headers)


def handle_errors(app: FastAPI, refusals: Refusals) -> None:
    """Answer every error family in one place."""

    @app.exception_handler(DomainError)
    async def refused(_: Request, error: DomainError) -> JSONResponse:
        return problem(error.status, error.code, error.title, str(error), error.extra())

    @app.exception_handler(BadToken)
    async def nobody(_: Request, error: BadToken) -> JSONResponse:
        return problem(401, "not-authenticated", "Who asks?", str(error), headers={"WWW-Authenticate": "Bearer"})

    @app.exception_handler(Unacceptable)
    async def too_large(_: Request, error: Unacceptable) -> JSONResponse:
        _logger.error("answered_413", reason=str(error))
        return problem(413, "too-large", "Too large", str(error))

    @app.exception_handler(Backlog)
    async def behind(_: Request, error: Backlog) -> JSONResponse:
        _logger.warning("answered_503", reason=str(error))
        return problem(503, "backlog", "Not now", f"Nothing was done. {error}", headers={"Retry-After": str(RETRY_AFTER_BACKLOG_SECONDS)})

    @app.exception_handler(Unavailable)
    async def away(_: Request, error: Unavailable) -> JSONResponse:
        _logger.warning("answered_503", reason=str(error))
        detail = (
            "Something that this needs does not answer. It may or may not have been done: look, or repeat it with the same Idempotency-Key."
        )
        return problem(503, "unavailable", "Not now", detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        body = getattr(request.scope.get("route"), "body_field", None)
        kind = body.field_info.annotation if body else None
        faults = [{"pointer": pointer(one["loc"]), "detail": detail(one, kind, one["loc"][1:])} for one in error.errors()]
        return problem(
            422, "invalid", "The request cannot be accepted as it is", f"{len(faults)} fault(s), each with its place.", {"errors": faults}
        )

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http")
        return refusals(request.url.path, error.status_code, code, str(error.detail), str(error.detail), error.headers)

    @app.exception_handler(Exception)
    async def defect(_: Request, error: Exception) -> JSONResponse:
        _logger.error("answered_500", error=type(error).__name__)
        return problem(
            500, "defect", "A defect of ours", "Something went wrong on our side; it has been logged. Nothing else is known to be changed."
        )


class BodyLimit:
    """Refuses a body over 1 MB with 413, by its declared length or as soon as that much has come in.

    What is still on its way then is taken in and dropped, up to a limit: a connection that is closed on it is reset, and the answer is lost with it.
    """

    def __init__(self, app: ASGIApp, refusals: Refusals, limit: int = MAX_BODY_BYTES) -> None:
        self._app, self._refusals, self._limit = app, refusals, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._limit:
            asks_first = headers.get(b"expect", b"").lower() == b"100-continue"
            await self._refuse(scope, receive, send, more=not asks_first)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._limit:
                await self._refuse(scope, receive, send, more=more)
                return
        sent = False

        async def whole() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, whole, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, *, more: bool) -> None:
        """Answer at once; the connection is closed when `more` of the body has been dropped."""
        detail = f"A body may have {self._limit:,} bytes at most. Send less at once."
        answer = self._refusals(scope["path"], 413, "too-large", "Too large", detail, {"Connection": "close"})

        async def open_still(message: Message) -> None:
            await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

        await answer(scope, receive, open_still)
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAINED_SECONDS):
                await _drop(receive, more=more)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drop(receive: Receive, *, more: bool) -> None:
    dropped = 0
    while more and dropped <= DRAINED_BYTES:
        message = await receive()
        dropped += len(message.get("body", b""))
        more = message.get("more_body", False)
