"""What is played beside the tests comes to its test as it was, and ends when nobody waits for it any more."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.support.beside import Beside

from amont.common.testing.waiting import until

ROOT = Path(__file__).parents[2]


def doubled(number: int) -> int:
    return 2 * number


def refused() -> None:
    raise ValueError("no such thing")


def tidies_up(file: str) -> None:
    """Says that it has begun, never ends by itself, and says that it has tidied up."""
    import time

    try:
        Path(file).write_text("begun")
        while True:
            time.sleep(3600)
    finally:
        Path(file).write_text("tidied up")


def test_what_it_comes_to_or_raises_is_the_test_s() -> None:
    beside = Beside()
    beside.play("well", doubled, 21)
    beside.play("badly", refused)
    assert beside.came_of("well") == 42
    with pytest.raises(ValueError, match="no such thing"):
        beside.came_of("badly")
    beside.end()


async def test_what_nobody_needs_any_more_tidies_up(tmp_path: Path) -> None:
    beside, file = Beside(), tmp_path / "said"
    beside.play("long", tidies_up, str(file))
    await until(lambda: file.exists() and file.read_text() == "begun", within=60)  # it is there before anything is in it
    beside.end()
    assert file.read_text() == "tidied up"


async def test_whoever_is_left_alone_tidies_up_and_ends(tmp_path: Path) -> None:
    file = tmp_path / "said"
    program = (
        "from tests.support.beside import Beside; from tests.support.test_beside import tidies_up; import sys\n"
        "if __name__ == '__main__':\n    beside = Beside(); beside.play('long', tidies_up, sys.argv[1]); beside.came_of('long')\n"
    )
    script = tmp_path / "runs.py"
    script.write_text(program)
    tests = subprocess.Popen([sys.executable, script, file], env={**os.environ, "PYTHONPATH": str(ROOT)})  # noqa: ASYNC220 - it only starts
    await until(lambda: file.exists() and file.read_text() == "begun", within=60)  # it is there before anything is in it
    workers = psutil.Process(tests.pid).children(recursive=True)
    tests.kill()
    tests.wait()
    await until(lambda: file.read_text() == "tidied up", within=60)
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
