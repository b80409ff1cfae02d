"""Times both can make.

People say when they are free as weekly windows on their own wall clock; a pair meets at an instant. Between the two stand the actual
dates: a change of the clocks in one zone moves one person's windows and not the other's. So everything here is worked out on the local
dates themselves, stretch by stretch of constant UTC offset, never on a typical week. Which slots to propose when, what a session is and
who is told do not live here; nor does the count of common hours that matching uses, which is about one given week.

One rule decides everything: **a person can make an instant when the clock on their wall then shows a time inside one of their windows, on
a date that is not one of their holidays.** Hence, when clocks change:

- wall times skipped in spring never come: a window inside the gap gives nothing, one around it loses the missing time;
- wall times repeated in autumn come twice: a window inside the repeated hour gives two separate times, one around it is an hour longer;
- the length of a slot is real time, whatever the clocks do meanwhile.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from itertools import islice, pairwise
from types import MappingProxyType

from amont.scheduling.domain.zones import EPOCH, SECOND, instant_of, offset_at, since_1970, zone_faults

# Below the public names time is whole seconds since 1970, UTC or local: every offset since then is a whole number of them.
Span = tuple[int, int]  # begin, end (not in it)
Stretch = tuple[int, int, int]  # begin and end in UTC, and the offset local - UTC that holds between them
Week = tuple[tuple[Span, ...], ...]  # Monday to Sunday: the merged windows of each day, from its midnight

WINDOW = re.compile(r"(mon|tue|wed|thu|fri|sat|sun) ((?:[01][0-9]|2[0-3]):[03]0)-((?:[01][0-9]|2[0-3]):[03]0|24:00)")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NO_HOLIDAYS: Mapping[str, Collection[date]] = MappingProxyType({})

MINUTE, HALF_HOUR, DAY = 60, 1_800, 86_400
EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday
END_OF_2100 = datetime(2101, 1, 1, tzinfo=UTC) - EPOCH


class InvalidWindows(ValueError):
    """A person's windows or zone cannot be read; `faults` lists every one of them, each a sentence."""

    def __init__(self, person: str, faults: Sequence[str]) -> None:
        super().__init__(f"{person}: {'; '.join(faults)}")
        self.person = person
        self.faults = tuple(faults)


class Spread(StrEnum):
    """Which of the possible slots to offer first when there are more than asked for. What is offered is always sorted by start."""

    DAYS = "days"
    """The earliest of each day (the mentee's) until there are enough; only when days run out, the earliest of the others."""
    EARLIEST = "earliest"
    """The earliest, even when they all fall on one morning (they may then overlap: they are alternatives)."""


