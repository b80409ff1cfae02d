"""What a coordinator may ask of rounds: solve, publish, discard, read. The pairs themselves are written by the clock, page by page."""

import asyncio
from dataclasses import dataclass

from pydantic_core import to_json

from amont.common import metrics
from amont.common.identity import Action, Actor, authorize
from amont.common.work import Work
from amont.matching import documents
from amont.matching.commands.looking import lines_above
from amont.matching.domain.pooling import Gathered, core_policy, gather, monday_of
from amont.matching.domain.programme import Programme, PublicationRunning
from amont.matching.domain.round import MAX_BYTES, Round, RoundKind, RoundTooLarge, solved
from amont.matching.domain.solver import Solver


@dataclass(frozen=True, slots=True)
class RoundRead:
    """A round, the version readers know it by, and whether its pairs are being written now."""

    round: Round
    version: int
    publishing: bool = False


async def solve_round(work: Work, programme_id: str, actor: Actor, seed: str | None = None) -> RoundRead:
    """Solve a full round on the seats that are free now. The same idempotency key answers with the round it made.

    Raises NotFound, NotAllowed, ProgrammeNotOpen, PublicationRunning, RoundTooLarge.
    """
    programme = await work.get(Programme, programme_id)
    authorize(actor, Action.RUN_ROUND, programme.resource)
    id_ = work.new_id("round")
    round_ = await work.peek(Round, id_)
    if round_ is None:
        programme.must_be_ready()
        round_ = await solve(work, programme, id_=id_, kind=RoundKind.FULL, by=actor.person, seed=seed or id_)
        work.save(round_.becomes())
    return RoundRead(round_, work.version_of(round_))


async def publish_round(
    work: Work, round_id: str, actor: Actor, override_reason: str | None = None, version: int | None = None
) -> RoundRead:
    """Win the pool for this round; its pairs follow page by page, and RoundPublished when all are there. Again while that goes on changes nothing.

    Raises NotFound, NotAllowed, Stale, RoundNotOpen, BelowMatchedShare, ProgrammeNotOpen, PoolHasMoved, PublicationRunning.
    """
    round_ = await work.get(Round, round_id, version=version)
    authorize(actor, Action.RUN_ROUND, round_.resource)
    programme = await work.get(Programme, round_.programme)
    publication = round_.publication(
        actor.person, work.now, min_matched_percent=programme.policy.min_matched_percent, override_reason=override_reason
    )
    work.save(programme.publish(publication, base=round_.base, full=round_.kind is RoundKind.FULL))
    return RoundRead(round_, work.version_of(round_), publishing=True)


async def discard_round(work: Work, round_id: str, actor: Actor, version: int | None = None) -> RoundRead:
    """Nothing comes of the round. Raises NotFound, NotAllowed, Stale, RoundNotOpen, PublicationRunning."""
    round_ = await work.get(Round, round_id, version=version)
    authorize(actor, Action.RUN_ROUND, round_.resource)
    if await _is_publishing(work, round_):
        raise PublicationRunning(round_.programme, round_.id)
    discarded = work.save(round_.discard())
    return RoundRead(discarded, work.version_of(discarded))


async def read_round(work: Work, round_id: str, actor: Actor) -> RoundRead:
    """Raises NotFound, NotAllowed."""
    round_ = await work.get(Round, round_id)
    authorize(actor, Action.READ_ROUND, round_.resource)
    return RoundRead(round_, work.version_of(round_), publishing=await _is_publishing(work, round_))


async def list_rounds(work: Work, programme_id: str, actor: Actor, after: tuple[str] | None, limit: int) -> list[Round]:
    """Raises NotFound, NotAllowed."""
    programme = await work.get(Programme, programme_id)
    authorize(actor, Action.READ_ROUND, programme.resource)
    return await work.page(documents.rounds_of(programme_id), after=after, limit=limit)


async def solve(work: Work, programme: Programme, *, id_: str, kind: RoundKind, by: str, seed: str) -> Round:
    """The best pairs for the seats that are free now. Raises RoundTooLarge."""
    gathered = await _gather(work, programme, seed)
    solver = work.tool(Solver)  # type: ignore[type-abstract]  # a port is asked for by its protocol
    with metrics.ROUND_SECONDS.time():
        solution = await asyncio.to_thread(solver.solve, gathered.pool, core_policy(programme.policy), explain=True)
    found = solved(id_=id_, kind=kind, programme=programme, gathered=gathered, solution=solution, by=by, at=work.now).state
    size = len(to_json(documents.ROUNDS.dump(found)))
    if size > MAX_BYTES:
        raise RoundTooLarge(programme.id, size)
    return found


async def _gather(work: Work, programme: Programme, seed: str) -> Gathered:
    enrolments = [one async for one in work.find(documents.active_enrolments_of(programme.id))]
    pairs = [pair async for pair in work.find(documents.every_pair_of_programme(programme.id))]
    people, untangled = await lines_above(work, (one.person for one in enrolments))
    return gather(
        programme=programme.id,
        seed=seed,
        week_of=monday_of(work.now),
        enrolments=enrolments,
        people=people,
        pairs=pairs,
        untangled=untangled,
    )


async def _is_publishing(work: Work, round_: Round) -> bool:
    programme = await work.peek(Programme, round_.programme)
    return programme is not None and programme.publishing is not None and programme.publishing.round == round_.id
