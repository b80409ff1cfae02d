"""An employee: what the HR system said, in time, and their enrolments, in one document.

Records are ordered by their position, so that late, repeated and reordered ones converge: `last` is the newest that is true by now, `future`
those that are not true yet, at most one per instant, `held` those that wait for somebody's word. Enrolments follow the person's status: leave
suspends them, leaving the group ends them, return resumes them. What is not here: how a record is read (`staff`), where records put somebody in the
line of management (`place`), how many leavers are too many (`feed`), and who may enrol (`eligibility`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import NotFound
from amont.common.events import (
    EmployeeChanged,
    EmployeeEnrolled,
    EmployeeErased,
    EmployeeForgotten,
    EmployeeLeft,
    EmployeeWaitlisted,
    EmployeeWithdrawn,
    EnrolmentChanged,
    EnrolmentResumed,
    EnrolmentSuspended,
    SeatRequested,
)
from amont.common.events.enrolment import EmployeeFact, EnrolmentFact
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Instant, Role, tenant_of
from amont.common.identity import Resource
from amont.enrolment.domain.arrival import MOST_AHEAD, MOST_DROPPED, MOST_HELD, Outcome, TooFarAhead, TooManyHeld
from amont.enrolment.domain.enrolment import AlreadyEnrolled, Enrolment, EnrolmentOver, Form
from amont.enrolment.domain.feed import HOUR, SOON, Answer, Feed
from amont.enrolment.domain.holding import Held, Why
from amont.enrolment.domain.move import Move
from amont.enrolment.domain.place import Place
from amont.enrolment.domain.staff import Position, Profile, StaffEntry

HERE = frozenset({EmployeeStatus.ACTIVE, EmployeeStatus.ON_LEAVE})
FOLLOWS: Mapping[tuple[EmployeeStatus, EnrolmentStatus], tuple[EnrolmentStatus, Callable[..., EnrolmentFact]]] = MappingProxyType(
    {
        (EmployeeStatus.ACTIVE, EnrolmentStatus.SUSPENDED): (EnrolmentStatus.ENROLLED, EnrolmentResumed),
        (EmployeeStatus.ACTIVE, EnrolmentStatus.ENDED): (EnrolmentStatus.ENROLLED, EnrolmentResumed),
        (EmployeeStatus.ON_LEAVE, EnrolmentStatus.ENROLLED): (EnrolmentStatus.SUSPENDED, EnrolmentSuspended),
        (EmployeeStatus.ON_LEAVE, EnrolmentStatus.ENDED): (EnrolmentStatus.SUSPENDED, EnrolmentSuspended),
        (EmployeeStatus.LEFT, EnrolmentStatus.WAITING): (EnrolmentStatus.ENDED, EmployeeWithdrawn),
        (EmployeeStatus.LEFT, EnrolmentStatus.ENROLLED): (EnrolmentStatus.ENDED, EmployeeWithdrawn),
        (EmployeeStatus.LEFT, EnrolmentStatus.SUSPENDED): (EnrolmentStatus.ENDED, EmployeeWithdrawn),
    }
)
"""What a person's status does to each of their enrolments; what is not listed stays.

