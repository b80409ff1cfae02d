"""A delivery: the intent to send one message to one person by one channel, and what becomes of it.

    pending ──► sending ──► sent
       ▲           ├──────► failed        refused, or no answer for a day, or somebody it speaks of never became known
       └───────────┘        suppressed    nobody to write to, or nobody who wants it

A claim is a lease: it is saved before anything is handed over, and when it runs out without an outcome the message is handed over again under
the same Message-ID. So nothing is lost, and a mail comes exactly once, or once more for each time that handing it over was cut off between the mail
server's 250 and the note of it. What the message says is not here: a delivery holds ids and plain values, never a name, an address or a text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from amont.common.aggregate import Aggregate, Decision
from amont.common.events import NotificationFailed, NotificationSent, Slot
from amont.common.events.values import DeliveryStatus, Instant, Role, tenant_of
from amont.common.identity import Resource
from amont.common.kept import HISTORY_KEPT
from amont.notifications.domain.people import Known

LEASE = timedelta(minutes=9)
"""How long a claim holds: nobody else takes the message up in that time. Enough to wait in a queue, to hand over, and to note what came of it."""
START_WITHIN = timedelta(minutes=2)
"""How much of its lease a claim may lose in a queue; later it is given back, so that the rest is always enough."""
LOOK_AGAIN = timedelta(minutes=1)
PATIENCE = timedelta(days=1)
"""How long we wait for facts that have not come yet."""
OVERSLEPT = timedelta(minutes=10)
"""Looking this late means that the service was away: its readers get the time to catch up before a wait is called vain."""
PAUSES = (*(timedelta(minutes=minutes) for minutes in (1, 5, 15)), *(timedelta(hours=1),) * 23)
"""How long to wait after each attempt that got no answer; a little less than 24 hours in all."""
MOST_ATTEMPTS = len(PAUSES) + 1


class Channel(StrEnum):
    """A way to reach somebody."""

    MAIL = "mail"


class Kind(StrEnum):
    """What somebody is told."""

    ENROLLED = "enrolled"
    WITHDRAWN = "withdrawn"
    NOT_CARRIED = "not-carried"
    WAITLISTED = "waitlisted"
    INVITED = "invited"
    REMINDED = "reminded"
    PROPOSAL = "proposal"
    PAIR_CONFIRMED = "pair-confirmed"
    PAIR_DECLINED = "pair-declined"
    PAIR_EXPIRED = "pair-expired"
    PAIR_SUSPENDED = "pair-suspended"
    PAIR_RESUMED = "pair-resumed"
    PAIR_ENDED = "pair-ended"
    SESSION_PROPOSED = "session-proposed"
    SESSION_SCHEDULED = "session-scheduled"
    SESSION_RESCHEDULED = "session-rescheduled"
    SESSION_CANCELLED = "session-cancelled"
    SESSION_COMPLETED = "session-completed"
    SESSION_MISSED = "session-missed"


INVITATIONS = "invitations"
OPTIONAL: Mapping[Kind, str] = MappingProxyType({Kind.INVITED: INVITATIONS, Kind.REMINDED: INVITATIONS})
"""What one may do without, by the word that one says it with. All else is about something the person takes part in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """The session that a message is about, as the reader's side of it."""

    session: str
    number: int
    sequence: int
    """The iCalendar SEQUENCE of its invitation."""
    zone: str
    """The zone in which the time was promised to the reader."""
    slot: Slot | None
    options: tuple[Slot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What a message is about: ids and plain values of the event, seen from the reader's side."""

    programme: str
    role: Role
    """The reader's side."""
    enrolment: str | None = None
    pair: str | None = None
    partner: str | None = None
    """The other one of the pair, when the message may name them."""
    topics: tuple[str, ...] = ()
    expires_at: Instant | None = None
    reason: str | None = None
    """As much of a reason as may be said: `line-of-management`, `leave`, `completed` or `other`."""
    sitting: Sitting | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell one person, before it has a channel and a time."""

    person: str
    kind: Kind
    matter: Matter


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Aggregate):
    """See the module. The id derives from event, channel, person and kind: the same fact heard again is the same delivery."""

    person: str
    kind: Kind
    channel: Channel
    about: str
    """The event."""
    matter: Matter
    happened_at: Instant
    """When the event was."""
    planned_at: Instant
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    reason: str | None = None
    """Why it failed or was suppressed: a stable word, never the mail server's own."""

    @classmethod
    def plan(cls, id_: str, notice: Notice, *, channel: Channel, about: str, happened_at: datetime, now: datetime) -> Decision["Delivery"]:
        """Intend to tell it, now."""
        return Decision(
            cls(
                id=id_,
                person=notice.person,
                kind=notice.kind,
                channel=channel,
                about=about,
                matter=notice.matter,
                happened_at=happened_at,
                planned_at=now,
                due_at=now,
            ),
        )

    @property
    def resource(self) -> Resource:
        return Resource("delivery", self.id, tenants=frozenset({tenant_of(self.person)}), people=frozenset({self.person}))

    @property
    def is_over(self) -> bool:
        return self.status not in {DeliveryStatus.PENDING, DeliveryStatus.SENDING}

    @property
    def kept_until(self) -> datetime:
        """Until when it can be read what somebody was told of, once that is over."""
        return self.happened_at + HISTORY_KEPT

    def facts(self) -> dict[str, Any]:
        return {
            "delivery": self.id,
            "person": self.person,
            "channel": self.channel.value,
            "kind": self.kind.value,
            "about": self.about,
            "status": self.status,
        }

    def take_up(self, known: Known, now: datetime) -> Decision["Delivery"]:
        """Its time has come, for the first time, after a pause, or because a claim ran out without an outcome: wait, drop it, give up or claim it."""
        if reason := self.obstacle(known):
            return self.suppress(reason)
        if missing := self._missing(known):
            return self._wait_for(missing, now)
        if self.attempts >= MOST_ATTEMPTS:
            return self.fail("unavailable", now)
        return self.becomes(status=DeliveryStatus.SENDING, attempts=self.attempts + 1, due_at=now + LEASE)

    def obstacle(self, known: Known) -> str | None:
        """Why there is nobody to tell this, or no longer a reason to."""
        if known.recipient is None:
            return None
        if known.recipient.has_left:
            return "left"
        if known.recipient.email is None:
            return "no-address"
        if OPTIONAL.get(self.kind) in known.recipient.muted:
            return "muted"
        if self.kind is Kind.PROPOSAL and known.partner is not None and known.partner.has_left:
            return "partner-left"
        return None

    def _missing(self, known: Known) -> str | None:
        if known.recipient is None:
            return "recipient"
        if known.partner is None and self.matter.partner is not None:
            return "partner"
        if known.programme is None:
            return "programme"
        return "subsidiary" if known.subsidiary is None and known.recipient.language is None else None

    def _wait_for(self, missing: str, now: datetime) -> Decision["Delivery"]:
        overslept = self.due_at is not None and now - self.due_at > OVERSLEPT
        if now - self.planned_at >= PATIENCE and not overslept:
            return self.fail(f"unknown-{missing}", now)
        return self.becomes(due_at=now + LOOK_AGAIN)

    def is_held(self, attempt: int, now: datetime) -> bool:
        """Whether the claim of this attempt stands, with enough of its lease left to hand the message over."""
        return self._is(attempt) and self.due_at is not None and now <= self.due_at - LEASE + START_WITHIN

    def give_back(self, attempt: int, now: datetime) -> Decision["Delivery"]:
        """The claim could not be used in time: as if it had not been made. Nothing changes when it is no longer ours."""
        if not self._is(attempt):
            return Decision(self)
        return self.becomes(status=DeliveryStatus.PENDING, attempts=attempt - 1, due_at=now)

    def hand_over(self, now: datetime) -> Decision["Delivery"]:
        """The channel took the message; whichever attempt it was, it has left."""
        if self.is_over:
            return Decision(self)
        return self.becomes(status=DeliveryStatus.SENT, due_at=self.kept_until).saying(NotificationSent, at=now)

    def refuse(self, attempt: int, reason: str, now: datetime) -> Decision["Delivery"]:
        """This attempt was refused for good. Nothing changes when a later one is under way."""
        return self.fail(reason, now) if self._is(attempt) else Decision(self)

    def postpone(self, attempt: int, now: datetime) -> Decision["Delivery"]:
        """This attempt got no answer: again after a pause, which grows, until a day has passed. Nothing changes when a later one is under way."""
        if not self._is(attempt):
            return Decision(self)
        if attempt >= MOST_ATTEMPTS:
            return self.fail("unavailable", now)
        return self.becomes(status=DeliveryStatus.PENDING, due_at=now + PAUSES[attempt - 1])

    def suppress(self, reason: str) -> Decision["Delivery"]:
        """Say nothing, for this reason."""
        return self.becomes(status=DeliveryStatus.SUPPRESSED, reason=reason, due_at=self.kept_until)

    def fail(self, reason: str, now: datetime) -> Decision["Delivery"]:
        """Give up for good, for this reason."""
        return self.becomes(status=DeliveryStatus.FAILED, reason=reason, due_at=self.kept_until).saying(
            NotificationFailed, at=now, reason=reason
        )

    def _is(self, attempt: int) -> bool:
        return self.status is DeliveryStatus.SENDING and self.attempts == attempt
