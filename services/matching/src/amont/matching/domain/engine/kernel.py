"""The scan: one pass over all pairs of some mentees and some mentors, which keeps for each mentee the few pairs that promise most.

Fused and tiled: a tile of mentors stays in the fastest cache while a chunk of mentees goes over it. For each tile a branchless loop adds up, in 32-bit
integers, all that is cheap; it gives an upper bound, and only pairs whose bound passes the mentee's bar are looked at one by one (common half-hours,
team, rare languages, slices excluded). So the answer is exact whatever the bound. Cost: mentees x mentors steps of about one machine cycle each;
memory: the compact form and a few kilobytes a thread.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.columns import NEVER, Table
from amont.matching.domain.engine.jit import compiled, inlined

Ints = NDArray[np.int32]

TILE = 1024
"""Mentors at a time: 20 KB of columns."""
SPREAD = 619
"""How far apart in a tile two mentees who follow each other begin, where they look for equals in different places."""
CHUNK = 256
"""Mentees that go over a tile together."""


@compiled
def popcount(word):
    """The number of bits set; LLVM knows this form (Warren, Hacker's Delight, 5-1) and writes one instruction."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@compiled
def common_half_hours(one, other):
    """The half-hours in common of two rows of words."""
    count = np.uint64(0)
    for k in range(len(one)):
        count += popcount(one[k] & other[k])
    return np.int32(count)


@compiled
def disjoint(one, other):
    """Whether two rows of words have no bit in common."""
    for k in range(len(one)):
        if one[k] & other[k]:
            return False
    return True


@compiled
def covered(low, high, column):
    """Whether one of a row's sorted slices covers the column: by bisection."""
    first, last = 0, len(low)
    while first < last:
        middle = (first + last) >> 1
        if high[middle] <= column:
            first = middle + 1
        else:
            last = middle
    return first < len(low) and low[first] <= column


@inlined
def fill_plane(table, tile, end, grade, asked, plane):
    """Points for the grade gap less the price, for mentees of one grade and a tile of mentors."""
    theirs = table.mentors.grade[tile:end]
    for j in range(len(theirs)):
        plane[j] = np.int32(table.weighing.gap[grade - theirs[j] + 19] - asked[j])


@inlined
def fill_bounds(table, i, tile, end, plane, served, bound, hopeless):
    """Score less price, common hours not asked for, of mentee i and a tile; whether any is above `hopeless`."""
    mentees, mentors, wishes = table.mentees, table.mentors, table.wishes
    width = end - tile
    function, site, unit = mentors.function[tile:end], mentors.site[tile:end], mentors.unit[tile:end]
    offset, remote, tongues = mentors.offset[tile:end], mentors.remote[tile:end], mentors.tongues[tile:end]
    for j in range(width):
        served[j] = 0
    for t in range(wishes.start[i], wishes.start[i + 1]):
        level = wishes.level[wishes.topic[t], tile:end]
        wish = np.uint8(wishes.wish[t])
        for j in range(width):
            served[j] = np.uint8(served[j] + np.uint8(wish * level[j]))
    my_function, my_site, my_unit = mentees.function[i], mentees.site[i], mentees.unit[i]
    my_offset, my_remote, my_tongues = mentees.offset[i], mentees.remote[i], mentees.tongues[i]
    w_function, w_meeting = np.int32(table.weighing.function), np.int32(table.weighing.meeting)
    zone = np.int32(table.weighing.zone_seconds)
    factor = wishes.factor[i]
    hits = np.int32(0)
    for j in range(width):
        points = np.int32(plane[j] + np.int32(np.int32(np.int32(served[j]) * factor) >> np.int32(16)))
        points = np.int32(points + (np.int32(0) if function[j] == my_function else w_function))
        meet = (np.int32(my_remote & remote[j]) != 0) | (site[j] == my_site)
        points = np.int32(points + (w_meeting if meet else np.int32(0)))
        apart = np.int32(offset[j] - my_offset)
        fits = (unit[j] != my_unit) & (np.int32(tongues[j] & my_tongues) != 0) & (apart <= zone) & (apart >= -zone)
        points = points if fits else np.int32(NEVER)
        bound[j] = points
        hits = np.int32(hits | np.int32(points > hopeless))
    return hits


@inlined
def fill_hours(table, i, tile, end, common, bound, bar):
    """Common hours added to the bounds of mentee i and a tile; whether any is above `bar`."""
    mentees, weighing = table.mentees, table.weighing
    width = end - tile
    for j in range(width):
        common[j] = np.uint64(0)
    for w in range(mentees.hours.shape[1]):
        mine = mentees.hours[i, w]
        if mine == np.uint64(0):
            continue
        theirs = table.wishes.hours[w, tile:end]
        for j in range(width):
            common[j] += popcount(mine & theirs[j])
    w_hours, half_hours = np.int32(weighing.hours), np.int32(weighing.half_hours)
    hits = np.int32(0)
    for j in range(width):
        hours = np.int32(common[j])
        value = np.int32(bound[j] + np.int32(np.int32(min(hours, np.int32(16)) * w_hours) >> np.int32(4)))
        value = value if hours >= half_hours else np.int32(NEVER)
        bound[j] = value
        hits = np.int32(hits | np.int32(value > bar))
    return hits


@inlined
def may_meet(table, i, j, column):
    """What bounds do not ask of mentee i and mentor j, who is `column` in the slices."""
    mentees, mentors, slices = table.mentees, table.mentors, table.excluded
    if mentees.team[i] == mentors.team[j]:
        return False
    if disjoint(mentees.speech[i], mentors.speech[j]):
        return False
    first, last = slices.start[i], slices.start[i + 1]
    return not covered(slices.low[first:last], slices.high[first:last], column)


@compiled
def scan_chunk(table, rows, columns, least, floor, price, best, where, spread):
    """See `Scanner.scan`: `rows`, `least`, `best`, `where` are those of one chunk; `price` and `columns` go with the table's mentors."""
    keep = best.shape[1]
    plane, bound, served, common = np.empty(TILE, np.int32), np.empty(TILE, np.int32), np.empty(TILE, np.uint8), np.empty(TILE, np.uint64)
    most_hours = np.int32(table.weighing.hours)
    tiles = (len(price) + TILE - 1) // TILE
    first_tile = rows[0] // CHUNK % tiles if spread and tiles else 0
    for turn in range(tiles):
        tile = (first_tile + turn) % tiles * TILE
        end = min(tile + TILE, len(price))
        asked = price[tile:end]
        last_grade = np.int32(-1)
        for k in range(len(rows)):
            i = rows[k]
            if table.mentees.grade[i] != last_grade:
                last_grade = table.mentees.grade[i]
                fill_plane(table, tile, end, last_grade, asked, plane)
            bar = max(least[k], best[k, keep - 1])
            if not fill_bounds(table, i, tile, end, plane, served, bound, np.int32(bar - most_hours)):
                continue
            if not fill_hours(table, i, tile, end, common, bound, bar):
                continue
            width = end - tile
            shift = i * SPREAD % width if spread else 0
            for step in range(width):
                j = step + shift
                j = j - width if j >= width else j
                value = bound[j]
                if value <= bar or value + asked[j] < floor or not may_meet(table, i, tile + j, columns[tile + j]):
                    continue
                place = keep - 1
                while place > 0 and best[k, place - 1] < value:
                    best[k, place] = best[k, place - 1]
                    where[k, place] = where[k, place - 1]
                    place -= 1
                best[k, place] = value
                where[k, place] = columns[tile + j]
                bar = max(least[k], best[k, keep - 1])


@compiled
def reach_chunk(table, rows, columns, floor, by):
    """For each column not reached yet (`by` is -1), the first of the rows that may have it at a score of at least `floor`."""
    plane, bound, served, common = np.empty(TILE, np.int32), np.empty(TILE, np.int32), np.empty(TILE, np.uint8), np.empty(TILE, np.uint64)
    free = np.zeros(TILE, np.int32)
    most_hours = np.int32(table.weighing.hours)
    bar = np.int32(floor - 1)
    for tile in range(0, len(columns), TILE):
        end = min(tile + TILE, len(columns))
        last_grade = np.int32(-1)
        for k in range(len(rows)):
            i = rows[k]
            if table.mentees.grade[i] != last_grade:
                last_grade = table.mentees.grade[i]
                fill_plane(table, tile, end, last_grade, free, plane)
            if not fill_bounds(table, i, tile, end, plane, served, bound, np.int32(bar - most_hours)):
                continue
            if not fill_hours(table, i, tile, end, common, bound, bar):
                continue
            for j in range(end - tile):
                if bound[j] > bar and by[tile + j] < 0 and may_meet(table, i, tile + j, columns[tile + j]):
                    by[tile + j] = i


@compiled
def above_chunk(table, rows, columns, mine, theirs):
    """How many pairs of these rows and columns are allowed and score above both bars, `mine` of the row and `theirs` of the column."""
    plane, bound, served, common = np.empty(TILE, np.int32), np.empty(TILE, np.int32), np.empty(TILE, np.uint8), np.empty(TILE, np.uint64)
    free = np.zeros(TILE, np.int32)
    most_hours = np.int32(table.weighing.hours)
    count = 0
    for tile in range(0, len(columns), TILE):
        end = min(tile + TILE, len(columns))
        last_grade = np.int32(-1)
        for k in range(len(rows)):
            i = rows[k]
            if table.mentees.grade[i] != last_grade:
                last_grade = table.mentees.grade[i]
                fill_plane(table, tile, end, last_grade, free, plane)
            bar = mine[k]
            if not fill_bounds(table, i, tile, end, plane, served, bound, np.int32(bar - most_hours)):
                continue
            if not fill_hours(table, i, tile, end, common, bound, bar):
                continue
            for j in range(end - tile):
                if bound[j] > bar and bound[j] > theirs[tile + j] and may_meet(table, i, tile + j, columns[tile + j]):
                    count += 1
    return count


@compiled
def points_of(table, rows, columns):
    """(k, 5) points of these pairs, criterion by criterion, allowed or not; and which of the pairs are allowed (k,)."""
    mentees, mentors, wishes, weighing = table.mentees, table.mentors, table.wishes, table.weighing
    points = np.zeros((len(rows), 5), np.int32)
    allowed = np.zeros(len(rows), np.bool_)
    for k in range(len(rows)):
        i, j = rows[k], columns[k]
        served = 0
        for t in range(wishes.start[i], wishes.start[i + 1]):
            served += wishes.wish[t] * wishes.level[wishes.topic[t], j]
        hours = common_half_hours(mentees.hours[i], mentors.hours[j])
        gap = mentees.grade[i] - mentors.grade[j] + 19
        points[k, 0] = served * wishes.factor[i] >> 16
        points[k, 1] = 0 if mentees.function[i] == mentors.function[j] else weighing.function
        points[k, 2] = min(hours, 16) * weighing.hours >> 4
        points[k, 3] = weighing.gap_points[gap]
        points[k, 4] = weighing.meeting if (mentees.remote[i] & mentors.remote[j]) != 0 or mentees.site[i] == mentors.site[j] else 0
        allowed[k] = (
            weighing.gap[gap] >= 0
            and hours >= weighing.half_hours
            and mentees.unit[i] != mentors.unit[j]
            and abs(mentees.offset[i] - mentors.offset[j]) <= weighing.zone_seconds
            and may_meet(table, i, j, j)
        )
    return points, allowed


class Found(NamedTuple):
    """Per row asked about, best first: score minus price, int32 (`NEVER` where there is no more), and the column, -1 likewise."""

    best: Ints
    where: Ints


class Scanner:
    """Looks at all pairs of some rows and columns, on several threads; the threads change nothing in the answer.

    Attributes:
        looked: how many pairs have been looked at.
    """

    def __init__(self, table: Table, threads: int) -> None:
        self._table = table
        self._threads = threads
        self._all = np.arange(len(table.mentors.grade), dtype=np.int32)
        self.looked = 0

    def scan(
        self, rows: Ints, least: Ints, price: Ints, *, keep: int, floor: int = 0, columns: Ints | None = None, spread: bool = False
    ) -> Found:
        """For each row the `keep` columns of the largest score minus price above `least`, and of a score of at least `floor`.

        Args:
            rows: ascending, int32.
            least: (rows,) int32; a pair must be above it.
            price: of every column, int32, at most 2^29.
            keep: how many a row, at least 1.
            floor: the least score.
            columns: all of them when left out; of equals the one that stands first here is kept,
            spread: or rather the one that comes first from another place for each row, so that rows to whom all are equal ask for different ones.
        """
        table, asked = self._table, self._all
        if columns is not None:
            table, asked, price = _narrowed(table, columns), columns, price[columns]
        found = Found(np.full((len(rows), keep), NEVER, np.int32), np.full((len(rows), keep), -1, np.int32))
        self.looked += len(rows) * len(asked)

        def chunk(first: int) -> None:
            part = slice(first, first + CHUNK)
            scan_chunk(table, rows[part], asked, least[part], floor, price, found.best[part], found.where[part], spread)

        chunks = range(0, len(rows), CHUNK)
        if self._threads == 1 or len(chunks) <= 1:
            for first in chunks:
                chunk(first)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(chunk, chunks))
        return found

    def reach(self, rows: Ints, columns: Ints, floor: int) -> Ints:
        """For each of the columns, ascending, the first of the rows, ascending, that may have it at a score of at least `floor`; else -1."""
        by = np.full(len(columns), -1, np.int32)
        left = np.arange(len(columns), dtype=np.int32)
        for first in range(0, len(rows), CHUNK):
            some = by[left]
            reach_chunk(_narrowed(self._table, columns[left]), rows[first : first + CHUNK], columns[left], floor, some)
            by[left] = some
            self.looked += len(left) * len(rows[first : first + CHUNK])
            left = left[some < 0]
            if not len(left):
                break
        return by

    def above(self, mine: Ints, theirs: Ints) -> int:
        """How many pairs of all are allowed and score above both bars: (rows,) and (columns,) int32."""
        rows = np.arange(len(mine), dtype=np.int32)
        self.looked += len(mine) * len(theirs)

        def chunk(first: int) -> int:
            part = slice(first, first + CHUNK)
            return int(above_chunk(self._table, rows[part], self._all, mine[part], theirs))

        with ThreadPoolExecutor(self._threads) as pool:
            return sum(pool.map(chunk, range(0, len(rows), CHUNK)))


def _narrowed(table: Table, columns: Ints) -> Table:
    """The table with these mentors only."""
    wishes = table.wishes._replace(
        level=np.ascontiguousarray(table.wishes.level[:, columns]), hours=np.ascontiguousarray(table.wishes.hours[:, columns])
    )
    return table._replace(mentors=table.mentors.taken(columns), wishes=wishes)
