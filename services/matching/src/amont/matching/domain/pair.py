"""One mentor and one mentee, from proposal to end: consents, deadlines, and what becomes of a pair whose rules no longer hold.

A seat is taken by every pair that is not ended. Who declined and why is kept in the document for the person themselves and never leaves it.
Whether the rules hold is found out elsewhere (`judging`); here is what follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict
from amont.common.events import (
    PairAccepted,
    PairConfirmed,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairProposed,
    PairResumed,
    PairSuspended,
)
from amont.common.events.values import EndReason, Instant, PairStatus, Role, SuspendReason, tenant_of
from amont.common.identity import Resource
from amont.common.kept import HISTORY_KEPT
from amont.matching.domain.points import Points
from amont.matching.domain.policy import Rule

OPEN = (PairStatus.PROPOSED, PairStatus.ACCEPTED)
LIVE = (*OPEN, PairStatus.CONFIRMED, PairStatus.SUSPENDED)
"""The pairs that take a seat."""

Finding = EndReason | SuspendReason | None
"""What a look at a live pair brings: it must end, it must rest, or all is well."""

_ENDS_A_PROPOSAL = {
    SuspendReason.RULE_BROKEN: EndReason.RULE_BROKEN,
    SuspendReason.LINE_CONFLICT: EndReason.LINE_CONFLICT,
    SuspendReason.ON_LEAVE: EndReason.NO_FAULT,
}


class PairNotOpen(Conflict):
    """The pair's state does not allow it."""

    code = "pair-not-open"
    title = "The pair is not open for this"

    def __init__(self, pair: str, status: PairStatus, wanted: str) -> None:
        super().__init__(f"Pair {pair!r} is {status.value} and cannot be {wanted}.")


class NotYourTurn(Conflict):
    """The mentee is asked first."""

    code = "not-your-turn"
    title = "The mentee is asked first"

    def __init__(self, pair: str) -> None:
        super().__init__(f"Pair {pair!r} waits for the mentee's answer. You will be asked after it.")


class ProposalExpired(Conflict):
    """The answer came too late."""

    code = "proposal-expired"
    title = "The proposal has expired"

    def __init__(self, pair: str, at: datetime) -> None:
        super().__init__(f"Pair {pair!r} could be answered until {at.isoformat()}.")


