"""HTTP: the application around one service or several, and what their routes ask for: who asks, a way to run commands, a page of a list.

Routes are `/api/<service>/v1/…` for machines and `/<service>/…` for people. `/health/live`, `/health/ready` and `/metrics` belong to operations.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Concatenate, Generic, ParamSpec, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict

from amont.common import metrics
from amont.common.errors import Fault, Invalid
from amont.common.identity import Actor
from amont.common.log.asyncapi import document
from amont.common.service import Service
from amont.common.web.browsers import SignIn
from amont.common.web.halves import no_halves
from amont.common.web.limits import Limited, RateLimit, believe
from amont.common.web.pages import docs_router
from amont.common.web.problems import BodyLimit, Refusals, handle_errors, problem, responses
from amont.common.web.tokens import BadToken, NoVerifier, Verifier
from amont.common.web.traces import Traced
from amont.common.work import Work

__all__ = [
    "AnyVersion",
    "Body",
    "CurrentActor",
    "CurrentRun",
    "IfMatch",
    "Listing",
    "Page",
    "PageQuery",
    "Runner",
    "api_router",
    "app",
    "problem",
    "responses",
    "runner_for",
]

P = ParamSpec("P")
T = TypeVar("T")
MAX_PAGE = 200


class Body(BaseModel):
    """What comes in: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(BaseModel, Generic[T]):
    """One page of a list. `next` is the address of the following one, None at the end."""

    items: list[T]
    next: str | None


class PageQuery:
    """`?after=…&limit=…`: keyset paging. `after` is opaque; take it from `next` or the Link header."""

    def __init__(
        self,
        request: Request,
        response: Response,
        after: Annotated[str | None, Query(max_length=500)] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    ) -> None:
        self._request, self._response = request, response
        self.after = (after,) if after else None
        self.limit = limit

    def of(self, items: Sequence[T], last_id: Callable[[T], str], *, cut: bool = False) -> Page[T]:
        """The page, with its Link header (RFC 8288) when another one follows; `cut` says that it ended before its limit."""
        following = None
        if cut or len(items) == self.limit:
            asked = [(name, one) for name, one in self._request.query_params.multi_items() if name not in {"after", "limit"}]
            query = [*asked, ("after", last_id(items[-1])), ("limit", str(self.limit))]
            following = f"{self._request.url.path}?{urlencode(query)}"
            self._response.headers["Link"] = f'<{following}>; rel="next"'
        return Page(items=list(items), next=following)


