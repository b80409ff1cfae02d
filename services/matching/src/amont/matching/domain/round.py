"""A round: one matching run, from the request to what people decided about its answer.

A round is solved once, by a job, and its answer never changes; publishing or discarding it is a human's act (or, for replacements, under the authority of
the human who published the last full round). The race between two publications is decided by the programme, not here. The rows of the answer are in
`answer`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

from amont.common.aggregate import Decision
from amont.common.errors import Conflict
from amont.common.events import RoundPublished
from amont.common.events.values import Instant
from amont.common.identity import Resource
from amont.common.kept import DECISIONS_KEPT, HISTORY_KEPT
from amont.matching.domain.answer import NAMING, PASSING, Answer, Made, Match, Part
from amont.matching.domain.job import Job
from amont.matching.domain.pair import Pair
from amont.matching.domain.programme import Programme, Publication
from amont.matching.domain.suppression import K

UNDECIDED = timedelta(days=90)
"""How long a solved round waits for somebody to decide about it."""
KEPT = timedelta(days=1)
"""How long the answer of a discarded round can still be read: longer than a publication at the same moment can take to be seen."""
FILES_KEPT = timedelta(days=90)
"""How long a published round keeps its pool and the pins that did not hold: as long as a round may wait for a decision. Long enough to copy and check them;
not for ever, since they name who has left the group meanwhile, with pins, forbidden pairs and what they said of themselves."""
LIVE = "live"
"""How a pair that has not ended is counted."""
READ_OUT = timedelta(hours=1)
"""How long pages stay when nobody may begin to read them any more: longer than who began before takes for the largest file."""


class RoundStatus(StrEnum):
    """Where a round stands; while its pairs are being written it is still `solved`."""

    REQUESTED = "requested"
    SOLVED = "solved"
    PUBLISHED = "published"
    DISCARDED = "discarded"


class RoundKind(StrEnum):
    """Asked for by a person, or brought about by seats that became free."""

    FULL = "full"
    REPLACEMENT = "replacement"


class Kept(StrEnum):
    """What a round that is decided keeps for a time."""

    FILES = "files"
    DECISION = "decision"
    PEOPLE = "people"


class RoundNotOpen(Conflict):
    """The round is not solved yet, or was published or discarded before."""

    code = "round-not-open"
    title = "The round is not open for this"

    def __init__(self, round_id: str, status: "RoundStatus", wanted: str) -> None:
        then = "Wait until it is solved" if status is RoundStatus.REQUESTED else "Ask for a new one"
        super().__init__(f"Round {round_id!r} is {status.value} and cannot be {wanted}. {then}.")


class BelowMatchedShare(Conflict):
    """The commit guard: too few found a partner."""

    code = "below-matched-share"
    title = "Too few are matched"

    def __init__(self, round_id: str, matched: int, floor: int) -> None:
        super().__init__(
            f"Round {round_id!r} matches {matched} % of the smaller side, the policy asks for {floor} %. Publish it with an override_reason.",
        )
        self.matched, self.floor = matched, floor

    def extra(self) -> Mapping[str, Any]:
        return {"matched_percent": self.matched, "min_matched_percent": self.floor}


class NoAnswer(Conflict):
    """The rows of a round can be read while it has any."""

    code = "no-answer"
    title = "The round has no answer"

    def __init__(self, round_id: str, status: "RoundStatus") -> None:
        why = {
            RoundStatus.REQUESTED: "is not solved yet. Ask again when its status is `solved`.",
            RoundStatus.DISCARDED: "was discarded, and its answer is gone.",
            RoundStatus.SOLVED: "keeps this no longer, since somebody in it was erased. Ask for a new one.",
            RoundStatus.PUBLISHED: f"keeps its files for {FILES_KEPT.days} days after it is published, and no longer than until somebody in it is erased; "
            f"whom it names for {HISTORY_KEPT.days} days; its figures for good.",
        }
        super().__init__(f"Round {round_id!r} {why[status]}")


class NoPoolFile(Conflict):
    """The pool of a round can be written as a file of full rounds, and of most of those."""

    code = "no-pool-file"
    title = "The round's pool is not kept"

    def __init__(self, round_id: str) -> None:
        super().__init__(
            f"Round {round_id!r} has no pool file: only full rounds keep one, for {FILES_KEPT.days} days after they are published. Replacements keep none, "
            "nor rounds of nobody or of a release before, nor those where somebody takes part in both roles with different hours, languages or ways to "
            "meet, for which the format has no place.",
        )


class NoResultFile(Conflict):
    """A round that keeps its pool has a result file too, but for those that a release before solved."""

    code = "no-result-file"
    title = "The round has no result file"

    def __init__(self, round_id: str) -> None:
        super().__init__(
            f"Round {round_id!r} was solved without a proof, or by a release that did not write down by which engine. "
            "`amont match` makes a result of its pool and policy."
        )


class Discarded(StrEnum):
    """Why a round was discarded when no person did."""

    FAILED = "failed"
    PROGRAMME_NOT_OPEN = "programme-not-open"
    UNDECIDED = "undecided"
    NOTHING_TO_PROPOSE = "nothing-to-propose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round(Job):
    """See the module. `answer` is there from when it is solved until a day after it is discarded; `tenants` are the programme's when it was asked for,
    and once it is solved those of everybody in it as well.
    """

    programme: str
    tenants: tuple[str, ...]
    kind: RoundKind
    status: RoundStatus = RoundStatus.REQUESTED
    seed: str
    requested_by: str | None
    requested_at: Instant
    solved_at: Instant | None = None
    answer: Answer | None = None
    discarded: Discarded | None = None
    published_by: str | None = None
    published_at: Instant | None = None
    override_reason: str | None = None
    made: int | None = None
    """How many pairs were really proposed: a seat that has gone meanwhile gives none."""
    unmatched: int | None = None
    """Once published: how many had no pair then, each once for a role; a mentor with one pair of two has one."""
    outcomes: Mapping[str, int] | None = None
    """What became of its pairs, counted as it forgets whom it names: by the reason of their end, `live` for those that had none. Empty of fewer than K."""

    def facts(self) -> Mapping[str, Any]:
        kind: Literal["full", "replacement"] = "full" if self.kind is RoundKind.FULL else "replacement"
        return {
            "round": self.id,
            "programme": self.programme,
            "kind": kind,
            "published_by": self.published_by,
            "published_at": self.published_at,
            "pairs": self.made,
            "unmatched": self.unmatched,
            "override_reason": self.override_reason,
        }

    @property
    def resource(self) -> Resource:
        return Resource("round", self.id, frozenset(self.tenants))

    @property
    def waits(self) -> bool:
        return self.status is RoundStatus.REQUESTED

    def give_up(self, now: datetime) -> Decision["Round"]:
        """Nothing can be found: see the log of whoever tried."""
        return self.drop(Discarded.FAILED, now)

    def solve(self, answer: Answer, tenants: Iterable[str], now: datetime) -> Decision["Round"]:
        """Its pages are written: from now on they can be read, by whoever answers for these tenants too, who have somebody in it.

        Remains of earlier attempts are cleared away next.
        """
        clear_at = now if answer.attempt > 1 else now + UNDECIDED
        concerned = tuple(sorted({*self.tenants, *tenants}))
        return self.becomes(
            status=RoundStatus.SOLVED, answer=answer, tenants=concerned, solved_at=now, claimed_until=None, seen=None, due_at=clear_at
        )

    def cleared(self, now: datetime) -> Decision["Round"]:
        """What was left to clear away is gone. What nobody decides about in time is discarded; of what is published something is kept for a time."""
        if self.status is RoundStatus.SOLVED and self.solved_at is not None:
            until = self.solved_at + UNDECIDED
            return self.drop(Discarded.UNDECIDED, now) if until <= now else self.becomes(due_at=until)
        return self.becomes(due_at=min(self.kept_until.values(), default=None))

    @property
    def kept_until(self) -> Mapping[Kept, datetime]:
        """What is still kept for a time, of a round that is decided, and until when."""
        until: dict[Kept, datetime] = {}
        decided_at = self.published_at if self.status is RoundStatus.PUBLISHED else self.requested_at
        if self.status not in {RoundStatus.PUBLISHED, RoundStatus.DISCARDED} or decided_at is None:
            return until
        if self.requested_by is not None:
            until[Kept.DECISION] = decided_at + DECISIONS_KEPT
        if self.status is RoundStatus.PUBLISHED and self.answer is not None:
            if not self.answer.passed:
                until[Kept.FILES] = decided_at + FILES_KEPT
            if not self.answer.nameless:
                until[Kept.PEOPLE] = decided_at + HISTORY_KEPT
        return until

    def over(self, now: datetime) -> tuple[Kept, ...]:
        """What can still be read of which the time is over, beside the answer of a discarded round."""
        return tuple(what for what, until in self.kept_until.items() if until <= now)

    def is_to_be_shut(self, now: datetime) -> bool:
        """Whether something can still be read of which the time is over."""
        return bool(self.over(now)) or (self.status is RoundStatus.DISCARDED and self.answer is not None)

    def shut(self, now: datetime, ended: Mapping[str | None, int] = MappingProxyType({})) -> Decision["Round"]:
        """Nobody may begin to read that any more; the pages are removed once those who had begun are through.

        Whom it names is forgotten as the history of its pairs is, of which counts stay: `ended` are all its pairs by the reason of their end.
        """
        over, answer = self.over(now), self.answer if self.status is RoundStatus.PUBLISHED else None
        if answer is not None and {Kept.FILES, Kept.PEOPLE}.intersection(over):
            answer = replace(answer, passed=True, policy_file=None, nameless=answer.nameless or Kept.PEOPLE in over)
        forgotten: dict[str, Any] = dict.fromkeys(("requested_by", "published_by", "override_reason")) if Kept.DECISION in over else {}
        if Kept.PEOPLE in over:
            told = sum(ended.values()) >= K
            forgotten["outcomes"] = {reason or LIVE: number for reason, number in ended.items()} if told else {}
        return self.becomes(answer=answer, due_at=now + READ_OUT, **forgotten)

    def lets_go_of_pool(self, now: datetime) -> Decision["Round"]:
        """Somebody in its pool is erased: nobody may read it any more, nor the pins that did not hold, however young the round is."""
        answer = replace(self.answer, passed=True, policy_file=None) if self.answer else None
        return self.becomes(answer=answer, due_at=now)

    def solution(self, wanted: str) -> Answer:
        """The answer, of a round that is solved. Raises RoundNotOpen."""
        if self.answer is None:
            raise RoundNotOpen(self.id, self.status, wanted)
        return self.answer

    def rows(self, part: Part | None = None) -> Answer:
        """The answer, to read its rows, or those of that part. Raises NoAnswer."""
        if self.answer is None or (self.answer.passed and part in PASSING) or (self.answer.nameless and part in NAMING):
            raise NoAnswer(self.id, self.status)
        return self.answer

    def source(self) -> Answer:
        """The answer, of a round that can be solved again from files. Raises NoAnswer, NoPoolFile."""
        answer = self.rows()
        if answer.policy_file is None:
            raise NoPoolFile(self.id)
        return answer

    def proved(self) -> tuple[Answer, Made]:
        """The answer that can be written as a result file, and how it came about. Raises NoAnswer, NoPoolFile, NoResultFile."""
        answer = self.source()
        if answer.made is None or answer.reward is None:
            raise NoResultFile(self.id)
        return answer, answer.made

    def publication(self, by: str, at: datetime, *, min_matched_percent: int, override_reason: str | None) -> Publication:
        """Who stands behind the round; a reason is kept, and told, only where it was needed, and a blank one is none.

        A replacement is covered by the full round before it, so the guard looks at full rounds only.

        Raises RoundNotOpen, BelowMatchedShare.
        """
        answer = self.solution("published")
        if self.status is not RoundStatus.SOLVED:
            raise RoundNotOpen(self.id, self.status, "published")
        reason = (override_reason or "").strip()
        below = self.kind is RoundKind.FULL and answer.matched_percent < min_matched_percent
        if below and not reason:
            raise BelowMatchedShare(self.id, answer.matched_percent, min_matched_percent)
        return Publication(round=self.id, by=by, at=at, override_reason=reason if below else None)

    def published(self, publication: Publication, *, alone: int) -> Decision["Round"]:
        """All its pairs are there; `alone` is how many mentors are in none of them though the answer had one for each.

        A discard at the moment of publication has lost: the pool was won by the publication.
        """
        if self.status is RoundStatus.PUBLISHED:
            return self.becomes()
        done = self.becomes(
            status=RoundStatus.PUBLISHED,
            discarded=None,
            due_at=publication.at if self.rows().attempt > 1 else publication.at + FILES_KEPT,
            published_by=publication.by,
            published_at=publication.at,
            override_reason=publication.override_reason,
            made=publication.made,
            unmatched=self.rows().unmatched + len(publication.missed) + alone,
        )
        return done.saying(RoundPublished)

    def discard(self, now: datetime) -> Decision["Round"]:
        """Somebody throws it away, solved or not. Raises RoundNotOpen."""
        if self.status is RoundStatus.PUBLISHED:
            raise RoundNotOpen(self.id, self.status, "discarded")
        return self.becomes() if self.status is RoundStatus.DISCARDED else self.drop(None, now)

    def drop(self, why: Discarded | None, now: datetime) -> Decision["Round"]:
        """Nothing comes of it; its answer is shut a day later."""
        return self.becomes(status=RoundStatus.DISCARDED, discarded=why, claimed_until=None, seen=None, due_at=now + KEPT)


def requested(*, id_: str, kind: RoundKind, programme: Programme, by: str, seed: str, at: datetime) -> Decision[Round]:
    """A round to be solved on whatever seats are free when that begins."""
    wanted = Round(
        id=id_,
        programme=programme.id,
        tenants=programme.tenants,
        kind=kind,
        seed=seed,
        requested_by=by,
        requested_at=at,
        due_at=at,
    )
    return wanted.becomes()


def proposal(round_: Round, match: Match, *, id_: str, at: datetime, expires_at: datetime) -> Pair:
    """A match as a pair that nobody has been told of yet."""
    return Pair(
        id=id_,
        programme=round_.programme,
        round=round_.id,
        mentee=match.mentee,
        mentor=match.mentor,
        mentee_enrolment=match.mentee_enrolment,
        mentor_enrolment=match.mentor_enrolment,
        score=match.score,
        points=match.points,
        topics=match.topics,
        overrides=match.overrides,
        week_of=round_.rows().week_of,
        proposed_at=at,
        expires_at=expires_at,
    )
