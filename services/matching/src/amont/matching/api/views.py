"""What goes over the wire: bodies that come in, views that go out. People are ids; a private reason is taken and never given back."""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from amont.common.events.values import EndReason, SuspendReason
from amont.common.identity import Actor
from amont.common.web import Body
from amont.matching import commands
from amont.matching.domain.pair import Pair
from amont.matching.domain.points import Points
from amont.matching.domain.pooling import LeftOut
from amont.matching.domain.round import Match, Round
from amont.matching.domain.solver import NextBest, Objective, Unmatched

SAYABLE: Mapping[EndReason | SuspendReason, str] = MappingProxyType(
    {
        EndReason.COMPLETED: "completed",
        EndReason.DECLINED: "declined",
        EndReason.EXPIRED: "expired",
        EndReason.LINE_CONFLICT: "line-of-management",
        SuspendReason.LINE_CONFLICT: "line-of-management",
        SuspendReason.ON_LEAVE: "leave",
    },
)
"""What the two of a pair are told of a reason, the same as in their mails; `other` for the rest."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class SolveBody(Body):
    """How to solve. The seed chooses between equally good answers; without one it is the round's id."""

    model_config = _example({"seed": "spring"})

    seed: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None


class PublishBody(Body):
    """Why a round under the policy's matched share is published all the same; ignored when it is not under it."""

    model_config = _example({"override_reason": "The mentors of the second wave join in March."})

    override_reason: Text | None = None


class DeclineBody(Body):
    """A private reason: it stays in matching, nobody else sees it."""

    model_config = _example({"reason": "We know each other too well."})

    reason: Text | None = None


class NextBestView(BaseModel):
    """The best other mentor this mentee could have had, taken or not."""

    mentor: str
    score: int

    @classmethod
    def of(cls, other: NextBest) -> "NextBestView":
        return cls(mentor=other.mentor, score=other.score)


class MatchView(BaseModel):
    """One pair of a round's answer: the points by criterion add up to the score, 0 to 1,000."""

    mentee: str
    mentor: str
    score: int
    points: dict[str, int]
    topics: list[str]
    next_best: NextBestView | None

    @classmethod
    def of(cls, match: Match) -> "MatchView":
        return cls(
            mentee=match.mentee,
            mentor=match.mentor,
            score=match.score,
            points=_points(match.points),
            topics=list(match.topics),
            next_best=NextBestView.of(match.next_best) if match.next_best else None,
        )


class UnmatchedView(BaseModel):
    """Somebody without a partner: how many candidates each rule was the first to remove, and how many were left (then others had them)."""

    person: str
    role: str
    removed: dict[str, int]
    left: int

    @classmethod
    def of(cls, alone: Unmatched) -> "UnmatchedView":
        return cls(person=alone.id, role=alone.role, removed={rule.value: count for rule, count in alone.removed.items()}, left=alone.left)


class LeftOutView(BaseModel):
    """An active enrolment that the round could not use, and why."""

    enrolment: str
    person: str
    reason: str

    @classmethod
    def of(cls, one: LeftOut) -> "LeftOutView":
        return cls(enrolment=one.enrolment, person=one.person, reason=one.reason)


class ObjectiveView(BaseModel):
    """What was maximised: pairs, then the lowest score, then the total (or as the policy orders)."""

    pairs: int
    worst: int | None
    total: int

    @classmethod
    def of(cls, objective: Objective) -> "ObjectiveView":
        return cls(pairs=objective.pairs, worst=objective.worst, total=objective.total)


class RoundSummary(BaseModel):
    """A round without its pairs."""

    model_config = _example(
        {
            "id": "0193f1f0-7a10-7000-8000-000000000001",
            "programme": "digital-2027",
            "kind": "full",
            "status": "solved",
            "base": 0,
            "seed": "spring",
            "week_of": "2027-01-04",
            "requested_by": "fr:coordinator",
            "solved_at": "2027-01-04T08:00:00Z",
            "objective": {"pairs": 12, "worst": 610, "total": 9120},
            "matched_percent": 80,
            "published_by": None,
            "published_at": None,
            "override_reason": None,
            "made": None,
        },
    )

    id: str
    programme: str
    kind: str
    status: str
    base: int
    seed: str
    week_of: date
    requested_by: str
    solved_at: datetime
    objective: ObjectiveView
    matched_percent: int
    published_by: str | None
    published_at: datetime | None
    override_reason: str | None
    made: int | None = Field(description="how many pairs were proposed; a seat that had gone gave none")

    @classmethod
    def of(cls, found: Round) -> "RoundSummary":
        return cls(**_summary(found))


