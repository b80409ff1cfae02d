"""Assignment with capacities on a sparse graph: the largest total weight, with the prices that prove it, kept and mended from one graph to the next.

Rows are mentees, columns mentors with 1 or more places; an edge weighs `reward + value`. A row may stay alone and a place empty at no cost. The state
is a matching with profits u >= 0 and prices p >= 0 such that on every edge u + p >= weight, with equality on matched ones, u = 0 for a row left
alone on purpose, and p = 0 where a place is empty: by linear programming duality both are then optimal. What breaks the last two conditions is
*pending*, and is mended by the steps below; where nobody has anybody yet, an auction first finds prices to begin with (`auction`).

1. bidding (Bertsekas 1981, as in the augmenting row reduction of Jonker and Volgenant 1987): a pending row takes its best column; where that is full,
   the price rises until the weakest of those who want it is indifferent, and that one leaves;
2. a shortest augmenting path from a row that bidding did not place, to an empty place, or to a row that rather stays alone; where these paths
   become long, as among equal scores, all rows that are left together (`phases`) for as long as that is the shorter way;
3. a shortest path from a place that emptied at a price, to a row that takes it, or down to price 0 (the reverse search).

All numbers are integers and every choice between equals is by index, so the result is a function of the input. Paths: Dijkstra (1959) with potentials
(Edmonds and Karp 1972), O(edges log columns) each at worst, a few edges as a rule.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.auction import first_prices
from amont.matching.domain.engine.heap import pop, push
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.phases import place_all
from amont.matching.domain.engine.seating import move_up, seat, unseat

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

FAR_ENOUGH = 4
"""Columns that paths one by one may settle, by columns there are, before it is tried whether a step for all the rest does more."""


class Graph(NamedTuple):
    """Edges by row and by column: of row i `column[k]` and `value[k]` for k from `start[i]` to `stop[i]`; `row`, `worth` from `first` to `last` likewise."""

    start: Ints
    stop: Ints
    column: Ints
    value: Ints
    first: Ints
    last: Ints
    row: Ints
    worth: Ints


class State(NamedTuple):
    """A matching and its proof.

    Attributes:
        profit, price: u (rows,) and p (columns,), int64.
        outside: (rows,) int64, what a row gains alone.
        mate: (rows,) the column, or -1.
        places: (columns,) how many rows a column may have; `taken`: how many it has; `holder`: (columns, most places) who they are.
    """

    profit: Longs
    price: Longs
    outside: Longs
    mate: Ints
    places: Ints
    taken: Ints
    holder: Ints


def nothing_yet(rows: int, places: Ints) -> State:
    """Nobody has anybody."""
    return State(
        profit=np.zeros(rows, np.int64),
        price=np.zeros(len(places), np.int64),
        outside=np.zeros(rows, np.int64),
        mate=np.full(rows, -1, np.int32),
        places=places,
        taken=np.zeros(len(places), np.int32),
        holder=np.full((len(places), max(1, int(places.max(initial=1)))), -1, np.int32),
    )


def graph_of(rows: int, columns: int, row: Ints, column: Ints, value: Ints) -> Graph:
    """The graph with these edges, each given once."""
    start, by_row, value_by_row = _indexed(rows, row, column, value)
    first, by_column, value_by_column = _indexed(columns, column, row, value)
    return Graph(start[:-1], start[1:], by_row, value_by_row, first[:-1], first[1:], by_column, value_by_column)


@compiled
def _indexed(n, key, other, value):
    start = np.zeros(n + 1, np.int32)
    for k in range(len(key)):
        start[key[k] + 1] += 1
    for i in range(n):
        start[i + 1] += start[i]
    at = start[:-1].copy()
    others = np.empty(len(key), np.int32)
    values = np.empty(len(key), np.int32)
    for k in range(len(key)):
        place = at[key[k]]
        at[key[k]] += 1
        others[place] = other[k]
        values[place] = value[k]
    return start, others, values


@compiled
def margin_of(start, stop, column, value, price, outside, reward, row, but):
    """The best profit the row finds elsewhere."""
    best = outside[row]
    for k in range(start[row], stop[row]):
        if column[k] != but:
            profit = reward + value[k] - price[column[k]]
            best = max(best, profit)
    return best


@compiled
def bid(graph, state, reward, waiting, patience):
    """Step 1 for the rows `waiting`, at most `patience` bids; the rows that are still not placed."""
    start, stop, column, value = graph.start, graph.stop, graph.column, graph.value
    profit, price, outside, mate, places, taken, holder = state
    queue = np.empty(2 * len(waiting) + patience + 2, np.int32)
    for k in range(len(waiting)):
        queue[k] = waiting[k]
    head, tail = 0, len(waiting)
    left = np.empty(len(waiting) + patience + 2, np.int32)
    count = 0
    while head < tail:
        row = queue[head]
        head += 1
        best, second, target = outside[row], outside[row], -1
        for k in range(start[row], stop[row]):
            j = column[k]
            offer = reward + value[k] - price[j]
            if offer > best or (offer == best and (target < 0 or (taken[target] == places[target] and taken[j] < places[j]))):
                second = best
                best, target = offer, j
            elif offer > second:
                second = offer
        profit[row] = best
        if target < 0:
            continue
        if taken[target] < places[target]:
            seat(mate, taken, holder, row, target)
            continue
        if head > patience:
            left[count] = row
            count += 1
            continue
        weakest, least = row, best - second
        for k in range(taken[target]):
            other = holder[target, k]
            margin = profit[other] - margin_of(start, stop, column, value, price, outside, reward, other, target)
            if margin < least:
                weakest, least = other, margin
        if least > 0:
            price[target] += least
            profit[row] -= least
            for k in range(taken[target]):
                profit[holder[target, k]] -= least
        if weakest == row:
            if least == 0:
                left[count] = row
                count += 1
            else:
                queue[tail] = row
                tail += 1
            continue
        unseat(mate, taken, holder, weakest)
        seat(mate, taken, holder, row, target)
        queue[tail] = weakest
        tail += 1
    return left[:count].copy()


class Scratch(NamedTuple):
    """What searches write on, made once: distances and ways by column, the heap, the columns settled, which rows and columns got less."""

    distance: Longs
    stamp: Ints
    done: Ints
    way: Ints
    onward: Ints
    keys: Longs
    items: Ints
    settled: Ints


def scratch(columns: int, edges: int) -> Scratch:
    """Room for searches in a graph of that size."""

    def ints(size: int) -> Ints:
        return np.zeros(size, np.int32)

    heap = edges + columns + 2
    return Scratch(
        np.zeros(columns, np.int64),
        ints(columns),
        ints(columns),
        ints(columns),
        ints(columns),
        np.zeros(heap, np.int64),
        ints(heap),
        ints(columns),
    )


@compiled
def search_from_row(graph, state, reward, scratch, clock, source):
    """Step 2 for one row that has no column; `clock` must be new for each search. How far the search went."""
    start, stop, column, value = graph.start, graph.stop, graph.column, graph.value
    profit, price, outside, mate, places, taken, holder = state
    distance, stamp, done, way, _, keys, items, settled = scratch
    size, count = 0, 0
    best = outside[source]
    for k in range(start[source], stop[source]):
        best = max(best, reward + value[k] - price[column[k]])
    profit[source] = best
    end, end_row, end_column = best - outside[source], source, -1
    row, so_far = source, np.int64(0)
    holders, place = 0, 0
    here = -1
    while True:
        for k in range(start[row], stop[row]):
            j = column[k]
            reached = so_far + profit[row] + price[j] - reward - value[k]
            if reached > end or (stamp[j] == clock and reached >= distance[j]):
                continue
            if taken[j] < places[j]:
                if reached < end or end_row >= 0:
                    end, end_row, end_column = reached, -1, j
                    stamp[j] = clock
                    distance[j] = reached
                    way[j] = row
                continue
            stamp[j] = clock
            distance[j] = reached
            way[j] = row
            size = push(keys, items, size, reached, j)
        place += 1
        if place >= holders:
            here = -1
            while size > 0:
                so_far, j = keys[0], items[0]
                size = pop(keys, items, size)
                if so_far >= end:
                    size = 0
                elif done[j] != clock:
                    here = j
                    break
            if here < 0:
                break
            done[here] = clock
            settled[count] = here
            count += 1
            holders, place = taken[here], 0
            for k in range(holders):
                other = holder[here, k]
                if so_far + profit[other] - outside[other] < end:
                    end, end_row, end_column = so_far + profit[other] - outside[other], other, here
        row = holder[here, place]
    profit[source] -= end
    for c in range(count):
        j = settled[c]
        by = end - distance[j]
        if by > 0:
            price[j] += by
            for k in range(taken[j]):
                profit[holder[j, k]] -= by
    if end_row != source:
        if end_row >= 0:
            unseat(mate, taken, holder, end_row)
        move_up(mate, taken, holder, way, end_column)
    return count


@compiled
def search_from_place(graph, state, reward, scratch, clock, source):
    """Step 3 for one column with an empty place and a price; `clock` as above. How far the search went."""
    first, last, rows, worth = graph.first, graph.last, graph.row, graph.worth
    profit, price, _, mate, _, taken, holder = state
    distance, stamp, done, way, onward, keys, items, settled = scratch
    size, count = 0, 0
    end, end_row, end_column = price[source], -1, source
    stamp[source] = clock
    distance[source] = 0
    size = push(keys, items, size, np.int64(0), source)
    while size > 0:
        so_far, here = keys[0], items[0]
        size = pop(keys, items, size)
        if so_far > end:
            break
        if done[here] == clock:
            continue
        done[here] = clock
        settled[count] = here
        count += 1
        if so_far + price[here] < end:
            end, end_row, end_column = so_far + price[here], -1, here
        for k in range(first[here], last[here]):
            row = rows[k]
            j = mate[row]
            if j == here:
                continue
            reached = so_far + profit[row] + price[here] - reward - worth[k]
            if reached > end:
                continue
            if j < 0:
                if reached < end or end_row < 0:
                    end, end_row, end_column = reached, row, here
            elif stamp[j] != clock or reached < distance[j]:
                stamp[j] = clock
                distance[j] = reached
                way[j] = row
                onward[j] = here
                size = push(keys, items, size, reached, j)
    for c in range(count):
        j = settled[c]
        by = end - distance[j]
        if by > 0:
            price[j] -= by
            for k in range(taken[j]):
                profit[holder[j, k]] += by
    j = end_column
    moves = 0
    while j != source:
        settled[moves] = j
        moves += 1
        j = onward[j]
    for m in range(moves - 1, -1, -1):
        j = settled[m]
        row = way[j]
        unseat(mate, taken, holder, row)
        seat(mate, taken, holder, row, onward[j])
    if end_row >= 0:
        seat(mate, taken, holder, end_row, end_column)
    return count


@compiled
def settle(graph, state, reward, scratch, waiting, patience, clock):
    """Steps 1 to 3 until nothing is pending; rows `waiting` have no column. The clock after the last search. With patience for bids, prices are first sought
    by auction where there are none.
    """
    price, places, taken = state.price, state.places, state.taken
    if patience > 0 and not price.any() and not taken.any():
        first_prices(graph, state.outside, reward, waiting, places, price)
    left = bid(graph, state, reward, waiting, patience)
    walked, k = 0, 0
    while k < len(left):
        if walked > FAR_ENOUGH * len(price):
            clock, left = place_all(graph, state, reward, scratch, clock, left[k:], walked // k)
            walked, k = 0, 0
            continue
        clock += 1
        walked += search_from_row(graph, state, reward, scratch, clock, left[k])
        k += 1
    for j in range(len(price)):
        while taken[j] < places[j] and price[j] > 0:
            clock += 1
            search_from_place(graph, state, reward, scratch, clock, j)
    return clock
