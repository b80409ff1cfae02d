"""What a coordinator may ask of rounds: request, publish, discard, read. Solving is a job (`solving`); the pairs themselves are written by the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amont.common.identity import Action, Actor, authorize
from amont.common.work import Work
from amont.matching import documents
from amont.matching.commands.listing import readable
from amont.matching.domain.answer import Answer, Part, RoundPage, pages_from
from amont.matching.domain.programme import Programme, PublicationRunning
from amont.matching.domain.round import NoAnswer, Round, RoundKind, requested
from amont.matching.domain.ruling import Ruling
from amont.matching.domain.simulation import Simulation
from amont.matching.files import Head, Origin, digest


@dataclass(frozen=True, slots=True)
class RoundRead:
    """A round, the version readers know it by, and whether its pairs are being written now."""

    round: Round
    version: int
    publishing: bool = False


async def request_round(work: Work, programme_id: str, actor: Actor, seed: str | None = None) -> RoundRead:
    """Ask for a full round, to be solved in a moment on the seats that are free then. The same idempotency key answers with the round it made.

    Raises NotFound, NotAllowed, ProgrammeNotOpen, PublicationRunning.
    """
    programme = await work.get(Programme, programme_id)
    authorize(actor, Action.RUN_ROUND, programme.resource)
    id_ = work.new_id("round", programme.id)
    round_ = await work.peek(Round, id_)
    if round_ is None:
        programme.must_be_ready()
        wanted = requested(id_=id_, kind=RoundKind.FULL, programme=programme, by=actor.person, seed=seed or id_, at=work.now)
        round_ = work.save(wanted)
    return RoundRead(round_, work.version_of(round_))


async def publish_round(
    work: Work, round_id: str, actor: Actor, override_reason: str | None = None, version: int | None = None
) -> RoundRead:
    """Win the pool for this round; its pairs follow page by page, and RoundPublished when all are there. Again while that goes on changes nothing.

    Raises NotFound, NotAllowed, Stale, RoundNotOpen, BelowMatchedShare, PolicyHasChanged, ProgrammeNotOpen, PoolHasMoved, PublicationRunning.
    """
    round_ = await work.get(Round, round_id, version=version)
    await must_be_allowed(work, actor, Action.RUN_ROUND, round_)
    programme = await work.get(Programme, round_.programme)
    publication = round_.publication(
        actor.person, work.now, min_matched_percent=programme.policy.min_matched_percent, override_reason=override_reason
    )
    answer = round_.solution("published")
    if not programme.is_publishing(round_.id):
        programme.must_be_under(answer.policy_version)
    work.save(programme.publish(publication, base=answer.base, full=round_.kind is RoundKind.FULL))
    return RoundRead(round_, work.version_of(round_), publishing=True)


async def discard_round(work: Work, round_id: str, actor: Actor, version: int | None = None) -> RoundRead:
    """Nothing comes of the round. Raises NotFound, NotAllowed, Stale, RoundNotOpen, PublicationRunning."""
    round_ = await work.get(Round, round_id, version=version)
    await must_be_allowed(work, actor, Action.RUN_ROUND, round_)
    if await _is_publishing(work, round_):
        raise PublicationRunning(round_.programme, round_.id)
    discarded = work.save(round_.discard(work.now))
    return RoundRead(discarded, work.version_of(discarded))


async def read_round(work: Work, round_id: str, actor: Actor) -> RoundRead:
    """Raises NotFound, NotAllowed."""
    round_ = await work.get(Round, round_id)
    await must_be_allowed(work, actor, Action.READ_ROUND, round_)
    return RoundRead(round_, work.version_of(round_), publishing=await _is_publishing(work, round_))


async def list_rounds(work: Work, programme_id: str, actor: Actor, after: tuple[str] | None, limit: int) -> list[Round]:
    """Those of a programme that the actor may read one by one. Raises NotFound, NotAllowed."""
    programme = await work.get(Programme, programme_id)
    authorize(actor, Action.READ_ROUND, programme.resource)
    return await readable(work, documents.rounds_of(programme_id), actor, after=after, limit=limit)


async def read_rows(work: Work, round_id: str, actor: Actor, part: Part, start: int, limit: int) -> Sequence[Any]:
    """Some rows of a round's answer, from number `start` on. Raises NotFound, NotAllowed, NoAnswer."""
    round_ = await work.get(Round, round_id)
    await must_be_allowed(work, actor, Action.READ_ROUND, round_)
    try:
        return await rows(work, round_.id, round_.rows(part), part, start, limit)
    except KeyError as gone:  # a page that was removed since the round was read
        raise NoAnswer(round_.id, round_.status) from gone


async def read_source(work: Work, round_id: str, actor: Actor) -> Answer:
    """The answer of a round that keeps what it was solved from. Raises NotFound, NotAllowed, NoAnswer, NoPoolFile."""
    round_ = await work.get(Round, round_id)
    await must_be_allowed(work, actor, Action.READ_ROUND, round_)
    return round_.source()


async def read_result(work: Work, round_id: str, actor: Actor) -> tuple[Answer, Head]:
    """The answer of a round that can be written as a result file, and what that file says once.

    Raises NotFound, NotAllowed, NoAnswer, NoPoolFile, NoResultFile.
    """
    round_ = await work.get(Round, round_id)
    await must_be_allowed(work, actor, Action.READ_ROUND, round_)
    answer, made = round_.proved()
    origin = Origin(
        pool=answer.pool_sha256 or "",
        policy=digest((answer.policy_file or "").encode()),
        engine=made.engine,
        tzdata=made.tzdata,
        load_seconds=made.load_seconds,
        solve_seconds=made.solve_seconds,
    )
    head = Head(
        origin=origin,
        objective=answer.objective,
        reward=answer.reward or 0,
        floor=answer.floor or 0,
        pairs_cover=answer.pairs_cover,
        floor_cover=answer.floor_cover,
    )
    return answer, head


async def rows(work: Work, round_id: str, answer: Answer, part: Part, start: int, limit: int) -> Sequence[Any]:
    """The rows of an answer from number `start` on, at most `limit`: for whoever may read it, and has begun to. Raises KeyError for a page that is gone."""
    ids = pages_from(round_id, answer, part, start, limit)
    pages = await work.get_many(RoundPage, ids)
    found = [row for id_ in ids for row in pages[id_].rows]
    offset = start % answer.rows
    return found[offset : offset + limit]


async def must_be_allowed(work: Work, actor: Actor, action: Action, found: Round | Simulation | Ruling) -> None:
    """Of the tenants when it was asked for, and of the programme's as they are now: it may have been opened to others since. Raises NotAllowed."""
    authorize(actor, action, found.resource)
    programme = await work.peek(Programme, found.programme)
    if programme is not None:
        authorize(actor, action, programme.resource)


async def _is_publishing(work: Work, round_: Round) -> bool:
    programme = await work.peek(Programme, round_.programme)
    return programme is not None and programme.is_publishing(round_.id)
