"""A CSV file as a feed: what encoding and delimiter it has, which column is which field, and every row as a staff record in JSON.

It is read as often as it is iterated, from the beginning, in memory that does not grow with it.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO, TextIO

from amont.common.feeds.csv.cells import Cells
from amont.common.feeds.csv.encoding import BROKEN, Encoding, encoding_named, encoding_of
from amont.common.feeds.csv.mapping import Columns, MappingFile, NoHeader, columns_of, read_mapping, recognised
from amont.common.feeds.csv.rows import Row, delimiter_named, rows
from amont.common.feeds.findings import Finding, found
from amont.common.feeds.lines import Entry

__all__ = ["NO_LINE_END", "CsvFeed", "MappingFile", "NoHeader", "read_mapping"]

DELIMITERS = (";", ",", "\t", "|")
NAMES = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars"}
HEAD = 256 * 1024
_NO_TEXT = dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")
"""Bytes that are none in the encoding arrive as these."""
NO_LINE_END = "no-line-end"
_SAYS_SO = "sep="
"""What Excel writes into a first line of its own."""


class CsvFeed:
    """See the module. `as_of` stands in where a file does not say from when its rows hold; `tenant` where it does not say whose they are."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        as_of: datetime,
        tenant: str | None = None,
        mapping: MappingFile | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
    ) -> None:
        """Raises NoHeader when the first row does not name the columns, Invalid for an encoding that nobody knows, and for a delimiter that is none."""
        self._file, self._mapping = file, mapping or MappingFile()
        self.encoding: Encoding = encoding_named(encoding, file) if encoding else encoding_of(file)
        self.delimiter = self._sniffed() if delimiter is None else delimiter_named(delimiter)
        header = next(self._rows(), None)
        if header is None or header.fault:
            raise NoHeader([found(1, "columns", "", "the first row is to name the columns, and there is none")])
        self._header_line = header.line
        self.columns: Columns = columns_of(header.line, header.cells, self._mapping, given=() if tenant is None else ("tenant",))
        self._cells = Cells(self.columns, self._mapping, tenant=tenant, as_of=as_of)

    @property
    def described(self) -> str:
        """How the file is read, for people: with a word of it where the encoding is a guess, since whoever knows the word sees whether it is right."""
        reads = f", which reads {self.encoding.reads!r}" if self.encoding.reads else ""
        return f"{self.encoding}{reads}, {NAMES.get(self.delimiter, repr(self.delimiter))} between cells"

    def __iter__(self) -> Iterator[Entry]:
        for row in self._rows():
            if row.line > self._header_line:
                yield self._entry(row)

    def placed(self, finding: Finding) -> Finding:
        """The same finding with the column in place of the field."""
        column = self.columns.name_of(finding.where.split("/")[1]) if finding.where.startswith("/") else None
        return finding if column is None else replace(finding, where=column)

    def _entry(self, row: Row) -> Entry:
        width = len(self.columns.header)
        if row.fault:
            kind = "too-long" if row.ended else "cut-off"
            return Entry(row.line, b"", (found(row.line, kind, "", row.fault),))
        if not row.ended and len(row.cells) < width:
            what = f"the file ends in the middle of a row: {len(row.cells)} of {width} cells"
            return Entry(row.line, b"", (found(row.line, "cut-off", "", what),))
        text = [cell.translate(_NO_TEXT) for cell in row.cells]
        value, faults, person = self._cells.read(row.line, text)
        if text != row.cells:
            faults = [found(row.line, "not-text", "", f"bytes that are not {self.encoding}")]
        if any(cell.strip() for cell in text[width:]):
            faults.append(found(row.line, "columns", "", f"{len(text)} cells, and the header has {width}"))
        if not row.ended:
            faults.append(found(row.line, NO_LINE_END, "", "the last row has no line end, so it may have been cut short"))
        return Entry(row.line, value, tuple(map(self.placed, faults)), person)

    def _sniffed(self) -> str:
        """The delimiter with which the first row has the most names that are fields, then the most cells."""
        with self._text() as text:
            head = text.read(HEAD)
        first = head.partition("\n")[0].strip()
        if first.lower().startswith(_SAYS_SO) and len(first) == len(_SAYS_SO) + 1:
            return first[-1]

        def fitness(delimiter: str) -> tuple[int, int]:
            header = next(rows(io.StringIO(head, newline=""), delimiter), None)
            cells = header.cells if header else []
            return recognised(cells, self._mapping), len(cells)

        return max(DELIMITERS, key=fitness)

    def _rows(self) -> Iterator[Row]:
        with self._text() as text:
            for row in rows(text, self.delimiter):
                if row.line > 1 or self.delimiter.join(row.cells).strip().lower() != _SAYS_SO + self.delimiter:
                    yield row

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        """The file from its beginning as text; a byte that is none in the encoding stays one that can be told from text."""
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, encoding=self.encoding.codec, errors=BROKEN, newline="")
        try:
            yield text
        finally:
            text.detach()
