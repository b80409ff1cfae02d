"""What takes minutes and mostly waits is played beside the other tests, one after the other in a process of its own, from the moment the tests are chosen.

    @pytest.mark.beside(play, "kafka")
    def test_it_went_well(played: Outcome) -> None: ...

`play` is a function of a module, and so are its arguments such as can be sent to a process. The test comes last and looks at what came of it; what `play`
raised, the test raises. The seeds of the simulator are played in the same way, on what the machine has left (`tests/simulation/conftest.py`).
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

MARK = "beside"


class Beside:
    """What is being played."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
        self._played: dict[str, Future[Any]] = {}

    def play(self, test: str, function: Callable[..., Any], *args: Any) -> None:
        self._played[test] = self._pool.submit(_whole, function, *args)

    def came_of(self, test: str) -> Any:
        """Wait for it. Raises what it raised."""
        return self._played[test].result()

    def end(self) -> None:
        """Whatever is not done is not needed any more; servers that it has started are stopped."""
        for worker in (self._pool._processes or {}).values() if any(not one.done() for one in self._played.values()) else ():
            worker.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)


def end_with_the_tests() -> None:
    """Left alone by whoever started it, this process ends: a worker of a pool would wait for more work for ever."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="watches the tests", daemon=True).start()


def _begin() -> None:
    """Nothing is printed into the middle of the tests, not even that Kafka is away, which is the point; and told to end, it cleans up."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    end_with_the_tests()


def _whole(function: Callable[..., Any], *args: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as in every test
        try:
            return function(*args)
        except SystemExit:
            os._exit(1)  # a pool would take it for the outcome, and go on with the next
