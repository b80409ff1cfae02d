"""Rows of a CSV file (RFC 4180, and what spreadsheets make of it): cells, and the physical line each row begins at.

The standard library's reader takes a quote that is never closed to the end of the file. Here a row has a limit: where it is passed, the row is bad, and
reading goes on at the line after the one it began on. A quote opens a quoted cell only at the beginning of a cell, as in the standard library.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from amont.common.errors import Invalid

MOST_LINES, MOST_CHARACTERS = 100, 200_000
"""Of one row; the longest that real exports hold is a note of some pages in one cell."""

_NO_DELIMITERS = '"\r\n\0'


@dataclass(frozen=True, slots=True)
class Row:
    """`fault` says why there are no cells; `ended` is False for a last row without a line end."""

    line: int
    cells: list[str]
    ended: bool = True
    fault: str | None = None


def delimiter_named(text: str) -> str:
    """What somebody says stands between cells. Raises Invalid for what cannot."""
    if len(text) != 1 or text in _NO_DELIMITERS:
        raise Invalid(f"The delimiter cannot be {text[:20]!r}. Write one character, as in ; or , or a tab.")
    return text


def rows(text: TextIO, delimiter: str) -> Iterator[Row]:
    """Every row that has a cell with something in it. `text` must keep its line ends as they are (`newline=""`)."""
    lines = _Lines(text)
    while (first := lines.next()) is not None:
        row = _row(lines, first, delimiter)
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


def _row(lines: _Lines, first: str, delimiter: str) -> Row:
    start, taken = lines.number, [first]
    size = len(first)
    if size >= MOST_CHARACTERS and not _is_ended(first):
        lines.skip(first)
        return Row(start, [], fault=f"a line of more than {MOST_CHARACTERS:,} characters")
    opened = _open_after(first, delimiter, inside=False)
    while opened:
        line = lines.next() if len(taken) < MOST_LINES and size < MOST_CHARACTERS else None
        if line is None:
            return _never_closed(lines, start, taken)
        taken.append(line)
        size += len(line)
        opened = _open_after(line, delimiter, inside=True)
    whole = "".join(taken)
    try:
        cells = next(csv.reader([whole], delimiter=delimiter), [])
    except csv.Error as error:
        return Row(start, [], fault=str(error))
    return Row(start, cells, ended=_is_ended(taken[-1]))


def _never_closed(lines: _Lines, start: int, taken: list[str]) -> Row:
    at_end = len(taken) < MOST_LINES and sum(map(len, taken)) < MOST_CHARACTERS
    ended = not (at_end and len(taken) == 1)
    lines.give_back(taken[1:])
    return Row(start, [], ended=ended, fault="a quote is opened and never closed")


def _open_after(line: str, delimiter: str, *, inside: bool) -> bool:
    """Whether a quoted cell is open at the end of a line, which begins inside one or not."""
    at = 0
    while True:
        if not inside and line.startswith('"', at):
            inside, at = True, at + 1
        if inside:
            at = _closing(line, at)
            if at < 0:
                return True
            inside, at = False, at + 1
        at = line.find(delimiter, at)
        if at < 0:
            return False
        at += 1


def _closing(line: str, at: int) -> int:
    """Where the quote is that closes a cell; two in a row are one of the text. -1 when there is none."""
    while (at := line.find('"', at)) >= 0 and line.startswith('"', at + 1):
        at += 2
    return at
