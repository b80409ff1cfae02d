"""What a pair is worth whose two people could also be paired the other way round: who is forbidden to meet is so in both roles.

`worth` forbids one pair. For two people in both roles, between whom the rules allow either to be the mentor (a grade gap of 0 or less, or rule 2 off), two
pairs go at once. Where the other one is neither made nor on a cheapest way round, the answer is the same; else the market is solved again without both.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.columns import Compact
from amont.matching.domain.engine.generation import FAR, Market
from amont.matching.domain.engine.kernel import points_of
from amont.matching.domain.engine.lines import cells, union
from amont.matching.domain.engine.optimum import optimise
from amont.matching.domain.engine.plain import scanner
from amont.matching.domain.engine.tables import Table
from amont.matching.domain.engine.worth import worth_of
from amont.matching.domain.policy import Policy
from amont.matching.domain.progress import Lasting

Ints = NDArray[np.int32]


def worth_of_pairs(
    whole: Compact, table: Table, policy: Policy, market: Market, current: Ints, rows: Ints, threads: int, progress: Lasting
) -> list[int | None]:
    """What the pairs of these rows are worth, `None` where nothing can take their place. Pairs are added to the market's graph."""
    progress("worth", 0, len(rows))
    worth = worth_of(market, rows, counting=policy.order != "total", step=partial(progress, "worth"))
    columns = market.state.mate[rows]
    price, profit = market.state.price, market.state.profit
    for k, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        other = whole.row.get(whole.mentor_ids[column], -1), whole.column.get(whole.mentee_ids[row], -1)
        if worth[k] == FAR or min(other) < 0 or not table.mentees.capacity[other[0]] or not table.mentors.capacity[other[1]]:
            continue
        points, allowed = points_of(table, np.array(other[:1], np.int32), np.array(other[1:], np.int32))
        score = int(points.sum())
        most = score + policy.stickiness
        if not allowed[0] or score < market.floor or profit[other[0]] + price[other[1]] - market.reward - most > worth[k]:
            continue
        progress("worth", k, len(rows))
        worth[k] = _solved_again(table, policy, market, current, ((row, column), other), threads, progress)
    return [None if one == FAR else int(one) for one in worth]


def _solved_again(
    table: Table, policy: Policy, market: Market, current: Ints, apart: tuple[tuple[int, int], ...], threads: int, progress: Lasting
) -> int:
    rows = len(table.mentees.grade)
    without = table._replace(excluded=union(rows, table.excluded, cells(rows, apart)))
    other = optimise(without, scanner(without, threads, progress.again), policy, current, lambda *_: progress.again()).market
    if policy.order != "total" and (_pairs(other), other.floor) != (_pairs(market), market.floor):
        return FAR
    return _total(market) - _total(other)


def _pairs(market: Market) -> int:
    return int((market.state.mate >= 0).sum())


def _total(market: Market) -> int:
    row, column, _, value = market.edges
    return int(value[market.state.mate[row] == column].sum())
