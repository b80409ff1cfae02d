"""The pairs that are known, by row and by column, with room for more: one pair more, or one less, costs a few steps and not a new graph.

A row's pairs are a slice of long arrays. A row that is full moves to the end of them, with twice the room; when the end is reached everything
moves to longer ones, as in any growing array. So a pair costs constant time, all moves counted in.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.assignment import Graph
from amont.matching.domain.engine.jit import compiled

Ints = NDArray[np.int32]

VOID = -(1 << 30)
"""Score of what is no pair any more: below any floor, and worth less than anything."""
_ROOM = 8
"""Slots left free in each row and column at the start, and an eighth of what it has."""


class Half(NamedTuple):
    """Pairs from one side: of line i the slots from `start[i]` to `stop[i]`, and room to `limit[i]`; `end` (1,) is where the next free slot is.

    Attributes:
        other: who is on the other side.
        score: of the pair, `VOID` once it has been forbidden.
        bonus: what the pair is worth beside its score.
        value: what the pair is worth to the market: both together, `VOID` under the floor.
    """

    start: Ints
    stop: Ints
    limit: Ints
    end: Ints
    other: Ints
    score: Ints
    bonus: Ints
    value: Ints


class Sparse:
    """See the module. Both halves hold the same pairs.

    Attributes:
        rows, columns: the two halves.
        floor: the least score that is worth anything.
    """

    def __init__(self, rows: int, columns: int, edges: Ints, floor: int) -> None:
        """Begin with these pairs, each once: (4, k) rows, columns, scores, and what they are worth beside."""
        self.floor = floor
        row, column, score, bonus = edges
        self.rows, self.columns = _half(rows, row, column, score, bonus, floor), _half(columns, column, row, score, bonus, floor)

    @property
    def graph(self) -> Graph:
        """As `assignment` reads it."""
        rows, columns = self.rows, self.columns
        return Graph(rows.start, rows.stop, rows.other, rows.value, columns.start, columns.stop, columns.other, columns.value)

    @property
    def size(self) -> int:
        """Slots, free ones too; more than there are pairs."""
        return max(len(self.rows.other), len(self.columns.other))

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for half in (self.rows, self.columns) for part in half)

    def add(self, row: Ints, column: Ints, score: Ints) -> None:
        """Learn pairs that are not known."""
        if len(row):
            self.rows = _with(self.rows, row, column, score, self.floor)
            self.columns = _with(self.columns, column, row, score, self.floor)

    def knows(self, row: int, column: int) -> bool:
        return bool(_find(self.rows, row, column) >= 0)

    def value_of(self, row: int, column: int) -> int:
        """Of a pair that is known."""
        return int(self.rows.value[_find(self.rows, row, column)])

    def of_column(self, column: int) -> tuple[Ints, Ints]:
        """The rows of a column's known pairs, and what the pairs are worth."""
        part = slice(self.columns.start[column], self.columns.stop[column])
        return self.columns.other[part], self.columns.value[part]

    def forbid(self, row: int, column: int) -> None:
        """Nothing comes of this pair any more, known or not."""
        _forbid(self.rows, row, column)
        _forbid(self.columns, column, row)

    def stick(self, row: int, column: int, bonus: int) -> None:
        """Let a known pair be worth that much beside its score."""
        _stick(self.rows, row, column, bonus, self.floor)
        _stick(self.columns, column, row, bonus, self.floor)

    def raise_or_lower(self, floor: int) -> None:
        """Let pairs be worth something from that score on, and no others."""
        self.floor = floor
        for half in (self.rows, self.columns):
            np.copyto(half.value, _valued(half.score, half.bonus, floor))

    def unknown(self, rows: Ints, where: Ints) -> None:
        """Strike out of `where` (n, k) what is known of `rows` (n,) already."""
        _strike(self.rows, rows, where)


def _valued(score: Ints, bonus: Ints, floor: int) -> Ints:
    return np.where(score >= floor, score + bonus, np.int32(VOID))


def _half(lines: int, line: Ints, other: Ints, score: Ints, bonus: Ints, floor: int) -> Half:
    count = np.bincount(line, minlength=lines).astype(np.int32)
    limit = np.cumsum(count + count // 8 + _ROOM, dtype=np.int32)
    start = np.concatenate([np.zeros(1, np.int32), limit[:-1]])[:lines]
    end = int(limit[-1]) if lines else 0
    half = Half(start, start.copy(), limit, np.array([end], np.int32), *(np.zeros(end * 5 // 4, np.int32) for _ in range(4)))
    _put(half, line, other, score, floor, 0)
    _bonus(half, line, other, bonus, floor)
    return half


def _with(half: Half, line: Ints, other: Ints, score: Ints, floor: int) -> Half:
    """The half with these pairs, in longer arrays where they do not fit."""
    done = _put(half, line, other, score, floor, 0)
    while done < len(line):
        longer = (np.concatenate([part, np.zeros(len(part) // 2 + 64, np.int32)]) for part in half[4:])
        half = Half(*half[:4], *longer)
        done = _put(half, line, other, score, floor, done)
    return half


@compiled
def _put(half, line, other, score, floor, first):
    """Put pairs down from the `first` on; how many are down then, less than all when the end is reached."""
    for k in range(first, len(line)):
        i = line[k]
        if half.stop[i] == half.limit[i] and not _moved(half, i):
            return k
        slot = half.stop[i]
        half.stop[i] += 1
        half.other[slot] = other[k]
        half.score[slot] = score[k]
        half.bonus[slot] = 0
        half.value[slot] = score[k] if score[k] >= floor else VOID
    return len(line)


@compiled
def _moved(half, line):
    """Move a full line to the end, with room for as many again and two; whether there is room."""
    first, used, to = half.start[line], half.stop[line] - half.start[line], half.end[0]
    room = 2 * (used + 1)
    if to + room > len(half.other):
        return False
    half.start[line], half.stop[line], half.limit[line] = to, to + used, to + room
    half.end[0] = to + room
    for slot in range(used):
        half.other[to + slot] = half.other[first + slot]
        half.score[to + slot] = half.score[first + slot]
        half.bonus[to + slot] = half.bonus[first + slot]
        half.value[to + slot] = half.value[first + slot]
    return True


@compiled
def _find(half, line, other):
    for slot in range(half.start[line], half.stop[line]):
        if half.other[slot] == other:
            return slot
    return -1


@compiled
def _forbid(half, line, other):
    slot = _find(half, line, other)
    if slot >= 0:
        half.score[slot] = half.value[slot] = VOID


@compiled
def _stick(half, line, other, bonus, floor):
    slot = _find(half, line, other)
    if slot >= 0 and half.score[slot] > VOID:
        half.bonus[slot] = bonus
        half.value[slot] = half.score[slot] + bonus if half.score[slot] >= floor else VOID


@compiled
def _bonus(half, line, other, bonus, floor):
    for k in range(len(line)):
        if bonus[k]:
            _stick(half, line[k], other[k], bonus[k], floor)


@compiled
def _strike(half, lines, where):
    for k in range(len(lines)):
        for place in range(where.shape[1]):
            if where[k, place] >= 0 and _find(half, lines[k], where[k, place]) >= 0:
                where[k, place] = -1