What an enrolment has become follows from the status alone, not from the way to it, so that a leaving that comes late, or is taken back, leaves nothing
behind. Whoever withdrew stays withdrawn.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Employee(Aggregate):
    """See the module. `due_at` is when the first of `future` becomes true, or when what is held is to be looked at (`look_at`)."""

    last: StaffEntry | None = None
    future: tuple[StaffEntry, ...] = ()
    held: tuple[Held, ...] = ()
    look_at: Instant | None = None
    dropped: tuple[Position, ...] = ()
    """Leavings that a coordinator has dropped: they are not taken when they come again."""
    here_since: Instant | None = None
    """When we first heard that they are here, by our own clock: who came within the hour is not missed by the breaker."""
    left_at: Instant | None = None
    """Since when they have left: the day of the leaving, but not before we heard of it. None of who is here."""
    released: Position | None = None
    """The leaving after which nothing was kept of them any more; what stands before it is taken no more, either."""
    place: Place = field(default_factory=Place)
    move: Move = field(default_factory=Move)
    enrolments: tuple[Enrolment, ...] = ()
    erased: bool = False
    """Nothing is known of the person any more; the document counts on until the tombstone is said."""
    forgotten: bool = False
    """The tombstone is said."""

    @property
    def tenant(self) -> str:
        return tenant_of(self.id)

    @property
    def status(self) -> EmployeeStatus | None:
        """None while everything known lies ahead."""
        return self.last.status if self.last else None

    @property
    def profile(self) -> Profile | None:
        """None for a leaver, and while everything known lies ahead."""
        return self.last.profile if self.last else None

    @property
    def newest_profile(self) -> Profile | None:
        """What the newest record that is no leaving says, whether it is true yet, or held; None where there is none."""
        return next((one.profile for one in sorted(self._entries, key=lambda one: one.position, reverse=True) if one.profile), None)

    @property
    def managers(self) -> tuple[str, ...]:
        """Whom the person reports to, the solid line first; of a leaver, whom they reported to last."""
        return self.place.managers

    @property
    def ever_managers(self) -> tuple[str, ...]:
        """Everybody whom any record names, or has named, as a manager of the person."""
        named = (one for entry in self._entries for one in (entry.profile.managers if entry.profile else ()))
        return tuple(dict.fromkeys((*self.managers, *named, *self.place.named)))

    @property
    def keeps_anything(self) -> bool:
        """Whether more is known here of a leaver than that they left."""
        return self.status is EmployeeStatus.LEFT and bool(self.enrolments or self.place.managers or self.place.named or self.elsewhere)

    def reports_to(self, person: str) -> bool:
        """Whether a record that counts, now or later, names the person as a manager."""
        return person in self.managers or any(entry.profile is not None and person in entry.profile.managers for entry in self._entries)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """The person's ids in other subsidiaries, as far as anything here names them."""
        former = (entry.former for entry in self._entries)
        return tuple(dict.fromkeys(one for one in (self.move.former, self.move.successor, *self.move.given_up, *former) if one))

    @property
    def _entries(self) -> tuple[StaffEntry, ...]:
        return (*([self.last] if self.last else []), *self.future, *(one.entry for one in self.held))

    def known_at(self, effective_at: datetime, occurred_at: datetime, *, leaves: bool) -> StaffEntry | None:
        """What a record of these instants would come after: the newest that is known and not newer, whether it is true yet, or held. To one that is no
        leaving, a leaving that is held has not happened.
        """
        passed = () if leaves else tuple(one.entry for one in self.held if one.entry.profile is None)
        earlier = (
            one
            for one in self._entries
            if one not in passed and (one.position.effective_at, one.position.occurred_at) <= (effective_at, occurred_at)
        )
        return max(earlier, key=lambda one: one.position, default=None)

    @property
    def resource(self) -> Resource:
        return Resource("employee", self.id, frozenset({self.tenant}), frozenset({self.id}))

    def facts(self) -> Mapping[str, Any]:
        return {"person": self.id}

    @property
    def held_in_order(self) -> list[Held]:
        """What is held of the person, in the order of time."""
        return sorted(self.held, key=lambda one: one.entry.position)

    def take(self, entry: StaffEntry, now: datetime) -> tuple[Decision["Employee"], Outcome]:
        """A record has arrived. Older than what is known for its instant: it tells at most since when somebody reports to whom. Ahead: kept. Otherwise it
        becomes true, after what is due before it; but a leaving of somebody who has been here is held, until the breaker lets it go.

        Raises TooFarAhead, TooManyHeld.
        """
        if self.released is not None and entry.position <= self.released:
            return self.becomes(), Outcome.STALE
        place = self.place.heard(entry)
        if self._is_stale(entry):
            place = place.true(entry) if entry.position.effective_at <= now else place
            heard = replace(self, place=place)
            if place != self.place and heard.keeps_anything:
                heard = heard.looks(now).state
            return _saying(Decision(heard), self), Outcome.STALE
        if entry.profile is None and len(self.held) >= MOST_HELD:
            raise TooManyHeld(self.id)
        if not self.future and entry.position.effective_at <= now:
            decision = _true(Decision(self), entry, place, now)
        else:
            future = self._future_with(entry)
            if len(future) > len(self.future) and len(future) + len(self.held) > MOST_AHEAD:  # what is held may lie ahead as well
                raise TooFarAhead(self.id)
            decision = replace(self, place=place, future=future).ripen(now)
            if entry.position.effective_at > now:
                return _saying(decision, self), Outcome.DEFERRED
        if any(one.entry is entry for one in decision.state.held):
            return decision, Outcome.HELD
        return decision, Outcome.APPLIED if decision.events else Outcome.UNCHANGED

    def hold(self, entry: StaffEntry, now: datetime) -> tuple[Decision["Employee"], Outcome]:
        """A record has arrived while the subsidiary's feed is paused. Raises TooManyHeld, TooFarAhead."""
        if self._is_stale(entry):
            return self.take(entry, now)
        if len(self.held) >= MOST_HELD:
            raise TooManyHeld(self.id)
        if len(self.future) + len(self.held) >= MOST_AHEAD:  # all of it may lie ahead once the feed is resumed
            raise TooFarAhead(self.id)
        return Decision(_holding(self, Held(entry=entry, why=Why.PAUSED, since=now), now)), Outcome.HELD

    def _is_stale(self, entry: StaffEntry) -> bool:
        """Whether something newer, or the record itself, is known for its instant or for a later one that is true by now."""
        if self.last is not None and entry.position <= self.last.position:
            return True
        known = (*self.dropped, *(one.entry.position for one in self.held), *(one.position for one in self.future))
        return entry.position in known or (bool(self.future) and entry not in self._future_with(entry))

    def _future_with(self, entry: StaffEntry) -> tuple[StaffEntry, ...]:
        """What lies ahead with one more record, in order: of each instant the newest, and before a leaving the newest that is none."""
        same = {one.position: one for one in (entry, *self.future) if one.position.effective_at == entry.position.effective_at}
        newest = max(same.values(), key=lambda one: one.position)
        before = [one for one in same.values() if one.profile is not None and newest.profile is None]
        kept = (*sorted(before, key=lambda one: one.position)[-1:], newest)
        others = (one for one in self.future if one.position not in same)
        return tuple(sorted((*others, *kept), key=lambda one: one.position))

    def is_missed(self, now: datetime) -> bool:
        """Whether their leaving takes somebody away who was here an hour ago."""
        return self.status in HERE and (self.here_since is None or now - self.here_since >= HOUR)

    def ripen(self, now: datetime) -> Decision["Employee"]:
        """What lay ahead and is true by now takes effect, in order."""
        ahead = tuple(one for one in self.future if one.position.effective_at > now)
        decision = self.becomes(future=ahead)
        for entry in self.future[: len(self.future) - len(ahead)]:
            decision = _true(decision, entry, decision.state.place, now)
        return _due(decision)

    def settle(self, feed: Feed, *, paused: bool, now: datetime) -> tuple[Decision["Employee"], bool]:
        """Take what lay ahead and what was held, as far as it may go now; and whether a leaving is still to be asked for at the breaker."""
        decision = self.ripen(now)
        for one in decision.state.held_in_order:
            if paused or one.why is not Why.PAUSED:
                continue
            taken, _ = _without(decision.state, one).take(one.entry, now)
            decision = Decision(taken.state, (*decision.events, *taken.events))
        asks = False
        for one in decision.state.held_in_order:
            if one.why is not Why.LEAVERS:
                continue
            match feed.answer(self.id, one, now):
                case Answer.GO:
                    decision = _turned(Decision(_without(decision.state, one), decision.events), one.entry, decision.state.place, now)
                case Answer.DROP:
                    dropped = (*decision.state.dropped, one.entry.position)[-MOST_DROPPED:]
                    decision = Decision(replace(_without(decision.state, one), dropped=dropped), decision.events)
                case Answer.ASK:
                    asks = True
        later = self.look_at if self.look_at is not None and self.look_at > now else None
        return _due(Decision(replace(decision.state, look_at=now + SOON if asks else later), decision.events)), asks

    def moved_up(self, manager: str, above: tuple[str, ...]) -> Decision["Employee"]:
        """A manager is erased: whoever they reported to takes their place, wherever a record names them. Of who was one long ago nothing is kept, nor
        of an id that the person has or had in another subsidiary.
        """
        last = self.last and self.last.reporting_instead(manager, above, but=self.id)
        future = tuple(one.reporting_instead(manager, above, but=self.id) for one in self.future)
        held = tuple(replace(one, entry=one.entry.reporting_instead(manager, above, but=self.id)) for one in self.held)
        reporting = (last, future, held) != (self.last, self.future, self.held)
        place = self.place.moved_up(manager, above, but=self.id, reporting=reporting)
        after = replace(self, last=last, future=future, held=held, place=place, move=self.move.without(manager))
        return _saying(Decision(after), self)

    def erase(self, reference: str, now: datetime) -> Decision["Employee"]:
        """Leave, as far as others know the person, and be erased: nothing is left but the count. Once is enough."""
        if self.erased:
            return self.becomes()
        leaving = StaffEntry(position=Position(now, now, ""), status=EmployeeStatus.LEFT)
        left = Decision(self) if self.status is EmployeeStatus.LEFT else _turned(Decision(self), leaving, self.place, now)
        blank = Employee(id=self.id, seq=left.state.seq, erased=True)
        enrolments = tuple(one.id for one in self.enrolments)
        return Decision(blank, left.events).saying(EmployeeErased, reference=reference, enrolments=enrolments, erased_at=now)

    def release(self) -> Decision["Employee"]:
        """The time for which a leaver is kept is over: nothing stays but the leaving, which keeps out what is older. Others hear the same of the person, and
        of each of their enrolments.
        """
        if self.last is None or not self.keeps_anything:
            return self.becomes()
        decision = self.becomes(released=self.last.position)
        for one in self.enrolments:
            decision = decision.saying(EnrolmentChanged, **one.blank().facts(self.id))
        blank = Employee(id=self.id, seq=decision.state.seq, last=self.last, left_at=self.left_at, released=self.last.position)
        after = Decision(blank, decision.events)
        return after.saying(EmployeeLeft, effective_at=self.last.position.effective_at, managers=(), released=True)

    def forget(self) -> Decision["Employee"]:
        """Nothing is to be left of the person on the log, either."""
        return self.becomes(forgotten=True).saying(EmployeeForgotten)

    def looks(self, at: datetime) -> Decision["Employee"]:
        """To be woken then, also when nothing that lies ahead is true."""
        return _due(self.becomes(look_at=at))

    def seat(self, programme: str, role: Role) -> Enrolment | None:
        """The person's enrolment in a programme in a role, over or not."""
        return next((one for one in self.enrolments if (one.programme, one.role) == (programme, role)), None)

    def enrolment(self, id_: str) -> Enrolment:
        """One of the person's enrolments. Raises NotFound."""
        for one in self.enrolments:
            if one.id == id_:
                return one
        raise NotFound("enrolment", id_)

    def holds(self, wanted: Enrolment) -> bool:
        """Whether the same request gave the person this seat before. Raises AlreadyEnrolled when another one did."""
        before = self.seat(wanted.programme, wanted.role)
        if before is None or not before.open:
            return False
        if before.request != wanted.request:
            raise AlreadyEnrolled(before.id, before.programme, before.role)
        return True

    def enrol(self, wanted: Enrolment) -> Decision["Employee"]:
        """Take a seat, or ask for one where they are counted, again if need be. The same request twice changes nothing. Raises AlreadyEnrolled."""
        if self.holds(wanted):
            return self.becomes()
        before = self.seat(wanted.programme, wanted.role)
        taken = replace(wanted, version=before.version + 1 if before else 1)
        return asking(self.becomes(), taken, wanted.charter_accepted_at) if wanted.waits else told(self.becomes(), taken, EmployeeEnrolled)

    def admit(self, id_: str) -> Decision["Employee"]:
        """There is a seat for an enrolment that waits; whoever is on leave holds it, suspended. Raises NotFound."""
        waiting = self.enrolment(id_)
        if not waiting.waits:
            return self.becomes()
        enrolled = replace(waiting, status=EnrolmentStatus.ENROLLED, version=waiting.version + 1)
        decision = told(self.becomes(), enrolled, EmployeeEnrolled)
        if self.status is not EmployeeStatus.ON_LEAVE:
            return decision
        return told(decision, replace(enrolled, status=EnrolmentStatus.SUSPENDED, version=enrolled.version + 1), EnrolmentSuspended)

    def wait(self, id_: str, asked_at: datetime) -> Decision["Employee"]:
        """There is no seat now: the person is told once that they wait, since when. Raises NotFound."""
        waiting = self.enrolment(id_)
        if not waiting.waits or waiting.told_to_wait:
            return self.becomes()
        knows = replace(waiting, told_to_wait=True)
        return _written(self.becomes(), knows).saying(EmployeeWaitlisted, **knows.seat(self.id, asked_at))

    def edit(self, id_: str, form: Form) -> Decision["Employee"]:
        """Another form for an enrolment; the same one says nothing. Raises NotFound, EnrolmentOver."""
        enrolment = self.enrolment(id_)
        if not enrolment.open:
            raise EnrolmentOver(id_, enrolment.status)
        if enrolment.form == form:
            return self.becomes()
        edited = replace(enrolment, form=form, version=enrolment.version + 1)
        return _written(self.becomes(), edited) if edited.waits else told(self.becomes(), edited, EnrolmentChanged)

    def sign(self, id_: str, charter: int, now: datetime) -> Decision["Employee"]:
        """Accept an edition of the charter; nobody else needs to hear of it. Raises NotFound, EnrolmentOver."""
        enrolment = self.enrolment(id_)
        if not enrolment.open:
            raise EnrolmentOver(id_, enrolment.status)
        if enrolment.charter_version == charter:
            return self.becomes()
        signed = replace(enrolment, charter_version=charter, charter_accepted_at=now, version=enrolment.version + 1)
        return _written(self.becomes(), signed)

    def withdraw(self, id_: str, private_reason: str | None) -> Decision["Employee"]:
        """Take part no more; once is enough. Raises NotFound."""
        enrolment = self.enrolment(id_)
        if not enrolment.open:
            return self.becomes()
        over = replace(enrolment, status=EnrolmentStatus.WITHDRAWN, private_reason=private_reason, version=enrolment.version + 1)
        return told(self.becomes(), over, EmployeeWithdrawn)


