"""The way into a process over HTTP: what people ask goes through the real application, with its routes, bodies, tokens and problem documents.

There is no socket: httpx speaks ASGI to the application, in the process's own context, so that a request dies with it. FastAPI gives dependencies that
are plain functions to threads; here, as everything in the virtual loop that would go to a thread, they are done at once (`without_threads`).

To make an application costs as much as a tenth of a run, and it keeps nothing but its routes: one for each service is made and lent to every life of it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple
from unittest.mock import patch

import anyio.to_thread
import httpx
from fastapi import FastAPI
from pydantic_core import to_json

from amont.common.errors import DomainError, NotFound, Unavailable
from amont.common.identity import Actor
from amont.common.service import Service
from amont.common.testing.hearing import AnyToken
from amont.common.web import app


class Request(NamedTuple):
    """A command as a request."""

    method: str
    path: str
    body: Any


def _enrol(person: str, programme: str, role: Any, _: Actor, *, form: Any, charter_accepted: bool) -> Request:
    fields = {name: getattr(form, name) for name in ("topics", "languages", "availability", "meeting", "capacity")}
    return Request(
        "POST", "/enrolments", {"person": person, "programme": programme, "role": role, "charter_accepted": charter_accepted, **fields}
    )


REQUESTS: Mapping[str, Callable[..., Request]] = {
    "enrol": _enrol,
    "withdraw": lambda enrolment, _: Request("POST", f"/enrolments/{enrolment}/withdraw", {}),
    "publish_round": lambda round_, _: Request("POST", f"/rounds/{round_}/publish", {}),
    "accept_pair": lambda pair, _: Request("POST", f"/pairs/{pair}/accept", {}),
    "decline_pair": lambda pair, _: Request("POST", f"/pairs/{pair}/decline", {}),
    "schedule_session": lambda plan, session, starts_at, _: Request(
        "POST", f"/plans/{plan}/sessions/{session}/schedule", {"starts_at": starts_at}
    ),
    "complete_session": lambda plan, session, _: Request("POST", f"/plans/{plan}/sessions/{session}/complete", {}),
    "cancel_session": lambda plan, session, _: Request("POST", f"/plans/{plan}/sessions/{session}/cancel", {}),
}
"""The commands that people may ask for over HTTP; the actor, which comes last by position, is in the token."""


class Misanswered(Exception):
    """An answer that no client should get."""


_ASKED: ContextVar[Service] = ContextVar("asked")
"""Whose door a request has come to."""
_APPLICATIONS: dict[str, FastAPI] = {}
"""By service."""


class _Asked:
    """What an application takes for its services: the one that was asked."""

    def __getitem__(self, _: str) -> Service:
        return _ASKED.get()


def _application(service: Service) -> FastAPI:
    if service.name not in _APPLICATIONS:
        made = _APPLICATIONS[service.name] = app([service], title="simulated", verifier=AnyToken())
        made.state.services = _Asked()
    return _APPLICATIONS[service.name]


class Door:
    """See the module. One for each life of a process."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def ask(self, request: Request, actor: Actor, key: str) -> Any:
        """The answer's JSON. Raises DomainError, NotFound, Unavailable as the command would, and Misanswered."""
        token = f"{actor.person}|{','.join(sorted(actor.privileges))}"
        _ASKED.set(self._service)
        transport = httpx.ASGITransport(_application(self._service), raise_app_exceptions=False)
        answer = await httpx.AsyncClient(transport=transport, base_url="http://house").request(
            request.method,
            f"/api/{self._service.name}/v1{request.path}",
            content=to_json(request.body),
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Content-Type": "application/json"},
        )
        if answer.is_success:
            return answer.json()
        said = f"{request.method} {request.path} was answered {answer.status_code}: {answer.text[:200]}"
        match answer.status_code:
            case 503 if "Retry-After" in answer.headers:
                raise Unavailable(said)
            case 404:
                raise NotFound(request.method, request.path) if "There is no" in answer.text else Misanswered(said)
            case 403 | 409 | 422:
                raise DomainError(said)
            case _:
                raise Misanswered(said)


@contextmanager
def without_threads() -> Iterator[None]:
    """What would go to a thread is done at once."""

    async def at_once(func: Callable[..., Any], *args: Any, **_: Any) -> Any:
        return func(*args)

    with patch.object(anyio.to_thread, "run_sync", at_once):
        yield
