"""Which attribute a PATCH means: one of an extension is written with the extension's URI (RFC 7643, section 3.3; RFC 7644, sections 3.5.2 and 3.10).

Attributes that nobody here knows are dropped, since identity providers send many. One that is known under another name is a slip of whoever set the
provider up: it is refused with the name that was meant, where a 204 would have them believe that it was taken.
"""

import re
from collections.abc import Mapping
from typing import Any

from scim2_models import Extension, InvalidPathException

from amont.enrolment.api.scim.schemas import AmontEmployee, User

OURS = str(AmontEmployee.__schema__)
_CORE = re.compile(re.escape(str(User.__schema__)) + ":", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][\w-]*")


def must_be_qualified(path: str, extensions: Mapping[str, type[Extension]]) -> None:
    """Raises InvalidPathException for an attribute of an extension that lacks the URI, and for one that Amont's own extension does not have."""
    if path.casefold().startswith(f"{OURS}:".casefold()):
        if OURS in extensions:
            _must_be_ours(path)
        return
    found = _NAME.match(_CORE.sub("", path))
    name = found[0].casefold() if found else ""
    for uri, extension in extensions.items():
        full = _attributes(extension).get(name)
        if full is not None:
            detail = f"{path[:100]!r} is an attribute of an extension: write its path as {uri}:{full}. Nothing has changed."
            raise InvalidPathException(path=path, detail=detail)


def _must_be_ours(path: str) -> None:
    names = _attributes(AmontEmployee)
    found = _NAME.match(path[len(OURS) + 1 :])
    if found is None or found[0].casefold() not in names:
        given = path[len(OURS) + 1 :][:100]
        detail = f"{given!r} is no attribute of {OURS}, which has {', '.join(names.values())}. Nothing has changed."
        raise InvalidPathException(path=path, detail=detail)


def _attributes(extension: type[Any]) -> dict[str, str]:
    """The attributes of a schema as they are written, by their names in small letters: SCIM does not mind the case."""
    names = (field.serialization_alias or name for name, field in extension.model_fields.items())
    return {name.casefold(): name for name in names if name != "schemas"}
