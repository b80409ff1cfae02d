"""What a round found, in pages: pairs with why, people in no pair with why, enrolments and pins that could not be used, the proof, figures by group, and
the file it can be solved again from.

A round of 100,000 people is far larger than a document may be. So the round itself keeps an `Answer`, which says how much there is, and the rows lie in
pages, written before the round says `solved` and never changed. A row's place never changes either: it is what lists are paged by.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Any, cast

from amont.common.aggregate import Aggregate
from amont.matching.domain.certificate import Certificate
from amont.matching.domain.fairness import Fairness, fairness, scored
from amont.matching.domain.pinning import Unpinned
from amont.matching.domain.points import Points
from amont.matching.domain.policy import Rule
from amont.matching.domain.pool import Pool, Role
from amont.matching.domain.pooling import Gathered, LeftOut, common_topics
from amont.matching.domain.solver import NextBest, Objective, Solution, Unmatched

_SIDES: tuple[Role, Role] = ("mentee", "mentor")

ROWS = 1000
"""How many rows a page has: about 400 KB of pairs; stores end at 16 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One pair of a round's answer, with why. `worth`, `worth_reason`, `pinned` and `overrides` as in `solver.SolvedPair`."""

    mentee: str
    mentor: str
    mentee_enrolment: str
    mentor_enrolment: str
    score: int
    points: Points
    topics: tuple[str, ...]
    next_best: NextBest | None
    worth: int | None = None
    worth_reason: str | None = None
    pinned: bool = False
    overrides: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A link of the management graph that was ignored because it closed a cycle."""

    report: str
    manager: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the certificate says of one person in one role: a mentee's profit or the price of one place of a mentor, and whether a cover has them."""

    person: str
    role: Role
    value: int
    in_pairs_cover: bool
    in_floor_cover: bool


class Part(StrEnum):
    """What the rows of a page are."""

    PAIRS = "pairs"
    UNMATCHED = "unmatched"
    LEFT_OUT = "left_out"
    DROPPED = "dropped"
    PROOF = "proof"
    FAIRNESS = "fairness"
    UNPINNED = "unpinned"
    POOL = "pool"


