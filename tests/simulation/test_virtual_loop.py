"""The loop on which a run stands: time jumps, the seed decides the order, what belongs to a dead process never runs."""

import asyncio
import contextvars
import random
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from amont.common.testing.simulation.loop import PROCESS, Stuck, VirtualLoop


def run(doing: Coroutine[Any, Any, Any], seed: int = 1) -> Any:
    loop = VirtualLoop(random.Random(seed))
    try:
        return loop.run_until_complete(doing)
    finally:
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            task.get_coro().close()  # type: ignore[union-attr]
        loop.close()


def test_a_year_passes_in_no_time() -> None:
    async def sleeps() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(365 * 86_400)
        return loop.time() - began

    began = time.monotonic()
    assert run(sleeps()) == pytest.approx(365 * 86_400)
    assert time.monotonic() - began < 60


def test_timeouts_locks_conditions_and_gathers_work() -> None:
    async def all_of_them() -> list[Any]:
        gate, condition, said = asyncio.Semaphore(2), asyncio.Condition(), []

        async def one(number: int) -> None:
            async with gate:
                await asyncio.sleep(number)
                said.append(number)
            async with condition:
                condition.notify_all()

        async def all_said() -> bool:
            async with condition:
                return await condition.wait_for(lambda: len(said) == 3)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.Event().wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.5)
        waiting = asyncio.create_task(all_said())
        await asyncio.gather(*(one(number) for number in (3, 1, 2)))
        assert await waiting
        assert await asyncio.to_thread(lambda: 42) == 42
        return said

    assert sorted(run(all_of_them())) == [1, 2, 3]


def test_the_seed_and_nothing_else_decides_who_is_next() -> None:
    async def race() -> tuple[int, ...]:
        order: list[int] = []

        async def runner(number: int) -> None:
            await asyncio.sleep(0)
            order.append(number)

        await asyncio.gather(*(runner(number) for number in range(6)))
        return tuple(order)

    assert run(race(), 5) == run(race(), 5)
    assert len({run(race(), seed) for seed in range(20)}) > 15


class Somebody:
    name, dead, frozen = "somebody", False, False


def test_the_dead_do_nothing_any_more_and_the_frozen_go_on_later() -> None:
    async def world() -> list[str]:
        loop, said, process = asyncio.get_running_loop(), [], Somebody()
        assert isinstance(loop, VirtualLoop)
        context = contextvars.copy_context()
        context.run(PROCESS.set, process)

        async def works(what: str) -> None:
            try:
                for number in range(3):
                    await asyncio.sleep(1)
                    said.append(f"{what} {number}")
            finally:
                said.append(f"{what} ends")

        loop.create_task(works("life"), context=context)
        await asyncio.sleep(1.5)
        process.frozen = True
        await asyncio.sleep(10)
        assert said == ["life 0"]
        process.frozen = False
        loop.thaw()
        await asyncio.sleep(0.5)
        assert said == ["life 0", "life 1"]
        process.dead = True
        await asyncio.sleep(10)
        return list(said)

    assert run(world()) == ["life 0", "life 1"]


def test_a_world_in_which_everybody_waits_for_somebody_says_so() -> None:
    with pytest.raises(Stuck):
        run(asyncio.Event().wait())
