"""Local weeks turned into UTC for everybody at once, by the clock of each zone; what it means for one person is `hours.half_hours`.

Windows stand on the half-hour, so a person's local week is 336 marks, windows that touch or overlap are one run of marks, and the clock says where the two
ends of a run lie in UTC. That clock is asked for once a zone.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.hours import WEEK, Clock, parse_window
from amont.matching.domain.roll import Roll

Ints = NDArray[np.int32]
Words = NDArray[np.uint64]
Mask = NDArray[np.bool_]

WORDS = -(-WEEK // 64)

_CLOCKS = 2**10
"""How many zones' weeks are kept."""


@lru_cache(maxsize=_CLOCKS)
def clock(zone: str, week_of: date) -> tuple[Ints, Ints, Mask]:
    """`Clock` of a zone as arrays. Raises ValueError: an unknown zone, a `week_of` that is no Monday."""
    read = Clock.of(zone, week_of)
    return np.array(read.up, np.int32), np.array(read.down, np.int32), np.array(read.shown)


def free_half_hours(people: Roll, week_of: date) -> Words:
    """(n, `WORDS`) the free half-hours of each, the first in the lowest bit of the first word.

    Raises:
        ValueError: an unreadable window, an unknown zone, a `week_of` that is no Monday.
    """
    up, down = (np.zeros((len(people.values["zone"]), WEEK + 1), np.int32) for _ in range(2))
    for zone in people.used("zone"):
        up[zone], down[zone], _ = clock(people.values["zone"][zone], week_of)
    ends = _ends(people.values["availability"], people.windows.item)
    free: Words = _turned(people.windows.start, people.windows.item, ends, people.column["zone"], up, down)
    return free


def _ends(windows: Sequence[str], used: Ints) -> Ints:
    """(windows, 2) the half-hours of the local week at which those that are used begin and end."""
    ends = np.zeros((len(windows), 2), np.int32)
    for code in set(used.tolist()):
        ends[code] = np.array(parse_window(windows[code])) // 30
    return ends


@compiled
def _turned(start, window, ends, zone, up, down):
    """Mark the local week, then each run of marks in UTC; what runs over an end of the week goes on at the other."""
    n = len(start) - 1
    free = np.zeros((n, WORDS), np.uint64)
    local = np.empty(WEEK + 1, np.bool_)
    for i in range(n):
        local[:] = False
        for k in range(start[i], start[i + 1]):
            local[ends[window[k], 0] : ends[window[k], 1]] = True
        begin = -1
        for at in range(WEEK + 1):
            if local[at] and begin < 0:
                begin = at
            elif not local[at] and begin >= 0:
                for utc in range(up[zone[i], begin], down[zone[i], at]):
                    bit = utc % WEEK
                    free[i, bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)
                begin = -1
    return free
