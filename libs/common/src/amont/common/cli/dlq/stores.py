"""Which of several stores holds a letter."""

from collections.abc import Sequence

from amont.common.cli.stores import Place
from amont.common.errors import DomainError, NotFound
from amont.common.service.letters import commands


class SeveralServices(DomainError):
    """More than one service has that letter."""

    code = "several-services"


async def holder(found: Sequence[Place], id_: str) -> Place:
    """The one that has the letter. Raises NotFound, SeveralServices."""
    having = []
    for place in found:
        try:
            await place.run(commands.one, id_)
        except NotFound:
            continue
        having.append(place)
    if not having:
        raise NotFound("dead letter", id_)
    if len(having) > 1:
        raise SeveralServices(f"Dead letter {id_} is in {' and '.join(place.service for place in having)}: say which one with --service.")
    return having[0]
