"""`amont dlq drop`: which letters, and giving them up."""

from collections.abc import Callable, Sequence

from amont.common.cli.dlq.stores import Place, holder
from amont.common.service.letters import commands
from amont.common.service.letters.commands import Chosen
from amont.common.service.letters.letter import BLOCKED_BY


async def drop(
    found: Sequence[Place], id_: str | None, chosen: Chosen, who: str, why: str, *, sure: Callable[[int], bool], dry_run: bool
) -> list[tuple[str, str]]:
    """The service and id of every letter that was dropped; none when the answer was no. Raises NotFound, Conflict, Invalid."""
    meant = [(await holder(found, id_), id_)] if id_ else [(place, one) for place in found for one in await _ids(place, chosen)]
    if not dry_run:
        if not meant or not sure(len(meant)):
            return []
        for place, one in meant:
            await place.run(commands.drop, one, who, why)
    return [(place.service, one) for place, one in meant]


async def _ids(place: Place, chosen: Chosen) -> list[str]:
    """The open letters that are meant: those that only wait behind another are not, unless they are chosen by that very reason."""
    ids: list[str] = []
    after = None
    while page := await place.run(commands.page, chosen, after):
        ids += [letter.id for letter, _ in page if not letter.waits or chosen.reason == BLOCKED_BY]
        after = page[-1][0].order
    return ids
