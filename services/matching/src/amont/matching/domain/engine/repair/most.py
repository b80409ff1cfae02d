"""The largest number of pairs of some score, and the proof of it, kept while the pool changes.

As `cover`: who can be reached from those left alone by alternating paths is the cover's other half (König 1931). Here that is looked up in the known
pairs, which takes microseconds, and over all pairs only what may have changed is looked at: whoever was reached before leads to nobody but those who
were reached before, or to columns opened since. So a change costs a scan for each person who is newly reached, as a rule one or none.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.cover import Seats, augment
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.narrow import NarrowScanner
from amont.matching.domain.engine.repair.sparse import Sparse
from amont.matching.domain.engine.seating import move_up, unseat

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

_KEEP = 8
"""Pairs that are learnt of a row at once."""
_CLOSED = 1 << 29
_SINGLY = 4
"""Searches for one path each, before many are sought at once."""


class _Search(NamedTuple):
    """Rows and columns that were reached; whether a path was found, and taken."""

    rows: Flags
    columns: Flags
    moved: bool


class Most:
    """See the module; the score is `floor`.

    Attributes:
        mate, taken, holder: a largest matching, as in `assignment.State`.
    """

    def __init__(self, seats: Seats, floor: int) -> None:
        """Begin with a matching of pairs of at least that score; nothing is known of who can be reached."""
        self.floor = floor
        self.mate, self.taken, self.holder, self._places = seats.mate, seats.taken, seats.holder, seats.places
        self._rows = np.zeros(len(seats.mate), np.bool_)
        self._columns = np.zeros(len(seats.places), np.bool_)

    @property
    def pairs(self) -> int:
        return int((self.mate >= 0).sum())

    def cover(self, open_rows: Ints) -> tuple[Ints, Ints]:
        """Rows not reached, columns reached: they touch every pair, and are as many as there are pairs."""
        columns = np.flatnonzero(self._columns & (self._places > 0)).astype(np.int32)
        return open_rows[~self._rows[open_rows]], columns

    def part(self, row: int) -> None:
        """Let the row be alone."""
        if self.mate[row] >= 0:
            unseat(self.mate, self.taken, self.holder, row)

    def leave(self, row: int) -> None:
        """Let the row be gone; when it comes back nothing is known of it."""
        self.part(row)
        self._rows[row] = False

    def resize(self, column: int) -> None:
        """A column has more or fewer places than it had; more of them may be reached from anywhere."""
        while self.taken[column] > self._places[column]:
            unseat(self.mate, self.taken, self.holder, self.holder[column, self.taken[column] - 1])
        self._columns[column] = True

    def move(self, floor: int, sparse: Sparse) -> None:
        """Ask for another score. Who was reached before stays so when more is asked for."""
        if floor < self.floor:
            self._rows[:] = False
        self.floor = floor
        for row in _under(sparse.rows, self.mate, floor):
            unseat(self.mate, self.taken, self.holder, row)

    def augment(self, sparse: Sparse, open_rows: Ints) -> tuple[Flags, Flags]:
        """Make it a largest matching of the known pairs; the rows and columns that are reached then.

        A few paths are found one by one, which is what a small change needs; where there are more, many at once.
        """
        rows, seats = sparse.rows, Seats(open_rows, self.mate, self._places, self.taken, self.holder)
        for _ in range(_SINGLY):
            reached = _search(rows, self.floor, seats.alone, self._places, self.mate, self.taken, self.holder)
            if not reached.moved:
                break
        else:
            augment(seats, rows.start, rows.stop, rows.other, rows.score, self.floor)
            reached = _search(rows, self.floor, seats.alone, self._places, self.mate, self.taken, self.holder)
        return reached.rows, reached.columns

    def mend(self, sparse: Sparse, scanner: NarrowScanner, open_rows: Ints) -> None:
        """Make it a largest matching over all pairs again; pairs are learnt on the way."""
        while True:
            rows, columns = self.augment(sparse, open_rows)
            columns |= self._places == 0
            if not self._look(sparse, scanner, rows, columns):
                self._rows, self._columns = rows, columns
                return

    def _look(self, sparse: Sparse, scanner: NarrowScanner, rows: Flags, columns: Flags) -> bool:
        """Learn pairs that lead out of what is reached; whether there were any."""
        fresh = np.flatnonzero(rows & ~self._rows).astype(np.int32)
        known = np.flatnonzero(rows & self._rows).astype(np.int32)
        doubtful = np.flatnonzero(self._columns & ~columns & (self._places > 0)).astype(np.int32)
        found = self._leading_out(sparse, scanner, fresh, columns, None) if len(fresh) else False
        if len(known) and len(doubtful):
            found |= self._leading_out(sparse, scanner, known, columns, doubtful)
        return found

    def _leading_out(self, sparse: Sparse, scanner: NarrowScanner, rows: Ints, reached: Flags, columns: Ints | None) -> bool:
        price = np.where(reached, _CLOSED, 0).astype(np.int32)
        least = np.full(len(rows), self.floor - 1, np.int32)
        seen = scanner.scan(rows, least, price, keep=_KEEP, floor=self.floor, columns=columns, spread=True)
        done = seen.where[:, -1] < 0
        sparse.unknown(rows, seen.where)
        there = seen.where >= 0
        row, column = np.repeat(rows, there.sum(axis=1)), seen.where[there]
        sparse.add(row, column, seen.best[there])
        if columns is None:
            self._rows[rows[done]] = True
            self._columns |= reached
            self._columns[column] = True
        return bool(len(row))


@compiled
def _under(rows, mate, floor):
    """The rows whose pair has a lower score, or is no pair any more."""
    low = np.empty(len(mate), np.int32)
    count = 0
    for i in range(len(mate)):
        if mate[i] < 0:
            continue
        for k in range(rows.start[i], rows.stop[i]):
            if rows.other[k] == mate[i]:
                if rows.score[k] < floor:
                    low[count] = i
                    count += 1
                break
    return low[:count]


@compiled
def _search(half, floor, alone, places, mate, taken, holder):
    """What is reached from the rows alone over known pairs. An empty place that is reached is taken, by everybody on the way to it, and ends the search."""
    rows, columns = np.zeros(len(mate), np.bool_), np.zeros(len(taken), np.bool_)
    queue, way = np.empty(len(mate), np.int32), np.empty(len(taken), np.int32)
    tail = len(alone)
    queue[:tail] = alone
    rows[alone] = True
    head = 0
    while head < tail:
        row = queue[head]
        head += 1
        for k in range(half.start[row], half.stop[row]):
            j = half.other[k]
            if half.score[k] < floor or columns[j]:
                continue
            columns[j] = True
            way[j] = row
            if taken[j] < places[j]:
                move_up(mate, taken, holder, way, j)
                return _Search(rows, columns, True)
            for place in range(taken[j]):
                other = holder[j, place]
                if not rows[other]:
                    rows[other] = True
                    queue[tail] = other
                    tail += 1
    return _Search(rows, columns, False)
