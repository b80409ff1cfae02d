"""What a service warms up beside its start: nobody waits for it but a stop, since a compiler that is at work when the interpreter ends is a crash."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from amont.common import hosting
from amont.common.clock import FixedClock
from amont.common.errors import Unavailable
from amont.common.ids import SeededIds
from amont.common.service import Parts, Service, Warm
from amont.common.testing.hearing import START
from amont.common.testing.memory import Broker, Database, MemoryLog, MemoryStore
from amont.matching import app
from amont.matching.domain.progress import Progress
from amont.notifications.sending import MailSender


def parts(log: MemoryLog | None = None) -> Parts:
    clock = FixedClock(START)
    log = log or MemoryLog(Broker(), client_id="test")
    return Parts(store=MemoryStore(Database()), log=log, clock=clock, ids=SeededIds(clock, 1), tools={MailSender: object()})


def warming(warm: Warm, log: MemoryLog | None = None) -> Service:
    return Service("scheduling", parts(log), consumes={}, publishes=(), keeps=(), warm=warm)


class NeverThere(MemoryLog):
    async def open(self) -> None:
        raise Unavailable("nobody there")


class Slow:
    """Warms up until it is let go."""

    def __init__(self) -> None:
        self.began, self.go_on, self.done = threading.Event(), threading.Event(), False

    def __call__(self, _: Callable[[], bool]) -> None:
        self.began.set()
        self.done = self.go_on.wait(timeout=30)


async def stops_once_it_is_warm(service: Service, slow: Slow) -> None:
    stopping = asyncio.create_task(service.stop())
    await asyncio.sleep(0.1)
    assert not stopping.done()
    slow.go_on.set()
    await stopping
    assert slow.done


async def test_a_service_is_ready_before_it_is_warm_and_a_stop_waits_until_it_is() -> None:
    slow = Slow()
    service = warming(slow)
    await service.start()
    assert service.ready
    await asyncio.to_thread(slow.began.wait)
    await stops_once_it_is_warm(service, slow)


async def test_a_stop_waits_for_it_although_the_log_was_never_there() -> None:
    slow = Slow()
    service = warming(slow, NeverThere(Broker(), client_id="test"))
    starting = asyncio.create_task(service.start())
    await asyncio.to_thread(slow.began.wait)
    starting.cancel()
    await stops_once_it_is_warm(service, slow)


async def test_a_service_that_cannot_warm_up_says_so_and_works() -> None:
    def broken(_: Callable[[], bool]) -> None:
        raise OSError("no space left on device")

    with capture_logs() as said:
        async with warming(broken).running() as service:
            await asyncio.sleep(0.05)
            assert service.ready
    assert [line["event"] for line in said if line["log_level"] == "error"] == ["not_warmed_up"]


@pytest.mark.parametrize("name", sorted(hosting.service_builders()))
def test_building_a_service_starts_no_thread(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found on another machine: a process that built matching and ended soon after died with SIGABRT, in the compiler."""
    start, here, started = threading.Thread.start, threading.current_thread(), []

    def noted(thread: threading.Thread) -> None:
        if threading.current_thread() is here:  # what other tests have left running starts its own
            started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", noted)
    hosting.service_builders()[name](parts())
    assert not started


async def test_matching_warms_its_engine_up_until_it_is_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a stop it goes on to the end; after one it ends at the next word of its progress."""
    words, over = [], threading.Event()

    def warm(progress: Progress) -> None:
        for word in ("read", "scan", "prove"):
            progress(word, 0)
            words.append(word)
            over.set()

    monkeypatch.setattr(app, "warm", warm)
    warm_up = app.build(parts())._warm
    assert warm_up is not None
    warm_up(lambda: False)
    assert words == ["read", "scan", "prove"]
    over.clear()
    warm_up(over.is_set)
    assert words[3:] == ["read"]
