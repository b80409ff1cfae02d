"""The pairs of a result, each against the definition, and the bookkeeping around them: places, pins, people in no pair, objective."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from amont.matching.domain import rules
from amont.matching.domain.hours import half_hours, offset_seconds
from amont.matching.domain.lines import Lines
from amont.matching.domain.points import points
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool, PoolPerson, Role
from amont.matching.domain.rules import Profile
from amont.matching.files.faults import Path
from amont.matching.verifier.findings import Findings
from amont.matching.verifier.reading import ClaimedPair, Result

ROLES: tuple[Role, Role] = ("mentee", "mentor")


@dataclass(frozen=True)
class Ground:
    """The pool and the policy, and what both say before anything is solved."""

    pool: Pool
    policy: Policy

    @cached_property
    def people(self) -> dict[Role, dict[str, PoolPerson]]:
        """Everybody by role and id, in the pool's order."""
        return {role: {person.id: person for person in self.pool.in_role(role)} for role in ROLES}

    @cached_property
    def pins(self) -> frozenset[tuple[str, str]]:
        """The pinned pairs."""
        return frozenset(self.pool.pinned)

    @cached_property
    def current(self) -> frozenset[tuple[str, str]]:
        """The pairs to which stickiness applies."""
        return frozenset(self.pool.current)

    @cached_property
    def places(self) -> dict[Role, dict[str, int]]:
        """How many places the pins leave everybody who has one left."""
        taken = Counter(end for pair in self.pool.pinned for end in zip(ROLES, pair, strict=True))
        left = {role: {id_: person.capacity - taken[role, id_] for id_, person in self.people[role].items()} for role in ROLES}
        return {role: {id_: places for id_, places in some.items() if places > 0} for role, some in left.items()}

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self.pool.managers)

    @cached_property
    def _forbidden(self) -> frozenset[frozenset[str]]:
        return frozenset(map(frozenset, self.pool.forbidden))

    def profiles(self, mentee: str, mentor: str) -> tuple[Profile, Profile]:
        """The two as the rules look at them; made for this pair only, so that long lines take no memory."""
        apart = frozenset({mentee, mentor}) in self._forbidden
        one, other = self.people["mentee"][mentee], self.people["mentor"][mentor]
        return self._profile(one, {mentor} if apart else set()), self._profile(other, {mentee} if apart else set())

    def _profile(self, person: PoolPerson, forbidden: set[str]) -> Profile:
        return Profile(
            person=person,
            above=self._lines.ancestors(person.id),
            offset=offset_seconds(person.zone, self.pool.week_of),
            free=half_hours(person.availability, person.zone, self.pool.week_of),
            forbidden=frozenset(forbidden),
        )


def check_claims(result: Result, ground: Ground, found: Findings) -> None:
    """Everything that can be said without looking at the pairs that were not made."""
    _check_order(result, found)
    scores = [_check_pair(pair, (("$", "pairs"), place), ground, found) for place, pair in enumerate(result.pairs)]
    _check_places(result, ground, found)
    _check_pins(result, ground, found)
    _check_alone(result, ground, found)
    _check_objective(result, scores, ground, found)


def _check_order(result: Result, found: Findings) -> None:
    for place, (one, later) in enumerate(pairwise(result.pairs), 1):
        if one.mentee >= later.mentee:
            found.add((("$", "pairs"), place), f"pairs are sorted by mentee, and {later.mentee!r} does not come after {one.mentee!r}")
    for place, (first, second) in enumerate(pairwise(result.unmatched), 1):
        if (first.id, first.role) >= (second.id, second.role):
            found.add(
                (("$", "unmatched"), place), f"people are sorted by id, then role, and {second.id!r} does not come after {first.id!r}"
            )


def _check_pair(pair: ClaimedPair, path: Path, ground: Ground, found: Findings) -> int | None:
    """The score that the pair has, if the two are in the pool; all that is wrong about it is told."""
    known = True
    for role, id_ in zip(ROLES, (pair.mentee, pair.mentor), strict=True):
        if id_ not in ground.people[role]:
            found.add((path, role), f"{id_!r} is not a {role} of this pool")
            known = False
    if not known:
        return None
    mentee, mentor = ground.profiles(pair.mentee, pair.mentor)
    right = points(mentee, mentor, ground.policy.weights)
    for criterion, claimed, due in zip(right._fields, pair.points, right, strict=True):
        found.expect(((path, "points"), criterion), claimed, due)
    found.expect((path, "score"), pair.score, right.score)
    pinned = (pair.mentee, pair.mentor) in ground.pins
    found.expect((path, "pinned"), pair.pinned, pinned)
    broken = tuple(rule.value for rule in rules.all_broken(mentee, mentor, ground.policy))
    if pinned:
        found.expect((path, "overrides"), list(pair.overrides), list(broken))
    else:
        found.expect((path, "overrides"), list(pair.overrides), [])
        if broken:
            found.add(path, f"breaks {', '.join(broken)}")
        if ground.policy.order == "total" and right.score < ground.policy.min_score:
            found.add((path, "score"), f"is under the policy's min_score, {ground.policy.min_score}")
    return right.score


def _check_places(result: Result, ground: Ground, found: Findings) -> None:
    taken: Counter[tuple[str, str]] = Counter()
    for place, pair in enumerate(result.pairs):
        for role, id_ in zip(ROLES, (pair.mentee, pair.mentor), strict=True):
            taken[role, id_] += 1
            person = ground.people[role].get(id_)
            if person is not None and taken[role, id_] > person.capacity:
                found.add(((("$", "pairs"), place), role), f"{id_!r} has {person.capacity} place(s), and is in more pairs")


def _check_pins(result: Result, ground: Ground, found: Findings) -> None:
    made = {(pair.mentee, pair.mentor) for pair in result.pairs}
    for mentee, mentor in ground.pool.pinned:
        if (mentee, mentor) not in made:
            found.add(("$", "pairs"), f"the pinned pair {mentee!r} with {mentor!r} is missing")


def _check_alone(result: Result, ground: Ground, found: Findings) -> None:
    matched = {end for pair in result.pairs for end in zip(ROLES, (pair.mentee, pair.mentor), strict=True)}
    alone = {(role, id_) for role in ROLES for id_ in ground.people[role]} - matched
    claimed: set[tuple[str, str]] = set()
    for place, person in enumerate(result.unmatched):
        if (person.role, person.id) not in alone:
            found.add((("$", "unmatched"), place), f"{person.id!r} is in a pair, or is not a {person.role} of this pool")
        claimed.add((person.role, person.id))
    for role, id_ in sorted(alone - claimed):
        found.add(("$", "unmatched"), f"the {role} {id_!r} is in no pair and is missing here")


def _check_objective(result: Result, scores: Sequence[int | None], ground: Ground, found: Findings) -> None:
    """Hold the objective against the pairs, unless somebody in them is unknown."""
    made = [(pair, score) for pair, score in zip(result.pairs, scores, strict=True) if (pair.mentee, pair.mentor) not in ground.pins]
    reached = [score for _, score in made if score is not None]
    if len(reached) < len(made):
        return
    sticky = sum((pair.mentee, pair.mentor) in ground.current for pair, _ in made) * ground.policy.stickiness
    found.expect((("$", "objective"), "pairs"), result.pairs_made, len(made))
    found.expect((("$", "objective"), "worst"), result.worst, min(reached, default=None))
    found.expect((("$", "objective"), "total"), result.total, sum(reached) + sticky)
