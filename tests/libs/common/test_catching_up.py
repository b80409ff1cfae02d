"""What a release does beside its start for the documents of those before it: once, again while the store is away, and nobody waits for it."""

from structlog.testing import capture_logs
from tests.libs.common.test_warming_up import parts

from amont.common.errors import Unavailable
from amont.common.service import Service
from amont.common.testing.waiting import until
from amont.common.work import Work


class CatchingUp:
    """Fails with each of these in turn, then is done."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.asked, self.done = list(failures), 0, 0

    async def __call__(self, _: Work) -> None:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        self.done += 1


def service(catch_up: CatchingUp) -> Service:
    return Service("scheduling", parts(), consumes={}, publishes=(), keeps=(), catch_up=catch_up)


async def test_it_is_done_once_for_each_start_and_again_while_the_store_is_away() -> None:
    catching_up = CatchingUp(Unavailable("not yet"), Unavailable("not yet"))
    built = service(catching_up)
    async with built.running():
        assert built.ready
        await until(lambda: catching_up.done == 1)
    async with built.running():
        await until(lambda: catching_up.done == 2)
    assert catching_up.asked == 4


async def test_a_service_that_cannot_catch_up_says_so_and_works() -> None:
    catching_up = CatchingUp(ValueError("an old document"))
    with capture_logs() as said:
        async with service(catching_up).running():
            await until(lambda: any(line["event"] == "not_caught_up" for line in said))
    assert catching_up.asked == 1
