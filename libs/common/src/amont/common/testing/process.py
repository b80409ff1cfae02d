"""A service as a process of its own for tests: as `amont run`, but with a clock that a file moves and ids from a seed, so that runs can be compared.

    python -m amont.common.testing.process SERVICE[,SERVICE…] PORT

`AMONT_TEST_CLOCK` names the file with the current instant (RFC 3339); without it the machine's clock is used. `AMONT_TEST_SEED` seeds the ids.
`AMONT_TEST_DIES` names the file that says where the process shall SIGKILL itself, `AMONT_TEST_LEDGER` the one that it notes deliveries in (`dying`).
"""

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from amont.common import hosting, logging, service
from amont.common.clock import Clock, SystemClock
from amont.common.documents import Store
from amont.common.ids import SeededIds
from amont.common.log import Log
from amont.common.service import Parts
from amont.common.settings import Settings, read_settings
from amont.common.testing.dying import Fate, Ledger, MortalLog, MortalStore
from amont.common.testing.hearing import AnyToken


class FileClock:
    """Says what a file says; another process moves time by replacing the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = (0, datetime.fromtimestamp(0, UTC))

    def now(self) -> datetime:
        changed = self._path.stat().st_mtime_ns
        if changed != self._read[0]:
            self._read = (changed, datetime.fromisoformat(self._path.read_text(encoding="utf-8").strip()).astimezone(UTC))
        return self._read[1]


def mortal(parts: Parts, name: str) -> Parts:
    """Parts that die where a file says and note what they hand over; as they are when the environment names neither file."""
    dies, ledger_file = os.environ.get("AMONT_TEST_DIES"), os.environ.get("AMONT_TEST_LEDGER")
    if not dies and not ledger_file:
        return parts
    ledger = Ledger(Path(ledger_file), name) if ledger_file else None
    fate = Fate(Path(dies) if dies else None, ledger)
    return replace(parts, store=cast("Store", MortalStore(parts.store, fate)), log=cast("Log", MortalLog(parts.log, fate, ledger)))


def main() -> int:
    """Run until SIGTERM; the exit code."""
    names, port = sys.argv[1].split(","), int(sys.argv[2])
    logging.configure(level=os.environ.get("AMONT_TEST_LOGS", "WARNING"))
    clock_file, seed = os.environ.get("AMONT_TEST_CLOCK"), os.environ.get("AMONT_TEST_SEED")
    clock: Clock = FileClock(Path(clock_file)) if clock_file else SystemClock()
    service.TICK_SECONDS = float(os.environ.get("AMONT_TEST_TICK", "0.1"))
    settings = read_settings(Settings, port=port)
    builders = hosting.service_builders()
    built = []
    for name in names:
        parts = mortal(hosting.parts_from(settings, name, clock=clock), name)
        built.append(builders[name](replace(parts, ids=SeededIds(clock, f"{seed}/{name}")) if seed else parts))
    bound = hosting.listen("127.0.0.1", port)
    with hosting.traced(settings, f"amont-{names[0]}"):
        return hosting.serve(lambda fail: hosting.hosted(built, title="test", verifier=AnyToken(), on_failure=fail), bound)


if __name__ == "__main__":
    sys.exit(main())
