"""What holds without Java: a program dies with us, and a recycled process id is nobody's."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from amont.native.background import Running, State, down, look
from amont.native.process import Process, find, gone, pause, resume, until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [sys.executable, "-uc", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    process = Process(SLEEPER, tmp_path, tmp_path / "log.txt")
    assert until(lambda: process.handle.cmdline() == SLEEPER, 10)
    yield process
    process.kill()


def test_a_process_is_found_by_its_id_and_command_line(sleeper: Process) -> None:
    assert find(sleeper.handle.pid, SLEEPER) == sleeper.handle


def test_an_id_that_now_belongs_to_another_program_is_nobody(sleeper: Process) -> None:
    assert find(sleeper.handle.pid, [*SLEEPER, "--of-another-run"]) is None
    assert find(os.getpid(), SLEEPER) is None


def test_an_id_that_belongs_to_nobody_is_nobody(sleeper: Process) -> None:
    sleeper.kill()
    assert find(sleeper.handle.pid, SLEEPER) is None


def test_down_never_touches_a_program_that_was_given_an_old_id(sleeper: Process, tmp_path: Path) -> None:
    (tmp_path / "run-1").mkdir()
    stale = Running(pid=sleeper.handle.pid, argv=["java", "kafka.Kafka"], port=1, url="kafka://127.0.0.1:1")
    state = State(folder=tmp_path / "run-1", servers={"kafka": stale})
    (tmp_path / "state.json").write_text(state.model_dump_json())
    assert state.conditions() == {"kafka": "down"}
    assert down(tmp_path)
    assert not gone(sleeper.handle)
    assert look(tmp_path) is None
    assert not (tmp_path / "run-1").exists()


def test_down_removes_no_folder_but_one_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data" / "state.json").write_text(State(folder=tmp_path / "elsewhere", servers={}).model_dump_json())
    assert down(tmp_path / "data")
    assert (tmp_path / "elsewhere").exists()


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    process = Process(STUBBORN, tmp_path, log)
    assert until(lambda: log.read_text() == "deaf\n", 10)
    process.end(patience=0.1)
    assert gone(process.handle)


def test_a_paused_process_is_stopped_and_goes_on(sleeper: Process) -> None:
    pause(sleeper.handle)
    assert sleeper.handle.status() == psutil.STATUS_STOPPED
    resume(sleeper.handle)
    assert until(lambda: sleeper.handle.status() == psutil.STATUS_SLEEPING, 10)


def test_ending_a_paused_process_ends_it(sleeper: Process) -> None:
    pause(sleeper.handle)
    sleeper.end(patience=10)
    assert gone(sleeper.handle)


OWNER = """
import sys, time
from pathlib import Path
from amont.native.process import Process, pause
here = Path(sys.argv[1])
process = Process([sys.executable, "-c", "import time; time.sleep(600)"], here, here / "log.txt")
if sys.argv[2] == "paused":
    pause(process.handle)
if sys.argv[2] == "let go":
    process.let_go()
print(process.handle.pid, flush=True)
time.sleep(600)
"""


def owner_that_is_killed(folder: Path, what: str) -> psutil.Process:
    """The program that was started by somebody who has just died by SIGKILL."""
    with subprocess.Popen([sys.executable, "-c", OWNER, str(folder), what], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        program = psutil.Process(int(owner.stdout.readline()))
        owner.send_signal(signal.SIGKILL)
    return program


@pytest.mark.parametrize("what", ["running", "paused"])
def test_a_program_dies_with_an_owner_that_was_killed(tmp_path: Path, what: str) -> None:
    program = owner_that_is_killed(tmp_path, what)
    assert until(lambda: gone(program), 10)


def test_a_program_that_was_let_go_outlives_its_owner(tmp_path: Path) -> None:
    program = owner_that_is_killed(tmp_path, "let go")
    try:
        assert not until(lambda: gone(program), 0.3)
    finally:
        program.kill()
