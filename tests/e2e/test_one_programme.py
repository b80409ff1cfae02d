"""The whole system, end to end, the same code on every footing: the whole outcome is compared, not counts."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.house import House
from tests.support.programme import PAIRS_WANTED, Outcome, Play

from amont.common.events.topics import SERVICES
from amont.native.stack import Stack, available

_reference: dict[str, Outcome] = {}


@asynccontextmanager
async def house(footing: str, folder: Path) -> AsyncIterator[House]:
    """The services on a footing: `one-sqlite`, `four-sqlite`, `four-motor`, `four-pymongo`."""
    processes, _, back_end = footing.partition("-")
    layout = (",".join(SERVICES),) if processes == "one" else SERVICES
    if back_end == "sqlite":
        url = f"sqlite://{folder}/data?sync=normal"
        made = House(folder, log_url=url, store_url=url, layout=layout)
        try:
            yield await made.start()
        finally:
            await made.stop()
        return
    if reason := available():
        pytest.skip(reason)
    with Stack() as stack:
        made = House(folder, log_url=stack.kafka.url, store_url=stack.store.url, layout=layout, driver=back_end)
        try:
            yield await made.start()
        finally:
            await made.stop()


async def outcome_on(footing: str, folder: Path) -> Outcome:
    async with house(footing, folder) as made:
        try:
            return await Play(made).whole()
        except AssertionError as error:
            error.add_note(made.said()[-3000:])
            raise


@pytest.fixture
async def reference(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The outcome in one process on SQLite, played once."""
    if "one" not in _reference:
        _reference["one"] = await outcome_on("one-sqlite", tmp_path_factory.mktemp("one"))
    return _reference["one"]


async def test_a_programme_runs_from_staff_records_to_held_sessions(reference: Outcome) -> None:
    states = [pair[2] for pair in reference.pairs]
    assert len(reference.employees) == 19
    assert [person for person, _ in reference.refused] == ["fr:e105"]
    assert states.count("ended") == len(states) >= PAIRS_WANTED
    held = [session for *_, sessions in reference.sessions for session in sessions if session["status"] == "completed"]
    assert len(held) == 2 * len(reference.sessions)
    assert any(session["invitation_sequence"] > 0 for *_, sessions in reference.sessions for session in sessions)
    assert "please tell nobody" not in json.dumps(reference.mails)


@pytest.mark.parametrize("footing", ["four-sqlite", "four-motor", "four-pymongo"])
async def test_the_same_input_gives_the_same_outcome_on_every_footing(footing: str, reference: Outcome, tmp_path: Path) -> None:
    outcome = await outcome_on(footing, tmp_path)
    assert outcome.refused == reference.refused
    assert outcome.round == reference.round
    assert outcome.pairs == reference.pairs
    assert outcome.sessions == reference.sessions
    assert outcome.mails == reference.mails
    assert outcome == reference