class Runner:
    """Runs commands of the service that a request is for. A command is `async def verb(work, …)`; a question is the same and saves nothing."""

    def __init__(self, service: Service, *, changes: bool, correlation: str | None, idempotency_key: str | None) -> None:
        self._service, self._changes, self._correlation, self._key = service, changes, correlation, idempotency_key

    async def __call__(self, command: Callable[Concatenate[Work, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._changes:
            self._service.unit.relay.refuse_when_full()
        return await self._service.unit.run_with(self._work, command, *args, **kwargs)

    def _work(self) -> Work:
        return Work(self._service.unit.house, correlation=self._correlation, idempotency_key=self._key)


_bearer = HTTPBearer(auto_error=False, description="A JWT of the configured issuer")


async def _actor(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Actor:
    if credentials is None:
        raise BadToken("Send a bearer token: Authorization: Bearer …")
    verifier: Verifier = request.app.state.verifier
    actor = await verifier.actor(credentials.credentials)
    believe(request.scope, credentials.credentials.strip())
    return actor


def _run(
    request: Request,
    actor: Annotated[Actor, Depends(_actor)],
    idempotency_key: Annotated[str | None, Header(max_length=200, description="the same key makes the same thing, once")] = None,
    x_request_id: Annotated[str | None, Header(max_length=200)] = None,
) -> Runner:
    key = f"{actor.person}/{idempotency_key}" if idempotency_key else None
    return runner_for(request, correlation=x_request_id, idempotency_key=key)


def runner_for(request: Request, *, correlation: str | None = None, idempotency_key: str | None = None) -> Runner:
    """Runs commands of the service that the request's path names."""
    services: dict[str, Service] = request.app.state.services
    parts = request.url.path.split("/")
    service = services[parts[2] if parts[1] == "api" else parts[1]]
    return Runner(service, changes=request.method not in {"GET", "HEAD"}, correlation=correlation, idempotency_key=idempotency_key)


def _if_match(if_match: Annotated[str | None, Header(description='the version that was read, as `"3"`')] = None) -> int | None:
    if if_match is None or if_match == "*":
        return None
    found = re.fullmatch(r'(?:W/)?"(\d{1,9})"', if_match)
    if found is None:
        raise Invalid("If-Match is not an ETag of ours.", [Fault("header:/If-Match", 'write the version in quotes, for instance "3"')])
    return int(found[1])


def _any_version(if_match: Annotated[str | None, Header(description='the version that was read, as `"3"`')] = None) -> bool:
    return if_match == "*"


def _query_names(dependant: Dependant) -> set[str]:
    return {one.alias for one in dependant.query_params}.union(*map(_query_names, dependant.dependencies))


async def _known_parameters(request: Request, _: Annotated[Actor, Depends(_actor)]) -> None:
    """Refuse query parameters that the route does not have: a slip of the pen would widen a question without a word. Raises Invalid."""
    known = sorted(_query_names(request.scope["route"].dependant))
    there = f"there is {', '.join(known)}" if known else "this route has none"
    faults = [Fault(f"query:/{name}", f"no such parameter; {there}") for name in request.query_params if name not in known]
    if faults:
        raise Invalid(f"Unknown query parameters: {', '.join(fault.pointer.removeprefix('query:/') for fault in faults)}; {there}.", faults)


CurrentActor = Annotated[Actor, Depends(_actor)]
CurrentRun = Annotated[Runner, Depends(_run)]
IfMatch = Annotated[int | None, Depends(_if_match)]
AnyVersion = Annotated[bool, Depends(_any_version)]
"""Whether the caller says `If-Match: *`: whatever is there."""
Listing = Annotated[PageQuery, Depends()]


def api_router(service: str) -> APIRouter:
    """A router for a service's machine interface."""
    return APIRouter(prefix=f"/api/{service}/v1", tags=[service])


def app(
    services: Sequence[Service],
    *,
    title: str,
    verifier: Verifier | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
    limit: RateLimit | None = None,
    sign_in: SignIn | None = None,
) -> FastAPI:
    """The application around these services; the caller starts and stops them (for instance in `lifespan`). Without a `limit` nobody asks too often,
    without `sign_in` nobody signs in at pages.
    """
    made = FastAPI(title=title, version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    made.state.services = {service.name: service for service in services}
    made.state.verifier = verifier or NoVerifier()
    made.state.sign_in = sign_in
    refusals = Refusals([door for service in services for door in service.doors])
    made.add_middleware(BodyLimit, refusals=refusals)
    handle_errors(made, refusals)
    from amont.common.web.letters import letters_router  # noqa: PLC0415 - it stands on this module

    for service in services:
        for router in (*service.routers, letters_router(service.name)):
            made.include_router(router, dependencies=[Depends(_known_parameters), Depends(no_halves)])
        for door in service.doors:
            made.include_router(door.router)
    made.include_router(_operations(services))
    made.include_router(docs_router())
    if limit is not None:
        made.add_middleware(Limited, limit=limit, refusals=refusals)
    made.add_middleware(Traced)
    return made


def _operations(services: Sequence[Service]) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/health/live")
    async def live() -> Response:
        """Whether only a new process can help: 503 then."""
        trouble = {service.name: service.trouble for service in services if service.trouble}
        return JSONResponse({"status": "dead" if trouble else "live", "trouble": trouble}, status_code=503 if trouble else 200)

    @router.get("/health/ready")
    async def ready() -> Response:
        """Whether it can work now, and what is missing."""
        faults: dict[str, Any] = {service.name: await service.check() for service in services}
        faults = {name: found for name, found in faults.items() if found}
        return JSONResponse({"status": "waiting" if faults else "ready", "faults": faults}, status_code=503 if faults else 200)

    @router.get("/metrics")
    async def scrape() -> Response:
        """Prometheus text format."""
        return PlainTextResponse(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    @router.get("/asyncapi.json")
    async def asyncapi() -> Response:
        """What the services read and write on the log: one AsyncAPI 3.0 document each, by service."""
        return JSONResponse({service.name: document(service.name, service.topics, service.publishes) for service in services})

    return router
