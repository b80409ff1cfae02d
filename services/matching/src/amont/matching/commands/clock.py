"""What time brings: marks left by facts are worked off, a published round's pairs are written, proposals expire, rests end, seats are filled again,
and what ended long ago is let go of.

A handler may save several documents, but these are not written together. So a document forgets what it has to do only after a look that found
everything written: each handler does its part, comes back a second later, and stops when there is nothing left to do. A crash anywhere between
costs one more look. Pairs and pool are looked at after the fact that woke us was written, hence no race can hide one from the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from amont.common.documents.collection import Query
from amont.common.erasing import Clearing
from amont.common.events.values import EmployeeStatus, PairStatus
from amont.common.exporting import Answer
from amont.common.ids import derived
from amont.common.retention import let_go
from amont.common.work import Due, Waking, Work
from amont.matching import documents
from amont.matching.commands.cycles import look_for_cycles
from amont.matching.commands.erasing import wake_clearing
from amont.matching.commands.exporting import wake_answer
from amont.matching.commands.looking import SOON, keep, lines_above, review, surroundings
from amont.matching.commands.publishing import publish_some
from amont.matching.commands.rulings import forget_leaver, wake_ruling
from amont.matching.commands.simulations import wake_simulation
from amont.matching.commands.solving import wake_round
from amont.matching.domain.enrolment import Enrolment
from amont.matching.domain.pair import OPEN, Pair
from amont.matching.domain.person import Person, Recheck
from amont.matching.domain.programme import IMMINENT, Programme, Publication
from amont.matching.domain.round import Discarded, Kept, Round, RoundKind, RoundStatus, requested
from amont.matching.domain.ruling import Ruling
from amont.matching.domain.simulation import Simulation

PAGE = 200
"""How many live pairs one look at a programme takes."""


async def wake_person(person: Person, work: Work) -> None:
    """Something a hard rule looks at has changed: look at the live pairs concerned, and forget what was decided about a leaver."""
    news = person.recheck is Recheck.LINE and await look_for_cycles(work, person)
    query = documents.live_pairs_below(person.id) if person.recheck is Recheck.LINE else documents.live_pairs_of(person.id)
    changed = await review(work, [pair async for pair in work.find(query)]) or news
    if person.status is EmployeeStatus.LEFT:
        changed = await forget_leaver(work, person) or changed
    work.save(person.checked(again_at=work.now + SOON if changed else None))


async def wake_enrolment(enrolment: Enrolment, work: Work) -> None:
    """Somebody withdrew, is on leave, is back, or has other hours or languages."""
    pairs = [pair async for pair in work.find(documents.live_pairs_of(enrolment.person)) if pair.programme == enrolment.programme]
    changed = await review(work, pairs)
    work.save(enrolment.checked(again_at=work.now + SOON if changed else None))


async def wake_pair(pair: Pair, work: Work) -> None:
    """A proposal has expired, a rest is over, seats are free, or it is history that is kept no longer."""
    if pair.status in OPEN:
        pair = keep(work, pair.expire(work.now))
    elif pair.status is PairStatus.SUSPENDED:
        await review(work, [pair])
        pair = await work.get(Pair, pair.id)
    if pair.vacated:
        await _tell_programme(pair, work)
    elif pair.kept_until is not None and pair.kept_until <= work.now:
        await _let_go(pair, work)


async def wake_programme(programme: Programme, work: Work) -> None:
    """Write the next pairs of a publication, look at pairs after a change of policy, or fill free seats: one of them at a time."""
    if programme.publishing is not None:
        programme = await publish_some(work, programme, programme.publishing)
    elif programme.recheck:
        programme = await _recheck_some(work, programme)
    elif programme.replace_at is not None and programme.replace_at <= work.now:
        programme = await _replace(work, programme)
    work.save(programme.goes_on(work.now + SOON))


async def _let_go(pair: Pair, work: Work) -> None:
    """Not before its round has counted it: the round forgets whom it names two years after it was published, so before any of its pairs goes."""
    round_ = await work.peek(Round, pair.round)
    if round_ is not None and Kept.PEOPLE in round_.kept_until:
        work.put_off(pair, work.now + SOON)
    else:
        let_go(work, pair, "pairs")


async def _tell_programme(pair: Pair, work: Work) -> None:
    """Have the freed seats matched again. The pair forgets only when it reads a plan that cannot have begun before it first asked.

    However late it asks again: the plan that it brought about itself is always such a one.
    """
    programme = await work.get(Programme, pair.programme)
    if not programme.wants_replacements or programme.covers_what_was_freed_by(pair.asked_at or work.now):
        work.save(pair.told())
    elif programme.replace_at is None:
        work.save(programme.want_replacement(work.now))
        work.save(pair.asks_again(work.now + SOON, now=work.now))
    else:
        work.save(pair.asks_again(work.now + IMMINENT, now=work.now))


async def _recheck_some(work: Work, programme: Programme) -> Programme:
    after = (programme.rechecked_to,) if programme.rechecked_to else None
    pairs = await work.page(documents.live_pairs_of_programme(programme.id), after=after, limit=PAGE)
    if await review(work, pairs):
        return programme
    if len(pairs) < PAGE:
        return replace(programme, recheck=False, rechecked_to=None)
    return replace(programme, rechecked_to=pairs[-1].id)


async def _replace(work: Work, programme: Programme) -> Programme:
    """Ask for a round on the free seats; once it is solved, publish it in the name of the authority, or leave it for a human to publish."""
    authority = programme.authority
    if authority is None or not programme.is_open or programme.replace_at is None:
        return replace(programme, replace_at=None)
    id_ = derived("replacement", programme.id, programme.edition, programme.replace_at.isoformat())
    found = await work.peek(Round, id_)
    if found is None:
        work.save(requested(id_=id_, kind=RoundKind.REPLACEMENT, programme=programme, by=authority, seed=id_, at=work.now))
        return programme
    if found.status is RoundStatus.REQUESTED:
        return programme
    planned = replace(programme, replace_at=None)
    if found.status is RoundStatus.SOLVED and not found.rows().pairs:
        work.save(found.drop(Discarded.NOTHING_TO_PROPOSE, work.now))
        return planned
    if programme.policy.replacements == "reviewed" or found.status is not RoundStatus.SOLVED:
        return planned
    publication = Publication(round=found.id, by=authority, at=work.now)
    return planned.publish(publication, base=found.rows().base, full=False).state


async def look_ahead_of_people(people: Sequence[Person], work: Work) -> None:
    """Read what the looks of a page of people will ask for: the live pairs concerned, and what these are judged by."""
    moved = [one.id for one in people if one.recheck is Recheck.LINE]
    others = [one.id for one in people if one.recheck is not Recheck.LINE]
    pairs = [*await _live(work, documents.live_pairs_below, "line", moved), *await _live(work, documents.live_pairs_of, "people", others)]
    await surroundings(work, pairs)
    await lines_above(work, moved)


async def look_ahead_of_enrolments(enrolments: Sequence[Enrolment], work: Work) -> None:
    """The same of a page of enrolments."""
    await surroundings(work, await _live(work, documents.live_pairs_of, "people", [one.person for one in enrolments]))


async def look_ahead_of_pairs(pairs: Sequence[Pair], work: Work) -> None:
    """What the suspended ones of a page of pairs are judged by."""
    await surroundings(work, [pair for pair in pairs if pair.status is PairStatus.SUSPENDED])


async def _live(work: Work, of: Callable[[str], Query[Pair]], field: str, people: Sequence[str]) -> list[Pair]:
    """The live pairs of each of these people, asked for together."""
    await work.prefetch_where(of(""), field, people)
    return [pair for person in people async for pair in work.find(of(person))]


DUE: Due = {
    Pair: Waking(wake_pair, look_ahead_of_pairs),
    Programme: wake_programme,
    Enrolment: Waking(wake_enrolment, look_ahead_of_enrolments),
    Person: Waking(wake_person, look_ahead_of_people),
    Ruling: wake_ruling,
}

JOBS: Due = {
    Round: wake_round,
    Simulation: wake_simulation,
    Clearing: wake_clearing,
    Answer: wake_answer,
}
"""What takes long: nothing else waits for it."""
