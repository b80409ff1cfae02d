"""Prices to begin with: an auction in steps that become finer, for a graph in which nobody has anybody yet.

Each row bids for its best column as much as makes that no better than its second best, and a step more, so that no war of prices goes on by less than a
step (Bertsekas 1979; with several places a column, Bertsekas and Castañón 1989). What a coarse auction finds is lowered by a few steps and is where
the next, finer one begins (ε-scaling, Bertsekas 1988). Of the last only the prices are kept: any prices are a beginning for `assignment`, which mends them
to the unit; from good ones its paths are short. Without them, where more rows want a few columns than these have places, each path raises the prices of
all of them by little, up to the reward: 5,000 rows that know 8 columns each took ten times as long.
"""

import numpy as np

from amont.matching.domain.engine.jit import compiled

STEPS = (64, 8, 1)
"""By how much bids are raised at least, in points of a score, auction by auction."""
BACK = 4
"""By how many steps prices are lowered after each auction: too low a price is raised by a short path, too high a one is brought down by a long one."""
MOST_BIDS = 64
"""Bids a row, in all auctions together: a reward beyond all values may not be climbed step by step."""


@compiled
def first_prices(graph, outside, reward, waiting, places, price):
    """Set `price` (columns,) int64, all 0, to about what it takes that no more of the rows `waiting` want a column than it has places.

    Columns that are known to a row have a place. `outside` (rows,) int64 is what a row gains alone. O(candidates of a row) a bid.
    """
    most = 1
    for j in range(len(places)):
        most = max(most, places[j])
    holder, level = np.empty((len(places), most), np.int32), np.empty((len(places), most), np.int64)
    bids = MOST_BIDS * len(waiting)
    for step in STEPS:
        bids = _auction(graph, outside, reward, waiting, places, price, holder, level, step, bids)
        for j in range(len(places)):
            price[j] = max(0, price[j] - BACK * step)


@compiled
def _auction(graph, outside, reward, waiting, places, price, holder, level, step, bids):
    """Raise the prices until nobody who is alone would rather have a column; `level` (columns, places) is what each holder has bid. The bids left."""
    start, stop, column, value = graph.start, graph.stop, graph.column, graph.value
    queue, head, size = waiting.copy(), 0, len(waiting)
    taken = np.zeros(len(places), np.int32)
    while size > 0 and bids > 0:
        row = queue[head]
        head = (head + 1) % len(queue)
        size -= 1
        best, second, target = outside[row], outside[row], -1
        for k in range(start[row], stop[row]):
            offer = reward - price[column[k]] + value[k]
            if offer > best:
                second = best
                best, target = offer, column[k]
            elif offer > second:
                second = offer
        if target < 0:
            continue
        bids -= 1
        place = taken[target]
        if place < places[target]:
            taken[target] += 1
        else:
            place = 0
            for other in range(1, places[target]):
                if level[target, other] < level[target, place]:
                    place = other
            queue[(head + size) % len(queue)] = holder[target, place]
            size += 1
        holder[target, place] = row
        level[target, place] = price[target] + best - second + step
        if taken[target] == places[target]:
            price[target] = level[target, : places[target]].min()
    return bids
