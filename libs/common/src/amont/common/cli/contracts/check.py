"""`amont contracts check`: a feed held against the contracts, without sending anything and, but for a topic or a source, without any server."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from amont.common.cli import NO, out, print_json, say
from amont.common.cli.contracts.users import ScimFeed, scim_feed
from amont.common.cli.feeds import counted, findings_as_data, following, grades_from, opened, place_in, say_findings, tenant_named
from amont.common.cli.reading import Dates, Delimiter, Encoding, Format, HowToRead, Mapping, Most

if TYPE_CHECKING:
    from amont.common.feeds.lines import Entry
    from amont.common.feeds.looking import Look
    from amont.common.log import Received

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
    mapping: Mapping = None,
    dates: Dates = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    format_: Format = None,
    data: Annotated[Path | None, typer.Option(help="TOPIC: the data folder of `amont up`, instead of AMONT_LOG_URL", metavar="DIR")] = None,
    most: Most = 20,
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
    from amont.common.feeds.findings import Tally, found  # noqa: PLC0415
    from amont.common.feeds.looking import Look  # noqa: PLC0415

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
            how = HowToRead(tenant=tenant, mapping=mapping, dates=dates, encoding=encoding, delimiter=delimiter, format=format_)
            read_as = _look_at_file(file, look, how, shown=not as_json)
            if not look.records and not tally.total(Severity.ERROR):
                tally.add([found(0, "empty", "", "there is no record in it")])
        look.end()
        _say(name, read_as, look, place, as_json=as_json, placed=users is not None)
    if tally.total(Severity.ERROR) or (strict and tally.total(Severity.WARNING)):
        raise typer.Exit(NO)


def _look_at_users(users: ScimFeed, look: "Look") -> str:
    look.placed = users.placed
    for entry in users:
        look.take(entry)
    return "SCIM"


def _look_at_file(file: BinaryIO, look: "Look", how: HowToRead, *, shown: bool) -> str:
    from amont.common.feeds.csv import NoHeader  # noqa: PLC0415 - heavy, and other commands need not wait for it

    now = datetime.now(UTC)
    try:
        feed = how.feed(file, as_of=now, written=now)
    except NoHeader as error:
        look.tally.add(error.findings)
        return "CSV"
    look.placed = feed.placed
    look.tally.add(feed.findings)
    for entry in following(file, feed.entries, "Checking", shown=shown):
        look.take(entry)
    return feed.described


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
