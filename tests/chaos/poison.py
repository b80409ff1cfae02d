"""Records that nobody can take, one maker a kind, each with the reason for which it must be parked. Every one is under a key of its own."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

from tests.support.programme import record, staff

from amont.common.events import StaffRecorded
from amont.common.events.envelope import LONGEST_ATTRIBUTE, Envelope, Headers
from amont.common.log import Record
from amont.common.testing.hearing import START
from amont.common.testing.promises import Poison

BAD_GRADE = "not-a-grade"
"""A grade that no subsidiary has."""


def strewn(turn: int) -> list[tuple[Record, Poison]]:
    """Two records that cannot be read, for the next two causes in turn, and one that is refused."""
    return [UNREADABLE[one % len(UNREADABLE)](one) for one in (2 * turn, 2 * turn + 1)] + [refused(turn)]


def refused(number: int) -> tuple[Record, Poison]:
    """A record that can be read and fails however often it is tried: a grade that the subsidiary does not have."""
    bad = staff("fr", 900_000 + number, grade=BAD_GRADE)
    return bad, Poison(bad.key.encode(), bad.value, "unknown-grade")


def refused_people(poison: Iterable[Poison]) -> dict[str, str]:
    """The function that the record of each refused person says."""
    return {one.key.decode(): json.loads(one.value or b"{}")["function"] for one in poison if one.reason == "unknown-grade"}


def _no_text(number: int) -> tuple[Record, Poison]:
    return _parked(f"fr:bytes{number}", b"\xff\xfe\x00" + str(number).encode(), "invalid-payload")


def _cut_off(number: int) -> tuple[Record, Poison]:
    return _parked(f"fr:cut{number}", (staff("fr", number).value or b"")[: -9 - number % 50], "invalid-payload")


def _beyond_the_calendar(number: int) -> tuple[Record, Poison]:
    line = json.loads(staff("fr", 800_000 + number).value or b"") | {"occurred_at": "0001-01-01T00:00:00+14:00"}
    early = record(StaffRecorded, line)
    return early, Poison(early.key.encode(), early.value, "invalid-payload")


def _nul_in_the_key(number: int) -> tuple[Record, Poison]:
    bad, parked = _parked(f"fr:nul\0{number}", staff("fr", number).value, "broken-key")
    return bad, replace(parked, key=f"fr:nul\ufffd{number}".encode())  # a letter's key is text that any store takes


def _endless_attribute(number: int) -> tuple[Record, Poison]:
    attribute = ("ce_id", b"x" * (20 * LONGEST_ATTRIBUTE))
    return _parked(f"fr:endless{number}", staff("fr", number).value, "broken-headers", attribute)


def _attribute_that_is_no_text(number: int) -> tuple[Record, Poison]:
    return _parked(f"fr:header{number}", staff("fr", number).value, "broken-headers", ("ce_correlationid", b"\xe9\xff"))


UNREADABLE: tuple[Callable[[int], tuple[Record, Poison]], ...] = (
    _no_text,
    _cut_off,
    _nul_in_the_key,
    _endless_attribute,
    _beyond_the_calendar,
    _attribute_that_is_no_text,
)


def _parked(key: str, value: bytes | None, reason: str, *instead: tuple[str, bytes]) -> tuple[Record, Poison]:
    """A record with the headers of a proper one, but for those given."""
    envelope = Envelope(id=f"poison-{key}", type=StaffRecorded.type_name(), source="/hris", subject=key, time=START)
    headers: Headers = tuple({**dict(envelope.headers()), **dict(instead)}.items())
    return Record(topic="hris-staff", key=key, value=value, headers=headers), Poison(key.encode(), value, reason)
