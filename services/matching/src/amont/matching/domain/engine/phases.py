"""Many augmenting paths at once, where equal scores make plateaus on which paths one by one would each walk over everything.

`augment_all` is the method of Hopcroft and Karp (1973): levels by a search from all rows alone at once, then as many paths along them as there are, O(edges)
each time and few times. `shrink` moves the prices of a market for all its waiting rows at once (the Hungarian method in the form of Gabow and Tarjan, 1989):
one search from all of them, to the nearest end; then `augment_all` follows the edges that have become tight.
"""

import numpy as np

from amont.matching.domain.engine.heap import pop, push
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.seating import seat, unseat

SWEEPS = 4
"""How often a step for all rows goes over all columns, beside those that it settles: once for what is tight now, and the passes of `augment_all`."""


@compiled
def augment_all(start, stop, column, score, floor, leaves, alone, mate, places, taken, holder):
    """As many paths as possible from the rows `alone` along edges of at least that score, to an empty place, or to one whose row `leaves` it gladly."""
    level, turn, path = np.empty(len(mate), np.int32), np.empty(len(mate), np.int32), np.empty(len(mate) + 1, np.int32)
    depth, held = np.empty(len(places), np.int32), np.zeros(len(places), np.int32)
    while True:
        last = _levels(start, stop, column, score, floor, leaves, alone, mate, places, taken, holder, level, depth, path)
        if last < 0:
            return
        turn[:] = start
        held[:] = 0
        for k in range(len(alone)):
            if mate[alone[k]] < 0:
                _descend(stop, column, score, floor, leaves, mate, places, taken, holder, level, depth, last, turn, held, path, alone[k])


@compiled
def _levels(start, stop, column, score, floor, leaves, alone, mate, places, taken, holder, level, depth, queue):
    """How far rows and columns are from those alone, as far as the nearest ends; the level of these, -1 without any."""
    level[:] = -1
    depth[:] = -1
    head, tail, last = 0, 0, -1
    for k in range(len(alone)):
        if mate[alone[k]] < 0:
            queue[tail] = alone[k]
            level[alone[k]] = 0
            tail += 1
    while head < tail:
        row = queue[head]
        head += 1
        if 0 <= last < level[row]:
            break
        for k in range(start[row], stop[row]):
            j = column[k]
            if score[k] < floor or depth[j] >= 0:
                continue
            depth[j] = level[row]
            if taken[j] < places[j]:
                last = depth[j]
            for place in range(taken[j]):
                other = holder[j, place]
                if leaves[other]:
                    last = depth[j]
                if level[other] < 0:
                    level[other] = depth[j] + 1
                    queue[tail] = other
                    tail += 1
    return last


@compiled
def _descend(stop, column, score, floor, leaves, mate, places, taken, holder, level, depth, last, turn, held, path, source):
    """One path from the source, level by level, if there is one left; rows on it, and rows that lead nowhere, are not entered again."""
    path[0], top = source, 0
    while top >= 0:
        row = path[top]
        if turn[row] >= stop[row]:
            top -= 1
            continue
        j = column[turn[row]]
        if score[turn[row]] < floor or depth[j] != level[row]:
            turn[row] += 1
            continue
        if level[row] < last:
            while held[j] < taken[j] and (
                level[holder[j, held[j]]] != level[row] + 1 or turn[holder[j, held[j]]] >= stop[holder[j, held[j]]]
            ):
                held[j] += 1
            if held[j] < taken[j]:
                top += 1
                path[top] = holder[j, held[j]]
            else:
                turn[row] += 1
            continue
        if taken[j] == places[j]:
            while held[j] < taken[j] and not leaves[holder[j, held[j]]]:
                held[j] += 1
            if held[j] == taken[j]:
                turn[row] += 1
                continue
            unseat(mate, taken, holder, holder[j, held[j]])
        while top >= 0:
            row = path[top]
            j = column[turn[row]]
            if mate[row] >= 0:
                unseat(mate, taken, holder, row)
            seat(mate, taken, holder, row, j)
            turn[row] = stop[row]
            top -= 1


