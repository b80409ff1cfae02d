"""How many pairs would rather have each other: ordinal stability, counted over all allowed pairs and never sought.

A pair that is allowed and was not made *blocks* (Gale and Shapley 1962) when its score is above what either of the two has: for a mentee the score of
their pair, for a mentor that of their lowest one, once all places are taken. Who has a free place would rather have anybody. The optimum of a whole
programme leaves such pairs; how many says what it asks of people.
"""

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.kernel import Scanner
from amont.matching.domain.engine.tables import Table

Ints = NDArray[np.int32]


def blocking_pairs(table: Table, scanner: Scanner, rows: Ints, columns: Ints, scores: Ints, least: int) -> int:
    """How many pairs block those made: (rows[k], columns[k]) with scores[k]; `least` is the lowest score a pair may have.

    `table` has every place, pins included. One look at every pair, as a scan's.
    """
    mentee, mentor = (np.full(len(side.capacity), least - 1, np.int32) for side in table[:2])
    mentee[rows] = np.maximum(scores, least - 1)
    full = np.bincount(columns, minlength=len(mentor)) >= table.mentors.capacity
    lowest = np.full(len(mentor), np.iinfo(np.int32).max, np.int32)
    np.minimum.at(lowest, columns, scores)
    mentor[full] = np.maximum(lowest[full], least - 1)
    return scanner.above(mentee, mentor)
