"""What the commands of `amont dlq` take. The options that choose letters are written once, here; `choosing` gives them to a command."""

import functools
import getpass
import inspect
from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from amont.common.service.letters.commands import Chosen


def instant(text: str) -> datetime:
    """An instant or a day as people write them; UTC unless it has an offset. Raises BadParameter."""
    from amont.common.events.values import in_utc  # noqa: PLC0415 - help comes without it

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no instant: write 2027-01-04 or 2027-01-04T08:00:00Z") from None
    try:
        return in_utc(at) if at.tzinfo else at.replace(tzinfo=UTC)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is {error}") from None


def reason_given(why: str | None) -> str | None:
    """Raises BadParameter when it says nothing."""
    if why is not None and not why.strip():
        raise typer.BadParameter("say why, in a few words: it stays with the letter")
    return why


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
Data = Annotated[Path | None, typer.Option(help="The data folder of `amont up`, instead of AMONT_STORE_URL", metavar="DIR")]
Every = Annotated[bool, typer.Option("--all", help="All of them")]
Who = Annotated[str, typer.Option(help="Who does it, for the letter's history", default_factory=getpass.getuser, show_default="you")]
Why = Annotated[str, typer.Option(help="Why, for the letter's history", callback=reason_given)]
MaybeWhy = Annotated[str | None, typer.Option(help="Why, for the letter's history", callback=reason_given)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done")]
AsJson = Annotated[bool, typer.Option("--json", help="Data instead of words")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the options that choose say; their annotations are the options."""

    service: OfService = None
    reason: Annotated[str | None, typer.Option(help="Only those parked for this reason")] = None
    tenant: Annotated[str | None, typer.Option(help="Only those of this subsidiary")] = None
    key: Annotated[str | None, typer.Option(help="Only those of this key, for instance fr:e42")] = None
    topic: Annotated[str | None, typer.Option(help="Only those of this topic")] = None
    since: Annotated[
        datetime | None, typer.Option(parser=instant, metavar="TIME", help="Only those parked then or later; UTC unless it has an offset")
    ] = None
    until: Annotated[datetime | None, typer.Option(parser=instant, metavar="TIME", help="Only those parked then or before")] = None

    def chosen(self, status: State) -> "Chosen":
        """Those that stand so."""
        from amont.common.service.letters.commands import Chosen  # noqa: PLC0415 - heavy, and other commands need not wait for it
        from amont.common.service.letters.letter import UNRESOLVED, Status  # noqa: PLC0415

        groups: dict[State, tuple[Status, ...]] = {State.UNRESOLVED: UNRESOLVED, State.ALL: ()}
        statuses = groups[status] if status in groups else (Status(status),)
        _, reason, tenant, key, topic, since, until = astuple(self)
        return Chosen(reason=reason, tenant=tenant, key=key, topic=topic, since=since, until=until, statuses=statuses)

    def which(self, letter: str | None, status: State, *, every: bool) -> "Chosen":
        """One letter, those that the options choose, or all, and nothing by accident. Raises BadParameter."""
        options = any(value is not None for value in astuple(self)[1:])
        if sum((letter is not None, options, every)) != 1:
            raise typer.BadParameter("say which: one LETTER, or options that choose (--key, --reason, …), or --all")
        return self.chosen(status)

    def words(self) -> list[str]:
        """The options as a command line has them."""
        given = ((name, getattr(self, name)) for name in self.__annotations__)
        return [
            word
            for name, value in given
            if value is not None
            for word in (f"--{name}", value.isoformat() if isinstance(value, datetime) else value)
        ]


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options that choose, in place of its parameter `filters`."""
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in Filters.__annotations__.items()
    ]
    own = inspect.signature(command).parameters.values()
    parameters = [one for given in own for one in (options if given.name == "filters" else [given])]

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        filters = Filters(**{one.name: given.pop(one.name) for one in options})
        command(filters=filters, **given)

    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_options
