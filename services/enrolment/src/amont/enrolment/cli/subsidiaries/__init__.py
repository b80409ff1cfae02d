"""`amont subsidiaries`: a subsidiary plugs in, changes, goes. Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 something unreachable."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from amont.common.cli import command_line, out, print_json, say, say_command
from amont.common.cli.feeds import grades_from
from amont.enrolment.cli.place import AsJson, Data, Yes, agreed, done, operator, words
from amont.enrolment.cli.subsidiaries import comparing, feeds, tokens

Id = Annotated[str, typer.Argument(help="the subsidiary: 1 to 32 of a-z, 0-9 and the hyphen", metavar="ID")]
Holidays = Annotated[
    str | None, typer.Option(help="Its holiday calendar: a country or a country and its part, FR or DE-BY", metavar="CODE")
]
Share = Annotated[
    float | None,
    typer.Option("--leaver-share", help="The share of leavers within an hour above which they are held, 0 to 1; 0.05 at first"),
]
Coordinators = Annotated[
    list[str] | None, typer.Option("--coordinator", help="Whom its people may turn to; several times", metavar="PERSON")
]
SenderName = Annotated[str | None, typer.Option(help="Whom its people's mails come from, in words", metavar="NAME")]
Principal = Annotated[
    str | None, typer.Option("--kafka-principal", help="As whom its feed writes to the inbound topic, User:hris-fr", metavar="USER")
]
GradesFile = Annotated[Path, typer.Option("--grades", help="Its grade table: CSV with grade,band", metavar="FILE")]

MOST_CODES = 20
"""How many codes of a grade table a sentence names."""

app = typer.Typer(no_args_is_help=True)
app.command("compare")(comparing.compare)
for _name, _command in feeds.COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(tokens.app, name="token", help="The bearer tokens of a subsidiary's SCIM feed.")


@app.command("add")
def add(
    subsidiary: Id,
    *,
    name: Annotated[str, typer.Option(help="What people call it")],
    zone: Annotated[str, typer.Option(help="Its time zone, for records that have none: Europe/Paris")],
    languages: Annotated[str, typer.Option(help="Its languages, for records that have none: fr,en", metavar="TAGS")],
    grades: GradesFile,
    holidays: Holidays = None,
    leaver_share: Share = None,
    coordinator: Coordinators = None,
    sender_name: SenderName = None,
    kafka_principal: Principal = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Add a subsidiary with its grade table; the same again changes nothing. Every fault of the table is listed with its line."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    given = {"name": name, "zone": zone, "languages": words(languages), "grades": _table(grades, subsidiary)}
    more = _given(
        holidays=holidays, leaver_share=leaver_share, coordinators=coordinator, sender_name=sender_name, kafka_principal=kafka_principal
    )
    one, version = done(data, commands.add_subsidiary, subsidiary, operator(), **given, **more)
    _tell(one, version, f"{subsidiary} is there, with {len(one.grades)} grade codes.", as_json=as_json)
    if not as_json:
        say(out, "Give its feed a token for SCIM with:")
        say_command(out, command_line("subsidiaries", "token", "new", subsidiary, data=data))


@app.command("change")
def change(
    subsidiary: Id,
    *,
    name: Annotated[str | None, typer.Option(help="What people call it")] = None,
    zone: Annotated[str | None, typer.Option(help="Its time zone, for records that have none")] = None,
    languages: Annotated[str | None, typer.Option(help="Its languages, for records that have none: fr,en", metavar="TAGS")] = None,
    grades: Annotated[
        Path | None, typer.Option(help="Another grade table in place of the present one: CSV with grade,band", metavar="FILE")
    ] = None,
    holidays: Holidays = None,
    leaver_share: Share = None,
    coordinator: Coordinators = None,
    sender_name: SenderName = None,
    kafka_principal: Principal = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given and leave the rest as it is; an empty text, as in --holidays '', takes back what may be missing.

    A changed zone or grade table holds for the records that arrive from then on.
    """
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    given = _given_or_taken_back(
        name=name,
        zone=zone,
        languages=words(languages) if languages is not None else None,
        grades=_table(grades, subsidiary) if grades is not None else None,
        holidays=holidays,
        leaver_share=leaver_share,
        coordinators=coordinator,
        sender_name=sender_name,
        kafka_principal=kafka_principal,
    )
    if not given:
        raise typer.BadParameter("say what to change: --name, --grades, …")
    before = done(data, commands.subsidiary, subsidiary, operator())[0].grades if grades is not None else {}
    one, version = done(data, commands.change_subsidiary, subsidiary, operator(), None, **given)
    _tell(one, version, f"{subsidiary} is changed{_of_the_table(before, one.grades) if grades is not None else ''}.", as_json=as_json)


