"""`amont hris send`: JSON lines to the inbound topic, all of them or none unless told otherwise.

The file is read twice, once to look and once to send, so that one of any size takes the same memory.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from amont.common.cli import NO, USAGE, err, out, print_json, say, table, visible
from amont.common.cli.feeds import counted, following, grades_there, opened
from amont.common.cli.hris.appending import append, log_at, say_who_reads, would_be_refused
from amont.common.cli.hris.subsidiaries import Unknown, unknown_of

if TYPE_CHECKING:
    from amont.common.feeds.grades import Grades
    from amont.common.feeds.lines import Entry
    from amont.common.feeds.record import Line

MOST_NAMES = 20
"""Names of fields that are left out that are told; any others are not."""
MOST_LINES = 10
"""Lines that are told of each reason."""
MOST_TENANTS = 1_000
"""Subsidiaries of a file that are looked up; no group has as many."""
OTHERS = "other grades and subsidiaries"
"""Where more reasons than that are counted together."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that enrolment could not take, and why."""

    number: int
    why: str


@dataclass(slots=True)
class Looked:
    """What a file holds: the lines that are no records, whose people it is about, which subsidiaries of theirs there are not, the fields that are none of
    the contract's, why enrolment would refuse records as it is now, with the first lines of each, and what kinds of their contents are perhaps not what
    was meant, each by how many records it is.
    """

    bad: list[BadLine] = field(default_factory=list)
    tenants: set[str] = field(default_factory=set)
    unknown: Counter[str] = field(default_factory=Counter)
    unknown_lines: dict[str, list[int]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    refused_lines: dict[str, list[int]] = field(default_factory=dict)
    doubts: Counter[str] = field(default_factory=Counter)


def send(
    file: Annotated[str, typer.Argument(help="JSON lines, one staff record each; - is standard input", metavar="FILE")],
    *,
    data: Annotated[Path | None, typer.Option(help="The data folder of `amont up`, instead of AMONT_LOG_URL", metavar="DIR")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Send the good lines although there are bad ones")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Data instead of words")] = False,
) -> None:
    """Send staff records to hris-staff; `"left": true` in a record says that the person leaves. Sending a line twice is the same event twice.

    Every line is checked before anything is sent. Exits with 1 when a line is bad, and then sends nothing unless told to skip; and when there is none.
    Exits with 2 when a line is of a subsidiary that enrolment does not have, unless told to skip. Fields that a staff record does not
    have are left out and named.
    """
    log, there = log_at(data), grades_there(data)
    sent, unknown = 0, Unknown()
    with opened(file) as source:
        looked = look(source, there, shown=not as_json)
        if not looked.bad or skip_bad:
            unknown = unknown_of(looked.tenants, there, lambda: log)
            if unknown.tenants:
                looked = look(source, there, shown=not as_json, but=unknown.tenants)
            if not unknown.tenants or skip_bad:
                good = (line for _, line in lines(source, [], "Sending", shown=not as_json) if line.event.tenant not in unknown.tenants)
                sent = append(log, (line.record for line in good))
    _say(sent, looked, unknown, skip_bad=skip_bad, as_json=as_json)
    if sent and not as_json and data is not None:
        say_who_reads(data)
    if not sent:
        raise typer.Exit(USAGE if unknown.tenants and not skip_bad else NO)


def look(file: BinaryIO, there: "Grades | None", *, shown: bool, but: Collection[str] = ()) -> Looked:
    """Read every line and send none. `there` is the grade tables that enrolment has, where they are known; of `but`, subsidiaries that there are not, the
    lines are counted and no more.
    """
    from amont.common.feeds.checking import NOT_THERE, Checker  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.feeds.record import FIELDS  # noqa: PLC0415 - heavy, and other commands need not wait for it

    looked, checker = Looked(), Checker(there=there)
    for number, line in lines(file, looked.bad, "Checking", shown=shown):
        if (tenant := line.event.tenant) in but:
            looked.unknown[tenant] += 1
            if looked.unknown[tenant] <= MOST_LINES:
                looked.unknown_lines.setdefault(tenant, []).append(number)
            continue
        if len(looked.tenants) < MOST_TENANTS:
            looked.tenants.add(tenant)
        for name in line.given.keys() - FIELDS:
            if name in looked.left_out or len(looked.left_out) < MOST_NAMES:
                looked.left_out[name] = looked.left_out.get(name, 0) + 1
        doubts = set()
        for finding in checker.contents(number, line.event):
            if finding.is_error or finding.kind.name in NOT_THERE:
                why = finding.what if finding.what in looked.refused or len(looked.refused) < MOST_NAMES else OTHERS
                looked.refused[why] += 1
                if looked.refused[why] <= MOST_LINES:
                    looked.refused_lines.setdefault(why, []).append(number)
            else:
                doubts.add(finding.kind.name)
        looked.doubts.update(doubts)
    return looked


