"""Running enrolment's own commands on its store, as whoever may: the store is the group's, and so is who can open it."""

import getpass
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Concatenate, ParamSpec, TypeVar

import typer

from amont.common.cli import err

if TYPE_CHECKING:
    from amont.common.cli.stores import Place
    from amont.common.identity import Actor
    from amont.common.work import Work
    from amont.enrolment.domain.subsidiary import Subsidiary

P = ParamSpec("P")
T = TypeVar("T")
PAGE = 200

Data = Annotated[Path | None, typer.Option(help="The data folder of `amont up`, instead of AMONT_STORE_URL", metavar="DIR")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask")]
AsJson = Annotated[bool, typer.Option("--json", help="Data instead of words")]


def done(data: Path | None, command: "Callable[Concatenate[Work, P], Awaitable[T]]", *args: P.args, **kwargs: P.kwargs) -> T:
    """What the command answers. Raises what it raises, NoStore, MissingSettings, Unavailable, ValueError."""
    from amont.common.cli.stores import on_stores  # noqa: PLC0415 - heavy, and help comes without it
    from amont.enrolment.documents import COLLECTIONS  # noqa: PLC0415

    async def do(found: "list[Place]") -> T:
        return await found[0].run(command, *args, **kwargs)

    return on_stores("enrolment", data, COLLECTIONS, do)


def grade_tables(data: Path | None) -> dict[str, Mapping[str, int]] | None:
    """Code to band by subsidiary, for commands that tell beforehand what enrolment would refuse; None where its store is not at hand."""
    from amont.common.cli.stores import NoStore  # noqa: PLC0415 - heavy, and help comes without it
    from amont.common.errors import Unavailable  # noqa: PLC0415
    from amont.common.settings import MissingSettings  # noqa: PLC0415
    from amont.enrolment import commands  # noqa: PLC0415

    found: list[tuple[Subsidiary, int]] = []
    try:
        while page := done(data, commands.subsidiaries, operator(), (found[-1][0].id,) if found else None, PAGE):
            found += page
    except (NoStore, MissingSettings, Unavailable):
        return None
    return {one.id: one.grades for one, _ in found}


def operator() -> "Actor":
    """Whoever sits at this machine, for the history."""
    from amont.common.identity import Actor, Privilege  # noqa: PLC0415

    return Actor(f"group:{getpass.getuser()}", "group", frozenset({Privilege.GROUP_COORDINATOR}))


def agreed(question: str, *, yes: bool) -> bool:
    """Whether it is to be done: said beforehand, or asked now. Raises BadParameter where nobody can be asked."""
    if yes:
        return True
    if not err.is_terminal:
        raise typer.BadParameter("--yes is needed where nobody can be asked")
    return typer.confirm(question, err=True)


def words(text: str) -> list[str]:
    """What stands between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]
