"""One session of a plan, from its proposal to its end: a value inside the plan's document, never a document of its own.

Nothing of what is said in a session is here, and there is no field it could go into. Which session comes when is the plan's to decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from amont.common.events import Slot
from amont.common.events.values import Role, SessionStatus
from amont.scheduling.domain.appointment import Appointment
from amont.scheduling.domain.hours import Hours
from amont.scheduling.domain.projections import Pace

TO_THE_MINUTE = len("2027-01-14T10:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """See the module. `pace` is the programme's policy as it was at the proposal, so that a session ends by the rules it began with."""

    id: str
    number: int
    pace: Pace
    mentee_zone: str
    mentor_zone: str
    status: SessionStatus = SessionStatus.PROPOSED
    options: tuple[Slot, ...] = ()
    slot: Slot | None = None
    mentee_local: str | None = None
    mentor_local: str | None = None
    invitation_sequence: int = 0
    """iCalendar's SEQUENCE (RFC 5546, section 2.1.4): grows with every change of an invitation that was sent."""
    cancelled_by: Role | None = None

    @property
    def is_open(self) -> bool:
        return self.status in {SessionStatus.PROPOSED, SessionStatus.SCHEDULED}

    @property
    def booked(self) -> Slot | None:
        """The time that is taken by it."""
        return self.slot if self.status is SessionStatus.SCHEDULED else None

    @property
    def missed_at(self) -> datetime | None:
        """When it counts as missed unless somebody says that it was held."""
        return self.booked.ends_at + timedelta(days=self.pace.grace_days) if self.booked else None

    @property
    def next_from(self) -> datetime | None:
        """The earliest that the one after it should be, by the programme's cadence."""
        return self.slot.starts_at + timedelta(days=self.pace.every_days) if self.slot else None

    @property
    def turned_down(self) -> tuple[Slot, ...]:
        """The times that one of the two did not want, by cancelling it."""
        if self.cancelled_by is None:
            return ()
        return (self.slot,) if self.slot else self.options

    def offered(self, pace: Pace, hours: Hours, options: tuple[Slot, ...]) -> "Session":
        """With these times to choose from, by the facts of today."""
        return replace(self, pace=pace, options=options, mentee_zone=hours.mentee.zone, mentor_zone=hours.mentor.zone)

    def booked_at(self, slot: Slot, hours: Hours) -> "Session":
        """Scheduled at a slot, with the wall times that each of the two is promised; the second time is a change of the invitation."""
        return replace(
            self,
            status=SessionStatus.SCHEDULED,
            options=(),
            slot=slot,
            mentee_zone=hours.mentee.zone,
            mentor_zone=hours.mentor.zone,
            mentee_local=_local(slot, hours.mentee.zone),
            mentor_local=_local(slot, hours.mentor.zone),
            invitation_sequence=self.invitation_sequence + (1 if self.slot else 0),
        )

    def cancelled(self, by: Role | None) -> "Session":
        """Off. It keeps its slot, so that calendars can be told which time is free again, or the times that were not wanted."""
        sequence = self.invitation_sequence + (1 if self.slot else 0)
        return replace(self, status=SessionStatus.CANCELLED, invitation_sequence=sequence, cancelled_by=by)

    def facts(self) -> Mapping[str, Any]:
        """Its part of what every session event says."""
        return {
            "session": self.id,
            "number": self.number,
            "planned": self.pace.sessions,
            "status": self.status,
            "options": self.options,
            "slot": self.slot,
            "mentee_zone": self.mentee_zone,
            "mentor_zone": self.mentor_zone,
            "mentee_local": self.mentee_local,
            "mentor_local": self.mentor_local,
            "invitation_sequence": self.invitation_sequence,
        }


def _local(slot: Slot, zone: str) -> str:
    return Appointment.at(slot.starts_at, zone).wall[:TO_THE_MINUTE]
