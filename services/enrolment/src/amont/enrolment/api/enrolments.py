"""Enrolments over HTTP."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from amont.common.errors import Stale
from amont.common.events.values import EnrolmentStatus, Meeting, Role
from amont.common.web import Body, CurrentActor, CurrentRun, IfMatch, Listing, Page, api_router, responses
from amont.enrolment import commands
from amont.enrolment.api.tags import tag
from amont.enrolment.domain.eligibility import NotEligible
from amont.enrolment.domain.enrolment import AlreadyEnrolled, CharterIsPersonal, EnrolmentOver, Form

router = api_router("enrolment")

_FORM: JsonDict = {
    "topics": {"ai": 3, "social-media": 2},
    "languages": ["fr", "en"],
    "availability": ["mon 09:00-11:30", "thu 14:00-16:00"],
    "meeting": "either",
    "capacity": 1,
}
_SEAT: JsonDict = {"person": "fr:1042", "programme": "digital-2027", "role": "mentor"}
EnrolmentId = Annotated[str, Path(description="the enrolment's id", examples=["5f0c3c2e-6c1b-5d8e-8f0e-0d9a3b1f1c11"])]


class EnrolmentBody(Body):
    """A seat, and the form that goes with it. `person` is the asker, also when left out; `languages` are the employee's own when left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_SEAT, **_FORM, "charter_accepted": True}]})

    person: str | None = None
    programme: str
    role: Role
    topics: dict[str, int] = Field(description="a mentee's wishes or a mentor's levels, 1 to 3")
    languages: list[str] = Field(default_factory=list)
    availability: list[str] = Field(description="weekly windows in the person's own zone, on the half-hour")
    meeting: Meeting = Meeting.EITHER
    capacity: int = 1
    charter_accepted: bool


class EnrolmentPatch(Body):
    """What to change of the form; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"topics": {"ai": 3}, "availability": ["tue 09:00-12:00"]}]})

    topics: dict[str, int] | None = None
    languages: list[str] | None = None
    availability: list[str] | None = None
    meeting: Meeting | None = None
    capacity: int | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name what is to change")
        return self


class WithdrawBody(Body):
    """Why, if the person wants to say so; it is kept here and shown to nobody."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}, {"reason": "no time this year"}]})

    reason: str | None = Field(default=None, max_length=2000)


class EnrolmentView(BaseModel):
    """An enrolment as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "enrolment": "5f0c3c2e-6c1b-5d8e-8f0e-0d9a3b1f1c11",
                    **_SEAT,
                    "status": "enrolled",
                    **_FORM,
                    "charter_accepted_at": "2027-01-04T08:00:00Z",
                    "version": 1,
                }
            ]
        }
    )

    enrolment: str
    person: str
    programme: str
    role: Role
    status: EnrolmentStatus
    topics: dict[str, int]
    languages: list[str]
    availability: list[str]
    meeting: Meeting
    capacity: int
    charter_accepted_at: datetime
    version: int

    @classmethod
    def of(cls, held: commands.Held) -> "EnrolmentView":
        one = held.enrolment
        return cls(**one.facts(held.person), charter_accepted_at=one.charter_accepted_at, version=one.version)


@router.post("/enrolments", status_code=201, responses=responses(CharterIsPersonal, AlreadyEnrolled, NotEligible))
async def post_enrolment(body: EnrolmentBody, actor: CurrentActor, run: CurrentRun, response: Response) -> EnrolmentView:
    """Enrol in a programme, oneself: nobody accepts the charter for another. Every rule that stands against it is named at once."""
    form = Form(
        topics=body.topics,
        languages=tuple(dict.fromkeys(body.languages)),
        availability=tuple(body.availability),
        meeting=body.meeting,
        capacity=body.capacity,
    )
    person = body.person or actor.person
    held = await run(commands.enrol, person, body.programme, body.role, actor, form=form, charter_accepted=body.charter_accepted)
    return tag(response, EnrolmentView.of(held))


@router.get("/enrolments", responses=responses())
async def list_enrolments(
    actor: CurrentActor,
    run: CurrentRun,
    page: Listing,
    programme: Annotated[str, Query(max_length=64)],
    role: Annotated[Role | None, Query()] = None,
    status: Annotated[EnrolmentStatus | None, Query()] = None,
) -> Page[EnrolmentView]:
    """List a programme's enrolments, as far as the asker sees them. A page covers `limit` people, so it may hold more or fewer enrolments."""
    people = await run(commands.enrolments_in, programme, actor, page.after, page.limit)
    views = [
        EnrolmentView.of(commands.Held(one.id, enrolment))
        for one in people
        for enrolment in one.enrolments
        if enrolment.programme == programme and role in {None, enrolment.role} and status in {None, enrolment.status}
    ]
    return Page(items=views, next=page.of(people, lambda one: one.id).next)


@router.get("/enrolments/{enrolment_id}", responses=responses())
async def get_enrolment(enrolment_id: EnrolmentId, actor: CurrentActor, run: CurrentRun, response: Response) -> EnrolmentView:
    """Read one enrolment."""
    return tag(response, EnrolmentView.of(await run(commands.enrolment, enrolment_id, actor)))


@router.patch("/enrolments/{enrolment_id}", responses=responses(Stale, EnrolmentOver, NotEligible))
async def patch_enrolment(
    enrolment_id: EnrolmentId, body: EnrolmentPatch, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response
) -> EnrolmentView:
    """Change what somebody offers, wishes or can make."""
    edit = commands.FormEdit(**body.model_dump())
    return tag(response, EnrolmentView.of(await run(commands.edit_enrolment, enrolment_id, actor, edit, if_match)))


@router.post("/enrolments/{enrolment_id}/withdraw", responses=responses())
async def withdraw_enrolment(
    enrolment_id: EnrolmentId, actor: CurrentActor, run: CurrentRun, response: Response, body: WithdrawBody | None = None
) -> EnrolmentView:
    """Take part no more; no reason need be given, and a second time changes nothing."""
    reason = body.reason if body else None
    return tag(response, EnrolmentView.of(await run(commands.withdraw, enrolment_id, actor, reason)))
