"""From cells to a staff record in JSON: days, lists and words as spreadsheets and HR systems write them. What could mean two things is refused, never guessed.

A formula is text like any other: it is kept as data, and neutralised where Amont writes a spreadsheet, not here.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from pydantic_core import to_json

from amont.common.events.values import in_utc, instant_text
from amont.common.feeds.csv.mapping import Columns, MappingFile
from amont.common.feeds.csv.names import FIELDS, STATUS, TRUE_OR_FALSE, index, key
from amont.common.feeds.findings import Finding, found, shown
from amont.common.feeds.record import EXPECTED

_STATUS, _BOOLEAN = MappingProxyType(index(STATUS)), MappingProxyType(index(TRUE_OR_FALSE))
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})")
_MIDNIGHT = re.compile(r"[ T]00:00(?::00(?:\.0+)?)?$")
_SERIAL = re.compile(r"[3-5]\d{4}(?:[.,]\d+)?")
_MANGLED = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
_APART = re.compile(r"[,;|/\s]+")
_IDS_APART = re.compile(r"\s*[,;|]\s*")
_TAG = re.compile(r"([A-Za-z]{2,8})((?:[-_][A-Za-z0-9]{1,8})*)")
DATES_UNSAID = 'could be day/month or month/day: say which with --dates dmy or --dates mdy, or with dates = "dmy" in the mapping file'
_OF_A_LEAVER = frozenset({"tenant", "employee_id", "zone", "effective_at", "occurred_at"})


class Cells:
    """Reads the rows of one file."""

    def __init__(self, columns: Columns, mapping: MappingFile, *, tenant: str | None, as_of: datetime, written: datetime) -> None:
        self._columns, self._values = columns, {name: dict(codes) for name, codes in mapping.values.items()}
        self._dates = mapping.dates
        self._always = {name: text for name, text in mapping.constants.items() if text}
        self._always.setdefault("effective_at", as_of.date().isoformat())
        self._always.setdefault("occurred_at", instant_text(written))
        self._tenant = tenant
        self._order = [(name, columns.places.get(name), _READERS.get(name)) for name in FIELDS]

    def read(self, line: int, cells: list[str]) -> tuple[bytes, list[Finding], str | None]:
        """A row as JSON, what is wrong with its cells, and whom it is about where that can be told."""
        record: dict[str, Any] = {}
        faults: list[Finding] = []
        for name, place, reader in self._order:
            text = self._text(name, cells[place] if place is not None and place < len(cells) else "")
            if not text:
                continue
            try:
                record[name] = reader(text, self._dates) if reader else text
            except ValueError as error:
                faults.append(found(line, "bad-value", f"/{name}", f"{shown(text)} {error}"))
        if self._tenant is not None:
            record.setdefault("tenant", self._tenant)
        left = record.pop("left", False) or record.get("status") == "left"
        if left:
            record = {name: value for name, value in record.items() if name in _OF_A_LEAVER} | {"left": True}
        person = f"{record['tenant']}:{record['employee_id']}" if "tenant" in record and "employee_id" in record else None
        return to_json(record), faults, person

    def _text(self, name: str, cell: str) -> str:
        """What a cell says in our words; the constant where it says nothing."""
        text = cell.strip()
        codes = self._values.get(name)
        return (codes.get(text, text) if codes else text) or self._always.get(name, "")


def _day(text: str, order: str | None) -> str:
    plain = _MIDNIGHT.sub("", text)
    if match := _YEAR_FIRST.fullmatch(plain):
        return _iso(match[1], match[2], match[3])
    if match := _DOTTED.fullmatch(plain):
        return _iso(match[3], match[2], match[1])
    if match := _SLASHED.fullmatch(plain):
        if order is None:
            raise ValueError(DATES_UNSAID)
        day, month = (match[1], match[2]) if order == "dmy" else (match[2], match[1])
        return _iso(match[3], month, day)
    if _SERIAL.fullmatch(plain):
        raise ValueError("is a spreadsheet's number of a day: format the column as a date and export again")
    raise ValueError(f"is not {EXPECTED['joined_on']}")


def _iso(year: str, month: str, day: str) -> str:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        raise ValueError("is a day that no calendar has") from None


def _moment(text: str, order: str | None) -> str:
    """An instant that says its offset, or a day."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return _day(text, order)
    if at.tzinfo is not None:
        return instant_text(in_utc(at))
    if at.time() == at.time().min:
        return at.date().isoformat()
    raise ValueError("has a time and no offset: write it as in 2026-12-01T08:00:00+01:00, or the day alone")


def _written(text: str, order: str | None) -> str:
    """An instant; a day is its midnight in UTC, since what was written last only has to come last."""
    at = _moment(text, order)
    return at if "T" in at else f"{at}T00:00:00.000000Z"


def _status(text: str, _: str | None) -> str:
    try:
        return _STATUS[key(text)]
    except KeyError:
        raise ValueError(
            "is not active, on_leave or left, nor a name for one: say what it is under [values.status] in a mapping file"
        ) from None


def _true(text: str, _: str | None) -> bool:
    try:
        return _BOOLEAN[key(text)] == "true"
    except KeyError:
        raise ValueError("is neither yes nor no") from None


def _id(text: str, _: str | None) -> str:
    if '"' in text:
        raise ValueError("is an id with a quote in it: close the quote that opens the cell, or take it out")
    if _MANGLED.fullmatch(text):
        raise ValueError("is an id that a spreadsheet has made a rounded number of: format the column as text and export again")
    return text


def _ids(text: str, order: str | None) -> list[str]:
    return [_id(one, order) for one in _IDS_APART.split(text) if one]


def _tag(text: str, _: str | None) -> str:
    match = _TAG.fullmatch(text)
    if match is None:
        raise ValueError(f"is not {EXPECTED['preferred_language']}")
    return match[1].lower() + match[2].replace("_", "-")


def _tags(text: str, order: str | None) -> list[str]:
    return [_tag(one, order) for one in _APART.split(text) if one]


_READERS: Mapping[str, Callable[[str, str | None], Any]] = MappingProxyType(
    {
        "employee_id": _id,
        "manager_id": _id,
        "dotted_manager_ids": _ids,
        "status": _status,
        "left": _true,
        "preferred_language": _tag,
        "languages": _tags,
        "joined_on": _day,
        "effective_at": _moment,
        "occurred_at": _written,
    }
)
