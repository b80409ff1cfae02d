"""Invitations over HTTP: some people by id or address, or all of some places; first looked at, then sent."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from amont.common.errors import Invalid
from amont.common.events.values import Band, Role
from amont.common.web import Body, CurrentActor, CurrentRun, Listing, Page, PageQuery, api_router, responses
from amont.enrolment import commands
from amont.enrolment.api.eligibility import ReasonView
from amont.enrolment.api.programmes import ProgrammeSlug
from amont.enrolment.domain.invitation import Answer, Outcome

router = api_router("enrolment")

_WHERE: JsonDict = {"tenants": ["fr"], "bands": [4, 8], "functions": ["data"], "sites": ["Paris", "Lyon"]}
Names = Annotated[list[str], Field(min_length=1, max_length=100)]


class Where(Body):
    """Who works there: all that is given must hold; what is left out holds for everybody."""

    tenants: Names | None = Field(default=None, description="subsidiaries of the programme; all that the asker may invite when left out")
    bands: tuple[Band, Band] = Field(default=(1, 20), description="the lowest and the highest grade band")
    functions: Names | None = None
    business_units: Names | None = None
    sites: Names | None = None


class InviteBody(Body):
    """Whom to invite: `people` (ids or addresses) or `where`, one of them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"where": _WHERE, "role": "mentor"}, {"people": ["fr:1042", "ada@example.org"]}]}
    )

    people: list[str] | None = Field(default=None, description="`tenant:employee_id`, or the address that the HR system has; at most 200")
    where: Where | None = None
    role: Role | None = Field(default=None, description="the one to invite to; whichever the person may take when left out")
    remind: bool = Field(default=False, description="also those who were invited a week ago or longer")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.people is None) is (self.where is None):
            raise ValueError("name people or where, one of them")
        return self

    @property
    def whom(self) -> commands.Whom:
        if self.where is None:
            return commands.Whom(people=self.people)
        return commands.Whom(**self.where.model_dump())


class InvitationView(BaseModel):
    """What inviting somebody comes to: `invite` and `remind` send, the others do not and say why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"person": "fr:1042", "outcome": "invite", "role": "mentor", "reasons": [], "number": 1, "invited_at": None}]
        }
    )

    person: str
    outcome: Outcome
    role: Role | None
    reasons: list[ReasonView]
    number: int
    """How many there were before."""
    invited_at: datetime | None
    """When the last one was."""

    @classmethod
    def of(cls, one: Answer) -> "InvitationView":
        return cls(
            person=one.person,
            outcome=one.outcome,
            role=one.role,
            reasons=[ReasonView.of(reason) for reason in one.reasons],
            number=one.last.number if one.last else 0,
            invited_at=one.last.at if one.last else None,
        )


async def _asked(
    programme_id: str, body: InviteBody, actor: CurrentActor, run: CurrentRun, page: PageQuery, *, dry_run: bool
) -> Page[InvitationView]:
    answers, last = await run(
        commands.invite, programme_id, actor, body.whom, page.after, page.limit, role=body.role, remind=body.remind, dry_run=dry_run
    )
    views = [InvitationView.of(one) for one in answers]
    following = page.of([last], lambda one: one, cut=True).next if last else None
    return Page(items=views, next=following)


@router.post("/programmes/{programme_id}/invitations/preview", responses=responses(Invalid))
async def preview_invitations(
    programme_id: ProgrammeSlug, body: InviteBody, actor: CurrentActor, run: CurrentRun, page: Listing
) -> Page[InvitationView]:
    """See who would be invited, who is not eligible and why, and who has been invited before; nobody is.

    With `where`, a page looks at `limit` people, so it may hold fewer, or none, and be followed by others.
    """
    return await _asked(programme_id, body, actor, run, page, dry_run=True)


@router.post("/programmes/{programme_id}/invitations", status_code=202, responses=responses(Invalid))
async def post_invitations(
    programme_id: ProgrammeSlug, body: InviteBody, actor: CurrentActor, run: CurrentRun, page: Listing
) -> Page[InvitationView]:
    """Invite the people of one page; go on with `next`. Each person is invited once to a programme, and by all programmes together not too often.

    Mails follow by themselves, in the reader's language, to whoever has not said that they want none.
    """
    return await _asked(programme_id, body, actor, run, page, dry_run=False)
