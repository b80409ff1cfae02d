"""How a file is read as a feed of staff records: the options that say so, and the file as its entries, JSON lines or CSV."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from amont.common.cli import as_usage
from amont.common.cli.feeds import STDIN, mapping_from

if TYPE_CHECKING:
    from amont.common.feeds.csv import CsvFeed
    from amont.common.feeds.findings import Finding
    from amont.common.feeds.lines import Entry

JSON_LINES, CSV = "jsonl", "csv"

Mapping = Annotated[Path | None, typer.Option(help="CSV: which column is which field (TOML)", metavar="FILE")]
Dates = Annotated[str | None, typer.Option(help="CSV: dmy or mdy, where days have slashes", metavar="ORDER")]
AsOf = Annotated[str | None, typer.Option(help="CSV: from when on it is true [when the file was written]", metavar="DAY")]
Encoding = Annotated[str | None, typer.Option(help="CSV: instead of what the bytes look like", metavar="NAME")]
Delimiter = Annotated[str | None, typer.Option(help="CSV: instead of what the header looks like", metavar="CHAR")]
Most = Annotated[int, typer.Option(min=1, help="How many of each kind are listed; all are counted")]


def _format_named(text: str | None) -> str | None:
    if text not in {None, JSON_LINES, CSV}:
        raise typer.BadParameter(f"--format is {text!r}: write {JSON_LINES} or {CSV}")
    return text


Format = Annotated[str | None, typer.Option("--format", callback=_format_named, help="jsonl or csv, instead of what the file looks like")]


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToRead:
    """What somebody said about a file; where nothing is said, the file shows it. `tenant` is whose it is where it does not say."""

    tenant: str | None
    mapping: Path | None
    dates: str | None
    encoding: str | None
    delimiter: str | None
    format: str | None = None

    @property
    def whose(self) -> list[str]:
        """The subsidiary that the file is about, where that is said beforehand. Raises and ends the command as `as_csv` for the mapping."""
        said = self.tenant or mapping_from(self.mapping, self.dates, self.tenant).constants.get("tenant")
        return [said] if said else []

    def as_csv(self, file: BinaryIO, *, as_of: datetime, written: datetime) -> "CsvFeed":
        """A table. Raises NoHeader, ValueError; ends the command where it is none, and with every fault of the mapping."""
        from amont.common.feeds.csv import CsvFeed  # noqa: PLC0415 - heavy, and other commands need not wait for it

        said = mapping_from(self.mapping, self.dates, self.tenant)
        with as_usage():
            return CsvFeed(
                file, as_of=as_of, written=written, tenant=self.tenant, mapping=said, encoding=self.encoding, delimiter=self.delimiter
            )

    def feed(self, file: BinaryIO, *, as_of: datetime, written: datetime) -> "Feed":
        """A file of either kind. Raises as `as_csv`."""
        from amont.common.feeds.lines import json_lines  # noqa: PLC0415 - heavy, and other commands need not wait for it

        if (self.format or _format_of(file)) == JSON_LINES:
            return Feed(entries=json_lines(file), described="JSON lines")
        table = self.as_csv(file, as_of=as_of, written=written)
        return Feed(entries=table, described=f"CSV in {table.described}", placed=table.placed, findings=table.columns.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The entries of a file, how it is read in words, and what its columns showed; `placed` says where a finding is in the words of the file."""

    entries: "Iterable[Entry]"
    described: str
    placed: "Callable[[Finding], Finding]" = lambda finding: finding
    findings: "tuple[Finding, ...]" = ()


def written_at(file: str) -> datetime:
    """When a file was written, to the second; now where it comes by standard input."""
    if file == STDIN or not Path(file).exists():
        return datetime.now(UTC)
    return datetime.fromtimestamp(int(Path(file).stat().st_mtime), UTC)


def as_of_said(text: str | None, written: datetime) -> datetime:
    """From when on what a file does not date is true. Raises ValueError."""
    if text is None:
        return written
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--as-of is {text!r}: write a day as in 2026-12-01, or an instant as in 2026-12-01T08:00:00Z.") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _format_of(file: BinaryIO) -> str:
    """A JSON object begins with a brace; no header of a table does."""
    head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    file.seek(0)
    return JSON_LINES if head.startswith((b"{", b"[")) or not head else CSV
