"""`amont hris import`: a CSV file to the inbound topic, as the same records that every other door gives. What is done with them is in `imports`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amont.common.cli import NO, err, out, print_json, say, table
from amont.common.cli.feeds import counted, findings_as_data, grades_from, grades_there, opened, place_in, say_findings, tenant_named
from amont.common.cli.hris.appending import log_at, say_who_reads, would_be_refused
from amont.common.cli.hris.imports import Import, Outcome, Wanted
from amont.common.cli.hris.subsidiaries import hold_known
from amont.common.cli.reading import AsOf, Dates, Delimiter, Encoding, HowToRead, Mapping, Most, as_of_said, written_at

if TYPE_CHECKING:
    from amont.common.feeds.csv import CsvFeed


def import_(
    file: Annotated[str, typer.Argument(help="CSV, its first row the names of the columns; - is standard input", metavar="FILE")],
    *,
    tenant: Annotated[str | None, typer.Option(callback=tenant_named, help="The subsidiary that the file belongs to", metavar="ID")] = None,
    mapping: Mapping = None,
    grades: Annotated[Path | None, typer.Option(help="Hold grades against this table before sending", metavar="FILE")] = None,
    dates: Dates = None,
    as_of: AsOf = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say everything, send nothing")] = False,
    all_or_nothing: Annotated[bool, typer.Option("--all-or-nothing", help="Send nothing when a line is bad")] = False,
    complete: Annotated[bool, typer.Option("--complete", help="Whoever is missing has left; needs --roster")] = False,
    roster: Annotated[Path | None, typer.Option(help="Who was in the last complete file; this command keeps it", metavar="FILE")] = None,
    leavers_up_to: Annotated[float, typer.Option(min=0, max=100, help="Share of leavers that needs no asking", metavar="PERCENT")] = 5,
    yes: Annotated[bool, typer.Option("--yes", help="So many leavers are right")] = False,
    data: Annotated[Path | None, typer.Option(help="The data folder of `amont up`, instead of AMONT_LOG_URL", metavar="DIR")] = None,
    most: Most = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Data instead of words")] = False,
) -> None:
    """Send the staff records of a CSV file to hris-staff. The same file, with its time of writing, as of the same day is the same events.

    Every bad line is named; the good ones are sent all the same. Exits with 0 when every line can be sent, 1 when one cannot, 2 for wrong usage, 3
    when the log cannot be reached.
    """
    from amont.common.feeds.checking import Checker  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.feeds.csv import NoHeader  # noqa: PLC0415
    from amont.common.feeds.findings import Tally  # noqa: PLC0415

    if complete != (roster is not None):
        raise typer.BadParameter("--complete and --roster FILE go together: the roster is how it is known who is missing")
    wanted = Wanted(dry_run=dry_run, all_or_nothing=all_or_nothing, roster=roster, leavers_up_to=leavers_up_to, yes=yes, shown=not as_json)
    there = grades_there(data)
    checker = Checker(grades=grades_from(grades), tenant=tenant, there=there)
    how, written = HowToRead(tenant=tenant, mapping=mapping, dates=dates, encoding=encoding, delimiter=delimiter), written_at(file)
    at = as_of_said(as_of, written)
    if at > (now := datetime.now(UTC)):
        say(
            err,
            f"{at:%Y-%m-%d %H:%M} UTC lies ahead: what the file does not date is true from then on, and is not seen before. Now it is {now:%Y-%m-%d %H:%M}.",
        )
    log = None if dry_run else log_at(data)
    hold_known(how.whose, there, lambda: log or log_at(data))
    tally, read_as = Tally(most), dict[str, Any]()
    with opened(file) as source:
        try:
            feed = how.as_csv(source, as_of=at, written=written)
        except NoHeader as error:
            tally.add(error.findings)
            outcome = Outcome(tally, why_not="the first row does not say what the columns are")
        else:
            read_as = _read_as(feed)
            if not as_json:
                _say_how(file, feed, at, dry_run=dry_run)
            outcome = Import(feed, source, checker, tally, wanted).run(log)
    if as_json:
        print_json({"dry_run": dry_run, **_as_data(outcome), **read_as})
    else:
        _say(file, outcome, dry_run=dry_run)
    if outcome.sent and not as_json and data is not None:
        say_who_reads(data)
    if outcome.why_not or tally.bad_lines:
        raise typer.Exit(NO)


def _say_how(file: str, feed: "CsvFeed", at: datetime, *, dry_run: bool) -> None:
    say(out, f"{file} is read as CSV in {feed.described}, as of {at:%Y-%m-%d %H:%M} UTC.")
    if dry_run:
        out.print(table(("field", "column"), [(name, feed.columns.header[place]) for name, place in feed.columns.places.items()]))
        out.print()


def _read_as(feed: "CsvFeed") -> dict[str, Any]:
    """How the file was read, for programs; `reads` is a word of it that shows whether a guess is right."""
    encoding = feed.encoding
    columns = {name: feed.columns.header[place] for name, place in feed.columns.places.items()}
    said = {"encoding": encoding.name, "guessed": encoding.guessed, "reads": encoding.reads or None}
    return {**said, "delimiter": feed.delimiter, "columns": columns}


def _as_data(outcome: Outcome) -> dict[str, Any]:
    counts = {"sent": outcome.sent, "leavers": outcome.leavers, "missing_still": outcome.still, "why_not": outcome.why_not}
    return {**counts, "topic": "hris-staff", "records": outcome.records, **findings_as_data(outcome.tally)}


def _say(file: str, outcome: Outcome, *, dry_run: bool) -> None:
    from amont.common.feeds.checking import NOT_THERE  # noqa: PLC0415 - heavy, and other commands need not wait for it

    tally = outcome.tally
    say_findings(place_in(file), tally)
    left_out = f"; {counted(tally.bad_lines, 'bad line')} left out" if tally.bad_lines else ""
    refused = would_be_refused(sum(tally.counts.get(kind, 0) for kind in NOT_THERE))
    gone = [f"{counted(outcome.leavers, 'leaver')} among them"] if outcome.leavers else []
    gone += [f"{counted(outcome.still, 'leaver')} of before said again"] if outcome.still else []
    leavers = "".join(f", {one}" for one in gone)
    if outcome.why_not:
        say(err, f"Nothing was sent: {outcome.why_not}.", style="red")
    elif dry_run:
        say(out, f"{counted(outcome.sent, 'staff record')} would be sent to hris-staff{leavers}{left_out}. {refused}Nothing was sent.")
    else:
        say(
            out,
            f"Sent {counted(outcome.sent, 'staff record')} to hris-staff{leavers}{left_out}. {refused}Enrolment reads them when it runs.",
        )
