"""`/scim/<tenant>/v2`: SCIM 2.0 for a subsidiary's identity provider or HR system (RFC 7643, RFC 7644).

A bearer token belongs to one subsidiary, and opens that one's users and groups. A token that opens nothing is refused the same way whether there is such
a subsidiary or not. What is not here: the protocol (`scim2_server`), what is kept and said (`commands.scim`).
"""

from collections.abc import Mapping

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from scim2_models import Error, InvalidFilterException, SCIMException, UnauthorizedException
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation

from amont.common import metrics
from amont.common.errors import Unacceptable, Unavailable
from amont.common.service import Service
from amont.common.web.limits import RateLimit
from amont.enrolment import commands
from amont.enrolment.api.scim.quirks import mended
from amont.enrolment.api.scim.service import CHANGES, Handler, TenantService
from amont.enrolment.api.scim.storage import TenantStorage

LONGEST_FILTER = 4_000
"""Characters of a filter: more is a mistake, or somebody trying how deep a parser goes."""
RETRY_SECONDS = 5
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

_logger = structlog.get_logger(__name__)


class Door:
    """The route, and how fast each feed may knock."""

    prefix = "/scim/"

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self.router = APIRouter()
        self.router.add_api_route("/scim/{tenant}/v2", self.answer, methods=METHODS, include_in_schema=False)
        self.router.add_api_route("/scim/{tenant}/v2/{path:path}", self.answer, methods=METHODS, include_in_schema=False)

    async def answer(self, tenant: str, request: Request, path: str = "") -> Response:
        """One SCIM request. Every error is SCIM's."""
        asked = ScimRequest(
            method=request.method,
            base_url=f"{request.base_url}scim/{tenant}/v2",
            path=f"/{path}",
            query=dict(request.query_params),
            headers=request.headers.items(),
        )
        try:
            if TenantService.match(asked).operation is Operation.service_provider_config:
                return _as_http(TenantService(()).service_provider_config(asked.url, asked.query))
            return _as_http(await self._serve(tenant, request, asked))
        except Exception as error:
            return _refused(error)

    def refusal(self, status: int, detail: str, headers: Mapping[str, str]) -> Response:
        """What is said no to before the route is asked, as SCIM says it (RFC 7644, section 3.12)."""
        answer = _refused(SCIMException.from_error(Error(status=status, detail=detail)))
        answer.headers.update(headers)
        return answer

    async def _serve(self, tenant: str, request: Request, asked: ScimRequest) -> ScimResponse:
        enrolment: Service = request.app.state.services["enrolment"]
        found = await enrolment.run(commands.feed_of, tenant, _token(request))
        client = found[1].id if found else f"address:{request.client.host if request.client else ''}"
        if (wait := self._limit.wait(client)) > 0:
            raise _TooMany(wait)
        if found is None:
            raise UnauthorizedException(detail="Send the bearer token of this subsidiary's feed: Authorization: Bearer …")
        if len(asked.query.get("filter", "")) > LONGEST_FILTER:
            raise InvalidFilterException(detail=f"A filter may have {LONGEST_FILTER:,} characters.")
        if request.method in CHANGES | {"POST"}:
            enrolment.unit.relay.refuse_when_full()
        asked.body, dropped = mended(await request.body())
        for what in dropped:
            metrics.HRIS_FIELDS_DROPPED.labels(what).inc()
        subsidiary, _ = found
        return await Handler(TenantService(subsidiary.grades), TenantStorage(enrolment.run, tenant)).handle(asked)


class _TooMany(SCIMException):
    status = 429

    def __init__(self, wait: float) -> None:
        super().__init__(detail=f"This feed asks too often. Wait {wait:.0f} s.")
        self.wait = wait


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _as_http(answer: ScimResponse) -> Response:
    headers = {**answer.headers, "Cache-Control": "no-store"}
    if answer.body is None:
        return Response(status_code=int(answer.status), headers=headers)
    return JSONResponse(answer.body, int(answer.status), headers, media_type=headers.pop("Content-Type"))


def _refused(error: Exception) -> Response:
    match error:
        case _TooMany():
            wait: float | None = error.wait
        case Unavailable():
            wait, error = RETRY_SECONDS, SCIMException.from_error(Error(status=503, detail=str(error)))
        case Unacceptable():
            wait, error = None, SCIMException.from_error(Error(status=413, detail=str(error)))
        case RecursionError():
            wait, error = None, InvalidFilterException(detail="It is nested too deeply.")
        case SCIMException():
            wait = None
        case _:
            wait = None
            _logger.error("scim_answered_500", error=type(error).__name__, exc_info=error)
    answer = _as_http(TenantService(()).error_response(error))
    if wait is not None:
        answer.headers["Retry-After"] = f"{max(1, round(wait))}"
    return answer
