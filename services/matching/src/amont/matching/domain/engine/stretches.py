"""The shortest stretch of somebody's own time that opens candidates to them, and how many each stretch of that length opens.

One person against everybody for whom common hours are the only rule that fails. A stretch makes some half-hours of the UTC week free, one run of them:
those that are free already are cut off at both ends, so nearly all stretches of one length are runs of one size, and for each candidate the runs of a
size that hold enough of their half-hours are found for the whole week at once, as bits. Lengths are tried from the shortest; a candidate who lacks more
than a run holds is not looked at. Cost: a few hundred machine cycles a candidate looked at, as a rule one in four of those for whom hours alone fail.
"""

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.kernel import popcount
from amont.matching.domain.hours import WEEK

Ints = NDArray[np.int32]
Words = NDArray[np.uint64]

DAY = 48
ONCE, TWICE = -(-WEEK // 64), -(-2 * WEEK // 64)
"""Words that hold a week, and two: half-hours are written twice, so that a run goes on past the week's end."""


@compiled
def shortest_stretch(mine, last, low, high, shown, others, lacking, opens):
    """The length of the shortest stretches that open somebody, 0 for none; `opens` (336,) is how many each of that length opens, by where it begins.

    A stretch from a to b, at most `last[a]`, makes the half-hours `low[a]` to `high[b]` of the UTC week free; it begins and ends at times `shown`.

    Args:
        mine: (TWICE,) what is free already.
        last: (336,) int32.
        low: (337,) int32, from Monday 00:00 UTC.
        high: likewise.
        shown: (337,) bool.
        others: (n, TWICE) the half-hours of everybody.
        lacking: (n,) int32, how many more each needs in common; 0 for those who are no candidates.
        opens: written.
    """
    waiting = np.flatnonzero(lacking).astype(np.int32)
    first, size, tally = np.empty(WEEK, np.int32), np.empty(WEEK, np.int32), np.empty(WEEK, np.int32)
    wanted, new = np.empty(ONCE, np.uint64), np.empty(TWICE, np.uint64)
    reached = np.empty((WEEK + 1, ONCE), np.uint64)
    looked = False
    for length in range(1, DAY + 1):
        if not len(waiting):
            break
        _runs(mine, last, low, high, shown, length, first, size)
        opens[:] = 0
        found = False
        for run in range(1, max(size) + 1):
            if not _of_size(first, size, run, wanted):
                continue
            tally[:] = 0
            for k in range(len(waiting)):
                other = waiting[k]
                if lacking[other] <= run:
                    looked = True
                    for w in range(TWICE):
                        new[w] = others[other, w] & ~mine[w]
                    _within(new, lacking[other], run, reached)
                    _count_up(reached[lacking[other]], wanted, tally)
            for start in range(WEEK):
                if size[start] == run:
                    opens[start] = tally[first[start]]
                    found = found or opens[start] > 0
        if found:
            return length
        if looked:
            looked = False
            waiting = _with_hope(waiting, mine, low, high, others, lacking)
    return 0


@compiled
def _runs(mine, last, low, high, shown, length, first, size):
    """For each start the run of half-hours that a stretch of this length makes free and that are not free yet at its ends; size 0 for no stretch."""
    one = np.uint64(1)
    for start in range(WEEK):
        size[start] = 0
        end = start + length
        if end > last[start] or not shown[start] or not shown[end]:
            continue
        run = min(high[end] - low[start], WEEK)
        begin = low[start] % WEEK
        while run > 0 and mine[begin >> 6] >> np.uint64(begin & 63) & one:
            begin = (begin + 1) % WEEK
            run -= 1
        while run > 0 and mine[(begin + run - 1) >> 6] >> np.uint64((begin + run - 1) & 63) & one:
            run -= 1
        first[start], size[start] = begin, max(run, 0)


@compiled
def _of_size(first, size, run, wanted):
    """Write down, as bits, where runs of that size begin; whether there is any."""
    wanted[:] = np.uint64(0)
    some = False
    for start in range(WEEK):
        if size[start] == run:
            some = True
            wanted[first[start] >> 6] |= np.uint64(1) << np.uint64(first[start] & 63)
    return some


@compiled
def _within(new, enough, run, reached):
    """`reached[enough]`: as bits, where runs of that size begin that hold at least so many of the half-hours `new`.

    `reached[m]` grows by one half-hour of all runs at a time: there are m among the first t + 1 when there were, or were m - 1 and this is one.
    """
    for m in range(enough + 1):
        for w in range(ONCE):
            reached[m, w] = ~np.uint64(0) if m == 0 else np.uint64(0)
    for t in range(run):
        words, bits = t >> 6, np.uint64(t & 63)
        for w in range(ONCE):
            here = new[w + words] >> bits
            if bits:
                here |= new[w + words + 1] << (np.uint64(64) - bits)
            for m in range(min(enough, t + 1), 0, -1):
                reached[m, w] |= reached[m - 1, w] & here


@compiled
def _count_up(hits, wanted, tally):
    """Count each hit that is wanted at its place."""
    one = np.uint64(1)
    for w in range(ONCE):
        left = hits[w] & wanted[w]
        while left:
            lowest = left & (~left + one)
            tally[64 * w + np.int64(popcount(lowest - one))] += 1
            left ^= lowest


@compiled
def _with_hope(waiting, mine, low, high, others, lacking):
    """Those who have enough new half-hours on one local day, and so may be opened by a stretch of it."""
    days = np.zeros((WEEK // DAY, ONCE), np.uint64)
    for day in range(WEEK // DAY):
        begin, end = min(low[day * DAY : day * DAY + DAY]), max(high[day * DAY + 1 : day * DAY + DAY + 1])
        for at in range(begin, min(end, begin + WEEK)):
            days[day, at % WEEK >> 6] |= np.uint64(1) << np.uint64(at % WEEK & 63)
    kept = np.empty(len(waiting), np.int32)
    count = 0
    for k in range(len(waiting)):
        other = waiting[k]
        for day in range(WEEK // DAY):
            new = np.uint64(0)
            for w in range(ONCE):
                new += popcount(others[other, w] & ~mine[w] & days[day, w])
            if new >= np.uint64(lacking[other]):
                kept[count] = other
                count += 1
                break
    return kept[:count].copy()
