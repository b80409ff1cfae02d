"""What people, and the clock, may ask of scheduling: one verb each. Rules live in `domain`, wire formats in `api`.

Every verb answers with the plan and the version that readers know it by. Double bookings are found write-first-then-check: a booking is saved
with a check due at once, so that of two made at the same moment at least one check sees both; the plan with the larger id gives way.
"""

from datetime import datetime, timedelta

from amont.common import metrics
from amont.common.aggregate import Decision
from amont.common.erasing import Clearing, Look, clear
from amont.common.errors import Fault, Invalid
from amont.common.events import (
    ErasedFromScheduling,
    ExportedFromScheduling,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionProposed,
    SessionRescheduled,
    SessionScheduled,
    Slot,
)
from amont.common.events.values import EmployeeStatus, tenant_of
from amont.common.exporting import MOST_OF_A_KIND, Answer, Kinds, answer, plain
from amont.common.identity import Action, Actor, Privilege, Resource, authorize
from amont.common.ids import derived
from amont.common.retention import let_go
from amont.common.work import Due, Effect, Work
from amont.scheduling import documents
from amont.scheduling.domain.errors import HoursUnknown
from amont.scheduling.domain.hours import FARTHEST, Hours
from amont.scheduling.domain.plan import Plan
from amont.scheduling.domain.projections import Enrolment, Person, Programme

PUBLISHES = (
    ErasedFromScheduling,
    ExportedFromScheduling,
    SessionProposed,
    SessionScheduled,
    SessionRescheduled,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
)

LONGEST_QUESTION = timedelta(days=92)
"""The longest time that slots may be asked for at once."""
MOST_SLOTS = 200

Versioned = tuple[Plan, int]


async def read_plan(work: Work, pair: str, actor: Actor) -> Versioned:
    """Raises NotFound."""
    plan = await work.get(Plan, pair)
    authorize(actor, Action.READ_SESSION, plan.resource)
    return plan, work.version_of(plan)


async def list_plans(
    work: Work, actor: Actor, person: str | None, programme: str | None, after: tuple[str, ...] | None, limit: int
) -> list[Versioned]:
    """A page of the plans that the actor may see: their own, their subsidiary's, all. Raises NotFound for somebody else's."""
    query = documents.plans(**_within_reach(actor, person), **({"programme": programme} if programme else {}))
    return [(plan, work.version_of(plan)) for plan in await work.page(query, after=after, limit=limit)]


async def list_slots(work: Work, pair: str, actor: Actor, after: datetime | None, until: datetime | None, limit: int) -> tuple[Slot, ...]:
    """Times of the next session's length that both can make, in order. Only for the two. Raises NotFound, NotAllowed, Invalid, HoursUnknown."""
    plan = await work.get(Plan, pair)
    authorize(actor, Action.BOOK_SESSION, plan.resource)
    begin, end = _stretch(work.now, after, until)
    minutes = plan.open.pace.minutes if plan.open else (await _programme_of(work, plan)).pace.minutes
    return (await _hours_of(work, plan)).between(begin, end, minutes=minutes, limit=min(limit, MOST_SLOTS))


async def schedule_session(
    work: Work, pair: str, session: str, starts_at: datetime, actor: Actor, *, version: int | None = None
) -> Versioned:
    """Take one of the options, or another time that suits both. Raises what `Plan.schedule` raises, HoursUnknown, Stale."""
    plan = await _theirs(work, pair, actor, version)
    return _answer(work, plan.schedule(session, starts_at, await _hours_of(work, plan), work.now))


async def reschedule_session(
    work: Work, pair: str, session: str, starts_at: datetime, actor: Actor, *, version: int | None = None
) -> Versioned:
    """Move to another time that suits both. Raises what `Plan.reschedule` raises, HoursUnknown, Stale."""
    plan = await _theirs(work, pair, actor, version)
    return _answer(work, plan.reschedule(session, starts_at, await _hours_of(work, plan), work.now))


async def cancel_session(work: Work, pair: str, session: str, actor: Actor, *, version: int | None = None) -> Versioned:
    """Call a session off; another one is proposed. Raises what `Plan.cancel` raises, Stale."""
    plan = await _theirs(work, pair, actor, version)
    return _answer(work, plan.cancel(session, plan.role_of(actor.person), work.now))


async def complete_session(work: Work, pair: str, session: str, actor: Actor, *, version: int | None = None) -> Versioned:
    """Say that a session was held. Raises what `Plan.complete` raises, Stale."""
    plan = await _theirs(work, pair, actor, version)
    return _answer(work, plan.complete(session, work.now))


async def wake_plan(plan: Plan, work: Work) -> None:
    """Do what time has brought: look for a double booking, give up on a session, propose one, let go of a plan that was over long ago."""
    if _is_due(plan.check_at, work):
        plan = await _settle_clashes(plan, work)
    if plan.open and _is_due(plan.open.missed_at, work):
        plan = _keep(work, plan.miss())
    if _is_due(plan.propose_at, work):
        await _propose(plan, work)
    if _is_due(plan.kept_until, work):
        let_go(work, plan, "plans")


