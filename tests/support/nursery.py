"""Processes of services that are born ready: one process has imported everything and forks, so that a start costs a tenth of a second, not three.

A campaign starts services hundreds of times. Each is a process of its own all the same, killed and waited for as any other; what it runs is
`amont.common.testing.process`. The forking process ends, and takes its children with it, when whoever started it is gone.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from functools import cache
from pathlib import Path
from typing import IO, Any, cast

ROOT = Path(__file__).parents[2]
IMPORTED_WITHIN = 300.0


class Child:
    """As much of `subprocess.Popen` as a test needs."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self._nursery, self.pid = nursery, pid

    @property
    def returncode(self) -> int | None:
        return self._nursery.code_of(self.pid)

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        return self._nursery.wait(self.pid, timeout)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)


class Nursery:
    """The forking process, from outside."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._said = threading.Condition()
        self._born: list[int] = []
        self._codes: dict[int, int] = {}
        threading.Thread(target=self._listen, daemon=True, name="nursery").start()

    def bear(self, arguments: list[str], environment: dict[str, str], log: Path) -> Child:
        """Start one; its output goes to the end of `log`."""
        order = {"arguments": arguments, "environment": environment, "log": str(log)}
        with self._said:
            orders = cast("IO[str]", self._process.stdin)
            orders.write(json.dumps(order) + "\n")
            orders.flush()
            assert self._said.wait_for(lambda: self._born, IMPORTED_WITHIN), "the forking process does not answer"
            return Child(self, self._born.pop())

    def code_of(self, pid: int) -> int | None:
        with self._said:
            return self._codes.get(pid)

    def wait(self, pid: int, timeout: float | None) -> int:
        with self._said:
            if not self._said.wait_for(lambda: pid in self._codes, timeout):
                raise subprocess.TimeoutExpired(str(pid), timeout or 0)
            return self._codes[pid]

    def _listen(self) -> None:
        for line in cast("IO[str]", self._process.stdout):
            what, pid, *code = line.split()
            with self._said:
                if what == "born":
                    self._codes.pop(int(pid), None)
                    self._born.append(int(pid))
                else:
                    self._codes[int(pid)] = int(code[0])
                self._said.notify_all()


@cache
def nursery() -> Nursery:
    """The one of this process."""
    return Nursery()


def _fork(order: Any, children: set[int]) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # nobody is said to be dead before they are said to be born
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        os._exit(_live(order))
    children.add(pid)
    os.write(1, f"born {pid}\n".encode())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _live(order: Any) -> int:
    from amont.common.testing import process

    code = 1
    try:
        out = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for here, there in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(here, there)
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.argv = ["process", *order["arguments"]]
        random.seed()  # or all would draw the same
        code = process.main()
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def main() -> None:
    """Import everything, then fork on request until nobody asks any more."""
    import aiosmtplib
    import motor.motor_asyncio

    from amont.common import hosting
    from amont.common.documents import mongo
    from amont.common.documents import sqlite as documents
    from amont.common.log import kafka, sqlite

    assert all((aiosmtplib, motor, mongo, documents, kafka, sqlite, hosting.service_builders()))
    children: set[int] = set()

    def reap(*_: object) -> None:
        while children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            children.discard(pid)
            os.write(1, f"dead {pid} {os.waitstatus_to_exitcode(status)}\n".encode())

    signal.signal(signal.SIGCHLD, reap)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us says when it is over
    for line in sys.stdin:
        _fork(json.loads(line), children)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for child in children:
        os.kill(child, signal.SIGTERM)
    deadline = time.monotonic() + 5
    while children and time.monotonic() < deadline:
        children -= {child for child in children if os.waitpid(child, os.WNOHANG)[0]}
        time.sleep(0.05)
    for child in children:
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
