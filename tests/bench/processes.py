"""Whole processes, one after the other: Amont's commands, and the peers in an environment of their own (`.bench/peers`), which is made when it is missing.

Memory is VmHWM of `/proc/self/status`, the most that the process ever held, as Linux says at its end; processor seconds are user and system of all its
threads. Peers are never among our dependencies: `lap` and `lapx` share an import name, and so do `matching` and `mentor-match`, of which only `lapx` and
`mentor-match` are installed there. `rival.py` is what runs in a peer's process; our sparse solver runs in one like it, from our own environment.
"""

import json
import os
import signal
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.pools import made_up
from tests.services.matching.files.pool_documents import document_of, written

from amont.matching.domain.engine import warm

FOLDER = Path(".bench")
PEERS = FOLDER / "peers"
PACKAGES = ("numpy", "scipy", "lapx", "ortools", "munkres", "mentor-match")
EVERYBODY = os.environ.get("BENCH_PEERS") == "all"
"""Whether peers also run where they take minutes."""
PATIENCE = int(os.environ.get("BENCH_PATIENCE", "150"))
"""Seconds that a dense peer may take for its job before it is cut off."""

_CHILD = """
import sys, time
sys.argv = sys.argv[1:]
from amont.common.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
finally:
    peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print("KB", peak, time.process_time(), file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What a process spent, and what it found; `seconds` are those of the job alone, by the clock."""

    seconds: float
    processor: float
    mb: float
    found: dict[str, Any]


class Missing(Exception):
    """A peer that cannot be asked, and why."""


class CutOff(Exception):
    """A peer that took longer than `PATIENCE`."""


def pool_of(side: int) -> Path:
    """The made-up pool as a file."""
    path = FOLDER / f"pool-{side}.json"
    if not path.exists():
        FOLDER.mkdir(exist_ok=True)
        path.write_bytes(written(document_of(made_up(side))))
    return path


def match(pool: Path, policy: dict[str, Any], *options: str) -> Run:
    """`amont match`: seconds of solving; `found` is the result's objective, and seconds to read as `load`. Nothing is compiled on the way."""
    warm()
    _policy().write_text(json.dumps({"amont": "policy/1", **policy}), encoding="utf-8")
    processor, mb = _command("match", str(pool), "--policy", str(_policy()), "--out", str(_result()), *options)
    result = json.loads(_result().read_bytes())
    return Run(result["seconds"]["solve"], processor, mb, {**result["objective"], "load": result["seconds"]["load"]})


def verify(pool: Path) -> Run:
    """`amont verify` of the result that was made last; seconds are of the processor, with reading the files."""
    processor, mb = _command("verify", str(pool), str(_result()), "--policy", str(_policy()))
    return Run(processor, processor, mb, {})


def ask(name: str, *arguments: object) -> Run:
    """One peer on one job, each in a process of its own.

    Raises:
        Missing: its package cannot be installed or imported, or the process failed.
        CutOff: it took too long.
    """
    return _rival(_peers(), name, *arguments)


def ask_ours(name: str, *arguments: object) -> Run:
    """The same of our own, in a process like a peer's."""
    return _rival(Path(sys.executable), name, *arguments)


def free_bytes() -> int:
    """What the machine can give without swapping."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))


def _policy() -> Path:
    return FOLDER / "policy.json"


def _result() -> Path:
    return FOLDER / "result.json"


def _command(*arguments: str) -> tuple[float, float]:
    command = [sys.executable, "-c", _CHILD, "amont", *arguments]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    kilobytes, processor = said.rsplit("KB ", maxsplit=1)[-1].split()
    return float(processor), int(kilobytes) / 1000


def _rival(python: Path, name: str, *arguments: object) -> Run:
    command = [str(python), str(Path(__file__).with_name("rival.py")), name, *map(str, arguments)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, "BENCH_PATIENCE": str(PATIENCE)})
    if ended.returncode == -signal.SIGALRM:
        raise CutOff
    if ended.returncode:
        reason = (ended.stderr.strip().splitlines() or ["without a word"])[-1]
        raise Missing(f"ended with {ended.returncode}: {reason}")
    told = json.loads(ended.stdout.splitlines()[-1])
    return Run(told.pop("seconds"), told.pop("processor"), told.pop("kb") / 1000, told)


def _peers() -> Path:
    """The Python of the peers' environment, with every package that could be installed."""
    python, done = PEERS / "bin" / "python", PEERS / "installed"
    wanted = "\n".join(PACKAGES)
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        FOLDER.mkdir(exist_ok=True)
        venv.create(PEERS, clear=True, with_pip=True)
        for package in PACKAGES:
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
            if subprocess.run(install, check=False).returncode:
                print(f"  {package} could not be installed: its figures are missing")
        done.write_text(wanted, encoding="utf-8")
    return python
