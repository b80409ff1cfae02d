"""How much of a request is read as a language: a filter and a PATCH's paths are parsed, and a filter is asked of every user of a subsidiary.

Lengths are looked at before anything is parsed, in whatever case a name is written. What is not here: how large a body may be (`amont.common.web`).
"""

import re
from collections.abc import Iterator
from typing import Any

from scim2_models import InvalidFilterException, InvalidPathException, ScimFilter
from scim2_models.path import LogicalExpr, Not, ValuePath

LONGEST_FILTER = 4_000
"""Characters of a filter: more is a mistake, or somebody trying how deep a parser goes."""
MOST_COMPARISONS = 50
"""Comparisons of a filter."""
LONGEST_PATHS = 40_000
"""Characters of all the paths of one PATCH."""


HALVES = "A character beyond U+FFFF is written as itself, not as an escape of two halves."
_HALF = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
"""A half of a surrogate pair, escaped or not: alone it is no character, and no store takes it."""


def _is_half(text: str) -> bool:
    return _HALF.search(text) is not None


def filter_must_be_short(search: Any) -> None:
    """Of a search, before it is parsed. Raises InvalidFilterException."""
    if any(len(str(one)) > LONGEST_FILTER for one in named(search, "filter")):
        raise InvalidFilterException(detail=f"A filter may have {LONGEST_FILTER:,} characters: ask several times, for less each time.")
    if any(_is_half(str(one)) for one in named(search, "filter")):
        raise InvalidFilterException(detail=HALVES)


def filter_must_compare_little(given: ScimFilter[Any]) -> None:
    """Of a search, once it is parsed. Raises InvalidFilterException."""
    if _comparisons(given.ast) > MOST_COMPARISONS:
        raise InvalidFilterException(detail=f"A filter may have {MOST_COMPARISONS} comparisons: ask several times, with fewer each time.")


def paths_must_be_short(patch: Any) -> None:
    """Of a PATCH, before it is parsed. Raises InvalidPathException."""
    operations = [one for several in named(patch, "operations") if isinstance(several, list) for one in several]
    paths = [path for one in operations for path in _paths(one)]
    if any(map(_is_half, paths)):
        raise InvalidPathException(detail=HALVES)
    length = sum(map(len, paths))
    if length > LONGEST_PATHS:
        raise InvalidPathException(
            detail=f"The paths of one PATCH may have {LONGEST_PATHS:,} characters together: send several with fewer operations. Nothing has changed."
        )


def _paths(operation: Any) -> Iterator[str]:
    """Those of one operation: without a `path`, the names in its value are paths."""
    yield from (path for path in named(operation, "path") if isinstance(path, str))
    yield from (path for value in named(operation, "value") if isinstance(value, dict) for path in value)


def named(given: Any, wanted: str) -> list[Any]:
    """What a JSON object has under a name: SCIM does not mind the case, so there may be several."""
    return [value for name, value in given.items() if name.casefold() == wanted] if isinstance(given, dict) else []


def _comparisons(node: Any) -> int:
    match node:
        case LogicalExpr():
            return sum(map(_comparisons, node.terms))
        case Not():
            return _comparisons(node.expr)
        case ValuePath():
            return _comparisons(node.val_filter)
    return 1
