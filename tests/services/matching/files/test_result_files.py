"""A result file is the contract's, to the key."""

import json
from dataclasses import replace
from hashlib import sha256
from random import Random
from typing import Any

import pytest
from tests.services.matching.files.pool_documents import EXAMPLE, example, written
from tests.services.matching.verifier.proved_answers import proved, random_case, result_of

from amont.matching.domain.certificate import Certificate, Cover
from amont.matching.domain.policy import Policy
from amont.matching.domain.solver import NextBest, Solution
from amont.matching.files import Origin, digest, read_policy, read_pool, write_result

ORIGIN = Origin(pool=digest(b"pool"), policy=digest(b"{}"), engine="0.3.0", tzdata="2026.2", load_seconds=0.10004, solve_seconds=0.4)
KEYS = ["amont", "pool_sha256", "policy_sha256", "engine", "tzdata", "seconds", "objective", "pairs", "unmatched", "certificate"]
PAIR_KEYS = ["mentee", "mentor", "score", "points", "pinned", "overrides"]


def answer(**people: Any) -> Solution:
    return proved(read_pool(written(example(**people))), Policy())


def test_the_keys_stand_in_the_contracts_order() -> None:
    lonely = {**EXAMPLE["people"][0], "id": "it:e8", "languages": ["it"]}
    solution = answer(people=[*EXAMPLE["people"], lonely])
    plain, told = (json.loads(b"".join(write_result(solution, ORIGIN, explain=explain))) for explain in (False, True))
    assert list(plain) == list(told) == KEYS
    assert list(plain["pairs"][0]) == PAIR_KEYS
    assert list(told["pairs"][0]) == [*PAIR_KEYS, "next_best", "worth", "worth_reason"]
    assert list(plain["pairs"][0]["points"]) == ["topics", "function", "hours", "grade_gap", "meeting"]
    assert plain["unmatched"] == [{"id": "it:e8", "role": "mentee"}]
    assert told["unmatched"] == [
        {"id": "it:e8", "role": "mentee", "removed": {"shared_language": 1}, "left": 0, "change": "speaking German would open 1 candidate"}
    ]
    assert list(plain["certificate"]) == ["reward", "floor", "profits", "prices", "pairs_cover", "floor_cover"]


def test_values_are_written_as_the_contract_writes_them() -> None:
    solution = answer()
    pair = replace(solution.pairs[0], next_best=NextBest(mentor="es:e3", score=690), worth=14, worth_reason=None)
    made = json.loads(b"".join(write_result(replace(solution, pairs=(pair,)), ORIGIN, explain=True)))
    assert made["amont"] == "result/1"
    assert made["pool_sha256"] == sha256(b"pool").hexdigest()
    assert made["policy_sha256"] == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert (made["engine"], made["tzdata"], made["seconds"]) == ("0.3.0", "2026.2", {"load": 0.1, "solve": 0.4})
    assert made["objective"] == {"pairs": 1, "worst": 782, "total": 782}
    assert made["pairs"][0]["next_best"] == {"mentor": "es:e3", "score": 690}
    assert made["pairs"][0]["worth"] == 14


def test_pairs_people_and_the_certificate_are_sorted_by_code_point() -> None:
    solution = answer()
    pairs = tuple(replace(solution.pairs[0], mentee=mentee) for mentee in ("é", "z", "Z", "😀", "\uffff"))
    certificate = Certificate(2, 1, {"b": 2, "a": 1, "c": 0}, {"é": 1, "z": 1}, Cover(("b", "a"), ("z", "Z")), None)
    made = json.loads(b"".join(write_result(replace(solution, pairs=pairs, certificate=certificate), ORIGIN, explain=False)))
    assert [pair["mentee"] for pair in made["pairs"]] == ["Z", "z", "é", "\uffff", "😀"]
    assert list(made["certificate"]["profits"].items()) == [("a", 1), ("b", 2)]
    assert list(made["certificate"]["prices"]) == ["z", "é"]
    assert made["certificate"]["pairs_cover"] == {"mentees": ["a", "b"], "mentors": ["Z", "z"]}
    assert made["certificate"]["floor_cover"] is None


def test_nothing_of_an_answer_depends_on_the_order_of_the_pool() -> None:
    pool, policy = random_case(Random(3))
    document = json.loads(pool)
    document["people"].reverse()
    one, other = (json.loads(result_of(raw, policy)) for raw in (pool, written(document)))
    assert {key: one[key] for key in ("pairs", "unmatched", "objective")} == {
        key: other[key] for key in ("pairs", "unmatched", "objective")
    }


def test_an_empty_answer_has_empty_lists() -> None:
    raw = written(example(people=[EXAMPLE["people"][0]], current=[]))
    made = json.loads(result_of(raw, explain=False))
    assert made["pairs"] == []
    assert made["unmatched"] == [{"id": "fr:e42", "role": "mentee"}]
    assert made["certificate"]["profits"] == {}


def test_one_thing_stands_on_one_line() -> None:
    text = result_of(written(EXAMPLE)).decode()
    assert text.endswith("}\n")
    assert sum('"mentee": "fr:e42"' in line for line in text.splitlines()) == 1


def test_an_answer_without_a_certificate_is_not_written() -> None:
    with pytest.raises(ValueError, match="a result has a certificate"):
        b"".join(write_result(replace(answer(), certificate=None), ORIGIN, explain=False))


def test_the_policy_is_hashed_as_it_was_read() -> None:
    policy = b'{ "min_grade_gap": 1 }\n'
    assert read_policy(policy).min_grade_gap == 1
    assert json.loads(result_of(written(EXAMPLE), policy))["policy_sha256"] == sha256(policy).hexdigest()
