"""Play seeds, or one seed again.

make simulate SEEDS=10000 FIRST=0         many, on every core, with a rate; ends with 1 when a promise was broken
make simulate SEED=748 ARGS=--trace       one again, with everything that happened in it
"""

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from amont.common.testing.simulation.run import Outcome, simulate
from amont.common.testing.simulation.workers import end_with_parent

REPLAY = "make simulate SEED={seed} ARGS=--trace"
SAYS_EVERY = 30.0
"""How often, in seconds, one line says how far it is where no bar can be shown."""


def many(seeds: range, *, workers: int | None = None) -> Iterator[Outcome]:
    """The outcomes of seeds, as they come, from as many processes as there are cores."""
    workers = workers or os.cpu_count() or 1
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        waiting = iter(seeds)
        running = {pool.submit(simulate, seed) for seed in islice(waiting, 4 * workers)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {pool.submit(simulate, seed) for seed in islice(waiting, len(done))}
                for one in done:
                    yield one.result()
        finally:
            for one in running:
                one.cancel()


def describe(outcome: Outcome) -> str:
    """What a seed broke, and the one command that plays it again."""
    return "\n".join([f"seed {outcome.seed}:", *(f"  {one}" for one in outcome.broken), f"  {REPLAY.format(seed=outcome.seed)}"])


def _play_many(seeds: range, console: Console) -> int:
    failed, number, seen, figures, began = 0, 0, Counter[str](), Counter[str](), time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    said = began
    if not console.is_terminal:
        console.print(f"{len(seeds):,} seeds, some seconds of processor each; a line every {SAYS_EVERY:.0f} s.", markup=False)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops it is told how far it came
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("seeds", total=len(seeds), rate="")
        try:
            for number, outcome in enumerate(many(seeds), 1):
                seen.update(outcome.seen)
                figures.update(outcome.figures)
                if outcome.broken:
                    failed += 1
                    console.print(describe(outcome), markup=False, soft_wrap=True)
                rate = f"{number / (time.monotonic() - began):.1f} a second"
                progress.update(bar, advance=1, rate=rate)
                if not console.is_terminal and time.monotonic() - said > SAYS_EVERY:
                    said = time.monotonic()
                    console.print(f"{number:,} of {len(seeds):,} seeds, {rate}; {failed} broke a promise", markup=False)
        except (KeyboardInterrupt, BrokenProcessPool):
            console.print("Ended before its time.", markup=False)
    seconds = time.monotonic() - began
    for what, count in [*sorted(figures.items()), *sorted(seen.items())]:
        console.print(f"{count:>10,}  {what}", markup=False)
    console.print(f"{number:,} seeds in {seconds:.0f} s, {number / seconds:.1f} a second; {failed} broke a promise", markup=False)
    return 1 if failed or number < len(seeds) else 0


def _play_one(seed: int, *, trace: bool) -> int:
    outcome = simulate(seed, keep_trace=trace)
    for line in outcome.trace:
        print(line)  # noqa: T201 - a trace goes to standard output, for less and grep
    print(describe(outcome) if outcome.broken else f"seed {seed}: every promise was kept", file=sys.stderr)  # noqa: T201
    print(f"digest {outcome.digest}, {outcome.steps:,} steps, {outcome.seconds:.0f} s of virtual time", file=sys.stderr)  # noqa: T201
    return 1 if outcome.broken else 0


def main() -> int:
    """The exit code: 0, or 1 when a promise was broken."""
    parser = argparse.ArgumentParser(
        prog="amont.common.testing.simulation", description="Play the house under a storm that a seed decides."
    )
    parser.add_argument("--seed", type=int, help="play this one again")
    parser.add_argument("--trace", action="store_true", help="with --seed: print everything that happened")
    parser.add_argument("--seeds", type=int, default=1000, help="how many to play")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    asked = parser.parse_args()
    if asked.seeds < 1:
        parser.error("--seeds is how many to play: 1 at least")
    if asked.trace and asked.seed is None:
        parser.error("--trace is of one seed: add --seed")
    if asked.seed is not None:
        return _play_one(asked.seed, trace=asked.trace)
    return _play_many(range(asked.first, asked.first + asked.seeds), Console(stderr=True))


if __name__ == "__main__":
    sys.exit(main())
