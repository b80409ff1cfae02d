"""How a scan reads the mentors, and the mentees: 16-bit columns, padded to whole blocks, in an order in which mentors alike for the rules stand together.

Mentors of one unit, offset and set of common languages make a *run*, and mentees of one unit, offset and set a *kind*: between them rules 5, 6 and 7 (6
as far as common languages tell) are asked once and not for every pair. Levels are laid out topic by topic and once for each strength of a wish, already
multiplied by it, so that what a mentor can serve of a mentee's wishes is a sum of bytes. Codes beyond 16 bits become such that nobody's bound is too low.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.tables import Side, Table
from amont.matching.domain.engine.vectors import LANES
from amont.matching.domain.points import TOP_LEVEL

Ints = NDArray[np.int32]
Shorts = NDArray[np.int16]
Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

TILE = 16 * LANES
"""Mentors at a time: with the levels of 30 topics 100 KB, which the second cache holds."""

PLACE, GRADE, FUNCTION, SITE, REMOTE, TEAM = range(6)
"""Columns of facts; the first is the row or column of the table."""
_CODES = 32_000
"""Codes below are told apart in 16 bits."""
_UNASKED = -3
"""A site that is nobody's."""
_NEVER, _LEAST, _MOST = -31_700, -29_000, 26_000
"""What a plane holds for a grade gap that is too small, and at least and at most otherwise; a bound adds at most 1,001 to it, and takes at most 1,000 away."""
NEED_LEAST, NEED_MOST = -30_500, 25_999
"""Whatever is to be beaten is brought between these two, so that nobody is lost: all that a plane cuts off stays above or below with them."""


class Runs(NamedTuple):
    """Run r of mentors is from `start[r]` to `start[r + 1]`; `tile[t]` is the first run that has mentors in tile t. All int32."""

    start: Ints
    tile: Ints
    unit: Ints
    offset: Ints
    tongues: Ints


class Layout(NamedTuple):
    """Mentors in the order of a scan, n of them, and columns of w >= n, whole blocks.

    Attributes:
        order: (n,) int32, the table's column.
        read: (tiles, 3 T + B, TILE) uint8; row 3 t + s - 1 is the level of topic t times s, row 3 T + b eight half-hours.
        function, site: (w,) int16; `apart`: the same sites, but for those who can meet remotely.
        hours: (n, H) uint64; `speech`: (n, L) uint64.
        facts: (n, 8) int32, what one pair is asked about, side by side: see `GRADE` and the others.
    """

    order: Ints
    read: Bytes
    function: Shorts
    site: Shorts
    apart: Shorts
    hours: Words
    speech: Words
    facts: Ints
    runs: Runs


class Readers(NamedTuple):
    """Mentees as a scan reads them.

    Attributes:
        wish: (k,) int32, rows of `Layout.read`, by `Wishes.start`.
        free, bits: (l,) int32 and uint8, rows of half-hours and which of the eight, for mentee i from `begin[i]` to `begin[i + 1]`.
        factor: (rows,) int16, unsigned in the same bits, for a bound on the points for topics.
        function, site: (rows,) int16.
        plane: (rows,) int32, who has the same points for the gap, and meets the same way: 2 * grade + remote.
        kind: (rows,) int32.
        facts: (rows, 8) int32, as in `Layout`.
    """

    wish: Ints
    begin: Ints
    free: Ints
    bits: Bytes
    factor: Shorts
    function: Shorts
    site: Shorts
    plane: Ints
    kind: Ints
    facts: Ints


def readers(table: Table) -> Readers:
    mentees, wishes = table.mentees, table.wishes
    octets = _octets(mentees.hours)
    who, where = np.nonzero(octets)
    kinds = np.stack([mentees.unit, mentees.offset, mentees.tongues], axis=1)
    return Readers(
        wish=(wishes.topic * TOP_LEVEL + wishes.wish - 1).astype(np.int32),
        begin=np.searchsorted(who, np.arange(len(octets) + 1)).astype(np.int32),
        free=(where + TOP_LEVEL * len(wishes.level)).astype(np.int32),
        bits=octets[who, where],
        factor=((wishes.factor + 511) >> 9).astype(np.uint16).view(np.int16),
        function=_short(mentees.function, beyond=-1),
        site=_short(mentees.site, beyond=_CODES),
        plane=mentees.grade * 2 + mentees.remote,
        kind=np.unique(kinds, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int32),
        facts=_facts(mentees, np.arange(len(mentees.grade), dtype=np.int32)),
    )


def _facts(side: Side, places: Ints) -> Ints:
    facts = np.zeros((len(places), 8), np.int32)
    for at, values in ((GRADE, side.grade), (FUNCTION, side.function), (SITE, side.site), (REMOTE, side.remote), (TEAM, side.team)):
        facts[:, at] = values[places]
    facts[:, PLACE] = places
    return facts


