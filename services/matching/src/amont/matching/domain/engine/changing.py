"""The smallest change of their own that would open candidates to somebody in no pair.

A candidate is *opened* by a change when the two break exactly one rule, and with the change none. Time comes first: the shortest stretch of one local day,
none of it free so far, by which somebody is opened; of those of one length the one that opens most, then the earliest. A stretch neither begins nor ends
at a time that the clocks leave out. Where no stretch opens anybody: the language that opens most, then the first by its tag. No other rule can be mended
by a change of one's own: grades, lines, teams and what is forbidden are not the person's to choose, and topics are in no rule.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.change import Change
from amont.matching.domain.engine.clocks import clock
from amont.matching.domain.engine.stretches import DAY, TWICE, shortest_stretch
from amont.matching.domain.hours import DAYS, WEEK, half_hours, merged_windows
from amont.matching.domain.pool import PoolPerson

Ints = NDArray[np.int32]
Words = NDArray[np.uint64]
Mask = NDArray[np.bool_]


class Others(NamedTuple):
    """The people of one role as those of the other see them.

    Attributes:
        free: (n, TWICE) their free half-hours in UTC, the week written twice.
        tongues: (n,) int32, which of `spoken` they speak.
    """

    free: Words
    tongues: Ints
    spoken: tuple[frozenset[str], ...]

    @classmethod
    def of(cls, people: Sequence[PoolPerson], week_of: date) -> "Others":
        """In the order in which they are given."""
        known = {key: _free(*key, week_of) for key in {(person.zone, person.availability) for person in people}}
        raw = b"".join(known[person.zone, person.availability] for person in people)
        spoken = {languages: place for place, languages in enumerate(dict.fromkeys(person.languages for person in people))}
        return cls(
            free=_words(raw).reshape(len(people), TWICE),
            tongues=np.fromiter((spoken[person.languages] for person in people), np.int32, len(people)),
            spoken=tuple(spoken),
        )


def _free(zone: str, availability: tuple[str, ...], week_of: date) -> bytes:
    free = half_hours(availability, zone, week_of)
    return (free | free << WEEK).to_bytes(8 * TWICE, "little")


def _words(raw: bytes) -> Words:
    return np.frombuffer(raw, np.dtype("<u8")).astype(np.uint64)


def smallest_change(person: PoolPerson, week_of: date, others: Others, lacking: Ints, unspoken: Mask) -> Change | None:
    """What would open candidates to that person; `None` where no single change of their own does.

    Args:
        person: in no pair.
        week_of: the pool's.
        others: everybody in the other role, n of them.
        lacking: (n,) how many common half-hours are missing where no other rule fails; else 0.
        unspoken: (n,) for whom only a common language is missing.
    """
    change = _more_hours(person, week_of, others.free, lacking) if lacking.any() else None
    return change or _one_language(others, unspoken)


def _more_hours(person: PoolPerson, week_of: date, others: Words, lacking: Ints) -> Change | None:
    last = np.arange(WEEK, dtype=np.int32) // DAY * DAY + DAY
    up, down, shown = clock(person.zone, week_of)
    low, high = up.copy(), down.copy()
    windows = merged_windows(person.availability)
    for start, end in windows:
        first = start // DAY * DAY
        last[first:start] = np.minimum(last[first:start], start)
        low[end], high[start] = up[start], down[end]
    for start, end in windows:
        last[start:end] = -1
    mine = _words(_free(person.zone, person.availability, week_of))
    opens = np.zeros(WEEK, np.int32)
    length = shortest_stretch(mine, last, low, high, shown, others, lacking, opens)
    if not length:
        return None
    start = int(opens.argmax())
    return Change(kind="hours", opens=int(opens[start]), half_hours=length, window=_window(start, length))


def _window(start: int, length: int) -> str:
    day, at = divmod(start, DAY)
    return f"{DAYS[day]} {_time(at)}-{_time(at + length)}"


def _time(half_hour: int) -> str:
    return f"{half_hour // 2:02d}:{half_hour % 2 * 30:02d}"


def _one_language(others: Others, unspoken: Mask) -> Change | None:
    opened: Counter[str] = Counter()
    for languages, count in zip(others.spoken, np.bincount(others.tongues[unspoken], minlength=len(others.spoken)).tolist(), strict=True):
        if count:
            opened.update(dict.fromkeys(languages, count))
    if not opened:
        return None
    tag = min(opened, key=lambda tag: (-opened[tag], tag))
    return Change(kind="language", opens=opened[tag], language=tag)
