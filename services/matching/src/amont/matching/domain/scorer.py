"""The definition: for any mentee and mentor of a pool, whether they are allowed, by which rule not, and what the pair is worth.

Slow and readable on purpose. Every faster engine is held against this one, pair by pair. What depends on one person only (half-hours,
offset, line, forbidden partners) is worked out once for each; what depends on two is left to `rules` and `points`.
"""

from collections import defaultdict

from amont.matching.domain import points as pointing
from amont.matching.domain import rules
from amont.matching.domain.hours import half_hours, offset_seconds
from amont.matching.domain.lines import Lines
from amont.matching.domain.points import Points
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool, PoolPerson, Role
from amont.matching.domain.rules import Profile


class Scorer:
    """Answers for the pairs of one pool under one policy. Everywhere below an id that is not in the pool in that role raises `KeyError`."""

    def __init__(self, pool: Pool, policy: Policy) -> None:
        """Work out every person's profile.

        Raises:
            ValueError: an unreadable window, an unknown zone, or a `week_of` that is no Monday.
        """
        self.pool = pool
        self.policy = policy
        self._current = frozenset(pool.current)
        profiles = _profiles(pool)
        self.mentees: dict[str, Profile] = {profile.person.id: profile for profile in profiles if profile.person.role == "mentee"}
        self.mentors: dict[str, Profile] = {profile.person.id: profile for profile in profiles if profile.person.role == "mentor"}

    def first_broken(self, mentee: str, mentor: str) -> Rule | None:
        """The first rule in force that the pair breaks, or `None`."""
        return rules.first_broken(self.mentees[mentee], self.mentors[mentor], self.policy)

    def all_broken(self, mentee: str, mentor: str) -> tuple[Rule, ...]:
        """Every rule in force that the pair breaks, in rule order."""
        return tuple(rules.all_broken(self.mentees[mentee], self.mentors[mentor], self.policy))

    def allowed(self, mentee: str, mentor: str) -> bool:
        """Whether every rule in force holds."""
        return self.first_broken(mentee, mentor) is None

    def points(self, mentee: str, mentor: str) -> Points:
        """The pair's points, allowed or not."""
        return pointing.points(self.mentees[mentee], self.mentors[mentor], self.policy.weights)

    def score(self, mentee: str, mentor: str) -> int:
        """The sum of the pair's points, 0 to 1,000."""
        return self.points(mentee, mentor).score

    def value(self, mentee: str, mentor: str) -> int:
        """The score, and the policy's stickiness when the pair is a current one; 0 to 2,000."""
        return self.score(mentee, mentor) + (self.policy.stickiness if (mentee, mentor) in self._current else 0)

    def in_role(self, role: Role) -> dict[str, Profile]:
        """The profiles of everybody in that role, by id."""
        return self.mentees if role == "mentee" else self.mentors


def _profiles(pool: Pool) -> list[Profile]:
    lines = Lines(pool.managers)
    ids = {person.id for person in pool.people}
    forbidden = _forbidden(pool)

    def profile(person: PoolPerson) -> Profile:
        return Profile(
            person=person,
            above=lines.ancestors(person.id) & ids,
            offset=offset_seconds(person.zone, pool.week_of),
            free=half_hours(person.availability, person.zone, pool.week_of),
            forbidden=frozenset(forbidden[person.id]),
        )

    return [profile(person) for person in pool.people]


def _forbidden(pool: Pool) -> defaultdict[str, set[str]]:
    partners: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in pool.forbidden:
        partners[one].add(other)
        partners[other].add(one)
    return partners
