"""A right result is believed, and a wrong one is not, whatever was changed."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.matching.domain.pools import THOROUGHNESS
from tests.services.matching.files.pool_documents import EXAMPLE, example, written
from tests.services.matching.verifier.proved_answers import random_case, result_of

from amont.matching.domain.hours import tzdata_version
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool
from amont.matching.files import NO_POLICY, Refused, read_policy, read_pool
from amont.matching.verifier import explained, verify
from amont.matching.verifier.board import PlainBoard, RowBoard, board_of

ORDERS = ["pairs, worst, total", "pairs, total", "total"]


def wrong(pool: bytes, result: Any, policy: bytes = NO_POLICY) -> list[str]:
    raw = result if isinstance(result, bytes) else json.dumps(result).encode()
    return [fault.path for fault in verify(pool, raw, policy).faults]


CONTRACT = written(EXAMPLE)


def contract_result() -> dict[str, Any]:
    """The contract's example, with what its pool gives."""
    made: dict[str, Any] = json.loads(result_of(CONTRACT))
    return {
        **made,
        "certificate": {
            "reward": 1001,
            "floor": 782,
            "profits": {"fr:e42": 1783},
            "prices": {},
            "pairs_cover": {"mentees": ["fr:e42"], "mentors": []},
            "floor_cover": {"mentees": [], "mentors": []},
        },
    }


def test_the_contracts_example_is_right() -> None:
    result = contract_result()
    assert wrong(CONTRACT, result) == []
    assert result["objective"] == {"pairs": 1, "worst": 782, "total": 782}
    assert result["pairs"][0]["points"] == {"topics": 450, "function": 120, "hours": 52, "grade_gap": 80, "meeting": 80}
    assert result["unmatched"] == []


@settings(max_examples=int(120 * THOROUGHNESS), deadline=None)
@given(random=st.randoms(use_true_random=False), order=st.sampled_from(ORDERS), explain=st.booleans())
def test_a_proved_answer_is_right(*, random: Random, order: str, explain: bool) -> None:
    pool, policy = random_case(random, order=order)
    report = verify(pool, result_of(pool, policy, explain=explain), policy)
    assert report.right, report.faults
    document = json.loads(pool)["people"]
    assert report.looked_at == sum(one["role"] == "mentee" for one in document) * sum(one["role"] == "mentor" for one in document)


