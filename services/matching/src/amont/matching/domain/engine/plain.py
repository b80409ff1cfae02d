"""The scan in numpy, for machines that numba has no wheel for: the same answers as `kernel`, byte for byte, some ten times slower.

A chunk of mentees against a block of mentors at a time, all rules and points in whole arrays; nothing is skipped. What a row keeps is told apart by one number,
score less price first and then how soon `kernel` would have come to the column, so that equals are chosen alike.
"""

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.jit import COMPILED
from amont.matching.domain.engine.kernel import CHUNK, Found, Scanner, Step, untold
from amont.matching.domain.engine.layout import TILE
from amont.matching.domain.engine.tables import NEVER, Side, Table
from amont.matching.domain.engine.vectors import LANES

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Mask = NDArray[np.bool_]

BLOCK = 8 * TILE
"""Mentors at a time: with a chunk of mentees some 30 MB."""

_RANKS = 32
_NOTHING = np.iinfo(np.int64).min


def scanner(table: Table, threads: int, step: Step = untold) -> Scanner:
    """What looks at the table's pairs here: compiled loops, or numpy where there is no compiler."""
    return (Scanner if COMPILED else PlainScanner)(table, threads, step)


class PlainScanner(Scanner):
    """See the module; a `Scanner`, on one thread."""

    def scan(
        self, rows: Ints, least: Ints, price: Ints, *, keep: int, floor: int = 0, columns: Ints | None = None, spread: bool = False
    ) -> Found:
        """See `Scanner.scan`."""
        asked = self.order if columns is None else columns
        found = Found(np.full((len(rows), keep), NEVER, np.int32), np.full((len(rows), keep), -1, np.int32))
        self.looked += len(rows) * len(asked)
        turns = self._turns(rows)
        for first in range(0, len(rows), CHUNK):
            part = turns[first : first + CHUNK]
            kept = np.full((len(rows[part]), keep), _NOTHING, np.int64)
            visits = _Visits(rows[part], len(asked), spread=spread)
            for start in range(0, len(asked), BLOCK):
                some = asked[start : start + BLOCK]
                scores, allowed = _pairs(self._table, rows[part], some)
                values = scores - price[some]
                allowed &= (values > least[part, None]) & (scores >= floor)
                ranked = np.where(allowed, (values.astype(np.int64) << _RANKS) - visits.rank(start, start + len(some)), _NOTHING)
                kept = np.partition(np.concatenate([kept, ranked], axis=1), -keep, axis=1)[:, -keep:]
            kept = np.sort(kept, axis=1)[:, ::-1]
            there = kept != _NOTHING
            values = -(-kept >> _RANKS)
            places = visits.place(np.where(there, (values << _RANKS) - kept, 0))
            found.best[part] = np.where(there, values, NEVER)
            found.where[part] = np.where(there, np.append(asked, -1)[places], -1)
            self._step(min(first + CHUNK, len(rows)), len(rows))
        return found

    def reach(self, rows: Ints, columns: Ints, floor: int) -> Ints:
        """See `Scanner.reach`."""
        by = np.full(len(columns), -1, np.int32)
        for first in range(0, len(rows), CHUNK):
            left = np.flatnonzero(by < 0)
            if not len(left):
                break
            for start in range(0, len(left), BLOCK):
                some = left[start : start + BLOCK]
                scores, allowed = _pairs(self._table, rows[first : first + CHUNK], columns[some])
                may = allowed & (scores >= floor)
                by[some] = np.where(may.any(axis=0), rows[first : first + CHUNK][may.argmax(axis=0)], -1)
            self.looked += len(left) * len(rows[first : first + CHUNK])
        return by

    def above(self, mine: Ints, theirs: Ints) -> int:
        """See `Scanner.above`."""
        self.looked += len(mine) * len(theirs)
        rows, count = np.arange(len(mine), dtype=np.int32), 0
        for first in range(0, len(mine), CHUNK):
            part = slice(first, first + CHUNK)
            for start in range(0, len(theirs), BLOCK):
                some = self.order[start : start + BLOCK]
                scores, allowed = _pairs(self._table, rows[part], some)
                count += int((allowed & (scores > np.maximum(mine[part, None], theirs[some]))).sum())
            self._step(min(first + CHUNK, len(rows)), len(rows))
        return count


