"""The largest number of pairs, and the cover that proves it: a set of people that touches every allowed pair and is no larger (König 1931).

Augmenting paths are sought in the sparse graph first (`phases`), then over all pairs: from everybody left alone, level by level, keeping the pairs by
which new mentors are reached. Either that ends at an empty place, and the graph has learnt what it lacked, with a few more pairs of each level, so that many
paths may follow at once; or nothing is left to reach, and what was reached is the cover: the mentees not reached and the mentors reached.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.kernel import Scanner
from amont.matching.domain.engine.phases import augment_all
from amont.matching.domain.engine.seating import unseat

Ints = NDArray[np.int32]

MORE = 8
"""Pairs that are learnt of a row and level at once."""


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
        alone: Ints = _alone(self.rows, self.mate)
        return alone

    @property
    def pairs(self) -> int:
        return int((self.mate >= 0).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """All that alternating paths from the rows left alone reach; nobody else, and no empty place."""

    rows: NDArray[np.bool_]
    columns: NDArray[np.bool_]


@compiled
def _alone(rows, mate):
    """In one pass: after a small change to a large pool this is most of what is left to do."""
    found = np.empty(len(rows), np.int32)
    count = 0
    for row in rows:
        if mate[row] < 0:
            found[count] = row
            count += 1
    return found[:count].copy()


def augment(seats: Seats, start: Ints, stop: Ints, column: Ints, score: Ints, floor: int) -> None:
    """As many pairs as the edges with a score of at least `floor` allow."""
    nobody = np.zeros(len(seats.mate), np.bool_)
    augment_all(start, stop, column, score, floor, nobody, seats.alone, seats.mate, seats.places, seats.taken, seats.holder)


def explore(seats: Seats, scanner: Scanner, floor: int) -> tuple[Reached, Ints, Ints, bool]:
    """Everything within reach of the rows left alone, over all pairs with a score of at least `floor`.

    Returns:
        What was reached; pairs by which it was, rows and columns; whether an empty place is among it. The search ends with the level that
        finds one, and gives then up to `MORE` pairs a row from each level to the next.
    """
    rows = np.zeros(len(seats.mate), np.bool_)
    columns = seats.places == 0
    frontier = seats.alone
    rows[frontier] = True
    levels: list[tuple[Ints, Ints, Ints]] = []
    empty = seats.taken < seats.places
    found = False
    while len(frontier) and not found:
        unseen = np.flatnonzero(~columns).astype(np.int32)
        by = scanner.reach(frontier, unseen, floor)
        new = unseen[by >= 0]
        levels.append((frontier, new, by[by >= 0]))
        columns[new] = True
        found = bool(empty[new].any())
        held = seats.holder[new]
        frontier = np.sort(held[held >= 0]).astype(np.int32)
        frontier = frontier[~rows[frontier]]
        rows[frontier] = True
    ways = _between(scanner, floor, levels, empty) if found else np.empty((2, 0), np.int32)
    return Reached(rows, columns & (seats.places > 0)), ways[0], ways[1], found


def _between(scanner: Scanner, floor: int, levels: list[tuple[Ints, Ints, Ints]], empty: NDArray[np.bool_]) -> Ints:
    """Pairs from level to level, each once: those by which columns were reached, and a few of each row, from different places for different rows."""
    ways = [np.stack([by, new]) for _, new, by in levels]
    price = np.zeros(len(empty), np.int32)
    for last, (rows, new, _) in zip([False] * (len(levels) - 1) + [True], levels, strict=True):
        columns = new[empty[new]] if last else new
        where = scanner.scan(
            rows, np.full(len(rows), floor - 1, np.int32), price, keep=MORE, floor=floor, columns=columns, spread=True
        ).where
        there = where >= 0
        ways.append(np.stack([np.repeat(rows, there.sum(axis=1)), where[there]]).astype(np.int32))
    return np.unique(np.concatenate(ways, axis=1), axis=1)
