"""What became of a programme, change by change: who, when, why, and each field before and after. What is not here: the programme itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amont.common.events.values import Instant

MAX_WHY = 500
POLICY = "/policy/"
"""What a pointer to a policy's field begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Who does something, when, and why if they say so."""

    by: str
    at: Instant
    why: str | None = None


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
