"""Cycles in the management graph: found when somebody's managers change, told in log and metrics, and listed for whoever can have them mended."""

from collections.abc import Sequence

import structlog

from amont.common import metrics
from amont.common.errors import NotAllowed, NotFound
from amont.common.identity import Action, Actor, authorize, reach_of
from amont.common.work import Work
from amont.matching.commands.looking import lines_above
from amont.matching.domain.cycle import REGISTER, Cycle, Cycles, cycles_in
from amont.matching.domain.person import Person

_logger = structlog.get_logger(__name__)


async def look_for_cycles(work: Work, person: Person) -> bool:
    """Find the cycles that the person's managers close or no longer close; whether that was news.

    A cycle that was one before is looked at as a whole: whoever was in it may be in a smaller one now. All who are above each other are found from any
    of them, so a look from where something has changed is enough; but somebody else may have changed at the same time, hence a look once more after news.
    """
    register = await work.get_or_new(Cycles, REGISTER)
    concerned = {person.id, *(member for one in register.around([person.id]) for member in one.members)}
    _, links = await lines_above(work, concerned)
    present = [one for one in cycles_in(links, work.now) if not concerned.isdisjoint(one.members)]
    decision = register.now(concerned, present)
    if decision.state == register:
        return False
    before, after = frozenset(register.cycles), frozenset(decision.state.cycles)
    work.save(decision)

    async def tell() -> None:
        for what, some in (("found", after - before), ("gone", before - after)):
            for one in some:
                metrics.MANAGEMENT_CYCLES.labels(what).inc()
                _logger.warning("management_cycle", what=what, people=one.members, ignored=one.ignored)

    work.afterwards(tell)
    return True


async def list_cycles(work: Work, actor: Actor, *, tenant: str | None, start: int, limit: int) -> Sequence[Cycle]:
    """The cycles that touch a subsidiary (any, when None), as far as the actor sees them, in the order in which they were found. Raises NotAllowed."""
    reach_of(actor, Action.READ_FEED)
    register = await work.get_or_new(Cycles, REGISTER)
    seen = [one for one in register.cycles if tenant in {None, *one.resource.tenants} and _may_read(actor, one)]
    return seen[start : start + limit]


def _may_read(actor: Actor, cycle: Cycle) -> bool:
    try:
        authorize(actor, Action.READ_FEED, cycle.resource)
    except (NotFound, NotAllowed):
        return False
    return True
