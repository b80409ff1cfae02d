"""The plain solver, which the engine is held against: every pair scored by the definition, laid out in a dense matrix, solved by scipy.

Exact, without a proof of its own, and for small pools: time and memory grow with mentees times mentors.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from amont.matching.domain.points import points
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool, Role
from amont.matching.domain.progress import Progress, unseen
from amont.matching.domain.rules import Profile, first_broken
from amont.matching.domain.scorer import Scorer
from amont.matching.domain.solver import NextBest, Objective, Solution, SolvedPair, Unmatched, checked_pins

Cells = NDArray[np.int64]
Mask = NDArray[np.bool_]
Cell = tuple[int, int]

_RULES = tuple(Rule)
_ALLOWED = len(_RULES)


class ScipySolver:
    """Exact by dense assignment (`linear_sum_assignment`, Crouse 2016) and maximum matching (Hopcroft and Karp 1973)."""

    def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen, *, explain: bool = True) -> Solution:  # noqa: ARG002 - it always explains
        """See `Solver.solve`; a few seconds for a thousand people on each side."""
        scorer = Scorer(pool, policy)
        pins = checked_pins(scorer)
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