NAMING = tuple(part for part in Part if part is not Part.FAIRNESS)
"""What names people; figures by group name nobody."""
PASSING = (Part.UNPINNED, Part.POOL)
"""What names people beyond the round's own pairs and whoever was left out of them: pins and forbidden pairs, and what everybody said of themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How an answer came about, as a result file says it: the versions of the engine and of tzdata, seconds to gather the pool and to solve it."""

    engine: str
    tzdata: str
    load_seconds: float
    solve_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a round was solved from, as files that `amont match` reads: the pool line by line, and the policy; and by what."""

    pool: Sequence[str]
    policy: str
    made: "Made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a round says of its answer itself.

    Attributes:
        attempt: the one that found it: pages of others are remains.
        base: the programme's edition it was solved on.
        week_of: by whose clocks the rules were applied.
        rows: how many rows a page has; of each part there are as many rows as the field of its name says.
        pool: how many lines the pool file has; none when it is not kept.
        pool_sha256: the digest of that file, as a result file says it.
        policy_file: the policy it was solved under, as a file.
        passed: whether the parts in `PASSING` are kept no longer, nor the policy file; how many rows they had, and the digest, stay.
        nameless: whether the parts in `NAMING` are kept no longer; how many rows they had stays.
        matched_percent: of the smaller side's seats, rounded down.
        blocking: how many pairs would rather have each other; see `solver.Solution`.
        reward, floor: the certificate's; `None` together when the solver gave no proof.
        pairs_cover, floor_cover: whether the certificate has them.
        made: by what and how fast; `None` where the pool is not kept, or by a release before.
    """

    attempt: int
    base: int
    policy_version: int
    week_of: date
    rows: int = ROWS
    pairs: int
    unmatched: int
    left_out: int
    dropped: int
    proof: int
    fairness: int
    objective: Objective
    matched_percent: int
    blocking: int | None
    reward: int | None
    floor: int | None
    unpinned: int = 0
    pool: int = 0
    pool_sha256: str | None = None
    policy_file: str | None = None
    passed: bool = False
    nameless: bool = False
    pairs_cover: bool = False
    floor_cover: bool = False
    made: Made | None = None

    def count(self, part: Part) -> int:
        """How many rows a part has."""
        return cast("int", getattr(self, part.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPage(Aggregate):
    """Some rows of one part; the others are empty."""

    round: str
    attempt: int
    part: Part
    pairs: tuple[Match, ...] = ()
    unmatched: tuple[Unmatched, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    proof: tuple[Proof, ...] = ()
    fairness: tuple[Fairness, ...] = ()
    unpinned: tuple[Unpinned, ...] = ()
    pool: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Any, ...]:
        """Its rows, of whatever kind."""
        return cast("tuple[Any, ...]", getattr(self, self.part.value))


def page_id(round_id: str, attempt: int, part: Part, number: int) -> str:
    """The id of a page; nobody outside sees it."""
    return f"{round_id}/{attempt}/{part.value}/{number}"


def pages_from(round_id: str, answer: Answer, part: Part, start: int, count: int) -> list[str]:
    """The ids of the pages that rows `start` to `start + count` of a part lie in."""
    end = min(start + count, answer.count(part))
    return [page_id(round_id, answer.attempt, part, number) for number in range(start // answer.rows, -(-end // answer.rows))]


def paged(
    round_id: str,
    attempt: int,
    gathered: Gathered,
    solution: Solution,
    *,
    edition: int,
    policy_version: int,
    unpinned: Sequence[Unpinned] = (),
    source: Source | None = None,
) -> tuple[Answer, Iterator[RoundPage]]:
    """A solution as a round keeps it: what the round says itself, and its pages, made one by one. `source` is what it can be solved again from."""
    pool, certificate = gathered.pool, solution.certificate
    parts: dict[Part, Sequence[Any]] = {
        Part.PAIRS: _matches(gathered, solution),
        Part.UNMATCHED: solution.unmatched,
        Part.LEFT_OUT: gathered.left_out,
        Part.DROPPED: [Dropped(report=report, manager=manager) for report, manager in gathered.dropped_links],
        Part.PROOF: proof_rows(certificate) if certificate else (),
        Part.FAIRNESS: fairness(pool, [scored(solution)]),
        Part.UNPINNED: unpinned,
        Part.POOL: source.pool if source else (),
    }
    counts: dict[str, Any] = {part.value: len(rows) for part, rows in parts.items()}
    answer = Answer(
        attempt=attempt,
        base=edition,
        policy_version=policy_version,
        week_of=pool.week_of,
        rows=ROWS,
        objective=solution.objective,
        matched_percent=matched_percent(pool, len(solution.pairs)),
        blocking=solution.blocking,
        reward=certificate.reward if certificate else None,
        floor=certificate.floor if certificate else None,
        pool_sha256=digest(source.pool) if source else None,
        policy_file=source.policy if source else None,
        pairs_cover=certificate is not None and certificate.pairs_cover is not None,
        floor_cover=certificate is not None and certificate.floor_cover is not None,
        made=source.made if source else None,
        **counts,
    )
    return answer, _pages(round_id, attempt, parts.items())


def digest(lines: Iterable[str]) -> str:
    """SHA-256 of a file of these lines, each of which ends."""
    whole = sha256()
    for line in lines:
        whole.update(f"{line}\n".encode())
    return whole.hexdigest()


def _pages(round_id: str, attempt: int, parts: Iterable[tuple[Part, Sequence[Any]]]) -> Iterator[RoundPage]:
    for part, rows in parts:
        for number, start in enumerate(range(0, len(rows), ROWS)):
            some: dict[str, Any] = {part.value: tuple(rows[start : start + ROWS])}
            yield RoundPage(id=page_id(round_id, attempt, part, number), round=round_id, attempt=attempt, part=part, **some)


def _matches(gathered: Gathered, solution: Solution) -> list[Match]:
    wishes, offers = ({person.id: person.topics for person in gathered.pool.in_role(role)} for role in _SIDES)
    return [
        Match(
            mentee=pair.mentee,
            mentor=pair.mentor,
            mentee_enrolment=gathered.enrolments["mentee", pair.mentee],
            mentor_enrolment=gathered.enrolments["mentor", pair.mentor],
            score=pair.score,
            points=pair.points,
            topics=common_topics(wishes[pair.mentee], offers[pair.mentor]),
            next_best=pair.next_best,
            worth=pair.worth,
            worth_reason=pair.worth_reason,
            pinned=pair.pinned,
            overrides=pair.overrides,
        )
        for pair in solution.pairs
    ]


def proof_rows(certificate: Certificate) -> list[Proof]:
    """A row for everybody of whom the certificate says anything: mentees first, by id."""
    found = []
    sides: tuple[tuple[Role, Any], ...] = (("mentee", certificate.profits), ("mentor", certificate.prices))
    for role, values in sides:
        covers = [
            frozenset((cover.mentees if role == "mentee" else cover.mentors) if cover else ())
            for cover in (certificate.pairs_cover, certificate.floor_cover)
        ]
        found += [
            Proof(
                person=person,
                role=role,
                value=values.get(person, 0),
                in_pairs_cover=person in covers[0],
                in_floor_cover=person in covers[1],
            )
            for person in sorted({*values, *covers[0], *covers[1]})
        ]
    return found


def matched_percent(pool: Pool, pairs: int) -> int:
    """Of the side with fewer seats, rounded down; nobody to match counts as all."""
    smaller = min(sum(person.capacity for person in pool.in_role(role)) for role in ("mentee", "mentor"))
    return 100 * pairs // smaller if smaller else 100