def lines(file: BinaryIO, bad: list[BadLine], verb: str, *, shown: bool) -> "Iterator[tuple[int, Line]]":
    """The lines that are records, each with its number, in their order; those that are none go to `bad`. Empty lines are passed over."""
    from amont.common.feeds.lines import json_lines  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.feeds.record import NotARecord, read_line  # noqa: PLC0415

    entry: Entry
    for entry in following(file, json_lines(file), verb, shown=shown):
        if entry.findings:
            bad.append(BadLine(entry.line, "; ".join(map(str, entry.findings))))
            continue
        try:
            line = read_line(entry.line, entry.value)
        except NotARecord as error:
            bad.append(BadLine(entry.line, str(error)))
        else:
            yield entry.line, line


def _say(sent: int, looked: Looked, unknown: Unknown, *, skip_bad: bool, as_json: bool) -> None:
    bad = looked.bad
    if as_json:
        whole = {"sent": sent, "topic": "hris-staff", "read_by": "enrolment", "left_out": looked.left_out, "refused": looked.refused}
        print_json(
            {
                **whole,
                "refused_lines": looked.refused_lines,
                "doubts": looked.doubts,
                "unknown": looked.unknown,
                "unknown_lines": looked.unknown_lines,
                "bad": [{"line": one.number, "why": one.why} for one in bad],
            }
        )
        return
    if bad:
        err.print(table(("line", "what is wrong"), [(one.number, one.why) for one in bad]))
    if bad and not skip_bad:
        say(err, f"Nothing was sent: {counted(len(bad), 'bad line')}. Mend them, or send the others with --skip-bad.", style="red")
        if bad[0].number == 1 and bad[0].why.startswith("not JSON"):
            say(err, "If it is a table, `amont hris import` takes CSV.")
        return
    if looked.unknown:
        _say_unknown(sent, looked, unknown)
    elif not sent:
        say(err, "Nothing was sent: there is no record in it. Look whether the export has worked.", style="red")
        return
    left_out = len(bad) + looked.unknown.total()
    skipped = f", {counted(left_out, 'bad line')} left out" if left_out else ""
    if sent:
        said = f"Sent {counted(sent, 'staff record')} to hris-staff{skipped}."
        say(out, f"{said} They are on the log, and enrolment reads them when it runs.")
    _say_contents(sent, looked)


def _say_unknown(sent: int, looked: Looked, unknown: Unknown) -> None:
    say(err, f"{'' if sent else 'Nothing was sent: '}{unknown}", style="red")
    for tenant, count in looked.unknown.most_common():
        say(err, f"  {counted(count, 'record')} ({_where(count, looked.unknown_lines[tenant])}): {tenant}", indent="  ")


def _say_contents(sent: int, looked: Looked) -> None:
    if looked.refused:
        say(out, would_be_refused(looked.refused.total()).strip() if sent else "Of the others enrolment would refuse some:")
        for why, count in looked.refused.most_common():
            say(out, f"  {counted(count, 'record')} ({_where(count, looked.refused_lines[why])}): {visible(why)}", indent="  ")
    if looked.left_out:
        names = ", ".join(f"{name} ({counted(count, 'record')})" for name, count in sorted(looked.left_out.items()))
        say(out, f"Left out, since a staff record has no such fields: {visible(names)}.")
    if looked.doubts:
        kinds = ", ".join(f"{kind} ({counted(count, 'record')})" for kind, count in sorted(looked.doubts.items()))
        say(out, f"Perhaps not what was meant: {kinds}. `amont contracts check FILE` names the lines, and says what becomes of them.")


def _where(count: int, first: list[int]) -> str:
    return f"line{'' if count == 1 else 's'} {', '.join(map(str, first))}{', …' if count > len(first) else ''}"
