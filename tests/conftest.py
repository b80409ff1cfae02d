"""What every test may ask for: the real servers (one Kafka, one MongoDB-wire server, a run), a fresh database on them, and the real feeds.

A machine without Java and Maven, and without AMONT_TEST_LOG_URL and AMONT_TEST_STORE_URL, skips what needs servers and says so in one line at the end.
"""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from amont.native.stack import Stack, available

FEEDS = ("uk_organograms_2013", "employees_db", "adventureworks", "oracle_hr")
_skipped: dict[str, str] = {}


@dataclass(frozen=True)
class Servers:
    """Where the real servers are. `stack` is None when somebody else runs them, and then nobody may kill them."""

    log_url: str
    store_url: str
    stack: Stack | None


def _missing(what: str, reason: str) -> None:
    _skipped[what] = reason
    pytest.skip(reason)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Real Apache Kafka and a MongoDB-wire server."""
    log_url, store_url = os.environ.get("AMONT_TEST_LOG_URL"), os.environ.get("AMONT_TEST_STORE_URL")
    if log_url and store_url:
        yield Servers(log_url, store_url, None)
        return
    reason = available()
    if reason:
        _missing("real Kafka and MongoDB", f"{reason}; or set AMONT_TEST_LOG_URL and AMONT_TEST_STORE_URL")
    with Stack() as stack:
        yield Servers(stack.kafka.url, stack.store.url, stack)


@pytest.fixture
def database() -> str:
    """A database name that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def feeds() -> Path:
    """The folder of staff records that nobody here made."""
    folder = os.environ.get("AMONT_REAL_FEEDS")
    if not folder or not Path(folder).is_dir():
        _missing("real staff feeds", "set AMONT_REAL_FEEDS to the folder that holds them")
    return Path(str(folder))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, reason in _skipped.items():
        terminalreporter.write_line(f"Not tested here: {what}. To have it: {reason}.", yellow=True)
