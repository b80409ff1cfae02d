"""What a file would do to somebody whom enrolment holds, or does not. What all of them together show is in `commands.comparing`.

Of each record nothing is remembered but numbers (`marks_of`), by which two values can be told apart and neither can be read. They hold for one run of
the program.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.staff import Profile, StaffEntry

_PROFILE = tuple(field.name for field in fields(Profile))
_CALLED = MappingProxyType({"band": "grade", "managers": "manager_id"})
FIELDS = ("status", *(_CALLED.get(name, name) for name in _PROFILE))
"""What can change, as a staff record calls it. Of a grade only the group's band is kept; `manager_id` is all managers, dotted ones among them."""


class Effect(StrEnum):
    """What the newest record that a file has of somebody would do: the newest that is true by now, or else that lies ahead."""

    NEW = "new"
    BACK = "back"
    """They have left, and come back under the same id."""
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEAVING = "leaving"
    GONE = "gone"
    """It says that somebody leaves whom nobody has told us of."""
    OLDER = "older"
    """Something newer is known, so it changes nothing."""
    ERASED = "erased"
    """They were erased, so it is refused."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a record of somebody says: from when on, when it was written, and the marks of its fields (None: they leave)."""

    effective_at: datetime
    occurred_at: datetime
    marks: tuple[int, ...] | None


def marks_of(entry: StaffEntry) -> tuple[int, ...] | None:
    """A number for each of `FIELDS`; None for a leaving."""
    profile = entry.profile
    return None if profile is None else (hash(entry.status), *(hash(getattr(profile, name)) for name in _PROFILE))


def compared(employee: Employee, said: Said) -> tuple[Effect, tuple[str, ...]]:
    """What the record would do to an employee, and the fields that it would change.

    It is held against what it would come after, whether that is true yet or not, or is held. Of two records of one instant that were written at the
    same time either may count: then the file's is taken for the one that does.
    """
    last = employee.last
    older = last is not None and (said.effective_at, said.occurred_at) < (last.position.effective_at, last.position.occurred_at)
    before = last if older else employee.known_at(said.effective_at, said.occurred_at, leaves=said.marks is None)
    if before is None:
        return (Effect.NEW if said.marks else Effect.GONE), ()
    marks = marks_of(before)
    if marks == said.marks:
        return Effect.UNCHANGED, ()
    if older:
        return Effect.OLDER, ()
    if marks is None or said.marks is None:
        return (Effect.BACK if marks is None else Effect.LEAVING), ()
    return Effect.CHANGED, tuple(name for name, was, will in zip(FIELDS, marks, said.marks, strict=True) if was != will)
