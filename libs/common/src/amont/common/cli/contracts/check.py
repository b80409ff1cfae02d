"""`amont contracts check`: a feed held against the contracts, without sending anything and, but for a topic or a source, without any server."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from amont.common.cli import NO, as_usage, out, print_json, say
from amont.common.cli.contracts.users import ScimFeed, scim_feed
from amont.common.cli.feeds import (
    counted,
    findings_as_data,
    following,
    grades_from,
    mapping_from,
    opened,
    place_in,
    say_findings,
    tenant_named,
)

if TYPE_CHECKING:
    from amont.common.feeds.csv import CsvFeed
    from amont.common.feeds.lines import Entry
    from amont.common.feeds.looking import Look
    from amont.common.log import Received

JSON_LINES, CSV = "jsonl", "csv"
PARTITION = 10**12
"""A record of a topic has its partition and offset in one number, so that records of one key are in order."""


def check(
    feed: Annotated[
        str | None, typer.Argument(help="JSON lines or CSV (- is standard input), or hris-staff", metavar="FILE|TOPIC|-")
    ] = None,
    *,
    scim: Annotated[str | None, typer.Option(help="A SCIM 2.0 source instead: the address that ends before /Users", metavar="URL")] = None,
    token: Annotated[str | None, typer.Option(envvar="SCIM_TOKEN", show_envvar=True, help="SCIM: its bearer token")] = None,
    tenant: Annotated[str | None, typer.Option(callback=tenant_named, help="The subsidiary that the feed belongs to", metavar="ID")] = None,
    grades: Annotated[Path | None, typer.Option(help="Grade table: CSV with grade,band and perhaps tenant", metavar="FILE")] = None,
    mapping: Annotated[Path | None, typer.Option(help="CSV: which column is which field (TOML)", metavar="FILE")] = None,
    dates: Annotated[str | None, typer.Option(help="CSV: dmy or mdy, where days have slashes", metavar="ORDER")] = None,
    encoding: Annotated[str | None, typer.Option(help="CSV: instead of what the bytes look like", metavar="NAME")] = None,
    delimiter: Annotated[str | None, typer.Option(help="CSV: instead of what the header looks like", metavar="CHAR")] = None,
    format_: Annotated[str | None, typer.Option("--format", help="jsonl or csv, instead of what the file looks like")] = None,
    data: Annotated[Path | None, typer.Option(help="TOPIC: the data folder of `amont up`, instead of AMONT_LOG_URL", metavar="DIR")] = None,
    most: Annotated[int, typer.Option(min=1, help="How many of each kind are listed; all are counted")] = 20,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings, too")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Data instead of words")] = False,
) -> None:
    """Hold a staff feed against the contracts: what is wrong, where, and what to do. Nothing is sent.

    Exits with 0 when every record can be taken, 1 when one cannot, 2 for wrong usage, 3 when a topic or a source cannot be read to its end.
    """
    from amont.common.events.hris import StaffFact  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.feeds import Severity  # noqa: PLC0415
    from amont.common.feeds.across import Across  # noqa: PLC0415
    from amont.common.feeds.checking import Checker  # noqa: PLC0415
    from amont.common.feeds.csv import CsvFeed  # noqa: PLC0415
    from amont.common.feeds.findings import Tally, found  # noqa: PLC0415
    from amont.common.feeds.looking import Look  # noqa: PLC0415

    if format_ not in {None, JSON_LINES, CSV}:
        raise typer.BadParameter(f"--format is {format_!r}: write {JSON_LINES} or {CSV}")
    if (feed is None) == (scim is None):
        raise typer.BadParameter("say what to check: FILE, TOPIC, - or --scim URL, and one of them")
    checker, tally = Checker(grades=grades_from(grades), tenant=tenant), Tally(most)
    with ExitStack() as stack:
        users = stack.enter_context(scim_feed(scim, token, tenant, shown=not as_json)) if scim is not None else None
        name = str(feed or scim)
        on_topic = users is None and name == StaffFact.topic and not Path(name).exists()
        place = users.place if users else _place_on(name) if on_topic else place_in(name)
        look = Look(checker, stack.enter_context(Across(place) if users or on_topic else Across()), tally)
        if users:
            read_as = _look_at_users(users, look)
        elif on_topic:
            read_as = asyncio.run(_look_at_topic(name, data, look))
        else:
            file = stack.enter_context(opened(name))
            if (format_ or _format_of(file)) == JSON_LINES:
                read_as = _look_at_lines(file, look, shown=not as_json)
            else:
                read = partial(CsvFeed, mapping=mapping_from(mapping, dates), encoding=encoding, delimiter=delimiter, tenant=tenant)
                read_as = _look_at_csv(file, look, read, shown=not as_json)
            if not look.records and not tally.total(Severity.ERROR):
                tally.add([found(0, "empty", "", "there is no record in it")])
        look.end()
        _say(name, read_as, look, place, as_json=as_json, placed=users is not None)
    if tally.total(Severity.ERROR) or (strict and tally.total(Severity.WARNING)):
        raise typer.Exit(NO)


def _format_of(file: BinaryIO) -> str:
    """A JSON object begins with a brace; no header of a table does."""
    head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    file.seek(0)
    return JSON_LINES if head.startswith((b"{", b"[")) or not head else CSV


def _look_at_users(users: ScimFeed, look: "Look") -> str:
    look.placed = users.placed
    for entry in users:
        look.take(entry)
    return "SCIM"


def _look_at_lines(file: BinaryIO, look: "Look", *, shown: bool) -> str:
    from amont.common.feeds.lines import json_lines  # noqa: PLC0415 - heavy, and other commands need not wait for it

    for entry in following(file, json_lines(file), "Checking", shown=shown):
        look.take(entry)
    return "JSON lines"


def _look_at_csv(file: BinaryIO, look: "Look", read: "Callable[..., CsvFeed]", *, shown: bool) -> str:
    from amont.common.feeds.csv import NoHeader  # noqa: PLC0415 - heavy, and other commands need not wait for it

    now = datetime.now(UTC)
    try:
        with as_usage():
            feed = read(file, as_of=now, written=now)
    except NoHeader as error:
        look.tally.add(error.findings)
        return "CSV"
    look.placed = feed.placed
    look.tally.add(feed.columns.findings)
    for entry in following(file, feed, "Checking", shown=shown):
        look.take(entry)
    return f"CSV in {feed.described}"


def _place_on(topic: str) -> Callable[[int], str]:
    return lambda number: f"{topic}/{number // PARTITION}:{number % PARTITION}"


async def _look_at_topic(topic: str, data: Path | None, look: "Look") -> str:
    from amont.common.cli.hris.appending import log_at  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.log.scan import scan  # noqa: PLC0415

    async for record in scan(log_at(data), topic):
        if record.value is not None:
            look.take(_entry_of(record, record.value))
    return "CloudEvents"


def _entry_of(record: "Received", value: bytes) -> "Entry":
    """A record of a topic as an entry; what its payload gets wrong is the checker's to say, as it is for a file."""
    from amont.common.errors import Unreadable  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.events.envelope import Envelope  # noqa: PLC0415
    from amont.common.events.hris import StaffLeft, StaffRecorded  # noqa: PLC0415
    from amont.common.feeds.findings import found  # noqa: PLC0415
    from amont.common.feeds.lines import Entry  # noqa: PLC0415
    from amont.common.service.reading import read  # noqa: PLC0415

    number = record.partition * PARTITION + record.offset
    try:
        read(record, record.topic)
    except Unreadable as error:
        if error.reason != "invalid-payload":
            return Entry(number, b"", (found(number, "bad-envelope", "", str(error)),))
    left = Envelope.parse(record.headers, key="").type == StaffLeft.type_name()
    return Entry(number, value, kind=StaffLeft if left else StaffRecorded)


def _say(feed: str, read_as: str, look: "Look", place: Callable[[int], str], *, as_json: bool, placed: bool) -> None:
    """`placed` when programs, too, are told the place: the number of a user in an answer finds nobody again."""
    from amont.common.feeds import Severity  # noqa: PLC0415 - heavy, and other commands need not wait for it

    tally = look.tally
    people, tenants = look.across.people()
    if as_json:
        counts = {"feed": feed, "read_as": read_as, "records": look.records, "people": people, "subsidiaries": tenants}
        print_json({**counts, **findings_as_data(tally, place if placed else None)})
        return
    say_findings(place, tally)
    errors, warnings = tally.total(Severity.ERROR), tally.total(Severity.WARNING)
    whose = f"{counted(people, 'person', 'people')} of {counted(tenants, 'subsidiary', 'subsidiaries')}"
    found = f"{counted(errors, 'error')} in {counted(tally.bad_lines, 'record')}, {counted(warnings, 'warning')}"
    say(out, f"{feed}, {read_as}: {counted(look.records, 'record')} about {whose}; {found}. Nothing was sent.")
