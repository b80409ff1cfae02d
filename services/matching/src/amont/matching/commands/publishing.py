"""Writing the pairs of a published round, page by page: pairs that exist are left alone, so a crash or a second writer changes nothing.

A page is settled when a look at it finds nothing to write: every match then has its pair, or has none because, since the round, a seat has gone, a rule has
come to stand in the way, the two were forbidden, or a pin against the rules was taken back. That last look reads the facts and rulings after the pairs were
written, so a staff event or a ruling of the same moment is seen by it or sees the pairs.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from amont.common.ids import derived
from amont.common.work import Work
from amont.matching import documents
from amont.matching.commands.looking import keep, review, surroundings
from amont.matching.commands.rounds import rows
from amont.matching.domain.answer import Match, Part
from amont.matching.domain.pair import Pair
from amont.matching.domain.pooling import free_seats
from amont.matching.domain.programme import Programme, Publication
from amont.matching.domain.round import Round, RoundKind, RoundStatus, proposal

PAGE = 200
"""How many pairs one look takes."""


async def publish_some(work: Work, programme: Programme, publication: Publication) -> Programme:
    """Write the next pairs; when all are there, publish the round; when that is written, let go of the pool.

    Places of pairs that were left out are matched again, but not after a replacement that made none at all: the next one could find the same.
    """
    round_ = await work.get(Round, publication.round)
    answer = round_.rows()
    while page := await rows(work, round_.id, answer, Part.PAIRS, publication.settled, PAGE):
        missed = await _settle(work, programme, round_, page)
        if missed is None:
            return replace(programme, publishing=publication)
        publication = publication.past(len(page), missed)
    if round_.status is not RoundStatus.PUBLISHED:
        work.save(round_.published(publication, alone=await _alone(work, round_, set(publication.missed))))
        return replace(programme, publishing=publication)
    free = replace(programme, publishing=None)
    seats_left = publication.made < answer.pairs and (publication.made or round_.kind is RoundKind.FULL)
    return free.want_replacement(work.now).state if seats_left and free.wants_replacements and free.replace_at is None else free


async def _settle(work: Work, programme: Programme, round_: Round, page: Sequence[Match]) -> tuple[str, ...] | None:
    """The mentors of matches on the page that have no pair; None when something had to be written."""
    expires_at = work.now + timedelta(days=programme.policy.proposal_days)
    candidates = [
        proposal(round_, match, id_=derived("pair", round_.id, match.mentee, match.mentor), at=work.now, expires_at=expires_at)
        for match in page
    ]
    existing = await work.get_many(Pair, [pair.id for pair in candidates])
    written = await _propose(work, programme, [pair for pair in candidates if pair.id not in existing])
    ended_or_moved = await review(work, [pair for pair in existing.values() if pair.live])
    return None if written or ended_or_moved else tuple(pair.mentor for pair in candidates if pair.id not in existing)


async def _alone(work: Work, round_: Round, mentors: set[str]) -> int:
    """How many of these mentors have no pair of the round at all."""
    asked = sorted(mentors)
    for start in range(0, len(asked), PAGE):
        async for pairs in work.pages(documents.pairs_of_any(tuple(asked[start : start + PAGE]), round_.programme)):
            mentors -= {pair.mentor for pair in pairs if pair.round == round_.id}
    return len(mentors)


async def _propose(work: Work, programme: Programme, pairs: Sequence[Pair]) -> bool:
    """Propose those whose seats are still free and who may still be a pair; whether there were any."""
    if not pairs:
        return False
    facts = await surroundings(work, pairs)
    people = tuple(sorted({person for pair in pairs for person in (pair.mentee, pair.mentor)}))
    live = [pair async for pair in work.find(documents.live_pairs_of_any(people, programme.id))]
    free = free_seats(facts.enrolments.values(), live)
    written = False
    for pair in pairs:
        seats = (pair.mentee_enrolment, pair.mentor_enrolment)
        possible = facts.knows(pair) and facts.finding(pair) is None and facts.lets_break_rules(pair)
        if possible and all(free[seat] for seat in seats):
            for seat in seats:
                free[seat] -= 1
            keep(work, replace(pair, line=facts.line(pair)).propose())
            written = True
    return written
