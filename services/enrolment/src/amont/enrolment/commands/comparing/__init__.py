"""What a subsidiary's file would change of what enrolment holds, before anything is sent: nothing is written, nothing is told.

The file's people are laid aside first (`remembered`), then enrolment's pass a page at a time; neither is kept in memory.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from amont.common.events.hris import StaffLeft, StaffRecorded
from amont.common.feeds.across import wholesale
from amont.common.feeds.findings import Finding, found
from amont.common.feeds.record import Line
from amont.common.identity import Action, Actor, Resource, authorize
from amont.common.work import Work
from amont.enrolment import documents
from amont.enrolment.commands.comparing.remembered import Remembered
from amont.enrolment.commands.doors import door_of, without_erased
from amont.enrolment.commands.feeds import counted_feed
from amont.enrolment.commands.subsidiaries import present
from amont.enrolment.domain.comparing import FIELDS, Effect, Said, compared
from amont.enrolment.domain.employee import HERE, Employee
from amont.enrolment.domain.staff import StaffEntry, understand_left, understand_recorded
from amont.enrolment.domain.subsidiary import Subsidiary

Absent = Callable[[Sequence[str]], set[str]]
"""Those of some people who are not in the file."""
Complete = Callable[[], Absent | None]
"""Asked once the file has passed: None where it is not complete."""
_ADDRESS = FIELDS.index("email")
_NOTHING = hash(None)
_STAYS = frozenset({Effect.CHANGED, Effect.UNCHANGED})


@dataclass(slots=True, kw_only=True)
class Comparison:
    """How many people of a subsidiary a file concerns, and how. `here` work there now, `people` are in the file; what becomes of these is in `effects`.

    Attributes:
        fields: of those who would change, how many in which field.
        missing: how many work there and are not in the file; None where that says nothing.
        ahead: of how many a record lies ahead; of `only_ahead` every record does, so that nothing changes before its day.
        returning: how many who work there would leave, and return by a newer record of the file.
        moved_here: how many who are new, or come back, say who they were in another subsidiary; of `moved_here_unknown` nobody has told us of that id.
        moved_away: how many who would leave are somebody in another subsidiary, as that says.
        missed: how many who would leave the breaker counts, since they leave by now and have been here for an hour; it lets `may_leave` go now.
        compared: how many are there and in the file, and change or do not; of these `lost_address` have an address there, and none in the file.
        under_another_id: how many who are new are like somebody who works there under another id (`Remembered.under_another_id`).
    """

    subsidiary: Subsidiary
    here: int = 0
    people: int = 0
    effects: Mapping[Effect, int] = field(default_factory=dict)
    fields: Counter[str] = field(default_factory=Counter)
    missing: int | None = None
    ahead: int = 0
    only_ahead: int = 0
    returning: int = 0
    moved_here: int = 0
    moved_here_unknown: int = 0
    moved_away: int = 0
    missed: int = 0
    may_leave: int = 0
    breaker_open: bool = False
    compared: int = 0
    lost_address: int = 0
    under_another_id: int = 0

    @property
    def leavers(self) -> int:
        """Who would leave, said or missing, for good or not, now or on a day that lies ahead."""
        return self.effects.get(Effect.LEAVING, 0) + self.returning + (self.missing or 0)

    @property
    def trips(self) -> bool:
        """Whether the breaker would hold some of them."""
        return self.missed > self.may_leave or (self.breaker_open and self.missed > 0)

    def findings(self) -> Iterator[Finding]:
        """What happens to so many that it happens to the file."""
        tenant = self.subsidiary.id
        if wholesale(self.under_another_id, self.people):
            what = f"{self.under_another_id:,} of {self.people:,} people are new to enrolment, which has people like them in {tenant!r} under other ids"
            yield found(0, "ids-reissued", "/employee_id", what)
        if self._lost_addresses:
            what = f"{self.lost_address:,} of {self.compared:,} people whom enrolment holds have an address there and none in the file"
            yield found(0, "addresses-gone", "/email", what)
        for name, count in self.fields.most_common():
            if wholesale(count, self.compared) and not (name == "email" and self._lost_addresses):
                what = f"{count:,} of {self.compared:,} people whom enrolment holds would change in {name}"
                yield found(0, "fields-changed", f"/{name}", what)
        if self.trips or wholesale(self.leavers, self.here):
            what = f"{self.leavers:,} of {self.here:,} people who work in {tenant!r} would leave; the breaker {self.lets}"
            yield found(0, "many-leavers", "", what)

    @property
    def lets(self) -> str:
        """What the breaker does with leavers, in words."""
        return "lets nobody go now" if self.breaker_open else f"lets {self.may_leave:,} go within the hour"

    @property
    def _lost_addresses(self) -> bool:
        return wholesale(self.lost_address, self.compared)


async def compare(work: Work, tenant: str, actor: Actor, lines: Iterable[Line], complete: Complete) -> Comparison:
    """Hold the lines of a file that can be sent against what enrolment has; nobody is missing from a file that is not `complete`.

    Raises NotFound, NotAllowed.
    """
    authorize(actor, Action.READ_FEED, Resource("subsidiary", tenant, frozenset({tenant})))
    subsidiary = await present(work, tenant)
    comparison = Comparison(subsidiary=subsidiary)
    with Remembered(work.now) as remembered:
        for line in lines:
            entry = await _understood(line, subsidiary, work)
            door = await door_of(line.event.person, work)
            refused = door is not None and not door.readmitted
            remembered.says(line.event.person, entry, Effect.ERASED if refused else None)
        absent = complete()
        comparison.missing = None if absent is None else 0
        async for page in work.pages(documents.everybody(), after=(f"{tenant}:",)):
            people = [one for one in page if one.tenant == tenant]
            _hold_against(comparison, remembered, people, absent, work.now)
            if len(people) < len(page):
                break
        comparison.effects = remembered.end()
        comparison.people = sum(comparison.effects.values())
        comparison.ahead, comparison.only_ahead = remembered.ahead()
        comparison.under_another_id = remembered.under_another_id()
        for formers in remembered.formers():
            comparison.moved_here += len(formers)
            known = await _known(formers, work)
            comparison.moved_here_unknown += sum(one not in known for one in formers)
    feed = await counted_feed(work, tenant)
    comparison.may_leave = max(0, feed.limit(subsidiary.leaver_share) - feed.gone(work.now))
    comparison.breaker_open = feed.tripped_at is not None
    return comparison


async def _understood(line: Line, subsidiary: Subsidiary, work: Work) -> StaffEntry:
    """The record as enrolment would take it. Raises UnknownGrade, UnknownZone."""
    event, event_id = line.event, (dict(line.record.headers)["ce_id"] or b"").decode()
    if not isinstance(event, StaffRecorded):
        return understand_left(cast("StaffLeft", event), subsidiary, event_id).entry
    return await without_erased(understand_recorded(event, subsidiary, event_id).entry, event.person, work)


def _hold_against(comparison: Comparison, remembered: Remembered, people: Sequence[Employee], absent: Absent | None, now: datetime) -> None:
    """One page of enrolment's people."""
    said, leavings = remembered.said_of(one.id for one in people), remembered.leavings_of(one.id for one in people)
    missing = absent([one.id for one in people]) if absent is not None else set()
    effects: dict[str, Effect] = {}
    for one in people:
        here = one.status in HERE
        comparison.here += here
        if one.id in said:
            effects[one.id], fields = compared(one, said[one.id])
            comparison.fields.update(fields)
            comparison.compared += effects[one.id] in _STAYS and said[one.id].marks is not None
            comparison.lost_address += "email" in fields and _says_no_address(said[one.id])
        leaves = one.id in leavings and compared(one, leavings[one.id])[0] is Effect.LEAVING
        if here and (leaves or one.id in missing):
            comparison.missed += one.is_missed(now)
            comparison.returning += leaves and effects[one.id] is not Effect.LEAVING
        if here and (effects.get(one.id) is Effect.LEAVING or one.id in missing):
            comparison.moved_away += one.move.successor is not None
        if comparison.missing is not None:
            comparison.missing += here and one.id in missing
    remembered.holds(people, effects)


def _says_no_address(said: Said) -> bool:
    return said.marks is not None and said.marks[_ADDRESS] == _NOTHING


async def _known(people: Sequence[str], work: Work) -> set[str]:
    """Those of them of whom somebody has told us."""
    return {one.id async for page in work.pages_of(Employee, people) for one in page}
