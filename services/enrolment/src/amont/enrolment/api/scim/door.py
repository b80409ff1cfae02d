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
from amont.common.web.limits import believe
from amont.common.web.tokens import bearer
from amont.enrolment import commands
from amont.enrolment.api.scim.quirks import mended
from amont.enrolment.api.scim.service import CHANGES, Handler, TenantService
from amont.enrolment.api.scim.storage import TenantStorage
from amont.enrolment.api.scim.wording import worded

RETRY_SECONDS = 5
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

_logger = structlog.get_logger(__name__)


class Door:
    """The route."""

    prefix = "/scim/"

    def __init__(self) -> None:
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
        token = bearer(request.headers.get("Authorization", ""))
        found = await enrolment.run(commands.feed_of, tenant, token)
        if found is None:
            raise UnauthorizedException(detail="Send the bearer token of this subsidiary's feed: Authorization: Bearer …")
        believe(request.scope, token)
        if request.method in CHANGES | {"POST"}:
            enrolment.unit.relay.refuse_when_full()
        asked.body, dropped = mended(await request.body())
        for what in dropped:
            metrics.HRIS_FIELDS_DROPPED.labels(what).inc()
        subsidiary, _ = found
        return await Handler(TenantService(subsidiary.grades), TenantStorage(enrolment.run, tenant)).handle(asked)


def _as_http(answer: ScimResponse) -> Response:
    headers = {**answer.headers, "Cache-Control": "no-store"}
    if answer.body is None:
        return Response(status_code=int(answer.status), headers=headers)
    return JSONResponse(answer.body, int(answer.status), headers, media_type=headers.pop("Content-Type"))


def _refused(error: Exception) -> Response:
    wait = RETRY_SECONDS if isinstance(error, Unavailable) else None
    match error:
        case Unavailable():
            error = SCIMException.from_error(Error(status=503, detail=str(error)))
        case Unacceptable():
            error = SCIMException.from_error(Error(status=413, detail=str(error)))
        case RecursionError():
            error = InvalidFilterException(detail="It is nested too deeply.")
        case SCIMException():
            error = worded(error)
        case _:
            _logger.error("scim_answered_500", error=type(error).__name__, exc_info=error)
    answer = _as_http(TenantService(()).error_response(error))
    if wait is not None:
        answer.headers["Retry-After"] = str(wait)
    return answer
