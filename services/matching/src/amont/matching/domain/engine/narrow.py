"""The scan for a few mentees: straight from the table, since laying the mentors out would take longer than looking at them.

The same answers as `kernel` but for which of several equal pairs is kept. A tile of mentors stays in the fastest cache while the mentees go over it; a
branchless loop adds up all that is cheap in 32-bit integers, and only pairs whose bound passes the mentee's bar are looked at one by one.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.jit import compiled, inlined
from amont.matching.domain.engine.kernel import CHUNK, Found, may_meet, popcount
from amont.matching.domain.engine.tables import NEVER, Table

Ints = NDArray[np.int32]

TILE = 1024
"""Mentors at a time: 20 KB of columns."""
SPREAD = 619
"""How far apart in a tile two mentees who follow each other begin, where they look for equals in different places."""


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


@compiled
def narrow_chunk(table, rows, columns, least, floor, price, best, where, spread):
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


class NarrowScanner:
    """Looks at all pairs of a few rows; costs nothing to make, so that it can be made anew whenever the table has changed.

    Attributes:
        looked: how many pairs have been looked at.
        order: all columns, in the table's order.
    """

    def __init__(self, table: Table, threads: int) -> None:
        self._table = table
        self._threads = threads
        self.order = np.arange(len(table.mentors.grade), dtype=np.int32)
        self.looked = 0

    def scan(
        self, rows: Ints, least: Ints, price: Ints, *, keep: int, floor: int = 0, columns: Ints | None = None, spread: bool = False
    ) -> Found:
        """See `Scanner.scan`; of equals the first column of the table, or of `columns`, is kept."""
        table, asked = self._table, self.order
        if columns is not None:
            table, asked, price = _narrowed(table, columns), columns, price[columns]
        found = Found(np.full((len(rows), keep), NEVER, np.int32), np.full((len(rows), keep), -1, np.int32))
        self.looked += len(rows) * len(asked)

        def chunk(first: int) -> None:
            part = slice(first, first + CHUNK)
            narrow_chunk(table, rows[part], asked, least[part], floor, price, found.best[part], found.where[part], spread)

        chunks = range(0, len(rows), CHUNK)
        if self._threads == 1 or len(chunks) <= 1:
            for first in chunks:
                chunk(first)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(chunk, chunks))
        return found


def _narrowed(table: Table, columns: Ints) -> Table:
    """The table with these mentors only."""
    wishes = table.wishes._replace(
        level=np.ascontiguousarray(table.wishes.level[:, columns]), hours=np.ascontiguousarray(table.wishes.hours[:, columns])
    )
    return table._replace(mentors=table.mentors.taken(columns), wishes=wishes)
