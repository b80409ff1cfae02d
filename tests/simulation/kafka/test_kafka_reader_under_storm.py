"""Hundreds of seeds, each a storm over a group of Kafka readers: nothing is skipped, nothing stays behind, and in peace nothing comes twice.

`AMONT_SIMULATED_SEEDS` says how many (300), `AMONT_SIMULATED_FIRST` which is the first (0), as for the simulator of the house.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

import pytest
from tests.simulation.kafka.mutants import MUTANTS, first_found
from tests.simulation.kafka.run import Outcome, simulate

SEEDS = int(os.environ.get("AMONT_SIMULATED_SEEDS", "300"))
FIRST = int(os.environ.get("AMONT_SIMULATED_FIRST", "0"))
WITHIN = 300
"""How many seeds a bug that was put back may hide from."""
BEFALLS = {
    "joins": 3,
    "stops": 2,
    "kills": 0.3,
    "is frozen": 0.3,
    "is down": 0.3,
    "is cut off": 0.3,
    "hears nothing": 0.3,
    "runs out of time": 0.05,
    "partition_rests": 1,
    "commit_failed": 0.3,
}
"""What happens, and how often in a seed at the least."""


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return [simulate(seed) for seed in range(FIRST, FIRST + SEEDS)]


def described(outcome: Outcome) -> str:
    """What a seed broke, and everything that happened in it."""
    return "\n".join([f"seed {outcome.seed}:", *simulate(outcome.seed, keep_trace=True).trace, *(f"  {one}" for one in outcome.broken)])


def test_nothing_is_skipped_and_nothing_stays_behind_whatever_the_seed(outcomes: Sequence[Outcome]) -> None:
    failed = [one for one in outcomes if one.broken]
    assert not failed, f"{len(failed)} of {SEEDS} seeds, {[one.seed for one in failed[:20]]}; the first of them is\n{described(failed[0])}"


def test_the_storms_did_everything_they_can(outcomes: Sequence[Outcome]) -> None:
    seen = sum((Counter(one.seen) for one in outcomes), Counter[str]())
    too_few = {what: seen[what] for what, wanted in BEFALLS.items() if seen[what] < wanted * SEEDS}
    assert not too_few, f"seen in {SEEDS} seeds: {too_few}"


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_bug_that_was_put_back_is_found(mutant: str) -> None:
    assert first_found(mutant, WITHIN) is not None, f"{mutant}: not found in {WITHIN} seeds"


def test_the_same_seed_is_the_same_run_in_every_process() -> None:
    program = "from tests.simulation.kafka.run import simulate; print(*(simulate(seed).digest for seed in (3, 4)))"
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": chosen, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for chosen in ("1", "2")
    }
    here = [simulate(seed) for seed in (4, 3)]  # what ran before does not matter
    assert said == {f"{here[1].digest} {here[0].digest}"}
    assert here[0].digest != here[1].digest


def test_a_seed_that_fails_is_printed_with_everything_that_happened() -> None:
    make, _, likely = MUTANTS["commit of all positions"]
    with make():
        text = described(simulate(likely))
    assert text.startswith(f"seed {likely}:\n")
    assert "member-1                      takes" in text
    assert "broker                        takes position" in text
    assert "has not been handled" in text.splitlines()[-1]
