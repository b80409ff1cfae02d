"""Scheduling over HTTP for machines: translate in, call a command, translate out. Rules and errors' meanings live in `domain`."""

from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict

from amont.common.errors import Stale
from amont.common.events import Slot
from amont.common.events.values import Instant, PersonId, ProgrammeId, SessionStatus
from amont.common.web import Body, CurrentActor, CurrentRun, IfMatch, Listing, Page, api_router, responses
from amont.scheduling import commands
from amont.scheduling.domain.errors import HoursUnknown, PlanNotActive, SessionNotBegun, SessionNotOpen, SlotRefused, SlotTaken
from amont.scheduling.domain.plan import Plan, PlanStatus
from amont.scheduling.domain.session import Session

router = api_router("scheduling")

_SLOT: dict[str, Any] = {"starts_at": "2027-01-14T09:00:00.000000Z", "ends_at": "2027-01-14T10:00:00.000000Z"}
_SESSION: dict[str, Any] = {
    "id": "0b0c0a52-8a4e-5d33-9d2e-3f0a6f4f3c11",
    "number": 1,
    "status": "scheduled",
    "options": [],
    "slot": _SLOT,
    "mentee_zone": "Europe/Paris",
    "mentor_zone": "Europe/London",
    "mentee_local": "2027-01-14T10:00",
    "mentor_local": "2027-01-14T09:00",
    "invitation_sequence": 0,
}


class Choice(Body):
    """A time: one of the options, or another one that /slots lists."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"starts_at": "2027-01-14T10:00:00+01:00"}]})

    starts_at: AwareDatetime


class Nothing(Body):
    """An empty object; it may be left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class SlotsView(BaseModel):
    """Times that both can make, in order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"slots": [_SLOT]}]})

    slots: list[Slot]


class SessionView(BaseModel):
    """One session. `options` while it is proposed, `slot` and the local wall times once it was scheduled."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SESSION]})

    id: str
    number: int
    status: SessionStatus
    options: list[Slot]
    slot: Slot | None
    mentee_zone: str
    mentor_zone: str
    mentee_local: str | None
    mentor_local: str | None
    invitation_sequence: int

    @classmethod
    def of(cls, session: Session) -> "SessionView":
        return cls.model_validate(session, from_attributes=True)


class PlanView(BaseModel):
    """A pair's sessions in order; at most the last one is open. `next_proposal_at` says when times are looked for next."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "pair": "5a6f3a46-4c2d-5b0e-8f43-7b9f8f2f8c4e",
                    "programme": "digital-2027",
                    "mentee": "fr:e42",
                    "mentor": "uk:e7",
                    "status": "active",
                    "held": 0,
                    "sessions": [_SESSION],
                    "next_proposal_at": None,
                    "version": 3,
                }
            ]
        }
    )

    pair: str
    programme: ProgrammeId
    mentee: PersonId
    mentor: PersonId
    status: PlanStatus
    held: int
    sessions: list[SessionView]
    next_proposal_at: Instant | None
    version: int

    @classmethod
    def of(cls, plan: Plan, version: int) -> "PlanView":
        return cls(
            pair=plan.id,
            programme=plan.programme,
            mentee=plan.mentee,
            mentor=plan.mentor,
            status=plan.status,
            held=plan.held,
            sessions=[SessionView.of(session) for session in plan.sessions],
            next_proposal_at=plan.propose_at,
            version=version,
        )


@router.get("/plans", responses=responses())
async def list_plans(
    actor: CurrentActor, run: CurrentRun, page: Listing, person: PersonId | None = None, programme: ProgrammeId | None = None
) -> Page[PlanView]:
    """List plans: one's own, those of one's subsidiary for its coordinator, all for the group's."""
    found = await run(commands.list_plans, actor, person, programme, page.after, page.limit)
    return page.of([PlanView.of(plan, version) for plan, version in found], lambda view: view.pair)


@router.get("/plans/{pair}", responses=responses())
async def read_plan(pair: str, actor: CurrentActor, run: CurrentRun, response: Response) -> PlanView:
    """Read the plan of a pair."""
    return _view(await run(commands.read_plan, pair, actor), response)


@router.get("/plans/{pair}/slots", responses=responses(HoursUnknown))
async def list_slots(
    pair: str,
    actor: CurrentActor,
    run: CurrentRun,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="now when left out")] = None,
    until: Annotated[AwareDatetime | None, Query(description="21 days later when left out, 92 at most")] = None,
    limit: Annotated[int, Query(ge=1, le=commands.MOST_SLOTS)] = 50,
) -> SlotsView:
    """List times that both can make, for the two of the pair."""
    return SlotsView(slots=list(await run(commands.list_slots, pair, actor, since, until, limit)))


@router.post(
    "/plans/{pair}/sessions/{session}/schedule",
    responses=responses(PlanNotActive, SessionNotOpen, SlotTaken, HoursUnknown, Stale, SlotRefused),
)
async def schedule(
    pair: str, session: str, body: Choice, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response
) -> PlanView:
    """Choose a time for a proposed session."""
    return _view(await run(commands.schedule_session, pair, session, body.starts_at, actor, version=if_match), response)


@router.post(
    "/plans/{pair}/sessions/{session}/reschedule",
    responses=responses(PlanNotActive, SessionNotOpen, SlotTaken, HoursUnknown, Stale, SlotRefused),
)
async def reschedule(
    pair: str, session: str, body: Choice, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response
) -> PlanView:
    """Move a scheduled session to another time."""
    return _view(await run(commands.reschedule_session, pair, session, body.starts_at, actor, version=if_match), response)


@router.post("/plans/{pair}/sessions/{session}/cancel", responses=responses(SessionNotOpen, Stale))
async def cancel(
    pair: str, session: str, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response, _: Nothing | None = None
) -> PlanView:
    """Call a session off; another one is proposed in its place."""
    return _view(await run(commands.cancel_session, pair, session, actor, version=if_match), response)


@router.post("/plans/{pair}/sessions/{session}/complete", responses=responses(SessionNotOpen, SessionNotBegun, Stale))
async def complete(
    pair: str, session: str, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response, _: Nothing | None = None
) -> PlanView:
    """Say that a session was held."""
    return _view(await run(commands.complete_session, pair, session, actor, version=if_match), response)


def _view(answer: commands.Versioned, response: Response) -> PlanView:
    plan, version = answer
    response.headers["ETag"] = f'"{version}"'
    return PlanView.of(plan, version)
