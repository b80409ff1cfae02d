"""The scan: one pass over all pairs of some mentees and some mentors, which keeps for each mentee the few pairs that promise most.

Fused and tiled: a tile of mentors stays in the cache while a chunk of mentees goes over it. Of 64 mentors at a time, vectors say who has a bound on score
less price above the mentee's bar (`vectors`), and runs who is left by the rules about groups (`layout`); only the few who pass both, a hundredth once prices
have settled, are looked at one by one. So the answer is exact whatever the bound. Cost: mentees x mentors steps of less than half a machine cycle;
memory: the layout, four bytes for each topic and mentor, and a few kilobytes a thread.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.jit import COMPILED, borrowing, compiled, inlined
from amont.matching.domain.engine.layout import (
    FUNCTION,
    GRADE,
    NEED_LEAST,
    NEED_MOST,
    PLACE,
    REMOTE,
    SITE,
    TEAM,
    TILE,
    laid_out,
    open_lanes,
    planes,
    readers,
    scan_order,
)
from amont.matching.domain.engine.tables import NEVER, Table, Weighing
from amont.matching.domain.engine.vectors import FACTOR, HALF_HOURS, LANES, NEED, W_FUNCTION, W_HOURS, W_MEETING, promising
from amont.matching.domain.engine.vectors import FUNCTION as ASKED_FUNCTION
from amont.matching.domain.engine.vectors import SITE as ASKED_SITE

Ints = NDArray[np.int32]
Shorts = NDArray[np.int16]
Words = NDArray[np.uint64]

CHUNK = 256
"""Mentees that go over a tile together."""


@compiled
def popcount(word):
    """The number of bits set; LLVM knows this form (Warren, Hacker's Delight, 5-1) and writes one instruction."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


if not COMPILED:
    popcount = np.bitwise_count  # the product above overflows on purpose, of which numpy warns


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
def may_meet(table, i, j, column):
    """What bounds do not ask of mentee i and mentor j, who is `column` in the slices: team, language, and who is excluded."""
    mentees, mentors, slices = table.mentees, table.mentors, table.excluded
    if mentees.team[i] == mentors.team[j]:
        return False
    if disjoint(mentees.speech[i], mentors.speech[j]):
        return False
    first, last = slices.start[i], slices.start[i + 1]
    return not covered(slices.low[first:last], slices.high[first:last], column)


@inlined
def common_hours(hours, i, theirs, at):
    """Half-hours in common of mentee i and the mentor at a place of the layout."""
    count = np.uint64(0)
    for w in range(hours.shape[1]):
        count += popcount(hours[i, w] & theirs[at, w])
    return np.int64(count)


@inlined
def score_of(reader, layout, weighing, start, factor, i, at, hours):
    """The score of mentee i and the mentor at a place of the layout, who have so many half-hours in common."""
    mine, theirs, wish, read = reader.facts, layout.facts, reader.wish, layout.read
    served = np.int64(0)
    for k in range(start[i], start[i + 1]):
        served += read[at // TILE, wish[k], at % TILE]
    score = (served * factor[i] >> 16) + (min(hours, 16) * weighing.hours >> 4)
    score += weighing.gap_points[mine[i, GRADE] - theirs[at, GRADE] + 19]
    score += weighing.function if mine[i, FUNCTION] != theirs[at, FUNCTION] else 0
    score += weighing.meeting if mine[i, REMOTE] & theirs[at, REMOTE] or mine[i, SITE] == theirs[at, SITE] else 0
    return score


@inlined
def may_meet_at(reader, layout, speech, slices, i, at):
    """What runs do not ask, but for common hours, of mentee i and the mentor at a place of the layout."""
    if reader.facts[i, TEAM] == layout.facts[at, TEAM]:
        return False
    shared = np.uint64(0)
    for w in range(speech.shape[1]):
        shared |= speech[i, w] & layout.speech[at, w]
    if not shared:
        return False
    column = layout.facts[at, PLACE]
    low, high = slices.low, slices.high
    first, end = slices.start[i], slices.start[i + 1]
    last = end
    while first < last:
        middle = (first + last) >> 1
        if high[middle] <= column:
            first = middle + 1
        else:
            last = middle
    return first == end or low[first] > column


@inlined
def needed(bar, base):
    """What a bound must be above, for a mentee who has `bar`."""
    return np.int16(min(max(bar + base, NEED_LEAST), NEED_MOST))


def scratch(weighing: Weighing) -> tuple[Shorts, Words, Words]:
    """What one thread writes on: what vectors ask, filled in as far as it does not depend on the mentee, and two words a block of a tile."""
    asked = np.zeros(8, np.int16)
    asked[W_FUNCTION], asked[W_MEETING], asked[W_HOURS] = weighing.function, weighing.meeting, weighing.hours
    asked[HALF_HOURS] = min(weighing.half_hours, 255)
    return asked, np.zeros(TILE // LANES, np.uint64), np.zeros(TILE // LANES, np.uint64)


@inlined
def keep_best(best, where, k, value, column):
    """Put a pair among the best so far of one row, which are sorted; of equals the one that was there first stays ahead."""
    place = best.shape[1] - 1
    while place > 0 and best[k, place - 1] < value:
        best[k, place] = best[k, place - 1]
        where[k, place] = where[k, place - 1]
        place -= 1
    best[k, place] = value
    where[k, place] = column


@borrowing
def scan_chunk(table, layout, reader, plane, base, price, rows, turns, least, floor, best, where, spread, scratch):
    """See `Scanner.scan`: for the rows at `turns`; `price` is in the layout's order, `plane` and `base` are made of it."""
    weighing, slices = table.weighing, table.excluded
    start, factor, hours, speech = table.wishes.start, table.wishes.factor, table.mentees.hours, table.mentees.speech
    unit, offset, tongues, remote = table.mentees.unit, table.mentees.offset, table.mentees.tongues, table.mentees.remote
    read, functions, sites, apart, theirs, runs = layout.read, layout.function, layout.site, layout.apart, layout.hours, layout.runs
    wish, begin, free, bits, kind, my_plane = reader.wish, reader.begin, reader.free, reader.bits, reader.kind, reader.plane
    my_function, my_site, my_factor = reader.function, reader.site, reader.factor
    asked, words, lanes = scratch
    n, keep = len(price), best.shape[1]
    tiles = (n + TILE - 1) // TILE
    first_tile = rows[turns[0]] // CHUNK % tiles if spread and tiles else 0
    for step in range(tiles):
        tile = (first_tile + step) % tiles
        end = min(tile * TILE + TILE, n)
        blocks = (end - tile * TILE + LANES - 1) // LANES
        last_kind, some = -1, False
        for t in range(len(turns)):
            k = turns[t]
            i = rows[k]
            if kind[i] != last_kind:
                last_kind = kind[i]
                some = open_lanes(unit[i], offset[i], tongues[i], weighing.zone_seconds, runs, tile, end, words)
            if not some:
                continue
            wishes, hourly = (np.int64(start[i]), np.int64(start[i + 1])), (np.int64(begin[i]), np.int64(begin[i + 1]))
            asked[ASKED_FUNCTION], asked[ASKED_SITE], asked[FACTOR] = my_function[i], my_site[i], my_factor[i]
            for word in range(blocks):
                lanes[word] = words[word]
            turn = i % blocks if spread else 0
            done = 0
            while done < blocks:
                bar = np.int64(max(least[k], best[k, keep - 1]))
                asked[NEED] = needed(bar, base)
                first = done + turn if done + turn < blocks else done + turn - blocks
                last = min(blocks, first + blocks - done) if best[k, keep - 1] > NEVER else first + 1
                done += last - first
                if remote[i]:
                    left = promising(
                        read, tile, wish, wishes, free, bits, hourly, plane, my_plane[i], functions, apart, asked, lanes, first, last
                    )
                else:
                    left = promising(
                        read, tile, wish, wishes, free, bits, hourly, plane, my_plane[i], functions, sites, asked, lanes, first, last
                    )
                if not left:
                    continue
                for word in range(first, last):
                    mask = lanes[word]
                    while mask:
                        at = tile * TILE + word * LANES + np.int64(popcount(mask ^ (mask - np.uint64(1)))) - 1
                        mask &= mask - np.uint64(1)
                        common = common_hours(hours, i, theirs, at)
                        if common < weighing.half_hours:
                            continue
                        score = score_of(reader, layout, weighing, start, factor, i, at, common)
                        value = score - price[at]
                        if value <= bar or score < floor or not may_meet_at(reader, layout, speech, slices, i, at):
                            continue
                        keep_best(best, where, k, value, layout.facts[at, PLACE])
                        bar = np.int64(max(least[k], best[k, keep - 1]))


@borrowing
def reach_chunk(table, layout, reader, plane, base, rows, floor, unseen, by, scratch):
    """For each column of the layout whose bit is in `unseen` (blocks,), the first of the rows that may have it at a score of at least `floor`."""
    weighing, slices = table.weighing, table.excluded
    start, factor, hours, speech = table.wishes.start, table.wishes.factor, table.mentees.hours, table.mentees.speech
    unit, offset, tongues, remote = table.mentees.unit, table.mentees.offset, table.mentees.tongues, table.mentees.remote
    read, functions, sites, apart, theirs, runs = layout.read, layout.function, layout.site, layout.apart, layout.hours, layout.runs
    wish, begin, free, bits, kind, my_plane = reader.wish, reader.begin, reader.free, reader.bits, reader.kind, reader.plane
    my_function, my_site, my_factor = reader.function, reader.site, reader.factor
    asked, words, lanes = scratch
    asked[NEED] = needed(floor - 1, base)
    n = len(by)
    for tile in range((n + TILE - 1) // TILE):
        end = min(tile * TILE + TILE, n)
        blocks = (end - tile * TILE + LANES - 1) // LANES
        last_kind, some = -1, False
        for k in range(len(rows)):
            i = rows[k]
            if kind[i] != last_kind:
                last_kind = kind[i]
                some = open_lanes(unit[i], offset[i], tongues[i], weighing.zone_seconds, runs, tile, end, words)
            if not some:
                continue
            left = np.uint64(0)
            for word in range(blocks):
                lanes[word] = words[word] & unseen[tile * (TILE // LANES) + word]
                left |= lanes[word]
            if not left:
                continue
            wishes, hourly = (np.int64(start[i]), np.int64(start[i + 1])), (np.int64(begin[i]), np.int64(begin[i + 1]))
            asked[ASKED_FUNCTION], asked[ASKED_SITE], asked[FACTOR] = my_function[i], my_site[i], my_factor[i]
            if remote[i]:
                left = promising(
                    read, tile, wish, wishes, free, bits, hourly, plane, my_plane[i], functions, apart, asked, lanes, 0, blocks
                )
            else:
                left = promising(
                    read, tile, wish, wishes, free, bits, hourly, plane, my_plane[i], functions, sites, asked, lanes, 0, blocks
                )
            for word in range(blocks if left else 0):
                mask = lanes[word]
                while mask:
                    lane = mask & (~mask + np.uint64(1))
                    at = tile * TILE + word * LANES + np.int64(popcount(lane - np.uint64(1)))
                    mask &= mask - np.uint64(1)
                    common = common_hours(hours, i, theirs, at)
                    if common < weighing.half_hours or score_of(reader, layout, weighing, start, factor, i, at, common) < floor:
                        continue
                    if may_meet_at(reader, layout, speech, slices, i, at):
                        by[layout.facts[at, PLACE]] = i
                        unseen[tile * (TILE // LANES) + word] ^= lane


@borrowing
def above_chunk(table, layout, reader, plane, base, rows, least, most, scratch):
    """How many pairs of these rows have a score above `least` of the row, and above `most` of the mentor, who are in the layout's order."""
    weighing, slices = table.weighing, table.excluded
    start, factor, hours, speech = table.wishes.start, table.wishes.factor, table.mentees.hours, table.mentees.speech
    unit, offset, tongues, remote = table.mentees.unit, table.mentees.offset, table.mentees.tongues, table.mentees.remote
    read, functions, sites, apart, theirs, runs = layout.read, layout.function, layout.site, layout.apart, layout.hours, layout.runs
    wish, begin, free, bits, kind, my_plane = reader.wish, reader.begin, reader.free, reader.bits, reader.kind, reader.plane
    my_function, my_site, my_factor = reader.function, reader.site, reader.factor
    asked, words, lanes = scratch
    n, count = len(most), 0
    for tile in range((n + TILE - 1) // TILE):
        end = min(tile * TILE + TILE, n)
        blocks = (end - tile * TILE + LANES - 1) // LANES
        last_kind, some = -1, False
        for k in range(len(rows)):
            i = rows[k]
            if kind[i] != last_kind:
                last_kind = kind[i]
                some = open_lanes(unit[i], offset[i], tongues[i], weighing.zone_seconds, runs, tile, end, words)
            if not some:
                continue
            for word in range(blocks):
                lanes[word] = words[word]
            asked[NEED] = needed(least[i], base)
            wishes, hourly = (np.int64(start[i]), np.int64(start[i + 1])), (np.int64(begin[i]), np.int64(begin[i + 1]))
            asked[ASKED_FUNCTION], asked[ASKED_SITE], asked[FACTOR] = my_function[i], my_site[i], my_factor[i]
            if remote[i]:
                left = promising(
                    read, tile, wish, wishes, free, bits, hourly, plane, my_plane[i], functions, apart, asked, lanes, 0, blocks
                )
            else:
                left = promising(
                    read, tile, wish, wishes, free, bits, hourly, plane, my_plane[i], functions, sites, asked, lanes, 0, blocks
                )
            for word in range(blocks if left else 0):
                mask = lanes[word]
                while mask:
                    lane = mask & (~mask + np.uint64(1))
                    at = tile * TILE + word * LANES + np.int64(popcount(lane - np.uint64(1)))
                    mask &= mask - np.uint64(1)
                    common = common_hours(hours, i, theirs, at)
                    if common < weighing.half_hours:
                        continue
                    score = score_of(reader, layout, weighing, start, factor, i, at, common)
                    if score > least[i] and score > most[at] and may_meet_at(reader, layout, speech, slices, i, at):
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


Step = Callable[[int, int], None]
T = TypeVar("T")


def untold(_done: int, _rows: int) -> None:
    """Nobody is told."""


class Scanner:
    """Looks at all pairs of some rows and columns, on several threads; the threads change nothing in the answer.

    Attributes:
        looked: how many pairs have been looked at.
        order: all columns, in the order in which they are.
    """

    def __init__(self, table: Table, threads: int, step: Step = untold) -> None:
        """Tell `step` after each piece of a long look how many rows of how many are done; what it raises ends the look."""
        self._step = step
        self._table = table
        self._threads = threads
        self._reader = readers(table)
        self.order = scan_order(table)
        self._layout = laid_out(table, self.order)
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
            columns: all of them, in the scanner's order, when left out; of equals the one that stands first here is kept,
            spread: or rather the one that comes first from another place for each row, so that rows to whom all are equal ask for different ones.
        """
        table, reader = self._table, self._reader
        layout = self._layout if columns is None else laid_out(table, columns)
        found = Found(np.full((len(rows), keep), NEVER, np.int32), np.full((len(rows), keep), -1, np.int32))
        self.looked += len(rows) * len(layout.order)
        asked = price[layout.order]
        plane, base = planes(table, layout, asked, reader, rows)
        turns = self._turns(rows)

        def chunk(first: int) -> None:
            part = turns[first : first + CHUNK]
            scan_chunk(
                table,
                layout,
                reader,
                plane,
                base,
                asked,
                rows,
                part,
                least,
                floor,
                found.best,
                found.where,
                spread,
                scratch(table.weighing),
            )

        for _ in self._chunks(chunk, len(rows)):
            pass
        return found

    def above(self, mine: Ints, theirs: Ints) -> int:
        """How many pairs of all are allowed and score above both bars: (rows,) and (columns,) int32."""
        table, layout, reader = self._table, self._layout, self._reader
        rows = np.arange(len(mine), dtype=np.int32)
        self.looked += len(mine) * len(theirs)
        plane, base = planes(table, layout, np.zeros(len(self.order), np.int32), reader, rows)
        ordered, turns = theirs[self.order], rows[self._turns(rows)]

        def chunk(first: int) -> int:
            some = turns[first : first + CHUNK]
            return int(above_chunk(table, layout, reader, plane, base, some, mine, ordered, scratch(table.weighing)))

        return sum(self._chunks(chunk, len(rows)))

    def _chunks(self, work: Callable[[int], T], rows: int) -> Iterator[T]:
        """Do the work from each chunk's first row on; the results in order."""
        chunks = range(0, rows, CHUNK)
        if self._threads == 1 or len(chunks) <= 1:
            yield from self._told(map(work, chunks), rows)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                try:
                    yield from self._told(pool.map(work, chunks), rows)
                finally:  # whoever ends the look waits for no more than what has begun
                    pool.shutdown(cancel_futures=True)

    def _told(self, done: Iterator[T], rows: int) -> Iterator[T]:
        for number, one in enumerate(done, 1):
            self._step(min(number * CHUNK, rows), rows)
            yield one

    def _turns(self, rows: Ints) -> Ints:
        """The order in which rows are taken, those alike together."""
        return np.lexsort((self._reader.plane[rows], self._reader.kind[rows])).astype(np.int32)

    def reach(self, rows: Ints, columns: Ints, floor: int) -> Ints:
        """For each of the columns, ascending, the first of the rows, ascending, that may have it at a score of at least `floor`; else -1."""
        by = np.full(len(self.order), -1, np.int32)
        bits = np.zeros(self._layout.function.shape, np.bool_)
        bits[: len(self.order)] = np.isin(self.order, columns)
        unseen = np.packbits(bits, bitorder="little").view(np.dtype("<u8")).astype(np.uint64)
        plane, base = planes(self._table, self._layout, np.zeros(len(self.order), np.int32), self._reader, rows)
        reach_chunk(self._table, self._layout, self._reader, plane, base, rows, floor, unseen, by, scratch(self._table.weighing))
        self.looked += len(columns) * len(rows)
        return by[columns]
