"""What every test may ask for: the real servers (one Kafka, one MongoDB-wire server, a run), a fresh database on them, the real feeds, and what came of
something long that is played beside the other tests (`tests/support/beside.py`).

A machine without Java and Maven, and without AMONT_TEST_LOG_URL and AMONT_TEST_STORE_URL, skips what needs servers and says so in one line at the end.
"""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from tests.support.beside import MARK, Beside

from amont.native.stack import Stack, available

settings.register_profile("unhurried", settings(deadline=None))
settings.load_profile("unhurried")
"""No example fails for the time it takes: on a busy machine that says nothing about the code."""

FEEDS = ("uk_organograms_2013", "employees_db", "adventureworks", "oracle_hr")
_skipped: dict[str, str] = {}
_BESIDE = pytest.StashKey[Beside]()


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


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"{MARK}(function, *args): what the function comes to, beside the other tests, is the fixture `played`"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker(MARK) is not None)


def pytest_collection_finish(session: pytest.Session) -> None:
    chosen = [(item, mark) for item in session.items if (mark := item.get_closest_marker(MARK))]
    if chosen and not session.config.option.collectonly:
        beside = session.config.stash[_BESIDE] = Beside()
        for item, mark in chosen:
            beside.play(item.nodeid, *mark.args)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if beside := session.config.stash.get(_BESIDE, None):
        beside.end()


@pytest.fixture
def played(request: pytest.FixtureRequest) -> Any:
    """What came of that which the test is marked with."""
    return request.config.stash[_BESIDE].came_of(request.node.nodeid)


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
