"""How a memory adapter reaches what is behind it: one call at a time, through a function that may be replaced by a line that fails."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

Deed = Callable[[], Any | Coroutine[Any, Any, Any]]
"""What the other end does: at once, or in several parts when it returns a coroutine; then others get their turn between the parts."""


class Call(Protocol):
    """Has a deed done and answers with its result. `what` names the call for people."""

    async def __call__(self, what: str, deed: Deed) -> Any: ...


async def directly(what: str, deed: Deed) -> Any:  # noqa: ARG001 - a line that fails says what it was
    """Others get their turn, then the deed is done."""
    await asyncio.sleep(0)
    done = deed()
    return await done if inspect.iscoroutine(done) else done
