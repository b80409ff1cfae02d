"""An event loop whose time is virtual and whose order is decided by a seed.

Which of the callbacks that are ready runs next is drawn from the loop's `Random`; when none is ready, time jumps to the next timer. Everything of
asyncio that stands on `call_soon`, `call_later` and `time` works in it: tasks, timeouts, locks, conditions. There are no sockets, no signals and no
threads; what would go to a thread is done at once. A callback belongs to the process of its context: those of a dead one are dropped unrun, so that
not even a `finally` of it takes effect; those of a frozen one are kept until it thaws.
"""

import asyncio
import gc
import heapq
import random
from asyncio import events
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol

BEGINNING = 1000.0
"""The loop's time when it is made, in seconds; not 0, which too much code takes for never."""
MOST_HELD = 2_000
"""How many tasks are held before those that are done are let go."""


class Owner(Protocol):
    """What the loop must know of a process."""

    name: str
    dead: bool
    frozen: bool


PROCESS: ContextVar[Owner | None] = ContextVar("process", default=None)
"""Whose code is running; None for the world outside."""


class Stuck(Exception):
    """Nothing is ready and no timer runs: everybody waits for somebody."""


class VirtualLoop(asyncio.BaseEventLoop):
    """See the module. `on_step` is told each callback before it runs."""

    _running = False

    def __init__(self, chance: random.Random, on_step: Callable[[events.Handle, Owner | None], None] | None = None) -> None:
        super().__init__()
        self._chance, self.on_step = chance, on_step
        self._now = BEGINNING
        self._kept: list[events.Handle] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self._timers: list[tuple[float, int, events.TimerHandle]] = []
        self._timers_made = 0
        self.steps = 0
        self.order = 0
        """A number that stands for every choice made so far."""
        self.set_exception_handler(lambda _, context: self.complaints.append(str(context.get("exception") or context["message"])))
        self.complaints: list[str] = []
        """What asyncio would have printed."""

    def time(self) -> float:
        return self._now

    def is_running(self) -> bool:
        return self._running

    def create_task(self, coro: Any, *, name: object = None, context: Any = None) -> "asyncio.Task[Any]":
        """As always, and held: a task of a dead process must not be found as garbage in the middle of a run, which would end its coroutine."""
        task = super().create_task(coro, name=None if name is None else str(name), context=context)
        if len(self._tasks) > MOST_HELD:
            self._tasks = [one for one in self._tasks if not one.done()]
        self._tasks.append(task)
        return task

    def thaw(self) -> None:
        """What was kept for those who were frozen may run."""
        kept, self._kept = self._kept, []
        self._ready.extend(kept)  # type: ignore[attr-defined]

    def run_forever(self) -> None:
        """Until stopped. Garbage is not looked for meanwhile: when it is found depends on more than the seed."""
        gc_was_on = gc.isenabled()
        gc.disable()
        self._running = True
        events._set_running_loop(self)  # noqa: SLF001 - what every loop does
        try:
            self._stopping = False
            while not self._stopping:
                self._run_once()
        finally:
            self._stopping = False
            self._running = False
            events._set_running_loop(None)  # noqa: SLF001
            if gc_was_on:
                gc.enable()

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined]
        timers = self._timers
        while timers and (timers[0][0] <= self._now or not ready):
            when, _, timer = heapq.heappop(timers)
            if not timer.cancelled():
                self._now = max(self._now, when)
                ready.append(timer)
        if not ready:
            raise Stuck("nothing is ready and no timer runs")
        number = int(self._chance.random() * len(ready)) if len(ready) > 1 else 0
        handle: Any = ready[number]
        del ready[number]
        self.order = hash((self.order, number, len(ready)))
        if handle.cancelled():
            return
        owner = handle._context.get(PROCESS)  # noqa: SLF001 - there is no other way to ask
        if owner is not None and owner.dead:
            return
        if owner is not None and owner.frozen:
            self._kept.append(handle)
            return
        self.steps += 1
        if self.on_step is not None:
            self.on_step(handle, owner)
        handle._run()  # noqa: SLF001 - what every loop does

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> events.Handle:  # type: ignore[override]
        """As always, without the looks for other threads and for a loop that has ended."""
        handle = events.Handle(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None) -> events.TimerHandle:  # type: ignore[override]
        """As always; of timers for the same instant, the one that was set first is ready first."""
        timer = events.TimerHandle(when, callback, args, self, context)
        self._timers_made += 1
        heapq.heappush(self._timers, (when, self._timers_made, timer))
        return timer

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, context: Any = None) -> events.TimerHandle:  # type: ignore[override]
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> events.Handle:  # type: ignore[override]
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, _: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]  # names of arguments
        """Done now, answered later."""
        answer = self.create_future()
        try:
            answer.set_result(func(*args))
        except Exception as error:
            answer.set_exception(error)
        return answer

    def _write_to_self(self) -> None:
        return

    def _process_events(self, _: Any) -> None:
        return
