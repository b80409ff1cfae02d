"""The nine hard rules: who may be paired at all. Line by line the scoring contract, "Hard rules, in this order".

A rule looks at two profiles and the policy, and says whether it holds. Order matters for explanations only: a pair is allowed when all
rules in force hold, and is said to be removed by the first that does not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from amont.matching.domain.hours import common_half_hours
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import PoolPerson, same

__all__ = ["RULES", "Holds", "Profile", "Rule", "all_broken", "first_broken"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """A person of a pool and what the rules need to know that has to be worked out first.

    Attributes:
        above: ids of the people above this one in the management graph, at least those who are in the pool.
        offset: seconds east of UTC at Monday noon UTC.
        free: free half-hours of the UTC week, as bits.
        forbidden: ids of the people this one must not be paired with.
    """

    person: PoolPerson
    above: frozenset[str]
    offset: int
    free: int
    forbidden: frozenset[str]


Holds = Callable[[Profile, Profile, Policy], bool]


def they_are_two_people(mentee: Profile, mentor: Profile, _: Policy) -> bool:
    return mentee.person.id != mentor.person.id


def mentor_is_junior_to_mentee(mentee: Profile, mentor: Profile, policy: Policy) -> bool:
    return mentee.person.grade - mentor.person.grade >= policy.min_grade_gap


def neither_is_in_the_others_line(mentee: Profile, mentor: Profile, _: Policy) -> bool:
    return mentor.person.id not in mentee.above and mentee.person.id not in mentor.above


def they_work_in_different_teams(mentee: Profile, mentor: Profile, _: Policy) -> bool:
    """Holds too when a team is unknown: an unknown team is nobody's team."""
    return not (same(mentee.person.subsidiary, mentor.person.subsidiary) and same(mentee.person.team, mentor.person.team))


def they_come_from_across_the_group(mentee: Profile, mentor: Profile, policy: Policy) -> bool:
    match policy.across:
        case "subsidiary":
            return not same(mentee.person.subsidiary, mentor.person.subsidiary)
        case "business_unit":
            return not same(mentee.person.business_unit, mentor.person.business_unit)
        case "none":
            return True


def they_share_a_language(mentee: Profile, mentor: Profile, _: Policy) -> bool:
    return not mentee.person.languages.isdisjoint(mentor.person.languages)


def their_zones_are_close(mentee: Profile, mentor: Profile, policy: Policy) -> bool:
    return abs(mentee.offset - mentor.offset) <= policy.max_zone_hours * 3600


def they_have_hours_in_common(mentee: Profile, mentor: Profile, policy: Policy) -> bool:
    return common_half_hours(mentee.free, mentor.free) >= 2 * policy.min_common_hours


def nobody_forbade_the_pair(mentee: Profile, mentor: Profile, _: Policy) -> bool:
    return mentor.person.id not in mentee.forbidden


RULES: tuple[tuple[Rule, Holds], ...] = (
    (Rule.TWO_PEOPLE, they_are_two_people),
    (Rule.MENTOR_IS_JUNIOR, mentor_is_junior_to_mentee),
    (Rule.OUTSIDE_THE_LINE, neither_is_in_the_others_line),
    (Rule.DIFFERENT_TEAM, they_work_in_different_teams),
    (Rule.ACROSS, they_come_from_across_the_group),
    (Rule.SHARED_LANGUAGE, they_share_a_language),
    (Rule.CLOSE_ZONES, their_zones_are_close),
    (Rule.COMMON_HOURS, they_have_hours_in_common),
    (Rule.NOT_FORBIDDEN, nobody_forbade_the_pair),
)
"""The rules with their names, in the contract's order."""


def all_broken(mentee: Profile, mentor: Profile, policy: Policy) -> Iterator[Rule]:
    """Every rule in force that the pair breaks, in rule order."""
    for rule, holds in RULES:
        if not holds(mentee, mentor, policy) and rule not in policy.off:
            yield rule


def first_broken(mentee: Profile, mentor: Profile, policy: Policy) -> Rule | None:
    """The first rule in force that the pair breaks; `None` when the pair is allowed."""
    return next(all_broken(mentee, mentor, policy), None)
