"""An event for which a document must be read that cannot be: it is parked under the document's name, and taken up again by whoever can read it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.libs.common.listeners import Faults, build_with, letters, listening, replay_all, standing, told_to
from tests.libs.common.shell import Tally, told

from amont.common.documents import Document, Put
from amont.common.documents.collection import Collection
from amont.common.errors import Halted
from amont.common.ids import SeededIds
from amont.common.metrics import REGISTRY
from amont.common.service import Parts, Service
from amont.common.service.letters.letter import Status
from amont.common.service.letters.replaying import UNREAD_AGAIN
from amont.common.testing.hearing import Hearing, hearing
from amont.common.work import Reaction

PARKED = [("a", "unreadable-document", "open"), ("a", "blocked-by", "open")]
STORED = {"told": ["1"]}
NEWER = {"told": {"first": "1"}}
"""How a newer release keeps it."""


def reading_ahead(parts: Parts) -> Service:
    hear = Reaction(Faults().hear, needs=lambda event, _: [(Tally, event.subsidiary)])
    kind, *_ = (made := build_with(Faults())(parts)).consumes
    return Service("matching", parts, consumes={kind: hear}, publishes=made.publishes, keeps=[Collection(Tally, "tallies")])


@pytest.fixture(params=["read by the reaction", "read ahead"])
async def one(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build_with(Faults()) if request.param == "read by the reaction" else reading_ahead, tmp_path) as made:
        yield made


async def written(one: Hearing, id_: str, fields: Document) -> None:
    """By another release, which keeps a tally in its own way."""
    store = one.service.unit.house.store
    before = (await store.get("tallies", [id_]))[id_]
    assert not await store.commit([Put("tallies", {**before, "v": before["v"] + 1, **fields}, before["v"])])


async def test_it_is_parked_under_the_documents_name_and_others_go_on(one: Hearing) -> None:
    await one.hears(told("a", 1, "1"))
    await written(one, "a", NEWER)
    counted = unreadable()
    await one.hears(told("b", 1, "1"), told("a", 2, "2"), told("a", 3, "3"), told("b", 2, "2"))
    assert await standing(one) == PARKED
    assert "tallies 'a' cannot be read by this release" in (await letters(one))[0].detail
    assert unreadable() > counted
    assert await told_to(one, "b") == ("1", "2")


def unreadable() -> float:
    return REGISTRY.get_sample_value("amont_documents_unreadable_total", {"service": "matching", "collection": "tallies"}) or 0.0


async def test_once_the_document_can_be_read_the_event_and_what_follows_it_are_taken_by_themselves(one: Hearing) -> None:
    await one.hears(told("a", 1, "1"))
    await written(one, "a", NEWER)
    await one.hears(told("a", 2, "2"), told("a", 3, "3"))
    before = await letters(one)
    for _ in range(3):
        await one.passes(UNREAD_AGAIN)
    assert await letters(one) == before, "what changes nothing is not noted"
    await written(one, "a", STORED)
    await one.passes(UNREAD_AGAIN)
    assert await told_to(one, "a") == ("1", "2", "3")
    assert await letters(one) == []


async def test_a_replay_that_somebody_asks_for_is_refused_again_and_noted(one: Hearing) -> None:
    await one.hears(told("a", 1, "1"))
    await written(one, "a", NEWER)
    await one.hears(told("a", 2, "2"), told("a", 3, "3"))
    await replay_all(one)
    await one.settle()
    assert await standing(one) == PARKED
    assert [letter.attempts for letter in await letters(one)] == [2, 1]


class Newer(Collection[Tally]):
    def load(self, document: Document) -> Tally:
        kept = document["told"]
        return super().load({**document, "told": list(kept.values()) if isinstance(kept, dict) else kept})

    def dump(self, aggregate: Tally) -> dict[str, Any]:
        return {**super().dump(aggregate), "told": {str(number): one for number, one in enumerate(aggregate.told)}}


async def test_while_two_releases_are_at_work_the_newer_one_takes_what_the_older_one_could_not(one: Hearing) -> None:
    house, older = one.service.unit.house, one.service
    parts = Parts(store=house.store, log=one.log, clock=one.clock, ids=SeededIds(one.clock, 2))
    newer = Service("matching", parts, consumes=older.consumes, publishes=older.publishes, keeps=[Newer(Tally, "tallies")])
    await newer.open()
    await one.hears(told("a", 1, "1"))
    await written(one, "a", NEWER)
    await one.hears(told("a", 2, "2"), told("a", 3, "3"), told("a", 4, "4"))
    first, *behind = await letters(one)
    assert (first.reason, len(behind)) == ("unreadable-document", 2)
    one.clock.advance(UNREAD_AGAIN)
    while await newer.step():
        await older.step()
    assert await letters(one) == []
    document = (await house.store.get("tallies", ["a"]))["a"]
    assert list(document["told"].values()) == ["1", "2", "3", "4"]


async def test_a_letter_that_somebody_has_decided_about_is_not_tried_by_itself(one: Hearing) -> None:
    await one.hears(told("a", 1, "1"))
    await written(one, "a", NEWER)
    await one.hears(told("a", 2, "2"))
    [letter] = await letters(one)
    assert letter.unread
    assert not replace(letter, status=Status.DROPPED).unread
    assert not replace(letter, status=Status.REPLAYING).unread


async def test_a_release_that_can_read_nothing_of_what_is_there_stands_still(tmp_path: Path) -> None:
    async with listening(Faults(), tmp_path, dead_letters_in_a_row=5) as one:
        await one.hears(*(told(f"k{n}", 1, "1") for n in range(5)))
        for n in range(5):
            await written(one, f"k{n}", NEWER)
        with pytest.raises(Halted):
            await one.hears(*(told(f"k{n}", 2, "2") for n in range(5)))
