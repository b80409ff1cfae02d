"""Letting go of who left long ago: what is known of a leaver is kept for some weeks, in which they may come back and find what they took part in.

After that nothing stays but the id and the leaving, which keep out what the HR system may still send of before. Others' copies go with the same events.
Invitations and a SCIM user go when the time is over, whatever else is kept. The record waits: as long as somebody who may be here stands below the leaver,
the line of management goes through them, and they are looked at again every day. A user who is inactive and of whom no leaver is known has a clock of their
own: one who was never a staff record, or who was made after the leaver's time was over.
"""

from datetime import datetime, timedelta

from amont.common.aggregate import Decision
from amont.common.events.values import EmployeeStatus
from amont.common.retention import count
from amont.common.work import Work
from amont.enrolment import documents
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.feed import SOON
from amont.enrolment.domain.invitation import Invitations
from amont.enrolment.domain.scim_user import ScimUser
from amont.enrolment.settings import Retention

DAY = timedelta(days=1)


async def let_go(work: Work, person: Employee) -> datetime | None:
    """Keep nothing more of a leaver whose time is over; when to look again, None when there is nothing to let go of."""
    over = _over_at(work, person)
    if over is None or work.now < over:
        return over
    gone = await _let_go_beside(work, person)
    if person.keeps_anything:
        if (wait := await _waits(work, person)) is not None:
            count(work, "leavers-waiting")
            return work.now + wait
        work.save(person.release())
        gone = True
    if gone:
        count(work, "leavers")
    return None


async def let_go_of_user(work: Work, user: ScimUser) -> None:
    """The time of an inactive user is over: nothing more is kept of one whom no leaver's clock sees to. Who is here, or comes, keeps theirs."""
    person = await work.peek(Employee, user.id)
    if person is not None and (person.status is not EmployeeStatus.LEFT or person.due_at is not None):
        work.save(user.becomes(due_at=None))
        return
    work.save(Decision(user.erased()))
    count(work, "leavers")


def _over_at(work: Work, person: Employee) -> datetime | None:
    """Until when a leaver is kept; None of who has not left."""
    if person.status is not EmployeeStatus.LEFT or person.left_at is None:
        return None
    return person.left_at + work.tool(Retention).leavers


async def _let_go_beside(work: Work, person: Employee) -> bool:
    """Let go of what is kept beside the record, for which nothing has to wait; whether there was any."""
    gone = False
    invitations, user = await work.peek(Invitations, person.id), await work.peek(ScimUser, person.id)
    if invitations is not None and invitations.sent:
        work.save(invitations.becomes(sent=()))
        gone = True
    if user is not None and not user.present and not user.removed:
        work.save(Decision(user.erased()))
        gone = True
    return gone


async def _waits(work: Work, person: Employee) -> timedelta | None:
    """How long the record of a leaver whose time is over waits at least; None when nothing needs it any more."""
    successor = await work.peek(Employee, person.move.successor) if person.move.successor else None
    if successor is not None and successor.move.arriving and successor.move.former == person.id:
        return SOON  # handed over or not, what they took part in is still to be read here
    if person.future or person.held or person.move.open or await _carries_somebody(work, person):
        return DAY
    return None


async def _carries_somebody(work: Work, person: Employee) -> bool:
    """Whether a line of management goes through the leaver: whether somebody stands anywhere below who is here, or may be again under what is kept of them.

    Those below whose time is over count for who is below them alone; else leavers above each other in a circle would keep each other for ever.
    """
    seen, above = {person.id}, [person.id]
    while above:
        manager = above.pop()
        async for one in work.find(documents.reports_of(manager)):
            if one.id in seen or not one.reports_to(manager):
                continue
            over = _over_at(work, one)
            if over is None or work.now < over or one.future or one.held:
                return True
            seen.add(one.id)
            above.append(one.id)
    return False
