"""Are the tests of the matching engine worth something? Faults are planted in it one at a time, and the tests of what they are in must find each.

    python -m tests.mutation                                # every fault: an hour and more of processor
    python -m tests.mutation verifier --most 5 --seed 1     # some of each of the verifier's modules, chosen by the seed
    python -m tests.mutation engine.repair.most             # those of one module

The engine's loops run as plain Python here, since machine code does not hear of a fault in what it has taken in.

Each fault is tried in a process of its own, forked from one that has everything loaded; one that runs longer than `--seconds` of processor counts as found,
since it hangs. Exits with 1 when one survived that is not in `survivors.txt`, where each stands with the reason why nobody could see it.
"""

import argparse
import os
import resource
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from types import ModuleType

os.environ.setdefault("AMONT_TEST_THOROUGHNESS", "0.1")
os.environ["AMONT_ENGINE_COMPILED"] = "no"

import pytest
from tests.mutation.faults import Fault, faults_in

TESTS = Path("tests/services/matching")
_RULES = ["domain/test_points.py", "domain/test_rules.py", "domain/test_scorer.py", "domain/test_words.py"]
_VERIFIER = ["verifier/test_verifier.py::test_what_is_wrong_is_told_where_it_is", "verifier/test_verifier.py"]
_SOLVER = ["domain/test_covers.py", "domain/test_floor.py", "domain/test_solver.py"]
_REPAIRS = ["domain/test_repairs.py", "domain/test_keeping.py"]
TARGETS = {
    **dict.fromkeys(("scorer", "points", "rules"), _RULES),
    **{f"verifier.{name}": _VERIFIER for name in ("board", "claims", "crowd", "explained", "proofs", "reading", "verifying")},
    **{f"engine.{name}": _SOLVER for name in ("cover", "optimum")},
    **{f"engine.repair.{name}": _REPAIRS for name in ("crowd", "differences", "market", "most", "optimum", "sparse")},
}
"""Modules of matching by their short names, and the tests that must find a fault there, the most telling first."""
SURVIVORS = Path(__file__).with_name("survivors.txt")


def main() -> int:
    asked = _asked()
    argued = {line.partition(" # ")[0] for line in SURVIVORS.read_text().splitlines() if " # " in line}
    survived: list[str] = []
    tried = 0
    for name in [one for one in TARGETS if any(f"{one}.".startswith(f"{wanted}.") for wanted in asked.targets or [one])]:
        tests = TARGETS[name]
        module = import_module(f"amont.matching.{name}" if name.startswith("verifier") else f"amont.matching.domain.{name}")
        faults = list(faults_in(Path(module.__file__ or "").read_text()))
        if not _lives(module, None, tests, asked.seconds):
            sys.exit(f"The tests of {name} fail, or take too long, without any fault: {', '.join(tests)}.")
        chosen = sorted(Random(f"{asked.seed}/{name}").sample(range(len(faults)), min(asked.most, len(faults))))
        lived = 0
        for fault in (faults[one] for one in chosen):
            if _lives(module, fault, tests, asked.seconds):
                lived += 1
                survived.append(f"{name}, {fault.function}: {fault.was} -> {fault.becomes}")
                print(f"   {'argued' if survived[-1] in argued else 'ALIVE '}  {survived[-1]}", flush=True)
        tried += len(chosen)
        print(f"{name:25} {len(chosen):4} of {len(faults)} faults planted, {len(chosen) - lived} found", flush=True)
    found = tried - len(survived)
    print(
        f"{found} of {tried} found ({100 * found / max(1, tried):.0f} %); {sum(one in argued for one in survived)} of the others are argued"
    )
    return int(any(one not in argued for one in survived))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = {".".join(name.split(".")[:depth]) for name in TARGETS for depth in (1, 2, 3)}
    parser.add_argument("targets", nargs="*", metavar="MODULE", choices=[[], *sorted(known)], default=[])
    parser.add_argument("--most", type=int, default=1_000_000, help="faults a module")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    parser.add_argument("--seconds", type=int, default=60, help="processor seconds a fault may take to be found")
    return parser.parse_args()


def _lives(module: ModuleType, fault: Fault | None, tests: list[str], seconds: int) -> bool:
    """Whether all tests pass with that fault, or without any."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os._exit(0 if _pass(module, fault, tests) else 1)
    return os.waitpid(child, 0)[1] == 0


def _pass(module: ModuleType, fault: Fault | None, tests: list[str]) -> bool:
    try:
        if fault is not None:
            _plant(module, fault)
    except Exception:  # found: it cannot even be imported
        return False
    arguments = ["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-W", "ignore", "--assert=plain"]
    return pytest.main([*arguments, *(str(TESTS / test) for test in tests)]) == pytest.ExitCode.OK


def _plant(module: ModuleType, fault: Fault) -> None:
    """Let everybody who has imported something of the module have it with the fault."""
    before = dict(vars(module))
    exec(compile(fault.tree, module.__file__ or "", "exec"), vars(module))
    instead = {id(old): vars(module)[name] for name, old in before.items() if getattr(old, "__module__", None) == module.__name__}
    for other in [one for name, one in sys.modules.items() if name.startswith("amont.matching") and one is not module]:
        for name, value in list(vars(other).items()):
            if id(value) in instead:
                setattr(other, name, instead[id(value)])


if __name__ == "__main__":
    if find_spec("hypothesis") is None:
        sys.exit("The tests' own dependencies are missing: make setup.")
    for wanted in ("amont.matching.domain.engine", "amont.matching.verifier", "hypothesis.stateful", "scipy.optimize"):
        import_module(wanted)
    sys.exit(main())
