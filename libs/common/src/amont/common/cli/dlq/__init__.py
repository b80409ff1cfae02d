"""`amont dlq`: dead letters for people. It works on the services' stores; replaying is done by the services themselves, which it waits for.

Exit codes: 0 done, 1 the answer is no (no such letter, refused, refused again), 2 wrong usage, 3 something unreachable, or no service that does it.
"""

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from amont.common.cli import command_line, err, out, print_json, say, say_command
from amont.common.cli.dlq.options import (
    AsJson,
    Data,
    DryRun,
    Every,
    Filters,
    Id,
    MaybeId,
    MaybeWhy,
    OfService,
    State,
    Who,
    Why,
    choosing,
)

if TYPE_CHECKING:
    from amont.common.cli.dlq.dropping import Outcome
    from amont.common.cli.stores import Place

T = TypeVar("T")
WHERE = "Where they stand: unresolved (open or replaying), open, replaying, replayed, dropped, all"

app = typer.Typer(no_args_is_help=True)


@app.command("list")
@choosing
def list_letters(
    *,
    filters: Filters,
    status: Annotated[State, typer.Option(help=WHERE, metavar="STATUS")] = State.UNRESOLVED,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each service")] = 100,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters in the order in which they were parked: where each stands, and why. Ids only.

    It says how many more there are when --limit cuts the list.
    """
    from amont.common.cli.dlq import showing  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.service.letters import commands  # noqa: PLC0415

    chosen = filters.chosen(status)

    async def look(found: "Sequence[Place]") -> tuple[list[tuple[str, Any]], list[int], "showing.ByReason"]:
        listed: list[tuple[str, Any]] = []
        totals = []
        others = {}
        for place in found:
            mine: list[Any] = []
            while len(mine) < limit and (page := await place.run(commands.page, chosen, mine[-1].order if mine else None)):
                mine += [letter.outline for letter, _ in page]
            listed += [(place.service, letter) for letter in mine[:limit]]
            there = sum((await place.run(commands.count, chosen, "status")).values()) if len(mine) >= limit else 0
            totals.append(max(there, len(mine)))
        if not listed:
            counts = {place.service: await place.run(commands.count, commands.Chosen(), "reason") for place in found}
            others = {service: reasons for service, reasons in counts.items() if reasons}
        return listed, totals, others

    listed, totals, others = _do(filters.service, data, look)
    more, all_with = sum(totals) - len(listed), f"--limit {max(totals)}"
    if as_json:
        print_json({"letters": [showing.line(*one) for one in listed], "more": more, "all_with": all_with if more else None})
    else:
        showing.print_list(listed, more, all_with, others)


@app.command("show")
def show(
    letter: Id,
    *,
    service: OfService = None,
    full: Annotated[bool, typer.Option("--full", help="All of a long value, not only its beginning")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show one with what it says and everything that happened to it. It may hold names and addresses: mind who looks over your shoulder."""
    from amont.common.cli.dlq import showing, stores  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.service.letters import commands  # noqa: PLC0415

    async def look(found: "Sequence[Place]") -> tuple[str, Any]:
        place = await stores.holder(found, letter)
        return place.service, await place.run(commands.one, letter)

    name, found = _do(service, data, look)
    if as_json:
        print_json(showing.whole(name, found))
    else:
        showing.print_whole(name, found, full=full)


@app.command("edit")
def edit(
    letter: Id,
    *,
    why: Why,
    value: Annotated[
        typer.FileBinaryRead | None, typer.Option(help="A file with the new value; - is standard input", metavar="FILE")
    ] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help='One field: POINTER=JSON, for instance /grade="C3"', metavar="CHANGE")
    ] = None,
    header: Annotated[list[str] | None, typer.Option(help="One header: NAME=VALUE; NAME= takes it away", metavar="CHANGE")] = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="Only if it still has this version, which `amont dlq show` says", metavar="N")
    ] = None,
    who: Who,
    service: OfService = None,
    data: Data = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Have an open letter say something else. It must be readable then, the same event, and without fields that the event does not have.

    What came is kept beside it. Replay it afterwards.
    """
    from amont.common.cli.dlq import editing, showing, stores  # noqa: PLC0415 - heavy, and other commands need not wait for it
    from amont.common.service.letters import commands  # noqa: PLC0415

    if value is not None and sets:
        raise typer.BadParameter("--value and --set exclude each other")
    if value is None and not sets and not header:
        raise typer.BadParameter("say what to change: --value, --set or --header")
    headers = editing.headers_of(header or ())
    given = value.read() if value is not None else None

    async def change(found: "Sequence[Place]") -> tuple[str, Any, bool]:
        place = await stores.holder(found, letter)
        before, present = await place.run(commands.one, letter)
        before.must_be_open("edited")
        said = editing.with_fields(before.content.raw_value, sets) if sets else given
        do = place.dry_run if dry_run else place.run
        after, _ = await do(commands.edit, letter, who, why, value=said, headers=headers, version=version or present)
        return place.service, after, after.content != before.content

    name, after, changed = _do(service, data, change)
    if as_json:
        print_json({"done": changed and not dry_run, **showing.line(name, after)})
    elif not changed:
        say(out, f"{letter} says that already. Nothing was changed.")
    elif dry_run:
        say(out, "It could be read and is the same event. Nothing was changed.")
    else:
        say(out, f"Edited {letter}. Replay it with:")
        say_command(out, command_line("dlq", "replay", letter, *Filters(service=service).words(), data=data))


@app.command("replay")
@choosing
def replay(
    letter: MaybeId = None,
    *,
    filters: Filters,
    every: Every = False,
    who: Who,
    why: MaybeWhy = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds without anything happening after which to wait no more; 0 only asks")] = 15.0,
    data: Data = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Have letters taken up again by the services, each key in its original order. What waits behind them follows by itself.

    Exits with 1 when one is refused again, with 3 when no service does it.
    """
    from amont.common.cli.dlq import replaying  # noqa: PLC0415 - heavy, and other commands need not wait for it

    chosen = filters.which(letter, State.UNRESOLVED, every=every)
    shown = err.is_terminal and not as_json

    async def do(found: "Sequence[Place]") -> replaying.Outcome:
        return await replaying.replay(found, letter, chosen, who, why, patience=wait, dry_run=dry_run, shown=shown)

    outcome = _do(filters.service, data, do)
    if as_json:
        print_json(outcome.data())
    else:
        chosen_again = [*([letter] if letter else []), *(["--all"] if every else []), *filters.words()]
        outcome.print(command_line("dlq", "take-back", *chosen_again, data=data))
    if outcome.code:
        raise typer.Exit(outcome.code)


