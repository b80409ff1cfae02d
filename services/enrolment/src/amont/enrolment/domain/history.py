"""Who decided what, when and why, and what became of a programme, change by change: each field before and after. What is not here: the programme itself.

Who and why is known for the audit's year. After that a decision that something still needs stays in nobody's name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self, TypeVar

from amont.common.events.values import Instant
from amont.common.kept import DECISIONS_KEPT

MAX_WHY = 500
POLICY = "/policy/"
"""What a pointer to a policy's field begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Who does something, and when. `by` is None once its year is over."""

    by: str | None
    at: Instant

    @property
    def known_until(self) -> datetime | None:
        """Until when it is known who it was; None when nobody knows."""
        return None if self.by is None else self.at + DECISIONS_KEPT

    def unsigned(self) -> Self:
        return replace(self, by=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp(Signed):
    """The same, and why if they say so."""

    why: str | None = None

    def unsigned(self) -> Self:
        return replace(self, by=None, why=None)


S = TypeVar("S", bound=Signed)


def aged(signed: Iterable[S], now: datetime) -> tuple[S, ...]:
    """The same; those whose year is over in nobody's name."""
    return tuple(one.unsigned() if one.known_until is not None and one.known_until <= now else one for one in signed)


def known_until(signed: Iterable[Signed]) -> datetime | None:
    """When the first of these years is over."""
    return min((one.known_until for one in signed if one.known_until is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field before and after, as JSON; None where there was nothing."""

    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision(Stamp):
    """One change of a programme: `changed` by JSON pointer, a policy field by field. `policy_version` is the one that holds from here on."""

    number: int
    policy_version: int
    changed: Mapping[str, Change]

    @property
    def changes_policy(self) -> bool:
        return any(pointer.startswith(POLICY) for pointer in self.changed)


def difference(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> dict[str, Change]:
    """What is not the same in two JSON objects, by pointer. The values under `/policy` are compared field by field, all others as wholes."""
    changed: dict[str, Change] = {}
    for name in sorted(before.keys() | after.keys()):
        was, now, pointer = before.get(name), after.get(name), f"{at}/{name}"
        if pointer == "/policy" and was is not None:
            changed |= difference(was, now or {}, pointer)
        elif was != now:
            changed[pointer] = Change(before=was, after=now)
    return changed
