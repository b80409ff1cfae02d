"""A job: something long that is asked for now and computed later, by one process at a time.

Whoever takes a job up claims it by compare-and-set for a while (a lease, Gray and Cheriton 1989) and renews the claim while at work. A process that dies
lets its claim run out, and the next one begins again under another attempt: what an attempt leaves behind is told from what the next one makes by its
number. A claim keeps two from working at once for long, not from ever doing so: only the attempt that the job still names may hand in its work.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from amont.common.aggregate import Aggregate, Decision
from amont.common.events.values import Instant

LEASE = timedelta(minutes=1)
"""How long a claim lasts without being renewed."""
MOST_FAILURES = 5
"""After so many attempts that failed, or whose process died, a job is given up."""
PAUSE = timedelta(seconds=10)
"""How long a job rests after its first failure; twice as long after each further one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How far an attempt is: `step` of the stage, of `steps` when that is known, and what a curious reader would like to see beside it."""

    stage: str
    step: int = 0
    steps: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Aggregate):
    """See the module. `attempt` counts the claims, `failures` those that came to nothing."""

    attempt: int = 0
    failures: int = 0
    claimed_until: Instant | None = None
    seen: Seen | None = None

    @property
    def waits(self) -> bool:
        """Whether there is still something to compute."""
        raise NotImplementedError

    def give_up(self, now: datetime) -> Decision[Self]:
        """It cannot be computed."""
        raise NotImplementedError

    def holds(self, attempt: int) -> bool:
        """Whether that attempt may go on and hand in its work."""
        return self.waits and self.claimed_until is not None and self.attempt == attempt

    def runs_out_soon(self, now: datetime) -> bool:
        """Whether a claim ought to be renewed."""
        return self.claimed_until is not None and self.claimed_until - now < LEASE / 2

    def take_up(self, now: datetime) -> Decision[Self]:
        """Claim it; wait while somebody else has; give up when it has failed too often."""
        if self.claimed_until is not None and self.claimed_until > now:
            return self.becomes(due_at=self.claimed_until)
        failures = self.failures + (self.claimed_until is not None)
        if failures >= MOST_FAILURES:
            return self.give_up(now)
        until = now + LEASE
        return self.becomes(attempt=self.attempt + 1, failures=failures, claimed_until=until, due_at=until, seen=None)

    def go_on(self, seen: Seen | None, now: datetime) -> Decision[Self]:
        """The attempt that holds it is alive, and this far."""
        until = now + LEASE
        return self.becomes(claimed_until=until, due_at=until, seen=seen)

    def put_back(self, at: datetime) -> Decision[Self]:
        """The attempt that holds it lets go of it, without having failed: anybody may take it up from then on."""
        return self.becomes(claimed_until=None, due_at=at, seen=None)

    def fail(self, now: datetime) -> Decision[Self]:
        """The attempt that holds it came to nothing: again after a rest, or never."""
        if self.failures + 1 >= MOST_FAILURES:
            return self.give_up(now)
        pause = PAUSE * 2**self.failures
        return self.becomes(failures=self.failures + 1, claimed_until=None, due_at=now + pause, seen=None)
