"""Handing over what somebody takes part in when they move to another subsidiary.

The two ids are two documents, which are not written together. So each step is taken only when the one before it is read as written, and whoever took one
looks again: the former id learns of the new one, hands over for good (what ended there no longer comes back), and then the new one takes over.
"""

from dataclasses import replace

from amont.common.work import Work
from amont.enrolment.commands.enrolments import enrolment_id
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.moving import may_hand_over, take_over
from amont.enrolment.domain.programme import Programme


async def go_on_moving(work: Work, person: Employee) -> bool:
    """The next step of a move, if the person is in one; whether to look again."""
    return await _arrive(work, person) if person.move.arriving else await _leave(work, person)


async def _arrive(work: Work, new: Employee) -> bool:
    former = await work.peek(Employee, new.move.former or "")
    if former is None or former.move.successor not in {None, new.id}:
        return False
    if former.move.successor is None and former.move.handed_over:
        return False  # to somebody who has been erased since
    if former.move.successor is None:
        work.save(former.becomes(move=replace(former.move, successor=new.id)))
        return True
    if not may_hand_over(former, new):
        return False  # whoever of the two is missing looks when they have left, or are here
    if not former.move.handed_over:
        work.save(former.becomes(move=replace(former.move, handed_over=True)))
        return True
    programmes = await work.get_many(Programme, [one.programme for one in former.enrolments])
    work.save(take_over(former, new, programmes, work.now, id_of=lambda programme, role: enrolment_id(programme, new.id, role)))
    return False


async def _leave(work: Work, former: Employee) -> bool:
    """Have the successor look, until they have begun."""
    if former.move.successor is None or former.move.handed_over:
        return False
    new = await work.peek(Employee, former.move.successor)
    if new is None or not may_hand_over(former, new):
        return False
    if new.look_at is None:
        work.save(new.looks(work.now))
    return True
