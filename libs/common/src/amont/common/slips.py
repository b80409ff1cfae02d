"""What somebody may have meant who has written a name that there is not: a setting, a field of a body or of a file."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

ALIKE = 0.8


def meant(name: str, known: Iterable[str]) -> str | None:
    """The name that is most like it; None when none is."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=ALIKE)), None)


def or_meant(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that there is not; nothing when no other is like it."""
    found = meant(name, known)
    return f"; did you mean {found!r}?" if found else ""


def detail(fault: Mapping[str, Any], kind: Any, place: Sequence[Any]) -> str:
    """What pydantic says of a fault at a place of a model, and for a field that the model does not have, which may be meant."""
    said: str = fault["msg"]
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
