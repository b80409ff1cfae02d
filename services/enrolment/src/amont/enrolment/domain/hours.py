"""Weekly windows of availability: reading them and how much time they are. Where they lie in the world's week is matching's and scheduling's business."""

import re
from collections.abc import Iterable

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"([a-z]{3}) ([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
_DAY = 24 * 60


def parse_window(text: str) -> tuple[int, int]:
    """Read `mon 09:00-11:30` as minutes from Monday 00:00, start and end. Raises ValueError that says what is wrong."""
    match = _WINDOW.fullmatch(text)
    if match is None or match[1] not in DAYS:
        raise ValueError(f"{text[:40]!r} is not a window: write a day ({', '.join(DAYS)}) and two times, as in 'mon 09:00-11:30'")
    start, end = (_minutes(match[hour], match[hour + 1]) for hour in (2, 4))
    if end <= start:
        raise ValueError(f"{text!r} ends before it begins: the end must be after the start, on the same day")
    midnight = DAYS.index(match[1]) * _DAY
    return midnight + start, midnight + end


def _minutes(hour: str, minute: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if minute not in {"00", "30"} or minutes > _DAY:
        raise ValueError(f"{hour}:{minute} is not on the half-hour between 00:00 and 24:00")
    return minutes


def minutes_in(windows: Iterable[tuple[int, int]]) -> int:
    """How many minutes a week these windows cover; what two of them share counts once."""
    total, covered = 0, 0
    for start, end in sorted(windows):
        total += max(0, end - max(start, covered))
        covered = max(covered, end)
    return total
