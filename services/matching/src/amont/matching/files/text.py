"""From the bytes of a file to plain values, in bounded memory: what JSON itself does not allow, or what would be too much, is refused here.

Three things differ from a call of `json.loads`. A key that stands twice in one object is remembered, in `Repeated`. An integer with more
digits than Python reads becomes an infinity. And NaN and the infinities, which are not JSON but are written by many programs, are floats
like others: whoever checks the field refuses them there, with the field's path.
"""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any

from amont.matching.files.faults import Fault, Faults, Path, Refused

MEGABYTE = 1024 * 1024
MOST_BYTES = 128 * MEGABYTE
"""The size of the largest file that is read. A hundred thousand people with eight topics each need about half of it."""

MOST_CONTAINERS = 2_000_000
"""How many objects and lists a file may have: what bounds memory where a few bytes make a large value."""

MOST_VALUES = 8_000_000
"""How many values a file may have, counted by its commas."""

Made = Callable[[dict[str, Any]], Any]


class Repeated(dict[str, Any]):
    """An object in which keys stand twice; it holds the last value of each."""

    repeated: tuple[str, ...] = ()


def parse(raw: bytes, what: str, *, made: Made | None = None) -> Any:
    """The value that a file holds.

    Args:
        raw: the whole file, UTF-8.
        what: what the file is, for messages: `pool`, `policy`, `result`.
        made: told of each object without repeated keys, innermost first, and gives what is to stand in its place.

    Raises:
        Refused: too large, not UTF-8, a byte order mark, not JSON, nested too deeply. There is nothing else to say about such a file, so
            this is the only fault.
    """
    _hold_size(raw, what)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise _refused(what, f"is not UTF-8: byte {error.start:,} cannot be read; save the file as UTF-8") from None
    if text.startswith("\ufeff"):
        raise _refused(what, "begins with a byte order mark; save the file as UTF-8 without one")
    try:
        return _load(text, made)
    except json.JSONDecodeError as error:
        raise _refused(what, f"is not JSON: {error.msg} (line {error.lineno:,}, column {error.colno:,})") from None
    except RecursionError:
        raise _refused(what, f"is nested too deeply to be a {what}") from None


def repetitions(value: object, path: Path, faults: Faults) -> None:
    """Add a fault for every key of that object which stands in it twice."""
    if isinstance(value, Repeated):
        for key in value.repeated:
            faults.add((path, key), "stands twice; keep one")


def _hold_size(raw: bytes, what: str) -> None:
    advice = "split the programme into several pools, for instance by business unit" if what == "pool" else f"this is no {what} of Amont"
    if len(raw) > MOST_BYTES:
        raise _refused(what, f"is larger than {MOST_BYTES // MEGABYTE} MB; {advice}")
    if raw.count(b"{") + raw.count(b"[") > MOST_CONTAINERS:
        raise _refused(what, f"has more than {MOST_CONTAINERS:,} objects and lists; {advice}")
    if raw.count(b",") > MOST_VALUES:
        raise _refused(what, f"has more than {MOST_VALUES:,} values; {advice}")


def _refused(what: str, reason: str) -> Refused:
    return Refused(what, [Fault("$", reason)])


def _object(made: Made | None) -> Callable[[list[tuple[str, Any]]], Any]:
    def of(pairs: list[tuple[str, Any]]) -> Any:
        value = dict(pairs)
        if len(value) == len(pairs):
            return value if made is None else made(value)
        repeated = Repeated(value)
        repeated.repeated = tuple(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        return repeated

    return of


def _load(text: str, made: Made | None) -> Any:
    load = partial(json.loads, text, object_pairs_hook=_object(made))
    try:
        return load()
    except json.JSONDecodeError:
        raise
    except ValueError:
        return load(parse_int=_integer)


def _integer(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return -inf if digits.startswith("-") else inf
