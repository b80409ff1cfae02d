"""Appointments that outlive a change of zone rules: the instant, and what the clock on the wall was to show.

How an appointment is found (`slots`) and what it is for (`session`) do not live here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from amont.scheduling.domain.zones import EPOCH, place, since_1970, wall_time, zone_faults


@dataclass(frozen=True, slots=True)
class Appointment:
    """A future meeting as people remember it: the instant (UTC), the zone it was agreed in, and what the clock there was to show.

    `wall` is local time without offset, `YYYY-MM-DDTHH:MM:SS`. The three agree when the appointment is made (`Appointment.at`); they may
    part later, when a country changes its clocks and a new tzdata is installed. In the repeated hour of autumn `wall` alone is ambiguous:
    the instant says which of the two is meant. Raises ValueError for an instant not in UTC, an unknown zone or an unreadable wall time.
    """

    instant: datetime
    zone: str
    wall: str

    def __post_init__(self) -> None:
        if self.instant.utcoffset() != timedelta(0):
            raise ValueError(f"the instant of an appointment is in UTC, not {self.instant.isoformat()}: use Appointment.at")
        for fault in zone_faults(self.zone):
            raise ValueError(fault)
        wall = datetime.fromisoformat(self.wall)
        if wall.tzinfo or wall.isoformat() != self.wall:
            raise ValueError(f"{self.wall!r} is not a wall time: write YYYY-MM-DDTHH:MM:SS, without an offset")

    @classmethod
    def at(cls, instant: datetime, zone: str) -> Self:
        """Make the appointment at an aware `instant`, by the rules `zone` has now. Raises ValueError when naive, or the zone unknown."""
        for fault in zone_faults(zone):
            raise ValueError(fault)
        utc = EPOCH + since_1970(instant)
        return cls(utc, zone, wall_time(zone, utc))

    @property
    def has_drifted(self) -> bool:
        """Whether the rules of the zone have changed so that at the instant the clock there no longer shows the agreed wall time."""
        return wall_time(self.zone, self.instant) != self.wall

    def kept_to_the_wall(self) -> Self:
        """The same appointment at the agreed wall time by the zone's rules of today; itself when it has not drifted.

        A wall time that now comes twice means the one nearer to the old instant (the first when equally near); one that is now skipped
        means the time as far after the gap as it was into it (RFC 5545, section 3.3.5), and `wall` then says what the clock will really
        show.
        """
        if not self.has_drifted:
            return self
        local = datetime.fromisoformat(self.wall).replace(tzinfo=place(self.zone))
        passes = [local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)]
        real = [instant for instant in passes if wall_time(self.zone, instant) == self.wall]
        return self.at(min(real or passes[:1], key=lambda instant: abs(instant - self.instant)), self.zone)
