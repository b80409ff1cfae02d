"""A CSV file as a feed: what encoding and delimiter it has, which column is which field, and every row as a staff record in JSON.

It is read as often as it is iterated, from the beginning, in memory that does not grow with it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import BinaryIO

from amont.common.feeds.csv.cells import Cells
from amont.common.feeds.csv.encoding import Encoding
from amont.common.feeds.csv.mapping import Columns, MappingFile, NoHeader, columns_of, read_mapping, recognised
from amont.common.feeds.csv.rows import Row
from amont.common.feeds.csv.sheet import Sheet, as_text
from amont.common.feeds.findings import Finding, found, shown
from amont.common.feeds.lines import Entry

__all__ = ["NO_LINE_END", "CsvFeed", "MappingFile", "NoHeader", "read_mapping"]

NO_LINE_END = "no-line-end"


class CsvFeed:
    """See the module. `as_of` stands in where a file does not say from when its rows hold, `written` where it does not say when they were written, and
    `tenant` where it does not say whose they are.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        as_of: datetime,
        written: datetime,
        tenant: str | None = None,
        mapping: MappingFile | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
    ) -> None:
        """Raises NoHeader when the first row does not name the columns, Invalid for an encoding that nobody knows, and for a delimiter that is none."""
        self.as_of, self.written = as_of, written
        said = mapping or MappingFile()
        self._sheet = Sheet(file, partial(recognised, mapping=said), encoding=encoding, delimiter=delimiter)
        header = next(self._sheet.rows(), None)
        if header is None or header.fault:
            raise NoHeader([found(1, "header", "", "the first row is to name the columns, and there is none")])
        self._header_line = header.line
        given = () if tenant is None else ("tenant",)
        self.columns: Columns = columns_of(header.line, header.cells, said, given=given)
        self._cells = Cells(self.columns, said, tenant=tenant, as_of=as_of, written=written)

    @property
    def encoding(self) -> Encoding:
        return self._sheet.encoding

    @property
    def delimiter(self) -> str:
        return self._sheet.delimiter

    @property
    def described(self) -> str:
        """How the file is read, for people."""
        return self._sheet.described

    def __iter__(self) -> Iterator[Entry]:
        for row in self._sheet.rows(len(self.columns.header)):
            if row.line > self._header_line:
                yield self._entry(row)

    def placed(self, finding: Finding) -> Finding:
        """The same finding with the column in place of the field."""
        column = self.columns.name_of(finding.where.split("/")[1]) if finding.where.startswith("/") else None
        return finding if column is None else replace(finding, where=column)

    def _column(self, place: int) -> str:
        header = self.columns.header
        return f"column {shown(header[place])}" if place < len(header) else f"cell {place + 1}"

    def _entry(self, row: Row) -> Entry:
        width = len(self.columns.header)
        if row.fault:
            where = "" if row.fault.place is None else self._column(row.fault.place)
            return Entry(row.line, b"", (found(row.line, row.fault.kind, where, row.fault.what),))
        if not row.ended and len(row.cells) < width:
            what = f"the file ends in the middle of a row: {len(row.cells)} of {width} cells"
            return Entry(row.line, b"", (found(row.line, "cut-off", "", what),))
        text = as_text(row.cells)
        value, faults, person = self._cells.read(row.line, text)
        if text != row.cells:
            value, faults = b"", [found(row.line, "not-text", "", f"bytes that are not {self.encoding}")]
        if any(cell.strip() for cell in text[width:]):
            value = b""  # which cell is of which column cannot be told
            faults.append(found(row.line, "columns", "", f"{len(text)} cells, and the header has {width}"))
        if not row.ended:
            faults.append(found(row.line, NO_LINE_END, "", "the last row has no line end, so it may have been cut short"))
        alone = row.lines == 1  # of several lines that are no record, the others may have been somebody else's
        return Entry(row.line, value, tuple(faults), person if alone else None)
