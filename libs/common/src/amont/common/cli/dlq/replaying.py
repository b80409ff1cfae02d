"""`amont dlq replay`: which letters, asking for them, waiting, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from amont.common.cli import NO, UNREACHABLE, err, out, say, say_command
from amont.common.cli.dlq.showing import ByReason, counted, line, print_left
from amont.common.cli.dlq.stores import holder
from amont.common.cli.dlq.waiting import Watched, ask, chosen_in, until_done
from amont.common.cli.stores import Place
from amont.common.service.letters import commands
from amont.common.service.letters.commands import Chosen
from amont.common.service.letters.letter import BLOCKED_BY, DeadLetter, Status


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    asked: int = 0
    replayed: int = 0
    reasons: ByReason = field(default_factory=dict)
    in_part: int = 0
    """Those that are not kept whole, and so cannot be replayed."""
    left: list[tuple[str, DeadLetter]] = field(default_factory=list)
    only: str | None = None
    """Why nothing was waited for."""
    gave_up: bool = False

    @property
    def code(self) -> int:
        """The exit code."""
        if self.gave_up:
            return UNREACHABLE
        return NO if not self.only and (self.left or self.in_part) else 0

    def data(self) -> dict[str, Any]:
        return {
            "asked": self.asked,
            "replayed": self.replayed,
            "in_part": self.in_part,
            "done": not (self.only or self.gave_up),
            "by_reason": self.reasons,
            "left": [line(name, letter) for name, letter in self.left],
        }

    def print(self, take_back: str) -> None:
        """Tell it. `take_back` is the command for letters of which nothing becomes."""
        if self.only:
            say(out, f"{self.asked} {self.only}{counted(self.reasons)}.")
        elif not self.asked:
            out.print("Nothing to replay.")
        else:
            out.print(f"Replayed {self.replayed} of {self.asked}.")
        if self.in_part:
            say(out, f"{self.in_part} came too large to be kept whole: have them sent anew, then drop them.")
        if self.left and not self.only:
            print_left(self.left)
        if self.gave_up:
            services = sorted({name for name, _ in self.left})
            say(
                err,
                f"Nothing happens any more: is {' and '.join(services) or 'the service'} running? They stay asked for, and are done when it runs. "
                "To take them back:",
                style="red",
            )
            say_command(err, take_back)


async def replay(
    found: Sequence[Place], id_: str | None, chosen: Chosen, who: str, why: str | None, *, patience: float, dry_run: bool, shown: bool
) -> Outcome:
    """Ask, and wait until the services have done it. Raises NotFound, Conflict."""
    watched = await _one(await holder(found, id_), id_) if id_ else [await chosen_in(place, chosen) for place in found]
    outcome = Outcome(
        asked=sum(len(one.ids) for one in watched),
        in_part=sum(one.in_part for one in watched),
        reasons={one.place.service: dict(one.reasons) for one in watched if one.reasons},
    )
    if dry_run:
        if id_:
            await watched[0].place.dry_run(commands.replay, id_, who, why)
        return replace(outcome, only="would be replayed")
    for one in watched:
        if id_:
            await one.place.run(commands.replay, id_, who, why)
        else:
            await ask(one.place, chosen, who, why)
    if not patience:
        return replace(outcome, only="asked for")
    columns = (TextColumn("Replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not shown) as progress:
        task = progress.add_task("", total=outcome.asked)
        done = await until_done(watched, patience, lambda count: progress.update(task, completed=count))
    outcome.left = [(one.place.service, letter) for one in watched for letter in await one.left()]
    outcome.replayed = outcome.asked - len(outcome.left)
    outcome.gave_up = not done
    return outcome


async def _one(place: Place, id_: str) -> list[Watched]:
    """The letter, and what waits behind it and follows by itself."""
    letter, _ = await place.run(commands.one, id_)
    if not letter.unresolved:
        return [Watched(place)]
    watched = Watched(place)
    if letter.ordered:
        watched = await chosen_in(place, Chosen(topic=letter.topic, key=letter.key, reason=BLOCKED_BY, statuses=(Status.OPEN,)))
    if id_ not in watched.ids:
        watched.add(letter)
    return [watched]
