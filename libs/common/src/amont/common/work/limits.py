"""How much an aggregate may have to say that is not known to be on the log: it is written with every save."""

from collections.abc import Mapping, Sequence
from typing import Any

from amont.common.errors import DomainError, Unavailable
from amont.common.work.entry import Key

MAX_PENDING = 200
"""Events one aggregate may hold that are not known to be on the log; more means that the log has been away for long."""
MAX_PENDING_BYTES = 1_000_000
"""How many bytes of events one aggregate may hold that are not known to be on the log."""
MAX_EVENT_BYTES = 900_000
"""How large an event may be: under what a broker takes by default, with room for headers."""


class TooMuchToSay(DomainError):
    """One decision says more, or something larger, than the log can carry: it can never be saved."""

    code = "too-much-to-say"
    status = 413
    title = "Too much at once"


class Backlog(Unavailable):
    """The aggregate's outbox is full: the log has not taken events for too long."""


def limit(key: Key, pending: int, out: Sequence[Mapping[str, Any]]) -> None:
    """Keep an outbox, of which `pending` were there before, small enough to be written with every save. Raises TooMuchToSay, Backlog."""
    new, size = len(out) - pending, sum(len(entry["data"] or "") for entry in out)
    if new > MAX_PENDING or sum(len(entry["data"] or "") for entry in out[pending:]) > MAX_PENDING_BYTES:
        raise TooMuchToSay(
            f"One decision on {key[0]} {key[1]!r} says {new} events of {size:,} bytes; {MAX_PENDING} and {MAX_PENDING_BYTES:,} are the most."
        )
    if len(out) > MAX_PENDING or size > MAX_PENDING_BYTES:
        raise Backlog(
            f"{key[0]} {key[1]!r} holds {pending} events that the log has not taken, with these {size:,} bytes. Try again when it is back."
        )
