"""What coordinators decide about a subsidiary's feed: the decision, who made it, when and why. Kept with the feed, the newest ones."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from amont.common.errors import Fault, Invalid
from amont.common.events.values import Instant
from amont.enrolment.domain.history import Stamp, aged

MOST_RULINGS = 50
"""How many decisions of a kind are kept."""
MAX_REASON = 500


class Verb(StrEnum):
    """What can be decided about a feed: to hold all it brings or no more, to let its held leavers go or to forget them."""

    PAUSE = "pause"
    RESUME = "resume"
    RELEASE = "release"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling(Stamp):
    """A decision. `by` is the id of the person or client who made it."""

    verb: Verb


def ruled(verb: Verb, by: str, at: Instant, why: str) -> Ruling:
    """A decision with its reason, which must say something. Raises Invalid."""
    reason = why.strip()
    if not reason or len(reason) > MAX_REASON:
        raise Invalid("Say why.", [Fault("/why", f"a reason of 1 to {MAX_REASON} characters: it is kept with your id and the time")])
    return Ruling(verb=verb, by=by, at=at, why=reason)


def noted(before: tuple[Ruling, ...], new: Ruling) -> tuple[Ruling, ...]:
    """The newest decisions, the oldest first."""
    return (*before, new)[-MOST_RULINGS:]


def still_known(rulings: tuple[Ruling, ...], now: datetime) -> tuple[Ruling, ...]:
    """Those of which it is still known who made them and why; of the newest, which goes on to count, at least what it said."""
    left = aged(rulings, now)
    return tuple(one for one in left if one.by is not None or one is left[-1])
