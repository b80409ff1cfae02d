"""What each made pair is worth: what the total would lose if the pair were forbidden, number of pairs and floor unchanged.

At the market's rest every pair outside the matching has a reduced cost, profit + price - reward - value >= 0, and every made one has 0. Without the pair
(i, j) the best answer differs by the cheapest way round, from i to j: i takes another column, whoever held it moves on, and so on, until somebody takes
the place in j (Ahuja, Magnanti and Orlin 1993, chapter 9: a shortest path in the residual network). On the way it may pass one of two hubs: ALONE
(somebody stays alone, at their profit, and somebody who was alone joins), or EMPTY (somebody takes an empty place, and a place is left empty at its price);
where the number of pairs is free the two are one.

The graph is sparse, the answer is not: `rows` and `columns` are radii such that every pair of a reduced cost under rows[x] + columns[y] is in the graph. So
a way over a pair unseen costs at least what it takes to come to some x, and rows[x], and columns[y], and from some y to j: the unseen is one hub more, and
where the way over it is no shorter than the one found, that one is exact. Otherwise the radii grow where it matters, and pairs come into the graph.

Cost: some searches over the whole graph a round, and for each pair a search towards j, led by the distances to and from the hubs (A* with landmarks;
Goldberg and Harrelson 2005), that ends at the best way found.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.generation import FAR, Market
from amont.matching.domain.engine.heap import pop, push
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.kernel import Step, untold

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

TOGETHER = 1024
"""Rows searched for at a time."""
GROWTH, FIRST_RADIUS, LAST_RADIUS = 4, 64, 1 << 10
"""How far radii may grow in a round: by that factor, from there, and after the last one for good."""


class Net(NamedTuple):
    """Arcs by tail, cheapest first: from node k to `head[a]` at `cost[a]`, moving row `mover[a]` (-1: nobody), a from `start[k]` to `start[k + 1]`.

    Nodes are the columns, then ALONE, then EMPTY.
    """

    start: Ints
    head: Ints
    cost: Longs
    mover: Ints


def worth_of(market: Market, rows: Ints, *, counting: bool, step: Step = untold) -> Longs:
    """What the pair of each of these rows is worth; `FAR` where nothing can take its place.

    Args:
        market: at rest; pairs are added to its graph.
        rows: rows that have a column.
        counting: whether the number of pairs must stay, which must then be the largest possible.
        step: told now and then how many rows of how many are looked at in this round.
    """
    state = market.state
    columns = state.mate[rows]
    radius, breadth = np.zeros(len(state.profit), np.int64), np.zeros(len(state.price), np.int64)
    while True:
        net = _net(market, counting=counting)
        back = _reversed(net)
        apart = _hubs(net, back)
        worth = np.empty(len(rows), np.int64)
        for first in range(0, len(rows), TOGETHER):
            part = slice(first, first + TOGETHER)
            step(first, len(rows))
            worth[part] = _ways_round(net, *apart, rows[part], columns[part])
        proved = _proved(market, net, back, rows, columns, radius, breadth)
        open_ = worth > proved
        if not open_.any():
            return worth
        target = np.minimum(worth[open_], np.maximum(GROWTH * proved[open_], FIRST_RADIUS))
        target[target > LAST_RADIUS] = worth[open_][target > LAST_RADIUS]
        ahead = _share(net, back, rows[open_], columns[open_], target, worth[open_] == FAR)
        wider = np.maximum(radius, _radii(market, net, rows[open_], ahead))
        broader = np.maximum(breadth, _breadths(back, len(breadth), columns[open_], target - ahead))
        market.learn_within(wider, broader, *(np.flatnonzero(one).astype(np.int32) for one in (wider > radius, broader > breadth)))
        radius, breadth = wider, broader


def _net(market: Market, *, counting: bool) -> Net:
    state, reward = market.state, market.reward
    row, column, _, value = market.edges
    n = len(state.price)
    alone, empty = n, n + 1
    free = state.mate[row] != column
    row, column, value = row[free], column[free], value[free]
    at = np.where(state.mate < 0, alone, state.mate).astype(np.int32)
    paired, spare, used = (np.flatnonzero(one).astype(np.int32) for one in (state.mate >= 0, state.taken < state.places, state.taken > 0))
    parts = [
        (at[row], column, state.profit[row] + state.price[column] - reward - value, row),
        (state.mate[paired], _all(alone, paired), state.profit[paired], paired),
        (spare, _all(empty, spare), state.price[spare], _all(-1, spare)),
        (_all(empty, used), used, state.price[used], _all(-1, used)),
    ]
    if not counting:
        both = np.array([alone, empty], np.int32)
        parts.append((both, both[::-1], np.zeros(2, np.int64), _all(-1, both)))
    tail, head, cost, mover = (np.concatenate(part) for part in zip(*parts, strict=True))
    return _by_tail(n + 2, tail, head, cost, mover)


def _all(value: int, places: Ints) -> Ints:
    """That value, once for each place."""
    return np.full(len(places), value, np.int32)


def _by_tail(nodes: int, tail: Ints, head: Ints, cost: Longs, mover: Ints) -> Net:
    order = np.lexsort((cost, tail))
    start = np.searchsorted(tail[order], np.arange(nodes + 1)).astype(np.int32)
    return Net(start, head[order], cost[order], mover[order])


def _reversed(net: Net) -> Net:
    tail = np.repeat(np.arange(len(net.start) - 1, dtype=np.int32), np.diff(net.start))
    return _by_tail(len(net.start) - 1, net.head, tail, net.cost, net.mover)


def _hubs(net: Net, back: Net) -> tuple[Longs, Longs]:
    """(2, nodes) how far each node is from either hub, and how far either hub is from each node."""
    nodes = len(net.start) - 1
    begin = np.full((2, nodes), FAR, np.int64)
    begin[[0, 1], [nodes - 2, nodes - 1]] = 0
    return np.stack([_spread(net, one) for one in begin]), np.stack([_spread(back, one) for one in begin])


def _proved(market: Market, net: Net, back: Net, rows: Ints, columns: Ints, radius: Longs, breadth: Longs) -> Longs:
    """What a way over a pair unseen costs at least."""
    state = market.state
    n = len(state.price)
    leave = np.full(n + 2, FAR, np.int64)
    opened = market.open_rows
    np.minimum.at(leave, np.where(state.mate[opened] < 0, n, state.mate[opened]), radius[opened])
    leave = _spread(back, leave)
    enter = _spread(net, np.concatenate([np.where(state.places > 0, breadth, FAR), [FAR, FAR]]))
    proved: Longs = np.minimum(FAR, np.minimum(radius[rows], _first(net, rows, columns, leave)) + enter[columns])
    return proved


def _share(net: Net, back: Net, rows: Ints, columns: Ints, target: Longs, closed: NDArray[np.bool_]) -> Longs:
    """How much of each target is to be proved from the row's side; the rest is from the column's.

    Each side is given what its first step costs anyhow, and half of the rest. Where no way is known (`closed`), all is for the side that reaches less, since
    all that it reaches must be looked at for good if there is none.
    """
    nothing = np.zeros(len(net.start) - 1, np.int64)
    away, near = _first(net, rows, columns, nothing), np.full(len(rows), FAR, np.int64)
    some = back.start[columns] < back.start[columns + 1]
    near[some] = back.cost[back.start[columns[some]]]
    ahead: Longs = np.where(away + near <= target, away + (target - away - near) // 2, np.minimum(away, target))
    for k in np.flatnonzero(closed):
        ahead[k] = target[k] if _reach(net, columns[k], rows[k]) <= _reach(back, columns[k], -1) else 0
    return ahead


def _radii(market: Market, net: Net, rows: Ints, ahead: Longs) -> Longs:
    """For each row how far it must be looked around so that all within `ahead` of these rows is seen."""
    state = market.state
    n = len(state.price)
    begin = np.full(n + 2, FAR, np.int64)
    _begin(net, rows, state.mate[rows], FAR - ahead, begin)
    need = np.maximum(0, FAR - _spread(net, begin))
    radius = np.zeros(len(state.profit), np.int64)
    opened = market.open_rows
    radius[opened] = need[np.where(state.mate[opened] < 0, n, state.mate[opened])]
    np.maximum.at(radius, rows, ahead)
    return radius


def _breadths(back: Net, n: int, columns: Ints, behind: Longs) -> Longs:
    """The same for columns, and ways to these."""
    begin = np.full(n + 2, FAR, np.int64)
    np.minimum.at(begin, columns, FAR - behind)
    breadth: Longs = np.maximum(0, FAR - _spread(back, begin)[:n])
    return breadth


@compiled
def _spread(net, begin):
    """The distance of every node, where to begin at a node costs `begin`; Dijkstra 1959."""
    start, head, cost, _ = net
    distance = begin.copy()
    keys, items = np.empty(len(head) + len(begin) + 1, np.int64), np.empty(len(head) + len(begin) + 1, np.int32)
    size = 0
    for k in range(len(begin)):
        if begin[k] < FAR:
            size = push(keys, items, size, begin[k], k)
    while size > 0:
        so_far, here = keys[0], items[0]
        size = pop(keys, items, size)
        if so_far > distance[here]:
            continue
        for a in range(start[here], start[here + 1]):
            reached = so_far + cost[a]
            if reached < distance[head[a]]:
                distance[head[a]] = reached
                size = push(keys, items, size, reached, head[a])
    return distance


@compiled
def _first(net, rows, columns, beyond):
    """For each row, of `columns`, the least of an arc's cost and what is `beyond` it."""
    start, head, cost, mover = net
    least = np.full(len(rows), FAR, np.int64)
    for k in range(len(rows)):
        for a in range(start[columns[k]], start[columns[k] + 1]):
            if mover[a] == rows[k]:
                least[k] = min(least[k], cost[a] + beyond[head[a]])
    return least


