"""What a round asks of a solver, and what it gets: values, a port, and the pins that come before everything else.

The one who solves is `engine`; the objective is the scoring contract's, "Objective".
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.certificate import Certificate
from amont.matching.domain.change import Change
from amont.matching.domain.points import Points
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool, Role
from amont.matching.domain.progress import Progress, unseen
from amont.matching.domain.scorer import Scorer

Cells = NDArray[np.int64]
Mask = NDArray[np.bool_]
Cell = tuple[int, int]

_RULES = tuple(Rule)
_ALLOWED = len(_RULES)


FEWER_PAIRS = "without it there would be fewer pairs"
FEWER_OR_LOWER = f"{FEWER_PAIRS} or a lower lowest score"
"""Why a pair has no worth: the second where a lowest score is sought (the order `pairs, worst, total`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextBest:
    """Another mentor whom the mentee could have had, and the score of that pair."""

    mentor: str
    score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SolvedPair:
    """One pair of a solution.

    Attributes:
        score: 0 to 1,000, without stickiness.
        overrides: for a pin, every rule in force that it breaks, in rule order; else empty.
        next_best: the mentee's highest score among other allowed mentors, taken or not, of equals the first by id; `None` without any.
        worth: what the total would lose without this pair, number of pairs and lowest score unchanged; `None` when it was not asked for or
            when one of the two would fall, and for a pin.
        worth_reason: why there is no worth, when it was asked for.
    """

    mentee: str
    mentor: str
    score: int
    points: Points
    pinned: bool
    overrides: tuple[Rule, ...]
    next_best: NextBest | None
    worth: int | None = None
    worth_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """One person, in one role, who is in no pair.

    Attributes:
        removed: for each rule how many people of the other role it is the first to remove, in rule order, zeros left out.
        left: how many of the other role are allowed, taken or not, under the floor or not.
        change: the smallest change of their own that would open candidates; `None` when no single one does, or it was not asked for.
        least: under the order `total` the lowest score of a pair; `None` under the others, where all who are left are in other pairs.
    """

    id: str
    role: Role
    removed: Mapping[Rule, int]
    left: int
    change: Change | None = None
    least: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What was maximised, over the pairs beyond the pins: their number, lowest score (`None` without any) and total value."""

    pairs: int
    worst: int | None
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The answer: pairs by mentee, the people in no pair by id and role, the objective reached, and the proof that it is the best one.

    A solver that cannot prove its answer gives no certificate. `blocking`, when explanations were asked for: how many allowed pairs that were not made
    score above what either of the two has.
    """

    pairs: tuple[SolvedPair, ...]
    unmatched: tuple[Unmatched, ...]
    objective: Objective
    certificate: Certificate | None = None
    blocking: int | None = None


@dataclass(frozen=True, slots=True)
class PinFault:
    """Why one pin cannot be made, and where it stands in the pool (`$.pinned[k]`)."""

    path: str
    mentee: str
    mentor: str
    reason: str

    def __str__(self) -> str:
        """Where and what."""
        return f"{self.path}: {self.mentee} with {self.mentor}: {self.reason}"


class PinsRefused(ValueError):
    """The pool pins pairs that cannot be made; every such pin is in `faults`."""

    def __init__(self, faults: Iterable[PinFault]) -> None:
        """Say all of them."""
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))


class Solver(Protocol):
    """Whatever turns a pool and a policy into the best pairs."""

    def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen, *, explain: bool = False) -> Solution:
        """The best pairs in the policy's order; `progress` is told how far it is. With `explain` everybody's alternatives and obstacles as well.

        Raises:
            PinsRefused: pins name unknown people, exceed a capacity, or break a rule without `pins_override`.
            ValueError: a window, a zone or `week_of` cannot be used.
        """
        ...


def checked_pins(scorer: Scorer) -> tuple[tuple[str, str], ...]:
    """The pinned pairs, all of which can be made.

    Raises:
        PinsRefused: not so.
    """
    places: Counter[tuple[Role, str]] = Counter()
    faults = []
    for place, (mentee, mentor) in enumerate(scorer.pool.pinned):
        places.update([("mentee", mentee), ("mentor", mentor)])
        reason = _why_not(scorer, mentee, mentor, places)
        if reason is not None:
            faults.append(PinFault(f"$.pinned[{place}]", mentee, mentor, reason))
    if faults:
        raise PinsRefused(faults)
    return scorer.pool.pinned


def pinned_only(pool: Pool) -> Pool:
    """The pool with the people of its pins alone: all that the definition has to be asked about."""
    mentees, mentors = {one for one, _ in pool.pinned}, {other for _, other in pool.pinned}
    people = (person for person in pool.people if person.id in (mentees if person.role == "mentee" else mentors))
    return replace(pool, people=tuple(people) if pool.pinned else ())


def _why_not(scorer: Scorer, mentee: str, mentor: str, places: Mapping[tuple[Role, str], int]) -> str | None:
    if mentee not in scorer.mentees or mentor not in scorer.mentors:
        return "not a mentee and a mentor of this pool"
    if places["mentee", mentee] > 1 or places["mentor", mentor] > scorer.mentors[mentor].person.capacity:
        return "more pins than places"
    broken = scorer.all_broken(mentee, mentor)
    if broken and (Rule.TWO_PEOPLE in broken or not scorer.policy.pins_override):
        return "breaks " + ", ".join(broken)
    return None
