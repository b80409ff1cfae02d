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
from amont.enrolment.api.programmes import ProgrammeSlug
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
    charter_version: int | None = Field(default=None, description="the edition that the person was shown; the current one when left out")


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


class SignBody(Body):
    """The edition of the charter that the person has read and accepts: the current one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"charter_version": 2}]})

    charter_version: int


class EnrolmentView(BaseModel):
    """An enrolment as it is. `charter_version` is the edition of the charter signed last, `charter_to_sign` a newer one, if there is one.

    Who waits for a seat has `line`, 1 for who is next; it is null for a moment after enrolling, until the seats have been looked at.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "enrolment": "5f0c3c2e-6c1b-5d8e-8f0e-0d9a3b1f1c11",
                    **_SEAT,
                    "status": "enrolled",
                    **_FORM,
                    "charter_accepted_at": "2027-01-04T08:00:00Z",
                    "charter_version": 1,
                    "charter_to_sign": None,
                    "line": None,
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
    charter_version: int
    charter_to_sign: int | None
    line: int | None
    version: int

    @classmethod
    def of(cls, held: commands.Held) -> "EnrolmentView":
        one = held.enrolment
        return cls(
            **one.facts(held.person),
            charter_accepted_at=one.charter_accepted_at,
            charter_version=one.charter_version,
            charter_to_sign=held.to_sign,
            line=held.line,
            version=one.version,
        )


@router.post("/enrolments", status_code=201, responses=responses(CharterIsPersonal, AlreadyEnrolled, NotEligible))
async def post_enrolment(body: EnrolmentBody, actor: CurrentActor, run: CurrentRun, response: Response) -> EnrolmentView:
    """Enrol in a programme, oneself: nobody accepts the charter for another. Every rule that stands against it is named at once.

    Where the programme has so many seats for the role, the enrolment waits for one; a free one is taken within a second or two.
    """
    form = Form(
        topics=body.topics,
        languages=tuple(dict.fromkeys(body.languages)),
        availability=tuple(body.availability),
        meeting=body.meeting,
        capacity=body.capacity,
    )
    person = body.person or actor.person
    accepted, shown = body.charter_accepted, body.charter_version
    held = await run(commands.enrol, person, body.programme, body.role, actor, form=form, charter_accepted=accepted, charter_version=shown)
    return tag(response, EnrolmentView.of(held))


@router.get("/enrolments", responses=responses())
async def list_enrolments(
    actor: CurrentActor,
    run: CurrentRun,
    page: Listing,
    programme: Annotated[str, Query(max_length=64)],
    role: Annotated[Role | None, Query()] = None,
    status: Annotated[EnrolmentStatus | None, Query()] = None,
    charter_version: Annotated[int | None, Query(ge=0, le=1_000_000, description="who signed this edition of the charter last")] = None,
) -> Page[EnrolmentView]:
    """List a programme's enrolments, as far as the asker sees them. A page covers `limit` people, so it may hold more or fewer enrolments."""
    people, held = await run(commands.enrolments_in, programme, actor, page.after, page.limit)
    views = [
        EnrolmentView.of(one)
        for one in held
        if role in {None, one.enrolment.role}
        and status in {None, one.enrolment.status}
        and charter_version in {None, one.enrolment.charter_version}
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


@router.post("/enrolments/{enrolment_id}/sign", responses=responses(CharterIsPersonal, EnrolmentOver, NotEligible))
async def sign_charter(
    enrolment_id: EnrolmentId, body: SignBody, actor: CurrentActor, run: CurrentRun, response: Response
) -> EnrolmentView:
    """Accept the current edition of the charter, oneself, when there is a newer one than one has signed."""
    return tag(response, EnrolmentView.of(await run(commands.sign_charter, enrolment_id, actor, body.charter_version)))


class SeatsView(BaseModel):
    """The seats of a role: null where they are not counted."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "mentor", "limit": 40, "taken": 40, "waiting": 3}]})

    role: Role
    limit: int | None
    taken: int | None
    waiting: int | None


@router.get("/programmes/{programme_id}/seats", responses=responses())
async def get_seats(programme_id: ProgrammeSlug, actor: CurrentActor, run: CurrentRun) -> list[SeatsView]:
    """See how many seats a programme has for each role, how many are taken and how many people wait for one."""
    return [SeatsView(**one._asdict()) for one in await run(commands.seats, programme_id, actor)]