def _true(decision: Decision[Employee], entry: StaffEntry, place: Place, now: datetime) -> Decision[Employee]:
    """The record is true by now: it takes effect, unless it takes somebody away who would be missed. `place` has heard it."""
    if entry.profile is None and decision.state.is_missed(now):
        return Decision(_holding(decision.state, Held(entry=entry, why=Why.LEAVERS, since=now), now), decision.events)
    return _turned(decision, entry, place, now)


def _turned(decision: Decision[Employee], entry: StaffEntry, place: Place, now: datetime) -> Decision[Employee]:
    """The record becomes what is true, said when readers see a difference. A leaving that was held and is older than this never happens."""
    before = decision.state
    here_since = before.here_since if before.status in HERE else now if entry.status in HERE else None
    held = tuple(one for one in before.held if one.why is Why.PAUSED or one.entry.position > entry.position)
    move = before.move.naming(entry.former)
    left_at = None if entry.status in HERE else before.left_at or max(now, entry.position.effective_at)
    after = replace(before, last=entry, held=held, here_since=here_since, left_at=left_at, place=place.true(entry), move=move)
    if move.open or entry.status is EmployeeStatus.LEFT:  # what is kept of a leaver is not in this document alone
        after = after.looks(now).state
    turned = followed(_saying(Decision(after, decision.events), before), entry.status, now)
    return _missing(turned) if move.handed_over and before.status not in HERE and entry.status in HERE and not move.arriving else turned


