"""The rows of a round's answer, as they go over the wire. People are ids."""

from pydantic import BaseModel, Field

from amont.matching.api.views.shared import points_of
from amont.matching.domain.answer import Dropped, Match, Proof
from amont.matching.domain.change import Change
from amont.matching.domain.pinning import Hindrance, Unpinned
from amont.matching.domain.pooling import LeftOut
from amont.matching.domain.solver import NextBest, Unmatched
from amont.matching.domain.words import Language, alone_in_words, left_out_in_words, pair_in_words, unpinned_in_words


class NextBestView(BaseModel):
    """The best other mentor this mentee could have had, taken or not."""

    mentor: str
    score: int

    @classmethod
    def of(cls, other: NextBest) -> "NextBestView":
        return cls(mentor=other.mentor, score=other.score)


class MatchView(BaseModel):
    """One pair of a round's answer: the points by criterion add up to the score, 0 to 1,000."""

    mentee: str
    mentor: str
    score: int
    points: dict[str, int]
    topics: list[str]
    next_best: NextBestView | None
    worth: int | None = Field(
        description="what the total would lose without this pair; null when the number of pairs or the lowest score would fall, and for a pin"
    )
    pinned: bool = Field(description="decided beforehand by a coordinator")
    overrides: list[str] = Field(description="every rule that a pinned pair breaks, in rule order")
    words: list[str] = Field(description="the same in words")

    @classmethod
    def of(cls, match: Match, language: Language) -> "MatchView":
        return cls(
            mentee=match.mentee,
            mentor=match.mentor,
            score=match.score,
            points=points_of(match.points),
            topics=list(match.topics),
            next_best=NextBestView.of(match.next_best) if match.next_best else None,
            worth=match.worth,
            pinned=match.pinned,
            overrides=list(match.overrides),
            words=list(
                pair_in_words(
                    match.points,
                    match.next_best,
                    match.worth,
                    language,
                    worth_reason=match.worth_reason,
                    pinned=match.pinned,
                    overrides=match.overrides,
                )
            ),
        )


class ChangeView(BaseModel):
    """The smallest change of their own that would open candidates: free time, or one more language."""

    kind: str
    opens: int = Field(description="how many candidates become allowed by it alone")
    half_hours: int
    window: str = Field(description="for `hours`, the stretch in the person's local time")
    language: str

    @classmethod
    def of(cls, change: Change) -> "ChangeView":
        return cls(kind=change.kind, opens=change.opens, half_hours=change.half_hours, window=change.window, language=change.language)


class UnmatchedView(BaseModel):
    """Somebody without a partner: how many candidates each rule was the first to remove, how many were left, what would help."""

    person: str
    role: str
    removed: dict[str, int]
    left: int
    change: ChangeView | None
    words: list[str] = Field(description="the same in words")

    @classmethod
    def of(cls, alone: Unmatched, language: Language) -> "UnmatchedView":
        return cls(
            person=alone.id,
            role=alone.role,
            removed={rule.value: count for rule, count in alone.removed.items()},
            left=alone.left,
            change=ChangeView.of(alone.change) if alone.change else None,
            words=list(alone_in_words(alone, language)),
        )


class UnpinnedView(BaseModel):
    """A pin that does not hold in this round, and why."""

    mentee: str
    mentor: str
    why: Hindrance
    broken: list[str] = Field(description="the rules in its way, when they are; an override would let it hold")
    words: list[str] = Field(description="the same in words")

    @classmethod
    def of(cls, one: Unpinned, language: Language) -> "UnpinnedView":
        return cls(mentee=one.mentee, mentor=one.mentor, why=one.why, broken=list(one.broken), words=list(unpinned_in_words(one, language)))


class LeftOutView(BaseModel):
    """An active enrolment that the round could not use, and why."""

    enrolment: str
    person: str
    reason: str
    words: list[str] = Field(description="the same in words")

    @classmethod
    def of(cls, one: LeftOut, language: Language) -> "LeftOutView":
        return cls(enrolment=one.enrolment, person=one.person, reason=one.reason, words=[left_out_in_words(one, language)])


class DroppedView(BaseModel):
    """A link from a report to a manager that was ignored because it closed a cycle."""

    report: str
    manager: str

    @classmethod
    def of(cls, link: Dropped) -> "DroppedView":
        return cls(report=link.report, manager=link.manager)


class ProofView(BaseModel):
    """A mentee's profit, or the price of one place of a mentor, and whether the two covers have the person."""

    person: str
    role: str
    value: int
    in_pairs_cover: bool
    in_floor_cover: bool

    @classmethod
    def of(cls, proof: Proof) -> "ProofView":
        return cls(
            person=proof.person,
            role=proof.role,
            value=proof.value,
            in_pairs_cover=proof.in_pairs_cover,
            in_floor_cover=proof.in_floor_cover,
        )
