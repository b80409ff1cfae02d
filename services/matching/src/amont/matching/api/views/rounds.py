"""Rounds as they go over the wire: what is asked for, how far it is, what it found in figures, what became of it."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, Field, StringConstraints

from amont.common.web import Body
from amont.matching import commands
from amont.matching.api.views.shared import Text, example
from amont.matching.domain.answer import Answer
from amont.matching.domain.job import Seen
from amont.matching.domain.round import Kept, Round
from amont.matching.domain.solver import Objective


class RequestBody(Body):
    """How to solve a round. The seed chooses between equally good answers; without one it is the round's id."""

    model_config = example({"seed": "spring"})

    seed: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None


class PublishBody(Body):
    """Why a round under the policy's matched share is published all the same; ignored when it is not under it."""

    model_config = example({"override_reason": "The mentors of the second wave join in March."})

    override_reason: Text | None = None


class ObjectiveView(BaseModel):
    """What was maximised, beyond the pins: pairs, then the lowest score, then the total (or as the policy orders)."""

    pairs: int = Field(description="without those that were pinned")
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
    objective: ObjectiveView
    matched_percent: int
    pairs: int
    unmatched: int
    left_out: int
    dropped_links: int
    unpinned: int = Field(description="how many pins do not hold; which and why is a list of its own")
    pool_sha256: str | None = Field(description="of the pool file; null where none is kept")
    reward: int | None = Field(description="the certificate's, as `floor`; its other figures are a list of their own")
    floor: int | None
    blocking: int | None = Field(description="how many allowed pairs that were not made score above what either of the two has")

    @classmethod
    def of(cls, answer: Answer) -> "AnswerView":
        return cls(
            base=answer.base,
            policy_version=answer.policy_version,
            week_of=answer.week_of,
            objective=ObjectiveView.of(answer.objective),
            matched_percent=answer.matched_percent,
            pairs=answer.pairs,
            unmatched=answer.unmatched,
            left_out=answer.left_out,
            dropped_links=answer.dropped,
            unpinned=answer.unpinned,
            pool_sha256=answer.pool_sha256,
            reward=answer.reward,
            floor=answer.floor,
            blocking=answer.blocking,
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

    model_config = example(
        {
            "id": "0193f1f0-7a10-7000-8000-000000000001",
            "programme": "digital-2027",
            "kind": "full",
            "status": "solved",
            "seed": "spring",
            "requested_by": "fr:coordinator",
            "requested_at": "2027-01-04T08:00:00Z",
            "solved_at": "2027-01-04T08:00:01Z",
            "answer": {
                "base": 0,
                "policy_version": 3,
                "week_of": "2027-01-04",
                "objective": {"pairs": 12, "worst": 610, "total": 9120},
                "matched_percent": 80,
                "pairs": 12,
                "unmatched": 6,
                "left_out": 0,
                "dropped_links": 0,
                "unpinned": 0,
                "pool_sha256": "6a2f…",
                "reward": 1001,
                "floor": 610,
                "blocking": 3,
            },
            "discarded_because": None,
            "published_by": None,
            "published_at": None,
            "override_reason": None,
            "made": None,
            "outcomes": None,
        },
    )

    id: str
    programme: str
    kind: str
    status: str
    seed: str
    requested_by: str | None = Field(description="null once the decision is forgotten, as are `published_by` and `override_reason`")
    requested_at: datetime
    solved_at: datetime | None
    answer: AnswerView | None
    discarded_because: str | None = Field(description="when it was not a person who discarded it")
    published_by: str | None
    published_at: datetime | None
    override_reason: str | None
    made: int | None = Field(description="how many pairs were proposed; a seat that had gone gave none")
    outcomes: dict[str, int] | None = Field(
        description="once the round names nobody any more: its pairs by the reason of their end, `live` without one; empty of fewer than five"
    )

    @classmethod
    def of(cls, found: Round) -> "RoundSummary":
        return cls(**_summary(found))


class RoundView(RoundSummary):
    """A round as one reads it alone."""

    version: int
    progress: ProgressView | None = Field(description="while it is being solved")
    publishing: bool = Field(description="its pairs are being written; ask again until the status is `published`")
    kept_until: dict[Kept, datetime] = Field(description="what a round that is decided still keeps for a time, and until when")

    @classmethod
    def read(cls, read: commands.RoundRead, response: Response) -> "RoundView":
        response.headers["ETag"] = f'"{read.version}"'
        seen = read.round.seen
        return cls(
            **_summary(read.round),
            version=read.version,
            progress=ProgressView.of(seen) if seen else None,
            publishing=read.publishing,
            kept_until=dict(read.round.kept_until),
        )


def _summary(found: Round) -> dict[str, Any]:
    return {
        "id": found.id,
        "programme": found.programme,
        "kind": found.kind,
        "status": found.status,
        "seed": found.seed,
        "requested_by": found.requested_by,
        "requested_at": found.requested_at,
        "solved_at": found.solved_at,
        "answer": AnswerView.of(found.answer) if found.answer else None,
        "discarded_because": found.discarded,
        "published_by": found.published_by,
        "published_at": found.published_at,
        "override_reason": found.override_reason,
        "made": found.made,
        "outcomes": None if found.outcomes is None else dict(found.outcomes),
    }
