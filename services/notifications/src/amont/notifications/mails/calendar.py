"""The calendar entry that travels with a mail: iTIP (RFC 5546) over e-mail (RFC 6047).

One VEVENT, whose UID stays and whose SEQUENCE grows; a cancellation is the same UID with METHOD:CANCEL. Times are in the reader's zone, and
the zone is described by yearly rules. icalendar's own `add_missing_timezones()` is not used: it lists each change of clocks as an RDATE,
which Outlook on the desktop does not read (it then shows the meeting one hour off; iCalcreator issues 86 and 106), and writes the beginning
of summer time one hour late (RFC 5545 §3.6.5 counts it on the clock that is being left).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vCalAddress, vRecur

from amont.notifications.mails.facts import Address, Session

PRODUCT = "-//Amont//Notifications//EN"
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_QUARTER = timedelta(minutes=15)


class Method(StrEnum):
    """What the entry asks of the reader's calendar (RFC 5546 §3.2)."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


def invitation(
    method: Method,
    session: Session,
    *,
    zone: str,
    organiser: Address,
    attendees: Sequence[Address],
    summary: str,
    description: str,
    stamp: datetime,
) -> str:
    """The text/calendar body, with CRLF line ends. `stamp` is when this version was made; the same arguments give the same text."""
    here = ZoneInfo(zone)
    starts_at = session.starts_at.astimezone(here)
    calendar = Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", method.value)
    if here.key != "UTC":
        calendar.add_component(describe_zone(here, starts_at))
    event = Event()
    event.add("UID", session.uid)
    event.add("SEQUENCE", session.sequence)
    event.add("DTSTAMP", stamp.astimezone(UTC))
    event.add("DTSTART", starts_at)
    event.add("DTEND", session.ends_at.astimezone(here))
    event.add("STATUS", "CANCELLED" if method is Method.CANCEL else "CONFIRMED")
    event.add("SUMMARY", summary)
    event.add("DESCRIPTION", description)
    if session.place:
        event.add("LOCATION", session.place)
    event.add("ORGANIZER", vCalAddress.new(organiser.email, cn=organiser.name or None))
    for attendee in attendees:
        event.add("ATTENDEE", _attendee(attendee))
    calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written.decode()


def describe_zone(zone: ZoneInfo, near: datetime) -> Timezone:
    """A VTIMEZONE that holds around `near`: yearly rules where the zone has them, else the one offset in force at that moment."""
    described = Timezone()
    described.add("TZID", zone.key)
    for change in _yearly_changes(zone, near.year) or (_fixed(near),):
        described.add_component(change.observance())
    return described


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """Clocks go from one offset to another. `onset` is read on the clock that is being left."""

    onset: datetime
    before: timedelta
    after: timedelta
    name: str
    summer: bool
    recurs: bool = True

    @property
    def rule(self) -> tuple[object, ...]:
        """What stays the same from one year to the next."""
        return (self.onset.month, self._weekday, self.onset.time(), self.before, self.after)

    @property
    def _weekday(self) -> str:
        is_last = (self.onset + timedelta(days=7)).month != self.onset.month
        return f"{-1 if is_last else (self.onset.day - 1) // 7 + 1}{_WEEKDAYS[self.onset.weekday()]}"

    def observance(self) -> TimezoneStandard | TimezoneDaylight:
        part = TimezoneDaylight() if self.summer else TimezoneStandard()
        part.add("DTSTART", self.onset)
        part.add("TZOFFSETFROM", self.before)
        part.add("TZOFFSETTO", self.after)
        part.add("TZNAME", self.name)
        if self.recurs:
            part.add("RRULE", vRecur({"FREQ": "YEARLY", "BYMONTH": self.onset.month, "BYDAY": self._weekday}))
        return part


def _attendee(address: Address) -> vCalAddress:
    return vCalAddress.new(
        address.email, cn=address.name or None, cutype="INDIVIDUAL", role="REQ-PARTICIPANT", partstat="NEEDS-ACTION", rsvp=True
    )


def _fixed(near: datetime) -> _Change:
    offset = near.utcoffset() or timedelta(0)
    return _Change(onset=datetime(1970, 1, 1), before=offset, after=offset, name=near.tzname() or "", summer=False, recurs=False)  # noqa: DTZ001 - RFC 5545 wants a local time


def _yearly_changes(zone: ZoneInfo, year: int) -> tuple[_Change, ...]:
    """The changes of the year before, when the same rules hold from then until two years after; nothing otherwise."""
    years = [_changes(zone, one) for one in range(year - 1, year + 3)]
    rules = [tuple(change.rule for change in changes) for changes in years]
    return years[0] if all(rule == rules[0] for rule in rules) else ()


@lru_cache(maxsize=512)
def _changes(zone: ZoneInfo, year: int) -> tuple[_Change, ...]:
    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(367)]
    return tuple(_change_within(zone, day) for day, next_day in pairwise(days) if day.year == year and _differ(zone, day, next_day))


def _change_within(zone: ZoneInfo, day: datetime) -> _Change:
    quarters = [day + quarter * _QUARTER for quarter in range(97)]
    last, first = next((one, other) for one, other in pairwise(quarters) if _differ(zone, one, other))
    before, after = _offset(zone, last), _offset(zone, first)
    name = first.astimezone(zone).tzname() or ""
    return _Change(onset=(first + before).replace(tzinfo=None), before=before, after=after, name=name, summer=after > before)


def _differ(zone: ZoneInfo, one: datetime, other: datetime) -> bool:
    return _offset(zone, one) != _offset(zone, other)


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)
