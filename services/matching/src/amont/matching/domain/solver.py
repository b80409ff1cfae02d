"""From a pool and a policy to the pairs of a round: the best ones, exactly, in the sense of the scoring contract, "Objective".

`Solver` is what the rest of the program knows. `ScipySolver` is the plain one: it scores every pair with the definition, lays them out in a
dense matrix, and asks scipy. It is meant for small rounds and as the reference for faster engines; time and memory grow with mentees times
mentors.

One order for every draw. The answer is a function of the contents of pool and policy: people are put in the order of
SHA-256(seed, NUL, id) before anything is computed, all arithmetic is on integers (in float64 where scipy wants it, far below 2^53), and
scipy's algorithms make no random choice. So the order of the lists in the pool does not matter, and equal optima are told apart by the
seed: another seed, or another version of scipy, may choose another one. Nothing is promised about how likely each is.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from amont.matching.domain.certificate import Certificate
from amont.matching.domain.points import Points, points
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool, Role
from amont.matching.domain.progress import Progress, unseen
from amont.matching.domain.rules import Profile, first_broken
from amont.matching.domain.scorer import Scorer

Cells = NDArray[np.int64]
Mask = NDArray[np.bool_]
Cell = tuple[int, int]

_RULES = tuple(Rule)
_ALLOWED = len(_RULES)


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
        change: the smallest change of their own that would open candidates, in words; `None` when no single one does.
    """

    id: str
    role: Role
    removed: Mapping[Rule, int]
    left: int
    change: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What was maximised, over the pairs beyond the pins: their number, lowest score (`None` without any) and total value."""

    pairs: int
    worst: int | None
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The answer: pairs by mentee, the people in no pair by id and role, the objective reached, and the proof that it is the best one.

    A solver that cannot prove its answer gives no certificate.
    """

    pairs: tuple[SolvedPair, ...]
    unmatched: tuple[Unmatched, ...]
    objective: Objective
    certificate: Certificate | None = None


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

    def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen) -> Solution:
        """The best pairs in the policy's order; `progress` is told how far it is.

        Raises:
            PinsRefused: pins name unknown people, exceed a capacity, or break a rule without `pins_override`.
            ValueError: a window, a zone or `week_of` cannot be used.
        """
        ...


class ScipySolver:
    """Exact by dense assignment (`linear_sum_assignment`, Crouse 2016) and maximum matching (Hopcroft and Karp 1973)."""

    def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen) -> Solution:
        """See `Solver.solve`; a few seconds for a thousand people on each side."""
        scorer = Scorer(pool, policy)
        pins = _pins(scorer)
        progress("score", 0, 1)
        board = _Board(scorer)
        progress("solve", 0, 1)
        found = _best_pairs(board, policy, pins)
        made = [(board.mentees[row].person.id, board.mentors[column].person.id) for row, column in found]
        return Solution(
            pairs=tuple(sorted((_pair(scorer, board, pair, pinned=pair in pins) for pair in (*pins, *made)), key=lambda pair: pair.mentee)),
            unmatched=_unmatched(board, {*pins, *made}),
            objective=_objective(board, found),
        )


class _Board:
    """Every pair of the pool, scored: rows are mentees, columns mentors, both in the seed's order.

    `verdict[row, column]` is the place of the first broken rule among the rules, or `_ALLOWED`; `score` and `value` are 0 where not
    allowed.
    """

    def __init__(self, scorer: Scorer) -> None:
        self.mentees = _in_seed_order(scorer.mentees.values(), scorer.pool.seed)
        self.mentors = _in_seed_order(scorer.mentors.values(), scorer.pool.seed)
        self.row = {profile.person.id: row for row, profile in enumerate(self.mentees)}
        self.column = {profile.person.id: column for column, profile in enumerate(self.mentors)}
        shape = len(self.mentees), len(self.mentors)
        self.verdict: NDArray[np.int8] = np.full(shape, _ALLOWED, dtype=np.int8)
        self.score: Cells = np.zeros(shape, dtype=np.int64)
        for row, mentee in enumerate(self.mentees):
            self.verdict[row], self.score[row] = _judge(mentee, self.mentors, scorer.policy)
        self.allowed: Mask = self.verdict == _ALLOWED
        self.value = self.score.copy()
        for row, column in self._current(scorer.pool):
            self.value[row, column] += scorer.policy.stickiness

    def _current(self, pool: Pool) -> set[Cell]:
        return {(self.row[mentee], self.column[mentor]) for mentee, mentor in pool.current if mentee in self.row and mentor in self.column}


def _judge(mentee: Profile, mentors: Iterable[Profile], policy: Policy) -> tuple[list[int], list[int]]:
    """The verdicts and the scores of one mentee with each mentor."""
    verdicts, scores = [], []
    for mentor in mentors:
        broken = first_broken(mentee, mentor, policy)
        verdicts.append(_ALLOWED if broken is None else _PLACE[broken])
        scores.append(points(mentee, mentor, policy.weights).score if broken is None else 0)
    return verdicts, scores


_PLACE = {rule: place for place, rule in enumerate(_RULES)}


def _in_seed_order(profiles: Iterable[Profile], seed: str) -> tuple[Profile, ...]:
    def draw(profile: Profile) -> tuple[bytes, str]:
        return sha256(f"{seed}\0{profile.person.id}".encode("utf-8", "surrogatepass")).digest(), profile.person.id

    return tuple(sorted(profiles, key=draw))


def _pins(scorer: Scorer) -> tuple[tuple[str, str], ...]:
    """The pinned pairs, all of which can be made."""
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


