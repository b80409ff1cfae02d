"""`amont dlq drop` and `take-back`: which letters, what is done to each, and what could not be done."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from amont.common.cli import NO, UNREACHABLE, err, out, print_json, say
from amont.common.cli.dlq.showing import by_reason, counted
from amont.common.cli.dlq.stores import holder
from amont.common.cli.stores import Place
from amont.common.errors import DomainError, Unavailable
from amont.common.service.letters import commands
from amont.common.service.letters.commands import Chosen
from amont.common.service.letters.letter import BLOCKED_BY, DeadLetter

Meant = list[tuple[Place, DeadLetter]]
"""Letters in outline, each with where it is."""


@dataclass(slots=True)
class Outcome:
    """What came of doing the same to many: `not_done` holds service, letter and why."""

    done: list[tuple[str, DeadLetter]] = field(default_factory=list)
    not_done: list[tuple[str, str, str]] = field(default_factory=list)
    cut_off: bool = False

    @property
    def code(self) -> int:
        """The exit code."""
        return UNREACHABLE if self.cut_off else NO if self.not_done else 0

    def tell(self, what: str, words: str, *, dry_run: bool, as_json: bool) -> None:
        """How many, by service and reason, and each that was not done; as data also which. `what` is what was done to them, as in `taken back`."""
        counts = by_reason(self.done)
        if as_json:
            done = [{"service": name, "letter": one.id, "reason": one.reason} for name, one in self.done]
            left = [{"service": name, "letter": id_, "why": why} for name, id_, why in self.not_done]
            print_json({"done": not dry_run, what.replace(" ", "_"): done, "by_reason": counts, "not_done": left})
            return
        say(out, f"{words} {len(self.done)}{counted(counts)}.")
        if self.not_done:
            say(err, f"{len(self.not_done)} {'was' if len(self.not_done) == 1 else 'were'} not {what}:")
            for name, id_, why in self.not_done:
                say(err, id_, style="bold")
                say(err, f"  {name}: {why}", indent="  ")


async def drop(
    found: Sequence[Place], id_: str | None, chosen: Chosen, who: str, why: str, *, sure: Callable[[int], bool], dry_run: bool
) -> Outcome:
    """Drop one or many; nothing when the answer was no. Raises NotFound, Conflict and Invalid about a single one.

    Of many, those that only wait behind another are not meant, unless they are chosen by that very reason.
    """
    if id_:
        place = await holder(found, id_)
        letter, _ = await place.dry_run(commands.drop, id_, who, why)
        if not dry_run and sure(1):
            await place.run(commands.drop, id_, who, why)
        elif not dry_run:
            return Outcome()
        return Outcome([(place.service, letter)])
    meant = [(place, one) for place, one in await _chosen(found, chosen) if not one.waits or chosen.reason == BLOCKED_BY]
    if not dry_run and not (meant and sure(len(meant))):
        return Outcome()
    return await _each(meant, commands.drop, who, why, dry_run=dry_run)


async def take_back(found: Sequence[Place], id_: str | None, chosen: Chosen, who: str, why: str | None, *, dry_run: bool) -> Outcome:
    """Have one or many replayed no more. Raises NotFound, and Conflict for a single one that is settled."""
    if id_:
        place = await holder(found, id_)
        letter, _ = await (place.dry_run if dry_run else place.run)(commands.take_back, id_, who, why)
        return Outcome([(place.service, letter)])
    return await _each(await _chosen(found, chosen.to_take_back), commands.take_back, who, why, dry_run=dry_run)


async def _each(meant: Meant, command: Callable[..., Awaitable[Any]], *args: Any, dry_run: bool) -> Outcome:
    """Each by itself: who was faster with one of them keeps nobody from the others. A store that is away ends it."""
    outcome = Outcome()
    for number, (place, letter) in enumerate(meant):
        try:
            await (place.dry_run if dry_run else place.run)(command, letter.id, *args)
        except DomainError as error:
            outcome.not_done.append((place.service, letter.id, str(error)))
        except Unavailable as error:
            outcome.not_done += [(place.service, one.id, str(error)) for place, one in meant[number:]]
            outcome.cut_off = True
            break
        else:
            outcome.done.append((place.service, letter))
    return outcome


async def _chosen(found: Sequence[Place], chosen: Chosen) -> Meant:
    letters: Meant = []
    for place in found:
        after = None
        while page := await place.run(commands.page, chosen, after):
            letters += [(place, letter.outline) for letter, _ in page]
            after = page[-1][0].order
    return letters
