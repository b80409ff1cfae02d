"""One run of a seed: a storm, the rest after it, and whether everything that is promised was kept."""

import asyncio
import logging
import random
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import structlog
from aiokafka import TopicPartition
from aiokafka.consumer import consumer, fetcher, group_coordinator, subscription_state
from tests.simulation.kafka.world import World

from amont.common.log import kafka_fetch, kafka_reader
from amont.common.testing.simulation.loop import PROCESS, VirtualLoop
from amont.common.testing.simulation.trace import Trace

SETTINGS = {"PAUSE_SECONDS": 0.05, "LONGEST_PAUSE_SECONDS": 0.5, "SLOW_SECONDS": 0.1}
FETCH_WAIT_MS = 200
"""The reader's own, a twentieth of them; it asks more rarely whether there is something, since that is most of what a run does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a seed."""

    seed: int
    broken: tuple[str, ...]
    digest: str
    """The same for the same run."""
    seen: Mapping[str, int]
    trace: tuple[str, ...] = field(default=(), repr=False)


def simulate(seed: int, *, keep_trace: bool = False) -> Outcome:
    """Run a seed. The same seed is the same run, whatever ran before it."""
    loop = VirtualLoop(random.Random(f"{seed}/order"))
    trace = Trace(loop.time, keep=keep_trace)
    chance_before = random.getstate()
    random.seed(seed)
    world = World(loop, seed, trace)
    try:
        with _virtual(loop, world, trace):
            loop.run_until_complete(world.live())
    finally:
        random.setstate(chance_before)
        _dispose(loop, world)
    return Outcome(
        seed=seed,
        broken=(*world.judge.complaints, *(f"asyncio complains: {one}" for one in loop.complaints)),
        digest=trace.digest(loop.order),
        seen=world.seen,
        trace=tuple(trace.lines()),
    )


@contextmanager
def _virtual(loop: VirtualLoop, world: World, trace: Trace) -> Iterator[None]:
    """The client's clock is the loop's, its network is modelled, its sets have an order, and what is logged goes into the trace."""

    def note(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        event.pop("exc_info", None)
        owner = PROCESS.get()
        details = (f"{name}={value}" for name, value in event.items() if name != "event")
        world.happened(owner.name if owner else "outside", event["event"], *details)
        raise structlog.DropEvent

    clock = SimpleNamespace(monotonic=loop.time, time=loop.time)
    before = structlog.get_config()
    with ExitStack() as patched:
        for module in (fetcher, group_coordinator, subscription_state):
            patched.enter_context(patch.object(module, "time", clock))
        for name, value in SETTINGS.items():
            patched.enter_context(patch.object(kafka_reader, name, value))
        patched.enter_context(patch.object(kafka_fetch, "FETCH_WAIT_MS", FETCH_WAIT_MS))
        patched.enter_context(patch.object(consumer, "AIOKafkaClient", world.network.client))
        patched.enter_context(
            patch.object(TopicPartition, "__hash__", lambda at: at.partition)
        )  # that of a string differs from process to process
        structlog.configure(processors=[note], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
        logging.disable()
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
            structlog.configure(**before)


def _dispose(loop: VirtualLoop, world: World) -> None:
    """Let go of everything that was in the middle of something, and of nobody's complaint about it."""
    for one in world.members:
        if client := one.reader._subscriber.consumer:
            client._closed = True
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        with suppress(BaseException):
            task.get_coro().close()  # type: ignore[union-attr]
    loop.set_exception_handler(lambda *_: None)
    loop.close()