class RuleStandsInTheWay(Conflict):
    """Something has changed since the proposal: the pair cannot be made."""

    code = "rule-stands-in-the-way"
    title = "The pair can no longer be made"

    def __init__(self, pair: str, reason: str) -> None:
        super().__init__(f"Pair {pair!r} can no longer be made ({reason}). It will end by itself; another proposal may follow.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Who said no, and their private reason."""

    by: Role
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Aggregate):
    """See the module. Invariant: confirmed means that both accepted while every hard rule held."""

    programme: str
    round: str
    mentee: str
    mentor: str
    mentee_enrolment: str
    mentor_enrolment: str
    status: PairStatus = PairStatus.PROPOSED
    accepted_by: tuple[Role, ...] = ()
    score: int
    points: Points
    topics: tuple[str, ...]
    week_of: date
    """The week of the round: the rules go by its clocks for as long as the pair lives."""
    proposed_at: Instant
    expires_at: Instant | None
    suspended: SuspendReason | None = None
    rests_until: Instant | None = None
    """When a pair that breaks a rule ends; None while somebody is on leave."""
    ended: EndReason | None = None
    ended_at: Instant | None = None
    refusal: Refusal | None = None
    vacated: bool = False
    """Its seats are free again and the programme has not been told."""
    asked_at: Instant | None = None
    """While `vacated`: when the programme was first asked."""
    overrides: tuple[Rule, ...] = ()
    """The rules that a pinned pair may break: those it broke when it was made."""
    line: tuple[str, ...] = ()
    """While live: the two and everybody above either, as of the last look."""

    def facts(self) -> Mapping[str, Any]:
        return {
            "pair": self.id,
            "programme": self.programme,
            "round": self.round,
            "mentee": self.mentee,
            "mentor": self.mentor,
            "mentee_enrolment": self.mentee_enrolment,
            "mentor_enrolment": self.mentor_enrolment,
            "status": self.status,
            "accepted_by": self.accepted_by,
            "score": self.score,
            "topics": self.topics,
            "expires_at": self.expires_at,
        }

    @property
    def resource(self) -> Resource:
        people = frozenset({self.mentee, self.mentor})
        return Resource("pair", self.id, frozenset(map(tenant_of, people)), people)

    @property
    def known_to(self) -> tuple[str, ...]:
        """Those of the two who know of it: the mentee is asked first, and a mentor who was never asked is never told."""
        return (self.mentee, self.mentor) if Role.MENTEE in self.accepted_by else (self.mentee,)

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def kept_until(self) -> datetime | None:
        """Until when one that has ended is kept."""
        return self.ended_at + HISTORY_KEPT if self.ended_at else None

    @property
    def waits_for(self) -> Role | None:
        """Whose answer is awaited."""
        return {PairStatus.PROPOSED: Role.MENTEE, PairStatus.ACCEPTED: Role.MENTOR}.get(self.status)

    def role_of(self, person: str) -> Role:
        return Role.MENTEE if person == self.mentee else Role.MENTOR

    def propose(self) -> Decision["Pair"]:
        """The pair's first word."""
        return self.becomes(due_at=self.expires_at).saying(PairProposed)

    def accept(self, role: Role, now: datetime, answer_within: timedelta) -> Decision["Pair"]:
        """One side says yes, the mentee first; the second yes confirms. Saying it again changes nothing.

        Raises PairNotOpen, ProposalExpired, NotYourTurn.
        """
        if self.live and role in self.accepted_by:
            return self.becomes()
        self._must_be_answerable(now, "accepted")
        if self.waits_for is not role:
            raise NotYourTurn(self.id)
        accepted = (*self.accepted_by, role)
        if role is Role.MENTEE:
            expires_at = now + answer_within
            asked = self.becomes(status=PairStatus.ACCEPTED, accepted_by=accepted, expires_at=expires_at, due_at=expires_at)
            return asked.saying(PairAccepted, by=role)
        return self.becomes(status=PairStatus.CONFIRMED, accepted_by=accepted, expires_at=None, due_at=None).saying(PairConfirmed)

    def decline(self, role: Role, reason: str | None, now: datetime) -> Decision["Pair"]:
        """Either side says no, for a reason that stays here. Whoever said yes before was told of then: the event adds nothing about who says no.

        Raises PairNotOpen, ProposalExpired.
        """
        self._must_be_answerable(now, "declined")
        return self._over(EndReason.DECLINED, now, refusal=Refusal(by=role, reason=reason)).saying(PairDeclined)

    def expire(self, now: datetime) -> Decision["Pair"]:
        """Nobody answered in time; before that, wait on."""
        if self.expires_at is None or now < self.expires_at:
            return self.becomes(due_at=self.expires_at)
        return self._over(EndReason.EXPIRED, now).saying(PairExpired)

    def end(self, now: datetime) -> Decision["Pair"]:
        """Somebody ends it, without a reason and without fault. Raises PairNotOpen."""
        if not self.live:
            raise PairNotOpen(self.id, self.status, "ended")
        return self._end(EndReason.NO_FAULT, now)

    def complete(self, now: datetime) -> Decision["Pair"]:
        """All planned sessions have been held."""
        if self.status not in {PairStatus.CONFIRMED, PairStatus.SUSPENDED}:
            return self.becomes()
        return self._end(EndReason.COMPLETED, now)

    def review(self, finding: Finding, line: tuple[str, ...], now: datetime, *, rest: timedelta) -> Decision["Pair"]:
        """What follows from a look at the pair: nothing, an end, a rest of at most `rest`, or the end of one."""
        if not self.live:
            return self.becomes()
        match finding:
            case EndReason():
                return self._end(finding, now)
            case SuspendReason() if self.status in OPEN:
                return self._end(_ENDS_A_PROPOSAL[finding], now)
            case SuspendReason():
                return self._rest(finding, line, now, rest)
            case None if self.status is PairStatus.SUSPENDED:
                awake = self.becomes(line=line, status=PairStatus.CONFIRMED, suspended=None, rests_until=None, due_at=None)
                return awake.saying(PairResumed)
            case None:
                return self.becomes(line=line)

    def told(self) -> Decision["Pair"]:
        """The programme knows of the free seats."""
        return self.becomes(vacated=False, asked_at=None, due_at=self.kept_until)

    def asks_again(self, at: datetime, *, now: datetime) -> Decision["Pair"]:
        """The programme is to be asked once more."""
        return self.becomes(asked_at=self.asked_at or now, due_at=at)

    def _must_be_answerable(self, now: datetime, wanted: str) -> None:
        if self.status not in OPEN:
            raise PairNotOpen(self.id, self.status, wanted)
        if self.expires_at is not None and now >= self.expires_at:
            raise ProposalExpired(self.id, self.expires_at)

    def _rest(self, reason: SuspendReason, line: tuple[str, ...], now: datetime, rest: timedelta) -> Decision["Pair"]:
        if self.rests_until is not None and now >= self.rests_until and reason is not SuspendReason.ON_LEAVE:
            return self._end(_ENDS_A_PROPOSAL[reason], now)
        if self.suspended is reason:
            return self.becomes(line=line)
        until = None if reason is SuspendReason.ON_LEAVE else self.rests_until or now + rest
        resting = self.becomes(line=line, status=PairStatus.SUSPENDED, suspended=reason, rests_until=until, due_at=until)
        return resting.saying(PairSuspended, reason=reason)

    def _end(self, reason: EndReason, now: datetime) -> Decision["Pair"]:
        return self._over(reason, now).saying(PairEnded, reason=reason)

    def _over(self, reason: EndReason, now: datetime, **more: Any) -> Decision["Pair"]:
        vacated = reason is not EndReason.COMPLETED
        return self.becomes(
            status=PairStatus.ENDED,
            ended=reason,
            ended_at=now,
            expires_at=None,
            suspended=None,
            rests_until=None,
            line=(),
            vacated=vacated,
            due_at=now if vacated else now + HISTORY_KEPT,
            **more,
        )
