"""Programmes over HTTP: their templates and their life. Who may enrol, what changed and the charter have modules of their own."""

from typing import Annotated, Self

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from amont.common.errors import Invalid, Stale
from amont.common.events import Policy
from amont.common.events.values import ProgrammeStatus
from amont.common.web import Body, CurrentActor, CurrentRun, IfMatch, Listing, Page, api_router, responses
from amont.enrolment import commands
from amont.enrolment.api.tags import tag
from amont.enrolment.domain.history import MAX_WHY
from amont.enrolment.domain.programme import Programme, ProgrammeClosed, ProgrammeExists, TooManyRevisions
from amont.enrolment.domain.templates import Template

router = api_router("enrolment")

_EXAMPLE: JsonDict = {
    "name": "Digital 2027",
    "tenants": ["fr", "de"],
    "topics": ["ai", "social-media", "data"],
    "policy": {"mentor_min_months": 3},
}
_POLICY: JsonDict = Policy().model_dump(mode="json")
_WHOLE: JsonDict = {**_EXAMPLE, "policy": _POLICY, "policy_version": 1, "template": None, "status": "draft", "version": 1}
_TEMPLATE: JsonDict = {
    "template": "digital",
    "names": {"en": "Digital", "fr": "Numérique"},
    "about": "Executives learn new tools and usages.",
    "topics": ["ai", "data"],
    "policy": _POLICY,
    "charter": {"en": "Taking part is voluntary.", "fr": "La participation est volontaire."},
}
Why = Annotated[str | None, Field(max_length=MAX_WHY, description="kept in the programme's history, with who and when")]
ProgrammeSlug = Annotated[str, Path(description="the programme's slug", examples=["digital-2027"])]


class ProgrammeBody(Body):
    """A new programme. What `topics` and `policy` do not say is as in the template, or as in the default programme where none is named."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"programme": "digital-2027", **_EXAMPLE},
                {"programme": "inclusion-2027", "name": "Inclusion 2027", "tenants": ["fr"], "template": "inclusion"},
            ]
        }
    )

    programme: str
    name: str
    tenants: list[str]
    template: str | None = Field(default=None, description="one of `GET /templates`")
    topics: list[str] | None = Field(default=None, description="needed where no template is named")
    policy: Policy = Policy()
    why: Why = None


class ProgrammePatch(Body):
    """What to change; what is left out stays. A policy is replaced as a whole, and while people enrol only for a reason: say `why`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"topics": ["ai", "social-media", "data", "cyber"], "why": "asked for"}]})

    name: str | None = None
    tenants: list[str] | None = None
    topics: list[str] | None = None
    policy: Policy | None = None
    why: Why = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"why"}:
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
    template: str | None
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
            template=one.template,
            version=version,
        )


class WhyBody(Body):
    """Why, for the programme's history."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"why": "the works council has agreed"}]})

    why: Why = None


class TemplateView(BaseModel):
    """A programme to begin with: its policy, its topics, and the first edition of its charter by language."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TEMPLATE]})

    template: str
    names: dict[str, str]
    about: str
    topics: list[str]
    policy: Policy
    charter: dict[str, str]

    @classmethod
    def of(cls, one: Template) -> "TemplateView":
        return cls(
            template=one.id,
            names=dict(one.names),
            about=one.about,
            topics=list(one.topics),
            policy=one.policy,
            charter=dict(one.charter),
        )


@router.get("/templates", responses=responses())
async def list_templates(actor: CurrentActor, run: CurrentRun) -> list[TemplateView]:
    """List what a programme can be made from. All of it may be changed in the programme, before and after opening."""
    return [TemplateView.of(one) for one in await run(commands.templates, actor)]


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


@router.patch("/programmes/{programme_id}", responses=responses(Stale, ProgrammeClosed, TooManyRevisions, Invalid))
async def patch_programme(
    programme_id: ProgrammeSlug, body: ProgrammePatch, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response
) -> ProgrammeView:
    """Change a programme; another policy becomes the policy's next version."""
    edit = commands.Edit(name=body.name, tenants=body.tenants, topics=body.topics, policy=body.policy)
    return tag(response, ProgrammeView.of(await run(commands.edit_programme, programme_id, actor, edit, if_match, body.why)))


@router.post("/programmes/{programme_id}/open", responses=responses(Stale, ProgrammeClosed))
async def open_programme(
    programme_id: ProgrammeSlug, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response, body: WhyBody | None = None
) -> ProgrammeView:
    """Let people enrol; a second time changes nothing."""
    return tag(response, ProgrammeView.of(await run(commands.open_programme, programme_id, actor, if_match, body.why if body else None)))


@router.post("/programmes/{programme_id}/close", responses=responses(Stale))
async def close_programme(
    programme_id: ProgrammeSlug, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response, body: WhyBody | None = None
) -> ProgrammeView:
    """Let nobody enrol any more, for good; a second time changes nothing."""
    return tag(response, ProgrammeView.of(await run(commands.close_programme, programme_id, actor, if_match, body.why if body else None)))
