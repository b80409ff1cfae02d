"""The page on the life of an employee is true: a coordinator's commands, on a feed that has just said too many leavers. Its time is long ago, so that what is
decided now is decided afterwards.
"""

import asyncio
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.services.enrolment.staffing import fr, left, recorded
from tests.support.pages import blocks, with_amont

from amont.common.clock import FixedClock
from amont.common.documents.sqlite import SqliteStore
from amont.common.events.values import EmployeeStatus
from amont.common.ids import SeededIds
from amont.common.log.sqlite import SqliteLog
from amont.common.service import Parts
from amont.common.testing.hearing import Hearing
from amont.enrolment.app import build
from amont.enrolment.domain.employee import Employee

LONG_AGO = datetime(2024, 1, 1, 8, tzinfo=UTC)
ONE, OTHER = "fr:p0", "fr:p1"


async def test_a_coordinators_commands_about_a_feed_do_what_the_page_says(tmp_path: Path) -> None:
    clock, log = FixedClock(LONG_AGO), SqliteLog(tmp_path / "log.sqlite", sync="normal")
    store = SqliteStore(tmp_path / "amont_enrolment.sqlite", sync="normal")
    service = build(Parts(store=store, log=log, clock=clock, ids=SeededIds(clock, 1)))
    await service.open()
    enrolment = Hearing(service, log, clock)
    await enrolment.given(fr(leaver_share=0))
    await enrolment.hears(*(recorded(f"p{number}", at=LONG_AGO, wrote=LONG_AGO) for number in range(2)))
    await enrolment.passes(timedelta(hours=2))
    said = {}
    for line in (line for block in blocks("subsidiaries/life.md") for line in block.body.splitlines()):
        verb = line.split()[2]
        if verb in {"held", "drop"}:
            leaver = {"held": "p0", "drop": "p1"}[verb]
            await enrolment.hears(left(leaver, at=clock.now(), wrote=clock.now()))
        said[verb] = await asyncio.to_thread(run, line, tmp_path)
        clock.move_to(datetime.now(UTC))
        await enrolment.settle()
    people = {person: (await enrolment.look(Employee, person)).status for person in (ONE, OTHER)}
    await service.stop()
    assert people == {ONE: EmployeeStatus.LEFT, OTHER: EmployeeStatus.ACTIVE}
    assert re.search(r"fr:p0 +left", said["held"])
    assert [*said] == ["held", "release", "drop", "pause", "resume"]


def run(command: str, folder: Path) -> str:
    environment = with_amont(AMONT_STORE_URL=f"sqlite://{folder}")
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout
