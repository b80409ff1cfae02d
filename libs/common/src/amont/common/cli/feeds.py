"""What the commands that read staff feeds share: opening a file or standard input, a bar that follows the bytes, and telling what was found."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import typer

from amont.common.cli import as_usage, err, on_one_line, out, say, table

if TYPE_CHECKING:
    from amont.common.feeds.csv.mapping import MappingFile
    from amont.common.feeds.findings import Tally
    from amont.common.feeds.grades import Grades

STDIN = "-"
EVERY = 2_000
"""Records between two movements of the bar."""


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """A file that can be read from its beginning as often as need be; standard input is laid down on disk first. Raises ValueError."""
    if name == STDIN:
        with tempfile.TemporaryFile() as file:
            shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
            file.seek(0)
            yield file
        return
    try:
        found: BinaryIO = Path(name).open("rb")  # noqa: SIM115 - closed below; only opening it may fail with a sentence
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror or error}.") from None
    with found:
        yield found


def read_text(path: Path) -> str:
    """A small file of words. Raises ValueError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def tenant_named(text: str | None) -> str | None:
    """The subsidiary that an option names. Raises BadParameter for what can be no subsidiary's id."""
    from amont.common.events.words import is_tenant  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.feeds.record import EXPECTED  # noqa: PLC0415

    if text is not None and not is_tenant(text):
        raise typer.BadParameter(f"{text[:40]!r} can be no subsidiary's id: write {EXPECTED['tenant']}")
    return text


@as_usage()
def grades_from(path: Path | None) -> "Grades | None":
    """The grade table of a file. Raises ValueError; ends the command with every fault."""
    from amont.common.feeds.grades import read_grades, sheet_of_grades  # noqa: PLC0415 - heavy, and other commands need not wait for it

    if path is None:
        return None
    with opened(str(path)) as file:
        sheet = sheet_of_grades(file)
        if sheet.encoding.guessed:
            say(err, f"{path} is not UTF-8: it is taken for {sheet.encoding.name}, a guess{sheet.encoding.for_example}.")
        return read_grades(sheet)


def grades_there(data: Path | None) -> "Grades | None":
    """The grade tables that enrolment has (entry points `amont.grades`); None where it is not installed, or its store is not at hand."""
    from amont.common.feeds.grades import Grades  # noqa: PLC0415 - heavy, and other commands need not wait for it

    for point in entry_points(group="amont.grades"):
        tables = point.load()(data)
        return None if tables is None else Grades(tables)
    return None


@as_usage()
def mapping_from(path: Path | None, dates: str | None, tenant: str | None) -> "MappingFile":
    """What somebody said about the columns; `dates` on the command line wins, and `tenant` must not contradict.

    Raises ValueError; ends the command with every fault.
    """
    from dataclasses import replace  # noqa: PLC0415

    from amont.common.feeds.csv.mapping import DATES, MappingFile, read_mapping  # noqa: PLC0415

    if dates is not None and dates not in DATES:
        raise ValueError(f"--dates is {dates!r}: write dmy for 31/12/2026 or mdy for 12/31/2026.")
    mapping = MappingFile() if path is None else read_mapping(read_text(path))
    whose = mapping.constants.get("tenant")
    if tenant and whose and whose != tenant:
        raise ValueError(
            f"--tenant is {tenant!r}, and {path} says tenant = {whose[:40]!r} under [constants]: leave out the one that is wrong."
        )
    return replace(mapping, dates=dates or mapping.dates)


def following(file: BinaryIO, entries: Iterable[Any], verb: str, *, shown: bool) -> Iterator[Any]:
    """The entries of a file, with a bar on a terminal and nothing elsewhere."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    size = file.seek(0, 2)
    file.seek(0)
    columns = (TextColumn(verb), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not (shown and err.is_terminal)) as bar:
        task = bar.add_task("", total=size)
        for number, entry in enumerate(entries):
            if number % EVERY == 0:
                bar.update(task, completed=file.tell())
            yield entry


def say_findings(place: Callable[[int], str], tally: "Tally") -> None:
    """What was found, by line, then how often each kind was and what to do about it."""
    from amont.common.feeds import KINDS, Severity  # noqa: PLC0415

    for one in sorted((one for kept in tally.kept.values() for one in kept), key=lambda one: (one.line, not one.is_error)):
        style = "red" if one.is_error else ""
        say(out, on_one_line(f"{place(one.line)}: {one}"), style=style, indent="  ")
    if tally.counts:
        counted = sorted(tally.counts.items(), key=lambda pair: (KINDS[pair[0]].severity is not Severity.ERROR, -pair[1]))
        out.print()
        out.print(table(("kind", "found", "what to do"), [(kind, f"{count:,}", KINDS[kind].do) for kind, count in counted]))
        hidden = sum(tally.counts.values()) - sum(map(len, tally.kept.values()))
        if hidden:
            say(out, f"{hidden:,} more are counted and not listed: --most {max(tally.counts.values())} lists them all.")


def place_in(name: str) -> Callable[[int], str]:
    """Where a line of a file is, as compilers write it; line 0 is the whole file."""
    return lambda line: f"{name}:{line}" if line else name


def findings_as_data(tally: "Tally", place: Callable[[int], str] | None = None) -> dict[str, Any]:
    """The same for programs; with the `place` of each, where its line alone does not say what it is about."""
    from amont.common.feeds import KINDS, Severity  # noqa: PLC0415

    return {
        "errors": tally.total(Severity.ERROR),
        "warnings": tally.total(Severity.WARNING),
        "bad_lines": tally.bad_lines,
        "kinds": [
            {"kind": name, "severity": KINDS[name].severity, "found": count, "do": KINDS[name].do} for name, count in tally.counts.items()
        ],
        "findings": [
            {
                "line": one.line,
                **({"place": place(one.line)} if place else {}),
                "kind": one.kind.name,
                "severity": one.kind.severity,
                "where": one.where,
                "what": one.what,
            }
            for kept in tally.kept.values()
            for one in kept
        ],
    }


def counted(count: int, thing: str, things: str | None = None) -> str:
    """A number and what it counts."""
    return f"{count:,} {thing if count == 1 else things or f'{thing}s'}"