async def erase(look: Look) -> None:
    """Take away what is kept of somebody who is erased. Plans stay for the other one, nameless, once they are over: the pair has ended, as with a leaver."""
    await look.tombstone(documents.PEOPLE, Person(id=look.person, status=EmployeeStatus.LEFT))
    for enrolment in (await look.work.get_many(Enrolment, look.enrolments)).values():
        look.remove(documents.ENROLMENTS, enrolment)
    async for plan in look.work.find(documents.plans(people=look.person)):
        if not plan.is_over:
            look.waits = True
        elif not look.full:
            look.rename(documents.PLANS, plan)


async def export(work: Work, person: str, private: bool) -> Kinds:  # noqa: ARG001, FBT001 - the shape of a `Gather`; nothing here is private
    """What is kept of somebody who asks for it: their zone and hours, and the sessions of their pairs, at most the newest of `MOST_OF_A_KIND` plans."""
    found = await work.peek(Person, person)
    plans = [one async for one in work.find(documents.plans(people=person))][-MOST_OF_A_KIND:]
    ids = [one.mentee_enrolment if one.mentee == person else one.mentor_enrolment for one in plans]
    hours = (await work.get_many(Enrolment, list(dict.fromkeys(ids)))).values()
    return {
        "person": plain(documents.PEOPLE, [found] if found else []),
        "hours": plain(documents.ENROLMENTS, hours),
        "plans": plain(documents.PLANS, plans, without=("propose_at", "check_at")),
    }


DUE: Due = {Plan: wake_plan}
JOBS: Due = {
    Clearing: clear(erase, ErasedFromScheduling),
    Answer: answer(export, ExportedFromScheduling),
}
"""What may take long: nothing else waits for it."""


async def _settle_clashes(plan: Plan, work: Work) -> Plan:
    """The larger id gives way. The smaller one cannot take the other's session away, but makes it look."""
    others = [other async for other in work.find(documents.plans_of_either(plan.people)) if plan.clashes_with(other, work.now)]
    if any(other.id < plan.id for other in others):
        return _keep(work, plan.give_way(work.now))
    for other in others:
        work.save(other.look_for_clashes(work.now))
    return _keep(work, plan.stand())


async def _propose(plan: Plan, work: Work) -> None:
    try:
        programme, hours = await _programme_of(work, plan), await _hours_of(work, plan)
    except HoursUnknown as unknown:
        _keep(work, plan.wait(work.now + unknown.look_again))
        return
    decision = plan.propose(derived("session", plan.id, len(plan.sessions) + 1), programme.pace, hours, work.now)
    _keep(work, decision)
    if decision.state.propose_at and not decision.events:
        work.afterwards(_count("NoCommonSlot"))


async def _theirs(work: Work, pair: str, actor: Actor, version: int | None) -> Plan:
    plan = await work.get(Plan, pair)
    authorize(actor, Action.BOOK_SESSION, plan.resource)
    return await work.get(Plan, pair, version=version)


async def _programme_of(work: Work, plan: Plan) -> Programme:
    programme = await work.peek(Programme, plan.programme)
    if programme is None:
        raise HoursUnknown
    return programme


async def _hours_of(work: Work, plan: Plan) -> Hours:
    people = await work.get_many(Person, plan.people)
    enrolments = await work.get_many(Enrolment, (plan.mentee_enrolment, plan.mentor_enrolment))
    others = [other async for other in work.find(documents.plans_of_either(plan.people)) if other.id != plan.id]
    return Hours.of(
        (people.get(plan.mentee), enrolments.get(plan.mentee_enrolment)),
        (people.get(plan.mentor), enrolments.get(plan.mentor_enrolment)),
        [other.booked for other in others if other.booked],
    )


def _within_reach(actor: Actor, person: str | None) -> dict[str, str]:
    """Which plans the actor may list, as conditions. Raises NotFound, NotAllowed."""
    if person is None and Privilege.GROUP_COORDINATOR in actor.privileges:
        return {}
    if person is None and Privilege.COORDINATOR in actor.privileges:
        return {"tenants": actor.tenant}
    whose = person or actor.person
    authorize(actor, Action.READ_SESSION, Resource("person", whose, frozenset({tenant_of(whose)}), frozenset({whose})))
    return {"people": whose}


def _stretch(now: datetime, after: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """The time to look for slots in: from now on, 21 days unless said otherwise. Raises Invalid."""
    begin = max(after or now, now)
    if begin > now + FARTHEST:
        raise Invalid("Nothing can be booked more than a year ahead.", [Fault("query:/from", "lies at most 366 days ahead")])
    end = until or begin + timedelta(days=21)
    if not begin < end <= begin + LONGEST_QUESTION:
        raise Invalid(
            "Slots are asked for at most 92 days at once.", [Fault("query:/until", "lies after `from` and now, by at most 92 days")]
        )
    return begin, end


def _is_due(at: datetime | None, work: Work) -> bool:
    return at is not None and at <= work.now


def _answer(work: Work, decision: Decision[Plan]) -> Versioned:
    plan = _keep(work, decision)
    return plan, work.version_of(plan)


def _keep(work: Work, decision: Decision[Plan]) -> Plan:
    """Save, and count what was said once it is in the store."""
    for event in decision.events:
        work.afterwards(_count(type(event).__name__))
    return work.save(decision)


def _count(what: str) -> Effect:
    async def count() -> None:
        metrics.SESSIONS.labels(what).inc()

    return count
