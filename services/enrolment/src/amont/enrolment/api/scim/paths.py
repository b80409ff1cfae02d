"""Where an attribute is to be: one of an extension is written with the extension's URI (RFC 7643, section 3.3; RFC 7644, sections 3.5.2 and 3.10).

Attributes that nobody here knows are dropped, since identity providers send many. One that is known under another name is a slip of whoever set the
provider up: it is refused with the name that was meant, where success would have them believe that it was taken.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scim2_models import Extension, InvalidFilterException, InvalidPathException, InvalidSyntaxException, PatchOp, ScimFilter
from scim2_models.path import Comparison, LogicalExpr, Not, Present

from amont.common.feeds.refused import never_stored
from amont.enrolment.api.scim.schemas import AmontEmployee, User

OURS = str(AmontEmployee.__schema__)
_CORE = re.compile(re.escape(str(User.__schema__)) + ":", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][\w-]*")
Extensions = Mapping[str, type[Extension]]


def paths_of(patch: "PatchOp[Any]") -> Iterator[str]:
    """What the operations of a PATCH are about: without a `path`, the names in the value."""
    for operation in patch.operations or ():
        pathless = list(operation.value) if isinstance(operation.value, dict) else []
        yield from pathless if operation.path is None else [str(operation.path)]


def says_active(patch: "PatchOp[Any]") -> bool:
    """Whether a PATCH is about `active`, among other things."""
    return any(_CORE.sub("", path).casefold() == "active" for path in paths_of(patch))


def path_must_be_qualified(path: str, extensions: Extensions) -> None:
    """Of a PATCH. Raises InvalidPathException for an attribute of an extension that lacks the URI, and for one that Amont's own extension does not have."""
    if path.casefold().startswith(f"{OURS}:".casefold()):
        if OURS in extensions and (why := _none_of_ours(path[len(OURS) + 1 :])):
            raise InvalidPathException(path=path, detail=why)
    elif full := _of_an_extension(_CORE.sub("", path), extensions):
        raise InvalidPathException(
            path=path, detail=f"{path[:100]!r} is an attribute of an extension: write its path as {':'.join(full)}. Nothing has changed."
        )


def body_must_be_qualified(given: Any, extensions: Extensions) -> None:
    """Of a POST or PUT. Raises InvalidSyntaxException for the same: a body that does not conform to the schemas (RFC 7644, section 3.12)."""
    why = next(_misplaced(given, extensions), None) if isinstance(given, dict) else None
    if why:
        raise InvalidSyntaxException(detail=why)


def filter_must_be_qualified(text: str, extensions: Extensions) -> None:
    """Of a search. Raises InvalidFilterException for the same, and for what is no filter."""
    for path in _compared(ScimFilter(text).ast):
        if full := _of_an_extension(_CORE.sub("", path), extensions):
            raise InvalidFilterException(detail=f"{path[:100]!r} is an attribute of an extension: write it as {':'.join(full)}.")


def _compared(node: Any) -> Iterator[str]:
    """The attributes that a filter is about, as it writes them."""
    match node:
        case LogicalExpr():
            for term in node.terms:
                yield from _compared(term)
        case Not():
            yield from _compared(node.expr)
        case Comparison() | Present():
            yield str(node.attr_path)


def _misplaced(given: Mapping[str, Any], extensions: Extensions) -> Iterator[str]:
    """What is said of each attribute that would be dropped although it says something. What is never stored is dropped and counted elsewhere."""
    for name, value in given.items():
        uri = next((uri for uri in extensions if name.casefold().startswith(uri.casefold())), None)
        if value in (None, "", []):
            continue
        if uri is not None and len(name) == len(uri):
            inner = value if uri == OURS and isinstance(value, dict) else {}
            yield from (why for one in inner if not never_stored(one) and (why := _none_of_ours(one)))
            continue
        full = _of_an_extension(_CORE.sub("", name), extensions) if uri is None else (uri, name[len(uri) + 1 :])
        if full:
            yield f'{name[:100]!r} is an attribute of an extension: write {{"{full[0]}": {{"{full[1][:100]}": …}}}}. Nothing has changed.'


def _none_of_ours(name: str) -> str | None:
    """Why it is no attribute of Amont's extension, for people; None when it is one."""
    names = _attributes(AmontEmployee)
    found = _NAME.match(name)
    if found is not None and found[0].casefold() in names:
        return None
    return f"{name[:100]!r} is no attribute of {OURS}, which has {', '.join(names.values())}. Nothing has changed."


def _of_an_extension(path: str, extensions: Extensions) -> tuple[str, str] | None:
    """The extension that has the attribute a path begins with, and the attribute's name there."""
    found = _NAME.match(path)
    name = found[0].casefold() if found else ""
    return next(((uri, full) for uri, extension in extensions.items() if (full := _attributes(extension).get(name))), None)


def _attributes(extension: type[Any]) -> dict[str, str]:
    """The attributes of a schema as they are written, by their names in small letters: SCIM does not mind the case."""
    names = (field.serialization_alias or name for name, field in extension.model_fields.items())
    return {name.casefold(): name for name in names if name != "schemas"}
