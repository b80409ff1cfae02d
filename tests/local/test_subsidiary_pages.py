"""The pages for subsidiaries are true: followed one after another in one folder, with `amont up` beside, every command ends as it is said to and says what
is shown. Kafka's page is in `tests/interop`; what a coordinator decides about held leavers in `tests/services/enrolment/test_life_page.py`.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.pages import blocks, with_amont

FAILS = re.compile(r"^(.*# exits with (\d))$", re.MULTILINE)
ARRIVES = """
sed 's/00042/e42/' staff.csv > arrives.csv
amont hris import arrives.csv --mapping mapping.toml --as-of 2026-06-01 --data data
until amont people erase fr:e42 --reason "a look" --dry-run | grep -q '^record  *1'; do sleep 0.2; done
"""
PAGES = {
    "subsidiaries/README.md": 0,
    "subsidiaries/contracts.md": 3,
    "subsidiaries/csv.md": 7,
    "subsidiaries/scim.md": 0,
    "operations/privacy.md": 0,
}
"""Each with how often it shows what is said."""


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="no curl or no jq here: install both to follow the pages")
def test_the_pages_are_followed_one_after_another_in_one_folder(amont: str, tmp_path: Path) -> None:
    said = {page: follow(page, amont, tmp_path) for page in PAGES}
    user = said["subsidiaries/scim.md"]
    for part in (
        '"totalResults":1',
        '"grade":"DIR"',
        '"title":"Directrice"',
        "1 record about 1 person",
        "0 errors in 0 records, 0 warnings",
    ):
        assert part in user
    assert (tmp_path / "archive.zip").stat().st_size > 1_000
    assert re.search(r"stage +(requested|ordered|cleared)", said["operations/privacy.md"])


def follow(page: str, amont: str, folder: Path) -> str:
    """Do what a page says; all that its commands said."""
    environment = with_amont()
    if page == "operations/privacy.md":
        environment = with_amont(AMONT_STORE_URL=f"sqlite://{folder}/data")
        run(ARRIVES, folder, environment)
    everything, said, shown = "", "", 0
    for block in blocks(page):
        if block.file:
            (folder / block.file).write_text(block.body, encoding="utf-8")
        elif block.language == "sh" and "amont up" not in block.body:
            said = run(block.body.replace("http://127.0.0.1:8000", amont), folder, environment)
            everything += said
        elif block.language == "text":
            assert [line.rstrip() for line in said.splitlines()] == block.body.splitlines()
            shown += 1
    assert shown == PAGES[page]
    return everything


def run(commands: str, folder: Path, environment: dict[str, str]) -> str:
    """What commands say, in a shell of their own that ends where one does not end as it is said to."""
    script = "set -eu\n" + FAILS.sub(r"set +e\n\1\n[ $? -eq \2 ] || exit 99\nset -e", commands)
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, stdout=-1, stderr=subprocess.STDOUT, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, (commands, done.stdout, (folder / "up.log").read_text()[-3000:])
    return done.stdout
