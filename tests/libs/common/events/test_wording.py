"""A fault is told in our words, with what to write, and without the value; no sentence of pydantic's reaches anybody."""

import re
from datetime import date
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from amont.common.events.enrolment import Weights
from amont.common.events.values import EmployeeStatus, Instant, Language, PersonId, TenantId, Window
from amont.common.events.wording import detail, in_words, not_json

FOREIGN = re.compile(r"Input should|Field required|Value error|should have|should match|valid |Extra inputs|Invalid JSON")
FAULTS: list[tuple[Any, str, str]] = [
    (str, "3", "write a text, in quotes"),
    (int, '"x"', "write a whole number"),
    (int, "1.5", "write a whole number"),
    (float, '"x"', "write a number"),
    (bool, "[]", "write true or false, without quotes"),
    (list[str], "{}", "write a list, in square brackets"),
    (tuple[str, ...], "3", "write a list, in square brackets"),
    (dict[str, int], "3", "write an object, in braces"),
    (Weights, "3", "write an object, in braces"),
    (Weights, '{"topics": 1}', "the five weights must sum to 1000, they sum to 401"),
    (date, '"soon"', "write a day as in 2026-12-01"),
    (Instant, '"2026-12-01T08:00:00"', "write an instant with an offset as in 2026-12-01T08:00:00Z"),
    (Literal["a", "b"], '"c"', "write 'a' or 'b'"),
    (EmployeeStatus, '"gone"', "write 'active', 'on_leave' or 'left'"),
    (TenantId, '"FR"', "write 1 to 32 of a-z, 0-9 and the hyphen"),
    (PersonId, '"e1"', "write tenant:employee_id, as in fr:1042"),
    (Language, '"Français"', "write a BCP 47 tag as in fr or pt-BR"),
    (Window, '"monday"', "write a day and two times on the half-hour grid, as in mon 09:00-11:30"),
    (TypeAdapter(int), "{", "it is not JSON from character 1 on; look there for a comma, a quote or a bracket too many or too few"),
]


@pytest.mark.parametrize(("kind", "text", "said"), FAULTS)
def test_a_fault_says_what_to_write(kind: Any, text: str, said: str) -> None:
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    with pytest.raises(ValidationError) as refused:
        adapter.validate_json(text)
    assert in_words(refused.value.errors()[0]) == said


class Bounded(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=2, max_length=3)
    share: float = Field(gt=0, le=1, allow_inf_nan=False)
    band: int = Field(ge=1, lt=21)
    few: list[int] = Field(default=[], max_length=1, min_length=1)


def test_limits_are_named_and_no_sentence_is_anybody_else_s() -> None:
    said = set()
    for given in (
        {"name": "x", "share": 0, "band": 0, "few": []},
        {"name": "xxxx", "share": 2, "band": 21, "few": [1, 2]},
        {"share": float("nan"), "nam": "x"},
    ):
        with pytest.raises(ValidationError) as refused:
            Bounded.model_validate(given)
        said |= {detail(one, Bounded, one["loc"]) for one in refused.value.errors()}
    assert not [one for one in said if FOREIGN.search(one)]
    assert {"write 1 or more", "write a number below 21", "write at least 2 character(s)", "write at most 3 characters"} <= said
    assert {"it has 2 entries; write at most 1", "write a number above 0.0", "write 1.0 or less", "it is missing"} <= said
    assert "there is no such field; did you mean 'name'?" in said


@pytest.mark.parametrize(
    ("text", "where"),
    [('{"a": 1,}', "character 9 on"), ('{\n"a": x}', "line 2, character 6 on"), ('{"a":"x\ny"}', "the end of line 1 on; a line break")],
)
def test_what_is_no_json_is_told_by_its_place(text: str, where: str) -> None:
    with pytest.raises(ValueError, match="column") as refused:
        from_json(text)
    assert not_json(refused.value).startswith(f"not JSON from {where}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ('{"a": "x\x01"}', "control character"),
        ('{"a": "\\udc00"}', "half of a pair"),
        ('{"a": "\\ud800"}', "half of a pair"),
        ('{"a": "\\q"}', "write two for one"),
        ('{"a": 01}', "begins with a zero"),
        ("[" * 500, "nested too deeply"),
        ('{"a": 1,}', "a comma, a quote or a bracket"),
    ],
)
def test_what_is_no_json_is_told_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match="column") as refused:
        from_json(text)
    assert why in not_json(refused.value)
