"""What has come due is handled whatever stands beside it; a document that nothing was decided on is put off as it stands."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.libs.common.shell import TALLIES, Tally

from amont.common import metrics, service
from amont.common.documents import Document, Put, Write
from amont.common.errors import DomainError, Unacceptable
from amont.common.service import AGAIN_AFTER, Parts, Service
from amont.common.testing.hearing import START, Hearing, hearing
from amont.common.work import Waking, Work

NEWER: Mapping[str, Any] = {"mood": "fine", "plan": {"steps": [1, 2]}}
"""What a newer release keeps in a document and this one knows nothing of."""


class NotToday(DomainError):
    pass


async def wake(tally: Tally, work: Work) -> None:
    if tally.team == "late":
        raise NotToday
    work.save(tally.hear("woken").becomes(due_at=None))


def build(parts: Parts) -> Service:
    return Service("matching", parts, consumes={}, publishes=(), keeps=[TALLIES], due={Tally: wake})


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as made:
        yield made


async def document(one: Hearing, id_: str) -> Document:
    return (await one.service.unit.house.store.get("tallies", [id_]))[id_]


async def written_by_others(one: Hearing, id_: str, **fields: Any) -> None:
    before = await document(one, id_)
    assert not await one.service.unit.house.store.commit([Put("tallies", {**before, "v": before["v"] + 1, **fields}, before["v"])])


async def test_documents_that_cannot_be_loaded_keep_no_other_back_however_many_there_are(
    one: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "DuePage", 3)
    broken = [f"a{number}" for number in range(7)]
    await one.given(*(Tally(id=id_, due_at=START) for id_ in broken), Tally(id="b", due_at=START + timedelta(seconds=1)))
    for id_ in broken:
        await written_by_others(one, id_, n="many")
    before = [await document(one, id_) for id_ in broken]
    with capture_logs() as lines:
        await one.passes(timedelta(seconds=2))
    assert (await one.look(Tally, "b")).told == ("woken",)
    assert [await document(one, id_) for id_ in broken] == before
    assert {line["id"] for line in lines if line["event"] == "document_unreadable"} == set(broken)
    labels = {"service": "matching", "collection": "tallies"}
    assert (metrics.REGISTRY.get_sample_value("amont_documents_unreadable_total", labels) or 0.0) >= len(broken)


async def test_what_could_not_be_handled_is_looked_at_later_and_keeps_what_a_newer_release_has_added(one: Hearing) -> None:
    await one.given(Tally(id="a", team="late", due_at=START))
    await written_by_others(one, "a", **NEWER)
    await one.settle()
    after = await document(one, "a")
    assert NEWER.items() <= after.items()
    assert TALLIES.load(after) == Tally(id="a", team="late", due_at=START + AGAIN_AFTER)


async def test_many_that_are_due_at_once_are_all_handled_once(one: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "DuePage", 3)
    ids = [f"t{number}" for number in range(10)]
    await one.given(*(Tally(id=id_, due_at=START) for id_ in ids))
    assert await one.service.tick() == 10
    assert [(await one.look(Tally, id_)).told for id_ in ids] == [("woken",)] * 10


async def test_a_due_document_that_the_store_refuses_keeps_no_other_waiting(one: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    await one.given(*(Tally(id=id_, due_at=START) for id_ in "abc"))
    commit = one.service.unit.house.store.commit

    async def holds_little(writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        if any(isinstance(write, Put) and write.id == "b" and write.document.get("told") for write in writes):
            raise Unacceptable("tallies b has 17 MB")
        return await commit(writes)

    monkeypatch.setattr(one.service.unit.house.store, "commit", holds_little)
    with capture_logs() as lines:
        await one.passes(timedelta(seconds=1))
    assert [(await one.look(Tally, id_)).told for id_ in "abc"] == [("woken",), (), ("woken",)]
    assert [line["id"] for line in lines if line["event"] == "due_refused_by_the_store"] == ["b"]
    assert (await one.look(Tally, "b")).due_at == START + timedelta(seconds=1) + AGAIN_AFTER


async def test_what_a_page_needs_is_read_ahead_once_and_a_document_that_cannot_be_read_is_met_by_whoever_asks(tmp_path: Path) -> None:
    pages: list[list[str]] = []

    async def ahead(due: Sequence[Tally], work: Work) -> None:
        pages.append([tally.id for tally in due])
        await work.get_many(Tally, ["broken"])

    def reading_ahead(parts: Parts) -> Service:
        return Service("matching", parts, consumes={}, publishes=(), keeps=[TALLIES], due={Tally: Waking(wake, ahead)})

    async with hearing(reading_ahead, tmp_path) as one:
        await one.given(*(Tally(id=id_, due_at=START) for id_ in "abc"), Tally(id="broken"))
        await written_by_others(one, "broken", n="many")
        await one.settle()
        assert pages == [["a", "b", "c"]]
        assert [(await one.look(Tally, id_)).told for id_ in "abc"] == [("woken",)] * 3
