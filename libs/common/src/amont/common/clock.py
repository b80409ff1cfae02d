"""The clock is a part that is passed in, so that a test or the demo can move it. All instants are aware and in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when told to."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> None:
        self._at += by

    def move_to(self, at: datetime) -> None:
        """Move to an instant; raises ValueError when it lies behind."""
        at = at.astimezone(UTC)
        if at < self._at:
            raise ValueError(f"time does not run backwards: {at} is before {self._at}")
        self._at = at
