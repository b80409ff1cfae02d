"""scim2-cli, a SCIM client that none of us wrote, in an environment of its own: it discovers the door, and does what docs/subsidiaries/scim.md shows."""

import asyncio
import os
import subprocess
from pathlib import Path

from tests.services.enrolment.scim.door import Feed, Scene, scene
from tests.services.enrolment.scim.serving import served
from tests.support.pages import blocks
from tests.support.pip import command

from amont.common.events import StaffLeft, StaffRecorded

PACKAGE = "scim2-cli==0.6.0"


async def test_scim2_cli_makes_finds_changes_and_deletes_a_user_as_documented(tmp_path: Path) -> None:
    scim2 = await asyncio.to_thread(command, PACKAGE, "scim2")
    [commands] = [one.body for one in blocks("subsidiaries/scim.md") if one.language == "bash"]
    async with scene(tmp_path) as door, served(door.hearing.service) as address:
        said = await asyncio.to_thread(run, commands, address, door.fr, scim2, tmp_path)
        employee = await door.employee("fr:10042")
        heard = await heard_of(door)
    for part in ('"id": "10042"', '"totalResults": 1', '"title": "Directrice"'):
        assert part in said
    assert heard == [("StaffRecorded", "C1", None), ("StaffRecorded", "DIR", "Directrice"), ("StaffLeft", None, None)]
    assert employee.status == "left"


async def heard_of(door: Scene) -> list[tuple[str, str | None, str | None]]:
    """What the door has told the inbound topic."""
    return [
        (type(one).__name__, one.grade, one.job_title or None) if isinstance(one, StaffRecorded) else (StaffLeft.__name__, None, None)
        for one in await door.told()
    ]


def run(commands: str, address: str, feed: Feed, scim2: Path, folder: Path) -> str:
    """The page's commands in one shell that ends with the first that fails."""
    (folder / "token").write_text(feed.token)
    script = commands.replace("http://127.0.0.1:8000", address).replace('"C3"', '"C1"')
    environment = {**os.environ, "PATH": f"{scim2.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout
