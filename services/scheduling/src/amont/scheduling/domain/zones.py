"""What a clock on the wall shows: IANA zones, their offsets, and instants as whole seconds.

The rules are those `zoneinfo` reads. Whoever needs the same answer on every machine starts the process with
`zoneinfo.reset_tzpath(to=())`, so that only the `tzdata` package is read. What people do at which time does not live here.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

NOT_PLACES = ("", "Factory", "localtime")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@cache
def place(zone: str) -> ZoneInfo:
    """The zone, read once: `ZoneInfo` itself keeps only the last eight. Raises KeyError, ValueError or OSError for what is none."""
    return ZoneInfo(zone)


def zone_faults(zone: str) -> list[str]:
    """What is wrong with a zone's name, as sentences; empty when nothing is."""
    try:
        place(zone)
    except (KeyError, ValueError, OSError):  # unknown, malformed, a folder of the database
        known = False
    else:
        known = zone not in NOT_PLACES
    return [] if known else [f"{zone!r} is not a zone of the IANA database: write one such as 'Europe/Paris'"]


def offset_at(zone: str, second: int) -> int:
    """Local time minus UTC in seconds, at a second since 1970."""
    offset = datetime.fromtimestamp(second, place(zone)).utcoffset()
    return (offset or timedelta(0)) // SECOND


def wall_time(zone: str, instant: datetime) -> str:
    """What the clock there shows, `YYYY-MM-DDTHH:MM:SS`, without an offset."""
    return instant.astimezone(place(zone)).replace(tzinfo=None).isoformat()


def since_1970(instant: datetime) -> timedelta:
    """Raises ValueError for a naive datetime."""
    if instant.utcoffset() is None:
        raise ValueError(f"{instant.isoformat()} has no offset: an instant needs one")
    return instant - EPOCH


def instant_of(second: int) -> datetime:
    """The instant of a second since 1970, in UTC."""
    return datetime.fromtimestamp(second, UTC)
