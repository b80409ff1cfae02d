"""The pages for coordinators and works councils say what a run says: names, weights, figures and the drawing."""

import re
from itertools import permutations
from pathlib import Path

import pytest
from tests.services.matching.files.drawn_example import DRAWING, PAGES, POOL, drawn, example_result
from typer.testing import CliRunner

from amont.common.cli import root
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import PoolPerson
from amont.matching.domain.scorer import Scorer
from amont.matching.files import policies, read_pool

COORDINATOR, COUNCIL = ((PAGES / name).read_text(encoding="utf-8") for name in ("coordinator.md", "works-council.md"))


def test_the_drawing_is_of_an_actual_run() -> None:
    assert DRAWING.read_text(encoding="utf-8") == drawn(), "write it again: python -m tests.services.matching.files.drawn_example"


@pytest.fixture(scope="module")
def pairs() -> dict[str, dict[str, object]]:
    return {pair["mentee"]: pair for pair in example_result()["pairs"]}


def test_what_the_page_says_of_the_drawing_is_so(pairs: dict[str, dict[str, object]]) -> None:
    result = example_result()
    assert f"The best possible is {result['objective']['total']:,}," in COORDINATOR
    jonas, elena, claire, marc = (pairs[id_] for id_ in ("de:jonas", "it:elena", "fr:claire", "fr:marc"))
    assert (jonas["score"], jonas["next_best"]) == (586, {"mentor": "es:pablo", "score": 643})
    assert "(643 against 586)" in COORDINATOR
    assert (elena["score"], elena["next_best"]) == (830, {"mentor": "uk:owen", "score": 620})
    assert jonas["worth"] == 10
    assert (marc["worth"], marc["score"], result["objective"]["worst"]) == (None, 517, 517)
    points = claire["points"]
    assert isinstance(points, dict)
    assert f"{' + '.join(map(str, points.values()))} = {claire['score']}" in COORDINATOR
    ines, owen = result["unmatched"]
    assert ines["removed"] == {"across": 1, "shared_language": 1, "common_hours": 3}
    assert ines["change"] in " ".join(COORDINATOR.split())
    assert owen["left"] == 2


def test_first_come_first_served_would_be_worse_as_the_page_says() -> None:
    scorer = Scorer(read_pool(POOL.read_bytes()), Policy())
    assert total_in_turn(scorer, list(scorer.mentees)) == 2_715
    assert "2,715" in COORDINATOR
    assert max(total_in_turn(scorer, list(order)) for order in permutations(scorer.mentees)) <= 2_868


def total_in_turn(scorer: Scorer, mentees: list[str]) -> int:
    free, total = set(scorer.mentors), 0
    for mentee in mentees:
        offers = sorted((scorer.score(mentee, mentor), mentor) for mentor in free if scorer.allowed(mentee, mentor))
        if offers:
            free.remove(offers[-1][1])
            total += offers[-1][0]
    return total


def test_the_rules_and_weights_of_the_council_s_page_are_the_program_s() -> None:
    assert re.findall(r"^\| \d \| .* \| `(\w+)` \|", COUNCIL, re.MULTILINE) == [rule.value for rule in Rule]
    weights = Policy().weights
    assert re.findall(r"^\| `(\w+)` \| (\d+) \|", COUNCIL, re.MULTILINE) == [
        (name, str(getattr(weights, name))) for name in policies.CRITERIA
    ]
    assert [int(most) for most in re.findall(r"^\| [a-z ]+ \| (\d+) \|", COORDINATOR, re.MULTILINE)] == [
        getattr(weights, name) for name in policies.CRITERIA
    ]
    assert " ".join(f"`{field}`" for field in PoolPerson.__slots__) in COUNCIL


def test_the_commands_of_the_pages_run_as_they_say(tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    made = CliRunner().invoke(root(), ["match", str(POOL), "--explain", "--out", str(result)])
    assert made.exit_code == 0, made.output
    checked = CliRunner().invoke(root(), ["verify", str(POOL), str(result)])
    assert checked.exit_code == 0
    assert checked.output.splitlines()[0] in COUNCIL
