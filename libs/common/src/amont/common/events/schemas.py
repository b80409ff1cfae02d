"""The contracts as files: one JSON Schema per event type and major version, generated from the classes, committed, compared by a test."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from amont.common.events.envelope import Event
from amont.common.events.topics import TYPES


def schema_of(kind: type[Event]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event's value. Readers tolerate more than it says: unknown fields are ignored."""
    body = kind.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:amont:schema:{kind.type_name()}", **body}


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
