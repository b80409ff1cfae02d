"""A subsidiary's feed over HTTP: whether it is paused, whom its breaker holds, and a coordinator's word about both."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from amont.common.errors import Invalid
from amont.common.web import Body, CurrentActor, CurrentRun, Listing, Page, api_router, responses
from amont.enrolment import commands
from amont.enrolment.api.signed import Known
from amont.enrolment.api.subsidiaries import SubsidiaryId
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.feed import NothingHeld
from amont.enrolment.domain.holding import Held, Why
from amont.enrolment.domain.ruling import MAX_REASON, Ruling, Verb

router = api_router("enrolment")

_RULING: JsonDict = {"verb": "pause", "by": "fr:7", "at": "2027-01-04T08:00:00Z", "why": "the HR system is migrated tonight"}


class RulingBody(Body):
    """Why: kept with who said so and when."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"why": "the site in Lyon was sold, they have left"}]})

    why: str = Field(max_length=MAX_REASON)


class RulingView(BaseModel):
    """A decision about a feed."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RULING]})

    verb: Verb
    by: Known
    at: datetime
    why: Known

    @classmethod
    def of(cls, one: Ruling) -> "RulingView":
        return cls(verb=one.verb, by=one.by, at=one.at, why=one.why)


class BreakerView(BaseModel):
    """`leavers` have been let go within the hour, of at most `limit`; from `open_since` on leavers are held."""

    open_since: datetime | None
    leavers: int
    limit: int


class FeedView(BaseModel):
    """A feed as it is. `settling` says that held records are being taken or dropped at the moment."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "subsidiary": "fr",
                    "paused": _RULING,
                    "breaker": {"open_since": None, "leavers": 2, "limit": 10},
                    "people_with_held_records": 3,
                    "settling": False,
                    "decisions": [_RULING],
                }
            ]
        }
    )

    subsidiary: str
    paused: RulingView | None
    breaker: BreakerView
    people_with_held_records: int
    settling: bool
    decisions: list[RulingView]

    @classmethod
    def of(cls, one: commands.FeedState) -> "FeedView":
        return cls(
            subsidiary=one.tenant,
            paused=RulingView.of(one.paused) if one.paused else None,
            breaker=BreakerView(open_since=one.tripped_at, leavers=one.leavers, limit=one.limit),
            people_with_held_records=one.people_with_held,
            settling=one.settling,
            decisions=[RulingView.of(ruling) for ruling in one.rulings],
        )


class HeldView(BaseModel):
    """A record that waits: for the feed to be resumed, or for a word about leavers."""

    what: Literal["recorded", "left"]
    waits_for: Why
    effective_at: datetime
    since: datetime

    @classmethod
    def of(cls, one: Held) -> "HeldView":
        what: Literal["recorded", "left"] = "recorded" if one.entry.profile else "left"
        return cls(what=what, waits_for=one.why, effective_at=one.entry.position.effective_at, since=one.since)


class WaitingView(BaseModel):
    """A person, and the records of theirs that are held, in order of time."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "person": "fr:1042",
                    "records": [
                        {
                            "what": "left",
                            "waits_for": "leavers",
                            "effective_at": "2027-01-03T23:00:00Z",
                            "since": "2027-01-04T08:00:00Z",
                        }
                    ],
                }
            ]
        }
    )

    person: str
    records: list[HeldView]

    @classmethod
    def of(cls, one: Employee) -> "WaitingView":
        return cls(person=one.id, records=[HeldView.of(held) for held in one.held_in_order])


@router.get("/subsidiaries/{subsidiary_id}/feed", responses=responses())
async def get_feed(subsidiary_id: SubsidiaryId, actor: CurrentActor, run: CurrentRun) -> FeedView:
    """Read whether a feed is paused, whether its breaker holds leavers, and what was decided about it, by whom, when and why."""
    return FeedView.of(await run(commands.feed_state, subsidiary_id, actor))


@router.get("/subsidiaries/{subsidiary_id}/held", responses=responses())
async def list_held(subsidiary_id: SubsidiaryId, actor: CurrentActor, run: CurrentRun, page: Listing) -> Page[WaitingView]:
    """List the people of whom records are held, with what each record waits for. Ids only."""
    found = await run(commands.held_records, subsidiary_id, actor, page.after, page.limit)
    return page.of([WaitingView.of(one) for one in found], lambda view: view.person)


@router.post("/subsidiaries/{subsidiary_id}/pause", responses=responses(Invalid))
async def pause_feed(subsidiary_id: SubsidiaryId, body: RulingBody, actor: CurrentActor, run: CurrentRun) -> FeedView:
    """Hold what the feed brings until it is resumed; nothing is lost, and other subsidiaries go on."""
    return FeedView.of(await run(commands.pause_feed, subsidiary_id, actor, body.why))


@router.post("/subsidiaries/{subsidiary_id}/resume", responses=responses(Invalid))
async def resume_feed(subsidiary_id: SubsidiaryId, body: RulingBody, actor: CurrentActor, run: CurrentRun) -> FeedView:
    """Take what was held, in order, and what the feed brings from now on."""
    return FeedView.of(await run(commands.resume_feed, subsidiary_id, actor, body.why))


@router.post("/subsidiaries/{subsidiary_id}/held/release", responses=responses(NothingHeld, Invalid))
async def release_leavers(subsidiary_id: SubsidiaryId, body: RulingBody, actor: CurrentActor, run: CurrentRun) -> FeedView:
    """Let everybody go whose leaving the breaker holds now, and close it."""
    return FeedView.of(await run(commands.release_leavers, subsidiary_id, actor, body.why))


@router.post("/subsidiaries/{subsidiary_id}/held/drop", responses=responses(NothingHeld, Invalid))
async def drop_leavers(subsidiary_id: SubsidiaryId, body: RulingBody, actor: CurrentActor, run: CurrentRun) -> FeedView:
    """Forget the leavings that the breaker holds now, and close it: these people stay. What comes afterwards is counted anew."""
    return FeedView.of(await run(commands.drop_leavers, subsidiary_id, actor, body.why))