@app.command("take-back")
@choosing
def take_back(
    letter: MaybeId = None,
    *,
    filters: Filters,
    every: Every = False,
    who: Who,
    why: MaybeWhy = None,
    data: Data = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Have letters replayed no more that are still to be, for instance because their service is down: they are open again.

    One that its service is taking at that moment takes effect all the same; it is replayed then, and its history says so.
    """
    from amont.common.cli.dlq import dropping  # noqa: PLC0415 - heavy, and other commands need not wait for it

    chosen = filters.which(letter, State.REPLAYING, every=every)

    async def do(found: "Sequence[Place]") -> dropping.Outcome:
        return await dropping.take_back(found, letter, chosen, who, why, dry_run=dry_run)

    _end(_do(filters.service, data, do), "taken back", "Would take back" if dry_run else "Took back", dry_run=dry_run, as_json=as_json)


@app.command("drop")
@choosing
def drop(
    letter: MaybeId = None,
    *,
    why: Why,
    filters: Filters,
    every: Every = False,
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    data: Data = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give open letters up. What waits behind them goes on; a letter that only waits is dropped when it is named or chosen by its reason."""
    from amont.common.cli.dlq import dropping  # noqa: PLC0415 - heavy, and other commands need not wait for it

    chosen = filters.which(letter, State.OPEN, every=every)

    def sure(count: int) -> bool:
        if yes:
            return True
        if not err.is_terminal:
            raise typer.BadParameter("--yes is needed where nobody can be asked")
        return typer.confirm(f"Drop {count} dead letter{'' if count == 1 else 's'} for good?", err=True)

    async def do(found: "Sequence[Place]") -> dropping.Outcome:
        return await dropping.drop(found, letter, chosen, who, why, sure=sure, dry_run=dry_run)

    _end(_do(filters.service, data, do), "dropped", "Would drop" if dry_run else "Dropped", dry_run=dry_run, as_json=as_json)


def _end(outcome: "Outcome", what: str, words: str, *, dry_run: bool, as_json: bool) -> None:
    outcome.tell(what, words, dry_run=dry_run, as_json=as_json)
    if outcome.code:
        raise typer.Exit(outcome.code)


def _do(service: str | None, data: Path | None, look: "Callable[[Sequence[Place]], Coroutine[Any, Any, T]]") -> T:
    from amont.common.cli.stores import on_stores  # noqa: PLC0415
    from amont.common.service.letters.letter import LETTERS  # noqa: PLC0415

    return on_stores(service, data, [LETTERS], look)
