"""Subsidiaries over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from amont.common.errors import Invalid, Stale, VersionNeeded
from amont.common.web import AnyVersion, Body, CurrentActor, CurrentRun, IfMatch, Listing, Page, api_router, responses
from amont.enrolment import commands
from amont.enrolment.api.tags import tag
from amont.enrolment.domain.subsidiary import LEAVER_SHARE, StillInUse, Subsidiary, SubsidiaryExists

router = api_router("enrolment")

_EXAMPLE: JsonDict = {"name": "Banque de détail France", "zone": "Europe/Paris", "languages": ["fr", "en"], "grades": {"C1": 5, "DIR": 14}}
_DEFAULTS: JsonDict = {"leaver_share": LEAVER_SHARE, "holidays": None, "coordinators": [], "sender_name": None, "kafka_principal": None}
SubsidiaryId = Annotated[str, Path(description="the tenant: 1 to 32 of a-z, 0-9 and the hyphen", examples=["fr"])]
GradeTable = Annotated[dict[str, Any], Field(description="the HR system's own grade codes, each with the group's band from 1 to 20")]


LeaverShare = Annotated[
    float, Field(description="the share of leavers within an hour above which they are held: 0 holds every one, 1 none")
]


class SubsidiaryBody(Body):
    """What a subsidiary tells about itself. `languages` and `zone` stand in for staff records that have none.

    What may be left out begins with its default and, in a change, stays as it is.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: str
    zone: str
    languages: list[str]
    grades: GradeTable
    leaver_share: LeaverShare = LEAVER_SHARE
    holidays: Annotated[str | None, Field(description="a holiday calendar: a country or a country and its part, as `FR` or `DE-BY`")] = None
    coordinators: Annotated[tuple[str, ...], Field(description="whom its people may turn to: ids, `tenant:employee_id`")] = ()
    sender_name: Annotated[str | None, Field(description="whom its people's mails come from, in words")] = None
    kafka_principal: Annotated[str | None, Field(description="as whom its feed writes to the inbound topic, as `User:hris-fr`")] = None


class SubsidiaryView(BaseModel):
    """A subsidiary as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"subsidiary": "fr", **_EXAMPLE, **_DEFAULTS, "version": 1}]})

    subsidiary: str
    name: str
    zone: str
    languages: list[str]
    grades: dict[str, int]
    leaver_share: float
    holidays: str | None
    coordinators: list[str]
    sender_name: str | None
    kafka_principal: str | None
    version: int

    @classmethod
    def of(cls, found: tuple[Subsidiary, int]) -> "SubsidiaryView":
        one, version = found
        return cls(subsidiary=one.id, **one.own(), version=version)


class RegradedView(SubsidiaryView):
    """A subsidiary with its new grade table, and which codes that added, gave another band, and removed."""

    added: list[str]
    changed: list[str]
    removed: list[str]

    @classmethod
    def of_change(cls, done: commands.Regraded) -> "RegradedView":
        view = SubsidiaryView.of((done.subsidiary, done.version))
        return cls(**view.model_dump(), added=list(done.added), changed=list(done.changed), removed=list(done.removed))


@router.put("/subsidiaries/{subsidiary_id}", responses=responses(SubsidiaryExists, Stale, Invalid))
async def put_subsidiary(
    subsidiary_id: SubsidiaryId, body: SubsidiaryBody, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response
) -> SubsidiaryView:
    """Add a subsidiary (without If-Match; the same again changes nothing), or change the version that was read (with If-Match)."""
    given = body.model_dump(exclude_unset=True)
    if if_match is None:
        view = SubsidiaryView.of(await run(commands.add_subsidiary, subsidiary_id, actor, **given))
    else:
        view = SubsidiaryView.of(await run(commands.change_subsidiary, subsidiary_id, actor, if_match, **given))
    return tag(response, view)


@router.put("/subsidiaries/{subsidiary_id}/grades", responses=responses(Stale, Invalid, VersionNeeded))
async def put_grades(
    subsidiary_id: SubsidiaryId,
    body: GradeTable,
    actor: CurrentActor,
    run: CurrentRun,
    if_match: IfMatch,
    any_version: AnyVersion,
    response: Response,
) -> RegradedView:
    """Put a grade table in place of the present one, which If-Match says that one has read: code to band. Codes that are left out are gone.

    It holds for the staff records that arrive from now on.
    """
    return tag(
        response, RegradedView.of_change(await run(commands.import_grades, subsidiary_id, actor, body, if_match, any_version=any_version))
    )


@router.delete("/subsidiaries/{subsidiary_id}", status_code=204, responses=responses(Stale, StillInUse))
async def delete_subsidiary(subsidiary_id: SubsidiaryId, actor: CurrentActor, run: CurrentRun, if_match: IfMatch) -> None:
    """Remove a subsidiary that has no people and takes part in no programme that is not closed. The tokens of its feed are revoked."""
    await run(commands.remove_subsidiary, subsidiary_id, actor, if_match)


@router.get("/subsidiaries/{subsidiary_id}", responses=responses())
async def get_subsidiary(subsidiary_id: SubsidiaryId, actor: CurrentActor, run: CurrentRun, response: Response) -> SubsidiaryView:
    """Read one subsidiary."""
    return tag(response, SubsidiaryView.of(await run(commands.subsidiary, subsidiary_id, actor)))


@router.get("/subsidiaries", responses=responses())
async def list_subsidiaries(actor: CurrentActor, run: CurrentRun, page: Listing) -> Page[SubsidiaryView]:
    """List the subsidiaries that the asker sees: all of them for the group, otherwise their own."""
    found = await run(commands.subsidiaries, actor, page.after, page.limit)
    return page.of([SubsidiaryView.of(one) for one in found], lambda view: view.subsidiary)
