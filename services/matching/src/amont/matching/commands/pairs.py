"""What the two of a pair, and their coordinators, may ask: answer a proposal, end a pair, read."""

from datetime import timedelta

from amont.common.errors import NotFound
from amont.common.identity import Action, Actor, Privilege, authorize, reach_of
from amont.common.work import Work
from amont.matching import documents
from amont.matching.commands.looking import keep, surroundings
from amont.matching.domain.pair import Pair, RuleStandsInTheWay
from amont.matching.domain.programme import Programme


async def accept_pair(work: Work, pair_id: str, actor: Actor, version: int | None = None) -> tuple[Pair, int]:
    """Say yes: the mentee first, then the mentor, which confirms the pair. The mentee's yes begins a new time to answer.

    Raises NotFound, NotAllowed, Stale, PairNotOpen, ProposalExpired, NotYourTurn, RuleStandsInTheWay.
    """
    pair = await _known(work, pair_id, actor, Action.ANSWER_PROPOSAL, version)
    programme = await work.get(Programme, pair.programme)
    decision = pair.accept(pair.role_of(actor.person), work.now, timedelta(days=programme.policy.proposal_days))
    if decision.events:
        await _rules_must_hold(work, pair)
    accepted = keep(work, decision)
    return accepted, work.version_of(accepted)


async def decline_pair(work: Work, pair_id: str, actor: Actor, reason: str | None = None, version: int | None = None) -> tuple[Pair, int]:
    """Say no, for a reason that nobody else sees. Raises NotFound, NotAllowed, Stale, PairNotOpen, ProposalExpired."""
    pair = await _known(work, pair_id, actor, Action.ANSWER_PROPOSAL, version)
    declined = keep(work, pair.decline(pair.role_of(actor.person), reason, work.now))
    return declined, work.version_of(declined)


async def end_pair(work: Work, pair_id: str, actor: Actor, version: int | None = None) -> tuple[Pair, int]:
    """End it without fault; no reason is asked for. Raises NotFound, NotAllowed, Stale, PairNotOpen."""
    pair = await _known(work, pair_id, actor, Action.END_PAIR, version)
    ended = keep(work, pair.end(work.now))
    return ended, work.version_of(ended)


async def read_pair(work: Work, pair_id: str, actor: Actor) -> tuple[Pair, int]:
    """Raises NotFound, NotAllowed."""
    pair = await _known(work, pair_id, actor, Action.READ_PAIR)
    return pair, work.version_of(pair)


async def list_pairs(
    work: Work, actor: Actor, *, programme: str | None, person: str | None, after: tuple[str] | None, limit: int
) -> list[tuple[Pair, int]]:
    """The pairs that the actor may see: their own as far as they know of them, those with one of their subsidiary's people, or all.

    Raises NotAllowed.
    """
    own, tenant = _reach(actor)
    if own is not None and person not in {None, own}:
        return []
    query = documents.pairs_for_people_to_read(programme=programme, person=person, tenant=tenant, known_to=own)
    return [(pair, work.version_of(pair)) for pair in await work.page(query, after=after, limit=limit)]


def coordinates(actor: Actor) -> bool:
    """Whether the actor reads pairs as a coordinator: with every proposal and every reason, which the two of a pair are not told."""
    return bool(actor.privileges & {Privilege.COORDINATOR, Privilege.GROUP_COORDINATOR})


async def _known(work: Work, pair_id: str, actor: Actor, action: Action, version: int | None = None) -> Pair:
    """A pair that exists for the actor. For a mentor it does not before the mentee has said yes, and never does when that was a no."""
    pair = await work.get(Pair, pair_id)
    authorize(actor, action, pair.resource)
    if not coordinates(actor) and actor.person not in pair.known_to:
        raise NotFound("pair", pair_id)
    return await work.get(Pair, pair_id, version=version)


async def _rules_must_hold(work: Work, pair: Pair) -> None:
    facts = await surroundings(work, [pair])
    finding = facts.finding(pair) if facts.knows(pair) else None
    if finding is not None:
        raise RuleStandsInTheWay(pair.id, finding.value)


def _reach(actor: Actor) -> tuple[str | None, str | None]:
    """The person and the tenant a list is narrowed to; both None for the whole group. Raises NotAllowed."""
    if Privilege.GROUP_COORDINATOR in actor.privileges:
        return None, None
    if Privilege.COORDINATOR in actor.privileges:
        return None, actor.tenant
    reach_of(actor, Action.READ_PAIR)
    return actor.person, None