def _octets(hours: Words) -> Bytes:
    return hours.astype("<u8", copy=False).view(np.uint8)


def _short(codes: Ints, beyond: int) -> Shorts:
    return np.where(codes < _CODES, codes, np.int32(beyond)).astype(np.int16)


def scan_order(table: Table) -> Ints:
    """All columns, mentors alike for the rules together, otherwise in the table's order."""
    mentors = table.mentors
    return np.lexsort((mentors.tongues, mentors.offset, mentors.unit)).astype(np.int32)


def laid_out(table: Table, order: Ints) -> Layout:
    """These columns in this order."""
    mentors = table.mentors
    n = len(order)
    width = -(-n // TILE) * TILE

    def padded(values: Shorts) -> Shorts:
        return np.concatenate([values[order], np.full(width - n, _UNASKED, np.int16)])

    levels, octets = table.wishes.level, _octets(mentors.hours)
    read = np.zeros((width // TILE, TOP_LEVEL * len(levels) + octets.shape[1], TILE), np.uint8)
    for tile in range(width // TILE):
        some = order[tile * TILE : tile * TILE + TILE]
        reached = levels[:, some]
        for strength in range(1, TOP_LEVEL + 1):
            np.multiply(reached, np.uint8(strength), out=read[tile, strength - 1 : TOP_LEVEL * len(levels) : TOP_LEVEL, : len(some)])
        read[tile, TOP_LEVEL * len(levels) :, : len(some)] = octets[some].T
    site = _short(mentors.site, beyond=_CODES)
    return Layout(
        order=order,
        read=read,
        function=padded(_short(mentors.function, beyond=-2)),
        site=padded(site),
        apart=padded(np.where(mentors.remote == 1, np.int16(_UNASKED), site)),
        hours=mentors.hours[order],
        speech=mentors.speech[order],
        facts=_facts(mentors, order),
        runs=_runs(mentors.unit[order], mentors.offset[order], mentors.tongues[order]),
    )


def _runs(unit: Ints, offset: Ints, tongues: Ints) -> Runs:
    n = len(unit)
    begins = np.ones(n, np.bool_)
    begins[1:] = (unit[1:] != unit[:-1]) | (offset[1:] != offset[:-1]) | (tongues[1:] != tongues[:-1])
    first = np.flatnonzero(begins).astype(np.int32)
    tiles = np.searchsorted(first, np.arange(0, max(n, 1), TILE), side="right") - 1
    return Runs(np.append(first, np.int32(n)), tiles.astype(np.int32), unit[first], offset[first], tongues[first])


def planes(table: Table, layout: Layout, price: Ints, reader: Readers, rows: Ints) -> tuple[Shorts, int]:
    """By `Readers.plane` of these rows (planes, w): points for the gap, for meeting remotely, and for another function, less price above a base; the base."""
    base = int(np.partition(price, len(price) // 2)[len(price) // 2]) if len(price) else 0
    made = np.full((int(reader.plane.max(initial=0)) + 1, len(layout.function)), _NEVER, np.int16)
    used = np.unique(reader.plane[rows])
    _fill(made, used, layout.facts, price, base, table.weighing)
    return made, base


@compiled
def _fill(made, used, facts, price, base, weighing):
    points = weighing.gap
    function, meeting = weighing.function, weighing.meeting
    for u in range(len(used)):
        mine, meets = used[u] >> 1, used[u] & 1
        for c in range(len(price)):
            gap = points[mine - facts[c, GRADE] + 19]
            if gap >= 0:
                reached = gap + function + (meeting if meets & facts[c, REMOTE] else 0)
                made[used[u], c] = min(max(reached - (price[c] - base), _LEAST), _MOST)


@compiled
def open_lanes(unit, offset, tongues, zone_seconds, runs, tile, end, words):
    """Bits of the tile's mentors whom rules 5, 6 and 7 leave to a mentee, as far as runs tell; whether there are any."""
    for word in range(len(words)):
        words[word] = np.uint64(0)
    some = False
    for r in range(runs.tile[tile], len(runs.unit)):
        first, last = max(runs.start[r] - tile * TILE, 0), min(runs.start[r + 1], end) - tile * TILE
        if first >= last:
            break
        if unit == runs.unit[r] or not tongues & runs.tongues[r] or abs(offset - runs.offset[r]) > zone_seconds:
            continue
        some = True
        for word in range(first >> 6, ((last - 1) >> 6) + 1):
            low, high = max(first - (word << 6), 0), min(last - (word << 6), 64)
            words[word] |= (~np.uint64(0) >> np.uint64(64 - (high - low))) << np.uint64(low)
    return some
