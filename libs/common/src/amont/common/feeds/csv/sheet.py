"""A CSV file as rows of text: what encoding and delimiter it has. What its columns mean is said by whoever reads it.

It is read as often as its rows are asked for, from the beginning, in memory that does not grow with it.
"""

import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, TextIO

from amont.common.errors import Invalid
from amont.common.feeds.csv.encoding import BROKEN, Encoding, encoding_named, encoding_of
from amont.common.feeds.csv.rows import Row, delimiter_named, rows

DELIMITERS = (";", ",", "\t", "|")
NAMES = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars"}
HEAD = 256 * 1024
_NO_TEXT = dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")
"""Bytes that are none in the encoding arrive as these."""
_SAYS_SO = "sep="
"""What Excel writes into a first line of its own."""


_PACKED = {
    b"PK\x03\x04": "a workbook of Excel or LibreOffice (or another ZIP file)",
    b"\xd0\xcf\x11\xe0": "a workbook of an old Excel",
    b"\x1f\x8b": "a file packed by gzip",
    b"%PDF": "a PDF file",
}


class Sheet:
    """See the module. `recognised` says how many names of a header are known, by which the delimiter is found."""

    def __init__(
        self, file: BinaryIO, recognised: Callable[[Sequence[str]], int], *, encoding: str | None = None, delimiter: str | None = None
    ) -> None:
        """Raises Invalid for a file that is no text, for an encoding that nobody knows, and for a delimiter that is none."""
        self._file, self._recognised = file, recognised
        file.seek(0)
        head = file.read(max(map(len, _PACKED)))
        file.seek(0)
        for mark, what in _PACKED.items():
            if head.startswith(mark):
                raise Invalid(f"This is {what}, and no text: save it as CSV, best in UTF-8.")
        if head.startswith(b'{"'):
            raise Invalid("This is JSON, and no table: `amont hris send` takes one record a line.")
        self.encoding: Encoding = encoding_named(encoding, file) if encoding else encoding_of(file)
        self.delimiter = self._sniffed() if delimiter is None else delimiter_named(delimiter)

    @property
    def described(self) -> str:
        """How the file is read, for people."""
        return f"{self.encoding}{self.encoding.for_example}, {NAMES.get(self.delimiter, repr(self.delimiter))} between cells"

    def rows(self, width: int | None = None) -> Generator[Row, None, None]:
        """Every row that has a cell with something in it, the header the first; `width` as in `rows.rows`."""
        with self._text() as text:
            for row in rows(text, self.delimiter, width):
                if row.line > 1 or self.delimiter.join(row.cells).strip().lower() != _SAYS_SO + self.delimiter:
                    yield row

    def _sniffed(self) -> str:
        """The delimiter with which the first row has the most names that are known, then the most cells."""
        with self._text() as text:
            head = text.read(HEAD)
        first = head.partition("\n")[0].strip()
        if first.lower().startswith(_SAYS_SO) and len(first) == len(_SAYS_SO) + 1:
            return first[-1]

        def fitness(delimiter: str) -> tuple[int, int]:
            header = next(rows(io.StringIO(head, newline=""), delimiter), None)
            cells = header.cells if header else []
            return self._recognised(cells), len(cells)

        return max(DELIMITERS, key=fitness)

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        """The file from its beginning as text; a byte that is none in the encoding stays one that can be told from text."""
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, encoding=self.encoding.codec, errors=BROKEN, newline="")
        try:
            yield text
        finally:
            text.detach()


def as_text(cells: Sequence[str]) -> list[str]:
    """Cells without what no text has: they differ from those that came where bytes were none in the encoding."""
    return [cell.translate(_NO_TEXT) for cell in cells]