def _why_not(scorer: Scorer, mentee: str, mentor: str, places: Mapping[tuple[Role, str], int]) -> str | None:
    if mentee not in scorer.mentees or mentor not in scorer.mentors:
        return "not a mentee and a mentor of this pool"
    if places["mentee", mentee] > 1 or places["mentor", mentor] > scorer.mentors[mentor].person.capacity:
        return "more pins than places"
    broken = scorer.all_broken(mentee, mentor)
    if broken and (Rule.TWO_PEOPLE in broken or not scorer.policy.pins_override):
        return "breaks " + ", ".join(broken)
    return None


def _best_pairs(board: _Board, policy: Policy, pins: Iterable[tuple[str, str]]) -> list[Cell]:
    """The pairs to make beyond the pins, as cells of the board, best in the policy's order.

    A mentor with two places is two columns, and one with none left is no column.
    """
    taken = Counter(person for pair in pins for person in zip(("mentee", "mentor"), pair, strict=True))
    rows = np.array([row for name, row in board.row.items() if not taken["mentee", name]], dtype=np.intp)
    places = [mentor.person.capacity - taken["mentor", mentor.person.id] for mentor in board.mentors]
    columns = np.repeat(np.arange(len(places)), places)
    part = np.ix_(rows, columns)
    score = board.score[part]
    usable = board.allowed[part] & (score >= _floor(board.allowed[part], score, policy))
    chosen = _assign(usable, board.value[part], most_pairs=policy.order != "total")
    return [(int(rows[row]), int(columns[column])) for row, column in chosen]


def _floor(allowed: Mask, score: Cells, policy: Policy) -> int:
    """The score under which no pair is made: what the order `total` asks for, or the best lowest score that costs no pair, or 0."""
    match policy.order:
        case "total":
            return policy.min_score
        case "pairs, total":
            return 0
        case "pairs, worst, total":
            return _best_worst(allowed, score)


def _best_worst(allowed: Mask, score: Cells) -> int:
    """The largest floor under which the largest number of pairs is still reached, by bisection over the scores (Garfinkel 1971)."""
    most = _most_pairs(allowed)
    return _last(np.unique(score[allowed]).tolist(), lambda floor: _most_pairs(allowed & (score >= floor)) == most)


def _last(levels: list[int], holds: Callable[[int], bool]) -> int:
    """The last level that holds, where all those before it hold too; the first is known to; 0 without levels."""
    if not levels:
        return 0
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(levels[middle]) else (low, middle - 1)
    return levels[low]


def _most_pairs(usable: Mask) -> int:
    """The size of a largest matching."""
    if not usable.any():
        return 0
    return int((maximum_bipartite_matching(csr_array(usable), perm_type="column") >= 0).sum())


def _assign(usable: Mask, value: Cells, *, most_pairs: bool) -> list[Cell]:
    """Usable cells, no two in a row or a column, with the largest total value; among the largest number of cells only when asked.

    With `most_pairs` each cell weighs `reward + value`, the reward being more than the values of any matching together, so that one pair
    more always wins. Without it each weighs `2 * value + 1`: two matchings differ by paths on which they differ by one pair at most, so
    that one point of value always wins, and of equal totals the one with more pairs. Cells that are not usable weigh 0, so that scipy may
    put there whoever has nobody. Weights are below (side + 2) * 2,000, and the prices and profits that scipy keeps in float64 at most about
    side times that: integers, exact below 2^53 for sides up to a million.
    """
    side = min(usable.shape)
    if not usable.any():
        return []
    weight = value + (side * int(value[usable].max()) + 1) if most_pairs else 2 * value + 1
    rows, columns = linear_sum_assignment(np.where(usable, weight, 0), maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if usable[row, column]]


def _objective(board: _Board, found: list[Cell]) -> Objective:
    worst = min((int(board.score[cell]) for cell in found), default=None)
    return Objective(pairs=len(found), worst=worst, total=sum(int(board.value[cell]) for cell in found))


def _pair(scorer: Scorer, board: _Board, pair: tuple[str, str], *, pinned: bool) -> SolvedPair:
    mentee, mentor = pair
    reached = scorer.points(mentee, mentor)
    return SolvedPair(
        mentee=mentee,
        mentor=mentor,
        score=reached.score,
        points=reached,
        pinned=pinned,
        overrides=scorer.all_broken(mentee, mentor) if pinned else (),
        next_best=_next_best(board, board.row[mentee], board.column[mentor]),
    )


def _next_best(board: _Board, row: int, column: int) -> NextBest | None:
    others = board.allowed[row].copy()
    others[column] = False
    if not others.any():
        return None
    best = int(board.score[row][others].max())
    tied = np.flatnonzero(others & (board.score[row] == best))
    return NextBest(mentor=min(board.mentors[other].person.id for other in tied), score=best)


def _unmatched(board: _Board, made: Iterable[tuple[str, str]]) -> tuple[Unmatched, ...]:
    matched = {person for pair in made for person in zip(("mentee", "mentor"), pair, strict=True)}
    alone = [_alone(name, "mentee", board.verdict[row]) for name, row in board.row.items() if ("mentee", name) not in matched]
    alone += [_alone(name, "mentor", board.verdict[:, column]) for name, column in board.column.items() if ("mentor", name) not in matched]
    return tuple(sorted(alone, key=lambda person: (person.id, person.role)))


def _alone(name: str, role: Role, verdicts: NDArray[np.int8]) -> Unmatched:
    counts = np.bincount(verdicts, minlength=_ALLOWED + 1).tolist()
    removed = {rule: count for rule, count in zip(_RULES, counts, strict=False) if count}
    return Unmatched(id=name, role=role, removed=removed, left=counts[_ALLOWED])
