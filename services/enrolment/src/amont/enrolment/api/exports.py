"""Exports over HTTP: ask for what is held of somebody, and fetch the archive."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict

from amont.common.web import CurrentActor, CurrentRun, api_router, responses
from amont.enrolment import commands
from amont.enrolment.domain.export import Export, ExportIsPersonal, ExportNotReady

router = api_router("enrolment")

PersonId = Annotated[str, Path(description="`tenant:employee_id`", examples=["fr:1042"])]
Reference = Annotated[str, Path(description="the export's reference", examples=["0198c0de-7a3b-7c11-9d2e-5b1f0c3c2e6c"])]


class ExportView(BaseModel):
    """An export: the archive can be fetched while `awaits` is empty, until `kept_until`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "0198c0de-7a3b-7c11-9d2e-5b1f0c3c2e6c",
                    "person": "fr:1042",
                    "requested_at": "2027-01-04T08:00:00Z",
                    "awaits": ["matching"],
                    "kept_until": "2027-01-11T08:00:00Z",
                }
            ]
        }
    )

    reference: str
    person: str
    requested_at: datetime
    awaits: list[str]
    kept_until: datetime

    @classmethod
    def of(cls, one: Export) -> "ExportView":
        return cls(reference=one.id, person=one.person, requested_at=one.requested_at, awaits=list(one.awaits), kept_until=one.kept_until)


@router.post("/employees/{person:path}/exports", status_code=202, responses=responses())
async def post_export(person: PersonId, actor: CurrentActor, run: CurrentRun) -> ExportView:
    """Ask for everything that the four services hold of somebody: oneself, or on their behalf, without what they said for nobody else to read."""
    return ExportView.of(await run(commands.request_export, person, actor))


@router.get("/exports/{export_id}", responses=responses())
async def get_export(export_id: Reference, actor: CurrentActor, run: CurrentRun) -> ExportView:
    """Whether the archive is ready."""
    return ExportView.of(await run(commands.export, export_id, actor))


@router.get(
    "/exports/{export_id}/archive",
    response_class=Response,
    responses={**responses(ExportNotReady, ExportIsPersonal), 200: {"content": {"application/zip": {}}, "description": "the archive"}},
)
async def get_archive(export_id: Reference, actor: CurrentActor, run: CurrentRun) -> Response:
    """Fetch the archive: `export.json` for machines, `index.html` for people."""
    packed = await run(commands.archive, export_id, actor)
    headers = {"Content-Disposition": f'attachment; filename="amont-export-{export_id}.zip"', "Cache-Control": "no-store"}
    return Response(packed, media_type="application/zip", headers=headers)
