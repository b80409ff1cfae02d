"""A grade table as a file: CSV with the columns `grade` and `band`, and `tenant` where one file serves several (`*` is all of them).

It is read as a feed is, in any encoding and with any delimiter that a spreadsheet exports.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import BinaryIO

from amont.common.errors import Fault, Invalid
from amont.common.events.words import BANDS, MOST_GRADES
from amont.common.feeds.csv.names import key
from amont.common.feeds.csv.rows import Row
from amont.common.feeds.csv.sheet import Sheet, as_text
from amont.common.feeds.findings import shown

EVERYBODY = "*"
_COLUMNS = frozenset({"grade", "band", "tenant"})
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a cell that begins so for (OWASP, *CSV Injection*)."""
_TEXT = "'"
MOST_DIGITS = 20
"""Digits of a band that are read, zeros before it among them."""
MOST_SHOWN = 10
"""Cells of a first row that a sentence repeats."""


def as_cell(code: str) -> str:
    """A code as a cell that no spreadsheet computes: an apostrophe stands before what looks like a formula. `code_in` takes it away."""
    return f"{_TEXT}{code}" if code.lstrip(_TEXT).startswith(_FORMULAS) else code


def code_in(cell: str) -> str:
    """The code that a cell stands for."""
    return cell.removeprefix(_TEXT) if cell.lstrip(_TEXT).startswith(_FORMULAS) else cell


class Grades:
    """The codes that there are, by subsidiary; `tenants` are those with a table of their own."""

    def __init__(self, tables: Mapping[str, Mapping[str, int]]) -> None:
        self._tables = tables
        self._shared = tables.get(EVERYBODY, {})
        self.tenants = frozenset(tables.keys() - {EVERYBODY})

    def knows(self, tenant: str, grade: str) -> bool:
        return grade in self._shared or grade in self._tables.get(tenant, ())

    def table_of(self, tenant: str) -> dict[str, int]:
        """Code to band for one subsidiary."""
        return {**self._shared, **self._tables.get(tenant, {})}


def sheet_of_grades(file: BinaryIO) -> Sheet:
    """The file as rows of text."""
    return Sheet(file, lambda names: len(_COLUMNS & {key(name) for name in names}))


def read_grades(sheet: Sheet) -> Grades:
    """The table. Raises Invalid with every fault, each with its line."""
    tables: dict[str, dict[str, int]] = {}
    with closing(sheet.rows()) as rows:
        header = next(rows, None)
        places = {key(name): place for place, name in enumerate(header.cells if header else ())}
        missing = sorted({"grade", "band"} - places.keys())
        if missing:
            raise Invalid(_no_column(missing, header, sheet))
        faults = [fault for row in rows for fault in _fill(tables, row, places, sheet.encoding.name)]
    if faults:
        raise Invalid(f"The grade table cannot be used: {len(faults)} fault(s).", faults)
    grades = Grades(tables)
    for tenant in tables:
        if (codes := len(grades.table_of(tenant))) > MOST_GRADES:
            whose = "" if tenant == EVERYBODY else f" of {tenant!r}"
            raise Invalid(f"The grade table{whose} has {codes:,} codes, and may have {MOST_GRADES:,}: leave out those that nobody has.")
    return grades


def _no_column(missing: Sequence[str], header: Row | None, sheet: Sheet) -> str:
    """What was read in the place of the header, and what is expected."""
    cells = ", ".join(map(shown, header.cells[:MOST_SHOWN])) if header else "nothing"
    read = f"Its first row reads {cells} ({sheet.described})."
    return (
        f"The grade table has no column {' and no column '.join(missing)}. {read} Make the first row grade,band: under grade your own code, under band "
        f"the group's, a whole number from {BANDS[0]} (most junior) to {BANDS[-1]} (most senior)."
    )


def _fill(tables: dict[str, dict[str, int]], row: Row, places: Mapping[str, int], encoding: str) -> Iterator[Fault]:
    cells = as_text(row.cells)

    def cell(name: str) -> str:
        place = places.get(name, len(cells))
        return cells[place].strip() if place < len(cells) else ""

    tenant, code, band = cell("tenant") or EVERYBODY, code_in(cell("grade")), cell("band")
    where = f"line {row.line}"
    if row.fault:
        yield Fault(where, row.fault.what)
    elif cells != row.cells:
        yield Fault(where, f"bytes that are not {encoding}; save the file in UTF-8")
    elif not code:
        yield Fault(where, "the grade is empty; write the HR system's own code")
    elif not (band.isascii() and band.isdigit() and len(band) <= MOST_DIGITS and int(band) in BANDS):
        yield Fault(where, f"band {band[:20]!r} of {code[:60]!r} is not a whole number from 1 (most junior) to 20 (most senior)")
    elif tables.setdefault(tenant, {}).setdefault(code, int(band)) != int(band):
        yield Fault(where, f"{code[:60]!r} has band {tables[tenant][code]} already; write each code once")
