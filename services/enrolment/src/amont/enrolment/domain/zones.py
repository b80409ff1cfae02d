"""Time zones by name, and when a day begins in one.

Zones come from the `tzdata` package and from nowhere else: an answer must not depend on what the operating system has installed. What is not
here: working hours and slots, which are scheduling's.
"""

from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from amont.common.events.words import is_zone

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 1, tzinfo=UTC)
"""Some HR systems write 0001-01-01 for "always" and 9999-12-31 for "never": instants are held between these two, where every zone can say them."""


@cache
def load_zone(name: str) -> ZoneInfo:
    """The zone of that name. Raises ValueError when the tz database has none."""
    if not is_zone(name):
        raise ValueError(f"{name!r} is not a time zone: write a name of the tz database, as in 'Europe/Paris'")
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def held(at: datetime) -> datetime:
    """The instant in UTC, moved to the nearest one between EARLIEST and LATEST."""
    return min(max(at, EARLIEST), LATEST).astimezone(UTC)


@lru_cache(maxsize=4096)
def start_of(day: date, zone: str) -> datetime:
    """The instant at which a day begins in a zone: its midnight, or where clocks skip midnight, the first minute after. Raises ValueError."""
    midnight = datetime.combine(day, time(), load_zone(zone))
    return held(midnight)


def local_day(at: datetime, zone: str) -> date:
    """The date that a calendar in the zone shows at that instant. Raises ValueError."""
    return at.astimezone(load_zone(zone)).date()
