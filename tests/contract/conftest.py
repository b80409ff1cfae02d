"""What both suites need: another process that can be killed, and silence: many tests make adapters complain on purpose."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    with capture_logs():
        yield


PROGRAM = Path(__file__).with_name("child.py")


class Child:
    """`child.py` at work."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def line(self, within: float = 30) -> str:
        """The next line that it says; empty when it has ended."""
        async with asyncio.timeout(within):
            return (await self.process.stdout.readline()).decode().strip()  # type: ignore[union-attr]

    async def lines_until(self, last: str) -> list[str]:
        """What it says before it says that."""
        lines = []
        while (line := await self.line()) != last:
            assert line, f"it ended before it said {last}: {lines}"
            lines.append(line)
        return lines

    async def hears(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n".encode())  # type: ignore[union-attr]
        await self.process.stdin.drain()  # type: ignore[union-attr]

    async def kill(self) -> list[str]:
        """SIGKILL; what it had still said."""
        if self.process.returncode is None:
            self.process.kill()
        said, _ = await self.process.communicate()
        return said.decode().split()


@pytest.fixture
async def child() -> AsyncIterator[Callable[..., Awaitable[Child]]]:
    """Starts a child with a job and its arguments; whatever still runs at the end is killed."""
    children: list[Child] = []

    async def start(*words: str | Path) -> Child:
        started = await asyncio.create_subprocess_exec(sys.executable, str(PROGRAM), *map(str, words), stdin=PIPE, stdout=PIPE)
        children.append(Child(started))
        return children[-1]

    yield start
    for one in children:
        await one.kill()
