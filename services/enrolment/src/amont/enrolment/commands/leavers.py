"""Letting go of who left long ago: what is known of a leaver is kept for some weeks, in which they may come back and find what they took part in.

After that nothing stays but the id and the leaving, which keep out what the HR system may still send of before. Others' copies go with the same events.
As long as somebody reports to the leaver, the line of management goes through them, and they are looked at again every day.
"""

from datetime import datetime, timedelta

from amont.common import metrics
from amont.common.aggregate import Decision
from amont.common.work import Effect, Work
from amont.enrolment import documents
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.invitation import Invitations
from amont.enrolment.domain.scim_user import ScimUser
from amont.enrolment.settings import Retention

DAY = timedelta(days=1)


async def let_go(work: Work, person: Employee) -> datetime | None:
    """Keep nothing more of a leaver whose time is over; when to look again, None when there is nothing to let go of."""
    if not person.keeps_anything or person.left_at is None:
        return None
    over = person.left_at + work.tool(Retention).leavers
    if work.now < over:
        return over
    if person.future or person.held or person.move.open or await _is_reported_to(work, person.id):
        work.afterwards(_counted("leavers-waiting"))
        return work.now + DAY
    work.save(person.release())
    invitations, user = await work.peek(Invitations, person.id), await work.peek(ScimUser, person.id)
    if invitations is not None and invitations.sent:
        work.save(invitations.becomes(sent=()))
    if user is not None and not user.present and not user.removed:
        work.save(Decision(user.erased()))
    work.afterwards(_counted("leavers"))
    return None


async def _is_reported_to(work: Work, person: str) -> bool:
    async for one in work.find(documents.reports_of(person)):
        if one.id != person and one.reports_to(person):
            return True
    return False


def _counted(what: str) -> Effect:
    async def count() -> None:
        metrics.RETENTION.labels(what).inc()

    return count