@dataclass(frozen=True, slots=True)
class Windows:
    """When one person is usually free.

    `windows` are strings exactly `ddd HH:MM-HH:MM` in local time (mon to sun, on the half-hour, end after start, 24:00 allowed as an end);
    they may touch, overlap, repeat, come in any order or not at all. `zone` is an IANA name. Raises InvalidWindows, with every fault.
    """

    person: str
    zone: str
    windows: tuple[str, ...]

    def __post_init__(self) -> None:
        faults = [*zone_faults(self.zone), *(fault for window in self.windows for fault in _window_faults(window))]
        if faults:
            raise InvalidWindows(self.person, faults)


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A time both can make: `start` and `end` are aware datetimes in UTC, `end` not part of it."""

    start: datetime
    end: datetime


def find_slots(
    mentee: Windows,
    mentor: Windows,
    *,
    after: datetime,
    until: datetime,
    minutes: int,
    limit: int,
    busy: Sequence[tuple[datetime, datetime]] = (),
    holidays: Mapping[str, Collection[date]] = NO_HOLIDAYS,
    spread: Spread = Spread.DAYS,
) -> tuple[Slot, ...]:
    """At most `limit` slots of exactly `minutes` that both can make, sorted by start; empty when there is none.

    A slot starts on the hour or the half-hour of the mentee's wall clock, no earlier than `after`, and ends no later than `until`. It
    lies inside both people's windows throughout (windows that touch are one, also across midnight and from Sunday to Monday), on nobody's
    holiday, and overlaps no `busy` time (begin, end) of either. `holidays` maps a person's id to local dates in that person's zone; ids
    of others are passed over, so one mapping serves everybody. All datetimes are aware, in any zone. The answer depends on the arguments
    and tzdata alone, not on the order of windows, busy times or holidays.

    Raises ValueError when `minutes` or `limit` is below 1, a datetime is naive or outside 1970 to 2100, or something ends before it begins.
    """
    if minutes < 1 or limit < 1:
        raise ValueError(f"minutes and limit are at least 1, not {minutes} and {limit}")
    horizon = _horizon(after, until)
    common = _common(_free(mentee, horizon, holidays), _free(mentor, horizon, holidays))
    undisturbed = _common(common, _between(_busy(busy), horizon))
    starts = _starts(undisturbed, minutes * MINUTE, _stretches(mentee.zone, horizon))
    chosen = _one_a_day(starts, limit) if spread is Spread.DAYS else [start for start, _ in islice(starts, limit)]
    return tuple(Slot(instant_of(start), instant_of(start + minutes * MINUTE)) for start in chosen)


def _starts(times: list[Span], length: int, stretches: Iterable[Stretch]) -> Iterator[tuple[int, int]]:
    """Every local half-hour with room for `length` seconds after it, in order, each with the number of its local day."""
    for begin, end, offset in stretches:
        for opens, closes in times:
            first = max(opens, begin) + offset
            on_the_grid = first + -first % HALF_HOUR - offset
            for start in range(on_the_grid, min(closes - length + 1, end), HALF_HOUR):
                yield start, (start + offset) // DAY


def _one_a_day(starts: Iterable[tuple[int, int]], limit: int) -> list[int]:
    firsts: dict[int, int] = {}
    others: list[int] = []
    for start, day in starts:
        if day in firsts:
            others.append(start)
            continue
        firsts[day] = start
        if len(firsts) == limit:
            break
    return sorted([*firsts.values(), *others[: limit - len(firsts)]])


def _free(person: Windows, horizon: Span, holidays: Mapping[str, Collection[date]]) -> list[Span]:
    """When the person can be asked, in UTC: merged and sorted."""
    away = {day.toordinal() - EPOCH.toordinal() for day in holidays.get(person.person, ())}
    return _merged(_open_hours(_week(person.windows), away, _stretches(person.zone, horizon)))


def _open_hours(week: Week, away: Collection[int], stretches: Iterable[Stretch]) -> Iterator[Span]:
    """The windows of every local day that is not `away`, in UTC and in order, cut at each change of the clocks (some come out empty)."""
    for begin, end, offset in stretches:
        for day in range((begin + offset) // DAY, -(-(end + offset) // DAY)):
            if day not in away:
                midnight = day * DAY - offset
                for opens, closes in week[(day + EPOCH_WEEKDAY) % 7]:
                    yield max(midnight + opens, begin), min(midnight + closes, end)


def _common(ours: Sequence[Span], theirs: Sequence[Span]) -> list[Span]:
    """What two sorted lists of separate spans share."""
    shared = []
    mine = yours = 0
    while mine < len(ours) and yours < len(theirs):
        begin, end = max(ours[mine][0], theirs[yours][0]), min(ours[mine][1], theirs[yours][1])
        if begin < end:
            shared.append((begin, end))
        if ours[mine][1] == end:
            mine += 1
        else:
            yours += 1
    return shared


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Spans sorted by their begin, with those that touch or overlap made one and empty ones left out."""
    merged: list[Span] = []
    for begin, end in spans:
        if begin >= end:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _between(busy: list[Span], horizon: Span) -> list[Span]:
    """The time between sorted separate spans, from the begin of the horizon to its end (some may come out empty)."""
    edges = [horizon[0], *(edge for span in busy for edge in span), horizon[1]]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _busy(times: Iterable[tuple[datetime, datetime]]) -> list[Span]:
    """Busy times widened to whole seconds, merged and sorted; one of no length takes nothing."""
    spans = sorted((since_1970(begin), since_1970(end)) for begin, end in times)
    for begin, end in spans:
        if end < begin:
            raise ValueError(f"a busy time ends at {EPOCH + end} before it begins at {EPOCH + begin}")
    return _merged((begin // SECOND, -(-end // SECOND)) for begin, end in spans if begin < end)


def _horizon(after: datetime, until: datetime) -> Span:
    """The whole seconds from `after` to `until`."""
    begin, end = since_1970(after), since_1970(until)
    if not timedelta(0) <= begin <= end <= END_OF_2100:
        raise ValueError(f"slots are found after one time and until a later one, within 1970 to 2100, not {after} to {until}")
    return -(-begin // SECOND), end // SECOND


def _stretches(zone: str, horizon: Span) -> list[Stretch]:
    """The stretches of constant offset in a horizon, in order."""
    years = range(instant_of(horizon[0]).year, instant_of(horizon[1]).year + 1)
    whole = (stretch for year in years for stretch in _stretches_of(zone, year))
    return [
        (max(begin, horizon[0]), min(end, horizon[1]), offset) for begin, end, offset in whole if begin < horizon[1] and end > horizon[0]
    ]


@lru_cache(maxsize=4_096)
def _stretches_of(zone: str, year: int) -> tuple[Stretch, ...]:
    """The stretches of constant offset in a year (UTC). Looks once a day: no two changes since 1970 are less than six days apart."""
    first, last = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 1))
    midnights = pairwise(range(first, last + 1, DAY))
    changes = [_change(zone, before, after) for before, after in midnights if offset_at(zone, before) != offset_at(zone, after)]
    return tuple((begin, end, offset_at(zone, begin)) for begin, end in pairwise([first, *changes, last]))


def _change(zone: str, before: int, after: int) -> int:
    """The first second of the new offset."""
    old = offset_at(zone, before)
    return before + bisect_left(range(before, after), True, key=lambda second: offset_at(zone, second) != old)


def _week(windows: Iterable[str]) -> Week:
    parsed = sorted(_parsed(window) for window in windows)
    return tuple(tuple(_merged((opens, closes) for day, opens, closes in parsed if day == weekday)) for weekday in range(7))


@cache
def _parsed(window: str) -> tuple[int, int, int]:
    """Weekday from 0 on Monday, begin and end in seconds from midnight. Raises ValueError; what it keeps are at most 8,232 windows."""
    match = WINDOW.fullmatch(window)
    if not match:
        raise ValueError(f"{window!r} is not a window: write it as 'mon 09:00-11:30', on the half-hour")
    opens, closes = (int(time[:2]) * 3_600 + int(time[3:]) * MINUTE for time in match.group(2, 3))
    if closes <= opens:
        raise ValueError(f"{window!r} does not end after its start: a window over midnight is written as two")
    return WEEKDAYS.index(match[1]), opens, closes


def _window_faults(window: str) -> list[str]:
    try:
        _parsed(window)
    except ValueError as fault:
        return [str(fault)]
    return []
