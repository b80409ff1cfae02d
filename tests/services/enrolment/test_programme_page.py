"""The page about a programme's policy says what the model takes: every field, in its order, with its default and bounds."""

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from amont.common.events import Policy

PAGE = (Path(__file__).parents[3] / "docs" / "programmes.md").read_text(encoding="utf-8").partition("## The policy")[2]
ROWS = {
    name.strip("`"): cells
    for name, *cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `"))
}
BETWEEN = {name: re.fullmatch(r"(-?\d+) to (\d+)", bounds) for name, (_, _, bounds) in ROWS.items()}
NUMBERS = {name: (int(found[1]), int(found[2])) for name, found in BETWEEN.items() if found}


def accepted(field: str, value: object) -> bool:
    try:
        Policy.model_validate({field: value})
    except ValidationError:
        return False
    return True


def test_every_field_is_on_the_page_with_its_default() -> None:
    defaults = Policy().model_dump(mode="json")
    assert {name: json.loads(default.strip("`")) for name, (_, default, _) in ROWS.items()} == defaults
    assert list(ROWS) == list(defaults)


@pytest.mark.parametrize("field", [name for name, default in Policy().model_dump().items() if type(default) is int])
def test_its_bounds_are_those_of_the_model(field: str) -> None:
    low, high = NUMBERS[field]
    assert accepted(field, low)
    assert accepted(field, high)
    assert not accepted(field, low - 1)
    assert not accepted(field, high + 1)


@pytest.mark.parametrize("field", ["across", "order", "replacements", "both_roles"])
def test_its_words_are_those_of_the_model(field: str) -> None:
    words = [json.loads(word.strip("`")) for word in re.split(r", (?=`)", ROWS[field][2])]
    assert len(words) > 1
    assert all(accepted(field, word) for word in words)
    allowed = Policy.model_json_schema()["properties"][field].get("enum", [True, False])
    assert sorted(map(str, words)) == sorted(map(str, allowed))