class _Visits:
    """In which order the kernel comes to the columns, for each row of a chunk."""

    def __init__(self, rows: Ints, columns: int, *, spread: bool) -> None:
        self._columns, self._spread, self._tiles = columns, spread, max(1, -(-columns // TILE))
        self._first, self._turn = int(rows[0]) // CHUNK, rows.astype(np.int64)[:, None]

    def rank(self, first: int, last: int) -> Longs:
        """When each row comes to these places: (rows or 1, last - first), 0 first, the last tile's ranks not without gaps."""
        places = np.arange(first, last, dtype=np.int64)[None, :]
        if not self._spread:
            return places
        tile, near = places // TILE, places % TILE
        block = (near // LANES - self._turn) % self._blocks(tile)
        return (tile - self._first) % self._tiles * TILE + block * LANES + near % LANES

    def place(self, ranks: Longs) -> Longs:
        """The way back."""
        if not self._spread:
            return ranks
        tile, near = (ranks // TILE + self._first) % self._tiles, ranks % TILE
        return tile * TILE + (near // LANES + self._turn) % self._blocks(tile) * LANES + near % LANES

    def _blocks(self, tile: Longs) -> Longs:
        blocks: Longs = np.maximum(-(-np.minimum(TILE, self._columns - tile * TILE) // LANES), 1)
        return blocks


def _pairs(table: Table, rows: Ints, columns: Ints) -> tuple[Ints, Mask]:
    """Score, allowed or not, and whether it is allowed, of these mentees with these mentors."""
    mentees, mentors, weighing = table.mentees.taken(rows), table.mentors.taken(columns), table.weighing
    common = _common(mentees.hours, mentors.hours)
    gap = mentees.grade[:, None] - mentors.grade + len(weighing.gap) // 2
    scores = _served(table, rows, columns) + (np.minimum(common, 16) * weighing.hours >> 4) + weighing.gap_points[gap]
    scores += np.where(mentees.function[:, None] == mentors.function, 0, weighing.function).astype(np.int32)
    meet = (mentees.remote[:, None] & mentors.remote).astype(np.bool_) | (mentees.site[:, None] == mentors.site)
    scores += np.where(meet, weighing.meeting, 0).astype(np.int32)
    allowed = (weighing.gap[gap] >= 0) & (common >= weighing.half_hours)
    allowed &= (mentees.unit[:, None] != mentors.unit) & (mentees.team[:, None] != mentors.team) & _speak(mentees, mentors)
    allowed &= np.abs(mentees.offset[:, None] - mentors.offset) <= weighing.zone_seconds
    _exclude(table, rows, columns, allowed)
    return scores, allowed


def _common(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> Ints:
    common = np.zeros((len(one), len(other)), np.int32)
    for mine, theirs in zip(one.T, other.T, strict=True):
        common += np.bitwise_count(mine[:, None] & theirs)
    return common


def _speak(mentees: Side, mentors: Side) -> Mask:
    shared = np.zeros((len(mentees.grade), len(mentors.grade)), np.bool_)
    for mine, theirs in zip(mentees.speech.T, mentors.speech.T, strict=True):
        shared |= (mine[:, None] & theirs) != 0
    return shared


def _served(table: Table, rows: Ints, columns: Ints) -> Ints:
    """The points for topics."""
    wishes = table.wishes
    points = np.zeros((len(rows), len(columns)), np.int32)
    for place, row in enumerate(rows):
        for k in range(wishes.start[row], wishes.start[row + 1]):
            points[place] += wishes.wish[k] * wishes.level[wishes.topic[k], columns].astype(np.int32)
        points[place] *= wishes.factor[row]
    return points >> 16


def _exclude(table: Table, rows: Ints, columns: Ints, allowed: Mask) -> None:
    slices = table.excluded
    apart = np.zeros(len(table.mentors.grade), np.bool_)
    for place, row in enumerate(rows):
        these = range(slices.start[row], slices.start[row + 1])
        for k in these:
            apart[slices.low[k] : slices.high[k]] = True
        if these:
            allowed[place] &= ~apart[columns]
            for k in these:
                apart[slices.low[k] : slices.high[k]] = False
