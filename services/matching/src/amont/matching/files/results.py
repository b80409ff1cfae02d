"""The result file: from an answer with its proof to bytes. The format is the scoring contract's, "The result file".

The bytes are the same for the same answer: lists are sorted as the contract says, ids of the certificate by code point, one pair, person or
price to a line so that two results can be compared by eye.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from amont.matching.domain.certificate import Certificate, Cover
from amont.matching.domain.solver import Solution, SolvedPair, Unmatched
from amont.matching.domain.words import FALLBACK, Language, change_in_words, worth_in_words

RESULT_FORMAT = "result/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a result was made from, by what, and in what time.

    Attributes:
        pool: the bytes of the pool file.
        policy: the bytes of the policy file, `NO_POLICY` without one.
        engine: the version of the engine.
        tzdata: the version of the tzdata package.
        load_seconds: time to read the files.
        solve_seconds: time to find and prove the answer.
    """

    pool: bytes
    policy: bytes
    engine: str
    tzdata: str
    load_seconds: float
    solve_seconds: float


def write_result(solution: Solution, origin: Origin, *, explain: bool, language: Language = FALLBACK) -> bytes:
    """The file; with `explain` also what each pair is worth, and why those in no pair are in none, in words of that language.

    Raises:
        ValueError: the solution comes without a certificate; a result must not.
    """
    if solution.certificate is None:
        raise ValueError("a result has a certificate, and this solver gives none: take one that proves its answer")
    fields = {
        "amont": _one(RESULT_FORMAT),
        "pool_sha256": _one(sha256(origin.pool).hexdigest()),
        "policy_sha256": _one(sha256(origin.policy).hexdigest()),
        "engine": _one(origin.engine),
        "tzdata": _one(origin.tzdata),
        "seconds": _one({"load": round(origin.load_seconds, 3), "solve": round(origin.solve_seconds, 3)}),
        "objective": _one(
            {"pairs": solution.objective.pairs, "worst": solution.objective.worst, "total": solution.objective.total},
        ),
        "pairs": _list(_pair(pair, language, explain=explain) for pair in sorted(solution.pairs, key=lambda pair: pair.mentee)),
        "unmatched": _list(
            _unmatched(person, language, explain=explain)
            for person in sorted(solution.unmatched, key=lambda person: (person.id, person.role))
        ),
        "certificate": _certificate(solution.certificate),
    }
    return _object(fields, end="\n").encode()


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


def _certificate(certificate: Certificate) -> str:
    fields = {
        "reward": _one(certificate.reward),
        "floor": _one(certificate.floor),
        "profits": _amounts(certificate.profits),
        "prices": _amounts(certificate.prices),
        "pairs_cover": _cover(certificate.pairs_cover),
        "floor_cover": _cover(certificate.floor_cover),
    }
    return _object(fields)


def _amounts(amounts: Mapping[str, int]) -> str:
    """What each has, those with nothing left out."""
    return _object({id_: _one(amount) for id_, amount in sorted(amounts.items()) if amount})


def _cover(cover: Cover | None) -> str:
    if cover is None:
        return "null"
    return _object({"mentees": _list(sorted(cover.mentees)), "mentors": _list(sorted(cover.mentors))})


def _one(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(values: Iterable[Any]) -> str:
    lines = ",\n".join(map(_one, values))
    return f"[\n{lines}\n]" if lines else "[]"


def _object(fields: Mapping[str, str], end: str = "") -> str:
    lines = ",\n".join(f"{_one(key)}: {value}" for key, value in fields.items())
    return f"{{\n{lines}\n}}{end}" if lines else f"{{}}{end}"