def _saying(decision: Decision[Employee], before: Employee) -> Decision[Employee]:
    """Add what readers see of somebody, if that is not what they saw before. A leaver is told once per leaving date."""
    after = decision.state
    seen = _seen(after)
    if seen is None or after.last is None or seen == _seen(before):
        return decision
    kind, facts, _ = seen
    return decision.saying(kind, effective_at=after.last.position.effective_at, **facts)


def _seen(employee: Employee) -> tuple[Callable[..., EmployeeFact], Mapping[str, Any], datetime | None] | None:
    """What readers see of somebody, and since when if that is news, too.

    Nobody is told of a leaver whom they never heard of (`seq` 0) and through whom no line goes.
    """
    if employee.last is None:
        return None
    at, place = employee.last.position.effective_at, employee.place
    if (profile := employee.profile) is not None:
        since = place.since(profile.managers, at.date())
        return EmployeeChanged, {"status": employee.status, "managers_since": since, **profile.facts()}, None
    managers = place.line.managers if place.line else None
    if not employee.seq and not managers:
        return None
    return EmployeeLeft, {"managers": managers, "managers_since": place.since(managers or (), at.date())}, at


def _holding(employee: Employee, one: Held, now: datetime) -> Employee:
    """One more record held, to be looked at as soon as that is written: what it waits for may have come meanwhile."""
    return replace(employee, held=(*employee.held, one)).looks(now).state


