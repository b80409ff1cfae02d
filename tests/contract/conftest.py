"""What both suites need: another process that can be killed, and a folder of its own for every test."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("child.py")
Child = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def child() -> AsyncIterator[Child]:
    """Starts `child.py` with a job and its arguments; whatever still runs at the end is killed."""
    running: list[asyncio.subprocess.Process] = []

    async def start(*words: str | Path) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(sys.executable, str(CHILD), *map(str, words), stdout=asyncio.subprocess.PIPE)
        running.append(process)
        return process

    yield start
    for process in running:
        if process.returncode is None:
            process.kill()
        await process.communicate()
