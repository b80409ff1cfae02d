"""The largest number of pairs over a table that is written down: the search finds what is lacking, or proves by König's theorem that nothing is."""

from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from amont.matching.domain.engine.assignment import graph_of
from amont.matching.domain.engine.cover import Seats, augment, explore
from amont.matching.domain.engine.kernel import Found


class Written:
    """Stands for the scanner: scores of all pairs, -1 where a pair is not allowed."""

    def __init__(self, scores: NDArray[np.int32]) -> None:
        self._scores = scores

    def reach(self, rows: NDArray[np.int32], columns: NDArray[np.int32], floor: int) -> NDArray[np.int32]:
        """For each column the first of the rows that may have it, or -1."""
        open_ = self._scores[np.ix_(rows, columns)] >= floor
        return np.where(open_.any(axis=0), rows[open_.argmax(axis=0)], -1).astype(np.int32)

    def scan(self, rows: NDArray[np.int32], least: NDArray[np.int32], price: NDArray[np.int32], *, keep: int, **asked: Any) -> Found:
        """The best columns of each row, among those asked about."""
        where = np.full((len(rows), keep), -1, np.int32)
        for place, row in enumerate(rows):
            value = {column: self._scores[row, column] - price[column] for column in asked["columns"]}
            good = [column for column, one in value.items() if one > least[place] and self._scores[row, column] >= asked["floor"]]
            best = sorted(good, key=lambda column: -value[column])[:keep]
            where[place, : len(best)] = best
        return Found(np.zeros_like(where), where)


def grow(seats: Seats, scores: NDArray[np.int32], known: set[tuple[int, int]], floor: int) -> None:
    """As many pairs as the known ones allow."""
    row, column = np.array(sorted(known), np.int32).reshape(-1, 2).T
    graph = graph_of(*scores.shape, row, column, scores[row, column])
    augment(seats, graph.start, graph.stop, graph.column, graph.value, floor)


@pytest.mark.parametrize("seed", range(60))
def test_a_search_over_all_pairs_ends_in_a_way_to_more_or_in_the_cover(seed: int) -> None:
    random = Random(seed)
    rows, columns, floor = random.randint(1, 8), random.randint(1, 6), random.choice([0, 1, 3])
    scores = np.array([[random.choice([-1, -1, -1, floor - 1, floor, 5]) for _ in range(columns)] for _ in range(rows)], np.int32)
    places = np.array([random.randint(0, 2) for _ in range(columns)], np.int32)
    taking_part = np.array(sorted(random.sample(range(rows), random.randint(1, rows))), np.int32)
    here = np.zeros((rows, columns), np.bool_)
    here[taking_part] = (scores[taking_part] >= floor) & (places > 0)
    pairs = set(zip(*np.nonzero(here), strict=True))
    nobody = np.full(rows, -1, np.int32), places, np.zeros(columns, np.int32), np.full((columns, 2), -1, np.int32)
    seats = Seats(taking_part, *nobody)
    reached, *way, found = explore(seats, Written(scores), floor)  # type: ignore[arg-type]
    assert set(zip(*np.array(way).tolist(), strict=True)) == pairs
    known = {pair for pair in sorted(pairs) if random.random() < seed / 60}
    grow(seats, scores, known, floor)
    while True:
        reached, *way, found = explore(seats, Written(scores), floor)  # type: ignore[arg-type]
        if not found:
            break
        new, before = set(zip(*np.array(way).tolist(), strict=True)), seats.pairs
        assert new <= pairs
        known |= new
        grow(seats, scores, known, floor)
        assert seats.pairs > before
    covered = ~reached.rows[:, np.newaxis] | reached.columns
    assert covered[here].all()
    assert np.setdiff1d(taking_part, np.flatnonzero(reached.rows)).size + places[reached.columns].sum() == seats.pairs
    most = maximum_bipartite_matching(csr_matrix(np.repeat(here, places, axis=1)))
    assert seats.pairs == np.count_nonzero(most >= 0)
    assert np.array_equal(seats.alone, taking_part[seats.mate[taking_part] < 0])
