"""What the SCIM library refuses, in our words: it repeats what pydantic and its parser say, which tells nobody what to write. Its own sentences stay."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from scim2_models import Error, InvalidPathException, InvalidSyntaxException, SCIMException

from amont.common.events.wording import in_words, not_json

MOST_FAULTS = 20
"""Faults of one body that are told."""
_UNREAD = re.compile(r"invalid syntax at column (\d+)")
_COMPARES = re.compile(r"([\w.:-]+)\s+(eq|ne|co|sw|ew|gt|ge|lt|le)\s+$", re.IGNORECASE)
_A_FILTER = 'an attribute, an operator and a value in double quotes, as in userName eq "lea@example.org", and close what you open'
_A_PATH = 'an attribute, as in name.givenName or emails[type eq "work"].value'
_BARE = re.compile(r"[^\s\])\"]+")


def worded(error: SCIMException) -> SCIMException:
    """The same refusal, with every fault of a body, and where a filter or a path cannot be read."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        said = "; ".join(dict.fromkeys(map(_fault, cause.errors(include_url=False)[:MOST_FAULTS])))
    elif isinstance(error, InvalidSyntaxException) and isinstance(cause, ValueError):
        said = f"The body is {not_json(cause)}."
    else:
        said = _unread(error.detail, getattr(error, "filter", getattr(error, "path", None)), error.scim_type)
    if said == error.detail:
        return error
    told = error.to_error()
    return SCIMException.from_error(Error(status=told.status, scim_type=told.scim_type, detail=said))


def _fault(fault: Mapping[str, Any]) -> str:
    """One fault, the attribute first."""
    if fault["type"].startswith("scim_"):
        return _unread(fault["msg"], fault.get("input"), fault.get("ctx", {}).get("scim_type", ""))
    attribute = (Error.from_validation_error({**fault, "msg": ""}).detail or "").removeprefix(": ")
    words = in_words(fault)
    if not attribute:
        return words if words == fault["msg"] else f"The body: {words}"
    return f"{attribute}: {words}"


def _unread(said: str, text: Any, scim_type: str) -> str:
    """Where a filter or a path is none, and what to write there; any other sentence as it is."""
    found = _UNREAD.fullmatch(said)
    if found is None or not isinstance(text, str):
        return said
    at = int(found[1])
    before, rest = text[: at - 1], text[at - 1 :]
    if rest.startswith('"') and '"' not in rest[1:]:
        return f"The quote that opens at character {at} is never closed."
    if (compares := _COMPARES.search(before)) and (value := _BARE.match(rest)):
        bare = value[0].strip("'")
        return f'Put the value in double quotes, at character {at}: {compares[1]} {compares[2]} "{bare[:100]}".'
    return f"It cannot be read from character {at} on ({rest[:40]!r}). Write {_A_PATH if scim_type == InvalidPathException.scim_type else _A_FILTER}."
