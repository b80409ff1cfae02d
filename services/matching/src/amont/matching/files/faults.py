"""What is wrong with a file, and exactly where: faults with their JSON paths, and the one exception that carries all of them.

A path is written `$.people[3].topics['x-y']`: a key that is a plain word follows a dot, any other stands in brackets and quotes. While a
file is read a path is only a chain of steps, since nearly all of them are never written.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Union

MOST_FAULTS = 250_000
"""How many faults are listed one by one; a file that has more is told so in one last line."""

_LONGEST_KEY = 200
_LONGEST_VALUE = 60
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Path = Union[str, tuple["Path", str | int]]  # noqa: UP007 - a name in quotes cannot stand beside a bar
"""Where in a file: the root `$`, or a path and one step more, the key of a member or the place of an item."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, as a JSON path, and what, as the end of a sentence that begins with the path."""

    path: str
    reason: str

    def __str__(self) -> str:
        """Where and what."""
        return f"{self.path}: {self.reason}"


class Refused(ValueError):
    """A file that cannot be used; every fault is in `faults`, in the order in which they were found."""

    def __init__(self, what: str, faults: Iterable[Fault]) -> None:
        """Take what the file is (`pool`, `policy`) and everything that is wrong with it."""
        self.what = what
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class Faults:
    """The faults found so far, at most one for each place."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: dict[str, Fault] = {}

    @property
    def full(self) -> bool:
        """Whether there are too many to list, so that none is kept any more."""
        return len(self._found) > MOST_FAULTS

    def add(self, path: Path, reason: str) -> None:
        """Keep a fault, unless that place already has one or there are too many to list."""
        if self.full:
            return
        place = spell(path)
        if place in self._found:
            return
        if len(self._found) < MOST_FAULTS:
            self._found[place] = Fault(place, reason)
        else:
            self._found[""] = Fault("$", f"has more faults than these {MOST_FAULTS:,}; mend them and ask again")

    def __iter__(self) -> Iterator[Fault]:
        """From the first found to the last."""
        return iter(tuple(self._found.values()))

    def __len__(self) -> int:
        """How many."""
        return len(self._found)


def spell(path: Path) -> str:
    """The path in words; a very long key is cut, and half a character (a lone surrogate) written as its escape."""
    steps = []
    while isinstance(path, tuple):
        path, step = path
        steps.append(f"[{step}]" if isinstance(step, int) else _member(step))
    return path + "".join(reversed(steps))


def _member(key: str) -> str:
    if len(key) <= _LONGEST_KEY and _WORD.fullmatch(key):
        return f".{key}"
    cut = key if len(key) <= _LONGEST_KEY else key[:_LONGEST_KEY] + "…"
    escaped = cut.replace("\\", "\\\\").replace("'", "\\'")
    written = escaped.encode("utf-8", "backslashreplace").decode()
    return f"['{written}']"


def shown(value: object) -> str:
    """A value from a file as a message shows it: short, and no more than its kind when it holds others."""
    if isinstance(value, str | bool | int | float | None):
        text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else repr(value)
        return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
    return "a list" if isinstance(value, list) else "an object"
