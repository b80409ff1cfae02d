"""Whether two versions of an event's JSON Schema can live together: each side's reader takes everything that the other side's writer may write.

This is FULL compatibility in the words of schema registries; asked against every release it is FULL_TRANSITIVE. Readers are tolerant: a field that they
do not know is ignored, one that is missing takes its default. Hence only one change is free inside a major version: a new field with a default. All
else is a breach and names the event and the field; `docs/decisions/0023` says why each one is. Only the keywords below are understood, on purpose: a
schema with any other one is refused, because what is not understood cannot be called compatible.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

Schema = Mapping[str, Any]

NOTES = frozenset({"$id", "$schema", "$defs", "title", "description", "examples"})
FLOORS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
CEILINGS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
EXACT = ("type", "pattern", "format")
STRUCTURE = frozenset({"properties", "required", "items", "additionalProperties", "anyOf", "$ref", "enum", "const", "default"})
UNDERSTOOD = NOTES | STRUCTURE | {*FLOORS, *CEILINGS, *EXACT}
_ABSENT = object()
_ANYTHING: Schema = MappingProxyType({})
"""A field that is required and not described."""


class Breaks(StrEnum):
    """Who can no longer do what."""

    OLD_MESSAGES = "what was written then cannot be read now"
    OLD_READERS = "what is written now cannot be read by what was released then"
    BOTH = "neither side can read the other"
    MEANING = "what was written then means something else now"


@dataclass(frozen=True, slots=True)
class Breach:
    """One change that breaks. `field` is a JSON pointer into the event's value, `/*` any element or key, "" the value itself."""

    event: str
    field: str
    what: str
    breaks: Breaks

    def __str__(self) -> str:
        return f"{self.event} {self.field or '/'}: {self.what}: {self.breaks}."


def breaches(event: str, old: Schema, new: Schema) -> list[Breach]:
    """Everything that keeps two versions of an event's schema from living together; empty when nothing does."""
    return list(_Comparison(event, old.get("$defs", {}), new.get("$defs", {})).of(old, new, ""))


