"""What was released: for every version the JSON Schemas of its events, and golden messages, which stay readable for ever (promise P8).

`released/<version>/schemas` and `released/<version>/golden` beside this module. A release is written once and never changed; the gate holds today's
classes against all of them, so that compatibility is transitive.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from amont.common.errors import Conflict
from amont.common.events import schemas
from amont.common.events.compatibility import Breach, Breaks, Schema, breaches
from amont.common.events.samples import every_sample
from amont.common.events.topics import TYPES


def folder() -> Path:
    """Where the releases are."""
    return Path(str(files("amont.common.events") / "released"))


def present() -> str:
    """The version of this library: the next release."""
    return version("amont-common")


def releases(where: Path) -> list[str]:
    """Every version that was released, oldest first."""
    found = [path.name for path in where.iterdir() if path.is_dir()] if where.exists() else []
    return sorted(found, key=lambda name: [int(part) for part in name.split(".")])


def released_schemas(where: Path, release: str) -> dict[str, Schema]:
    """The schemas of a release, by event type."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((where / release / "schemas").glob("*.json"))]
    return {schema["$id"].rpartition(":")[2]: schema for schema in map(json.loads, texts)}


@dataclass(frozen=True, slots=True)
class Golden:
    """A message as it was on the wire at a release."""

    release: str
    name: str
    key: str
    headers: Mapping[str, str]
    value: bytes


def golden_messages(where: Path, release: str) -> Iterator[Golden]:
    """Every golden message of a release."""
    for path in sorted((where / release / "golden").glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            one = json.loads(line)
            value = json.dumps(one["value"], ensure_ascii=False, separators=(",", ":")).encode()
            yield Golden(release, f"{path.name}:{number}", one["key"], one["headers"], value)


def breaches_since(where: Path, now: Mapping[str, Schema]) -> list[tuple[str, Breach]]:
    """Everything in which today's schemas cannot live with a release, each with the release's version."""
    found: list[tuple[str, Breach]] = []
    for release in releases(where):
        for event, old in released_schemas(where, release).items():
            name = event.split(".")[2]
            if event not in now:
                found.append((release, Breach(name, "", f"the type {event} is gone", Breaks.OLD_MESSAGES)))
            else:
                found.extend((release, one) for one in breaches(name, old, now[event]))
    return found


def schemas_now() -> dict[str, Schema]:
    """Today's schemas, by event type."""
    return {name: schemas.schema_of(kind) for name, kind in TYPES.items()}


def golden_text(samples: list[dict[str, Any]]) -> str:
    """Messages as a file: a line each."""
    return "".join(json.dumps(one, ensure_ascii=False, sort_keys=True) + "\n" for one in samples)


def release(where: Path) -> Path:
    """Write the present version's schemas and golden messages. Raises Conflict when that version was released before."""
    target = where / present()
    if target.exists():
        raise Conflict(f"Version {present()} was released before, and a release stays as it is. Raise the version of amont-common first.")
    golden = {f"{schemas.file_name(kind)}l": golden_text(samples) for kind, samples in every_sample()}
    for part, texts in (("schemas", schemas.texts()), ("golden", golden)):
        (target / part).mkdir(parents=True)
        for name, text in texts.items():
            (target / part / name).write_text(text, encoding="utf-8")
    return target
