"""`docs/first-programme.md` as a reader follows it: `amont up` in one terminal, every other line in a shell."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.pages import blocks, with_amont

PAGE = "first-programme.md"
AT = "http://127.0.0.1:8000"
END = "-- end of a block --"


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="no curl or no jq here: install both to follow the first programme"
)
def test_a_first_programme_comes_to_a_booked_session_as_the_page_says(amont: str, tmp_path: Path) -> None:
    script, expected = ["set -eu -o pipefail"], {}
    for block in blocks(PAGE):
        if block.file:
            (tmp_path / block.file).write_text(block.body, encoding="utf-8")
        elif block.language == "text":
            expected[len(script) - 2] = block.body
        elif "amont up" not in block.body:
            script.append(f"{block.body.replace(AT, amont)}echo '{END}'")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=tmp_path, env=with_amont(), capture_output=True, text=True, check=False, timeout=400
    )
    assert done.returncode == 0, (done.stdout, done.stderr, (tmp_path / "up.log").read_text()[-4000:])
    said = done.stdout.split(f"{END}\n")
    assert len(expected) >= 5
    for at, text in expected.items():
        assert said[at].endswith(text), (said[at], done.stderr)
