"""Many paths at once reach what paths one by one would, and prove it: held against scipy on random sparse graphs with few distinct values."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from amont.matching.domain.engine.assignment import graph_of, nothing_yet, scratch, search_from_row
from amont.matching.domain.engine.cover import Seats, augment
from amont.matching.domain.engine.phases import place_all

REWARD = 10
ALWAYS_LONGER = 1_000_000
"""Columns that no path of these graphs settles: steps for all rows go on to the end."""


def random_graph(dice: np.random.Generator, least: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Values, -1 where there is no edge, and places, so many at least."""
    rows, columns = dice.integers(1, 30), dice.integers(1, 20)
    value = np.where(dice.random((rows, columns)) < 0.3, dice.integers(0, 4, (rows, columns)), -1)
    return value, dice.integers(least, 3, columns).astype(np.int32)


@pytest.mark.parametrize(("seed", "a_path"), [(seed, a_path) for seed in range(200) for a_path in (ALWAYS_LONGER, 1)])
def test_prices_moved_together_as_long_as_that_is_shorter_prove_the_largest_total(seed: int, a_path: int) -> None:
    value, places = random_graph(np.random.default_rng(seed), least=1)
    rows, columns = value.shape
    row, column = (one.astype(np.int32) for one in np.nonzero(value >= 0))
    graph = graph_of(rows, columns, row, column, value[row, column].astype(np.int32))
    state = nothing_yet(rows, places)
    room = scratch(columns, len(row))
    clock, left = place_all(graph, state, REWARD, room, 0, np.arange(rows, dtype=np.int32), a_path)
    assert a_path == 1 or not len(left)
    for one in left:
        clock += 1
        search_from_row(graph, state, REWARD, room, clock, one)
    weight = np.repeat(np.where(value >= 0, value + REWARD, 0), places, axis=1)
    best = weight[linear_sum_assignment(weight, maximize=True)].sum()
    made = state.mate >= 0
    assert (value[made, state.mate[made]] + REWARD).sum() == best
    assert state.profit.sum() + (state.price * places).sum() == best
    assert (state.profit[row] + state.price[column] >= value[row, column] + REWARD).all()
    assert min(state.profit.min(), state.price.min()) >= 0


@pytest.mark.parametrize("seed", range(200))
def test_paths_sought_together_make_the_most_pairs(seed: int) -> None:
    value, places = random_graph(np.random.default_rng(seed), least=0)
    rows, columns = value.shape
    row, column = (one.astype(np.int32) for one in np.nonzero(value >= 0))
    graph = graph_of(rows, columns, row, column, value[row, column].astype(np.int32))
    state = nothing_yet(rows, places)
    seats = Seats(np.arange(rows, dtype=np.int32), state.mate, places, state.taken, state.holder)
    augment(seats, graph.start, graph.stop, graph.column, graph.value, 2)
    wide = csr_array(np.repeat(value >= 2, places, axis=1))
    assert seats.pairs == np.count_nonzero(maximum_bipartite_matching(wide, perm_type="column") >= 0)
    assert np.bincount(state.mate[state.mate >= 0], minlength=columns).tolist() == state.taken.tolist()
