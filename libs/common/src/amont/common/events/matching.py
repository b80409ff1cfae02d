"""What matching tells: rounds and pairs. Ids only; a private reason never leaves the service."""

from typing import ClassVar, Literal

from amont.common.events.envelope import Event
from amont.common.events.values import EndReason, Instant, PairStatus, PersonId, ProgrammeId, Role, SuspendReason


class RoundPublished(Event):
    """A round's pairs were published by a person, or under the authority of the round that person published."""

    topic: ClassVar[str] = "matching-rounds"
    subject_field: ClassVar[str] = "round"
    key_field: ClassVar[str | None] = "programme"

    round: str
    programme: ProgrammeId
    kind: Literal["full", "replacement"]
    published_by: PersonId
    published_at: Instant
    pairs: int
    unmatched: int
    override_reason: str | None
    """Why a round under the policy's matched share was published all the same."""


class PairFact(Event):
    """A pair's full state."""

    topic: ClassVar[str] = "matching-pairs"
    subject_field: ClassVar[str] = "pair"

    pair: str
    programme: ProgrammeId
    round: str
    mentee: PersonId
    mentor: PersonId
    mentee_enrolment: str
    mentor_enrolment: str
    status: PairStatus
    accepted_by: tuple[Role, ...]
    score: int
    topics: tuple[str, ...]
    """What the mentee wishes and the mentor offers."""
    expires_at: Instant | None


class PairProposed(PairFact):
    """A pair was proposed; the mentee is asked first."""


class PairAccepted(PairFact):
    """One side said yes; the other one is asked now."""

    by: Role


class PairConfirmed(PairFact):
    """Both said yes while every hard rule held."""


class PairDeclined(PairFact):
    """One side said no; who and why stays in matching."""


class PairExpired(PairFact):
    """Nobody answered in time."""


class PairSuspended(PairFact):
    """A hard rule no longer holds, or one of the two is on leave."""

    reason: SuspendReason


class PairResumed(PairFact):
    """What had suspended the pair is over."""


class PairEnded(PairFact):
    """The pair is over for any other reason."""

    reason: EndReason
