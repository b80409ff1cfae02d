"""The plan of a pair: its sessions one after the other, at most one of them open, until as many were held as the programme plans.

One document owns all sessions of the pair, and its `seq` numbers what is said of them. One due date drives it: the earliest of proposing, of
a deadline that passes, of a double booking to look for, of its being let go of once it is over. When both can meet is `hours`; waking up is `commands`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import NotFound
from amont.common.events import (
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionProposed,
    SessionRescheduled,
    SessionScheduled,
    Slot,
)
from amont.common.events.values import Instant, Role, SessionStatus, tenant_of
from amont.common.identity import Resource
from amont.common.kept import HISTORY_KEPT
from amont.scheduling.domain.errors import PlanNotActive, SessionNotBegun, SessionNotOpen
from amont.scheduling.domain.hours import Hours, overlap
from amont.scheduling.domain.projections import Pace
from amont.scheduling.domain.session import Session

NOTICE = timedelta(days=2)
"""How long before the earliest option a proposal is made, at the least."""
LEAD = timedelta(days=7)
"""How long before the next session is wanted its times are proposed."""
COOLING = timedelta(days=1)
"""How long nothing is proposed after two cancellations in a row, so that nobody is flooded."""
NO_SLOT = timedelta(days=1)
"""When to look again after no time suited both."""


class PlanStatus(StrEnum):
    ACTIVE = "active"
    RESTING = "resting"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Aggregate):
    """See the module; the id is the pair's.

    Invariants: at most one session is open, the last one; a session's number is one more than were held before it; no more are held than its
    programme planned when it was proposed; `over` is for ever.
    """

    programme: str
    mentee: str
    mentor: str
    mentee_enrolment: str
    mentor_enrolment: str
    status: PlanStatus = PlanStatus.ACTIVE
    sessions: tuple[Session, ...] = ()
    propose_at: Instant | None = None
    """When times are looked for: for the next session, or again for a proposed one whose options will have passed."""
    check_at: Instant | None = None
    """When to look for a double booking."""
    over_at: Instant | None = None
    """Since when the pair is over. A plan may be so before, when no session is planned any more: it stays as long as the pair lives, or a new one began."""

    @property
    def people(self) -> tuple[str, str]:
        return (self.mentee, self.mentor)

    @property
    def tenants(self) -> frozenset[str]:
        return frozenset(map(tenant_of, self.people))

    @property
    def resource(self) -> Resource:
        return Resource("plan", self.id, self.tenants, frozenset(self.people))

    @property
    def open(self) -> Session | None:
        """The session that is proposed or scheduled."""
        return self.sessions[-1] if self.sessions and self.sessions[-1].is_open else None

    @property
    def is_over(self) -> bool:
        """Whether nothing is proposed any more."""
        return self.status is PlanStatus.OVER

    @property
    def kept_until(self) -> datetime | None:
        """Until when one that is over is kept."""
        return self.over_at + HISTORY_KEPT if self.over_at else None

    @property
    def booked(self) -> Slot | None:
        """The time of the open session, once it has one."""
        return self.open.booked if self.open else None

    @property
    def held(self) -> int:
        """How many sessions were completed."""
        return sum(session.status is SessionStatus.COMPLETED for session in self.sessions)

    @property
    def wanted_from(self) -> datetime | None:
        """The earliest that the next session should be: the programme's cadence after the last one that was held."""
        held = (session for session in self.sessions if session.status is SessionStatus.COMPLETED)
        return max((session.next_from for session in held if session.next_from), default=None)

    def options(self, hours: Hours, minutes: int, now: datetime) -> tuple[Slot, ...]:
        """Times to propose for the next session; none that one of the two has turned down before, unless there is no other."""
        after = max(now + NOTICE, self.wanted_from or now)
        turned_down = [time for session in self.sessions for time in session.turned_down]
        return hours.options(after=after, minutes=minutes, avoid=turned_down) or hours.options(after=after, minutes=minutes)

    def role_of(self, person: str) -> Role:
        """The side a person takes; the one who is not the mentee is the mentor."""
        return Role.MENTEE if person == self.mentee else Role.MENTOR

    def facts(self) -> Mapping[str, Any]:
        return {"pair": self.id, "programme": self.programme, "mentee": self.mentee, "mentor": self.mentor}

    def start(self, now: datetime) -> Decision[Self]:
        """A confirmed pair meets: the first session is to be proposed."""
        return self._then(propose_at=now)

    def rest(self, now: datetime) -> Decision[Self]:
        """The pair is suspended: what is upcoming is cancelled, and nothing is proposed until it wakes."""
        return self._leave(PlanStatus.RESTING, now)

    def wake(self, now: datetime) -> Decision[Self]:
        """The pair goes on."""
        if self.status is not PlanStatus.RESTING:
            return Decision(self)
        return self._then(status=PlanStatus.ACTIVE, propose_at=self._next_proposal(now))

    def end(self, now: datetime) -> Decision[Self]:
        """The pair is over: what is upcoming is cancelled. A session that has begun may still be completed. The plan is kept for a time from now on."""
        left = self._leave(PlanStatus.OVER, now)
        return Decision(left.state._then(over_at=self.over_at or now).state, left.events)  # noqa: SLF001 - it is one of us

    def propose(self, session_id: str, pace: Pace, hours: Hours, now: datetime) -> Decision[Self]:
        """Offer times for the next session, or new ones for the session that is proposed and whose old ones have passed.

        When no time suits both, look again later. When the policy no longer plans another session, the plan is over.
        """
        if self.held >= pace.sessions:
            return self._leave(PlanStatus.OVER, now)
        options = self.options(hours, pace.minutes, now)
        if not options:
            return self.wait(now + NO_SLOT)
        new = Session(id=session_id, number=self.held + 1, pace=pace, mentee_zone=hours.mentee.zone, mentor_zone=hours.mentor.zone)
        session = (self.open or new).offered(pace, hours, options)
        return self._with(session, propose_at=options[-1].starts_at).saying(SessionProposed, **session.facts())

    def wait(self, until: datetime) -> Decision[Self]:
        """Propose later: a fact is missing, or no time suits both."""
        return self._then(propose_at=until)

    def schedule(self, session_id: str, starts_at: datetime, hours: Hours, now: datetime) -> Decision[Self]:
        """Take one of the options, or another time that suits both. Raises NotFound, PlanNotActive, SessionNotOpen, SlotRefused, SlotTaken."""
        session = self.session(session_id)
        if session.booked and session.booked.starts_at == starts_at:
            return Decision(self)
        if session.status is not SessionStatus.PROPOSED:
            raise SessionNotOpen(session.id, session.status, "scheduled", "a proposed")
        booked = self._book(session, starts_at, hours, now)
        return self._with(booked, check_at=now).saying(SessionScheduled, **booked.facts())

    def reschedule(self, session_id: str, starts_at: datetime, hours: Hours, now: datetime) -> Decision[Self]:
        """Move to another time; not a cancellation. Raises NotFound, PlanNotActive, SessionNotOpen, SlotRefused, SlotTaken."""
        session = self.session(session_id)
        if session.booked and session.booked.starts_at == starts_at:
            return Decision(self)
        if session.status is not SessionStatus.SCHEDULED:
            raise SessionNotOpen(session.id, session.status, "rescheduled", "a scheduled")
        booked = self._book(session, starts_at, hours, now)
        return self._with(booked, check_at=now).saying(SessionRescheduled, **booked.facts())

    def cancel(self, session_id: str, by: Role, now: datetime) -> Decision[Self]:
        """Call the session off; another one with its number is proposed: at once, or a day later when the one before was called off too.

        Raises NotFound, SessionNotOpen.
        """
        session = self.session(session_id)
        if session.status is SessionStatus.CANCELLED and session.cancelled_by is by:
            return Decision(self)
        if not session.is_open:
            raise SessionNotOpen(session.id, session.status, "cancelled", "a proposed or scheduled")
        again = len(self.sessions) > 1 and self.sessions[-2].cancelled_by is not None
        return self._cancel(session, by, self._next_proposal(now + COOLING if again else now))

    def complete(self, session_id: str, now: datetime) -> Decision[Self]:
        """Say that the session was held; also of a missed one, until another is scheduled in its place.

        The last one planned ends the plan. Raises NotFound, SessionNotOpen, SessionNotBegun.
        """
        session = self.session(session_id)
        if session.status is SessionStatus.COMPLETED:
            return Decision(self)
        if session.slot is None or session.next_from is None or not (session.booked or self._may_be_held_after_all(session)):
            raise SessionNotOpen(session.id, session.status, "completed", "a scheduled (or the last missed)")
        if session.slot.starts_at > now:
            raise SessionNotBegun(session.id, session.slot.starts_at)
        held = replace(session, status=SessionStatus.COMPLETED)
        stand_ins = [self.open.cancelled(None)] if self.open and self.open.id != session.id else []
        is_last = held.number >= held.pace.sessions
        onwards = {"status": PlanStatus.OVER} if is_last else {"propose_at": max(now, session.next_from - LEAD)}
        decision = self._with(held, *stand_ins, **onwards)
        for stand_in in stand_ins:
            decision = decision.saying(SessionCancelled, by=None, **stand_in.facts())
        return decision.saying(SessionCompleted, **held.facts())

    def miss(self) -> Decision[Self]:
        """Nobody said in time that the open session was held: another one with its number is proposed at once."""
        if self.open is None or self.open.missed_at is None:
            return Decision(self)
        missed = replace(self.open, status=SessionStatus.MISSED)
        return self._with(missed, propose_at=self._next_proposal(self.open.missed_at)).saying(SessionMissed, **missed.facts())

    def clashes_with(self, other: "Plan", now: datetime) -> bool:
        """Whether one person, part of both plans, is booked twice at an upcoming time."""
        if self.id == other.id or self.booked is None or other.booked is None or set(self.people).isdisjoint(other.people):
            return False
        return min(self.booked.starts_at, other.booked.starts_at) > now and overlap(self.booked, other.booked)

    def look_for_clashes(self, now: datetime) -> Decision[Self]:
        """Look for a double booking soon."""
        return self._then(check_at=now)

    def stand(self) -> Decision[Self]:
        """No double booking, or the other plan gives way."""
        return self._then(check_at=None)

    def give_way(self, now: datetime) -> Decision[Self]:
        """Lose a double booking: the session is cancelled (by nobody), and another one with its number is proposed at once."""
        if self.open is None:
            return self.stand()
        return self._cancel(self.open, None, self._next_proposal(now), check_at=None)

    def session(self, session_id: str) -> Session:
        """One of its sessions. Raises NotFound."""
        for session in self.sessions:
            if session.id == session_id:
                return session
        raise NotFound("session", session_id)

    def _book(self, session: Session, starts_at: datetime, hours: Hours, now: datetime) -> Session:
        if self.status is not PlanStatus.ACTIVE:
            raise PlanNotActive(self.id, self.status)
        return session.booked_at(hours.choose(starts_at, minutes=session.pace.minutes, offered=session.options, now=now), hours)

    def _leave(self, status: PlanStatus, now: datetime) -> Decision[Self]:
        if self.status in {status, PlanStatus.OVER}:
            return Decision(self)
        upcoming = self.open and (self.booked is None or self.booked.starts_at > now)
        return self._cancel(self.open, None, None, status=status) if self.open and upcoming else self._then(status=status)

    def _cancel(self, session: Session, by: Role | None, propose_at: datetime | None, **changes: Any) -> Decision[Self]:
        cancelled = session.cancelled(by)
        return self._with(cancelled, propose_at=propose_at, **changes).saying(SessionCancelled, by=by, **cancelled.facts())

    def _may_be_held_after_all(self, session: Session) -> bool:
        """A missed session whose number no other has taken for good."""
        return session.status is SessionStatus.MISSED and session.number == self.held + 1 and self.booked is None

    def _next_proposal(self, earliest: datetime) -> datetime:
        return max(earliest, self.wanted_from - LEAD) if self.wanted_from else earliest

    def _with(self, *sessions: Session, **changes: Any) -> Decision[Self]:
        """These sessions in the place of what they were; new ones last."""
        every = {session.id: session for session in (*self.sessions, *sessions)}
        return self._then(sessions=tuple(every.values()), **changes)

    def _then(self, **changes: Any) -> Decision[Self]:
        """The state with these changes, and the due date that follows from it."""
        new = replace(self, **changes)
        if new.status is not PlanStatus.ACTIVE or new.booked:
            new = replace(new, propose_at=None)
        times = (new.propose_at, new.check_at, new.open.missed_at if new.open else None, new.kept_until)
        return Decision(replace(new, due_at=min((at for at in times if at is not None), default=None)))
