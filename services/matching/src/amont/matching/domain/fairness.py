"""Fairness one can see: how many of each group were matched, and how well, beside everybody.

A person belongs to one group of each division: their subsidiary, function, site, grade band, and the role they took. These are in the staff record; nothing
else about anybody is known here. Somebody in both roles is one person. A group's scores are those of its people's pairs, a pair once for each of the two.

What may be shown is decided by `suppression`: shares by how many people a group has, and so that no subtraction tells of hidden people that all of them, or
none, are matched; scores by how many are matched; in all answers that are held side by side alike. Sums of scores are not given by group, since sums can be
subtracted. The lowest score is one pair's, and with the quartiles it would be four of five: so it takes ten people, the fewest that a figure of microdata
should rest on (Brandt et al., Guidelines for the checking of output based on microdata research, ESSnet SDC 2010), and quartiles take twenty, five between each
two.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from amont.matching.domain.pool import Pool, PoolPerson
from amont.matching.domain.solver import Solution
from amont.matching.domain.suppression import K, Person, Shown, shown

DIVISIONS = ("subsidiary", "function", "site", "grade_band", "role")
BOTH = "both"
"""The role of somebody who is a mentee to one and a mentor to another."""

LOWEST_FROM = 10
"""From how many matched people on a lowest score is told."""
QUARTILES_FROM = 4 * K
"""From how many matched people on quartiles are told."""

Scored = tuple[str, str, int]
"""Mentee, mentor, score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The lowest score and the quartiles: the scores that a quarter, a half and three quarters do not exceed (nearest rank); those `None` of few."""

    lowest: int
    quartiles: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group's figures; `None` is hidden, or of the scores also that few or nobody are matched.

    Attributes:
        name: empty where the staff record does not say.
    """

    name: str
    people: int | None
    matched: int | None
    scores: Scores | None

    @property
    def percent(self) -> int | None:
        """The share that is matched, rounded down."""
        return None if self.people is None or self.matched is None else 100 * self.matched // self.people if self.people else 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """The figures of one answer: of everybody, and by division of each group by name."""

    everybody: Group
    divisions: Mapping[str, tuple[Group, ...]]


def fairness(pool: Pool, answers: Sequence[Iterable[Scored]]) -> tuple[Fairness, ...]:
    """The figures of several answers for the same pool, held side by side; each is all its pairs."""
    people = _divided(pool)
    scores = [_scores(answer) for answer in answers]
    shares = shown([list(people.values())], len(DIVISIONS), marks=[[id_ in found for id_ in people] for found in scores])
    matched = shown([[group for id_, group in people.items() if id_ in found] for found in scores], len(DIVISIONS), LOWEST_FROM)
    return tuple(_figures(people, found, shares, matched) for found in scores)


def scored(solution: Solution) -> list[Scored]:
    """All pairs of a solution."""
    return [(pair.mentee, pair.mentor, pair.score) for pair in solution.pairs]


def _divided(pool: Pool) -> dict[str, Person]:
    """Everybody's groups, by id."""
    people: dict[str, PoolPerson] = {}
    roles: defaultdict[str, set[str]] = defaultdict(set)
    for person in pool.people:
        people[person.id] = person
        roles[person.id].add(person.role)
    return {
        id_: (one.subsidiary, one.function, one.site, f"{one.grade:02}", BOTH if len(roles[id_]) > 1 else one.role)
        for id_, one in people.items()
    }


def _scores(answer: Iterable[Scored]) -> dict[str, list[int]]:
    """The scores of everybody's pairs; who has none is left out."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for mentee, mentor, score in answer:
        found[mentee].append(score)
        found[mentor].append(score)
    return found


def _figures(people: Mapping[str, Person], scores: Mapping[str, list[int]], shares: Shown, matched: Shown) -> Fairness:
    members: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for id_, groups in people.items():
        for at in enumerate(groups):
            members[at].append(id_)
    divisions = {
        division: tuple(
            _group(name, ids, scores, counted=name in shares.groups[number], scored=name in matched.groups[number])
            for (at, name), ids in sorted(members.items())
            if at == number
        )
        for number, division in enumerate(DIVISIONS)
    }
    everybody = _group("", list(people), scores, counted=shares.everybody, scored=matched.everybody)
    return Fairness(everybody=everybody, divisions=divisions)


def _group(name: str, ids: Sequence[str], scores: Mapping[str, list[int]], *, counted: bool, scored: bool) -> Group:
    found = sorted(score for id_ in ids for score in scores.get(id_, ()))
    matched = sum(id_ in scores for id_ in ids)
    quartiles = _quartiles(found) if matched >= QUARTILES_FROM else None
    return Group(
        name=name,
        people=len(ids) if counted else None,
        matched=matched if counted else None,
        scores=Scores(lowest=found[0], quartiles=quartiles) if found and counted and scored else None,
    )


def _quartiles(ordered: Sequence[int]) -> tuple[int, int, int]:
    first, middle, last = (ordered[-(-len(ordered) * quarter // 4) - 1] for quarter in (1, 2, 3))
    return first, middle, last
