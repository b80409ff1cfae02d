"""The pages for subsidiaries are true: their files are made, their commands are run in their order, and what they show is what is said."""

import re
import subprocess
from pathlib import Path

import pytest
from tests.support.pages import DOCS, blocks, with_amont

from amont.common.feeds import KINDS, Severity

FAILS = re.compile(r"# exits with (\d)$", re.MULTILINE)


@pytest.mark.parametrize("page", ["contracts.md", "csv.md"])
def test_what_the_page_shows_is_what_is_said(page: str, tmp_path: Path) -> None:
    said, shown = "", 0
    for block in blocks(f"subsidiaries/{page}"):
        if block.file:
            (tmp_path / block.file).write_text(block.body, encoding="utf-8")
        elif block.language == "sh":
            said = run(block.body, tmp_path)
        else:
            assert [line.rstrip() for line in said.splitlines()] == block.body.splitlines()
            shown += 1
    assert shown >= 3


def run(commands: str, folder: Path) -> str:
    """What commands say; each that is said to exit with something does."""
    said = ""
    for command in commands.splitlines():
        code = int(found[1]) if (found := FAILS.search(command)) else 0
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=with_amont(), capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == code, (command, done.stdout, done.stderr)
        said += done.stdout + done.stderr
    return said


def test_every_kind_of_finding_is_on_the_page_with_its_severity() -> None:
    page = (DOCS / "subsidiaries" / "contracts.md").read_text(encoding="utf-8")
    errors, _, warnings = page.partition("| warnings | |")
    for kind in KINDS.values():
        assert f"`{kind.name}`" in (errors if kind.severity is Severity.ERROR else warnings), kind.name
