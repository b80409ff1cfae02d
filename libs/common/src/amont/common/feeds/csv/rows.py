"""Rows of a CSV file (RFC 4180, and what spreadsheets make of it): cells, and the physical line each row begins at.

The standard library's reader takes a quote that is never closed to the end of the file, and lets anything follow one that closes. Here a row has a limit,
and only a delimiter or the line's end follows a closing quote. Where that does not hold, the row is bad, and reading goes on at the line after the one
it began on, so that a quote too many or too few costs its own line and takes nobody else's into its cells. A quote opens a quoted cell only at the
beginning of a cell, as in the standard library.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from amont.common.errors import Invalid
from amont.common.feeds.findings import shown

MOST_LINES, MOST_CHARACTERS = 100, 200_000
"""Of one row; the longest that real exports hold is a note of some pages in one cell."""

STRAY = "stray-quote"
_NO_DELIMITERS = '"\r\n\0'


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row has no cells: the kind of finding, and the place of the cell where it shows, counted from 0."""

    kind: str
    what: str
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """`fault` says why there are no cells; `ended` is False for a last row without a line end; `lines` is how many physical lines it takes."""

    line: int
    cells: list[str]
    ended: bool = True
    lines: int = 1
    fault: Fault | None = None


def delimiter_named(text: str) -> str:
    """What somebody says stands between cells; `tab` and backslash t are a tab, which shells make hard to write. Raises Invalid for what cannot."""
    if text in {"tab", r"\t"}:
        return "\t"
    if len(text) != 1 or text in _NO_DELIMITERS:
        raise Invalid(f"The delimiter cannot be {text[:20]!r}. Write one character, as in ; or , or the word tab.")
    return text


def rows(text: TextIO, delimiter: str, width: int | None = None) -> Iterator[Row]:
    """Every row that has a cell with something in it. `text` must keep its line ends as they are (`newline=""`).

    `width` is how many cells a row has, where that is known: one of several lines that has another number is taken for the work of a stray quote.
    """
    lines = _Lines(text)
    while (first := lines.next()) is not None:
        row = _row(lines, first, delimiter, width)
        if row.fault or any(cell.strip() for cell in row.cells):
            yield row


class _Lines:
    """Physical lines with a limit to their length, some of which may be given back."""

    def __init__(self, text: TextIO) -> None:
        self._text, self._again, self.number = text, deque[str](), 0

    def next(self) -> str | None:
        line = self._again.popleft() if self._again else self._text.readline(MOST_CHARACTERS)
        if not line:
            return None
        self.number += 1
        return line

    def give_back(self, lines: list[str]) -> None:
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)

    def skip(self, line: str) -> None:
        """The rest of a line that is too long."""
        while line and not _is_ended(line):
            line = self._text.readline(MOST_CHARACTERS)


def _is_ended(line: str) -> bool:
    return line.endswith(("\n", "\r"))


def _row(lines: _Lines, first: str, delimiter: str, width: int | None) -> Row:
    start, taken = lines.number, [first]
    size = len(first)
    if size >= MOST_CHARACTERS and not _is_ended(first):
        lines.skip(first)
        return Row(start, [], fault=Fault("too-long", f"a line of more than {MOST_CHARACTERS:,} characters"))
    quotes = _Quotes(delimiter, start)
    quotes.follow(first)
    while quotes.opened:
        line = lines.next() if len(taken) < MOST_LINES and size < MOST_CHARACTERS else None
        if line is None:
            return _never_closed(lines, start, taken)
        taken.append(line)
        size += len(line)
        quotes.follow(line)
    row = Row(start, [], fault=quotes.fault) if quotes.fault else _cells(start, taken, delimiter)
    if not row.fault and width is not None and (row.lines > 1 or quotes.stray):
        row = _as_wide(row, width, stray=quotes.stray)
    if row.fault:
        lines.give_back(taken[1:])
    return row


def _cells(start: int, taken: list[str], delimiter: str) -> Row:
    try:
        cells = next(csv.reader(["".join(taken)], delimiter=delimiter), [])
    except csv.Error as error:
        return Row(start, [], fault=Fault("too-long", str(error)))
    return Row(start, cells, ended=_is_ended(taken[-1]), lines=len(taken))


def _as_wide(row: Row, width: int, *, stray: bool) -> Row:
    """The row, if what quotes have done to it can be meant: it has its cells, and over several lines no quote inside a cell without quotes."""
    over = f"{row.lines} lines in quotes" if row.lines > 1 else "a quote inside a cell without quotes"
    if len(row.cells) < width or any(cell.strip() for cell in row.cells[width:]):
        return Row(row.line, [], fault=Fault(STRAY, f"{over}, and {len(row.cells)} cells where the header has {width}"))
    if row.lines > 1 and stray:
        return Row(row.line, [], fault=Fault(STRAY, f"{over}, and a quote inside a cell without quotes"))
    return row


def _never_closed(lines: _Lines, start: int, taken: list[str]) -> Row:
    at_end = len(taken) < MOST_LINES and sum(map(len, taken)) < MOST_CHARACTERS
    kind = "cut-off" if at_end and len(taken) == 1 else "too-long"
    lines.give_back(taken[1:])
    return Row(start, [], fault=Fault(kind, "a quote is opened and never closed"))


class _Quotes:
    """What the quotes of a row do, followed line by line: `opened` while a quoted cell goes on, `fault` where one closes in the middle of a cell, and
    `stray` for one inside a cell that has no quotes.
    """

    def __init__(self, delimiter: str, start: int) -> None:
        self._delimiter, self._line, self._place = delimiter, start - 1, 0
        self.opened, self.stray = False, False
        self.fault: Fault | None = None

    def follow(self, line: str) -> None:
        self._line += 1
        if not self.opened and '"' not in line:
            return
        at: int | None = 0
        while at is not None:
            at = self._cell(line, at)

    def _cell(self, line: str, at: int) -> int | None:
        """Over the cell at a place of the line to the beginning of the next one; None when there is none."""
        if not self.opened and line.startswith('"', at):
            self.opened, at = True, at + 1
        if self.opened:
            at = _closing(line, at)
            if at < 0:
                return None
            self.opened, at = False, at + 1
            if at < len(line) and line[at] not in (self._delimiter, "\r", "\n"):
                what = f"a closing quote is followed by {shown(line[at])} (line {self._line}, character {at + 1})"
                self.fault = Fault(STRAY, what, self._place)
                return None
        end = line.find(self._delimiter, at)
        self.stray = self.stray or line.find('"', at, end if end >= 0 else len(line)) >= 0
        self._place += 1
        return end + 1 if end >= 0 else None


def _closing(line: str, at: int) -> int:
    """Where the quote is that closes a cell; two in a row are one of the text. -1 when there is none."""
    while (at := line.find('"', at)) >= 0 and line.startswith('"', at + 1):
        at += 2
    return at