def leaves(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all values that hold no others, and to all lists and objects."""
    if way:
        yield way
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*way, step))


def others(value: Any) -> list[Any]:
    """What might stand there instead."""
    if isinstance(value, bool):
        made: list[Any] = [not value, None, int(value)]
    elif isinstance(value, int):
        made = [value + 1, value - 1, value + 1000, None, float(value), str(value)]
    elif isinstance(value, str):
        made = [value + "x", "", None, "de:e5" if value != "de:e5" else "fr:e42"]
    elif isinstance(value, list):
        made = [None, {}, [*value, "x"], *([value[:-1], [*value, value[-1]], value[::-1]] if value else [])]
    elif isinstance(value, dict):
        made = [None, [], {**value, "x": 1}, *({key: inner for key, inner in value.items() if key != left} for left in value)]
    else:
        made = [0, 1, "x", {}, []] if value is None else [None, "x", -1]
    return made


UNPROVABLE = {("engine",), ("seconds", "load"), ("seconds", "solve")}
"""What nobody can check afterwards; that it is text, or a number, is."""


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", [5, 1])
def test_whatever_is_changed_is_found(order: str, seed: int) -> None:
    pool, policy = random_case(Random(seed), order=order, off=frozenset(), across="none", min_grade_gap=-3, max_zone_hours=26)
    good = json.loads(result_of(pool, policy))
    assert good["pairs"]
    assert wrong(pool, good, policy) == []
    unseen = []
    for way in leaves(good):
        at = good
        for step in way[:-1]:
            at = at[step]
        was = at[way[-1]]
        for other in others(was):
            if other == was and type(other) is type(was):
                continue
            at[way[-1]] = other
            if not wrong(pool, good, policy) and not believable(way, was, other):
                unseen.append((way, was, other))
        at[way[-1]] = was
    assert unseen == []


def believable(way: tuple[Any, ...], was: Any, other: Any) -> bool:
    """Changes that leave a result right: what cannot be proved, words, an order that has no meaning, another proof that is one too."""
    if way in UNPROVABLE:
        return type(other) in {int, float, str}
    if way[-1] in {"change", "worth_reason"}:
        return isinstance(other, str | None)
    if way[0] == "certificate" and way[-1] in {"mentees", "mentors"}:
        return sorted(other) == sorted(was)
    return False


def changed(change: Callable[[dict[str, Any]], object]) -> list[str]:
    result = contract_result()
    change(result)
    return wrong(CONTRACT, result)


WRONG: list[tuple[str, Callable[[dict[str, Any]], object], list[str]]] = [
    ("another pool", lambda it: it.update(pool_sha256="0" * 64), ["$.pool_sha256"]),
    ("another policy", lambda it: it.update(policy_sha256="0" * 64), ["$.policy_sha256"]),
    ("another tzdata", lambda it: it.update(tzdata="2020.1"), ["$.tzdata"]),
    ("no engine", lambda it: it.pop("engine"), ["$.engine"]),
    ("negative seconds", lambda it: it["seconds"].update(load=-1), ["$.seconds.load"]),
    ("endless seconds", lambda it: it["seconds"].update(load=float("nan")), ["$.seconds.load"]),
    ("another score", lambda it: it["pairs"][0].update(score=781), ["$.pairs[0].score"]),
    ("other points", lambda it: it["pairs"][0]["points"].update(hours=53), ["$.pairs[0].points.hours"]),
    ("a pin that is none", lambda it: it["pairs"][0].update(pinned=True), ["$.pairs[0].pinned"]),
    ("an override that is none", lambda it: it["pairs"][0].update(overrides=["across"]), ["$.pairs[0].overrides"]),
    ("more pairs", lambda it: it["objective"].update(pairs=2), ["$.objective.pairs", "$.certificate", "$.certificate.pairs_cover"]),
    ("a better total", lambda it: it["objective"].update(total=783), ["$.objective.total", "$.certificate"]),
    ("a profit of nobody", lambda it: it["certificate"]["profits"].update(x=0), ["$.certificate.profits.x"]),
    ("a price of a mentee", lambda it: it["certificate"]["prices"].update({"fr:e42": 0}), ["$.certificate.prices['fr:e42']"]),
    ("a profit too large", lambda it: it["certificate"]["profits"].update({"fr:e42": 2**70}), ["$.certificate.profits['fr:e42']"]),
    ("a lower floor", lambda it: it["certificate"].update(floor=781), ["$.certificate.floor"]),
    ("no cover", lambda it: it["certificate"].update(pairs_cover=None), ["$.certificate.pairs_cover"]),
    ("no floor cover", lambda it: it["certificate"].update(floor_cover=None), ["$.certificate.floor_cover"]),
    ("an empty cover", lambda it: it["certificate"]["pairs_cover"].update(mentees=[]), ["$.certificate.pairs_cover"] * 2),
    ("a cover by the mentor's two places", lambda it: it["certificate"].update(pairs_cover={"mentees": [], "mentors": ["de:e5"]}),
     ["$.certificate.pairs_cover"]),
    ("a cover with a stranger", lambda it: it["certificate"]["pairs_cover"]["mentees"].append("x"), ["$.certificate.pairs_cover.mentees[1]"]),
    ("a cover with somebody twice", lambda it: it["certificate"]["pairs_cover"]["mentees"].append("fr:e42"), ["$.certificate.pairs_cover.mentees[1]"]),
    ("a floor cover as large as the answer", lambda it: it["certificate"]["floor_cover"].update(mentees=["fr:e42"]), ["$.certificate.floor_cover"]),
    ("too small a profit", lambda it: it["certificate"]["profits"].update({"fr:e42": 1782}), ["$.certificate"] * 2),
    ("a reward that nobody gains", lambda it: it["certificate"].update(reward=1002), ["$.certificate"] * 2),
    ("a stranger in a pair", lambda it: it["pairs"][0].update(mentor="x"), ["$.pairs[0].mentor", "$.unmatched"]),
    ("a pair twice", lambda it: it["pairs"].append(it["pairs"][0]), ["$.pairs[1]", "$.pairs[1].mentee", "$.objective.pairs", "$.objective.total"]),
    ("no pair", lambda it: it["pairs"].clear(), ["$.unmatched", "$.unmatched", "$.objective.pairs", "$.objective.worst", "$.objective.total"]),
    ("somebody matched and unmatched", lambda it: it.update(unmatched=[{"id": "de:e5", "role": "mentor", "removed": {}, "left": 1, "change": None}]),
     ["$.unmatched[0]"]),
    ("a next best that is none", lambda it: it["pairs"][0].update(next_best={"mentor": "de:e5", "score": 782}), ["$.pairs[0].next_best"]),
    ("a worth that is none", lambda it: it["pairs"][0].update(worth=1, worth_reason=None), ["$.pairs[0].worth"]),
    ("no reason", lambda it: it["pairs"][0].update(worth_reason=None), ["$.pairs[0].worth_reason"]),
    ("half explained", lambda it: it["pairs"][0].pop("worth"), ["$.pairs[0].worth"]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_wrong_is_told_where_it_is(change: Callable[[dict[str, Any]], object], expected: list[str]) -> None:
    assert changed(change) == expected


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"amont": "result/1"}', json.dumps(EXAMPLE).encode()]
)
def test_a_file_that_is_no_result_is_wrong(raw: bytes) -> None:
    assert wrong(CONTRACT, raw)


def test_a_profit_below_the_reward_is_found_where_nothing_is_explained() -> None:
    """Explanations have every pair looked at; without them only those are that may break a proof."""
    certificate = {**contract_result()["certificate"], "profits": {}}
    result = {**json.loads(result_of(CONTRACT, explain=False)), "certificate": certificate}
    assert wrong(CONTRACT, result) == ["$.certificate"] * 2


@pytest.mark.parametrize("order", ORDERS)
def test_a_point_of_profit_moved_to_another_mentee_is_found_although_the_sum_is_right(order: str) -> None:
    """The pair of whoever lost it is under reward and value, and has to be looked at for that; no explanation has it looked at anyway."""
    moved = 0
    for seed in range(60):
        pool, policy = random_case(Random(seed), order=order)
        result = json.loads(result_of(pool, policy, explain=False))
        certificate, made = result["certificate"], {pair["mentee"] for pair in result["pairs"]}
        profits = certificate["profits"]
        for loser in sorted(made & profits.keys()):
            for winner in sorted(profits.keys() - {loser}):
                moved += 1
                other = {**profits, loser: profits[loser] - 1, winner: profits[winner] + 1}
                assert "$.certificate" in wrong(pool, {**result, "certificate": {**certificate, "profits": other}}, policy), (seed, loser)
    assert moved > 100


def test_a_key_that_stands_twice_is_wrong() -> None:
    raw = json.dumps(contract_result()).replace('"floor": 782', '"floor": 782, "floor": 782')
    assert wrong(CONTRACT, raw.encode()) == ["$.certificate.floor"]


def test_a_pool_or_policy_that_cannot_be_used_says_nothing_about_the_result() -> None:
    with pytest.raises(Refused):
        verify(b"{}", json.dumps(contract_result()).encode())
    with pytest.raises(Refused):
        verify(CONTRACT, json.dumps(contract_result()).encode(), b'{"x": 1}')


def test_a_worse_answer_with_the_same_number_of_pairs_cannot_be_proved() -> None:
    better = {**EXAMPLE["people"][1], "id": "de:e6", "topics": {"ai": 3, "social-media": 3}}
    pool = written(example(people=[*EXAMPLE["people"], better], current=[]))
    good, worse = json.loads(result_of(pool, explain=False)), json.loads(result_of(CONTRACT, explain=False))
    assert [pair["mentor"] for pair in good["pairs"]] == ["de:e6"]
    worse.update(pool_sha256=good["pool_sha256"], unmatched=[{"id": "de:e6", "role": "mentor"}])
    assert set(wrong(pool, worse)) == {"$.certificate", "$.certificate.floor_cover"}


def test_a_missing_pin_is_told() -> None:
    pinned = written(example(pinned=[["fr:e42", "de:e5"]]))
    good = json.loads(result_of(pinned))
    assert wrong(pinned, good) == []
    assert good["objective"] == {"pairs": 0, "worst": None, "total": 0}
    assert good["certificate"] == {
        "reward": 0, "floor": 0, "profits": {}, "prices": {}, "pairs_cover": {"mentees": [], "mentors": []}, "floor_cover": None,
    }  # fmt: skip
    without = {**good, "pairs": [], "unmatched": [{"id": "de:e5", "role": "mentor"}, {"id": "fr:e42", "role": "mentee"}]}
    assert "$.pairs" in wrong(pinned, without)


def test_a_pin_may_override_rules_and_says_which() -> None:
    document = example(pinned=[["fr:e42", "de:e5"]], managers={"fr:e42": ["de:e5"]}, forbidden=[["de:e5", "fr:e42"]])
    pool, policy = written(document), b'{"pins_override": true, "off": ["not_forbidden"]}'
    good = json.loads(result_of(pool, policy))
    assert good["pairs"][0]["overrides"] == ["outside_the_line"]
    assert wrong(pool, good, policy) == []
    good["pairs"][0]["overrides"] = []
    assert wrong(pool, good, policy) == ["$.pairs[0].overrides"]


@pytest.mark.parametrize(
    ("order", "certificate"),
    [
        ("pairs, worst, total", {"floor": 0, "pairs_cover": {"mentees": [], "mentors": []}, "floor_cover": None}),
        ("pairs, total", {"floor": 0, "pairs_cover": {"mentees": [], "mentors": []}, "floor_cover": None}),
        ("total", {"floor": 400, "pairs_cover": None, "floor_cover": None}),
    ],
)
def test_where_nobody_may_meet_the_proof_is_empty(order: str, certificate: dict[str, Any]) -> None:
    document = example(current=[])
    document["people"][1]["languages"] = ["fi"]
    pool, policy = written(document), written({"order": order, "min_score": 400})
    good = json.loads(result_of(pool, policy))
    assert good["certificate"] == {"reward": 0, "profits": {}, "prices": {}, **certificate}
    assert wrong(pool, good, policy) == []
    for field in ("floor", "reward"):
        other = deepcopy(good)
        other["certificate"][field] += 1
        expected = {f"$.certificate.{field}"} if field == "floor" or order == "total" else set()
        assert set(wrong(pool, other, policy)) == expected


def test_under_the_order_total_a_pair_under_the_lowest_score_is_wrong() -> None:
    policy = written({"order": "total", "min_score": 783})
    good = json.loads(result_of(CONTRACT, policy))
    assert good["pairs"] == []
    made = contract_result()
    made.update(
        policy_sha256=good["policy_sha256"],
        certificate={**made["certificate"], "reward": 0, "floor": 783, "pairs_cover": None, "floor_cover": None},
    )
    made["certificate"]["profits"] = {"fr:e42": 782}
    assert wrong(CONTRACT, made, policy) == ["$.pairs[0].score"]


def test_what_is_too_large_to_solve_again_is_said_not_to_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explained, "MOST_EDGES", 0)
    result = contract_result()
    result["pairs"][0].update(worth=3, worth_reason=None)
    report = verify(CONTRACT, json.dumps(result).encode())
    assert report.right
    assert any("worth" in one for one in report.unchecked)


def cases(random: Random) -> tuple[Pool, Policy]:
    pool, policy = random_case(random, order=random.choice(ORDERS))
    rules = read_policy(policy)
    return read_pool(pool, rules), rules


@settings(max_examples=int(150 * THOROUGHNESS), deadline=None)
@given(random=st.randoms(use_true_random=False), unknown=st.booleans())
def test_the_rows_are_the_definition_on_every_pair(*, random: Random, unknown: bool) -> None:
    pool, policy = cases(random)
    if unknown:
        blank = [replace(person, team="", site="", function=random.choice(["", "it"]), business_unit="") for person in pool.people]
        pool = replace(pool, people=tuple(random.choice(two) for two in zip(pool.people, blank, strict=True)))
    plain, rows = PlainBoard(pool, policy), RowBoard(pool, policy)
    for place in range(len(pool.in_role("mentee"))):
        for least in (None, np.array([random.choice([-1, 200, 500, 1000]) for _ in pool.in_role("mentor")], dtype=np.int64)):
            allowed, scores = plain.row(place, least)
            for one, other in zip((allowed, scores), rows.row(place, least), strict=True):
                assert np.array_equal(one, other)
            assert least is None or (scores > least[allowed]).all()
        assert plain.removed("mentee", place) == rows.removed("mentee", place)
    for place in range(len(pool.in_role("mentor"))):
        assert plain.removed("mentor", place) == rows.removed("mentor", place)


@pytest.mark.parametrize(("mentee", "mentor"), [(20, 1), (19, 1), (1, 20)])
def test_the_widest_gaps_between_grades_score_as_the_definition_says(mentee: int, mentor: int) -> None:
    pool, policy = read_pool(CONTRACT), Policy(min_grade_gap=-19)
    pool = replace(pool, people=tuple(replace(one, grade=mentee if one.role == "mentee" else mentor) for one in pool.people))
    for place in range(len(pool.in_role("mentee"))):
        allowed, scores = PlainBoard(pool, policy).row(place)
        assert len(allowed)
        for one, other in zip((allowed, scores), RowBoard(pool, policy).row(place), strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize("role", ["mentee", "mentor"])
def test_a_pool_with_one_role_only_has_an_empty_answer(role: str) -> None:
    people = [person for person in EXAMPLE["people"] if person["role"] == role]
    pool = written(example(people=people, current=[]))
    assert wrong(pool, result_of(pool)) == []
    rows = RowBoard(read_pool(pool), Policy())
    assert rows.removed("mentee" if role == "mentee" else "mentor", 0) == ({}, 0)


@pytest.mark.parametrize("small", [20_000, 0])
@pytest.mark.parametrize(
    ("capacity", "name", "cover"),
    [(1, "pairs_cover", {"mentees": ["fr:e42"], "mentors": []}), (2, "floor_cover", {"mentees": [], "mentors": []})],
)
def test_a_cover_that_leaves_a_pair_untouched_is_found(
    capacity: int, name: str, cover: dict[str, Any], small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though prices do not ask for the pair: no larger number of pairs, no better worst one would be left out. Without explanations, since for these every
    pair is looked at.
    """
    monkeypatch.setattr("amont.matching.verifier.board.SMALL", small)
    one, mentor = EXAMPLE["people"]
    other = {**one, "id": "fr:e43", "topics": {"ai": 1, "social-media": 3}}
    pool = written(example(people=[one, other, {**mentor, "capacity": capacity}], current=[]))
    result = json.loads(result_of(pool, explain=False))
    assert wrong(pool, result) == []
    result["certificate"][name] = cover
    assert wrong(pool, result) == [f"$.certificate.{name}"]


def test_teams_are_told_apart_whatever_their_names_hold() -> None:
    """The verifier's columns keep subsidiary and team apart: joined by a NUL, two of these would be one."""
    mentee, mentor = EXAMPLE["people"]
    people = [{**mentee, "subsidiary": "a", "team": "b\0c"}, {**mentor, "subsidiary": "a\0b", "team": "c"}]
    pool = read_pool(written(example(people=people, current=[])))
    for board in (PlainBoard(pool, Policy()), RowBoard(pool, Policy())):
        allowed, _ = board.row(0)
        assert allowed.tolist() == [0]


@pytest.mark.parametrize("count", [128, 130])
def test_many_languages_are_told_apart(count: int) -> None:
    names = [a + b for a in "abcdefghij" for b in "abcdefghijklm"][:count]
    first = {**EXAMPLE["people"][0], "languages": names[:-1]}
    mentors = [{**EXAMPLE["people"][1], "id": f"m{place}", "languages": [tag]} for place, tag in enumerate(names)]
    pool = read_pool(written(example(people=[first, *mentors], current=[])))
    allowed, _ = RowBoard(pool, Policy()).row(0)
    assert allowed.tolist() == list(range(count - 1))


def test_large_pools_are_looked_at_in_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(board_of(read_pool(CONTRACT), Policy()), PlainBoard)
    monkeypatch.setattr("amont.matching.verifier.board.SMALL", 0)
    assert isinstance(board_of(read_pool(CONTRACT), Policy()), RowBoard)
    assert wrong(CONTRACT, contract_result()) == []


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int | None]] = []

    def progress(stage: str, done: int, total: int | None = None, detail: str = "") -> None:
        told.append((stage, done, total))

    verify(CONTRACT, json.dumps(contract_result()).encode(), progress=progress)
    assert told == [("lay out", 0, None), ("look at every pair", 0, 1)]


def test_a_result_made_with_other_time_zones_says_where_it_can_be_checked() -> None:
    [fault] = verify(CONTRACT, json.dumps({**contract_result(), "tzdata": "2019.1"}).encode()).faults
    assert fault.path == "$.tzdata"
    assert "tzdata==2019.1" in fault.reason


def test_the_tzdata_version_is_the_packages() -> None:
    assert contract_result()["tzdata"] == tzdata_version()
