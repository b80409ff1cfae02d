"""Handing over what somebody takes part in when they move to another subsidiary.

The two ids are two documents, which are not written together. So each step is taken only when the one before it is read as written, and whoever took one
looks again: the former id learns of the new one, hands over for good (what ended there no longer comes back), and then the new one takes over. A claim
that the newest record makes no more is taken back the same way. One that cannot be followed is counted, and looked at again as long as it is made.
"""

from dataclasses import replace
from datetime import timedelta

import structlog

from amont.common import metrics
from amont.common.events.values import EmployeeStatus
from amont.common.work import Effect, Work
from amont.enrolment.commands.enrolments import enrolment_id
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.feed import SOON
from amont.enrolment.domain.move import Move
from amont.enrolment.domain.moving import Refusal, may_hand_over, refusal, take_over
from amont.enrolment.domain.programme import Programme

CLAIMED_AGAIN = timedelta(days=1)
"""When a claim that could not be followed is looked at again."""

_logger = structlog.get_logger(__name__)


async def go_on_moving(work: Work, person: Employee) -> timedelta | None:
    """The next step of a move, if the person is in one; when to look again, None when nothing is to be done before either side says more."""
    if person.move.given_up:
        return await _give_up(work, person)
    return await _arrive(work, person) if person.move.arriving else await _leave(work, person)


async def _give_up(work: Work, person: Employee) -> timedelta:
    """Whoever the person claimed to have been is somebody else's again, until all of them are read as that."""
    formers = await work.get_many(Employee, person.move.given_up)
    claimed = [one for one in formers.values() if one.move.successor == person.id]
    for former in claimed:
        _write(work, former, replace(former.move, successor=None, handed_over=False))
    if not claimed:
        _write(work, person, replace(person.move, given_up=()))
    return SOON


async def _arrive(work: Work, new: Employee) -> timedelta | None:
    former = await work.peek(Employee, new.move.former or "")
    if former is None:
        return _refused(work, new, Refusal.UNKNOWN)
    successor = await work.peek(Employee, former.move.successor) if former.move.successor else None
    if why := refusal(former, new, successor):
        return _refused(work, new, why)
    if former.move.successor != new.id:
        _write(work, former, replace(former.move, successor=new.id))
        return SOON
    if not may_hand_over(former, new):
        return None  # whoever of the two is missing looks when they have left, or are here
    if not former.move.handed_over:
        _write(work, former, former.move.hand_over())
        return SOON
    programmes = await work.get_many(Programme, [one.programme for one in former.enrolments])
    work.save(take_over(former, new, programmes, work.now, id_of=lambda programme, role: enrolment_id(programme, new.id, role)))
    return None


async def _leave(work: Work, former: Employee) -> timedelta | None:
    """Have the successor look, until they have begun."""
    if former.move.successor is None or former.move.handed_over:
        return None
    new = await work.peek(Employee, former.move.successor)
    if new is None or not may_hand_over(former, new):
        return None
    if new.look_at is None or new.look_at > work.now:
        work.save(new.looks(work.now))
    return SOON


def _write(work: Work, person: Employee, move: Move) -> None:
    """Write where somebody stands. A leaver looks at that: should their time be over, nothing else would ever have the link let go of."""
    written = person.becomes(move=move)
    work.save(written.state.looks(work.now) if person.status is EmployeeStatus.LEFT else written)


def _refused(work: Work, new: Employee, why: Refusal) -> timedelta:
    work.afterwards(_told_of(new.id, new.move.former, why))
    return CLAIMED_AGAIN


def _told_of(person: str, former: str | None, why: Refusal) -> Effect:
    async def tell() -> None:
        metrics.MOVES_REFUSED.labels(why).inc()
        if why is not Refusal.UNKNOWN:  # the former subsidiary may not be here at all
            _logger.warning(
                "move_refused", person=person, former=former, reason=why.value, what_now="correct former_id in one of the feeds"
            )

    return tell
