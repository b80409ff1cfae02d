"""One run: a world from a seed, a storm, a calm, and whether every promise was kept."""

import asyncio
import logging
import random
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from amont.common.testing.promises import broken, figures
from amont.common.testing.simulation.door import without_threads
from amont.common.testing.simulation.loop import BEGINNING, VirtualLoop
from amont.common.testing.simulation.people import People
from amont.common.testing.simulation.trace import Trace
from amont.common.testing.simulation.world import World

STORMS = (10.0, 15.0, 25.0)
"""How long people are at it under the storm, in seconds of the loop; longer by as much as a server is away for long."""

LIMITS = frozenset({"batch_given_back", "not_drained", "events_left_to_the_sweep", "effect_failed"})
"""What the shell says when it has waited for as long as it waits: 60 s for a batch, 25 s for a drain, 5 s before events are said, 120 s for a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a seed."""

    seed: int
    broken: tuple[str, ...]
    """Every promise that was not kept, and every defect that the shell complained about."""
    digest: str
    """The same for the same run."""
    seen: Mapping[str, int]
    """What was done to the house."""
    figures: Mapping[str, int]
    steps: int
    seconds: float
    """Of virtual time."""
    trace: tuple[str, ...] = field(default=(), repr=False)


def simulate(seed: int, *, keep_trace: bool = False) -> Outcome:
    """Run a seed. The same seed is the same run, whatever ran before it."""
    defects: list[str] = []
    said: Counter[str] = Counter()
    loop = VirtualLoop(random.Random(f"{seed}/order"))
    trace = Trace(loop.time, keep=keep_trace)
    if keep_trace:
        loop.on_step = lambda handle, owner: trace.step(owner.name if owner else "outside", _name(handle))
    chance_before = random.getstate()
    random.seed(seed)
    try:
        with _logs_to(trace, defects, said):
            kept, found, world = loop.run_until_complete(_run(loop, seed, trace))
    finally:
        random.setstate(chance_before)
        _dispose(loop)
    return Outcome(
        seed=seed,
        broken=(*kept, *defects, *(f"asyncio complains: {one}" for one in loop.complaints)),
        digest=trace.digest(loop.order),
        seen=dict(sorted((world.storm.seen + said).items())),
        figures=found,
        steps=loop.steps,
        seconds=loop.time() - BEGINNING,
        trace=tuple(trace.lines()),
    )


async def _run(loop: VirtualLoop, seed: int, trace: Trace) -> tuple[list[str], dict[str, int], World]:
    world = World(loop, seed, trace)
    with world.postbox.watching(), world.deployment.felt(), without_threads():
        return await _live(world)


async def _live(world: World) -> tuple[list[str], dict[str, int], World]:
    for replica in world.replicas:
        world.start(replica)
    people = People(world)
    tasks = [
        asyncio.create_task(doing, name=name)
        for name, doing in (
            ("people", people.live()),
            ("trouble", world.trouble()),
            ("outage", world.long_outage()),
            ("mending", world.mend()),
        )
    ]
    storm = world.chance.choice(STORMS) + world.long_outage_seconds
    done, _ = await asyncio.wait(tasks, timeout=storm, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        task.result()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    restless = await world.calm()
    evidence = await world.evidence(people.poison)
    badly_deployed = world.deployment.broken(world.parked, world.broker.partitions)
    kept = [*([restless] if restless else []), *broken(evidence), *badly_deployed, *world.complaints[:3]]
    return kept, figures(evidence), world


def _name(handle: Any) -> str:
    task = getattr(handle._callback, "__self__", None)  # noqa: SLF001 - only for people who read a trace
    return f"… {task.get_name()}" if isinstance(task, asyncio.Task) else f"… {getattr(handle._callback, '__qualname__', handle)}"  # noqa: SLF001


@contextmanager
def _logs_to(trace: Trace, defects: list[str], said: Counter[str]) -> Iterator[None]:
    """What the shell logs goes into the trace; how often it came to one of its limits is counted; an exception that it did not expect is a defect."""

    def note(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        error = event.pop("exc_info", None)
        what = " ".join(str(one) for pair in event.items() for one in pair)
        trace.add("log", what)
        if event["event"] in LIMITS:
            said[f"limit: {event['event']}"] += 1
        if error:
            last = traceback.format_exc().strip().splitlines()[-3:]
            defects.append(f"{event['event']}: {' | '.join(line.strip() for line in last)}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[note], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        yield
    finally:
        structlog.configure(**before)


def _dispose(loop: VirtualLoop) -> None:
    """Let go of everything that was in the middle of something, and of nobody's complaint about it."""
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - it is meant to be pending
        with suppress(BaseException):
            task.get_coro().close()
    loop.set_exception_handler(lambda *_: None)
    loop.close()
