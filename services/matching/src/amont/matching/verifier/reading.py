"""The result file, as whoever doubts it reads it: the form is checked here, with a path for every fault, and nothing that it says is believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amont.matching.domain.certificate import Certificate, Cover
from amont.matching.domain.points import Points
from amont.matching.domain.policy import FULL_SCORE, Rule
from amont.matching.files.faults import Faults, Path, Refused, shown
from amont.matching.files.fields import Check, boolean, choice, every, integer, mapping, name, record, text
from amont.matching.files.text import parse

RESULT_FORMAT = "result/1"

LARGEST = 2**60
"""No reward, profit or price needs to be larger; two of them still fit into 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedPair:
    """One of `pairs`, as the file has it; `explained` holds `next_best`, `worth` and `worth_reason` where they are given."""

    mentee: str
    mentor: str
    score: int
    points: Points
    pinned: bool
    overrides: tuple[str, ...]
    explained: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedAlone:
    """One of `unmatched`, as the file has it; `explained` holds `removed`, `left` and `change` where they are given."""

    id: str
    role: str
    explained: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a result file claims."""

    pool_sha256: str
    policy_sha256: str
    tzdata: str
    pairs_made: int
    worst: int | None
    total: int
    pairs: tuple[ClaimedPair, ...]
    unmatched: tuple[ClaimedAlone, ...]
    certificate: Certificate
    explained: bool


def read_result(raw: bytes) -> Result:
    """What the file claims.

    Raises:
        Refused: it has not the form of a result; with every fault of form.
    """
    tree = parse(raw, "result")
    faults = Faults()
    explained = isinstance(tree, dict) and (
        _any_has(tree.get("pairs"), _PAIR_EXPLAINED) or _any_has(tree.get("unmatched"), _ALONE_EXPLAINED)
    )
    fields: dict[str, Check] = {
        "amont": choice(RESULT_FORMAT),
        "pool_sha256": name,
        "policy_sha256": name,
        "engine": name,
        "tzdata": name,
        "seconds": _object({"load": _seconds, "solve": _seconds}, "seconds"),
        "objective": _object({"pairs": _AMOUNT, "worst": _or_null(_SCORE), "total": _AMOUNT}, "the objective"),
        "pairs": every(_object({**_PAIR, **(_PAIR_EXPLAINED if explained else {})}, "a pair"), of="pairs"),
        "unmatched": every(_object({**_ALONE, **(_ALONE_EXPLAINED if explained else {})}, "somebody in no pair"), of="people"),
        "certificate": _object(
            {
                "reward": _AMOUNT,
                "floor": integer(0, FULL_SCORE),
                "profits": mapping(_AMOUNT, of="profits by mentee"),
                "prices": mapping(_AMOUNT, of="prices by mentor"),
                "pairs_cover": _or_null(_COVER),
                "floor_cover": _or_null(_COVER),
            },
            "a certificate",
        ),
    }
    record(tree, "$", faults, fields=fields, optional=frozenset(), what="a result")
    if len(faults):
        raise Refused("result", faults)
    return _result(tree, explained=explained)


def _result(tree: Mapping[str, Any], *, explained: bool) -> Result:
    claimed = tree["certificate"]
    return Result(
        **{field: tree[field] for field in ("pool_sha256", "policy_sha256", "tzdata")},
        pairs_made=tree["objective"]["pairs"],
        worst=tree["objective"]["worst"],
        total=tree["objective"]["total"],
        pairs=tuple(map(_pair, tree["pairs"])),
        unmatched=tuple(ClaimedAlone(id=one["id"], role=one["role"], explained=_only(one, _ALONE_EXPLAINED)) for one in tree["unmatched"]),
        certificate=Certificate(
            **{field: claimed[field] for field in ("reward", "floor", "profits", "prices")},
            pairs_cover=_cover(claimed["pairs_cover"]),
            floor_cover=_cover(claimed["floor_cover"]),
        ),
        explained=explained,
    )


def _pair(one: Mapping[str, Any]) -> ClaimedPair:
    return ClaimedPair(
        **{field: one[field] for field in ("mentee", "mentor", "score", "pinned")},
        points=Points(**one["points"]),
        overrides=tuple(one["overrides"]),
        explained=_only(one, _PAIR_EXPLAINED),
    )


def _cover(one: Mapping[str, Any] | None) -> Cover | None:
    return None if one is None else Cover(tuple(one["mentees"]), tuple(one["mentors"]))


def _only(one: Mapping[str, Any], fields: Mapping[str, Check]) -> dict[str, Any]:
    return {field: one[field] for field in fields if field in one}


def _any_has(items: object, fields: Mapping[str, Check]) -> bool:
    return isinstance(items, list) and any(isinstance(one, dict) and not fields.keys().isdisjoint(one) for one in items)


def _object(fields: Mapping[str, Check], what: str) -> Check:
    """An object with exactly these fields; `True` when nothing is wrong with it, since only the form is asked for."""

    def check(value: Any, path: Path, faults: Faults) -> bool | None:
        before = len(faults)
        record(value, path, faults, fields=fields, optional=frozenset(), what=what)
        return True if len(faults) == before else None

    return check


def _or_null(check: Check) -> Check:
    def whole(value: Any, path: Path, faults: Faults) -> Any:
        return True if value is None else check(value, path, faults)

    return whole


def _seconds(value: Any, path: Path, faults: Faults) -> bool | None:
    if type(value) in {int, float} and 0 <= value < float("inf"):
        return True
    faults.add(path, f"must be a number of seconds, not {shown(value)}")
    return None


def _counts(value: Any, path: Path, faults: Faults) -> bool | None:
    before = len(faults)
    record(value, path, faults, fields=_COUNTS, optional=frozenset(_COUNTS), what="the counts by rule")
    return True if len(faults) == before else None


_COUNTS: dict[str, Check] = {rule.value: integer(1) for rule in Rule}
_AMOUNT = integer(0, LARGEST)
_SCORE = integer(0, FULL_SCORE)
_IDS = every(name, of="ids")
_COVER = _object({"mentees": _IDS, "mentors": _IDS}, "a cover")
_PAIR: dict[str, Check] = {
    "mentee": name,
    "mentor": name,
    "score": _SCORE,
    "points": _object(dict.fromkeys(Points._fields, _SCORE), "points"),
    "pinned": boolean,
    "overrides": every(choice(*Rule), of="rules"),
}
_PAIR_EXPLAINED: dict[str, Check] = {
    "next_best": _or_null(_object({"mentor": name, "score": _SCORE}, "the next best")),
    "worth": _or_null(integer(-LARGEST, LARGEST)),
    "worth_reason": _or_null(name),
}
_ALONE: dict[str, Check] = {"id": name, "role": choice("mentee", "mentor")}
_ALONE_EXPLAINED: dict[str, Check] = {
    "removed": _counts,
    "left": integer(0),
    "change": _or_null(text),
}
