"""What a domain needs to speak of state and decisions, and nothing else: pure, no I/O, no clock, no randomness.

An aggregate is one document: a frozen value with an id and a sequence number. A decision is the new state plus what happened, in one value,
so that the unit of work can save both by one atomic write.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

from amont.common.events.envelope import Event
from amont.common.events.values import Instant

A = TypeVar("A", bound="Aggregate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """One document. `seq` counts the events it has said; `due_at`, when set, is the instant at which time alone brings something."""

    id: str
    seq: int = 0
    due_at: Instant | None = None

    def facts(self) -> Mapping[str, Any]:
        """The full state as its events carry it: the fields that the aggregate's event classes share (without `seq`)."""
        return {}

    def becomes(self, **changes: Any) -> "Decision[Self]":
        """The same thing with these fields changed, and nothing said yet. A wrong field name raises TypeError."""
        return Decision(replace(self, **changes))


@dataclass(frozen=True, slots=True)
class Decision(Generic[A]):
    """A new state and the events that led to it, in order."""

    state: A
    events: tuple[Event, ...] = ()

    def saying(self, kind: Callable[..., Event], **more: Any) -> "Decision[A]":
        """Add an event that carries the new state's facts and its next `seq`; `more` is what only this event knows."""
        state = replace(self.state, seq=self.state.seq + 1)
        return Decision(state, (*self.events, kind(seq=state.seq, **{**state.facts(), **more})))
