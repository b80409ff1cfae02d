"""The smallest change of their own that would open candidates to somebody in no pair.

A candidate is *opened* by a change when the two break exactly one rule, and with the change none. Time comes first: the shortest stretch of one local day,
none of it free so far, by which somebody is opened; of those of one length the one that opens most, then the earliest. A stretch neither begins nor ends
at a time that the clocks leave out. Where no stretch opens anybody: the language that opens most, then the first by its tag.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.change import Change
from amont.matching.domain.engine.columns import Compact
from amont.matching.domain.engine.jit import compiled
from amont.matching.domain.engine.kernel import common_half_hours, covered, disjoint
from amont.matching.domain.hours import DAYS, WEEK, Clock, half_hours, merged_windows
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool, PoolPerson, Role

Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]

_DAY = 48
_SHARED_LANGUAGE, _COMMON_HOURS = 5, 7
"""Places of the two rules that a change may satisfy."""


class Everybody(NamedTuple):
    """One role's people in the order of rows or columns: who they are, and all their free half-hours, (n, 42) bytes."""

    people: tuple[PoolPerson, ...]
    free: Bytes


def changes(pool: Pool, policy: Policy, whole: Compact, alone: list[tuple[str, Role]]) -> list[Change | None]:
    """For each person in a role the smallest change, `None` where no single one opens anybody."""
    sides = {"mentee": _everybody(pool, whole.row, "mentee"), "mentor": _everybody(pool, whole.column, "mentor")}
    apart = (whole.same_person, whole.line, whole.forbidden)
    clocks = {zone: Clock.of(zone, pool.week_of) for zone in {person.zone for person in pool.people}}
    found: list[Change | None] = []
    for id_, role in alone:
        others = sides["mentor" if role == "mentee" else "mentee"]
        broken = np.empty(len(others.people), np.int8)
        place = (whole.row if role == "mentee" else whole.column)[id_]
        everybody = np.arange(len(others.people), dtype=np.int32)
        me = np.array([place], np.int32)
        rows, columns = (me, everybody) if role == "mentee" else (everybody, me)
        _only_broken(whole.table, apart, rows, columns, broken)
        person, free = sides[role].people[place], sides[role].free[place]
        change = _more_hours(person, free, others.free[broken == _COMMON_HOURS], 2 * policy.min_common_hours, clocks[person.zone])
        found.append(change or _one_language([others.people[at] for at in np.flatnonzero(broken == _SHARED_LANGUAGE)]))
    return found


def _everybody(pool: Pool, places: Mapping[str, int], role: Role) -> Everybody:
    people = sorted(pool.in_role(role), key=lambda person: places[person.id])
    known: dict[tuple[str, tuple[str, ...]], bytes] = {}
    for person in people:
        key = person.zone, person.availability
        if key not in known:
            known[key] = half_hours(person.availability, person.zone, pool.week_of).to_bytes(WEEK // 8, "little")
    raw = b"".join(known[person.zone, person.availability] for person in people)
    return Everybody(tuple(people), np.frombuffer(raw, np.uint8).reshape(len(people), WEEK // 8))


def _more_hours(person: PoolPerson, free: Bytes, others: Bytes, enough: int, clock: Clock) -> Change | None:
    if not len(others):
        return None
    windows = merged_windows(person.availability)
    last = np.full(WEEK, -1, np.int32)
    for start in range(WEEK):
        last[start] = start // _DAY * _DAY + _DAY
    begins, ends = dict(windows), {end: start for start, end in windows}
    for start, end in windows:
        last[start:end] = -1
        first = start // _DAY * _DAY
        last[first:start] = np.minimum(last[first:start], start)
    low = np.array([clock.up[ends.get(at, at)] for at in range(WEEK + 1)], np.int32)
    high = np.array([clock.down[begins.get(at, at)] for at in range(WEEK + 1)], np.int32)
    length, opens = _stretches(free, others, enough, last, low, high, np.array(clock.shown))
    if not length:
        return None
    start = int(opens.argmax())
    return Change(kind="hours", opens=int(opens[start]), half_hours=length, window=_window(start, length))


def _window(start: int, length: int) -> str:
    day, at = divmod(start, _DAY)
    return f"{DAYS[day]} {_time(at)}-{_time(at + length)}"


def _time(half_hour: int) -> str:
    return f"{half_hour // 2:02d}:{half_hour % 2 * 30:02d}"


def _one_language(others: list[PoolPerson]) -> Change | None:
    spoken: dict[str, int] = {}
    for person in others:
        for tag in person.languages:
            spoken[tag] = spoken.get(tag, 0) + 1
    if not spoken:
        return None
    tag = min(spoken, key=lambda tag: (-spoken[tag], tag))
    return Change(kind="language", opens=spoken[tag], language=tag)


@compiled
def _only_broken(table, apart, rows, columns, broken):
    """The rule, 0 to 8, that a pair breaks and no other; -1 where there is none or more than one."""
    mentees, mentors, weighing = table.mentees, table.mentors, table.weighing
    for r in range(len(rows)):
        i = rows[r]
        for c in range(len(columns)):
            j = columns[c]
            count, only = 0, -1
            for k in range(3):
                slices = apart[k]
                first, last = slices.start[i], slices.start[i + 1]
                if covered(slices.low[first:last], slices.high[first:last], j):
                    count, only = count + 1, (0, 2, 8)[k]
            if weighing.gap[mentees.grade[i] - mentors.grade[j] + 19] < 0:
                count, only = count + 1, 1
            if mentees.team[i] == mentors.team[j]:
                count, only = count + 1, 3
            if mentees.unit[i] == mentors.unit[j]:
                count, only = count + 1, 4
            if abs(mentees.offset[i] - mentors.offset[j]) > weighing.zone_seconds:
                count, only = count + 1, 6
            if count < 2 and disjoint(mentees.speech[i], mentors.speech[j]):
                count, only = count + 1, 5
            if count < 2 and common_half_hours(mentees.hours[i], mentors.hours[j]) < weighing.half_hours:
                count, only = count + 1, 7
            broken[max(r, c)] = only if count == 1 else -1


@compiled
def _stretches(free, others, enough, last, low, high, shown):
    """The length of the shortest stretches that open somebody, 0 for none, and how many each of that length opens, by where it begins.

    A stretch from a to b, at most `last[a]`, makes the half-hours `low[a]` to `high[b]` of the week free as well.
    """
    week = len(last)
    shortest = week
    opens = np.zeros(week, np.int32)
    new = np.zeros(2 * week + 1, np.int32)
    for k in range(len(others)):
        common = 0
        for at in range(week):
            theirs = (others[k, at >> 3] >> (at & 7)) & 1
            mine = (free[at >> 3] >> (at & 7)) & 1
            common += theirs & mine
            new[at + 1] = new[at] + (theirs & ~mine & 1)
        for at in range(week):
            new[week + at + 1] = new[week] + new[at + 1]
        need = enough - common
        if new[week] < need:
            continue
        for start in range(week):
            if not shown[start]:
                continue
            begin = low[start] % week
            for end in range(start + 1, min(last[start], start + shortest) + 1):
                size = min(high[end] - low[start], week)
                if size > 0 and shown[end] and new[begin + size] - new[begin] >= need:
                    if end - start < shortest:
                        shortest = end - start
                        opens[:] = 0
                    opens[start] += 1
                    break
    return (shortest if opens.any() else 0), opens
