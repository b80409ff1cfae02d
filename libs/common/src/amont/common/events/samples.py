"""Sample messages of every event: one with everything, one with only what must be there, and one for each value at the edge of what its schema allows.

They are what a release leaves behind as golden messages, and what a subsidiary finds in the archive. Made-up people; the same bytes every time.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from amont.common.events.envelope import Envelope, Event
from amont.common.events.topics import TOPICS
from amont.common.ids import derived

AT = datetime(2027, 1, 4, 8, tzinfo=UTC)
INSTANT, DAY = "2027-01-04T08:00:00.000000Z", "2027-01-04"

_BY_NAME: Mapping[str, Any] = {
    "given_name": "Zoé",
    "family_name": "Petit",
    "email": "zoe.petit@example.org",
    "grade": "C3",
    "job_title": "Data analyst",
    "function": "data",
    "business_unit": "retail",
    "team": "pricing",
    "site": "Paris",
    "zone": "Europe/Paris",
    "mentee_zone": "Europe/Paris",
    "mentor_zone": "Europe/Berlin",
    "mentee_local": "2027-01-14T10:00",
    "mentor_local": "2027-01-14T10:00",
    "manager_id": "e7",
    "mentee": "fr:e7",
    "mentor": "de:e42",
    "published_by": "group:ada",
    "name": "Banque de détail France",
    "channel": "mail",
}
_BY_PATTERN: Mapping[str, tuple[str, ...]] = {
    r"^[a-z0-9-]{1,32}$": ("fr", "a" * 32),
    r"^[^\x00-\x1f\x7f-\x9f]{1,64}$": ("e42", "Ü" * 64, " "),
    r"^[a-z0-9-]{1,32}:[^\x00-\x1f\x7f-\x9f]{1,64}$": ("fr:e42", f"{'a' * 32}:{'Ü' * 64}"),
    r"^[a-z0-9-]{1,64}$": ("digital-2027", "a" * 64),
    r"^[a-z]{2,8}(-[A-Za-z0-9]{1,8})*$": ("fr", "pt-BR", "de-DE-1996"),
    r"^(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):(00|30)-(([01]\d|2[0-3]):(00|30)|24:00)$": ("mon 09:00-11:30", "sun 00:00-24:00"),
}


def payloads(kind: type[Event]) -> list[dict[str, Any]]:
    """Values of an event: the full one first, then the least, then the edges. Raises LookupError for a pattern without an example here."""
    schema = kind.model_json_schema(mode="validation")
    maker = _Maker(schema.get("$defs", {}))
    full, *edges = maker.of(schema, "")
    required = schema.get("required", ())
    least = {name: maker.least(one) for name, one in schema["properties"].items() if name in required}
    return [full, *(one for one in (least, *edges) if _is_one(kind, one))]


def message(kind: type[Event], value: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A value as a whole message: key, headers, value."""
    event = kind.model_validate_json(to_json(value))
    producers = TOPICS[kind.topic].producers
    envelope = Envelope(
        id=derived("sample", kind.type_name(), number),
        type=kind.type_name(),
        source=f"/hris/{event.owner}" if "hris" in producers else f"/{''.join(producers)}",
        subject=event.subject,
        time=AT,
        tenant=event.owner,
        seq=event.seq if kind.guarded else None,
    )
    return {"key": event.key, "headers": {name: text.decode() for name, text in envelope.headers()}, "value": value}


def messages(kind: type[Event]) -> list[dict[str, Any]]:
    """Every sample of an event as a whole message."""
    return [message(kind, value, number) for number, value in enumerate(payloads(kind))]


def _is_one(kind: type[Event], value: Mapping[str, Any]) -> bool:
    """Some rules are between fields, where no schema says them; and an event about nothing has no subject to travel under."""
    try:
        event = kind.model_validate_json(to_json(value))
    except ValidationError:
        return False
    return bool(event.subject)


class _Maker:
    """Makes values of a schema: the first is typical, the others are edges."""

    def __init__(self, shapes: Mapping[str, Any]) -> None:
        self._shapes = shapes

    def of(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        if "$ref" in schema:
            schema = {**self._shapes[schema["$ref"].rpartition("/")[2]], **schema}
        if "anyOf" in schema:
            return [value for form in schema["anyOf"] for value in self.of(form, name)]
        if "enum" in schema or "const" in schema:
            return list(schema.get("enum", ())) or [schema["const"]]
        make = {"object": self._objects, "array": self._lists, "string": self._texts, "integer": self._numbers}.get(schema.get("type", ""))
        return make(schema, name) if make else [False, True] if schema.get("type") == "boolean" else [None]

    def least(self, schema: Mapping[str, Any]) -> Any:
        """The shortest value: nothing where nothing may be."""
        values = self.of(schema, "")
        return min(values, key=lambda value: (value is not None, len(str(value))))

    def _objects(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        if "properties" not in schema:
            inner = self.of(schema.get("additionalProperties", {}), name)
            return [{"ai": inner[0], "social-media": inner[-1]}, {}]
        fields = {one: self.of(shape, one) for one, shape in schema["properties"].items()}
        typical = {one: values[0] for one, values in fields.items()}
        return [typical, *({**typical, one: edge} for one, values in fields.items() for edge in values[1:])]

    def _lists(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        inner = self.of(schema["items"], name)
        most = schema.get("maxItems")
        return [inner[:2], [], *([[inner[0]] * most] if most else [])]

    def _texts(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        if "pattern" in schema:
            first = [_BY_NAME[name]] if name in _BY_NAME else []
            return [*first, *(one for one in _BY_PATTERN[schema["pattern"]] if one not in first)]
        if "format" in schema:
            return {
                "date": [DAY, "0001-01-01", "9999-12-31"],
                "date-time": [INSTANT, "2024-02-29T23:59:59+14:00", "9999-12-31T23:59:59Z"],
            }[schema["format"]]
        longest = schema.get("maxLength")
        return [_BY_NAME.get(name) or f"{name or 'text'}-1", "", *(["é" * longest] if longest else [])]

    def _numbers(self, schema: Mapping[str, Any], _: str) -> list[Any]:
        lowest, highest = schema.get("minimum"), schema.get("maximum", schema.get("exclusiveMaximum", 0) - 1)
        typical = schema.get("default", max(1, lowest or 0))
        return [typical, *(one for one in (lowest, highest) if one is not None and one != typical and one >= (lowest or 0))]


def every_sample() -> Iterator[tuple[type[Event], list[dict[str, Any]]]]:
    """Every event that there is, with its messages."""
    for topic in TOPICS.values():
        for kind in topic.types:
            yield kind, messages(kind)
