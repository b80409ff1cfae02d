"""The whole system, end to end, the same code on every footing: the whole outcome is compared, not counts."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.house import House
from tests.support.programme import PAIRS_WANTED, Outcome, Play

from amont.common.events.topics import SERVICES
from amont.native.stack import Stack, available

ON_SERVERS = ("four-motor", "four-pymongo")


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


def play(footing: str) -> Outcome | None:
    """The whole outcome on a footing; None where there are no servers to stand on."""
    if footing in ON_SERVERS and available():
        return None
    with tempfile.TemporaryDirectory(prefix="amont-e2e-") as folder:
        return asyncio.run(outcome_on(footing, Path(folder)))


@pytest.fixture(scope="module")
async def reference(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The outcome in one process on SQLite."""
    return await outcome_on("one-sqlite", tmp_path_factory.mktemp("one"))


async def test_a_programme_runs_from_staff_records_to_held_sessions(reference: Outcome) -> None:
    states = [pair[2] for pair in reference.pairs]
    assert len(reference.employees) == 19
    assert [person for person, _ in reference.refused] == ["fr:e105"]
    assert states.count("ended") == len(states) >= PAIRS_WANTED
    held = [session for *_, sessions in reference.sessions for session in sessions if session["status"] == "completed"]
    assert len(held) == 2 * len(reference.sessions)
    assert any(session["invitation_sequence"] > 0 for *_, sessions in reference.sessions for session in sessions)
    assert "please tell nobody" not in json.dumps(reference.mails)


@pytest.mark.parametrize(
    "footing", [pytest.param(footing, marks=pytest.mark.beside(play, footing)) for footing in ("four-sqlite", *ON_SERVERS)]
)
async def test_the_same_input_gives_the_same_outcome_on_every_footing(footing: str, reference: Outcome, played: Outcome | None) -> None:
    if played is None:
        pytest.skip(available() or "")
    assert played.refused == reference.refused
    assert played.round == reference.round
    assert played.pairs == reference.pairs
    assert played.sessions == reference.sessions
    assert played.mails == reference.mails
    assert played == reference
