"""The auction finds prices from which the assignment has little left to mend, and none that could not be mended."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from tests.services.matching.domain.test_phases import random_graph

from amont.matching.domain.engine.assignment import Graph, State, bid, graph_of, nothing_yet, scratch, search_from_row, settle
from amont.matching.domain.engine.auction import MOST_BIDS, STEPS, first_prices

REWARD = 1_001
SPREAD = 250
"""Between two values of `random_graph`: more than the steps of the auction."""


def priced(graph: Graph, places: NDArray[np.int32], reward: int = REWARD) -> State:
    """Nobody has anybody, at the auction's prices."""
    state = nothing_yet(len(graph.start), places)
    first_prices(graph, state.outside, reward, np.arange(len(graph.start), dtype=np.int32), places, state.price)
    return state


@pytest.mark.parametrize("seed", range(200))
def test_what_is_found_from_its_prices_is_the_largest_total_and_proved(seed: int) -> None:
    value, places = random_graph(np.random.default_rng(seed), least=1)
    rows, columns = value.shape
    row, column = (one.astype(np.int32) for one in np.nonzero(value >= 0))
    values = SPREAD * value[row, column].astype(np.int32)
    graph = graph_of(rows, columns, row, column, values)
    state = nothing_yet(rows, places)
    settle(graph, state, REWARD, scratch(columns, len(row)), np.arange(rows, dtype=np.int32), 8 * rows, 0)
    weight = np.repeat(np.where(value >= 0, SPREAD * value + REWARD, 0), places, axis=1)
    best = weight[linear_sum_assignment(weight, maximize=True)].sum()
    made = state.mate >= 0
    assert (SPREAD * value[made, state.mate[made]] + REWARD).sum() == best
    assert state.profit.sum() + (state.price * places).sum() == best
    assert (state.profit[row] + state.price[column] >= values + REWARD).all()
    assert min(state.profit.min(), state.price.min()) >= 0
    assert np.bincount(state.mate[state.mate >= 0], minlength=columns).tolist() == state.taken.tolist()


def crowd(rows: int, columns: int) -> tuple[Graph, NDArray[np.int32]]:
    """More rows than columns, each of which knows eight."""
    dice = np.random.default_rng(1)
    row = np.repeat(np.arange(rows, dtype=np.int32), 8)
    column = np.concatenate([dice.choice(columns, 8, replace=False) for _ in range(rows)]).astype(np.int32)
    return graph_of(rows, columns, row, column, dice.integers(0, 1_001, len(row)).astype(np.int32)), np.ones(columns, np.int32)


def settled_by_paths(graph: Graph, state: State) -> int:
    """How many columns the paths of all rows settle that bidding does not place."""
    room = scratch(len(state.price), len(graph.column))
    left = bid(graph, state, REWARD, np.arange(len(state.mate), dtype=np.int32), 8 * len(state.mate))
    return sum(search_from_row(graph, state, REWARD, room, clock, one) for clock, one in enumerate(left, 1))


def test_paths_are_short_from_its_prices_where_more_rows_want_columns_than_there_are() -> None:
    graph, places = crowd(600, 400)
    far = settled_by_paths(graph, nothing_yet(600, places))
    near = settled_by_paths(graph, priced(graph, places))
    assert near * 20 < far, (near, far)


def test_the_solver_begins_at_its_prices() -> None:
    """It seeks paths for fewer than half of the rows that bids alone would leave to paths."""
    graph, places = crowd(600, 400)
    waiting = np.arange(600, dtype=np.int32)
    searches = settle(graph, nothing_yet(600, places), REWARD, scratch(400, len(graph.column)), waiting, 8 * 600, 0)
    assert searches * 2 < len(bid(graph, nothing_yet(600, places), REWARD, waiting, 8 * 600))


def test_no_price_is_beyond_what_somebody_would_pay() -> None:
    graph, places = crowd(600, 400)
    price = priced(graph, places).price
    dearest = REWARD + np.array([graph.worth[first:last].max(initial=0) for first, last in zip(graph.first, graph.last, strict=True)])
    assert (price >= 0).all()
    assert (price <= dearest).all()


def test_a_reward_beyond_all_values_is_not_climbed_step_by_step() -> None:
    """Three want two places for the same, so that each bid raises a price by one step, up to the reward if nobody stops them."""
    row, column = np.repeat(np.arange(3, dtype=np.int32), 2), np.tile(np.arange(2, dtype=np.int32), 3)
    graph = graph_of(3, 2, row, column, np.zeros(6, np.int32))
    price = priced(graph, np.ones(2, np.int32), reward=1 << 40).price
    assert 0 < price.max() <= 3 * MOST_BIDS * STEPS[0]
