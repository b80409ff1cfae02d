"""The largest number of pairs, and the cover that proves it: a set of people that touches every allowed pair and is no larger (König 1931).

Augmenting paths are sought in the sparse graph first (Kuhn 1955; a tree that leads nowhere is never entered again), then once over all pairs: from
everybody left alone, level by level, keeping the pairs by which new mentors are reached. Either that ends at an empty place, and the graph has learnt
what it lacked, or nothing is left to reach, and what was reached is the cover: the mentees not reached and the mentors reached.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.assignment import move_up, unseat
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.kernel import Scanner

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Seats:
    """A matching without prices: which rows take part, the column of each row or -1, the places of each column, how many are taken, by whom."""

    rows: Ints
    mate: Ints
    places: Ints
    taken: Ints
    holder: Ints

    def copy(self) -> "Seats":
        return Seats(self.rows, self.mate.copy(), self.places, self.taken.copy(), self.holder.copy())

    def release(self, rows: Ints) -> None:
        """Leave these rows alone."""
        for row in rows:
            unseat(self.mate, self.taken, self.holder, row)

    @property
    def alone(self) -> Ints:
        return self.rows[self.mate[self.rows] < 0]

    @property
    def pairs(self) -> int:
        return int((self.mate >= 0).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """All that alternating paths from the rows left alone reach; nobody else, and no empty place."""

    rows: NDArray[np.bool_]
    columns: NDArray[np.bool_]


def augment(seats: Seats, start: Ints, stop: Ints, column: Ints, score: Ints, floor: int) -> None:
    """As many pairs as the edges with a score of at least `floor` allow."""
    _augment(start, stop, column, score, floor, seats.alone, seats.mate, seats.places, seats.taken, seats.holder)


@compiled
def _augment(start, stop, column, score, floor, alone, mate, places, taken, holder):
    seen = np.full(len(places), -1, np.int32)
    way = np.empty(len(places), np.int32)
    queue = np.empty(len(mate) + 1, np.int32)
    for search in range(len(alone)):
        queue[0] = alone[search]
        head, tail, end = 0, 1, -1
        while head < tail and end < 0:
            row = queue[head]
            head += 1
            for k in range(start[row], stop[row]):
                j = column[k]
                if score[k] < floor or seen[j] >= 0:
                    continue
                seen[j] = search
                way[j] = row
                if taken[j] < places[j]:
                    end = j
                    break
                for place in range(taken[j]):
                    queue[tail] = holder[j, place]
                    tail += 1
        if end < 0:
            continue
        for j in range(len(places)):
            if seen[j] == search:
                seen[j] = -1
        move_up(mate, taken, holder, way, end)


def explore(seats: Seats, scanner: Scanner, floor: int) -> tuple[Reached, Ints, Ints, bool]:
    """Everything within reach of the rows left alone, over all pairs with a score of at least `floor`.

    Returns:
        What was reached; the pairs by which it was, rows and columns; whether an empty place is among it. The search ends with the level that
        finds one.
    """
    rows = np.zeros(len(seats.mate), np.bool_)
    columns = seats.places == 0
    frontier = seats.alone
    rows[frontier] = True
    ways: list[tuple[Ints, Ints]] = []
    empty = seats.taken < seats.places
    while len(frontier):
        unseen = np.flatnonzero(~columns).astype(np.int32)
        by = scanner.reach(frontier, unseen, floor)
        new = unseen[by >= 0]
        ways.append((by[by >= 0], new))
        columns[new] = True
        if empty[new].any():
            break
        held = seats.holder[new]
        frontier = np.sort(held[held >= 0]).astype(np.int32)
        frontier = frontier[~rows[frontier]]
        rows[frontier] = True
    found = [np.concatenate([way[side] for way in ways]) if ways else np.empty(0, np.int32) for side in (0, 1)]
    return Reached(rows, columns & (seats.places > 0)), found[0], found[1], bool(empty[columns].any())
