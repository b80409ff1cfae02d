"""`amont dlq`: dead letters for people. It works on the services' stores; replaying is done by the services themselves, which it waits for.

Exit codes: 0 done, 1 the answer is no (no such letter, refused, refused again), 2 wrong usage, 3 something unreachable, or no service that does it.
"""

import asyncio
import getpass
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from amont.common.cli import NO, err, out, print_json

if TYPE_CHECKING:
    from amont.common.cli.dlq.stores import Place
    from amont.common.service.letters.commands import Chosen

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)


def instant(text: str) -> datetime:
    """An instant or a day as people write them; UTC unless it has an offset. Raises BadParameter."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no instant: write 2027-01-04 or 2027-01-04T08:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class State(StrEnum):
    """What `--status` takes: where a letter stands, or a group of these."""

    UNRESOLVED = "unresolved"
    OPEN = "open"
    REPLAYING = "replaying"
    REPLAYED = "replayed"
    DROPPED = "dropped"
    ALL = "all"


Id = Annotated[str, typer.Argument(help="a letter's id, as `amont dlq list` shows it", metavar="LETTER")]
MaybeId = Annotated[str | None, typer.Argument(help="a letter's id; without it, those that the options choose", metavar="LETTER")]
OfService = Annotated[str | None, typer.Option("--service", help="enrolment, matching, scheduling or notifications; all when left out")]
Data = Annotated[Path | None, typer.Option(help="The data folder of `amont up`, instead of AMONT_STORE_URL")]
Reason = Annotated[str | None, typer.Option(help="Only those parked for this reason")]
Tenant = Annotated[str | None, typer.Option(help="Only those of this subsidiary")]
Key = Annotated[str | None, typer.Option(help="Only those of this key, for instance fr:e42")]
Topic = Annotated[str | None, typer.Option(help="Only those of this topic")]
Since = Annotated[
    datetime | None, typer.Option(parser=instant, metavar="TIME", help="Only those parked then or later; UTC unless it has an offset")
]
Until = Annotated[datetime | None, typer.Option(parser=instant, metavar="TIME", help="Only those parked then or before")]
Every = Annotated[bool, typer.Option("--all", help="All that are unresolved")]
Who = Annotated[str, typer.Option(help="Who does it, for the letter's history", default_factory=getpass.getuser, show_default="you")]
Why = Annotated[str, typer.Option(help="Why, for the letter's history")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done")]
AsJson = Annotated[bool, typer.Option("--json", help="Data instead of words")]


@app.command("list")
def list_letters(
    *,
    service: OfService = None,
    reason: Reason = None,
    tenant: Tenant = None,
    key: Key = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    status: Annotated[State, typer.Option(help="Where they stand")] = State.UNRESOLVED,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each service")] = 100,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters in the order in which they were parked: where each stands, and why. Ids only."""
    from amont.common.cli.dlq import showing  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.service.letters import commands  # noqa: PLC0415

    chosen = _chosen(reason, tenant, key, topic, since, until, status)

    async def look(found: "Sequence[Place]") -> list[tuple[str, Any]]:
        listed: list[tuple[str, Any]] = []
        for place in found:
            mine: list[Any] = []
            while len(mine) < limit and (page := await place.run(commands.page, chosen, mine[-1].order if mine else None)):
                mine += [letter for letter, _ in page]
            listed += [(place.service, letter) for letter in mine[:limit]]
        return listed

    listed = _do(service, data, look)
    if as_json:
        print_json([showing.line(name, letter) for name, letter in listed])
    else:
        showing.print_list(listed)


