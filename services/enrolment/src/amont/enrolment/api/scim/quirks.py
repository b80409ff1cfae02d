"""What identity providers send that no library expects, made right before it reads: Entra's manager as a bare string, and its `"$ref": null`.

Fields that Amont never stores are counted here by what they are, since nothing after this sees them. The rest of the providers' habits is in the
library's own policy (`schemas.POLICY`): `"Replace"`, `"False"`, values that select what to remove, filters that match nothing yet.
"""

import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json, to_json

from amont.common.feeds.refused import never_stored

DEEPEST = 6
"""Levels of a body in which names are looked at."""
_LAST = re.compile(r"[.:]")
_SECRETS = {"password": "password"}


def mended(body: bytes) -> tuple[bytes, list[str]]:
    """The body as it should have been, and what fields that are never stored are in it. A body that is no JSON object stays as it is."""
    try:
        given = from_json(body)
    except ValueError:
        return body, []
    if not isinstance(given, dict):
        return body, []
    found = list(_never_stored(given, 1))
    for name, value in given.items():
        if name.casefold() == "operations" and isinstance(value, list):
            found += [what for one in value if isinstance(one, dict) for what in _in_path(_get(one, "path"))]
            given[name] = [_operation(one) if isinstance(one, dict) else one for one in value]
    return to_json(_mended(given, 1)), found


def _operation(given: dict[str, Any]) -> dict[str, Any]:
    path, value = _get(given, "path"), _get(given, "value")
    if isinstance(path, str) and isinstance(value, str) and _last(path) == "manager":
        return {**{name: one for name, one in given.items() if name.casefold() != "value"}, "value": {"value": value}}
    return given


def _mended(value: Any, depth: int) -> Any:
    """The same with every manager that is a bare string as an object, and without references to nothing."""
    if isinstance(value, dict) and depth < DEEPEST:
        return {
            name: {"value": inner} if isinstance(inner, str) and _last(name) == "manager" else _mended(inner, depth + 1)
            for name, inner in value.items()
            if not (name == "$ref" and inner is None)
        }
    return [_mended(one, depth + 1) for one in value] if isinstance(value, list) and depth < DEEPEST else value


def _never_stored(value: Any, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        return
    for one in value if isinstance(value, list) else [value]:
        for name, inner in one.items() if isinstance(one, dict) else ():
            what = _SECRETS.get(_last(name)) or never_stored(_last(name))
            if what is None:
                yield from _never_stored(inner, depth + 1)
            elif inner not in (None, "", []):
                yield what


def _in_path(path: Any) -> Iterator[str]:
    if isinstance(path, str):
        names = [_last(path), *path.partition("[")[0].split(".")]
        found = next((what for name in names if (what := _SECRETS.get(name.casefold()) or never_stored(name))), None)
        if found:
            yield found


def _last(path: str) -> str:
    """The attribute that a path ends in, without its case where that does not matter."""
    name = _LAST.split(path)[-1]
    return name.casefold() if name.casefold() in {"manager", "password"} else name


def _get(given: dict[str, Any], wanted: str) -> Any:
    return next((value for name, value in given.items() if name.casefold() == wanted), None)