class _Comparison:
    """One walk over both schemas at once."""

    def __init__(self, event: str, old_shapes: Schema, new_shapes: Schema) -> None:
        self._event, self._old_shapes, self._new_shapes = event, old_shapes, new_shapes

    def of(self, old: Schema, new: Schema, where: str) -> Iterator[Breach]:
        old, new = _resolved(old, self._old_shapes), _resolved(new, self._new_shapes)
        for word in sorted((old.keys() | new.keys()) - UNDERSTOOD):
            yield self._breach(where, f"the keyword {word!r} is not understood here", Breaks.BOTH)
        old_forms, new_forms = _forms(old, self._old_shapes), _forms(new, self._new_shapes)
        if len(old_forms) == len(new_forms) == 1:
            (one,), (other,) = old_forms.values(), new_forms.values()
            yield from self._value(one, other, where)
        else:
            yield from self._in_set(where, old_forms.keys(), new_forms.keys())

    def _value(self, old: Schema, new: Schema, where: str) -> Iterator[Breach]:
        """Both have one form only."""
        for word in EXACT:
            if old.get(word) != new.get(word):
                yield self._breach(where, f"{word} was {_said(old.get(word))} and is {_said(new.get(word))}", Breaks.BOTH)
        if old.get("type") != new.get("type"):
            return
        yield from self._values(old, new, where)
        yield from self._bounds(old, new, where)
        yield from self._fields(old, new, where)
        yield from self._inside(old.get("items"), new.get("items"), where, "elements")
        yield from self._inside(_map(old), _map(new), where, "values by key")

    def _values(self, old: Schema, new: Schema, where: str) -> Iterator[Breach]:
        before, after = _enumerated(old), _enumerated(new)
        if before is None and after is None:
            return
        if before is None or after is None:
            breaks = Breaks.OLD_MESSAGES if before is None else Breaks.OLD_READERS
            yield self._breach(where, f"{'any value' if before is None else 'only listed values'} before, otherwise now", breaks)
        else:
            yield from self._in_set(where, before, after)

    def _in_set(self, where: str, before: Any, after: Any) -> Iterator[Breach]:
        for gone in sorted(before - after):
            yield self._breach(where, f"may be {gone} no more", Breaks.OLD_MESSAGES)
        for came in sorted(after - before):
            yield self._breach(where, f"may be {came} now", Breaks.OLD_READERS)

    def _bounds(self, old: Schema, new: Schema, where: str) -> Iterator[Breach]:
        for words, sign in ((FLOORS, 1), (CEILINGS, -1)):
            for word in words:
                before, after = old.get(word), new.get(word)
                if before == after:
                    continue
                narrower = before is None or (after is not None and (after - before) * sign > 0)
                what = f"{word} was {_said(before)} and is {_said(after)}"
                yield self._breach(where, what, Breaks.OLD_MESSAGES if narrower else Breaks.OLD_READERS)

    def _fields(self, old: Schema, new: Schema, where: str) -> Iterator[Breach]:
        needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
        before = {**dict.fromkeys(needed_before, _ANYTHING), **old.get("properties", {})}
        after = {**dict.fromkeys(needed_after, _ANYTHING), **new.get("properties", {})}
        for name in sorted(before.keys() | after.keys()):
            place = f"{where}/{name}"
            if name not in after:
                breaks = Breaks.OLD_READERS if name in needed_before else Breaks.MEANING
                yield self._breach(place, "the field is gone", breaks)
            elif name not in before:
                if name in needed_after:
                    yield self._breach(place, "a new field is required", Breaks.OLD_MESSAGES)
            else:
                yield from self._need(place, name in needed_before, name in needed_after)
                if before[name].get("default", _ABSENT) != after[name].get("default", _ABSENT) and name not in needed_before ^ needed_after:
                    was, now = before[name].get("default"), after[name].get("default")
                    yield self._breach(place, f"its default was {_said(was)} and is {_said(now)}", Breaks.MEANING)
                yield from self.of(before[name], after[name], place)

    def _need(self, where: str, before: bool, after: bool) -> Iterator[Breach]:  # noqa: FBT001 - the two sides, side by side
        if after and not before:
            yield self._breach(where, "the field is required now", Breaks.OLD_MESSAGES)
        elif before and not after:
            yield self._breach(where, "the field is required no more", Breaks.OLD_READERS)

    def _inside(self, old: Schema | None, new: Schema | None, where: str, what: str) -> Iterator[Breach]:
        if old is not None and new is not None:
            yield from self.of(old, new, f"{where}/*")
        elif old is not new:
            yield self._breach(where, f"{what} were {'of any kind' if old is None else 'described'} before, and are not now", Breaks.BOTH)

    def _breach(self, where: str, what: str, breaks: Breaks) -> Breach:
        return Breach(self._event, where, what, breaks)


def _resolved(schema: Schema, shapes: Schema) -> Schema:
    """Without references; what stands beside one counts as well."""
    while "$ref" in schema:
        beside = {word: value for word, value in schema.items() if word != "$ref"}
        schema = {**shapes[schema["$ref"].rpartition("/")[2]], **beside}
    return schema


def _forms(schema: Schema, shapes: Schema) -> dict[str, Schema]:
    """The forms a value may have, by what they are without their notes."""
    forms = [_resolved(one, shapes) for one in schema["anyOf"]] if "anyOf" in schema else [schema]
    return {json.dumps(_bare(one, shapes), sort_keys=True): one for one in forms}


def _bare(schema: Any, shapes: Schema) -> Any:
    """A schema without what is only for people, and with references resolved."""
    if isinstance(schema, dict):
        found = _resolved(schema, shapes)
        return {
            word: {name: _bare(one, shapes) for name, one in value.items()} if word == "properties" else _bare(value, shapes)
            for word, value in found.items()
            if word not in NOTES
        }
    return [_bare(one, shapes) for one in schema] if isinstance(schema, list) else schema


def _enumerated(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {json.dumps(schema["const"])}
    return {json.dumps(value) for value in schema["enum"]} if "enum" in schema else None


def _map(schema: Schema) -> Schema | None:
    """What the values of a map are; whether a record may have other fields is no question, since readers ignore them."""
    others = schema.get("additionalProperties")
    return others if isinstance(others, dict) else None


def _said(value: Any) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
