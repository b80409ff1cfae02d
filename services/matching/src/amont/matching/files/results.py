"""The result file: from an answer with its proof to text. The format is the scoring contract's, "The result file".

The bytes are the same for the same answer: lists are sorted as the contract says, ids of the certificate by code point, one pair, person or
price to a line so that two results can be compared by eye.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from amont.matching.domain.answer import ROWS, Match, Part, Proof, proof_rows
from amont.matching.domain.pool import Role
from amont.matching.domain.solver import Objective, Solution, SolvedPair, Unmatched
from amont.matching.domain.words import FALLBACK, Language, change_in_words, worth_in_words
from amont.matching.files.lines import in_json

RESULT_FORMAT = "result/1"


def digest(raw: bytes) -> str:
    """By what a result names a file that it was made from: SHA-256 of its bytes, in hexadecimal digits."""
    return sha256(raw).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a result was made from, by what, and in what time.

    Attributes:
        pool: the digest of the pool file.
        policy: the digest of the policy file, that of `NO_POLICY` without one.
        engine: the version of the engine.
        tzdata: the version of the tzdata package.
        load_seconds: time to read the files.
        solve_seconds: time to find and prove the answer.
    """

    pool: str
    policy: str
    engine: str
    tzdata: str
    load_seconds: float
    solve_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a result says once: its origin, what was reached, and of the certificate what is about nobody in particular."""

    origin: Origin
    objective: Objective
    reward: int
    floor: int
    pairs_cover: bool
    floor_cover: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A list or an object of the file, made of the rows of one part of an answer; rows of which `line` says nothing are left out."""

    opening: str
    part: Part
    line: Callable[[Any], str | None]
    closing: str

    def text(self, rows: Iterable[Any], *, first: bool) -> str:
        """These rows, in the order of the part; `first`, whether none has given a line before them."""
        lines = ",\n".join(line for line in map(self.line, rows) if line is not None)
        if not lines:
            return ""
        return f"\n{lines}" if first else f",\n{lines}"

    def end(self, *, first: bool) -> str:
        """What follows the last row."""
        return self.closing if first else f"\n{self.closing}"


def result_file(head: Head, *, explain: bool, language: Language = FALLBACK) -> Iterator[str | Block]:
    """The file in pieces: text, and blocks that whoever has the rows writes.

    With `explain` also what each pair is worth, and why those in no pair are in none, in words of that language.
    """
    origin, made = head.origin, head.objective
    facts = {
        "amont": RESULT_FORMAT,
        "pool_sha256": origin.pool,
        "policy_sha256": origin.policy,
        "engine": origin.engine,
        "tzdata": origin.tzdata,
        "seconds": {"load": round(origin.load_seconds, 3), "solve": round(origin.solve_seconds, 3)},
        "objective": {"pairs": made.pairs, "worst": made.worst, "total": made.total},
    }
    yield "{\n" + _facts(facts)
    yield _block("pairs", Part.PAIRS, lambda pair: in_json(_pair(pair, language, explain=explain)))
    yield _block("unmatched", Part.UNMATCHED, lambda person: in_json(_unmatched(person, language, explain=explain)))
    yield '"certificate": {\n' + _facts({"reward": head.reward, "floor": head.floor})
    yield _block("profits", Part.PROOF, partial(_amount, "mentee"), brackets="{}")
    yield _block("prices", Part.PROOF, partial(_amount, "mentor"), brackets="{}")
    yield from _cover("pairs_cover", there=head.pairs_cover)
    yield from _cover("floor_cover", there=head.floor_cover, end="")
    yield "}\n}\n"


def write_result(solution: Solution, origin: Origin, *, explain: bool, language: Language = FALLBACK) -> Iterator[bytes]:
    """The file of a solution, in parts of no great length.

    Raises:
        ValueError: the solution comes without a certificate; a result must not.
    """
    proof = solution.certificate
    if proof is None:
        raise ValueError("a result has a certificate, and this solver gives none: take one that proves its answer")
    head = Head(
        origin=origin,
        objective=solution.objective,
        reward=proof.reward,
        floor=proof.floor,
        pairs_cover=proof.pairs_cover is not None,
        floor_cover=proof.floor_cover is not None,
    )
    rows: dict[Part, Sequence[Any]] = {
        Part.PAIRS: sorted(solution.pairs, key=lambda pair: pair.mentee),
        Part.UNMATCHED: sorted(solution.unmatched, key=lambda person: (person.id, person.role)),
        Part.PROOF: proof_rows(proof),
    }
    return (text.encode() for piece in result_file(head, explain=explain, language=language) for text in _written(piece, rows))


def _written(piece: str | Block, rows: Mapping[Part, Sequence[Any]]) -> Iterator[str]:
    if isinstance(piece, str):
        yield piece
        return
    first = True
    yield piece.opening
    for start in range(0, len(rows[piece.part]), ROWS):
        text = piece.text(rows[piece.part][start : start + ROWS], first=first)
        first = first and not text
        yield text
    yield piece.end(first=first)


def _pair(pair: SolvedPair | Match, language: Language, *, explain: bool) -> dict[str, Any]:
    made = {
        "mentee": pair.mentee,
        "mentor": pair.mentor,
        "score": pair.score,
        "points": pair.points._asdict(),
        "pinned": pair.pinned,
        "overrides": pair.overrides,
    }
    if not explain:
        return made
    best = pair.next_best
    next_best = None if best is None else {"mentor": best.mentor, "score": best.score}
    reason = pair.worth_reason
    if reason is not None and language != FALLBACK:
        reason = worth_in_words(None, language, reason=reason, pinned=pair.pinned)
    return {**made, "next_best": next_best, "worth": pair.worth, "worth_reason": reason}


def _unmatched(person: Unmatched, language: Language, *, explain: bool) -> dict[str, Any]:
    made = {"id": person.id, "role": person.role}
    if not explain:
        return made
    change = None if person.change is None else change_in_words(person.change, language)
    return {**made, "removed": person.removed, "left": person.left, "change": change}


def _facts(facts: Mapping[str, Any]) -> str:
    return "".join(f"{in_json(key)}: {in_json(value)},\n" for key, value in facts.items())


def _block(name: str, part: Part, line: Callable[[Any], str | None], *, brackets: str = "[]", end: str = ",") -> Block:
    return Block(opening=f"{in_json(name)}: {brackets[0]}", part=part, line=line, closing=f"{brackets[1]}{end}\n")


def _amount(role: Role, row: Proof) -> str | None:
    """What somebody has, those with nothing left out."""
    return f"{in_json(row.person)}: {row.value}" if row.role == role and row.value else None


def _cover(name: str, *, there: bool, end: str = ",") -> Iterator[str | Block]:
    if not there:
        yield f"{in_json(name)}: null{end}\n"
        return
    yield f"{in_json(name)}: {{\n"
    yield _block("mentees", Part.PROOF, partial(_member, f"in_{name}", "mentee"))
    yield _block("mentors", Part.PROOF, partial(_member, f"in_{name}", "mentor"), end="")
    yield f"}}{end}\n"


def _member(field: str, role: Role, row: Proof) -> str | None:
    return in_json(row.person) if row.role == role and getattr(row, field) else None
