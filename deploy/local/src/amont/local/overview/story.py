"""A pair's story in sentences, one per event on the log."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from amont.common.events import (
    Event,
    PairAccepted,
    PairConfirmed,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairProposed,
    PairResumed,
    PairSuspended,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionProposed,
    SessionRescheduled,
    SessionScheduled,
)
from amont.common.events.scheduling import SessionFact
from amont.common.events.values import Role
from amont.local.history import Told
from amont.local.words import ENDED, SUSPENDED

NameOf = Callable[[str], str]
Said = tuple[str, str, str]
"""Title, text and tone."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the story. `tone` is good, bad or plain."""

    at: datetime
    title: str
    text: str
    tone: str = "plain"


def story(told: Iterable[Told], name_of: NameOf) -> list[Line]:
    """The whole story, in order."""
    return [line for one in told if (line := _line(one, name_of)) is not None]


def _line(told: Told, name_of: NameOf) -> Line | None:
    said = _of_session(told.event) if isinstance(told.event, SessionFact) else _of_pair(told.event, name_of)
    return Line(told.at, *said) if said else None


def _of_pair(event: Event, name_of: NameOf) -> Said | None:
    said: Said | None = None
    match event:
        case PairProposed():
            until = f", until {day(event.expires_at)}" if event.expires_at else ""
            said = ("Proposed", f"{name_of(event.mentee)} is asked first{until}.", "plain")
        case PairAccepted():
            who, other = (event.mentee, event.mentor) if event.by is Role.MENTEE else (event.mentor, event.mentee)
            said = ("Accepted", f"{name_of(who)} says yes. {name_of(other)} is asked.", "plain")
        case PairConfirmed():
            said = ("Confirmed", "Both said yes, and every rule still holds.", "good")
        case PairDeclined():
            said = ("Declined", "Who said no, and why, stays private. The next best is looked for.", "bad")
        case PairExpired():
            said = ("Expired", "Nobody answered in time. The next best is looked for.", "bad")
        case PairSuspended():
            said = ("Suspended", f"The pair rests: {SUSPENDED[event.reason]}.", "bad")
        case PairResumed():
            said = ("Resumed", "What had suspended the pair is over.", "good")
        case PairEnded():
            said = ("Ended", f"{ENDED[event.reason].capitalize()}.", "good" if event.reason == "completed" else "bad")
    return said


def _of_session(event: SessionFact) -> Said | None:
    title = f"Session {event.number} of {event.planned}"
    said: Said | None = None
    match event:
        case SessionProposed():
            said = (title, f"{len(event.options)} times that suit both are proposed.", "plain")
        case SessionScheduled():
            said = (title, f"Booked for {when(event)}.", "plain")
        case SessionRescheduled():
            said = (title, f"Moved to {when(event)}. The invitation is updated, not cancelled.", "plain")
        case SessionCancelled():
            said = (title, "Called off; other times follow." if event.by else "Called off: the pair rests or is over.", "bad")
        case SessionCompleted():
            said = (title, "Held.", "good")
        case SessionMissed():
            said = (title, "Nobody said that it was held; other times follow.", "bad")
    return said


def when(event: SessionFact) -> str:
    """A session's time on both clocks, once when they agree: `Thursday 14 January 2027, 10:00 (Paris), 09:00 (Canary)`."""
    if event.mentee_local is None or event.mentor_local is None:
        return "a time to be found"
    mentee, mentor = (datetime.fromisoformat(text) for text in (event.mentee_local, event.mentor_local))
    text = f"{day(mentee)}, {mentee:%H:%M} ({_city(event.mentee_zone)})"
    return text if mentee == mentor else f"{text}, {mentor:%H:%M} ({_city(event.mentor_zone)})"


def day(at: datetime) -> str:
    """`Thursday 14 January 2027`."""
    return f"{at:%A} {at.day} {at:%B %Y}"


def _city(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")
