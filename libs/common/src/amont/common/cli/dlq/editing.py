"""What an edit on the command line means."""

from collections.abc import Sequence
from typing import Any

import typer
from pydantic_core import from_json, to_json


def headers_of(changes: Sequence[str]) -> dict[str, str | None]:
    """`NAME=VALUE` each; no value takes the header away. Raises BadParameter."""
    headers: dict[str, str | None] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"--header {change!r}: write NAME=VALUE")
        headers[name] = value or None
    return headers


def with_fields(value: bytes | None, changes: Sequence[str]) -> bytes:
    """The value with some fields set: `/grade="C3"`; what is no JSON is taken as text. Raises BadParameter."""
    try:
        fields = from_json(value or b"")
    except ValueError:
        raise typer.BadParameter("--set changes fields of a JSON value, and this one is none: give the whole with --value") from None
    for change in changes:
        pointer, equals, text = change.partition("=")
        if not pointer.startswith("/") or not equals:
            raise typer.BadParameter(f'--set {change!r}: write POINTER=JSON, for instance /grade="C3"')
        _set(fields, [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")], _value_of(text), pointer)
    return to_json(fields)


def _set(fields: Any, path: Sequence[str], value: Any, pointer: str) -> None:
    *parents, last = path
    place = fields
    try:
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = value
    except (KeyError, IndexError, TypeError, ValueError):
        raise typer.BadParameter(f"--set {pointer}: there is no such place in the value") from None


def _value_of(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError:
        return text
