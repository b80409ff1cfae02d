"""Files from anybody: whatever bytes, the readers refuse or read, and say nothing worse; and no alteration of a result passes unseen."""

import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.matching.domain.pools import THOROUGHNESS
from tests.services.matching.files.pool_documents import EXAMPLE, written
from tests.services.matching.verifier.proved_answers import random_case, result_of

from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool
from amont.matching.files import NO_POLICY, Refused, read_policy, read_pool
from amont.matching.verifier import verify

POOL = written(EXAMPLE)
RESULT = result_of(POOL)
FREE = {"seconds", "engine"}
"""What a result says of its making, and nobody can check."""

PIECES = [
    b"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\xff",
    b"\x00",
    b"null",
    b"NaN",
    b"-Infinity",
    b"1e400",
    b"-0",
    b"1" * 5_000,
]


@st.composite
def spoiled(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file in which pieces are put in, left out, or put in another's place."""
    raw = whole
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        until = draw(st.sampled_from([at, at + 1, at + 7, len(raw)]))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=4) | st.just(raw[at // 2 : at // 2 + 40]))
        raw = raw[:at] + piece + raw[until:]
    return raw


def refused(read: Any, raw: bytes) -> Refused | None:
    try:
        read(raw)
    except Refused as error:
        found = error
    else:
        return None
    assert found.faults
    assert all(fault.path.startswith("$") and fault.reason and len(str(fault)) < 1_000 for fault in found.faults)
    str(found).encode()
    return found


POLICY = b"""{"amont": "policy/1", "min_grade_gap": 2, "off": ["across"],
 "weights": {"topics": 600, "function": 120, "hours": 120, "grade_gap": 80, "meeting": 80}}"""


@settings(max_examples=int(300 * THOROUGHNESS), deadline=None)
@given(spoiled(POOL))
def test_no_bytes_do_anything_to_the_reader_of_pools_but_be_refused(raw: bytes) -> None:
    if refused(lambda raw: read_pool(raw, Policy()), raw) is None:
        assert isinstance(read_pool(raw), Pool)


@settings(max_examples=int(200 * THOROUGHNESS), deadline=None)
@given(spoiled(POLICY))
def test_nor_to_the_reader_of_policies(raw: bytes) -> None:
    if refused(read_policy, raw) is None:
        assert isinstance(read_policy(raw), Policy)


@settings(max_examples=int(150 * THOROUGHNESS), deadline=None)
@given(spoiled(RESULT))
def test_bytes_changed_in_a_result_are_found_or_change_nothing(raw: bytes) -> None:
    report = verify(POOL, raw)
    assert report.right != bool(report.faults)
    if report.right:
        assert still_a_proof(json.loads(RESULT), json.loads(raw))


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.sampled_from([0.5, 2**60, -(2**60), 2**70, "", "fr:e42", "de:e5", "x", [], {}, [[]], {"a": 1}])
)


@pytest.mark.parametrize("seed", range(3))
@settings(max_examples=int(40 * THOROUGHNESS), deadline=None)
@given(data=st.data())
def test_no_other_value_anywhere_in_a_result_is_believed(seed: int, data: st.DataObject) -> None:
    pool, policy = random_case(Random(seed), order="pairs, worst, total")
    good = json.loads(result_of(pool, policy))
    other = deepcopy(good)
    at, key = data.draw(st.sampled_from(list(places(other))))
    at[key] = data.draw(VALUES | st.just(at[key]).map(lambda value: value + 1 if type(value) is int else value))
    report = verify(pool, json.dumps(other).encode(), policy)
    if report.right:
        assert still_a_proof(good, other)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member and item."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def claimed(result: dict[str, Any]) -> dict[str, Any]:
    """What a result says that can be checked."""
    kept = {key: value for key, value in result.items() if key not in FREE}
    return {**kept, "unmatched": [{key: value for key, value in one.items() if key != "change"} for one in result["unmatched"]]}


def still_a_proof(good: dict[str, Any], other: dict[str, Any]) -> bool:
    """One optimum may have several proofs, several reasons in words, and several who are the next best; nothing else may differ."""
    one, two = deepcopy(claimed(good)), deepcopy(claimed(other))
    for result in (one, two):
        del result["certificate"]
        for pair in result["pairs"]:
            pair["worth_reason"] = pair["worth_reason"] is None
            pair["next_best"] = pair["next_best"] and pair["next_best"]["score"]
    return bool(one == two)


def test_the_policy_of_no_file_is_read() -> None:
    assert refused(read_policy, NO_POLICY) is None
