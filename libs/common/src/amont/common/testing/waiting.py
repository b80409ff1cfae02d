"""Waiting for a condition with a deadline: what a test does instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

LOOK_AGAIN_SECONDS = 0.01


async def until(condition: Callable[[], bool | Awaitable[bool]], within: float = 10.0) -> None:
    """Return as soon as the condition holds. Raises TimeoutError with the condition's name when it does not within so many seconds."""
    deadline = time.monotonic() + within
    while True:
        answer = condition()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:g} s: {getattr(condition, '__qualname__', condition)}")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
