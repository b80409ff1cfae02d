"""SQLite files that are to be written anew by whoever opens them next."""

import sqlite3
from contextlib import closing
from pathlib import Path

from amont.common.sqlite import REWRITTEN_AFTER_SECONDS


def a_day_goes_by(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE rewritten SET at = at - ?", (REWRITTEN_AFTER_SECONDS,))
