"""Erasures over HTTP: have somebody erased, follow it, and read the certificate, which holds no personal data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field

from amont.common.web import Body, CurrentActor, CurrentRun, Listing, Page, api_router, responses
from amont.enrolment import commands
from amont.enrolment.domain.erasure import Erasure, Stage, StillErasing

router = api_router("enrolment")

PersonId = Annotated[str, Path(description="`tenant:employee_id`", examples=["fr:1042"])]
Reference = Annotated[str, Path(description="the erasure's reference", examples=["0198c0de-7a3b-7c11-9d2e-5b1f0c3c2e6c"])]


class EraseBody(Body):
    """Why somebody is erased; it is forgotten with them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "asked for it by letter, 4 January"}]})

    reason: str = Field(min_length=1, max_length=500)


class PartView(BaseModel):
    """What one service has erased: documents about the person alone were removed, those that others have a part in no longer name them."""

    cleared_at: datetime | None
    forgotten_at: datetime | None
    removed: Mapping[str, int]
    changed: Mapping[str, int]


class ErasureView(BaseModel):
    """An erasure: when its stage is `forgotten`, this is its certificate. It names nobody: who asked for whom is in the files of whoever asked.

    `requested`, `ordered`: under way. `cleared`: no service holds anything of the person but their bare id, where it keeps late facts out.
    `forgotten`: nor that.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "0198c0de-7a3b-7c11-9d2e-5b1f0c3c2e6c",
                    "tenant": "fr",
                    "stage": "cleared",
                    "requested_at": "2027-01-04T08:00:00Z",
                    "ordered_at": "2027-01-04T08:00:03Z",
                    "done_at": None,
                    "awaits": [],
                    "services": {
                        "matching": {
                            "cleared_at": "2027-01-04T08:00:06Z",
                            "forgotten_at": None,
                            "removed": {"people": 1, "enrolments": 1},
                            "changed": {"pairs": 1},
                        }
                    },
                }
            ]
        }
    )

    reference: str
    tenant: str
    stage: Stage
    requested_at: datetime
    ordered_at: datetime | None
    done_at: datetime | None
    final_from: datetime | None = Field(description="the earliest instant at which it can be done: no topic holds older facts any more")
    awaits: list[str]
    services: dict[str, PartView]

    @classmethod
    def of(cls, one: Erasure) -> "ErasureView":
        return cls(**one.certificate)


@router.post("/employees/{person:path}/erase", status_code=202, responses=responses())
async def post_erase(person: PersonId, body: EraseBody, actor: CurrentActor, run: CurrentRun) -> ErasureView:
    """Have everything about somebody erased, in all four services. It cannot be taken back. Asked for again, it is the erasure under way."""
    return ErasureView.of(await run(commands.erase, person, actor, body.reason))


@router.post("/employees/{person:path}/readmit", status_code=204, responses=responses(StillErasing))
async def post_readmit(person: PersonId, actor: CurrentActor, run: CurrentRun) -> Response:
    """Let the HR system bring somebody again whose erasure is done, or somebody else under their id. Until then its records about them are dropped."""
    await run(commands.readmit, person, actor)
    return Response(status_code=204)


@router.get("/erasures", responses=responses())
async def list_erasures(actor: CurrentActor, run: CurrentRun, page: Listing) -> Page[ErasureView]:
    """List erasures, oldest first: those of the asker's subsidiary, or all."""
    found = await run(commands.erasures, actor, page.after, page.limit)
    return page.of([ErasureView.of(one) for one in found], lambda view: view.reference)


@router.get("/erasures/{reference}", responses=responses())
async def get_erasure(reference: Reference, actor: CurrentActor, run: CurrentRun) -> ErasureView:
    """Follow an erasure; when it is done, this is its certificate."""
    return ErasureView.of(await run(commands.erasure, reference, actor))
