"""What a result says with `--explain`: the next best of each pair, what each pair is worth, and which rule removed whom.

What a pair is worth takes a solution without it. That is done here for small pools, by integer programming (HiGHS, through scipy), which no
solver of Amont uses; for larger ones it is left unchecked and said so. The words of `change` are not checked.
"""

import numpy as np

from amont.matching.domain.pool import Role
from amont.matching.files.faults import Path
from amont.matching.verifier.board import Board, Integers, Places
from amont.matching.verifier.claims import Ground
from amont.matching.verifier.findings import UNCHECKED_WORDS, UNCHECKED_WORTH, Findings
from amont.matching.verifier.proofs import Row
from amont.matching.verifier.reading import ClaimedPair, Result

Ids = tuple[str, ...]

MOST_PROGRAMMES = 100
MOST_EDGES = 5_000
"""What each pair is worth is worked out for up to so many pairs, over up to so many possible ones."""


def least_for_next_best(pair: ClaimedPair) -> int:
    """The score above which another mentor would have to be the next best, or is it."""
    claimed = pair.explained["next_best"]
    return -1 if claimed is None else int(claimed["score"]) - 1


def check_next_best(
    pair: ClaimedPair, path: Path, mentee: int, board: Board, row: tuple[Places, Integers], ids: Ids, found: Findings
) -> None:
    """Hold `next_best` of a pair against the mentors allowed for its mentee; of equals any will do.

    The row has at least all scores above `least_for_next_best`; where no other mentor is among them, the claim is wrong and all are looked at.
    """
    claimed, at = pair.explained["next_best"], (path, "next_best")
    scores = _others(pair, row, ids)
    if claimed is not None and max(scores.values(), default=-1) < claimed["score"]:
        scores = _others(pair, board.row(mentee), ids)
    best = max(scores.values(), default=None)
    if claimed is None or best is None:
        found.expect(
            at, None if claimed is None else claimed["mentor"], None if best is None else min(scores, key=lambda id_: (-scores[id_], id_))
        )
        return
    found.expect((at, "score"), claimed["score"], best)
    if scores.get(claimed["mentor"]) != best:
        found.add((at, "mentor"), f"{claimed['mentor']!r} is not another allowed mentor with the highest score, {best}")


def _others(pair: ClaimedPair, row: tuple[Places, Integers], ids: Ids) -> dict[str, int]:
    return {ids[place]: int(score) for place, score in zip(*row, strict=True) if ids[place] != pair.mentor}


def check_alone(result: Result, ground: Ground, board: Board, found: Findings) -> None:
    """Hold `removed` and `left` of everybody in no pair against the rules."""
    place: dict[Role, dict[str, int]] = {role: {id_: at for at, id_ in enumerate(people)} for role, people in ground.people.items()}
    for at, person in enumerate(result.unmatched):
        role: Role = "mentee" if person.role == "mentee" else "mentor"
        if person.id not in place[role]:
            continue
        removed, left = board.removed(role, place[role][person.id])
        path: Path = (("$", "unmatched"), at)
        claimed = person.explained["removed"]
        for rule in sorted({*claimed, *removed}):
            found.expect(((path, "removed"), str(rule)), claimed.get(rule, 0), removed.get(rule, 0))
        found.expect((path, "left"), person.explained["left"], left)
    if result.unmatched:
        found.unchecked.append(UNCHECKED_WORDS)


class Worth:
    """Collects the possible pairs of a small pool, and solves it again without each pair that was made."""

    def __init__(self, result: Result, ground: Ground, found: Findings) -> None:
        """Take what is needed; see every row, then conclude."""
        self._result, self._ground, self._found = result, ground, found
        self._floor = result.certificate.floor
        self._edges: dict[tuple[str, str], int] = {}
        self._ids = {role: tuple(people) for role, people in ground.people.items()}
        self._made = [(place, pair) for place, pair in enumerate(result.pairs) if (pair.mentee, pair.mentor) not in ground.pins]
        self.small = len(self._made) <= MOST_PROGRAMMES
        """Whether every possible pair is still to be seen."""

    def see(self, row: Row) -> None:
        """Remember the pairs that may be made."""
        if not self.small:
            return
        for mentor, score, value in zip(row.mentors.tolist(), row.scores.tolist(), row.values.tolist(), strict=True):
            if score >= self._floor:
                self._edges[self._ids["mentee"][row.mentee], self._ids["mentor"][mentor]] = value
        self.small = len(self._edges) <= MOST_EDGES

    def conclude(self) -> None:
        """Hold every `worth` against a solution without the pair."""
        for place, pair in enumerate(self._result.pairs):
            path: Path = (("$", "pairs"), place)
            worth, reason = pair.explained["worth"], pair.explained["worth_reason"]
            if (worth is None) == (reason is None):
                self._found.add((path, "worth_reason"), "must be given where worth is null, and only there")
            if worth is not None and (pair.mentee, pair.mentor) in self._ground.pins:
                self._found.add((path, "worth"), "must be null for a pin")
        if not self.small:
            self._found.unchecked.append(UNCHECKED_WORTH)
            return
        for place, pair in self._made:
            best = self._best_without((pair.mentee, pair.mentor))
            self._found.expect(
                ((("$", "pairs"), place), "worth"), pair.explained["worth"], None if best is None else self._result.total - best
            )

    def _best_without(self, pair: tuple[str, str]) -> int | None:
        """The largest total without that pair, as many pairs being made where the order wants most of them; `None` when that cannot be.

        A pair that is forbidden is so for both ways round, as in the pool's list.
        """
        from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - 37 MB, which whoever solves or checks a large pool need not wait for
        from scipy.sparse import csr_array  # noqa: PLC0415 - as above

        count = None if self._ground.policy.order == "total" else self._result.pairs_made
        edges = [edge for edge in self._edges if edge not in (pair, pair[::-1])]
        if not edges:
            return 0 if not count else None
        ends = {
            end: at
            for at, end in enumerate(dict.fromkeys(end for mentee, mentor in edges for end in (("mentee", mentee), ("mentor", mentor))))
        }
        rows = [ends[end] for mentee, mentor in edges for end in (("mentee", mentee), ("mentor", mentor))]
        columns = np.repeat(np.arange(len(edges)), 2)
        touches = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(ends), len(edges)))
        places = [self._ground.places["mentee" if role == "mentee" else "mentor"].get(id_, 0) for role, id_ in ends]
        limits = [LinearConstraint(touches, ub=np.array(places, dtype=np.float64))]
        if count is not None:
            limits.append(LinearConstraint(np.ones((1, len(edges))), lb=count, ub=count))
        values = np.array([self._edges[edge] for edge in edges], dtype=np.float64)
        answer = milp(-values, constraints=limits, bounds=Bounds(0, 1), integrality=np.ones(len(edges), dtype=np.int64))
        return None if answer.x is None else round(float(values @ np.round(answer.x)))
