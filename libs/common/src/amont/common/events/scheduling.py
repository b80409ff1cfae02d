"""What scheduling tells: the sessions of a pair, keyed by the pair so that their order holds."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from amont.common.events.envelope import Event
from amont.common.events.values import Instant, PersonId, ProgrammeId, Role, SessionStatus


class Slot(BaseModel):
    """A time both can make."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    starts_at: Instant
    ends_at: Instant


class SessionFact(Event):
    """A session's full state. `seq` is the plan's, which owns all sessions of the pair."""

    topic: ClassVar[str] = "scheduling-sessions"
    subject_field: ClassVar[str] = "pair"

    pair: str
    session: str
    number: int
    """1 for the first session of the pair."""
    planned: int
    """How many sessions the plan has."""
    programme: ProgrammeId
    mentee: PersonId
    mentor: PersonId
    status: SessionStatus
    options: tuple[Slot, ...]
    """While proposed: what the two may choose from."""
    slot: Slot | None
    """Once scheduled."""
    mentee_zone: str
    mentor_zone: str
    mentee_local: str | None
    """The local wall time that was promised to the mentee, `2027-01-14T10:00`."""
    mentor_local: str | None
    invitation_sequence: int
    """The iCalendar SEQUENCE of the invitation; the UID is the session's id."""


class SessionProposed(SessionFact):
    """Times to choose from."""


class SessionScheduled(SessionFact):
    """A time was chosen."""


class SessionRescheduled(SessionFact):
    """Another time was chosen; not a cancellation."""


class SessionCancelled(SessionFact):
    """The session will not be held; `by` is None when the pair itself ended or rests."""

    by: Role | None


class SessionCompleted(SessionFact):
    """One side said that it was held."""


class SessionMissed(SessionFact):
    """Its time passed and nobody said that it was held."""
