"""The same facts, however often and in whatever order and batches they come, leave the same mails, byte for byte."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.notifications.two_people import MENTEE, MENTOR, TELLING, employee, notifications, programme, subsidiary

from amont.common.events import Event

FACTS: list[Event] = [
    subsidiary("fr"),
    subsidiary("us", languages=("en",)),
    programme(),
    employee(MENTEE),
    employee(MENTOR, preferred_language=None, languages=()),
    *(event for event, _ in TELLING.values()),
]


async def left_by(batches: list[list[Event]], folder: Path) -> dict[str, bytes]:
    async with notifications(folder) as h:
        for batch in batches:
            await h.hears(*batch)
        await h.passes(timedelta(minutes=1))
        assert await h.parked() == []
    return {file.name: file.read_bytes() for file in (folder / "mails").iterdir()}


@st.composite
def histories(draw: st.DrawFn) -> list[list[Event]]:
    """Every fact at least once, some again, shuffled and cut into batches. An event keeps the time at which it happened."""
    again = draw(st.lists(st.sampled_from(FACTS), max_size=10))
    order = draw(st.permutations([*FACTS, *again]))
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=4)))
    return [order[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]


@pytest.fixture(scope="module")
async def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the facts leave when each comes once, all together."""
    return await left_by([FACTS], tmp_path_factory.mktemp("in-order"))


@settings(max_examples=8, deadline=None)
@given(history=histories())
async def test_any_order_and_any_redelivery_leaves_the_same_mails(expected: dict[str, bytes], history: list[list[Event]]) -> None:
    assert len(expected) == sum(len(told) for _, told in TELLING.values())
    with TemporaryDirectory() as folder:
        assert await left_by(history, Path(folder)) == expected
