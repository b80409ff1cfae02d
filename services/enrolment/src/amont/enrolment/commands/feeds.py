"""A subsidiary's feed: pausing and resuming it, the breaker that holds leavers, and what people ask about what is held.

What is held lies in the documents of the people concerned, and is looked at again after that has been written, so that no word of a coordinator and
no record can miss each other. A sweep looks at everybody of whom something is held, a page at a time, and turns a page only when a look at it has
found nothing to do: then everything before is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from amont.common import metrics
from amont.common.errors import DomainError
from amont.common.identity import Action, Actor, Resource, authorize
from amont.common.work import Work
from amont.enrolment import documents
from amont.enrolment.commands.leavers import let_go
from amont.enrolment.commands.moves import go_on_moving
from amont.enrolment.commands.subsidiaries import present
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.feed import SOON, Feed, Sweep
from amont.enrolment.domain.ruling import Ruling, Verb
from amont.enrolment.domain.subsidiary import Subsidiary

PAGE = 500
"""How many people one look of a sweep takes."""

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What a coordinator sees of a feed. `rulings` are the newest decisions of all kinds, the oldest first."""

    tenant: str
    paused: Ruling | None
    tripped_at: datetime | None
    leavers: int
    limit: int
    people_with_held: int
    settling: bool
    rulings: Sequence[Ruling]


async def pause_feed(work: Work, tenant: str, actor: Actor, why: str) -> FeedState:
    """Hold what the feed brings from now on. Raises NotFound, NotAllowed, Invalid."""
    _may(actor, Action.MANAGE_FEED, tenant)
    subsidiary = work.save((await present(work, tenant)).pause(actor.person, why, work.now))
    return await _state(work, subsidiary)


async def resume_feed(work: Work, tenant: str, actor: Actor, why: str) -> FeedState:
    """Take what the feed brings, and what was held. Raises NotFound, NotAllowed, Invalid."""
    _may(actor, Action.MANAGE_FEED, tenant)
    subsidiary = work.save((await present(work, tenant)).resume(actor.person, why, work.now))
    return await _state(work, subsidiary)


async def release_leavers(work: Work, tenant: str, actor: Actor, why: str) -> FeedState:
    """Let everybody go whose leaving the breaker holds now. Raises NotFound, NotAllowed, NothingHeld, Invalid."""
    return await _decide(work, tenant, actor, Verb.RELEASE, why)


async def drop_leavers(work: Work, tenant: str, actor: Actor, why: str) -> FeedState:
    """Forget the leavings that the breaker holds now: these people stay. Raises NotFound, NotAllowed, NothingHeld, Invalid."""
    return await _decide(work, tenant, actor, Verb.DROP, why)


async def feed_state(work: Work, tenant: str, actor: Actor) -> FeedState:
    """Whether the feed is paused, whether its breaker is open, and how much is held. Raises NotFound, NotAllowed."""
    _may(actor, Action.READ_FEED, tenant)
    return await _state(work, await present(work, tenant))


async def held_records(work: Work, tenant: str, actor: Actor, after: tuple[Any, ...] | None, limit: int) -> list[Employee]:
    """The people of whom something is held. Raises NotFound, NotAllowed."""
    _may(actor, Action.READ_FEED, tenant)
    await present(work, tenant)
    return await work.page(documents.held_in(tenant), after=after, limit=limit)


async def ask_breaker(work: Work, subsidiary: Subsidiary, person: str) -> None:
    """Have somebody's leaving let through by the breaker: the name is written now, and the leaving takes effect once it stands there."""
    feed = await counted_feed(work, subsidiary.id)
    decision = feed.ask(person, subsidiary.leaver_share, work.now)
    work.save(decision)
    if decision.state.tripped_at is not None and feed.tripped_at is None:
        work.afterwards(_told_of_trip(subsidiary.id, decision.state.limit(subsidiary.leaver_share), feed.people))


