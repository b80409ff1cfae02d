"""What stands where somebody was who was erased: it lets no record of theirs in, and gives their place as a manager to others."""

from amont.common.events.values import tenant_of
from amont.common.work import Work
from amont.enrolment.domain.erasure import Doors, Erased, digest_of
from amont.enrolment.domain.staff import StaffEntry


async def door_of(person: str, work: Work) -> Erased | None:
    """What stands where somebody was who was erased; None for everybody else."""
    doors = await work.peek(Doors, tenant_of(person))
    return await work.peek(Erased, digest_of(person)) if doors is not None and doors.may_hide(person) else None


async def without_erased(entry: StaffEntry, person: str, work: Work) -> StaffEntry:
    """Whoever a person's record names as a manager and is erased gives their place to those they reported to; a former id that is erased is named no more."""
    looked_at: set[str] = set()
    while entry.profile and (managers := [one for one in (*entry.profile.managers, entry.former) if one and one not in looked_at]):
        looked_at.update(managers)
        for manager in managers:
            door = await door_of(manager, work)
            if door is not None and not door.readmitted:
                entry = entry.reporting_instead(manager, door.managers, but=person)
    return entry
