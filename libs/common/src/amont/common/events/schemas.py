"""The contracts as files: one JSON Schema per event type and major version, generated from the classes, committed, compared by a test."""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from amont.common.events.envelope import Event
from amont.common.events.topics import TYPES


def schema_of(kind: type[Event]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event's value. Readers tolerate more than it says: unknown fields are ignored."""
    body = kind.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:amont:schema:{kind.type_name()}", **body}


def unknown_fields(kind: type[Event], value: bytes | None) -> dict[str, tuple[str, ...]]:
    """Fields of a value that the event does not have, by JSON pointer, each with the names that there are in its place. No JSON has none."""
    try:
        given = from_json(value or b"")
    except ValueError:
        return {}
    schema = kind.model_json_schema(mode="validation")
    return dict(_unknown(given, schema, schema.get("$defs", {}), ""))


def _unknown(given: Any, schema: Mapping[str, Any], shapes: Mapping[str, Any], where: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if "$ref" in schema:
        yield from _unknown(given, shapes[schema["$ref"].rpartition("/")[2]], shapes, where)
        return
    if "anyOf" in schema:  # what is unknown in every form it may have
        forms = [dict(_unknown(given, form, shapes, where)) for form in schema["anyOf"] if form.get("type") != "null"]
        yield from min(forms, key=len, default={}).items()
        return
    if isinstance(given, dict):
        known, others = schema.get("properties"), schema.get("additionalProperties")
        for name, one in given.items():
            place = f"{where}/{name.replace('~', '~0').replace('/', '~1')}"
            if known is not None and name in known:
                yield from _unknown(one, known[name], shapes, place)
            elif isinstance(others, dict):
                yield from _unknown(one, others, shapes, place)
            elif known is not None:
                yield place, tuple(known)
    elif isinstance(given, list) and isinstance(schema.get("items"), dict):
        for index, one in enumerate(given):
            yield from _unknown(one, schema["items"], shapes, f"{where}/{index}")


def file_name(kind: type[Event]) -> str:
    return f"{kind.__name__}.v{kind.version}.json"


def folder() -> Path:
    """Where the committed schemas are."""
    return Path(str(files("amont.common.events") / "json_schemas"))


def texts() -> dict[str, str]:
    """Every schema file as it should be, by name."""
    return {file_name(kind): json.dumps(schema_of(kind), indent=2, sort_keys=True, ensure_ascii=False) + "\n" for kind in TYPES.values()}


def write() -> list[Path]:
    """Write them all; the paths that changed."""
    folder().mkdir(exist_ok=True)
    changed = []
    for name, text in texts().items():
        path = folder() / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed
