"""`amont simulate`, and what `amont match` shows of groups and in words."""

import json
from pathlib import Path

import pytest
from tests.services.matching.domain.pools import mentee, mentor, pool_of
from tests.services.matching.files.pool_documents import document_of, written
from tests.services.matching.test_match_and_verify import amont


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Twelve executives, of whom six speak French only, and twelve juniors who do not."""
    mentees = [mentee(id=f"fr:e{n:02}", languages=frozenset({"en"} if n < 6 else {"fr"})) for n in range(12)]
    mentors = [mentor(id=f"de:m{n:02}", capacity=1) for n in range(12)]
    path = tmp_path / "pool.json"
    path.write_bytes(written(document_of(pool_of(*mentees, *mentors))))
    return path


@pytest.fixture
def relaxed(tmp_path: Path) -> Path:
    path = tmp_path / "relaxed.json"
    path.write_text('{"off": ["shared_language"]}')
    return path


def test_two_policies_stand_side_by_side(pool: Path, relaxed: Path, tmp_path: Path) -> None:
    strict = tmp_path / "strict.json"
    strict.write_text("{}")
    made = amont("simulate", pool, "--policy", strict, "--policy", relaxed, "--json")
    assert made.exit_code == 0, made.output
    found = json.loads(made.stdout)
    assert [column["objective"]["pairs"] for column in found["columns"]] == [6, 12]
    assert found["difference"]["pairs"] == 6
    assert found["difference"]["words"][0] == "6 pairs more"
    assert found["difference"]["divisions"]["role"][0]["matched"] == 6
    shown = amont("simulate", pool, "--policy", strict, "--policy", relaxed, "--language", "fr")
    assert "6 binômes de plus" in shown.stdout
    assert "12 (100\u00a0%)" in shown.stdout
    assert "filiale" in shown.stdout
    assert "personnes" in shown.stdout


def test_points_of_policies_that_weigh_differently_are_not_compared(pool: Path, relaxed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    weights = {"topics": 200, "function": 200, "hours": 200, "grade_gap": 200, "meeting": 200}
    other.write_text(json.dumps({**json.loads(relaxed.read_text()), "weights": weights}))
    found = json.loads(amont("simulate", pool, "--policy", relaxed, "--policy", other, "--json").stdout)["difference"]
    assert found["alike"] is False
    assert not any("score" in sentence or "total" in sentence for sentence in found["words"])
    assert any("weigh differently" in sentence for sentence in found["words"])


def test_the_rules_of_one_policy_are_weighed(pool: Path) -> None:
    made = amont("simulate", pool, "--rules")
    assert made.exit_code == 0, made.output
    assert "the default policy: the rule “a language in common” costs 6 pairs" in made.stdout
    assert "the rule “different teams” costs no pair" in made.stdout


def test_three_policies_and_a_faulty_one_are_refused(pool: Path, relaxed: Path, tmp_path: Path) -> None:
    three = amont("simulate", pool, *(["--policy", relaxed] * 3))
    assert (three.exit_code, three.stdout) == (2, "")
    assert "Give one policy, or two." in three.stderr
    faulty = tmp_path / "faulty.json"
    faulty.write_text('{"min_grade_gab": 2}')
    refused = amont("simulate", pool, "--policy", faulty)
    assert refused.exit_code == 2
    assert "$.min_grade_gab" in refused.stderr


def test_a_match_is_explained_in_french(pool: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    made = amont("match", pool, "--explain", "--language", "fr", "--out", result)
    assert made.exit_code == 0, made.output
    assert "12 mentors n'ont aucune langue en commun" in made.stdout
    assert "Et 2 de plus : --show 12 montre tout" in made.stdout
    found = json.loads(result.read_bytes())
    assert {one["change"] for one in found["unmatched"] if one["role"] == "mentee"} == {"parler allemand donnerait 12 candidats"}
    assert amont("verify", pool, result).exit_code == 0


def test_a_match_shows_who_was_matched_by_group(pool: Path) -> None:
    made = amont("match", pool, "--fairness")
    assert made.exit_code == 0, made.output
    assert "6 (50 %)" in made.stdout
    assert "0 pairs would rather have each other than what they have." in made.stdout


def test_no_text_of_a_file_steers_the_terminal_or_takes_more_than_its_line(pool: Path, tmp_path: Path) -> None:
    hostile = "\x1b[2J[bold]\n" + "z" * 5_000
    document = json.loads(pool.read_bytes())
    document["programme"] = f"p{hostile}"
    for person in document["people"]:
        person["id"] = person["id"].replace(":", ":\x1b\n")
        person["site"] = f"s{hostile}"
    pool.write_bytes(written(document))
    policy = tmp_path / "p\x1b[bold].json"
    policy.write_text("{}")
    made = amont("match", pool, "--fairness")
    simulated = amont("simulate", pool, "--policy", policy)
    assert (made.exit_code, simulated.exit_code) == (0, 0), made.output + simulated.output
    for shown in (made.stdout, simulated.stdout):
        assert "\x1b" not in shown
        assert "s\\x1b[2J[bold]\\n" in shown
        assert "z" * 100 not in shown
    assert "p\\x1b[2J[bold]\\n" in made.stdout
    assert "p\\x1b[bold].json" in simulated.stdout
    lines = made.stdout.splitlines()
    assert any(line.startswith("fr:\\x1b\\ne00 with de:\\x1b\\nm") for line in lines)
    assert any(line.startswith("fr:\\x1b\\ne") and " (mentee): " in line for line in lines)
