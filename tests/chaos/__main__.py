"""`make chaos`: the campaign on real servers; a bar per stage, a line per promise, exit code 1 when one is broken.

make chaos ARGS='--seed 7 --outage 60 --kills 50'
"""

import argparse
import asyncio
import random
import shlex
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path

from rich.console import Console
from tests.chaos.campaign import run
from tests.chaos.report import Report
from tests.chaos.size import FULL, SHORT, SMALL, Size

from amont.common import logging
from amont.local.demo.stages import Stages, look
from amont.native.stack import available


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    made = argparse.ArgumentParser(
        prog="make chaos",
        description="Hurt four services on real servers, and see whether the promises hold. A stage whose figure is 0 is left out.",
    )
    made.add_argument("--seed", metavar="TEXT", help="play a printed seed again (what is done; the machine's timing is its own)")
    made.add_argument("--footing", choices=("kafka", "sqlite"), default="kafka", help="sqlite: kills and rolling restarts alone")
    made.add_argument("--short", action="store_true", help="the form that is in `make test`")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the report there, too")
    made.add_argument("--keep", type=Path, metavar="DIR", help="keep the services' logs and the ledger there")
    for one in fields(Size):
        kind = float if one.type in {float, "float"} else int
        made.add_argument(
            f"--{one.name.replace('_', '-')}",
            type=kind,
            metavar="N",
            help=f"{one.metadata['what']}; {getattr(FULL, one.name)} by default",
        )
    return made


def _size(given: argparse.Namespace) -> Size:
    whole = SMALL if given.footing == "sqlite" else SHORT if given.short else FULL
    return replace(whole, **{one.name: getattr(given, one.name) for one in fields(Size) if getattr(given, one.name) is not None})


def _run(given: argparse.Namespace, seed: str, folder: Path) -> Report:
    return asyncio.run(run(given.footing, _size(given), seed, folder, Stages(look(as_json=False), Console())))


def _again(seed: str) -> list[str]:
    """What was asked for, with this seed."""
    asked = iter(sys.argv[1:])
    return ["--seed", seed, *[one for one in asked if not (one == "--seed" and next(asked, "")) and not one.startswith("--seed=")]]


def main() -> int:
    given = parser().parse_args()
    logging.configure(level="CRITICAL")  # of this process alone: that Kafka is away, and what a replay parks, is no news
    if given.footing == "kafka" and (missing := available()):
        print(f"The campaign needs real servers: {missing}")
        return 2
    seed = given.seed or str(random.SystemRandom().randrange(10**6))
    print(f"seed {seed}; again: make chaos ARGS='{shlex.join(_again(seed))}'", flush=True)
    if given.keep:
        report = _run(given, seed, given.keep)
    else:
        with tempfile.TemporaryDirectory(prefix="amont-chaos-") as folder:
            report = _run(given, seed, Path(folder))
    print(f"\n{report.text()}", flush=True)
    if given.json:
        given.json.write_text(f"{report.json()}\n")
    return 0 if report.kept else 1


if __name__ == "__main__":
    sys.exit(main())
