"""The best lowest score over a table that is written down, from a graph that has a part of it: what is not known has to be asked for, score by score."""

from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching
from tests.services.matching.domain.test_covers import Written

from amont.matching.domain.engine import optimum
from amont.matching.domain.engine.assignment import Graph, graph_of, nothing_yet
from amont.matching.domain.engine.cover import Seats, augment
from amont.matching.domain.engine.generation import Edges

SCORES = (-1, -1, 0, 1, 2, 3, 4, 5)
"""So few that each has pairs, and so near that one between two that were asked for is often the answer."""


class Board:
    """Stands for the market: a graph with some of the pairs, and a matching in it."""

    def __init__(self, scores: NDArray[np.int32], known: NDArray[np.bool_]) -> None:
        self.open_rows = np.arange(len(scores), dtype=np.int32)
        self.state = nothing_yet(len(scores), np.ones(scores.shape[1], np.int32))
        row, column = (one.astype(np.int32) for one in np.nonzero(known))
        self.edges = Edges(row, column, scores[known], scores[known])
        self._shape = scores.shape
        seats = Seats(self.open_rows, self.state.mate, self.state.places, self.state.taken, self.state.holder)
        augment(seats, self.sparse.start, self.sparse.stop, self.sparse.column, self.sparse.value, 0)

    @property
    def sparse(self) -> Graph:
        return graph_of(*self._shape, self.edges.row, self.edges.column, self.edges.score)

    def add(self, row: NDArray[np.int32], column: NDArray[np.int32], score: NDArray[np.int32]) -> None:
        more = zip(self.edges, (row, column, score, score), strict=True)
        self.edges = Edges(*(np.concatenate(pair).astype(np.int32) for pair in more))


def most(allowed: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(maximum_bipartite_matching(csr_matrix(allowed)) >= 0))


@pytest.mark.parametrize("seed", range(150))
def test_the_lowest_score_is_lifted_as_far_as_as_many_pairs_remain(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    side = random.randint(2, 8)
    scores = np.array([[random.choice(SCORES) for _ in range(side)] for _ in range(side)], np.int32)
    pairs = most(scores >= 0)
    mates = maximum_bipartite_matching(csr_matrix(scores >= 0), perm_type="column")
    known = np.zeros_like(scores, np.bool_)
    known[np.flatnonzero(mates >= 0), mates[mates >= 0]] = True  # as many pairs as there can be, whatever they score
    if not pairs:
        return

    def written(_: Any, rows: NDArray[np.int32], columns: NDArray[np.int32]) -> tuple[NDArray[np.int32], None]:
        return scores[rows, columns][:, np.newaxis], None

    monkeypatch.setattr(optimum, "points_of", written)
    floor, above, reached = optimum._best_floor(None, Board(scores, known), Written(scores), pairs)  # type: ignore[arg-type]
    assert most(scores >= floor) == pairs
    assert most(scores >= floor + 1) == above.pairs < pairs
    assert (~reached.rows[:, np.newaxis] | reached.columns)[scores > floor].all()
