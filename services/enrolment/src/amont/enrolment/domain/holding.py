"""What is kept instead of being taken: a staff record that waits for somebody's word, and why it waits.

A held record stays in the document of the person it is about, at its own position in time, so that whatever else arrives meanwhile finds its place
before or after it. What is not here: when a record is held and when it goes on (`employee`), how many leavers are too many (`feed`), and what people
have decided (`ruling`).
"""

from dataclasses import dataclass
from enum import StrEnum

from amont.common.events.values import Instant
from amont.enrolment.domain.staff import StaffEntry


class Why(StrEnum):
    """What a held record waits for."""

    PAUSED = "paused"
    """The subsidiary's feed to be resumed."""
    LEAVERS = "leavers"
    """The breaker's leave to let one more person go, or a coordinator's word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A record that waits, since it arrived (or, for a leaving that lay ahead, since it would have become true)."""

    entry: StaffEntry
    why: Why
    since: Instant
