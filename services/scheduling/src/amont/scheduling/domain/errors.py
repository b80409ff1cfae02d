"""What scheduling refuses, each with its stable code. The sentences say what is wrong and what to do, with ids only."""

from datetime import datetime, timedelta
from typing import ClassVar

from amont.common.errors import Conflict, Fault, Invalid
from amont.common.events.values import SessionStatus


class PlanNotActive(Conflict):
    """The pair rests or is over."""

    code = "plan-not-active"
    title = "The pair does not meet at present"

    def __init__(self, plan: str, status: str) -> None:
        super().__init__(f"Plan {plan!r} is {status}: nothing can be booked. A resting plan goes on when the pair does.")


class SessionNotOpen(Conflict):
    """The session's status does not allow it."""

    code = "session-not-open"
    title = "The session is past that"

    def __init__(self, session: str, status: SessionStatus, verb: str, wanted: str) -> None:
        super().__init__(
            f"Session {session!r} is {status}; only {wanted} session can be {verb}. Read the plan for the one that is open now."
        )


class SessionNotBegun(Conflict):
    """A session cannot have been held before its start."""

    code = "session-not-begun"
    title = "The session has not begun"

    def __init__(self, session: str, starts_at: datetime) -> None:
        super().__init__(f"Session {session!r} begins at {starts_at.isoformat()}; say that it was held after that.")


class SlotTaken(Conflict):
    """One of the two meets somebody else then."""

    code = "slot-taken"
    title = "The time is taken"

    def __init__(self, starts_at: datetime) -> None:
        super().__init__(
            f"One of the two has another session at {starts_at.isoformat()}. Take another time; /slots lists what both can make."
        )


class SlotRefused(Invalid):
    """The time cannot be one of the two's."""

    code = "slot-refused"
    title = "The time does not suit both"

    def __init__(self, starts_at: datetime, why: str) -> None:
        super().__init__(
            f"{starts_at.isoformat()} {why}. Take one of the options, or one that /slots lists.", [Fault("/starts_at", f"it {why}")]
        )


class HoursUnknown(Conflict):
    """A fact about one of the two, or the programme, has not arrived here. `look_again` says when it is worth another look."""

    code = "hours-unknown"
    title = "Not known yet"
    look_again: ClassVar[timedelta] = timedelta(minutes=1)

    def __init__(self) -> None:
        super().__init__("Something about the two or their programme has not arrived here. Try again in a minute.")


class SomebodyAway(HoursUnknown):
    """One of the two is on leave, has left or takes part no more, and the pair has not been told yet."""

    code = "somebody-away"
    title = "One of the two is away"
    look_again = timedelta(hours=1)

    def __init__(self) -> None:
        Conflict.__init__(self, "One of the two is away at present. Nothing can be booked until they are back.")


class HoursUnreadable(HoursUnknown):
    """Somebody's zone or windows cannot be read."""

    code = "hours-unreadable"
    title = "Somebody's hours cannot be read"
    look_again = timedelta(days=1)

    def __init__(self, enrolment: str, faults: tuple[str, ...]) -> None:
        Conflict.__init__(self, f"The hours of enrolment {enrolment!r} cannot be read: {'; '.join(faults)}. Correct them at enrolment.")
