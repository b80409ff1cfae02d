"""The page on SCIM is true: its commands are run in their order, on an enrolment that answers over HTTP."""

import asyncio
import subprocess
from pathlib import Path

from tests.services.enrolment.scim.serving import served
from tests.support.pages import blocks, with_amont

from amont.common import hosting
from amont.common.settings import Settings
from amont.common.work import Work
from amont.enrolment.app import build
from amont.enrolment.domain.scim_user import ScimUser


async def test_every_command_of_the_page_does_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    url = f"sqlite://{tmp_path}/data?sync=normal"
    service = build(hosting.parts_from(Settings(log_url=url, store_url=url), "enrolment"))
    await service.open()
    service.ready = True
    said: list[str] = []
    async with served(service) as address:
        for block in blocks("subsidiaries/scim.md"):
            if block.file:
                (tmp_path / block.file).write_text(block.body, encoding="utf-8")
            elif block.language == "sh":
                commands = block.body.replace("http://127.0.0.1:8000", address).splitlines()
                said += [await asyncio.to_thread(run, command, tmp_path) for command in commands]
    gone = await service.run(_user, "fr:10042")
    await service.stop()
    changed = ('"grade":"DIR"', '"title":"Directrice"', '"active":true')
    checked = ("/scim/fr/v2, SCIM: 1 record about 1 person of 1 subsidiary; 0 errors in 0 records, 0 warnings. Nothing was sent.",)
    expected = [("grade codes",), (), ("ends in",), ('"id":"10042"',), ('"totalResults":1',), (), (), (), changed, checked, ()]
    for text, parts in zip(said, expected, strict=True):
        assert all(part in text for part in parts), text
    assert gone.removed


def run(command: str, folder: Path) -> str:
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=with_amont(), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


async def _user(work: Work, person: str) -> ScimUser:
    return await work.get(ScimUser, person)
