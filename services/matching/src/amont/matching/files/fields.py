"""What a field may hold: checks that give the value as the domain wants it, or add faults and give `None`.

A check never stops at the first fault, and what it makes of a good value is never `None`. Numbers are integers as JSON writes them: `9.0`
and `true` are none.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from amont.matching.files.faults import Faults, Path, shown
from amont.matching.files.text import repetitions

Check = Callable[[Any, Path, Faults], Any]
"""Takes a value, its path, and where faults go."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_SLIP = 40
"""A longer key is like no field, and to find that out takes much memory."""


def integer(low: int, high: int | None = None) -> Check:
    """An integer within limits, both included; `high` may be open."""
    limits = f"from {low} to {high}" if high is not None else f"of at least {low}"

    def check(value: Any, path: Path, faults: Faults) -> int | None:
        if type(value) is int and low <= value and (high is None or value <= high):
            return value
        faults.add(path, f"must be an integer {limits}, not {shown(value)}")
        return None

    return check


def boolean(value: Any, path: Path, faults: Faults) -> bool | None:
    """`true` or `false`."""
    if value is True or value is False:
        return bool(value)
    faults.add(path, f"must be true or false, not {shown(value)}")
    return None


def text(value: Any, path: Path, faults: Faults) -> str | None:
    """Text that can be written as UTF-8; may be empty."""
    if type(value) is str and (value.isascii() or not _SURROGATE.search(value)):
        return value
    faults.add(path, "holds half a character (a lone surrogate)" if isinstance(value, str) else f"must be text, not {shown(value)}")
    return None


def name(value: Any, path: Path, faults: Faults) -> str | None:
    """An id or a name: text that is not empty."""
    if type(value) is str and value and value.isascii():
        return value
    if value != "":
        return text(value, path, faults)
    faults.add(path, "must not be empty")
    return None


def once(check: Check, known: dict[Any, Any]) -> Check:
    """The same check, which gives equal values as one object, so that a file that repeats itself takes little memory."""

    def shared(value: Any, path: Path, faults: Faults) -> Any:
        good = check(value, path, faults)
        return None if good is None else known.setdefault(good, good)

    return shared


def choice(*values: str) -> Check:
    """One of a few words."""

    def check(value: Any, path: Path, faults: Faults) -> str | None:
        if type(value) is str and value in values:
            return value
        faults.add(path, f"must be {' or '.join(map(repr, values))}, not {shown(value)}")
        return None

    return check


def parsed(parse: Callable[[str], Any], known: dict[str, Any]) -> Check:
    """Text that `parse` can read (it raises ValueError with the reason when it cannot); what was read once is kept in `known`."""

    def check(value: Any, path: Path, faults: Faults) -> Any:
        read = known.get(value) if type(value) is str else None
        if read is not None:
            return read
        if text(value, path, faults) is None:
            return None
        try:
            known[value] = parse(value)
        except ValueError as error:
            faults.add(path, str(error) if len(value) <= len(shown(value)) else f"{shown(value)} cannot be read")
            return None
        return known[value]

    return check


def every(check: Check, *, length: int | None = None, of: str = "values") -> Check:
    """A list, each item of which passes; gives a tuple. With `length`, it has exactly that many items."""
    wanted = f"must be a list of {of}" if length is None else f"must be a list of {length} {of}"

    def whole(value: Any, path: Path, faults: Faults) -> tuple[Any, ...] | None:
        if type(value) is not list or (length is not None and len(value) != length):
            faults.add(path, f"{wanted}, not {shown(value)}" if type(value) is not list else f"{wanted}, and has {len(value)}")
            return None
        good = [check(one, (path, place), faults) for place, one in enumerate(value)]
        return None if None in good else tuple(good)

    return whole


def mapping(check: Check, *, of: str, key: Check = name) -> Check:
    """An object with names of the file's own, each value of which passes; gives what is good of it, and `None` for what is no object."""

    def whole(value: Any, path: Path, faults: Faults) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            faults.add(path, f"must be an object of {of}, not {shown(value)}")
            return None
        repetitions(value, path, faults)
        good = {}
        for said, one in value.items():
            at = (path, said)
            named = key(said, at, faults)
            made = check(one, at, faults) if named is not None else None
            if made is not None:
                good[named] = made
        return good

    return whole


def record(value: Any, path: Path, faults: Faults, *, fields: Mapping[str, Check], optional: frozenset[str], what: str) -> dict[str, Any]:
    """The good fields of an object that has all of these fields, but for the optional ones, and no others; empty when it is no object."""
    if not isinstance(value, dict):
        faults.add(path, f"must be an object, {what}, not {shown(value)}")
        return {}
    repetitions(value, path, faults)
    good = {}
    for key, check in fields.items():
        if key in value:
            made = check(value[key], (path, key), faults)
            if made is not None:
                good[key] = made
        elif key not in optional:
            faults.add((path, key), "is missing")
    if not fields.keys() >= value.keys():
        for key in value:
            if faults.full:
                break
            if key not in fields:
                faults.add((path, key), f"is not a field of {what}; {_instead(key, fields)}")
    return good


def _instead(key: str, fields: Iterable[str]) -> str:
    """What to do about a field that there is not."""
    meant = get_close_matches(key, fields, n=1, cutoff=0.8) if len(key) <= _LONGEST_SLIP else ()
    return f"did you mean {meant[0]!r}?" if meant else "remove it"
