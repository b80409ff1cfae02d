"""Why people are in no pair: for each, how many of the other role every rule is the first to remove."""

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.engine.columns import Compact
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.kernel import common_half_hours, covered, disjoint
from amont.matching.domain.policy import Rule

Ints = NDArray[np.int32]

RULES = tuple(Rule)
ALLOWED = len(RULES)
"""The place of those whom no rule removes."""


def verdicts(compact: Compact, rows: Ints, columns: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each of these mentees over all mentors, and of these mentors over all mentees, (k, 10): counts by first broken rule, `ALLOWED` last.

    Takes mentees x mentors steps of some ten machine cycles for those asked about.
    """
    everybody = np.arange(len(compact.mentee_ids), dtype=np.int32), np.arange(len(compact.mentor_ids), dtype=np.int32)
    apart = (compact.same_person, compact.line, compact.forbidden)
    mentees = np.zeros((len(rows), ALLOWED + 1), np.int64)
    mentors = np.zeros((len(columns), ALLOWED + 1), np.int64)
    _count(compact.table, apart, rows, everybody[1], mentees, mentors[:0])
    _count(compact.table, apart, everybody[0], columns, mentees[:0], mentors)
    return mentees, mentors


@compiled
def _count(table, apart, rows, columns, by_row, by_column):
    mentees, mentors, weighing = table.mentees, table.mentors, table.weighing
    same, line, forbidden = apart
    for k in range(len(rows)):
        i = rows[k]
        for c in range(len(columns)):
            j = columns[c]
            if covered(same.low[same.start[i] : same.start[i + 1]], same.high[same.start[i] : same.start[i + 1]], j):
                verdict = 0
            elif weighing.gap[mentees.grade[i] - mentors.grade[j] + 19] < 0:
                verdict = 1
            elif covered(line.low[line.start[i] : line.start[i + 1]], line.high[line.start[i] : line.start[i + 1]], j):
                verdict = 2
            elif mentees.team[i] == mentors.team[j]:
                verdict = 3
            elif mentees.unit[i] == mentors.unit[j]:
                verdict = 4
            elif disjoint(mentees.speech[i], mentors.speech[j]):
                verdict = 5
            elif abs(mentees.offset[i] - mentors.offset[j]) > weighing.zone_seconds:
                verdict = 6
            elif common_half_hours(mentees.hours[i], mentors.hours[j]) < weighing.half_hours:
                verdict = 7
            elif covered(
                forbidden.low[forbidden.start[i] : forbidden.start[i + 1]], forbidden.high[forbidden.start[i] : forbidden.start[i + 1]], j
            ):
                verdict = 8
            else:
                verdict = 9
            if len(by_row):
                by_row[k, verdict] += 1
            if len(by_column):
                by_column[c, verdict] += 1
