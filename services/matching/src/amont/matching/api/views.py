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
from amont.matching.domain.answer import Answer, Dropped, Match, Proof
from amont.matching.domain.change import Change
from amont.matching.domain.job import Seen
from amont.matching.domain.pair import Pair
from amont.matching.domain.points import Points
from amont.matching.domain.pooling import LeftOut
from amont.matching.domain.round import Round
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


class RequestBody(Body):
    """How to solve a round. The seed chooses between equally good answers; without one it is the round's id."""

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
    worth: int | None = Field(
        description="what the total would lose without this pair; null when the number of pairs or the lowest score would fall"
    )

    @classmethod
    def of(cls, match: Match) -> "MatchView":
        return cls(
            mentee=match.mentee,
            mentor=match.mentor,
            score=match.score,
            points=_points(match.points),
            topics=list(match.topics),
            next_best=NextBestView.of(match.next_best) if match.next_best else None,
            worth=match.worth,
        )


class ChangeView(BaseModel):
    """The smallest change of their own that would open candidates: free time, or one more language."""

    kind: str
    opens: int = Field(description="how many candidates become allowed by it alone")
    half_hours: int
    window: str = Field(description="for `hours`, the stretch in the person's local time")
    language: str

    @classmethod
    def of(cls, change: Change) -> "ChangeView":
        return cls(kind=change.kind, opens=change.opens, half_hours=change.half_hours, window=change.window, language=change.language)


class UnmatchedView(BaseModel):
    """Somebody without a partner: how many candidates each rule was the first to remove, how many were left (then others had them), what would help."""

    person: str
    role: str
    removed: dict[str, int]
    left: int
    change: ChangeView | None

    @classmethod
    def of(cls, alone: Unmatched) -> "UnmatchedView":
        return cls(
            person=alone.id,
            role=alone.role,
            removed={rule.value: count for rule, count in alone.removed.items()},
            left=alone.left,
            change=ChangeView.of(alone.change) if alone.change else None,
        )


class LeftOutView(BaseModel):
    """An active enrolment that the round could not use, and why."""

    enrolment: str
    person: str
    reason: str

    @classmethod
    def of(cls, one: LeftOut) -> "LeftOutView":
        return cls(enrolment=one.enrolment, person=one.person, reason=one.reason)


class DroppedView(BaseModel):
    """A link from a report to a manager that was ignored because it closed a cycle."""

    report: str
    manager: str

    @classmethod
    def of(cls, link: Dropped) -> "DroppedView":
        return cls(report=link.report, manager=link.manager)


class ProofView(BaseModel):
    """A mentee's profit, or the price of one place of a mentor, and whether the two covers have the person."""

    person: str
    role: str
    value: int
    in_pairs_cover: bool
    in_floor_cover: bool

    @classmethod
    def of(cls, proof: Proof) -> "ProofView":
        return cls(
            person=proof.person,
            role=proof.role,
            value=proof.value,
            in_pairs_cover=proof.in_pairs_cover,
            in_floor_cover=proof.in_floor_cover,
        )


class ObjectiveView(BaseModel):
    """What was maximised: pairs, then the lowest score, then the total (or as the policy orders)."""

    pairs: int
    worst: int | None
    total: int

    @classmethod
    def of(cls, objective: Objective) -> "ObjectiveView":
        return cls(pairs=objective.pairs, worst=objective.worst, total=objective.total)


class AnswerView(BaseModel):
    """What a round found, in figures."""

    base: int = Field(description="the programme's edition it was solved on")
    policy_version: int
    week_of: date
    solved_at: datetime
    objective: ObjectiveView
    matched_percent: int
    pairs: int
    unmatched: int
    left_out: int
    dropped_links: int
    reward: int | None = Field(description="the certificate's, as `floor`; its other figures are a list of their own")
    floor: int | None

    @classmethod
    def of(cls, answer: Answer) -> "AnswerView":
        return cls(
            base=answer.base,
            policy_version=answer.policy_version,
            week_of=answer.week_of,
            solved_at=answer.solved_at,
            objective=ObjectiveView.of(answer.objective),
            matched_percent=answer.matched_percent,
            pairs=answer.pairs,
            unmatched=answer.unmatched,
            left_out=answer.left_out,
            dropped_links=answer.dropped,
            reward=answer.reward,
            floor=answer.floor,
        )


class ProgressView(BaseModel):
    """How far the attempt that is at work is."""

    stage: str
    step: int
    steps: int | None
    detail: str

    @classmethod
    def of(cls, seen: Seen) -> "ProgressView":
        return cls(stage=seen.stage, step=seen.step, steps=seen.steps, detail=seen.detail)


class RoundSummary(BaseModel):
    """A round, and what it found in figures once it is solved."""

    model_config = _example(
        {
            "id": "0193f1f0-7a10-7000-8000-000000000001",
            "programme": "digital-2027",
            "kind": "full",
            "status": "solved",
            "seed": "spring",
            "requested_by": "fr:coordinator",
            "requested_at": "2027-01-04T08:00:00Z",
            "answer": {
                "base": 0,
                "policy_version": 3,
                "week_of": "2027-01-04",
                "solved_at": "2027-01-04T08:00:01Z",
                "objective": {"pairs": 12, "worst": 610, "total": 9120},
                "matched_percent": 80,
                "pairs": 12,
                "unmatched": 6,
                "left_out": 0,
                "dropped_links": 0,
                "reward": 1001,
                "floor": 610,
            },
            "discarded_because": None,
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
    seed: str
    requested_by: str
    requested_at: datetime
    answer: AnswerView | None
    discarded_because: str | None = Field(description="when it was not a person who discarded it")
    published_by: str | None
    published_at: datetime | None
    override_reason: str | None
    made: int | None = Field(description="how many pairs were proposed; a seat that had gone gave none")

    @classmethod
    def of(cls, found: Round) -> "RoundSummary":
        return cls(**_summary(found))


class RoundView(RoundSummary):
    """A round as one reads it alone."""

    version: int
    progress: ProgressView | None = Field(description="while it is being solved")
    publishing: bool = Field(description="its pairs are being written; ask again until the status is `published`")

    @classmethod
    def read(cls, read: commands.RoundRead, response: Response) -> "RoundView":
        response.headers["ETag"] = f'"{read.version}"'
        seen = read.round.seen
        return cls(
            **_summary(read.round),
            version=read.version,
            progress=ProgressView.of(seen) if seen else None,
            publishing=read.publishing,
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
        "seed": found.seed,
        "requested_by": found.requested_by,
        "requested_at": found.requested_at,
        "answer": AnswerView.of(found.answer) if found.answer else None,
        "discarded_because": found.discarded,
        "published_by": found.published_by,
        "published_at": found.published_at,
        "override_reason": found.override_reason,
        "made": found.made,
    }
