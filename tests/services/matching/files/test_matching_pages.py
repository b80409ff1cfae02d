"""The pages about files say what the readers do."""

import json
import re
from pathlib import Path

import pytest

from amont.matching.domain.engine import VERSION, Engine
from amont.matching.domain.hours import tzdata_version
from amont.matching.domain.policy import Policy
from amont.matching.files import NO_POLICY, Origin, Refused, digest, policies, pools, read_policy, read_pool, text, write_result
from amont.matching.verifier import verify

PAGES = Path(__file__).parents[4] / "docs" / "matching"
POLICY, FILES = ((PAGES / name).read_text(encoding="utf-8") for name in ("policy.md", "files.md"))


def block(page: str, name: str) -> bytes:
    found = re.findall(rf"```json {name}\n(.*?)```", page, re.DOTALL)
    assert len(found) == 1
    return str(found[0]).encode()


def rows(page: str) -> dict[str, list[str]]:
    """The cells of each row of the page's tables, by the first."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| `")]
    return {row[0]: row[1:] for row in cells}


def accepted(field: str, value: object) -> bool:
    try:
        read_policy(json.dumps({field: value}).encode())
    except Refused:
        return False
    return True


def test_the_page_names_every_field_of_a_policy_with_its_default() -> None:
    assert list(rows(POLICY)) == [f"`{field}`" for field in policies.FIELDS]
    for field in policies.FIELDS:
        default = json.loads(rows(POLICY)[f"`{field}`"][0].strip("`"))
        assert read_policy(json.dumps({field: default}).encode()) == Policy()


@pytest.mark.parametrize("field", ["min_grade_gap", "max_zone_hours", "min_common_hours", "min_score", "stickiness"])
def test_the_limits_on_the_page_are_those_of_the_reader(field: str) -> None:
    low, high = map(int, rows(POLICY)[f"`{field}`"][1].split(" to "))
    assert accepted(field, low)
    assert accepted(field, high)
    assert not accepted(field, low - 1)
    assert not accepted(field, high + 1)


@pytest.mark.parametrize("field", ["amont", "across", "order", "pins_override", "off"])
def test_the_words_on_the_page_are_those_of_the_reader(field: str) -> None:
    words = [json.loads(word.strip().strip("`")) for word in re.split(r",(?= `)", rows(POLICY)[f"`{field}`"][1])]
    assert all(accepted(field, [word] if field == "off" else word) for word in words)
    if field == "off":
        assert words == list(policies.SWITCHABLE)


def test_the_faults_on_the_page_are_what_is_told() -> None:
    bad = b'{"weights": {"topics": 600, "function": 120, "hours": 120, "grade_gap": 80, "meeting": 90}, "min_grade_gab": 2}'
    with pytest.raises(Refused) as refused:
        read_policy(bad)
    assert all(f"    {line}\n" in POLICY for line in str(refused.value).splitlines())


@pytest.mark.parametrize("template", ["digital", "inclusion", "new-ways-of-working"])
def test_each_template_is_a_whole_policy(template: str) -> None:
    raw = block(POLICY, f"template={template}")
    assert list(json.loads(raw)) == list(policies.FIELDS)
    assert read_policy(raw) != Policy()


def test_the_example_of_the_page_is_matched_and_right() -> None:
    pool, result = block(FILES, "example=pool"), json.loads(block(FILES, "example=result"))
    result["tzdata"] = tzdata_version()
    report = verify(pool, json.dumps(result).encode())
    assert report.right, report.faults
    rules = read_policy(NO_POLICY)
    origin = Origin(
        pool=digest(pool), policy=digest(NO_POLICY), engine=VERSION, tzdata=tzdata_version(), load_seconds=0.1, solve_seconds=0.4
    )
    assert result == json.loads(b"".join(write_result(Engine().solve(read_pool(pool, rules), rules, explain=True), origin, explain=True)))


def test_the_page_names_every_field_that_needs_a_word_and_the_limits() -> None:
    named = {field for cell in rows(FILES) for field in re.findall(r"`(\w+)`", cell)}
    known = {"week_of", "seed", "people", "managers", "forbidden", "pinned", "current"} | set(
        read_pool(block(FILES, "example=pool")).people[0].__slots__
    )
    assert named <= known
    assert f"{text.MOST_BYTES // text.MEGABYTE} MB, {text.MOST_CONTAINERS:,} objects and lists, and {text.MOST_VALUES:,} values" in FILES
    assert pools.POOL_FORMAT in FILES


def test_the_faults_of_the_pools_page_are_what_is_told() -> None:
    document = json.loads(block(FILES, "example=pool"))
    document["people"][0]["topics"]["social-media"] = 4
    del document["people"][1]["zone"]
    with pytest.raises(Refused) as refused:
        read_pool(json.dumps(document).encode())
    assert all(f"    {line}\n" in FILES for line in str(refused.value).splitlines())
