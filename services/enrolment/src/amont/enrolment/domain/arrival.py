"""What can become of a staff record when it arrives, and how much of one person is kept that is not true yet."""

from enum import StrEnum

from amont.common.errors import DomainError


class Outcome(StrEnum):
    """What became of a staff record."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"
    DEFERRED = "deferred"
    HELD = "held"
    REFUSED = "refused"
    ERASED = "erased"


MOST_AHEAD = 30
"""Records of one person that may lie ahead: all of them becoming true at once must still fit into one document's outbox."""
MOST_HELD = 20
"""Records of one person that may be held: the same, beside those that lie ahead."""
MOST_DROPPED = 10
"""Of how many dropped records of one person it is remembered that they are not to be taken; the newest."""
MOST_NAMED = 200
"""Of how many managers of one person it is kept since when they have been named; those named last."""


class TooManyHeld(DomainError):
    """More waits for somebody's word than is kept."""

    code = "too-many-held-records"
    title = "Too many records of one person are held"

    def __init__(self, person: str) -> None:
        super().__init__(
            f"{MOST_HELD} records of {person!r} are held already. Resume the subsidiary's feed, or decide about its leavers; then replay the record."
        )


class TooFarAhead(DomainError):
    """An HR system plans more for one person than anybody can."""

    code = "too-many-future-records"
    title = "Too many records lie ahead"

    def __init__(self, person: str) -> None:
        super().__init__(f"{person!r} has {MOST_AHEAD} records that lie ahead already. Send a change nearer to its day, or fewer of them.")
