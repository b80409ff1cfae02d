"""When people are free: weekly local windows turned into half-hours of one UTC week.

A person's free half-hours are the bits of an integer: bit 0 is Monday 00:00 to 00:30 UTC, bit 335 Sunday 23:30 to 24:00. Two people's
common half-hours are one `&` and one count. The steps are those of the scoring contract, "Common half-hours".

Time zones come from the `tzdata` package and from nowhere else: an answer must not depend on what the operating system has installed.
`zoneinfo.reset_tzpath(to=())` would ask for the same, but for the whole process and not for zones already in its cache; so this module
reads the package's files itself, keeps its own cache, and leaves the process as it was.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib import metadata, resources
from typing import NamedTuple
from zoneinfo import ZoneInfo

WEEK = 336
"""Half-hours in a week."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_WINDOWS = 2**14
_MOMENTS = 2**16
"""How many windows, and moments and stretches of a week in a zone, are kept once worked out: many people share few of them."""

_DAY = 24 * 60
_HALF_HOUR = 30 * 60
_WHOLE_WEEK = (1 << WEEK) - 1
_WINDOW = re.compile(r"([a-z]{3}) ([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
_NOT_PLACES = {"Factory", "localtime"}


@lru_cache(maxsize=_WINDOWS)
def parse_window(text: str) -> tuple[int, int]:
    """Read `ddd HH:MM-HH:MM` as minutes from Monday 00:00, start and end.

    Raises:
        ValueError: not that form, an unknown day, a time off the half-hour grid or after 24:00, an end that is not after its start.
    """
    match = _WINDOW.fullmatch(text)
    if match is None or match[1] not in DAYS:
        raise ValueError(f"{text!r} is not a window: write a day ({', '.join(DAYS)}) and two times, as in 'mon 09:00-11:30'")
    start, end = (_minutes(text, match[hour], match[hour + 1]) for hour in (2, 4))
    if end <= start:
        raise ValueError(f"{text!r} ends before it begins: the end must be after the start, on the same day")
    midnight = DAYS.index(match[1]) * _DAY
    return midnight + start, midnight + end


def _minutes(window: str, hour: str, minute: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if minute not in {"00", "30"} or minutes > _DAY:
        raise ValueError(f"{window!r} has the time {hour}:{minute}: times are on the half-hour, from 00:00 to 24:00")
    return minutes


def half_hours(availability: Iterable[str], zone: str, week_of: date) -> int:
    """The half-hours that are free in UTC, as the bits of an integer; windows may come in any order, touch or overlap.

    Raises:
        ValueError: an unreadable window, an unknown zone, a `week_of` that is no Monday.
    """
    place, monday = load_zone(zone), _monday(week_of)
    free = 0
    for start, end in _merge(map(parse_window, availability)):
        free |= _free(start, end, place, monday)
    return free


def merged_windows(availability: Iterable[str]) -> list[tuple[int, int]]:
    """The windows in order, those that touch or overlap joined: first half-hour of the local week and the one after the last.

    Raises:
        ValueError: an unreadable window.
    """
    return [(start // 30, end // 30) for start, end in _merge(map(parse_window, availability))]


class Clock(NamedTuple):
    """A zone's clock in one week, by the half-hours from the local Monday 00:00 to the next one, 337 entries each.

    Attributes:
        up, down: the UTC half-hour, counted from Monday 00:00 UTC, when that local time comes, rounded up and down.
        shown: whether the clock shows that time; it leaves out those that are skipped in spring.
    """

    up: tuple[int, ...]
    down: tuple[int, ...]
    shown: tuple[bool, ...]

    @classmethod
    def of(cls, zone: str, week_of: date) -> "Clock":
        """Read the zone.

        Raises:
            ValueError: an unknown zone, a `week_of` that is no Monday.
        """
        place, monday = load_zone(zone), _monday(week_of)
        seconds = [_utc_seconds(30 * at, place, monday) for at in range(WEEK + 1)]
        local = [(monday + timedelta(minutes=30 * at)).replace(tzinfo=place) for at in range(WEEK + 1)]
        return cls(
            up=tuple(-(-second // _HALF_HOUR) for second in seconds),
            down=tuple(second // _HALF_HOUR for second in seconds),
            shown=tuple(moment.astimezone(UTC).astimezone(place).replace(tzinfo=None) == moment.replace(tzinfo=None) for moment in local),
        )


def common_half_hours(one: int, other: int) -> int:
    """How many half-hours a week two people both have free, 0 to 336."""
    return (one & other).bit_count()


def offset_seconds(zone: str, week_of: date) -> int:
    """The zone's UTC offset at Monday 12:00 UTC of that week, in seconds, positive east of Greenwich.

    Raises:
        ValueError: an unknown zone, a `week_of` that is no Monday.
    """
    noon = (_monday(week_of) + timedelta(hours=12)).replace(tzinfo=UTC)
    local = noon.astimezone(load_zone(zone)).replace(tzinfo=UTC)
    return int((local - noon).total_seconds())


@cache
def load_zone(name: str) -> ZoneInfo:
    """The zone of that name, from the tzdata package.

    Raises:
        ValueError: the package has no zone of that name, or it is `Factory` or `localtime`, which are no places.
    """
    if name not in _zone_names():
        raise ValueError(f"{name!r} is not a time zone: write a name of the tz database, as in 'Europe/Paris'")
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def tzdata_version() -> str:
    """The version of the tzdata package, on which every answer depends."""
    return metadata.version("tzdata")


@cache
def _zone_names() -> frozenset[str]:
    names = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(names) - _NOT_PLACES


def _monday(week_of: date) -> datetime:
    if week_of.weekday() != 0:
        raise ValueError(f"week_of must be a Monday, and {week_of:%Y-%m-%d} is a {week_of:%A}")
    return datetime.combine(week_of, time())


def _merge(windows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join windows that touch or overlap; minutes of one week, so that nothing is joined across the week's end."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


@lru_cache(maxsize=_MOMENTS)
def _utc_seconds(minutes: int, zone: ZoneInfo, monday: datetime) -> int:
    """Seconds from Monday 00:00 UTC when local clocks show that minute of the week; the first time where they show it twice."""
    moment = (monday + timedelta(minutes=minutes)).replace(tzinfo=zone, fold=0)
    return int((moment.astimezone(UTC) - monday.replace(tzinfo=UTC)).total_seconds())


@lru_cache(maxsize=_MOMENTS)
def _free(start: int, end: int, zone: ZoneInfo, monday: datetime) -> int:
    """The whole half-hours from one minute of the local week to another, as `half_hours` gives them."""
    first = -(-_utc_seconds(start, zone, monday) // _HALF_HOUR)
    last = _utc_seconds(end, zone, monday) // _HALF_HOUR
    return _bits(first, last)


def _bits(first: int, last: int) -> int:
    """Half-hours `first` to `last`, the last excluded, taken modulo the week; none when that is nothing."""
    length = min(max(last - first, 0), WEEK)
    bits = ((1 << length) - 1) << first % WEEK
    return (bits | bits >> WEEK) & _WHOLE_WEEK
