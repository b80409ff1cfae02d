"""One line as the record that goes on the inbound topic, in the envelope an HR system would use.

Its bytes stay as they are when it has the contract's fields and no other, else those fields alone: a birth date that somebody's export has is not put on
a log by us. Its id follows from the bytes that came, so that the same line sent twice is the same event. What is wrong with a line is what enrolment would
say of it, in words for whoever can mend it.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from amont.common.events.envelope import Envelope
from amont.common.events.hris import StaffFact, StaffLeft, StaffRecorded
from amont.common.events.wording import not_json
from amont.common.feeds.findings import Finding, found, shown
from amont.common.ids import derived
from amont.common.log import Record

FIELDS = frozenset({*StaffRecorded.model_fields, *StaffLeft.model_fields, "left"})
"""What a line may say."""
EXPECTED: Mapping[str, str] = {
    "tenant": "1 to 32 of a-z, 0-9 and the hyphen",
    "employee_id": "1 to 64 printable characters",
    "status": 'active or on_leave (and "left": true for somebody who leaves)',
    "effective_at": "a day as in 2026-12-01, or an instant with an offset as in 2026-12-01T08:00:00Z",
    "occurred_at": "an instant with an offset as in 2026-12-01T08:00:00Z",
    "joined_on": "a day as in 2026-12-01",
    "preferred_language": "a BCP 47 tag as in fr or pt-BR",
    "languages": "a list of at most 20 BCP 47 tags as in fr or pt-BR",
    "dotted_manager_ids": "a list of at most 50 ids",
    "seq": "a whole number, or nothing",
    "left": "true or false",
}
"""What a field may be, in words; every other one is text."""
_OF_ONE = {"languages": "a BCP 47 tag as in fr or pt-BR"}
"""The same of one entry of a list."""
TEXT = "text of at most 500 characters"
_STAND_INS = {
    "tenant": "-",
    "employee_id": "-",
    "grade": "-",
    "effective_at": "2000-01-01",
    "occurred_at": "2000-01-01T00:00:00Z",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line that can be read: the fields as they were given, the event that they are, and the record that says so."""

    given: Mapping[str, Any]
    event: StaffFact
    record: Record


class NotARecord(Exception):
    """A line that enrolment could not take. `findings` is everything that the contract has against it, `given` its fields where it has any."""

    def __init__(self, findings: Sequence[Finding], given: Mapping[str, Any] = MappingProxyType({})) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings, self.given = tuple(findings), given


def read_line(number: int, line: bytes, kind: type[StaffFact] | None = None) -> Line:
    """A line of JSON as a record; without a `kind`, `"left": true` in it makes it a leaving. Raises NotARecord with every fault."""
    given = _object(number, line)
    kind = kind or _kind(number, given)
    try:
        event = kind.model_validate_json(line, extra="ignore")
    except ValidationError as error:
        raise NotARecord(list(_faults(number, error)), given) from None
    envelope = Envelope(
        id=derived("hris-send", hashlib.sha256(line).hexdigest()),
        type=kind.type_name(),
        source=f"/hris/{event.tenant}",
        subject=event.subject,
        time=event.occurred_at,
        tenant=event.tenant,
    )
    value = line if given.keys() <= FIELDS else to_json({name: one for name, one in given.items() if name in FIELDS})
    return Line(given, event, Record(topic=event.topic, key=event.key, value=value, headers=envelope.headers()))


def without(given: Mapping[str, Any], faulty: Collection[str], kind: type[StaffFact] | None = None) -> StaffFact | None:
    """What fields would say without the faulty ones, for what else is wrong with them: something stands for each that must be there. None where even that
    can be nothing.
    """
    kept = {name: value for name, value in given.items() if name in FIELDS and name not in faulty}
    stand_ins = {name: value for name, value in _STAND_INS.items() if name in faulty}
    kind = kind or (StaffLeft if kept.get("left") is True else StaffRecorded)
    try:
        return kind.model_validate_json(to_json(kept | stand_ins), extra="ignore")
    except ValidationError:
        return None


def _kind(number: int, given: Mapping[str, Any]) -> type[StaffFact]:
    left = given.get("left", False)
    if not isinstance(left, bool):
        raise NotARecord([found(number, "bad-value", "/left", f"{shown(left)} is not {EXPECTED['left']}")], given)
    return StaffLeft if left else StaffRecorded


def _object(number: int, line: bytes) -> Mapping[str, Any]:
    try:
        given = from_json(line)
    except ValueError as error:
        try:
            line.decode()
        except UnicodeDecodeError as broken:
            raise NotARecord([found(number, "not-text", "", f"byte {broken.start + 1} is not UTF-8")]) from None
        raise NotARecord([found(number, "not-json", "", not_json(error))]) from None
    if not isinstance(given, dict):
        what = (
            "a list of records: write each on a line of its own, without the brackets around them"
            if isinstance(given, list)
            else "not a JSON object"
        )
        raise NotARecord([found(number, "not-json", "", what)])
    return given


def _as_given(value: object) -> str:
    """A value as it stands in JSON, so that a number is not taken for a text."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{str(value)[:40]}, a number,"
    return shown(value)


def _faults(number: int, error: ValidationError) -> Iterator[Finding]:
    """Each place once: where a value may have several forms, every form complains."""
    said = set()
    for fault in error.errors(include_url=False, include_context=False):
        name = str(fault["loc"][0])
        at = [part for part in fault["loc"][1:] if isinstance(part, int)]
        where = "/".join(["", name, *map(str, at)])
        if where in said:
            continue
        said.add(where)
        if fault["type"] == "missing":
            yield found(number, "missing-field", where, f"missing; expected is {EXPECTED.get(name, TEXT)}")
        else:
            expected = EXPECTED.get(name, TEXT) if not at or fault["type"] == "too_long" else _OF_ONE.get(name, TEXT)
            yield found(number, "bad-value", where, f"{_as_given(fault['input'])} is not {expected}")
