"""Hundreds of seeds, each a storm of its own over the four services: every promise is kept in all of them, and the storms did hurt.

`AMONT_SIMULATED_SEEDS` says how many (500), `AMONT_SIMULATED_FIRST` which is the first (0). `make simulate SEEDS=10000` plays more.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

import pytest
from tests.simulation.conftest import SEEDS, WITHIN, Playing
from tests.simulation.mutants import MUTANTS, simulate_with

from amont.common.testing.simulation import Outcome, simulate
from amont.common.testing.simulation.__main__ import REPLAY, describe

EFFECTS = ("write", "append", "commit")
CALLS = (*EFFECTS, "get", "find", "fetch", "join")
FAULTS = ("request lost", "answer lost", "done later", "cut off", "slow")
MOMENTS = ("before", "in flight", "after")
LIMITS = ("limit: batch_given_back", "limit: effect_failed")
"""What the shell says when it gives up: after its minute or two, or because it stops or halts."""
LONG = ("long outage: store", "long outage: log", "long silence: store")
"""Each befalls one run in a hundred, or three."""
OVER_HTTP = ("enrol", "accept_pair", "publish_round", "schedule_session")
BEFALLS = ("killed at any time", "frozen", "split", "outage", "cut", "clock jumped", "stopped")


def test_every_promise_is_kept_whatever_the_seed(outcomes: Sequence[Outcome]) -> None:
    failed = [describe(one) for one in outcomes if one.broken]
    assert len(outcomes) == SEEDS
    assert not failed, f"{len(failed)} of {SEEDS} seeds broke a promise:\n" + "\n".join(failed[:5])


def test_the_storms_did_everything_they_can(outcomes: Sequence[Outcome]) -> None:
    """A simulator that injects nothing is worth nothing: each kind of fault at each kind of call, each moment to be killed at, each misfortune."""
    seen = sum((Counter(one.seen) for one in outcomes), Counter[str]())
    enough = {
        **{f"{fault}: {call}": SEEDS // 20 for fault in FAULTS for call in CALLS},
        **{f"killed {moment}: {call}": SEEDS // 50 for moment in MOMENTS for call in EFFECTS},
        **{f"killed {moment}: mail": SEEDS // 500 for moment in MOMENTS},
        **dict.fromkeys(BEFALLS, SEEDS // 10),
        "handed over again": 5 * SEEDS,
        **dict.fromkeys(LIMITS, SEEDS // 10),
        **dict.fromkeys(LONG, SEEDS // 500),
        **{f"silent: {call}": SEEDS // 100 for call in ("append", "fetch", "find")},
        **{f"granted over HTTP: {command}": SEEDS // 50 for command in OVER_HTTP},
        "halted": SEEDS // 20,
    }
    too_few = {what: (seen[what], wanted) for what, wanted in enough.items() if seen[what] < wanted}
    assert not too_few, f"seen, and wanted at least: {too_few}"


def test_people_got_far_and_things_came_again(outcomes: Sequence[Outcome]) -> None:
    """Runs in which nobody enrols, no mail leaves or nothing is repeated show nothing."""
    found = sum((Counter(one.figures) for one in outcomes), Counter[str]())
    assert found["events"] > 50 * SEEDS
    assert found["mails"] > 8 * SEEDS
    assert found["dead letters"] > SEEDS
    assert found["repeated on the log"] > SEEDS
    assert found["parked again"] > SEEDS // 20
    assert found["mails again"] > SEEDS // 20
    assert found["moved"] > SEEDS // 5
    assert found["let go of"] > SEEDS // 5


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_bug_that_was_put_back_is_found(mutant: str, playing: Playing) -> None:
    assert playing.found(mutant) is not None, f"{mutant}: not found in {WITHIN} seeds"


def test_the_same_seed_is_the_same_run_in_every_process() -> None:
    """Seed 114 leaves several documents to a relay at once."""
    program = "from amont.common.testing.simulation import simulate; print(*(simulate(seed).digest for seed in (3, 4, 114)))"
    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": chosen}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for chosen in ("1", "2")
    }
    here = {seed: simulate(seed).digest for seed in (114, 4, 3)}  # what ran before does not matter
    assert said == {f"{here[3]} {here[4]} {here[114]}"}
    assert len(set(here.values())) == 3


def test_a_seed_that_fails_prints_the_command_that_plays_it_again() -> None:
    failed = next(one for one in (simulate_with("ack before effect", seed) for seed in range(WITHIN)) if one.broken)
    assert describe(failed).splitlines()[-1].strip() == REPLAY.format(seed=failed.seed)


def test_a_trace_says_who_did_what_and_when_and_changes_nothing() -> None:
    plain, traced = simulate(3), simulate(3, keep_trace=True)
    assert plain.digest == traced.digest
    assert not plain.trace
    text = "\n".join(traced.trace)
    assert re.search(r"10\d\d\.\d{6}  enrolment-0\.1 +starts", text)
    assert re.search(r"enrolment-0\.\d>enrolment store +write put employees/", text)
    assert re.search(r"hears enrolment-employees \d:\d+-\d+", text)
    assert re.search(r"enrolment-0\.1 +… enrolment due", text)
    assert [float(line.split()[0]) for line in traced.trace] == sorted(float(line.split()[0]) for line in traced.trace)
