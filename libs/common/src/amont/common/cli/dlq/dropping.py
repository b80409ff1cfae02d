"""`amont dlq drop` and `take-back`: which letters, and what is done to each."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from amont.common.cli.dlq.stores import Place, holder
from amont.common.errors import Conflict
from amont.common.service.letters import commands
from amont.common.service.letters.commands import Chosen
from amont.common.service.letters.letter import BLOCKED_BY, DeadLetter, Status

Meant = list[tuple[str, DeadLetter]]
"""Letters, each with its service."""


async def drop(
    found: Sequence[Place], id_: str | None, chosen: Chosen, who: str, why: str, *, sure: Callable[[int], bool], dry_run: bool
) -> Meant:
    """The letters that were dropped; none when the answer was no. Raises NotFound, Conflict, Invalid.

    Of many, those that only wait behind another are not meant, unless they are chosen by that very reason.
    """
    if id_:
        place = await holder(found, id_)
        letter, _ = await place.dry_run(commands.drop, id_, who, why)
        meant = [(place, letter)]
    else:
        every = await _chosen(found, chosen)
        meant = [(place, one) for place, one in every if not one.waits or chosen.reason == BLOCKED_BY]
    if not dry_run:
        if not meant or not sure(len(meant)):
            return []
        for place, one in meant:
            await place.run(commands.drop, one.id, who, why)
    return [(place.service, one) for place, one in meant]


async def take_back(found: Sequence[Place], id_: str | None, chosen: Chosen, who: str, why: str | None, *, dry_run: bool) -> Meant:
    """The letters that are replayed no more. Raises NotFound, and Conflict for a single one that is settled."""
    if id_:
        place = await holder(found, id_)
        letter, _ = await (place.dry_run if dry_run else place.run)(commands.take_back, id_, who, why)
        return [(place.service, letter)]
    taken: Meant = []
    for place, letter in await _chosen(found, replace(chosen, statuses=(Status.REPLAYING,))):
        try:
            after, _ = await (place.dry_run if dry_run else place.run)(commands.take_back, letter.id, who, why)
        except Conflict:  # the service was faster
            continue
        taken.append((place.service, after))
    return taken


async def _chosen(found: Sequence[Place], chosen: Chosen) -> list[tuple[Place, DeadLetter]]:
    letters: list[tuple[Place, DeadLetter]] = []
    for place in found:
        after = None
        while page := await place.run(commands.page, chosen, after):
            letters += [(place, letter) for letter, _ in page]
            after = page[-1][0].order
    return letters
