"""A grade table as a file: CSV with the columns `grade` and `band`, and `tenant` where one file serves several (`*` is all of them)."""

import csv
from collections.abc import Iterable, Iterator, Mapping

from amont.common.errors import Fault, Invalid

BANDS = range(1, 21)
EVERYBODY = "*"
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a cell that begins so for (OWASP, *CSV Injection*)."""
_TEXT = "'"


def as_cell(code: str) -> str:
    """A code as a cell that no spreadsheet computes: an apostrophe stands before what looks like a formula. `code_in` takes it away."""
    return f"{_TEXT}{code}" if code.lstrip(_TEXT).startswith(_FORMULAS) else code


def code_in(cell: str) -> str:
    """The code that a cell stands for."""
    return cell.removeprefix(_TEXT) if cell.lstrip(_TEXT).startswith(_FORMULAS) else cell


class Grades:
    """The codes that there are, by subsidiary."""

    def __init__(self, tables: Mapping[str, Mapping[str, int]]) -> None:
        self._tables = tables
        self._shared = tables.get(EVERYBODY, {})

    def knows(self, tenant: str, grade: str) -> bool:
        return grade in self._shared or grade in self._tables.get(tenant, ())

    def has(self, tenant: str) -> bool:
        """Whether there is a table of the subsidiary's own."""
        return tenant in self._tables

    def table_of(self, tenant: str) -> dict[str, int]:
        """Code to band for one subsidiary."""
        return {**self._shared, **self._tables.get(tenant, {})}


def read_grades(lines: Iterable[str]) -> Grades:
    """The table. Raises Invalid with every fault, each with its line."""
    rows = csv.DictReader(lines)
    missing = {"grade", "band"} - set(rows.fieldnames or ())
    if missing:
        raise Invalid(f"The grade table has no column {' and no column '.join(sorted(missing))}. Write CSV with the header grade,band.")
    tables: dict[str, dict[str, int]] = {}
    faults = list(_fill(tables, rows))
    if faults:
        raise Invalid(f"The grade table cannot be used: {len(faults)} fault(s).", faults)
    return Grades(tables)


def _fill(tables: dict[str, dict[str, int]], rows: "csv.DictReader[str]") -> Iterator[Fault]:
    for row in rows:
        tenant, code, band = (row.get("tenant") or EVERYBODY).strip(), code_in((row["grade"] or "").strip()), (row["band"] or "").strip()
        where = f"line {rows.line_num}"
        if not code:
            yield Fault(where, "the grade is empty; write the HR system's own code")
        elif not (band.isascii() and band.isdigit() and int(band) in BANDS):
            yield Fault(where, f"band {band[:20]!r} of {code[:60]!r} is not a whole number from 1 (most junior) to 20 (most senior)")
        elif tables.setdefault(tenant, {}).setdefault(code, int(band)) != int(band):
            yield Fault(where, f"{code[:60]!r} has band {tables[tenant][code]} already; write each code once")
