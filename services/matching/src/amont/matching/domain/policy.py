"""What a programme decided about pairing: which rules hold, how far they reach, what counts for how much, and what is best.

The names of the hard rules live here because a policy switches rules off by name; what each rule means is in `rules`. A policy that exists
is
valid: limits are checked when it is made. Reading one from a file is another module's work.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Literal, get_args

Across = Literal["subsidiary", "business_unit", "none"]
Order = Literal["pairs, worst, total", "pairs, total", "total"]

FULL_SCORE = 1_000


class Rule(StrEnum):
    """The hard rules, in the order in which they are applied and reported (the scoring contract, hard rules)."""

    TWO_PEOPLE = "two_people"
    MENTOR_IS_JUNIOR = "mentor_is_junior"
    OUTSIDE_THE_LINE = "outside_the_line"
    DIFFERENT_TEAM = "different_team"
    ACROSS = "across"
    SHARED_LANGUAGE = "shared_language"
    CLOSE_ZONES = "close_zones"
    COMMON_HOURS = "common_hours"
    NOT_FORBIDDEN = "not_forbidden"


def _hold_limits(field: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{field} must be an integer from {low} to {high}, not {value!r}")


def _hold_choice(field: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{field} must be one of {', '.join(map(repr, choices))}, not {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The most points each criterion can give; all five are named and their sum is 1,000.

    Raises:
        ValueError: a weight is not an integer ≥ 0, or the sum is another one.
    """

    topics: int
    function: int
    hours: int
    grade_gap: int
    meeting: int

    def __post_init__(self) -> None:
        """Hold the limits."""
        for criterion in fields(self):
            _hold_limits(f"weights.{criterion.name}", getattr(self, criterion.name), 0, FULL_SCORE)
        total = self.topics + self.function + self.hours + self.grade_gap + self.meeting
        if total != FULL_SCORE:
            raise ValueError(f"weights must add up to {FULL_SCORE}, not {total}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A programme's rules and weights; the defaults are the scoring contract's.

    Attributes:
        min_grade_gap: grades the mentee must be above the mentor, -19 to 19.
        across: the field that must differ within a pair.
        max_zone_hours: largest difference of UTC offsets, in hours, 0 to 26.
        min_common_hours: hours a week that both must have free, 0 to 168.
        off: rules switched off; any but `two_people`.
        order: what a round maximises, first things first.
        min_score: under the order `total` only, the lowest score of a pair, 0 to 1,000.
        stickiness: points by which a current pair is preferred, 0 to 1,000.
        pins_override: whether a pin may break the rules (but never `two_people`).

    Raises:
        ValueError: a value is out of its limits; the message names the field and the limits.
    """

    min_grade_gap: int = 2
    across: Across = "subsidiary"
    max_zone_hours: int = 6
    min_common_hours: int = 2
    off: frozenset[Rule] = frozenset()
    weights: Weights = Weights(topics=600, function=120, hours=120, grade_gap=80, meeting=80)
    order: Order = "pairs, worst, total"
    min_score: int = 0
    stickiness: int = 0
    pins_override: bool = False

    def __post_init__(self) -> None:
        """Hold the limits."""
        _hold_limits("min_grade_gap", self.min_grade_gap, -19, 19)
        _hold_limits("max_zone_hours", self.max_zone_hours, 0, 26)
        _hold_limits("min_common_hours", self.min_common_hours, 0, 168)
        _hold_limits("min_score", self.min_score, 0, FULL_SCORE)
        _hold_limits("stickiness", self.stickiness, 0, FULL_SCORE)
        _hold_choice("across", self.across, get_args(Across))
        _hold_choice("order", self.order, get_args(Order))
        for name in sorted(self.off):
            _hold_choice("off", name, tuple(rule.value for rule in Rule if rule is not Rule.TWO_PEOPLE))
        if type(self.pins_override) is not bool:
            raise ValueError(f"pins_override must be true or false, not {self.pins_override!r}")