def _without(employee: Employee, one: Held) -> Employee:
    return replace(employee, held=tuple(other for other in employee.held if other is not one))


def _due(decision: Decision[Employee]) -> Decision[Employee]:
    """Woken when the first of what lies ahead becomes true, or for what is held."""
    state = decision.state
    instants = [one for one in (state.look_at, state.future[0].position.effective_at if state.future else None) if one is not None]
    return Decision(replace(state, due_at=min(instants, default=None)), decision.events)


def followed(decision: Decision[Employee], status: EmployeeStatus, now: datetime) -> Decision[Employee]:
    """Every enrolment as the status has it; what was handed over stays ended. Who comes back to where seats are counted asks for one again: theirs
    was given on.
    """
    for enrolment in decision.state.enrolments:
        follows = FOLLOWS.get((status, enrolment.status))
        if follows is not None and not (decision.state.move.handed_over and enrolment.status is EnrolmentStatus.ENDED):
            becomes, kind = follows
            after = replace(enrolment, status=becomes, version=enrolment.version + 1)
            back = enrolment.status is EnrolmentStatus.ENDED
            decision = asking(decision, after, now) if back and enrolment.counted else told(decision, after, kind)
    return decision


def _missing(decision: Decision[Employee]) -> Decision[Employee]:
    """Who comes back to where they had moved away from, and of whom it is not said from where, is told that what went along does not come back."""
    person, elsewhere = decision.state.id, decision.state.move.successor
    for enrolment in decision.state.enrolments:
        if enrolment.status is EnrolmentStatus.ENDED:
            decision = decision.saying(EmployeeWithdrawn, **enrolment.facts(person), moved_from=elsewhere or person)
    return decision


def asking(decision: Decision[Employee], enrolment: Enrolment, at: datetime) -> Decision[Employee]:
    """The enrolment waits for a seat, and asks for one."""
    waiting = replace(enrolment, status=EnrolmentStatus.WAITING, asked=decision.state.seq + 1, told_to_wait=False)
    return _written(decision, waiting).saying(SeatRequested, **waiting.seat(decision.state.id, at))


def _written(decision: Decision[Employee], enrolment: Enrolment) -> Decision[Employee]:
    """The enrolment in its new state, in its place; nobody is told."""
    others = tuple(one for one in decision.state.enrolments if one.id != enrolment.id)
    state = replace(decision.state, enrolments=tuple(sorted((*others, enrolment), key=lambda one: one.id)))
    return Decision(state, decision.events)


def told(decision: Decision[Employee], enrolment: Enrolment, kind: Callable[..., EnrolmentFact], **more: Any) -> Decision[Employee]:
    """The same, and the event that says so."""
    return _written(decision, enrolment).saying(kind, **enrolment.facts(decision.state.id), **more)
