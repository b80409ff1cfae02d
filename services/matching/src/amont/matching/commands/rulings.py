"""What a coordinator may ask of rulings: pin two people of a programme, forbid them to each other, take that back, read.

A ruling is written first and looks at the two afterwards, as whoever writes something of them looks at rulings afterwards: of the two, one finds the other.
So a ruling is forgotten when one of the two leaves the group, and a pair that was proposed while it was forbidden ends, unless both had said yes by then.
"""

from collections.abc import AsyncIterator

from amont.common.errors import Fault, Invalid, NotFound
from amont.common.events.values import EmployeeStatus, tenant_of
from amont.common.identity import Action, Actor, authorize
from amont.common.retention import count
from amont.common.work import Work
from amont.matching import documents
from amont.matching.commands.listing import readable
from amont.matching.commands.looking import SOON, review, ruling_id
from amont.matching.commands.rounds import must_be_allowed
from amont.matching.domain.pair import Pair
from amont.matching.domain.person import Person
from amont.matching.domain.programme import Programme
from amont.matching.domain.ruling import PairLives, Ruling, RulingKind, Said, first_ruling, released

FORGOTTEN_AT_ONCE = 200
"""How many rulings about a leaver one look takes."""


async def rule(
    work: Work,
    programme_id: str,
    actor: Actor,
    kind: RulingKind,
    mentee: str,
    mentor: str,
    *,
    reason: str | None = None,
    override: bool = False,
) -> tuple[Ruling, int]:
    """Pin these two, or forbid them, from the next round on. Saying it again changes nothing, but for a new reason why they are forbidden.

    Raises NotFound, NotAllowed, Invalid, PairLives, RuledOtherwise.
    """
    programme = await work.get(Programme, programme_id)
    authorize(actor, Action.RUN_ROUND, programme.resource)
    await _must_be_people(work, programme, mentee, mentor)
    id_ = ruling_id(programme.id, mentee, mentor)
    ruling = await work.peek(Ruling, id_)
    if ruling is not None:
        authorize(actor, Action.RUN_ROUND, ruling.resource)
    async for pair in _live_pairs(work, programme.id, mentee, mentor):
        raise PairLives(pair.id)
    said = Said(kind=kind, mentee=mentee, mentor=mentor, by=actor.person, at=work.now, reason=reason, override=override)
    saved = work.save(
        first_ruling(programme.id, programme.tenants, said, id_=id_) if ruling is None else ruling.say(said, programme.tenants)
    )
    return saved, work.version_of(saved)


async def release(work: Work, ruling_id_: str, actor: Actor, reason: str | None = None, version: int | None = None) -> tuple[Ruling, int]:
    """Take it back; what was decided stays readable. Raises NotFound, NotAllowed, Stale."""
    await _readable(work, ruling_id_, actor, Action.RUN_ROUND)
    ruling = await work.get(Ruling, ruling_id_, version=version)
    saved = work.save(ruling.say(released(ruling, by=actor.person, reason=reason, at=work.now)))
    return saved, work.version_of(saved)


async def read_ruling(work: Work, ruling_id_: str, actor: Actor) -> tuple[Ruling, int]:
    """Raises NotFound, NotAllowed."""
    ruling = await _readable(work, ruling_id_, actor, Action.READ_ROUND)
    return ruling, work.version_of(ruling)


async def list_rulings(
    work: Work, programme_id: str, actor: Actor, kind: RulingKind | None, after: tuple[str] | None, limit: int
) -> list[tuple[Ruling, int]]:
    """Of a programme, of that kind or all; those that the actor may read one by one. Raises NotFound, NotAllowed."""
    programme = await work.get(Programme, programme_id)
    authorize(actor, Action.READ_ROUND, programme.resource)
    found = await readable(work, documents.rulings_of(programme_id, kind), actor, after=after, limit=limit)
    return [(ruling, work.version_of(ruling)) for ruling in found]


async def wake_ruling(ruling: Ruling, work: Work) -> None:
    """It was just written: one of the two may have left, or both been proposed to each other, at the same moment. Or it was written a year ago."""
    people = await work.get_many(Person, ruling.people)
    if any(person.status is EmployeeStatus.LEFT for person in people.values()):
        work.save(ruling.forget(work.now))
        return
    pairs = [pair async for pair in _live_pairs(work, ruling.programme, ruling.now.mentee, ruling.now.mentor)]
    if await review(work, pairs):
        work.save(ruling.becomes(due_at=work.now + SOON))
        return
    work.save(ruling.checked(work.now))
    if ruling.decided_until is not None and ruling.decided_until <= work.now:
        count(work, "decisions")


async def forget_leaver(work: Work, person: Person) -> bool:
    """Forget what was decided about somebody who left; whether there was anything."""
    found = await work.page(documents.rulings_about(person.id), after=None, limit=FORGOTTEN_AT_ONCE)
    for ruling in found:
        work.save(ruling.forget(work.now))
    return bool(found)


async def _live_pairs(work: Work, programme: str, one: str, other: str) -> AsyncIterator[Pair]:
    """Those of the two in the programme, whoever is the mentee."""
    async for pair in work.find(documents.live_pairs_of(one)):
        if pair.programme == programme and other in {pair.mentee, pair.mentor}:
            yield pair


async def _readable(work: Work, ruling_id_: str, actor: Actor, action: Action) -> Ruling:
    """Raises NotFound, NotAllowed."""
    ruling = await work.get(Ruling, ruling_id_)
    await must_be_allowed(work, actor, action, ruling)
    if ruling.kind is RulingKind.FORGOTTEN:
        raise NotFound("ruling", ruling_id_)
    return ruling


async def _must_be_people(work: Work, programme: Programme, mentee: str, mentor: str) -> None:
    """Two people of subsidiaries that take part, whom we have heard of and who have not left. Raises Invalid."""
    known = await work.get_many(Person, [mentee, mentor])
    faults = [Fault("/mentor", "is the same person as the mentee")] if mentee == mentor else []
    for name, id_ in (("mentee", mentee), ("mentor", mentor)):
        person = known.get(id_) if tenant_of(id_) in programme.tenants else None
        if person is None or person.status in {None, EmployeeStatus.LEFT}:
            faults.append(Fault(f"/{name}", f"{id_!r} is nobody in a subsidiary of this programme"))
    if faults:
        raise Invalid("These are no two people of the programme.", faults)
