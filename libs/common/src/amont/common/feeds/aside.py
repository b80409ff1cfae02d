"""A database on disk that nobody else sees, and that is gone when it is closed: where what is remembered of a feed lies that may be larger than memory."""

import sqlite3

AT_ONCE = 5_000
"""Rows that are written together."""
CACHE_KB = 32_768
_ON_DISK = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -{CACHE_KB};
"""


def aside(*schema: str) -> sqlite3.Connection:
    """A new one with these tables; every statement is done at once unless `BEGIN` says otherwise."""
    db = sqlite3.connect("", isolation_level=None)
    for script in (_ON_DISK, *schema):
        db.executescript(script)
    return db
