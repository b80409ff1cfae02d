"""What a pair is worth: five criteria, integers, 0 to 1,000 in all. Line by line the scoring contract, "Points, 0 to 1,000".

Points are defined for any pair, allowed or not: a pin that overrides a rule has a score too. Every division rounds down.
"""

from collections.abc import Mapping
from typing import NamedTuple

from amont.matching.domain.hours import common_half_hours
from amont.matching.domain.policy import Weights
from amont.matching.domain.pool import PoolPerson, same
from amont.matching.domain.rules import Profile

TOP_LEVEL = 3
ENOUGH_HALF_HOURS = 16
BEST_GRADE_GAP = 4


class Points(NamedTuple):
    """The points of one pair, criterion by criterion."""

    topics: int
    function: int
    hours: int
    grade_gap: int
    meeting: int

    @property
    def score(self) -> int:
        """Their sum, 0 to 1,000."""
        return sum(self)


def points(mentee: Profile, mentor: Profile, weights: Weights) -> Points:
    """The pair's points, each at most its criterion's weight."""
    return Points(
        topics=topics_points(weights.topics, mentee.person.topics, mentor.person.topics),
        function=0 if same(mentee.person.function, mentor.person.function) else weights.function,
        hours=hours_points(weights.hours, common_half_hours(mentee.free, mentor.free)),
        grade_gap=grade_gap_points(weights.grade_gap, mentee.person.grade - mentor.person.grade),
        meeting=weights.meeting if can_meet(mentee.person, mentor.person) else 0,
    )


def topics_points(weight: int, wishes: Mapping[str, int], levels: Mapping[str, int]) -> int:
    """How well the levels offered serve the wishes, each wish counting for its strength; 0 when nothing is wished."""
    best = TOP_LEVEL * sum(wishes.values())
    served = sum(wish * levels.get(topic, 0) for topic, wish in wishes.items())
    return weight * served // best if best else 0


def hours_points(weight: int, half_hours: int) -> int:
    """More common half-hours are better, up to sixteen a week."""
    return weight * min(half_hours, ENOUGH_HALF_HOURS) // ENOUGH_HALF_HOURS


def grade_gap_points(weight: int, gap: int) -> int:
    """Four grades apart is best; a quarter less for each grade from there, never below 0."""
    return max(0, weight - weight * abs(gap - BEST_GRADE_GAP) // BEST_GRADE_GAP)


def can_meet(mentee: PoolPerson, mentor: PoolPerson) -> bool:
    """Whether a way of meeting suits both: in person on one site, or remote from anywhere; nobody shares an unknown site."""
    ways = (mentee.meeting, mentor.meeting)
    return ("remote" not in ways and same(mentee.site, mentor.site)) or "in-person" not in ways