@compiled
def _begin(net, rows, columns, late, begin):
    """Let the arcs of each row begin at `late`."""
    start, head, cost, mover = net
    for k in range(len(rows)):
        for a in range(start[columns[k]], start[columns[k] + 1]):
            if mover[a] == rows[k]:
                begin[head[a]] = min(begin[head[a]], late[k] + cost[a])


@compiled
def _reach(net, node, mover):
    """How many nodes can be reached from a node, or from it by arcs of one mover."""
    seen = np.zeros(len(net.start) - 1, np.bool_)
    stack = np.empty(len(net.start), np.int32)
    size, count, first = 1, 0, mover >= 0
    stack[0] = node
    while size > 0:
        size -= 1
        here = stack[size]
        for a in range(net.start[here], net.start[here + 1]):
            if (not first or net.mover[a] == mover) and not seen[net.head[a]]:
                seen[net.head[a]] = True
                stack[size] = net.head[a]
                size += 1
                count += 1
        first = False
    return count


@compiled
def _ways_round(net, since, until, rows, columns):
    """The shortest way from each row to its column; `since` and `until` (2, nodes) are the distances from the hubs and to them."""
    start, head, cost, mover = net
    nodes = len(start) - 1
    n = nodes - 2
    ways = np.full(len(rows), FAR, np.int64)
    distance, ahead = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    stamp = np.full(nodes, -1, np.int32)
    keys, items = np.empty(len(head) + 1, np.int64), np.empty(len(head) + 1, np.int32)
    for k in range(len(rows)):
        goal = columns[k]
        best = np.int64(FAR)
        for a in range(start[goal], start[goal + 1]):
            if mover[a] == rows[k]:
                for hub in range(2):
                    best = min(best, cost[a] + until[hub, head[a]] + since[hub, goal])
        here, so_far, size, first = goal, np.int64(0), 0, True
        while True:
            for a in range(start[here], start[here + 1]):
                reached, to = so_far + cost[a], head[a]
                if reached >= best:
                    break
                if to >= n or (first and mover[a] != rows[k]):
                    continue
                if to == goal:
                    best = reached
                    break
                if stamp[to] != k:
                    stamp[to] = k
                    ahead[to] = max(
                        0,
                        since[0, goal] - since[0, to],
                        since[1, goal] - since[1, to],
                        until[0, to] - until[0, goal],
                        until[1, to] - until[1, goal],
                    )
                elif reached >= distance[to]:
                    continue
                distance[to] = reached
                if reached + ahead[to] < best:
                    size = push(keys, items, size, reached + ahead[to], to)
            first, here = False, -1
            while size > 0 and keys[0] < best and here < 0:
                if keys[0] == distance[items[0]] + ahead[items[0]]:
                    here = items[0]
                    so_far = distance[here]
                size = pop(keys, items, size)
            if here < 0:
                break
        ways[k] = best
    return ways
