"""What a service does when it hears an event, its CONSUMES table, and when a document's time has come, its DUE table."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amont.common.aggregate import Aggregate
from amont.common.events.envelope import Envelope, Event
from amont.common.ids import derived

if TYPE_CHECKING:
    from amont.common.work import Work

Handle = Callable[[Any, "Work"], Awaitable[None]]
Needs = Callable[[Any, Envelope], Iterable[tuple[type[Aggregate], str]]]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a service does when it hears an event. `needs` names, for an event and its envelope, aggregates worth reading ahead for a whole batch: a
    hint, never a must.
    """

    handle: Handle
    needs: Needs


Reactions = Mapping[type[Event], Handle | Reaction]
"""A service's CONSUMES table."""


@dataclass(frozen=True, slots=True)
class Waking:
    """What a service does when the time of a document has come. `ahead` reads what `handle` would ask for, for a whole page of them: a hint, never a must."""

    handle: Handle
    ahead: Callable[[Sequence[Any], "Work"], Awaitable[None]]


Due = Mapping[type[Aggregate], Handle | Waking]
"""A service's DUE table."""


def id_after(cause: Envelope, *parts: str | int) -> str:
    """The id of what an event brings: the same however often it is heard."""
    return derived(f"{cause.source} {cause.id}", *parts)