async def counted_feed(work: Work, tenant: str) -> Feed:
    """A subsidiary's feed that knows how many work there, by a count that is not older than an hour."""
    feed = await work.get_or_new(Feed, tenant)
    if not feed.must_count(work.now):
        return feed
    here = await work.count_by(documents.employees_of(tenant, None), "tenant")
    return feed.counted(here.get(tenant, 0), work.now).state


async def settle(work: Work, employee: Employee) -> bool:
    """Take what is held of somebody as far as it may go now; whether that changed anything."""
    subsidiary = await work.peek(Subsidiary, employee.tenant)
    feed = await work.get_or_new(Feed, employee.tenant)
    decision, asks = employee.settle(feed, paused=subsidiary is not None and subsidiary.paused is not None, now=work.now)
    settled = work.save(decision)
    step = await go_on_moving(work, settled)
    again = work.now + step if step is not None else None
    over = await let_go(work, await work.get(Employee, employee.id))
    after = await work.get(Employee, employee.id)
    next_look = min((at for at in (again, over, after.look_at) if at is not None), default=None)
    if next_look is not None and next_look != after.look_at:
        work.save(after.looks(next_look))
    if asks and subsidiary is not None:
        await ask_breaker(work, subsidiary, employee.id)
    return decision.state != employee


async def sweep(work: Work, feed: Feed) -> Sweep | None:
    """Look at a page of those of whom something is held; where to go on, None when everybody has been looked at."""
    now = feed.sweep or Sweep(at=work.now)
    page = await work.page(documents.held_in(feed.id), after=(now.after,) if now.after else None, limit=PAGE)
    if any([await _settled(work, one) for one in page]):
        return now
    return replace(now, after=page[-1].id) if len(page) == PAGE else None


async def _settled(work: Work, employee: Employee) -> bool:
    """As `settle`; one whom a rule stands against keeps nobody else waiting, and stays held."""
    try:
        return await settle(work, employee)
    except DomainError as error:
        _logger.warning("held_records_not_taken", person=employee.id, reason=error.code)
        return False


def tell_of_open_breaker(work: Work, feed: Feed) -> None:
    """Count the time that a breaker has been open, so that an alert lasts as long as it is."""
    if feed.open_since is not None:
        seconds = max(0.0, (work.now - feed.open_since).total_seconds())

        async def count() -> None:
            metrics.BREAKER_OPEN_SECONDS.labels(feed.id).inc(seconds)

        work.afterwards(count)


def _told_of_trip(tenant: str, limit: int, people: int) -> Any:
    async def tell() -> None:
        metrics.BREAKER_TRIPS.labels(tenant).inc()
        metrics.BREAKER_OPEN_SECONDS.labels(tenant).inc(0)
        _logger.warning("leavers_held", tenant=tenant, limit=limit, people=people, what_now="release or drop them")

    return tell


async def _decide(work: Work, tenant: str, actor: Actor, verb: Verb, why: str) -> FeedState:
    _may(actor, Action.MANAGE_FEED, tenant)
    subsidiary = await present(work, tenant)
    work.save((await work.get_or_new(Feed, tenant)).decide(verb, actor.person, why, work.now))
    return await _state(work, subsidiary)


async def _state(work: Work, subsidiary: Subsidiary) -> FeedState:
    feed = await work.get_or_new(Feed, subsidiary.id)
    waiting = await work.count_by(documents.held_in(subsidiary.id), "tenant")
    return FeedState(
        tenant=subsidiary.id,
        paused=subsidiary.paused,
        tripped_at=feed.tripped_at,
        leavers=feed.gone(work.now),
        limit=feed.limit(subsidiary.leaver_share),
        people_with_held=waiting.get(subsidiary.id, 0),
        settling=feed.sweep is not None or (subsidiary.due_at is not None and subsidiary.due_at <= work.now + SOON),
        rulings=sorted((*subsidiary.pauses, *feed.rulings), key=lambda one: one.at),
    )


def _may(actor: Actor, action: Action, tenant: str) -> None:
    authorize(actor, action, Resource("subsidiary", tenant, frozenset({tenant})))