@compiled
def shrink(graph, state, reward, scratch, clock, waiting):
    """Lower the profits of all waiting rows alike, and raise prices to match, until one of them is at a tight end; how far the search went.

    Conditions as for a search from one row: `u + p >= weight` on every edge holds before and after, with equality on matched ones.
    """
    start, stop, column, value = graph.start, graph.stop, graph.column, graph.value
    profit, price, outside, _, places, taken, holder = state
    distance, stamp, done, _, _, keys, items, settled = scratch
    size, count = 0, 0
    end = np.int64(1 << 60)
    for w in range(len(waiting)):
        end = min(end, profit[waiting[w]] - outside[waiting[w]])
    source, holders, place, here, so_far = 0, 0, 0, -1, np.int64(0)
    while True:
        if source < len(waiting):
            row = waiting[source]
            source += 1
        else:
            while place >= holders:
                here = -1
                while size > 0 and here < 0:
                    so_far, j = keys[0], items[0]
                    size = pop(keys, items, size)
                    if so_far >= end:
                        size = 0
                    elif done[j] != clock:
                        here = j
                if here < 0:
                    break
                done[here] = clock
                settled[count] = here
                count += 1
                holders, place = taken[here], 0
                for k in range(holders):
                    end = min(end, so_far + profit[holder[here, k]] - outside[holder[here, k]])
            if here < 0:
                break
            row = holder[here, place]
            place += 1
        for k in range(start[row], stop[row]):
            j = column[k]
            reached = so_far + profit[row] + price[j] - reward - value[k]
            if reached >= end or (stamp[j] == clock and reached >= distance[j]):
                continue
            if taken[j] < places[j]:
                end = reached
                continue
            stamp[j] = clock
            distance[j] = reached
            size = push(keys, items, size, reached, j)
    for w in range(len(waiting)):
        profit[waiting[w]] -= end
    for c in range(count):
        j = settled[c]
        by = end - distance[j]
        if by > 0:
            price[j] += by
            for k in range(taken[j]):
                profit[holder[j, k]] -= by
    return count


@compiled
def place_all(graph, state, reward, scratch, clock, waiting, a_path):
    """Place these rows, or let them rather stay alone, as a path from each of them would, as long as that is the shorter way.

    `a_path` is how many columns a path from one row settles, on an average: a step for all of them that places fewer rows than paths would at its
    cost is the last one. The clock after the last search, and the rows that are left.
    """
    start, stop, column, value = graph.start, graph.stop, graph.column, graph.value
    profit, price, outside, mate, places, taken, holder = state
    for w in range(len(waiting)):
        row = waiting[w]
        profit[row] = outside[row]
        for k in range(start[row], stop[row]):
            profit[row] = max(profit[row], reward + value[k] - price[column[k]])
    tight, leaves = np.zeros(len(column), np.int32), np.zeros(len(mate), np.bool_)
    left, settled, steps, before = _left(waiting, state), 0, 0, 0
    while len(left) > 0 and (steps == 0 or (before - len(left)) * a_path >= settled + SWEEPS * len(price)):
        before = len(left)
        steps += 1
        clock += 1
        settled = shrink(graph, state, reward, scratch, clock, left)
        for row in range(len(mate)):
            leaves[row] = mate[row] >= 0 and profit[row] == outside[row]
            for k in range(start[row], stop[row]):
                tight[k] = profit[row] + price[column[k]] == reward + value[k]
        left = _left(left, state)
        augment_all(start, stop, column, tight, 1, leaves, left, mate, places, taken, holder)
        left = _left(left, state)
    return clock, left


@compiled
def _left(rows, state):
    """Those of the rows that have no column and would gain by one."""
    found = np.empty(len(rows), np.int32)
    count = 0
    for k in range(len(rows)):
        if state.mate[rows[k]] < 0 and state.profit[rows[k]] > state.outside[rows[k]]:
            found[count] = rows[k]
            count += 1
    return found[:count]
