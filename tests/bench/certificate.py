"""What it takes to check a certificate: over the pairs that the solver knows, over all pairs by its own kernel, and by the independent verifier.

The first two are self-checks: they share the compact form and the kernel with what they check, and so find a wrong state, but no wrong rule. Only
`amont verify`, which has code of its own for every rule, is a proof for others. Both self-checks are also shown a spoilt certificate, and must refuse it.
`BENCH_SIDES=10000,50000` says how many mentees and as many mentors.
"""

import os
import time

import numpy as np
from numpy.typing import NDArray
from tests.bench import figures
from tests.bench.pools import made_up
from tests.bench.processes import match, pool_of, verify

from amont.matching.domain.engine import warm
from amont.matching.domain.engine.columns import compact
from amont.matching.domain.engine.kernel import Scanner
from amont.matching.domain.engine.optimum import Optimum, optimise
from amont.matching.domain.engine.tables import Table
from amont.matching.domain.policy import Policy

SIDES = [int(side) for side in os.environ.get("BENCH_SIDES", "10000").split(",")]
THREADS = len(os.sched_getaffinity(0))
_BEYOND = 1 << 29
"""A price at which nobody asks."""

Flags = NDArray[np.bool_]


async def main() -> None:
    warm()
    for side in SIDES:
        table = compact(made_up(side), Policy()).table
        best = optimise(table, Scanner(table, THREADS), Policy(), np.empty((2, 0), np.int32), lambda *_: None)
        begun, spent = time.perf_counter(), time.process_time()
        assert holds_on_edges(table, best)
        edges, edges_spent = time.perf_counter() - begun, time.process_time() - spent
        begun, spent = time.perf_counter(), time.process_time()
        assert holds_everywhere(table, best)
        everywhere, everywhere_spent = time.perf_counter() - begun, time.process_time() - spent
        spoil(best)
        assert not holds_on_edges(table, best)
        assert not holds_everywhere(table, best)
        print(f"{side:,} mentees and {side:,} mentors, the default order:")
        print(f"  on the {best.market.edges.row.size:,} pairs known     {edges:8.3f} s, {edges_spent:.3f} of processor  (self-check)")
        print(
            f"  on all {side * side:,} pairs  {everywhere:8.3f} s, {everywhere_spent:.3f} of processor  (self-check, by the engine's kernel)"
        )
        del table, best
        pool = pool_of(side)
        solved = match(pool, {})
        checked = verify(pool)
        print(
            f"  amont verify, by code of its own {checked.seconds:.2f} s of processor with reading both files, {checked.mb:,.0f} MB (VmHWM); "
            f"{checked.seconds / solved.processor:.1f} times the processor time of `amont match`"
        )
        figures.at_most(f"certificate on known pairs, {side:,}", 0.1, edges, "s")
        figures.at_most(f"certificate on all pairs by the kernel, {side:,}", 1, everywhere, "s")


def holds_on_edges(table: Table, best: Optimum) -> bool:
    """Whether the three proofs hold on the pairs of the graph, and their sums are equal: O(edges)."""
    market = best.market
    row, column, score, value = market.edges
    state, allowed = market.state, score >= market.floor
    made = state.mate[row] == column
    priced = state.profit[row] + state.price[column] >= market.reward + value
    equal = state.profit.sum() + (state.price * table.mentors.capacity).sum() == (market.reward + value[made]).sum(dtype=np.int64)
    pairs = int(made.sum())
    rows, columns, size = touched(table, best.pairs_cover)
    high_rows, high_columns, high_size = touched(table, best.floor_cover)
    many = (rows[row] | columns[column]).all() and size == pairs
    high = (high_rows[row] | high_columns[column] | (score <= market.floor)).all() and high_size < pairs
    return bool(priced[allowed].all() and equal and many and high)


def holds_everywhere(table: Table, best: Optimum) -> bool:
    """Whether the three proofs hold on every pair of the table, as the kernel sees it; sums are equal, as above."""
    market, scanner = best.market, Scanner(table, THREADS)
    everybody = np.arange(len(market.state.profit), dtype=np.int32)
    least = (market.state.profit - market.reward).clip(-_BEYOND, _BEYOND).astype(np.int32)
    price = market.state.price.clip(0, _BEYOND).astype(np.int32)
    if (scanner.scan(everybody, least, price, keep=1, floor=market.floor).where >= 0).any():
        return False
    for cover, floor in ((best.pairs_cover, 0), (best.floor_cover, market.floor + 1)):
        rows, columns, _ = touched(table, cover)
        outside = everybody[~rows]
        closed = np.where(columns, _BEYOND, 0).astype(np.int32)
        if (scanner.scan(outside, np.full(len(outside), -1, np.int32), closed, keep=1, floor=floor).where >= 0).any():
            return False
    return holds_on_edges(table, best)


def touched(table: Table, cover: tuple[NDArray[np.int32], NDArray[np.int32]] | None) -> tuple[Flags, Flags, int]:
    """Who is in a cover, and its size with each mentor counted for each place."""
    assert cover is not None
    rows, columns = np.zeros(len(table.mentees.grade), np.bool_), np.zeros(len(table.mentors.grade), np.bool_)
    rows[cover[0]] = columns[cover[1]] = True
    return rows, columns, len(cover[0]) + int(table.mentors.capacity[cover[1]].sum())


def spoil(best: Optimum) -> None:
    """Let a pair have one less than it is worth, and somebody else one more, so that the sums stay equal."""
    profit, (row, _, _, _) = best.market.state.profit, best.market.edges
    low, high = (int(one) for one in np.unique(row[best.market.state.mate[row] >= 0])[:2])
    profit[low] -= 1
    profit[high] += 1
