"""How many pairs would rather have each other: ordinal stability, counted over all allowed pairs and never sought.

A pair that is allowed and was not made *blocks* (Gale and Shapley 1962) when its score is above what either of the two has: for a mentee the score of
their pair, for a mentor that of their lowest one, once all places are taken. Who has a free place would rather have anybody. The optimum of a whole
programme leaves such pairs; how many says what it asks of people.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.columns import Table
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.kernel import CHUNK, TILE, fill_bounds, fill_hours, fill_plane, may_meet

Ints = NDArray[np.int32]


def blocking_pairs(table: Table, rows: Ints, columns: Ints, scores: Ints, least: int, threads: int) -> int:
    """How many pairs block those made: (rows[k], columns[k]) with scores[k]; `least` is the lowest score a pair may have.

    `table` has every place, pins included. One look at every pair, as a scan's.
    """
    mentee, mentor = (np.full(len(side.capacity), least - 1, np.int32) for side in table[:2])
    mentee[rows] = np.maximum(scores, least - 1)
    full = np.bincount(columns, minlength=len(mentor)) >= table.mentors.capacity
    lowest = np.full(len(mentor), np.iinfo(np.int32).max, np.int32)
    np.minimum.at(lowest, columns, scores)
    mentor[full] = np.maximum(lowest[full], least - 1)
    everybody = np.arange(len(mentor), dtype=np.int32)

    def chunk(first: int) -> int:
        some = np.arange(first, min(first + CHUNK, len(mentee)), dtype=np.int32)
        return int(_count(table, some, everybody, mentee, mentor))

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(chunk, range(0, len(mentee), CHUNK)))


@compiled
def _count(table, rows, columns, mentee, mentor):
    """The pairs of these rows and all columns whose score is above both bars."""
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
            bar = mentee[i]
            if not fill_bounds(table, i, tile, end, plane, served, bound, np.int32(bar - most_hours)):
                continue
            if not fill_hours(table, i, tile, end, common, bound, bar):
                continue
            for j in range(end - tile):
                if bound[j] > bar and bound[j] > mentor[tile + j] and may_meet(table, i, tile + j, columns[tile + j]):
                    count += 1
    return count
