"""`amont hris send`: JSON lines to the inbound topic, all of them or none unless told otherwise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from amont.common.cli import NO, err, out, print_json, say, table
from amont.common.cli.hris.appending import append, log_at, say_who_reads

if TYPE_CHECKING:
    from amont.common.log import Record


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that enrolment could not take, and why."""

    number: int
    why: str


def send(
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="JSON lines, one staff record each; - is standard input", metavar="FILE")],
    *,
    data: Annotated[Path | None, typer.Option(help="The data folder of `amont up`, instead of AMONT_LOG_URL", metavar="DIR")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Send the good lines although there are bad ones")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Data instead of words")] = False,
) -> None:
    """Send staff records to hris-staff; `"left": true` in a record says that the person leaves. Sending a line twice is the same event twice.

    Every line is checked before anything is sent. Exits with 1 when a line is bad, and then sends nothing unless told to skip.
    """
    log = log_at(data)
    records, bad = read_lines(file)
    sent = 0
    if not bad or skip_bad:
        sent = append(log, _shown(records, shown=err.is_terminal and not as_json))
    _say(sent, bad, skip_bad=skip_bad, as_json=as_json)
    if sent and not as_json and data is not None:
        say_who_reads(data)
    if bad and not skip_bad:
        raise typer.Exit(NO)


def read_lines(file: BinaryIO) -> tuple[list["Record"], list[BadLine]]:
    """The records that the lines are, in their order, and the lines that are none. Empty lines are passed over."""
    from amont.common.feeds.lines import json_lines  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.feeds.record import NotARecord, read_line  # noqa: PLC0415

    records: list[Record] = []
    bad: list[BadLine] = []
    for entry in json_lines(file):
        if entry.findings:
            bad.append(BadLine(entry.line, "; ".join(map(str, entry.findings))))
            continue
        try:
            records.append(read_line(entry.line, entry.value).record)
        except NotARecord as error:
            bad.append(BadLine(entry.line, str(error)))
    return records, bad


def _shown(records: Sequence["Record"], *, shown: bool) -> Iterator["Record"]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("Sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not shown) as progress:
        yield from progress.track(records)


def _say(sent: int, bad: Sequence[BadLine], *, skip_bad: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {"sent": sent, "topic": "hris-staff", "read_by": "enrolment", "bad": [{"line": one.number, "why": one.why} for one in bad]}
        )
        return
    if bad:
        err.print(table(("line", "what is wrong"), [(one.number, one.why) for one in bad]))
    if bad and not skip_bad:
        say(err, f"Nothing was sent: {_counted(len(bad), 'bad line')}. Mend them, or send the others with --skip-bad.", style="red")
        return
    skipped = f", {_counted(len(bad), 'bad line')} left out" if bad else ""
    say(out, f"Sent {_counted(sent, 'staff record')} to hris-staff{skipped}. They are on the log, and enrolment reads them when it runs.")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