class RoundView(RoundSummary):
    """A round with its answer and every explanation."""

    version: int
    publishing: bool = Field(description="its pairs are being written; ask again until the status is `published`")
    pairs: list[MatchView]
    unmatched: list[UnmatchedView]
    left_out: list[LeftOutView]
    dropped_links: list[tuple[str, str]] = Field(description="(report, manager) links ignored because they closed a cycle")

    @classmethod
    def read(cls, read: commands.RoundRead, response: Response) -> "RoundView":
        response.headers["ETag"] = f'"{read.version}"'
        found = read.round
        return cls(
            **_summary(found),
            version=read.version,
            publishing=read.publishing,
            pairs=[MatchView.of(match) for match in found.pairs],
            unmatched=[UnmatchedView.of(alone) for alone in found.unmatched],
            left_out=[LeftOutView.of(one) for one in found.left_out],
            dropped_links=list(found.dropped_links),
        )


class PairView(BaseModel):
    """A pair, for the two and their coordinators. `points` say why the two were brought together; nobody is scored.

    The two are not told why a pair rests or ended beyond `completed`, `declined`, `expired`, `line-of-management`, `leave` and `other`, nor who had
    said yes to one that is over.
    """

    model_config = _example(
        {
            "id": "5a2f3a52-7f3b-5a0e-9a53-a3f0a3a4b7c1",
            "version": 1,
            "programme": "digital-2027",
            "round": "0193f1f0-7a10-7000-8000-000000000001",
            "mentee": "fr:e42",
            "mentor": "de:e5",
            "status": "proposed",
            "waits_for": "mentee",
            "accepted_by": [],
            "topics": ["ai"],
            "points": {"topics": 450, "function": 120, "hours": 52, "grade_gap": 80, "meeting": 80},
            "proposed_at": "2027-01-04T08:00:00Z",
            "expires_at": "2027-01-11T08:00:00Z",
            "suspended": None,
            "rests_until": None,
            "ended": None,
            "ended_at": None,
        },
    )

    id: str
    version: int
    programme: str
    round: str
    mentee: str
    mentor: str
    status: str
    waits_for: str | None
    accepted_by: list[str]
    topics: list[str]
    points: dict[str, int]
    proposed_at: datetime
    expires_at: datetime | None
    suspended: str | None
    rests_until: datetime | None
    ended: str | None
    ended_at: datetime | None

    @classmethod
    def of(cls, pair: Pair, version: int, actor: Actor) -> "PairView":
        whole = commands.coordinates(actor)
        return cls(
            id=pair.id,
            version=version,
            programme=pair.programme,
            round=pair.round,
            mentee=pair.mentee,
            mentor=pair.mentor,
            status=pair.status,
            waits_for=pair.waits_for,
            accepted_by=list(pair.accepted_by) if whole or pair.live else [],
            topics=list(pair.topics),
            points=_points(pair.points),
            proposed_at=pair.proposed_at,
            expires_at=pair.expires_at,
            suspended=pair.suspended if whole else _said(pair.suspended),
            rests_until=pair.rests_until,
            ended=pair.ended if whole else _said(pair.ended),
            ended_at=pair.ended_at,
        )

    @classmethod
    def read(cls, found: tuple[Pair, int], actor: Actor, response: Response) -> "PairView":
        response.headers["ETag"] = f'"{found[1]}"'
        return cls.of(*found, actor)


def _said(reason: EndReason | SuspendReason | None) -> str | None:
    return None if reason is None else SAYABLE.get(reason, "other")


def _points(points: Points) -> dict[str, int]:
    return points._asdict()


def _summary(found: Round) -> dict[str, Any]:
    return {
        "id": found.id,
        "programme": found.programme,
        "kind": found.kind,
        "status": found.status,
        "base": found.base,
        "seed": found.seed,
        "week_of": found.week_of,
        "requested_by": found.requested_by,
        "solved_at": found.solved_at,
        "objective": ObjectiveView.of(found.objective),
        "matched_percent": found.matched_percent,
        "published_by": found.published_by,
        "published_at": found.published_at,
        "override_reason": found.override_reason,
        "made": found.made,
    }
