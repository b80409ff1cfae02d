"""A round: one matching run, its answer with every explanation, and what people decided about it.

A round is solved once and never changed; publishing or discarding it is a human's act (or, for replacements, under the authority of the human who
published the last full round). The race between two publications is decided by the programme, not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict
from amont.common.events import RoundPublished
from amont.common.events.values import Instant
from amont.common.identity import Resource
from amont.matching.domain.pair import Pair
from amont.matching.domain.points import Points
from amont.matching.domain.pool import Pool
from amont.matching.domain.pooling import Gathered, LeftOut, common_topics
from amont.matching.domain.programme import Programme, Publication
from amont.matching.domain.solver import NextBest, Objective, Solution, Unmatched

MAX_BYTES = 8_000_000
"""How large a round may be as one document; stores end at 16 MB."""


class RoundStatus(StrEnum):
    """Where a round stands; while its pairs are being written it is still `solved`."""

    SOLVED = "solved"
    PUBLISHED = "published"
    DISCARDED = "discarded"


class RoundKind(StrEnum):
    """Asked for by a person, or brought about by seats that became free."""

    FULL = "full"
    REPLACEMENT = "replacement"


class RoundNotOpen(Conflict):
    """The round was published or discarded before, or is being published."""

    code = "round-not-open"
    title = "The round is decided"

    def __init__(self, round_id: str, state: str, wanted: str) -> None:
        super().__init__(f"Round {round_id!r} is {state} and cannot be {wanted}. Solve a new one.")


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


class RoundTooLarge(Conflict):
    """The answer does not fit into one document."""

    code = "round-too-large"
    title = "The round is too large"

    def __init__(self, programme: str, size: int) -> None:
        super().__init__(
            f"A round of programme {programme!r} would take {size:,} bytes; {MAX_BYTES:,} can be kept. Split the programme, for instance by tenant.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One pair of a round's answer, with why."""

    mentee: str
    mentor: str
    mentee_enrolment: str
    mentor_enrolment: str
    score: int
    points: Points
    topics: tuple[str, ...]
    next_best: NextBest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round(Aggregate):
    """See the module. `base` is the programme's edition it was solved on; `matched_percent` is of the smaller side's seats."""

    programme: str
    tenants: tuple[str, ...]
    kind: RoundKind
    status: RoundStatus = RoundStatus.SOLVED
    base: int
    seed: str
    week_of: date
    requested_by: str
    solved_at: Instant
    pairs: tuple[Match, ...]
    unmatched: tuple[Unmatched, ...]
    left_out: tuple[LeftOut, ...]
    dropped_links: tuple[tuple[str, str], ...]
    objective: Objective
    matched_percent: int
    published_by: str | None = None
    published_at: Instant | None = None
    override_reason: str | None = None
    made: int | None = None
    """How many pairs were really proposed: a seat that has gone meanwhile gives none."""

    def facts(self) -> Mapping[str, Any]:
        kind: Literal["full", "replacement"] = "full" if self.kind is RoundKind.FULL else "replacement"
        left_alone = len(self.pairs) - (self.made or 0)
        return {
            "round": self.id,
            "programme": self.programme,
            "kind": kind,
            "published_by": self.published_by,
            "published_at": self.published_at,
            "pairs": self.made,
            "unmatched": len(self.unmatched) + 2 * left_alone,
            "override_reason": self.override_reason,
        }

    @property
    def resource(self) -> Resource:
        return Resource("round", self.id, frozenset(self.tenants))

    def publication(self, by: str, at: datetime, *, min_matched_percent: int, override_reason: str | None) -> Publication:
        """Who stands behind the round. A replacement is covered by the full round before it, so the guard looks at full rounds only.

        Raises RoundNotOpen, BelowMatchedShare.
        """
        if self.status is not RoundStatus.SOLVED:
            raise RoundNotOpen(self.id, self.status.value, "published")
        below = self.kind is RoundKind.FULL and self.matched_percent < min_matched_percent
        if below and override_reason is None:
            raise BelowMatchedShare(self.id, self.matched_percent, min_matched_percent)
        return Publication(round=self.id, by=by, at=at, override_reason=override_reason if below else None)

    def published(self, publication: Publication) -> Decision["Round"]:
        """All its pairs are there. A discard at the moment of publication has lost: the pool was won by the publication."""
        if self.status is RoundStatus.PUBLISHED:
            return self.becomes()
        done = self.becomes(
            status=RoundStatus.PUBLISHED,
            published_by=publication.by,
            published_at=publication.at,
            override_reason=publication.override_reason,
            made=publication.made,
        )
        return done.saying(RoundPublished)

    def discard(self) -> Decision["Round"]:
        """Nothing comes of it. Raises RoundNotOpen."""
        if self.status is RoundStatus.PUBLISHED:
            raise RoundNotOpen(self.id, self.status.value, "discarded")
        return self.becomes(status=RoundStatus.DISCARDED)


def solved(
    *, id_: str, kind: RoundKind, programme: Programme, gathered: Gathered, solution: Solution, by: str, at: datetime
) -> Decision[Round]:
    """The answer as a round."""
    pool = gathered.pool
    found = Round(
        id=id_,
        programme=programme.id,
        tenants=programme.tenants,
        kind=kind,
        base=programme.edition,
        seed=pool.seed,
        week_of=pool.week_of,
        requested_by=by,
        solved_at=at,
        pairs=tuple(_matches(gathered, solution)),
        unmatched=solution.unmatched,
        left_out=gathered.left_out,
        dropped_links=gathered.dropped_links,
        objective=solution.objective,
        matched_percent=_matched_percent(pool, len(solution.pairs)),
    )
    return found.becomes()


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
        week_of=round_.week_of,
        proposed_at=at,
        expires_at=expires_at,
    )


def _matches(gathered: Gathered, solution: Solution) -> list[Match]:
    matches = []
    for pair in solution.pairs:
        mentee, mentor = gathered.enrolments["mentee", pair.mentee], gathered.enrolments["mentor", pair.mentor]
        matches.append(
            Match(
                mentee=pair.mentee,
                mentor=pair.mentor,
                mentee_enrolment=mentee.id,
                mentor_enrolment=mentor.id,
                score=pair.score,
                points=pair.points,
                topics=common_topics(mentee, mentor),
                next_best=pair.next_best,
            ),
        )
    return matches


def _matched_percent(pool: Pool, pairs: int) -> int:
    """Of the side with fewer seats, rounded down; nobody to match counts as all."""
    smaller = min(sum(person.capacity for person in pool.in_role(role)) for role in ("mentee", "mentor"))
    return 100 * pairs // smaller if smaller else 100
