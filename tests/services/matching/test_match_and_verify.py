"""`amont match` and `amont verify`, as somebody at a terminal or a script meets them."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest
from rich.console import Console
from tests.services.matching.domain.pools import mentee, mentor, pool_of
from tests.services.matching.files.pool_documents import EXAMPLE, document_of, example, written
from typer.testing import CliRunner, Result

from amont.common.cli import root
from amont.matching.cli import handling, match
from amont.matching.cli.showing import HEADINGS
from amont.matching.domain.engine import VERSION, Engine
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool
from amont.matching.domain.progress import Progress, unseen
from amont.matching.domain.solver import PinFault, PinsRefused, Solution
from amont.matching.files import text


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    path = tmp_path / "pool.json"
    path.write_bytes(written(EXAMPLE))
    return path


def amont(*arguments: object, given: bytes = b"") -> Result:
    return CliRunner().invoke(root(), [str(argument) for argument in arguments], input=given)


def test_a_pool_is_matched_and_its_result_verified(pool: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    made = amont("match", pool, "--out", result, "--explain")
    assert made.exit_code == 0, made.output
    assert "lowest score" in made.stdout
    assert "782" in made.stdout
    assert "1 of 1 (100.0 %)" in made.stdout
    assert json.loads(result.read_bytes())["pairs"][0]["worth_reason"]
    checked = amont("verify", pool, result)
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert "Right and proved: 1 pair;" in checked.stdout


def test_a_result_in_french_names_the_command_that_checks_it_in_french(tmp_path: Path) -> None:
    pool = Path(__file__).parents[3] / "docs" / "matching" / "example-pool.json"
    result = tmp_path / "result.json"
    made = amont("match", pool, "--out", result, "--explain", "--language", "fr")
    *_, command = made.stdout.strip().splitlines()
    checked = amont(*shlex.split(command)[1:])
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert "Juste et prouvé : 4 binômes ; paires possibles réexaminées : 25." in checked.stdout
    said = " ".join(checked.stdout.split())
    assert (
        "Non contrôlé : quelle version du moteur l'a produit, et en combien de temps ; les mots de `worth_reason` ; les mots de `change`."
        in said
    )
    result.write_bytes(result.read_bytes().replace(b'"worst"', b'"wurst"'))
    assert "Faux en" in amont("verify", pool, result, "--language", "fr").stdout


def test_the_result_goes_to_standard_output_and_nothing_else_does(pool: Path) -> None:
    made = amont("match", pool, "--json")
    assert json.loads(made.stdout)["objective"] == {"pairs": 1, "worst": 782, "total": 782}
    assert made.stderr == ""


def test_no_pool_that_is_matched_waits_for_a_library_that_only_others_need(pool: Path) -> None:
    script = "import sys; from amont.common.cli import main\ntry: main(['match', sys.argv[1], '--json'])\nfinally: print(*sys.modules, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", script, str(pool)], capture_output=True, text=True, check=True)
    assert {"numpy", "typer"} <= set(ended.stderr.split())
    assert not {"scipy.optimize", "pymongo", "fastapi", "aiokafka"} & set(ended.stderr.split())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device is always full here")
@pytest.mark.parametrize(
    "arguments", [("match",), ("match", "--json"), ("simulate",), ("simulate", "--json"), ("verify",), ("verify", "--json")]
)
def test_standard_output_that_takes_no_more_is_told_in_a_sentence(pool: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = tmp_path / "result.json"
    result.write_bytes(amont("match", pool, "--json").stdout_bytes)
    with Path("/dev/full").open("wb") as full:
        ended = printing_to(full, *arguments, pool, *([result] if "verify" in arguments else []))
    assert (ended.returncode, ended.stderr) == (2, "Standard output cannot be written: No space left on device\n")


def test_a_reader_who_goes_away_is_told_nothing(pool: Path) -> None:
    away, left = os.pipe()
    os.close(away)
    with os.fdopen(left, "wb") as pipe:
        ended = printing_to(pipe, "match", "--json", pool)
    assert (ended.returncode, ended.stderr) == (1, "")


def printing_to(file: IO[bytes], *arguments: object) -> subprocess.CompletedProcess[str]:
    script = "import sys; from amont.common.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, stdout=file, stderr=subprocess.PIPE, text=True, check=False)


def test_the_pool_may_come_from_standard_input(pool: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    made = amont("match", "-", "--json", given=pool.read_bytes())
    result.write_bytes(made.stdout_bytes)
    assert amont("verify", "-", result, given=pool.read_bytes()).exit_code == 0
    assert amont("verify", pool, "-", given=made.stdout_bytes).exit_code == 0
    both = amont("verify", "-", "-", given=made.stdout_bytes)
    assert (both.exit_code, both.stdout) == (2, "")


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    """Thirteen executives, of whom one speaks a language that nobody else does, and twelve juniors."""
    mentees = [mentee(id=f"fr:e{n:02}", languages=frozenset({"fr" if n < 12 else "is"})) for n in range(13)]
    mentors = [mentor(id=f"de:m{n:02}", capacity=1, languages=frozenset({"fr"})) for n in range(12)]
    path = tmp_path / "crowd.json"
    path.write_bytes(written(document_of(pool_of(*mentees, *mentors))))
    return path


def test_the_first_pairs_are_explained_and_how_to_see_the_others_is_said(crowd: Path) -> None:
    lines = amont("match", crowd, "--explain").stdout.splitlines()
    told = [line for line in lines if " with de:m" in line]
    assert [line.partition(" ")[0] for line in told] == [f"fr:e{n:02}" for n in range(10)]
    assert "782 points of 1,000: 450 for topics" in told[0]
    assert "12 pairs, by mentee:" in lines
    assert "And 2 more: --show 12 shows all of them, --out writes them." in lines
    everybody = amont("match", crowd, "--explain", "--show", 12).stdout
    assert ("fr:e11 with de:m" in everybody, "more:" in everybody) == (True, False)
    nobody = amont("match", crowd, "--explain", "--show", 0).stdout
    assert " with de:m" not in nobody
    assert amont("match", crowd, "--show", -1).exit_code == 2


def test_everything_on_the_screen_is_french_where_that_is_asked(crowd: Path) -> None:
    shown = amont("match", crowd, "--fairness", "--language", "fr").stdout
    assert "mentorés en binôme  12 sur 13 (92,3\u00a0%)" in shown
    assert "score le plus bas" in shown
    assert "12 binômes, par mentoré :" in shown
    assert "fr:e00 avec de:m" in shown
    assert "782 points sur 1\u202f000 : 450 pour les thèmes" in shown
    assert "fr:e12 (mentoré) : 12 mentors n'ont aucune langue en commun ; " in shown
    assert "bande de grades" in shown
    assert not set(re.findall("[a-z]+", shown)) & {"matched", "lowest", "people", "hidden", "with", "nothing", "possible:", "in no pair"}


def test_the_screen_says_the_same_in_both_languages() -> None:
    english, french = HEADINGS["en"], HEADINGS["fr"]
    assert english.keys() == french.keys()
    for key, said in english.items():
        forms = [[set(re.findall(r"{(\w+)}", form)) for form in ((one,) if isinstance(one, str) else one)] for one in (said, french[key])]
        assert forms[0] == forms[1], key


def test_a_forbidden_pair_of_somebody_unknown_is_told_with_its_place_and_does_nothing(tmp_path: Path) -> None:
    pool = tmp_path / "pool.json"
    pool.write_bytes(written(example(forbidden=[["fr:e42", "de:e5"], ["de:e5", "fr:nobody"]], current=[])))
    shown = amont("match", pool)
    assert shown.exit_code == 0
    assert "1 forbidden pair names somebody who is not in the pool, and does nothing: $.forbidden[1][1]: 'fr:nobody'" in shown.stdout
    pool.write_bytes(written(example(forbidden=[["x", "de:e5"], ["de:e5", "y"]])))
    assert "2 forbidden pairs name somebody" in amont("match", pool).stdout
    pool.write_bytes(written(example(forbidden=[])))
    assert "forbidden" not in amont("match", pool).stdout


def test_without_a_compiler_nothing_is_warned_of(crowd: Path) -> None:
    script = "from amont.common.cli import main; main()"
    command = [sys.executable, "-W", "error", "-c", script, "match", str(crowd), "--explain", "--json"]
    ended = subprocess.run(command, env={**os.environ, "AMONT_ENGINE_COMPILED": "no"}, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    again = json.loads(amont("match", crowd, "--explain", "--json").stdout)
    assert {**json.loads(ended.stdout), "seconds": None} == {**again, "seconds": None}


def test_a_policy_counts_and_is_part_of_the_result(pool: Path, tmp_path: Path) -> None:
    policy, result = tmp_path / "policy.json", tmp_path / "result.json"
    policy.write_text('{"min_grade_gap": 5}')
    assert amont("match", pool, "--policy", policy, "--out", result).exit_code == 0
    assert json.loads(result.read_bytes())["pairs"] == []
    assert amont("verify", pool, result, "--policy", policy).exit_code == 0
    other = amont("verify", pool, result)
    assert other.exit_code == 1
    assert "$.policy_sha256: is of another policy than the one given" in other.stdout


def test_every_fault_of_every_file_is_told_on_a_line_of_its_own(tmp_path: Path) -> None:
    pool, policy, result = tmp_path / "pool.json", tmp_path / "policy.json", tmp_path / "result.json"
    pool.write_bytes(written(example(**{"two\nlines": 1, "seed": 5})))
    policy.write_text('{"weights": {"topics": 1000, "function": 1, "hours": 0, "grade_gap": 0, "meeting": 0}, "min_grade_gab": 2}')
    made = amont("match", pool, "--policy", policy, "--out", result)
    assert (made.exit_code, made.stdout) == (2, "")
    lines = made.stderr.splitlines()
    assert f"{policy} is refused as a policy: 2 faults" in lines
    assert f"{pool} is refused as a pool: 2 faults" in lines
    assert sorted(line.split(":")[0] for line in lines if line.startswith("$")) == [
        "$.min_grade_gab",
        "$.seed",
        "$.weights",
        "$['two\\nlines']",
    ]
    assert not result.exists()
    assert amont("verify", pool, result.with_name("none"), "--policy", policy).exit_code == 2


def test_a_wrong_result_is_told_and_the_exit_says_so(pool: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    amont("match", pool, "--out", result)
    result.write_bytes(result.read_bytes().replace(b'"score": 782', b'"score": 783'))
    checked = amont("verify", pool, result)
    assert checked.exit_code == 1
    assert checked.stdout.splitlines() == [
        "Wrong in 1 place:",
        "$.pairs[0].score: is 783 and must be 782",
        "Not checked: which version of the engine made it, and how long that took.",
    ]
    as_data = amont("verify", pool, result, "--json")
    assert as_data.exit_code == 1
    assert json.loads(as_data.stdout)["faults"] == [{"path": "$.pairs[0].score", "reason": "is 783 and must be 782"}]


def test_a_pool_that_is_refused_says_nothing_about_a_result(pool: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    amont("match", pool, "--out", result)
    pool.write_bytes(b"{")
    checked = amont("verify", pool, result)
    assert (checked.exit_code, checked.stdout) == (2, "")
    assert "$: is not JSON" in checked.stderr


def test_a_solver_without_a_proof_writes_nothing(pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unproving(Engine):
        def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen, *, explain: bool = False) -> Solution:
            return replace(super().solve(pool, policy, progress, explain=explain), certificate=None)

    monkeypatch.setattr(match, "SOLVER", Unproving)
    made = amont("match", pool, "--out", tmp_path / "result.json", "--json")
    assert (made.exit_code, made.stdout) == (1, "")
    assert "does not prove" in made.stderr
    assert not (tmp_path / "result.json").exists()


def test_pins_that_only_the_solver_refuses_are_told_like_other_faults(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen, *, explain: bool = False) -> Solution:
            progress("look at pins", len(pool.pinned), detail=f"{policy.order} {explain}")
            raise PinsRefused([PinFault("$.pinned[0]", "a", "b", "breaks across")])

    monkeypatch.setattr(match, "SOLVER", Refusing)
    made = amont("match", pool)
    assert made.exit_code == 2
    assert "$.pinned[0]: breaks across" in made.stderr


def test_what_cannot_be_read_or_written_is_said_before_anything_is_solved(pool: Path, tmp_path: Path) -> None:
    for arguments in (
        (tmp_path / "none",),
        (tmp_path,),
        (pool, "--policy", tmp_path / "none"),
        (pool, "--out", tmp_path / "no" / "r"),
        (pool, "--out", tmp_path),
    ):
        made = amont("match", *arguments)
        assert (made.exit_code, made.stdout) == (2, "")
        assert "cannot be" in made.stderr


def test_a_pipe_is_read_and_one_that_nobody_writes_into_keeps_nobody_waiting(pool: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused = amont("match", pipe)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "$: is not JSON" in refused.stderr
    with subprocess.Popen(["sh", "-c", 'cat "$0" > "$1"', pool, pipe]) as writer, pipe.open("rb") as first:
        assert handling.read(str(pipe)) + first.read() == pool.read_bytes()
        assert writer.wait() == 0


def test_a_device_without_an_end_is_refused() -> None:
    refused = amont("match", "/dev/zero")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "is larger than 128 MB" in refused.stderr


def test_who_is_in_no_pair_and_why_is_said_when_it_is_asked(tmp_path: Path) -> None:
    lonely = [{**EXAMPLE["people"][0], "id": f"it:e{place}", "languages": ["it"]} for place in range(12)]
    path = tmp_path / "pool.json"
    path.write_bytes(written(example(people=[*EXAMPLE["people"], *lonely])))
    plain, told = amont("match", path), amont("match", path, "--explain")
    assert "in no pair" not in plain.stdout
    assert "a language in common" in told.stdout
    assert "12 in no pair" in told.stdout
    assert "one change of their own would open candidates to 12 of them" in told.stdout
    assert "it:e0 (mentee): " in told.stdout
    assert "speaking German would open 1 candidate" in told.stdout
    assert "And 2 more: --show 12 shows all of them, --out writes them." in told.stdout
    assert "--out FILE" in told.stdout


def test_a_file_that_is_too_large_is_not_read_to_its_end(pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(2 * 1024**3)
    assert len(handling.read(str(huge))) == text.MOST_BYTES + 1
    made = amont("match", huge)
    assert made.exit_code == 2
    assert "is larger than 128 MB" in made.stderr
    monkeypatch.setattr(handling, "MOST_BYTES", 10)
    assert handling.read(str(pool)) == pool.read_bytes()[:11]


def test_a_result_that_cannot_be_written_whole_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "result.json"
    handling.write(path, [b"old"])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        handling.write(path, [b"n", b"ew"])
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    console = Console(force_terminal=True, width=120, record=True, stderr=True)
    monkeypatch.setattr(handling, "err", console)
    return console


def test_a_terminal_is_shown_how_far_a_long_run_is(terminal: Console, capsys: pytest.CaptureFixture[str]) -> None:
    with handling.shown("Matching") as progress:
        progress("columns", 3, 10, "gap 12")
        progress("columns", 4, 10, "gap 7")
        progress("prove", 0)
    seen = capsys.readouterr().err
    assert "columns" in seen
    assert "gap 7" in seen
    assert "prove" in seen


def test_a_pipe_is_shown_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with handling.shown("Matching") as progress:
        progress("columns", 3, 10)
    assert capsys.readouterr().err == ""


def test_the_engine_answers_and_its_proof_is_believed(pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "SOLVER", Engine)
    result = tmp_path / "result.json"
    assert amont("match", pool, "--out", result).exit_code == 0
    assert json.loads(result.read_bytes())["engine"] == VERSION
    checked = amont("verify", pool, result)
    assert (checked.exit_code, checked.stderr) == (0, ""), checked.output
