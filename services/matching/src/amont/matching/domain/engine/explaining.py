"""Why people are in no pair, and what would help them: each of them held against everybody in the other role.

For each the rules that every pair breaks, as bits in rule order: the lowest says which rule is the first to remove a candidate, and a lone one that this rule
alone stands in the way. Cost: some ten machine cycles a pair, and what `changing` takes; memory: two bytes for each of the other role and each of the
people whom a thread looks at together.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.change import Change
from amont.matching.domain.engine.changing import Others, smallest_change
from amont.matching.domain.engine.columns import Compact
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.kernel import Step, common_half_hours, disjoint, popcount, untold
from amont.matching.domain.engine.lines import Slices
from amont.matching.domain.engine.tables import GRADES, Side, Weighing
from amont.matching.domain.policy import Rule
from amont.matching.domain.pool import Pool, PoolPerson

Ints = NDArray[np.int32]
Bits = NDArray[np.int16]

RULES = tuple(Rule)
ALLOWED = len(RULES)
"""The place of those whom no rule removes."""

TOGETHER = 64
"""People looked at by one thread at a time."""

Obstacles = tuple[list[int], Change | None]
"""How many of the other role each rule is the first to remove, `ALLOWED` last; and the smallest change that would open candidates."""


def obstacles(pool: Pool, whole: Compact, rows: Ints, columns: Ints, threads: int, step: Step = untold) -> list[Obstacles]:
    """Of each of these mentees, then of each of these mentors, both ascending. `step` is told how many of how many are done."""
    mentees = sorted(pool.in_role("mentee"), key=lambda person: whole.row[person.id])
    mentors = sorted(pool.in_role("mentor"), key=lambda person: whole.column[person.id])
    apart = ((whole.same_person, Rule.TWO_PEOPLE), (whole.line, Rule.OUTSIDE_THE_LINE), (whole.forbidden, Rule.NOT_FORBIDDEN))

    def of_some(sign: int, chunk: Ints) -> list[Obstacles]:
        broken = np.zeros((len(chunk), len(mentors if sign > 0 else mentees)), np.int16)
        for slices, rule in apart:
            (_mark_by_row if sign > 0 else _mark_by_column)(slices, chunk, np.int16(1 << RULES.index(rule)), broken)
        ours, theirs = whole.table.mentees, whole.table.mentors
        sides, people, others = ((ours, theirs), mentees, seen_by_mentees) if sign > 0 else ((theirs, ours), mentors, seen_by_mentors)
        return [
            _obstacles(people[place], place, sides, whole.table.weighing, sign, one, others, pool.week_of)
            for place, one in zip(chunk.tolist(), broken, strict=True)
        ]

    def told(done: int) -> None:
        step(len(found) + done, len(rows) + len(columns))

    found: list[Obstacles] = []
    with ThreadPoolExecutor(threads) as workers:
        if len(rows):
            seen_by_mentees = Others.of(mentors, pool.week_of)
            found = _joined(workers, lambda chunk: of_some(1, chunk), rows, told)
        if len(columns):
            seen_by_mentors = Others.of(mentees, pool.week_of)
            found += _joined(workers, lambda chunk: of_some(-1, chunk), columns, told)
    return found


def _joined(
    workers: ThreadPoolExecutor, work: Callable[[Ints], list[Obstacles]], places: Ints, told: Callable[[int], None]
) -> list[Obstacles]:
    chunks = (places[first : first + TOGETHER] for first in range(0, len(places), TOGETHER))
    joined: list[Obstacles] = []
    try:
        for some in workers.map(work, chunks):
            joined += some
            told(len(joined))
    except BaseException:  # what has not begun never does
        workers.shutdown(cancel_futures=True)
        raise
    return joined


def _obstacles(
    person: PoolPerson, place: int, sides: tuple[Side, Side], weighing: Weighing, sign: int, broken: Bits, others: Others, week_of: date
) -> Obstacles:
    lacking = np.zeros(len(broken), np.int32)
    counts = np.zeros(ALLOWED + 1, np.int64)
    least_gap = np.int32(np.argmax(np.append(weighing.gap, 0) >= 0) - GRADES + 1)
    _complete(*sides, weighing, least_gap, place, sign, broken, lacking, counts)
    return counts.tolist(), smallest_change(person, week_of, others, lacking, broken == 1 << RULES.index(Rule.SHARED_LANGUAGE))


@compiled
def _mark_by_row(slices: Slices, rows: Ints, bit: np.int16, broken: Bits) -> None:
    """Set the bit for all mentors in the slices of each of these mentees."""
    for k in range(len(rows)):
        for s in range(slices.start[rows[k]], slices.start[rows[k] + 1]):
            for j in range(slices.low[s], slices.high[s]):
                broken[k, j] |= bit


@compiled
def _mark_by_column(slices: Slices, columns: Ints, bit: np.int16, broken: Bits) -> None:
    """Set the bit for all mentees in whose slices each of these mentors, ascending, is."""
    for i in range(len(slices.start) - 1):
        for s in range(slices.start[i], slices.start[i + 1]):
            if slices.high[s] <= columns[0] or slices.low[s] > columns[-1]:
                continue
            for k in range(np.searchsorted(columns, slices.low[s]), np.searchsorted(columns, slices.high[s])):
                broken[k, i] |= bit


@compiled
def _complete(us, others, weighing, least_gap, me, sign, broken, lacking, counts):
    """Which rules somebody's pairs break.

    Only the lowest bit and whether it is alone are sure afterwards: languages and hours are compared where that may change one of the two.

    Args:
        us: the person's role.
        others: the other one.
        weighing: the policy's.
        least_gap: the least that the mentee must be above the mentor.
        me: the person's place.
        sign: 1 for a mentee, -1 for a mentor.
        broken: (n,) int16, the bits of the rules 1, 3 and 9; the others are added.
        lacking: (n,) int32, zeros; how many common half-hours are missing where no other rule fails.
        counts: (10,) zeros; by lowest bit.
    """
    grade, team, unit, offset, speech, hours = others.grade, others.team, others.unit, others.offset, others.speech, others.hours
    my_grade, my_team, my_unit, my_offset = us.grade[me], us.team[me], us.unit[me], us.offset[me]
    my_speech, my_hours = us.speech[me], us.hours[me]
    zone, enough = weighing.zone_seconds, weighing.half_hours
    for j in range(len(broken)):
        away = np.int32(offset[j] - my_offset)
        bits = np.int16(np.int32(sign * (my_grade - grade[j])) < least_gap) << 1
        bits |= np.int16(team[j] == my_team) << 3
        bits |= np.int16(unit[j] == my_unit) << 4
        bits |= np.int16((away > zone) | (away < -zone)) << 6
        broken[j] |= np.int16(bits)
    for j in range(len(broken)):
        bits = broken[j]
        if bits & 0x1F == 0:
            if disjoint(my_speech, speech[j]):
                bits |= np.int16(1 << 5)
            if bits & 0x7F == 0 or bits == 1 << 5:
                missing = enough - common_half_hours(my_hours, hours[j])
                if missing > 0:
                    bits |= np.int16(1 << 7)
                    if bits == 1 << 7:
                        lacking[j] = missing
            broken[j] = bits
        lowest = np.uint64(bits | 1 << 9)
        counts[np.int64(popcount(~lowest & (lowest - np.uint64(1))))] += 1
