"""CSV files as bytes, and what is read from them."""

import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from amont.common.feeds.csv import CsvFeed
from amont.common.feeds.lines import Entry

AS_OF = datetime(2026, 12, 1, 6, 30, tzinfo=UTC)
WRITTEN = datetime(2026, 12, 2, 17, 5, tzinfo=UTC)
HEADER = ("Matricule", "Nom", "Grade", "Date d'effet")


def sheet(*rows: Sequence[str], header: Sequence[str] = HEADER, delimiter: str = ";", encoding: str = "utf-8", end: str = "\r\n") -> bytes:
    """A file as careful exports write it."""
    return "".join(delimiter.join(map(quoted, row)) + end for row in (header, *rows)).encode(encoding)


def quoted(cell: str) -> str:
    return '"{}"'.format(cell.replace('"', '""')) if any(char in cell for char in ';,|\t"\r\n') or cell != cell.strip() else cell


def feed_of(data: bytes, **options: Any) -> CsvFeed:
    return CsvFeed(io.BytesIO(data), as_of=AS_OF, written=WRITTEN, **{"tenant": "fr", **options})


def good(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [json.loads(entry.value) for entry in entries if not entry.findings]


def bad(feed: CsvFeed) -> list[tuple[int, str, str]]:
    """Line, kind, and what is said of it."""
    return [(one.line, one.kind.name, str(feed.placed(one))) for entry in feed for one in entry.findings]