@app.command("show")
def show(letter: Id, *, service: OfService = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show one with what it says and everything that happened to it. It may hold names and addresses: mind who looks over your shoulder."""
    from amont.common.cli.dlq import showing, stores  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.service.letters import commands  # noqa: PLC0415

    async def look(found: "Sequence[Place]") -> tuple[str, Any]:
        place = await stores.holder(found, letter)
        return place.service, (await place.run(commands.one, letter))[0]

    name, found = _do(service, data, look)
    if as_json:
        print_json(showing.whole(name, found))
    else:
        showing.print_whole(name, found)


@app.command("edit")
def edit(
    letter: Id,
    *,
    why: Why,
    value: Annotated[typer.FileBinaryRead | None, typer.Option(help="A file with the new value; - is standard input")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help='One field: POINTER=JSON, for instance /grade="C3"', metavar="CHANGE")
    ] = None,
    header: Annotated[list[str] | None, typer.Option(help="One header: NAME=VALUE; NAME= takes it away", metavar="CHANGE")] = None,
    who: Who,
    service: OfService = None,
    data: Data = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Have an open letter say something else. It must be readable then, and the same event; what came is kept beside it. Replay it afterwards."""
    from amont.common.cli.dlq import editing, showing, stores  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.service.letters import commands  # noqa: PLC0415

    if value is not None and sets:
        raise typer.BadParameter("--value and --set exclude each other")
    if value is None and not sets and not header:
        raise typer.BadParameter("say what to change: --value, --set or --header")
    headers = editing.headers_of(header or ())
    given = value.read() if value is not None else None

    async def change(found: "Sequence[Place]") -> tuple[str, Any]:
        place = await stores.holder(found, letter)
        before, _ = await place.run(commands.one, letter)
        said = editing.with_fields(before.content.raw_value, sets) if sets else given
        do = place.dry_run if dry_run else place.run
        after, _ = await do(commands.edit, letter, who, why, value=said, headers=headers)
        return place.service, after

    name, after = _do(service, data, change)
    if as_json:
        print_json({"done": not dry_run, **showing.line(name, after)})
    elif dry_run:
        out.print("It could be read and is the same event. Nothing was changed.")
    else:
        out.print(f"Edited {letter}. Replay it with: amont dlq replay {letter}")


@app.command("replay")
def replay(
    letter: MaybeId = None,
    *,
    service: OfService = None,
    reason: Reason = None,
    tenant: Tenant = None,
    key: Key = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    every: Every = False,
    who: Who,
    why: Annotated[str | None, typer.Option(help="Why, for the letter's history")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds without anything happening after which to wait no more; 0 only asks")] = 15.0,
    data: Data = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Have letters taken up again by the services, each key in its original order. What waits behind them follows by itself.

    Exits with 1 when one is refused again, with 3 when no service does it.
    """
    from amont.common.cli.dlq import replaying  # noqa: PLC0415 - heavy, and other commands need not wait for it

    chosen = _which(letter, _chosen(reason, tenant, key, topic, since, until, State.UNRESOLVED), every=every)
    shown = err.is_terminal and not as_json

    async def do(found: "Sequence[Place]") -> replaying.Outcome:
        return await replaying.replay(found, letter, chosen, who, why, patience=wait, dry_run=dry_run, shown=shown)

    outcome = _do(service, data, do)
    if as_json:
        print_json(outcome.data())
    else:
        outcome.print()
    if outcome.code:
        raise typer.Exit(outcome.code)


@app.command("drop")
def drop(
    letter: MaybeId = None,
    *,
    why: Why,
    service: OfService = None,
    reason: Reason = None,
    tenant: Tenant = None,
    key: Key = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    every: Every = False,
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    data: Data = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give open letters up. What waits behind them goes on; a letter that only waits is dropped when it is named or chosen by its reason."""
    from amont.common.cli.dlq import dropping  # noqa: PLC0415 - heavy, and other commands need not wait for it

    chosen = _which(letter, _chosen(reason, tenant, key, topic, since, until, State.OPEN), every=every)

    def sure(count: int) -> bool:
        if yes or dry_run:
            return True
        if not err.is_terminal:
            raise typer.BadParameter("--yes is needed where nobody can be asked")
        return typer.confirm(f"Drop {count} dead letter{'' if count == 1 else 's'} for good?", err=True)

    async def do(found: "Sequence[Place]") -> list[tuple[str, Any]]:
        return await dropping.drop(found, letter, chosen, who, why, sure=sure, dry_run=dry_run)

    dropped = _do(service, data, do)
    if as_json:
        print_json({"done": not dry_run, "dropped": [{"service": name, "letter": id_} for name, id_ in dropped]})
    else:
        out.print(f"{'Would drop' if dry_run else 'Dropped'} {len(dropped)}.")


def _chosen(
    reason: str | None,
    tenant: str | None,
    key: str | None,
    topic: str | None,
    since: datetime | None,
    until: datetime | None,
    status: State,
) -> "Chosen":
    from amont.common.service.letters.commands import Chosen  # noqa: PLC0415
    from amont.common.service.letters.letter import UNRESOLVED, Status  # noqa: PLC0415

    groups: dict[State, tuple[Status, ...]] = {State.UNRESOLVED: UNRESOLVED, State.ALL: ()}
    statuses = groups[status] if status in groups else (Status(status),)
    return Chosen(reason=reason, tenant=tenant, key=key, topic=topic, since=since, until=until, statuses=statuses)


def _which(letter: str | None, chosen: "Chosen", *, every: bool) -> "Chosen":
    """One letter, those that the options choose, or all, and nothing by accident."""
    options = any(value is not None for value in (chosen.reason, chosen.tenant, chosen.key, chosen.topic, chosen.since, chosen.until))
    if sum((letter is not None, options, every)) != 1:
        raise typer.BadParameter("say which: one LETTER, or options that choose (--key, --reason, …), or --all")
    return chosen


def _do(service: str | None, data: Path | None, look: "Callable[[Sequence[Place]], Coroutine[Any, Any, T]]") -> T:
    from amont.common.cli.dlq import stores  # noqa: PLC0415
    from amont.common.documents.sqlite import NewerFormat  # noqa: PLC0415

    async def inside() -> T:
        async with stores.places(service, data) as found:
            return await look(found)

    try:
        return asyncio.run(inside())
    except NewerFormat as error:
        err.print(str(error), style="red")
        raise typer.Exit(NO) from error
