"""Programmes over HTTP, and the question who may enrol in one."""

from typing import Annotated, Self

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.config import JsonDict

from amont.common.errors import Invalid, Stale
from amont.common.events import Policy
from amont.common.events.values import ProgrammeStatus, Role
from amont.common.web import Body, CurrentActor, CurrentRun, IfMatch, Listing, Page, api_router, responses
from amont.enrolment import commands
from amont.enrolment.api.tags import tag
from amont.enrolment.domain.eligibility import Reason
from amont.enrolment.domain.programme import Programme, ProgrammeClosed, ProgrammeExists

router = api_router("enrolment")

_EXAMPLE: JsonDict = {
    "name": "Digital 2027",
    "tenants": ["fr", "de"],
    "topics": ["ai", "social-media", "data"],
    "policy": {"mentor_min_months": 3},
}
_WHOLE: JsonDict = {**_EXAMPLE, "policy": Policy().model_dump(mode="json"), "policy_version": 1, "status": "draft", "version": 1}
ProgrammeSlug = Annotated[str, Path(description="the programme's slug", examples=["digital-2027"])]


class ProgrammeBody(Body):
    """A new programme. What the policy does not say is as in the default programme."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"programme": "digital-2027", **_EXAMPLE}]})

    programme: str
    name: str
    tenants: list[str]
    topics: list[str]
    policy: Policy = Policy()


class ProgrammePatch(Body):
    """What to change; what is left out stays. A policy is replaced as a whole."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"topics": ["ai", "social-media", "data", "cyber"]}]})

    name: str | None = None
    tenants: list[str] | None = None
    topics: list[str] | None = None
    policy: Policy | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name what is to change")
        return self


class ProgrammeView(BaseModel):
    """A programme as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"programme": "digital-2027", **_WHOLE}]})

    programme: str
    name: str
    status: ProgrammeStatus
    tenants: list[str]
    topics: list[str]
    policy: Policy
    policy_version: int
    version: int

    @classmethod
    def of(cls, found: tuple[Programme, int]) -> "ProgrammeView":
        one, version = found
        return cls(
            programme=one.id,
            name=one.name,
            status=one.status,
            tenants=list(one.tenants),
            topics=list(one.topics),
            policy=one.policy,
            policy_version=one.policy_version,
            version=version,
        )


class ReasonView(BaseModel):
    """Why not: a stable code, what part of an enrolment it is about, and a sentence."""

    code: str
    pointer: str
    detail: str

    @classmethod
    def of(cls, reason: Reason) -> "ReasonView":
        return cls(code=reason.code, pointer=reason.pointer, detail=reason.detail)


class EligibilityView(BaseModel):
    """Whether somebody may enrol in a role, as far as it does not depend on the form; every reason when not."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "programme": "digital-2027",
                    "person": "fr:1042",
                    "role": "mentor",
                    "eligible": False,
                    "reasons": [
                        {
                            "code": "band-too-high",
                            "pointer": "/role",
                            "detail": "a mentor here is at most in band 9, the person is in band 14",
                        }
                    ],
                }
            ]
        }
    )

    programme: str
    person: str
    role: Role
    eligible: bool
    reasons: list[ReasonView]


@router.post("/programmes", status_code=201, responses=responses(ProgrammeExists, Invalid))
async def post_programme(body: ProgrammeBody, actor: CurrentActor, run: CurrentRun, response: Response) -> ProgrammeView:
    """Make a programme, as a draft."""
    given = body.model_dump(exclude={"programme", "policy"})
    made = await run(commands.create_programme, body.programme, actor, policy=body.policy, **given)
    return tag(response, ProgrammeView.of(made))


@router.get("/programmes", responses=responses())
async def list_programmes(actor: CurrentActor, run: CurrentRun, page: Listing) -> Page[ProgrammeView]:
    """List the programmes that the asker sees: all for the group, otherwise those in which their subsidiary takes part."""
    found = await run(commands.programmes, actor, page.after, page.limit)
    return page.of([ProgrammeView.of(one) for one in found], lambda view: view.programme)


@router.get("/programmes/{programme_id}", responses=responses())
async def get_programme(programme_id: ProgrammeSlug, actor: CurrentActor, run: CurrentRun, response: Response) -> ProgrammeView:
    """Read one programme with its policy."""
    return tag(response, ProgrammeView.of(await run(commands.programme, programme_id, actor)))


@router.patch("/programmes/{programme_id}", responses=responses(Stale, ProgrammeClosed, Invalid))
async def patch_programme(
    programme_id: ProgrammeSlug, body: ProgrammePatch, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response
) -> ProgrammeView:
    """Change a programme; another policy becomes the policy's next version."""
    edit = commands.Edit(name=body.name, tenants=body.tenants, topics=body.topics, policy=body.policy)
    return tag(response, ProgrammeView.of(await run(commands.edit_programme, programme_id, actor, edit, if_match)))


@router.post("/programmes/{programme_id}/open", responses=responses(Stale, ProgrammeClosed))
async def open_programme(
    programme_id: ProgrammeSlug, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response
) -> ProgrammeView:
    """Let people enrol; a second time changes nothing."""
    return tag(response, ProgrammeView.of(await run(commands.open_programme, programme_id, actor, if_match)))


@router.post("/programmes/{programme_id}/close", responses=responses(Stale))
async def close_programme(
    programme_id: ProgrammeSlug, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response
) -> ProgrammeView:
    """Let nobody enrol any more, for good; a second time changes nothing."""
    return tag(response, ProgrammeView.of(await run(commands.close_programme, programme_id, actor, if_match)))


@router.get("/programmes/{programme_id}/eligibility", responses=responses())
async def get_eligibility(
    programme_id: ProgrammeSlug,
    role: Annotated[Role, Query()],
    actor: CurrentActor,
    run: CurrentRun,
    person: Annotated[str | None, Query(description="`tenant:employee_id`; the asker when left out")] = None,
) -> EligibilityView:
    """Ask whether somebody may enrol, and get every reason when not; nothing is changed."""
    whom = person or actor.person
    reasons = await run(commands.eligibility, programme_id, whom, role, actor)
    views = [ReasonView.of(reason) for reason in reasons]
    return EligibilityView(programme=programme_id, person=whom, role=role, eligible=not views, reasons=views)
