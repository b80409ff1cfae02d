"""Simulations as they go over the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import BaseModel, Field, StringConstraints

from amont.common import events
from amont.common.web import Body
from amont.matching import commands
from amont.matching.api.views.fairness import FairnessView
from amont.matching.api.views.rounds import ProgressView
from amont.matching.api.views.shared import example
from amont.matching.domain.comparing import Column, Difference, GroupDifference, Reached, RuleCost
from amont.matching.domain.simulation import Simulation
from amont.matching.domain.words import Language, cost_in_words, difference_in_words


class WeightsBody(Body):
    """All five; they sum to 1,000."""

    topics: int
    function: int
    hours: int
    grade_gap: int
    meeting: int


class PolicyBody(Body):
    """What is different from the programme's own policy: of the rules and weights that rounds look at."""

    min_grade_gap: int | None = None
    across: Literal["subsidiary", "business_unit", "none"] | None = None
    max_zone_hours: int | None = None
    min_common_hours: int | None = None
    off: Annotated[tuple[str, ...] | None, Field(description="rules switched off, by name")] = None
    weights: WeightsBody | None = None
    order: Literal["pairs, worst, total", "pairs, total", "total"] | None = None
    min_score: int | None = None
    stickiness: int | None = None

    def changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class SimulateBody(Body):
    """One policy beside another: `policy` beside `against`, which is the programme's own where it is left out. Without `policy`, the programme's own alone."""

    model_config = example({"policy": {"min_grade_gap": 3, "off": ["different_team"]}, "rules": False})

    policy: PolicyBody | None = None
    against: PolicyBody | None = None
    rules: Annotated[bool, Field(description="also solve again without each rule in turn, to see how many pairs it costs")] = False
    seed: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None


class ReachedView(BaseModel):
    """What is reached over all pairs, those that are pinned among them."""

    pairs: int
    worst: int | None
    total: int

    @classmethod
    def of(cls, reached: Reached) -> "ReachedView":
        return cls(pairs=reached.pairs, worst=reached.worst, total=reached.total)


class RuleCostView(BaseModel):
    """What a policy would reach without one rule, with the same pins; `costs` is how many pairs more."""

    rule: str
    costs: int
    without: ReachedView
    words: str = Field(description="the same in words")

    @classmethod
    def of(cls, cost: RuleCost, language: Language) -> "RuleCostView":
        return cls(rule=cost.rule, costs=cost.costs, without=ReachedView.of(cost.without), words=cost_in_words(cost, language))


class ColumnView(BaseModel):
    """What one policy reaches, and for whom."""

    policy: dict[str, Any]
    objective: ReachedView
    matched_percent: int
    fairness: FairnessView
    rules: list[RuleCostView]

    @classmethod
    def of(cls, column: Column, policy: events.Policy, language: Language) -> "ColumnView":
        return cls(
            policy=policy.model_dump(mode="json", include=set(PolicyBody.model_fields)),
            objective=ReachedView.of(column.objective),
            matched_percent=column.matched_percent,
            fairness=FairnessView.of(column.fairness),
            rules=[RuleCostView.of(cost, language) for cost in column.rules],
        )


class GroupDifferenceView(BaseModel):
    """A group under the second policy less under the first; null where one of them hides it."""

    name: str
    matched: int | None
    lowest: int | None
    median: int | None

    @classmethod
    def of(cls, one: GroupDifference) -> "GroupDifferenceView":
        return cls(name=one.name, matched=one.matched, lowest=one.lowest, median=one.median)


class DifferenceView(BaseModel):
    """The second column less the first."""

    pairs: int
    worst: int | None
    total: int
    matched_percent: int
    same: int = Field(description="how many pairs both make")
    alike: bool = Field(description="whether both weigh alike, so that points can be compared")
    divisions: dict[str, list[GroupDifferenceView]]
    words: list[str] = Field(description="of the programme as a whole, in words")

    @classmethod
    def of(cls, one: Difference, language: Language) -> "DifferenceView":
        divisions = {name: [GroupDifferenceView.of(group) for group in groups] for name, groups in one.divisions.items()}
        return cls(
            pairs=one.pairs,
            worst=one.worst,
            total=one.total,
            matched_percent=one.matched_percent,
            same=one.same,
            alike=one.alike,
            divisions=divisions,
            words=list(difference_in_words(one, language)),
        )


class SimulationSummary(BaseModel):
    """A simulation without its figures."""

    id: str
    programme: str
    status: str
    seed: str
    rules: bool
    requested_by: str
    requested_at: datetime
    solved_at: datetime | None
    kept_until: datetime | None

    @classmethod
    def of(cls, found: Simulation) -> "SimulationSummary":
        return cls(**_summary(found))


class SimulationView(SimulationSummary):
    """What one or two policies reach on the seats that were free. It can never be published, and is removed at `kept_until`."""

    version: int
    progress: ProgressView | None
    people: int | None = Field(description="how many people had a free seat")
    columns: list[ColumnView]
    difference: DifferenceView | None

    @classmethod
    def read(cls, read: commands.SimulationRead, response: Response, language: Language) -> "SimulationView":
        response.headers["ETag"] = f'"{read.version}"'
        found = read.simulation
        comparison = found.comparison
        columns = zip(comparison.columns, found.policies, strict=True) if comparison else ()
        return cls(
            **_summary(found),
            version=read.version,
            progress=ProgressView.of(found.seen) if found.seen else None,
            people=found.people,
            columns=[ColumnView.of(column, policy, language) for column, policy in columns],
            difference=DifferenceView.of(comparison.difference, language) if comparison and comparison.difference else None,
        )


def _summary(found: Simulation) -> dict[str, Any]:
    return {
        "id": found.id,
        "programme": found.programme,
        "status": found.status,
        "seed": found.seed,
        "rules": found.rules,
        "requested_by": found.requested_by,
        "requested_at": found.requested_at,
        "solved_at": found.solved_at,
        "kept_until": found.kept_until,
    }
