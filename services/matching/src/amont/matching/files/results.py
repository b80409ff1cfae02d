"""The result file: from an answer with its proof to bytes. The format is the scoring contract's, "The result file".

The bytes are the same for the same answer: lists are sorted as the contract says, ids of the certificate by code point, one pair, person or
price to a line so that two results can be compared by eye.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from amont.matching.domain.certificate import Certificate, Cover
from amont.matching.domain.solver import Solution, SolvedPair, Unmatched
from amont.matching.domain.words import FALLBACK, Language, change_in_words, worth_in_words
from amont.matching.files.lines import block, in_json

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


def write_result(solution: Solution, origin: Origin, *, explain: bool, language: Language = FALLBACK) -> Iterator[bytes]:
    """The file, line by line; with `explain` also what each pair is worth, and why those in no pair are in none, in words of that language.

    Raises:
        ValueError: the solution comes without a certificate; a result must not.
    """
    if solution.certificate is None:
        raise ValueError("a result has a certificate, and this solver gives none: take one that proves its answer")
    return (f"{line}\n".encode() for line in _lines(solution, solution.certificate, origin, explain=explain, language=language))


def _lines(solution: Solution, certificate: Certificate, origin: Origin, *, explain: bool, language: Language) -> Iterator[str]:
    made = solution.objective
    pairs = sorted(solution.pairs, key=lambda pair: pair.mentee)
    alone = sorted(solution.unmatched, key=lambda person: (person.id, person.role))
    yield "{"
    yield from _facts(
        {
            "amont": RESULT_FORMAT,
            "pool_sha256": origin.pool,
            "policy_sha256": origin.policy,
            "engine": origin.engine,
            "tzdata": origin.tzdata,
            "seconds": {"load": round(origin.load_seconds, 3), "solve": round(origin.solve_seconds, 3)},
            "objective": {"pairs": made.pairs, "worst": made.worst, "total": made.total},
        }
    )
    yield from block("pairs", "[]", (in_json(_pair(pair, language, explain=explain)) for pair in pairs))
    yield from block("unmatched", "[]", (in_json(_unmatched(person, language, explain=explain)) for person in alone))
    yield '"certificate": {'
    yield from _facts({"reward": certificate.reward, "floor": certificate.floor})
    yield from block("profits", "{}", _amounts(certificate.profits))
    yield from block("prices", "{}", _amounts(certificate.prices))
    yield from _cover("pairs_cover", certificate.pairs_cover)
    yield from _cover("floor_cover", certificate.floor_cover, end="")
    yield "}"
    yield "}"


def _pair(pair: SolvedPair, language: Language, *, explain: bool) -> dict[str, Any]:
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


def _facts(facts: Mapping[str, Any]) -> Iterator[str]:
    return (f"{in_json(key)}: {in_json(value)}," for key, value in facts.items())


def _amounts(amounts: Mapping[str, int]) -> Iterator[str]:
    """What each has, those with nothing left out."""
    return (f"{in_json(id_)}: {amount}" for id_, amount in sorted(amounts.items()) if amount)


def _cover(name: str, cover: Cover | None, *, end: str = ",") -> Iterator[str]:
    if cover is None:
        yield f"{in_json(name)}: null{end}"
        return
    yield f"{in_json(name)}: {{"
    yield from block("mentees", "[]", map(in_json, sorted(cover.mentees)))
    yield from block("mentors", "[]", map(in_json, sorted(cover.mentors)), end="")
    yield f"}}{end}"
