"""Which column is which field: by the mapping file where it says so, else by the column's name.

A mapping file is TOML, kept where the export is made and under the same care: `[columns]` field to header, `[constants]` field to a value for every line,
`[values.<field>]` their code to ours, and `dates = "dmy"` or `"mdy"` where days are written with slashes.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from amont.common.errors import Fault, Invalid
from amont.common.feeds.csv.names import FIELDS, index, key
from amont.common.feeds.findings import Finding, found, shown
from amont.common.feeds.refused import never_stored
from amont.common.slips import or_meant

REQUIRED = ("tenant", "employee_id", "grade")
DATES = ("dmy", "mdy")
_BY_NAME = MappingProxyType(index(FIELDS))
_PARTS = {"columns", "constants", "values", "dates"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingFile:
    """What somebody said about a subsidiary's columns; nothing by default."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dates: str | None = None


def read_mapping(text: str) -> MappingFile:
    """Read a mapping file. Raises Invalid with every fault."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"The mapping file is not TOML: {error}.") from None
    faults = list(_faults(given))
    if faults:
        raise Invalid(f"The mapping file cannot be used: {len(faults)} fault(s).", faults)
    return MappingFile(**given)


def _faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    for name in given.keys() - _PARTS:
        yield Fault(f"/{name}", f"not a part of a mapping file; it has {', '.join(sorted(_PARTS))}{or_meant(name, _PARTS)}")
    if given.get("dates") not in {None, *DATES}:
        yield Fault("/dates", 'write "dmy" (31/12/2026) or "mdy" (12/31/2026)')
    tables = {f"/{part}": given.get(part, {}) for part in ("columns", "constants", "values")}
    values = tables["/values"]
    inner = {f"/values/{name}": one for name, one in values.items()} if isinstance(values, dict) else {}
    for where, table in {**tables, **inner}.items():
        if not isinstance(table, dict):
            yield Fault(where, "write a table")
            continue
        for name, value in table.items():
            if where in tables and name not in FIELDS:
                yield Fault(f"{where}/{name}", f"not a field of a staff record; there are {', '.join(FIELDS)}{or_meant(name, FIELDS)}")
            if where != "/values" and not isinstance(value, str):
                yield Fault(f"{where}/{name}", "write a text, in quotes")


class NoHeader(Exception):
    """The first row is not what the columns are called. `findings` says what is missing."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field is in a row, by the header."""

    header: tuple[str, ...]
    places: Mapping[str, int]
    findings: tuple[Finding, ...] = ()
    """Columns that are refused or ignored."""

    def name_of(self, name: str) -> str | None:
        """A field's column, for people; None when it has none."""
        at = self.places.get(name)
        return None if at is None else f"column {shown(self.header[at])}"


def recognised(header: Iterable[str], mapping: MappingFile) -> int:
    """How many of the names are fields."""
    wanted = {key(name) for name in mapping.columns.values()}
    return len({key(name) for name in header} & (wanted | _BY_NAME.keys()))


def columns_of(line: int, header: Sequence[str], mapping: MappingFile, *, given: Iterable[str]) -> Columns:
    """Where each field is. `given` are fields that need no column. Raises NoHeader with everything that stands against it."""
    names = [name.strip() for name in header]
    places: dict[str, int] = {}
    faults: list[Finding] = []
    for name, wanted in mapping.columns.items():
        at = [place for place, one in enumerate(names) if key(one) == key(wanted)]
        if len(at) == 1:
            places[name] = at[0]
        else:
            faults.append(found(line, "header", "", f"the mapping's column {shown(wanted)} for {name} is there {len(at)} times"))
    mapped = set(places.values())
    for place, one in enumerate(names):
        known = _BY_NAME.get(key(one))
        if known is None or place in mapped or known in mapping.columns or known in mapping.constants:
            continue
        if known in places:
            first = names[places[known]]
            which = "rename one of them" if key(first) == key(one) else "say which in a mapping file"
            faults.append(found(line, "header", "", f"both {shown(first)} and {shown(one)} could be {known}: {which}"))
        places.setdefault(known, place)
    without = set(REQUIRED) - places.keys() - mapping.constants.keys() - set(given)
    faults.extend(found(line, "missing-field", "", _no_column(name, names)) for name in sorted(without))
    if faults:
        raise NoHeader(faults)
    return Columns(tuple(names), places, tuple(_others(line, names, set(places.values()))))


def _no_column(name: str, names: Sequence[str]) -> str:
    has = ", ".join(shown(one) for one in names[:30])
    instead = "--tenant, or a" if name == "tenant" else "a"
    return f'no column is {name}: give {instead} mapping file with [columns] {name} = "…". The first row has {has}'


def _others(line: int, names: Sequence[str], used: set[int]) -> Iterator[Finding]:
    for place, name in enumerate(names):
        if place in used or not name:
            continue
        what = never_stored(name)
        if what is not None:
            yield found(line, "refused-field", f"column {shown(name)}", f"a {what}, which Amont never stores; not read")
        else:
            yield found(line, "ignored-column", f"column {shown(name)}", "no field of a staff record; not read")
