"""The commands of `docs/programmes.md`, as they stand and in their order: `amont up` in one terminal, a shell in another."""

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from tests.support.pages import blocks, with_amont

SUBSIDIARIES = "\n".join(
    f"amont subsidiaries add {tenant} --name {tenant} --zone Europe/Paris --languages fr --grades grades.csv" for tenant in ("fr", "de")
)


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here: install it to run the page about programmes")
def test_every_command_of_the_page_is_taken(amont: str, tmp_path: Path) -> None:
    (tmp_path / "grades.csv").write_text("grade,band\nC3,5\n", encoding="utf-8")
    script = ["set -eu", SUBSIDIARIES]
    for block in blocks("programmes.md"):
        if block.file:
            (tmp_path / block.file).write_text(block.body, encoding="utf-8")
        elif block.language == "sh":
            script.append(block.body.replace("curl ", "curl --fail-with-body -sS "))
    signed_in = httpx.post(f"{amont}/sign-in", data={"person": "group:me", "role": "group-coordinator"}, headers={"Accept": "text/plain"})
    environment = with_amont(AMONT=amont, GROUP=signed_in.text.strip(), AMONT_STORE_URL=f"sqlite://{tmp_path}/data")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    for said in ("inclusion-2028 is a draft", "inclusion-2028 is changed", '"text":"La participation est volontaire."', '"items":[]'):
        assert said in done.stdout
