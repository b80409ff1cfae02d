"""What is wrong with a value in words that say what to write: of the faults that pydantic finds, by their type. Never the value itself, which may be
personal.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel

from amont.common.events.values import EmployeeId, Language, PersonId, ProgrammeId, TenantId, Window
from amont.common.slips import or_meant

_FORMS: Mapping[Any, str] = {
    TenantId: "1 to 32 of a-z, 0-9 and the hyphen",
    ProgrammeId: "1 to 64 of a-z, 0-9 and the hyphen",
    EmployeeId: "1 to 64 printable characters",
    PersonId: "tenant:employee_id, as in fr:1042",
    Language: "a BCP 47 tag as in fr or pt-BR",
    Window: "a day and two times on the half-hour grid, as in mon 09:00-11:30",
}
_BY_PATTERN = MappingProxyType({get_args(kind)[1].pattern: words for kind, words in _FORMS.items()})
_A_DAY = "write a day as in 2026-12-01"
_AN_INSTANT = "write an instant with an offset as in 2026-12-01T08:00:00Z"
_WORDS = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such field",
    "string_type": "write a text, in quotes",
    "string_too_short": "write at least {min_length} character(s)",
    "string_too_long": "write at most {max_length} characters",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "int_parsing_size": "write a smaller whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "finite_number": "write a number that is finite",
    "bool_type": "write true or false, without quotes",
    "bool_parsing": "write true or false",
    "greater_than": "write a number above {gt}",
    "greater_than_equal": "write {ge} or more",
    "less_than": "write a number below {lt}",
    "less_than_equal": "write {le} or less",
    "literal_error": "write {expected}",
    "enum": "write {expected}",
    "too_short": "it has {actual_length} entries; write at least {min_length}",
    "too_long": "it has {actual_length} entries; write at most {max_length}",
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), "write a list, in square brackets"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "write an object, in braces"),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), _A_DAY),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware", "datetime_object_invalid"), _AN_INSTANT
    ),
}
_AT = re.compile(r"line (\d+) column (\d+)")
_LOOK = "look there for a comma, a quote or a bracket too many or too few"
_LOOK_BY_REASON = {
    "control character": "a line break, a tab or another control character stands in a text; write it as in \\n",
    "lone leading surrogate": "half of a pair of \\u escapes stands alone",
    "unexpected end of hex escape": "half of a pair of \\u escapes stands alone",
    "invalid escape": "a backslash stands before what it cannot escape; write two for one",
    "invalid number": "a number begins with a zero, or has no digit where one must be",
    "recursion limit": "it is nested too deeply",
}
"""What to look for, by how the sentence of JSON's reader begins."""


def in_words(fault: Mapping[str, Any]) -> str:
    """What pydantic finds, as one entry of its `errors()`; what a validator of ours says stays as it says it."""
    context: Mapping[str, Any] = fault.get("ctx", {})
    match fault["type"]:
        case "value_error" | "assertion_error":
            return str(context.get("error", fault["msg"]))
        case "string_pattern_mismatch":
            return f"write {_BY_PATTERN.get(context['pattern'], 'what matches ' + context['pattern'])}"
        case "json_invalid":
            return f"it is {not_json(context['error'], fault['loc'])}"
        case known if known in _WORDS:
            return _WORDS[known].format_map(context)
    return str(fault["msg"])


def not_json(said: object, at: Sequence[Any] = ()) -> str:
    """Where JSON ends to be any, and why, by what its reader says, or by the place that it names."""
    reason = str(said)
    if found := _AT.search(reason):
        line, character = map(int, found.groups())
        if line == 1 and character == 0:
            return "not JSON: it is empty"
        before = "" if line == 1 else f"line {line}, "
        where = f"{before}character {character}" if character else f"the end of line {line - 1}"
    elif at and isinstance(at[-1], int):
        where = f"character {at[-1] + 1}"
    else:
        return "not JSON"
    look = next((words for begin, words in _LOOK_BY_REASON.items() if reason.startswith(begin)), _LOOK)
    return f"not JSON from {where} on; {look}"


def detail(fault: Mapping[str, Any], kind: Any, place: Sequence[Any]) -> str:
    """The same of a fault at a place of a model, and for a field that the model does not have, which may be meant."""
    said = in_words(fault)
    return said + or_meant(str(place[-1]), _fields_at(kind, place[:-1])) if fault["type"] == "extra_forbidden" and place else said


def _fields_at(kind: Any, path: Sequence[Any]) -> list[str]:
    """The fields of the model at the end of a path; places in lists and keys of mappings lead no deeper."""
    model = _model_in(kind)
    for part in path:
        if model is not None and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation)
    return [] if model is None else list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model_in(one))), None)
