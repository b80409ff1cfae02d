"""Half a surrogate pair in a JSON body: JSON may escape one, and it is no text. No store takes it, and no answer can repeat it."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from fastapi import Request

from amont.common.errors import Fault, Invalid
from amont.common.web.problems import pointer

MOST_FAULTS = 100
"""How many places are named: a body may have very many."""

_DETAIL = "half a surrogate pair stands alone: write the whole character, as itself or as both escapes"

_Place = tuple["_Place", str | int] | None
"""The place around it and its own name there; None is the whole."""


async def no_halves(request: Request) -> None:
    """Refuse a JSON body in which half a pair stands alone, in a value or in a name. Raises Invalid with their places."""
    if getattr(request.scope["route"], "body_field", None) is None:
        return
    try:
        said = await request.json()
    except (ValueError, RecursionError):
        return  # who reads it as a body says what is wrong with it
    faults = [Fault(_pointer(place), _DETAIL) for place in islice(_halves(said), MOST_FAULTS)]
    if faults:
        raise Invalid("The body has half a character, which is no text.", faults)


def _halves(said: Any) -> Iterator[_Place]:
    """Where they stand. Without recursion: a body may be nested as deeply as its reader goes."""
    left: list[tuple[Any, _Place]] = [(said, None)]
    while left:
        value, place = left.pop()
        match value:
            case str() if _is_half(value):
                yield place
            case dict():
                yield from ((place, name) for name in value if _is_half(name))
                left += reversed([(one, (place, name)) for name, one in value.items()])
            case list():
                left += reversed([(one, (place, index)) for index, one in enumerate(value)])


def _is_half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _pointer(place: _Place) -> str:
    """With a half in a name as its escape, as it can be told."""
    parts: list[str | int] = []
    while place is not None:
        place, part = place
        parts.append(part)
    return pointer(("body", *reversed(parts))).encode(errors="backslashreplace").decode()
