"""`amont subsidiaries compare`: a file held against what enrolment has of a subsidiary's people, before anything is sent."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from amont.common.cli import NO, out, print_json, say, say_facts
from amont.common.cli.feeds import counted, findings_as_data, following, opened, place_in, say_findings
from amont.common.cli.reading import AsOf, Dates, Delimiter, Encoding, Format, HowToRead, Mapping, Most, as_of_said, written_at
from amont.enrolment.cli.place import AsJson, Data, done, operator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import BinaryIO

    from amont.common.cli.reading import Feed
    from amont.common.feeds.findings import Tally
    from amont.common.feeds.looking import Look
    from amont.common.feeds.record import Line
    from amont.enrolment.commands import Comparison
    from amont.enrolment.domain.subsidiary import Subsidiary


def compare(
    subsidiary: Annotated[str, typer.Argument(help="the subsidiary", metavar="ID")],
    file: Annotated[str, typer.Argument(help="JSON lines or CSV; - is standard input", metavar="FILE")],
    *,
    mapping: Mapping = None,
    dates: Dates = None,
    as_of: AsOf = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    format_: Format = None,
    complete: Annotated[bool, typer.Option("--complete", help="Whoever is missing has left")] = False,
    data: Data = None,
    most: Most = 20,
    as_json: AsJson = False,
) -> None:
    """Hold a staff file against what enrolment has: who is new, comes back, changes in what, leaves; and what happens to too many. Nothing is sent.

    Exits with 0 when nothing is wrong, 1 for a bad line or for what happens to so many that it happens to the file, 2 for wrong usage, 3 when the store
    cannot be reached.
    """
    from amont.common.feeds.across import Across  # noqa: PLC0415 - heavy, and help comes without it
    from amont.common.feeds.checking import Checker  # noqa: PLC0415
    from amont.common.feeds.findings import Tally, found  # noqa: PLC0415
    from amont.common.feeds.grades import EVERYBODY, Grades  # noqa: PLC0415
    from amont.common.feeds.looking import Look  # noqa: PLC0415
    from amont.enrolment import commands  # noqa: PLC0415

    grades = Grades({EVERYBODY: _there(subsidiary, data).grades})  # of somebody else's people it is enough to say whose they are
    checker = Checker(grades=grades, tenant=subsidiary)
    written, tally = written_at(file), Tally(most)
    how = HowToRead(tenant=subsidiary, mapping=mapping, dates=dates, encoding=encoding, delimiter=delimiter, format=format_)
    with opened(file) as source, Across() as across:
        feed = _feed(file, source, how, as_of_said(as_of, written), written)
        look = Look(checker, across, tally, feed.placed)
        lines = _lines(source, feed, look, shown=not as_json)
        comparison = done(
            data,
            commands.compare,
            subsidiary,
            operator(),
            lines,
            lambda: across.absent if complete and not look.why_not_complete() else None,
        )
    tally.add(feed.findings)
    tally.add(map(feed.placed, comparison.findings()))
    if not look.records:
        tally.add([found(0, "empty", "", "there is no record in it")])
    why_not = look.why_not_complete() if complete else None
    if as_json:
        print_json(
            {"file": file, "read_as": feed.described, "records": look.records, "why_not_complete": why_not, **_as_data(comparison, tally)}
        )
    else:
        _say(file, feed, look, comparison, why_not)
    if tally.bad_lines or not look.records or why_not or any(comparison.findings()):
        raise typer.Exit(NO)


def _there(subsidiary: str, data: Any) -> "Subsidiary":
    """Raises ValueError for a subsidiary that there is not: another one is meant."""
    from amont.common.errors import NotFound  # noqa: PLC0415 - heavy, and help comes without it
    from amont.enrolment import commands  # noqa: PLC0415

    try:
        return done(data, commands.subsidiary, subsidiary, operator())[0]
    except NotFound as error:
        raise ValueError(f"{error} `amont subsidiaries list` names those that there are.") from None


def _feed(name: str, source: "BinaryIO", how: HowToRead, as_of: "datetime", written: "datetime") -> "Feed":
    """Raises ValueError for a file whose first row does not name the columns."""
    from amont.common.feeds.csv import NoHeader  # noqa: PLC0415 - heavy, and help comes without it

    try:
        return how.feed(source, as_of=as_of, written=written)
    except NoHeader as error:
        raise ValueError(f"{name} is no table of staff records: {error}") from None


def _lines(source: "BinaryIO", feed: "Feed", look: "Look", *, shown: bool) -> "Iterator[Line]":
    for entry in following(source, feed.entries, "Comparing", shown=shown):
        line = look.take(entry)
        if line is not None:
            yield line


def _as_data(comparison: "Comparison", tally: "Tally") -> dict[str, Any]:
    from amont.enrolment.domain.comparing import Effect  # noqa: PLC0415 - heavy, and help comes without it

    one = comparison
    return {
        "subsidiary": one.subsidiary.id,
        "paused": one.subsidiary.paused is not None,
        "here": one.here,
        "people": one.people,
        **{effect.value: one.effects.get(effect, 0) for effect in Effect},
        "fields": dict(one.fields.most_common()),
        "ahead": one.ahead,
        "only_ahead": one.only_ahead,
        "returning": one.returning,
        "moved_here": one.moved_here,
        "moved_here_unknown": one.moved_here_unknown,
        "moved_away": one.moved_away,
        "missing": one.missing,
        "breaker": {"open": one.breaker_open, "leavers": one.missed, "may_leave": one.may_leave, "trips": one.trips},
        **findings_as_data(tally),
    }


def _say(file: str, feed: "Feed", look: "Look", comparison: "Comparison", why_not: str | None) -> None:
    one, tally = comparison, look.tally
    say_findings(place_in(file), tally)
    if tally.counts:
        out.print()
    left_out = f"; {counted(tally.bad_lines, 'bad line')} left out" if tally.bad_lines else ""
    say(
        out,
        f"{file}, {feed.described}: {counted(look.records, 'record')} about {counted(one.people, 'person', 'people')}{left_out}. "
        f"Enrolment has {counted(one.here, 'person', 'people')} who work in {one.subsidiary.id}.",
    )
    say_facts(out, _facts(one))
    if why_not:
        say(out, f"Nobody could be said to be missing: {why_not}.")
    if one.subsidiary.paused:
        say(out, "The feed is paused: whatever is sent is held until it is resumed.")
    say(out, "Nothing was sent.")


def _facts(one: "Comparison") -> "Iterator[tuple[str, str]]":
    """What there is of each kind; what nobody is, only where it is asked about."""
    from amont.enrolment.domain.comparing import Effect  # noqa: PLC0415 - heavy, and help comes without it

    effects = {effect: one.effects.get(effect, 0) for effect in Effect}
    fields = ", ".join(f"{name} ({count:,})" for name, count in one.fields.most_common())
    yield "new", f"{effects[Effect.NEW]:,}"
    yield "unchanged", f"{effects[Effect.UNCHANGED]:,}"
    yield "changed", f"{effects[Effect.CHANGED]:,}{f': {fields}' if fields else ''}"
    yield "leaving", f"{effects[Effect.LEAVING]:,}"
    if one.missing is not None:
        yield "missing", f"{one.missing:,}, who have left if the file is complete"
    if one.leavers:
        but = f" of {one.leavers:,} (nobody who came within the hour or whose day lies ahead)" if one.missed != one.leavers else ""
        yield "breaker", f"counts {one.missed:,}{but}, and {one.lets}{': it would hold the others' if one.trips else ''}"
    more = {
        "coming back": (effects[Effect.BACK], "have left, and come back under the same id"),
        "erased": (effects[Effect.ERASED], "were erased: their records are refused"),
        "older": (effects[Effect.OLDER], "have a newer record: the file's changes nothing"),
        "never here": (effects[Effect.GONE], "would leave of whom nobody has told us"),
        "returning": (one.returning, "would leave, and return by a newer record of the file: the breaker counts them"),
        "ahead": (one.ahead, f"have a record that lies ahead; {one.only_ahead:,} have no other: nothing changes before its day"),
        "moved here": (one.moved_here, f"say who they were elsewhere; {one.moved_here_unknown:,} of these ids nobody has told us of"),
        "moved away": (one.moved_away, "would leave, and are here in another subsidiary as that says"),
    }
    for name, (count, meaning) in more.items():
        if count:
            yield name, f"{count:,} {meaning}"