@app.command("show")
def show(
    subsidiary: Id,
    *,
    grades: Annotated[
        bool, typer.Option("--grades", help="Only its grade table: CSV for `amont contracts check --grades`, or data with --json")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show a subsidiary: its data, its feed's tokens without their text, and what its Kafka principal needs."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it
    from amont.enrolment.cli.subsidiaries import showing  # noqa: PLC0415

    one, version = done(data, commands.subsidiary, subsidiary, operator())
    if grades and as_json:
        print_json({"subsidiary": one.id, "grades": one.grades})
        return
    if grades:
        showing.print_grades(one)
        return
    listed, feed = done(data, commands.tokens, subsidiary, operator()), done(data, commands.feed_state, subsidiary, operator())
    if as_json:
        state = {"paused": feed.paused is not None, "breaker_open": feed.tripped_at is not None}
        print_json({**showing.as_data(one, version), **state, "tokens": [showing.token_as_data(token) for token in listed]})
    else:
        showing.print_one(one, listed, feed)


@app.command("list")
def list_all(*, data: Data = None, as_json: AsJson = False) -> None:
    """List the subsidiaries that there are."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it
    from amont.enrolment.cli.subsidiaries import showing  # noqa: PLC0415

    found: list[Any] = []
    while page := done(data, commands.subsidiaries, operator(), (found[-1][0].id,) if found else None, 200):
        found += page
    if as_json:
        print_json([showing.as_data(*one) for one in found])
    else:
        showing.print_list([one for one, _ in found])


@app.command("remove")
def remove(
    subsidiary: Id,
    *,
    yes: Yes = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Remove a subsidiary that has no people any more and takes part in nothing; its feed's tokens are revoked."""
    from amont.enrolment import commands  # noqa: PLC0415 - heavy, and help comes without it

    if not agreed(f"Remove {subsidiary} with its grade table and its feed's tokens?", yes=yes):
        raise typer.Exit(1)
    done(data, commands.remove_subsidiary, subsidiary, operator())
    if as_json:
        print_json({"subsidiary": subsidiary, "removed": True})
    else:
        say(out, f"{subsidiary} is removed.")


def _tell(one: Any, version: int, sentence: str, *, as_json: bool) -> None:
    from amont.enrolment.cli.subsidiaries import showing  # noqa: PLC0415

    if as_json:
        print_json(showing.as_data(one, version))
        return
    say(out, sentence)
    showing.print_acl(one)


def _of_the_table(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    """What another grade table brings and takes, as it is put in the place of the whole one."""
    changes = {
        "new": sorted(after.keys() - before.keys()),
        "in another band": sorted(code for code in after.keys() & before.keys() if after[code] != before[code]),
        "gone, and refused from now on": sorted(before.keys() - after.keys()),
    }
    said = "".join(
        f"; {what}: {', '.join(codes[:MOST_CODES])}{' …' if len(codes) > MOST_CODES else ''}" for what, codes in changes.items() if codes
    )
    return f", with {len(after)} grade codes{said}"


def _table(path: Path, subsidiary: str) -> dict[str, int]:
    grades = grades_from(path)
    return grades.table_of(subsidiary) if grades else {}


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None and value != []}


def _given_or_taken_back(**options: Any) -> dict[str, Any]:
    """The same; of what may be missing an empty text is nothing."""
    given = _given(**options)
    given |= {name: None for name in ("holidays", "sender_name", "kafka_principal") if given.get(name) == ""}
    return given | ({"coordinators": []} if given.get("coordinators") == [""] else {})
