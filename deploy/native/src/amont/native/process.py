"""A program that dies with us: started in a session of its own, watched by a shell that kills it when we are gone.

The shell reads a pipe whose other end only we hold. However we end, SIGKILL included, the pipe closes and the shell kills the program, even
one that is stopped by SIGSTOP. (Linux' parent-death signal is not used: it fires when the starting *thread* ends, and other systems lack
it.) A line through the pipe instead of its end lets the program go: that is how `amont stack up` leaves its servers behind. One limit: a
child that we fork without exec holds the pipe too, and the program then lives until that child ends.

Also here: recognising a program by process id *and* command line, so that a recycled id is never taken for ours.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, cast

import psutil

from amont.native.errors import StartFailed

WATCH = '"$@" </dev/null >>"$0" 2>&1 & echo $!; exec >&-; read -r _ || kill -9 $!'


class Process:
    """The running program: its output goes to the end of `log`."""

    def __init__(self, argv: Sequence[str], folder: Path, log: Path) -> None:
        log.touch()
        self._watcher = subprocess.Popen(  # noqa: S603 - our own words; the arguments are passed on, never parsed
            ["/bin/sh", "-c", WATCH, str(log), *argv],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        with cast("IO[str]", self._watcher.stdout) as answer:
            said = answer.readline()
        if not said:
            self.let_go()
            raise StartFailed(f"could not start {argv[0]} in {folder}")
        self.handle = psutil.Process(int(said))

    def let_go(self) -> None:
        """From here on the program outlives us."""
        if self._watcher.returncode is None:
            self._watcher.communicate("\n")

    def end(self, patience: float) -> None:
        end(self.handle, patience)
        self.let_go()

    def kill(self) -> None:
        """SIGKILL, and it is dead when this returns."""
        self.end(patience=0)


def end(handle: psutil.Process, patience: float) -> None:
    """SIGTERM, and SIGKILL when it is still there after `patience` seconds (at once when 0); it is dead when this returns."""
    if patience and not gone(handle):
        _send(handle, signal.SIGTERM)
        _send(handle, signal.SIGCONT)
        until(lambda: gone(handle), patience)
    if not gone(handle):
        _send(handle, signal.SIGKILL)
    until(lambda: gone(handle), 30)


def pause(handle: psutil.Process) -> None:
    """SIGSTOP, and it is stopped when this returns."""
    _send(handle, signal.SIGSTOP)
    until(lambda: gone(handle) or handle.status() == psutil.STATUS_STOPPED, 10)


def resume(handle: psutil.Process) -> None:
    _send(handle, signal.SIGCONT)


def gone(handle: psutil.Process) -> bool:
    """Whether it has ended; a zombie has."""
    try:
        return not handle.is_running() or bool(handle.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def find(pid: int, argv: Sequence[str]) -> psutil.Process | None:
    """The live process of that id, if its command line is exactly this one; an id that now belongs to another program is nobody."""
    try:
        handle = psutil.Process(pid)
        return handle if handle.cmdline() == list(argv) and not gone(handle) else None
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def until(condition: Callable[[], bool], timeout: float) -> bool:
    """Whether the condition came true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _send(handle: psutil.Process, number: signal.Signals) -> None:
    """The library compares start times first, so this cannot reach another program either."""
    try:
        handle.send_signal(number)
    except psutil.NoSuchProcess:
        return
