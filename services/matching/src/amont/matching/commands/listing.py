"""Lists of what a programme's coordinators asked for and decided: they hold what one may read one by one, and nothing else.

A programme may have had other subsidiaries when something in it was asked for than it has now, and a thing is for those who answer for all of them.
"""

from typing import TypeVar

from amont.common.documents.collection import Query
from amont.common.errors import NotAllowed, NotFound
from amont.common.identity import Action, Actor, Resource, authorize
from amont.common.work import Work
from amont.matching.domain.round import Round
from amont.matching.domain.ruling import Ruling
from amont.matching.domain.simulation import Simulation

T = TypeVar("T", Round, Ruling, Simulation)


async def readable(work: Work, query: Query[T], actor: Actor, *, after: tuple[str] | None, limit: int) -> list[T]:
    """The first `limit` after that one which the actor may read, of a programme that they may."""
    found: list[T] = []
    while len(found) < limit:
        page = await work.page(query, after=after, limit=limit)
        found += [one for one in page if _may_read(actor, one.resource)]
        if len(page) < limit:
            break
        after = (page[-1].id,)
    return found[:limit]


def _may_read(actor: Actor, resource: Resource) -> bool:
    try:
        authorize(actor, Action.READ_ROUND, resource)
    except (NotFound, NotAllowed):
        return False
    return True
