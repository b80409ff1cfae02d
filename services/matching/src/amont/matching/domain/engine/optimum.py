"""The policy's objective over the compact form, in stages, each proved before the next: most pairs, then the best lowest score, then the largest total.

Most pairs come from a reward for each; a small one is tried first, since in practice it is enough, and the cover tells when it was not. The lowest score
is lifted as far as as many pairs remain possible: by bisection over the scores on the pairs already looked at (Garfinkel 1971), and one search over all
pairs that ends the matter. Then the market is cleared again above that floor.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.cover import Reached, Seats, augment, explore
from amont.matching.domain.engine.generation import Market, forget_known
from amont.matching.domain.engine.kernel import Scanner, points_of
from amont.matching.domain.engine.tables import Table
from amont.matching.domain.policy import FULL_SCORE, Policy

Ints = NDArray[np.int32]
Told = Callable[[str, int, str], None]
"""Hears of a stage, its round, and how things stand."""

_REWARD_GROWTH = 4


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The best pairs and the proof, in rows and columns.

    Attributes:
        market: at rest; its state is the third proof, and has the pairs.
        pairs_cover, floor_cover: rows and columns that touch every allowed pair, and every one above the floor; `None` where not asked for.
    """

    market: Market
    pairs_cover: tuple[Ints, Ints] | None
    floor_cover: tuple[Ints, Ints] | None


def optimise(table: Table, scanner: Scanner, policy: Policy, current: Ints, told: Told) -> Optimum:
    """The optimum of the policy's order over every pair of the table; `current` (2, k) are rows and columns to which stickiness applies."""
    counting = policy.order != "total"
    market = Market(
        table,
        scanner,
        reward=FULL_SCORE + policy.stickiness + 1 if counting else 0,
        floor=0 if counting else policy.min_score,
        current=current,
        stickiness=policy.stickiness,
    )
    market.clear(_round_of("pair", told))
    if not counting:
        return Optimum(market, None, None)
    seats = _seats(market)
    reached = _most(seats, table, market, scanner)
    _pay_for(seats.pairs, market)
    pairs_cover = _cover(seats, reached)
    if policy.order == "pairs, total" or not seats.pairs:
        return Optimum(market, pairs_cover, None)
    told("floor", 0, f"{seats.pairs:,} pairs")
    floor, above, reached = _best_floor(table, market, scanner, seats.pairs)
    market.raise_floor(floor)
    market.clear(_round_of("total", told))
    _pay_for(seats.pairs, market)
    return Optimum(market, pairs_cover, _cover(above, reached))


def _round_of(stage: str, told: Told) -> Callable[[int, int, int], None]:
    return lambda round_, waiting, gap: told(stage, round_, f"{waiting:,} people wait, at most {gap:,} points short of the best")


def _seats(market: Market) -> Seats:
    state = market.state
    return Seats(market.open_rows, state.mate.copy(), state.places, state.taken.copy(), state.holder.copy())


def _cover(seats: Seats, reached: Reached) -> tuple[Ints, Ints]:
    """König's: rows not reached, columns reached."""
    return seats.rows[~reached.rows[seats.rows]], np.flatnonzero(reached.columns).astype(np.int32)


def _most(seats: Seats, table: Table, market: Market, scanner: Scanner) -> Reached:
    """Let `seats` have as many pairs as there can be; what proves it."""
    reached: Reached | None = None
    _augment(seats, market, 0)
    while reached is None:
        reached = _grown(seats, table, market, scanner, 0)
    return reached


def _augment(seats: Seats, market: Market, floor: int) -> None:
    graph = market.sparse
    augment(seats, graph.start, graph.stop, graph.column, graph.value, floor)


def _grown(seats: Seats, table: Table, market: Market, scanner: Scanner, floor: int) -> Reached | None:
    """Search all pairs for a way to more pairs and make those; what proves that there is none."""
    reached, rows, columns, found = explore(seats, scanner, floor)
    if not found:
        return reached
    _learn(table, market, rows, columns)
    _augment(seats, market, floor)
    return None


def _learn(table: Table, market: Market, rows: Ints, columns: Ints) -> None:
    """Put pairs into the market's graph that are not there."""
    graph, where = market.sparse, columns.reshape(-1, 1).copy()
    forget_known(graph.start, graph.stop, graph.column, np.ascontiguousarray(rows), where)
    new = where[:, 0] >= 0
    points, _ = points_of(table, rows[new], columns[new])
    market.add(rows[new], columns[new], points.sum(axis=1, dtype=np.int32))


def _pay_for(pairs: int, market: Market) -> None:
    """Raise the reward until the market makes that many pairs; more than all values together is always enough."""
    while int((market.state.mate >= 0).sum()) < pairs:
        market.raise_reward(min(market.reward * _REWARD_GROWTH, pairs * 2 * FULL_SCORE + 1))
        market.clear()


def _best_floor(table: Table, market: Market, scanner: Scanner, pairs: int) -> tuple[int, Seats, Reached]:
    """The largest floor at which as many pairs are possible; one above it, the largest matching and what proves it.

    Known to be possible is `low`, and known not to be `high`. What the graph says is possible; a search over all pairs decides about one above, which is
    the answer as a rule; where that is possible too, the next one is asked in steps that double, then halve.
    """
    row, column, score, _ = market.edges
    low, high, step = int(score[market.state.mate[row] == column].min()), FULL_SCORE + 1, 1
    base = _seats(market)
    proof: tuple[Seats, Reached] | None = None
    while proof is None or high > low + 1:
        low = _last_feasible(market, base, low, high, pairs)
        asked = low + min(step, max(1, (high - low) // 2))
        above = _only(market, base, asked)
        reached: Reached | None = None
        _augment(above, market, asked)
        while reached is None and above.pairs < pairs:
            reached = _grown(above, table, market, scanner, asked)
        if reached is None:
            low, step = asked, step * 2
        else:
            high, proof, step = asked, (above, reached), max(1, step // 2)
    return low, proof[0], proof[1]


def _last_feasible(market: Market, base: Seats, low: int, high: int, pairs: int) -> int:
    """The largest floor at which the pairs of the graph are enough; `low` is known to be possible, and `high` not to be."""
    graph = market.sparse
    scores = np.unique(graph.value[(graph.value > low) & (graph.value < high)])
    first, last = -1, len(scores) - 1
    while first < last:
        middle = (first + last + 1) // 2
        seats = _only(market, base, int(scores[middle]))
        augment(seats, graph.start, graph.stop, graph.column, graph.value, int(scores[middle]))
        if seats.pairs == pairs:
            first = middle
        else:
            last = middle - 1
    return int(scores[first]) if first >= 0 else low


def _only(market: Market, base: Seats, floor: int) -> Seats:
    """The pairs of `base` with at least that score."""
    row, column, score, _ = market.edges
    seats = base.copy()
    seats.release(row[(score < floor) & (base.mate[row] == column)])
    return seats
