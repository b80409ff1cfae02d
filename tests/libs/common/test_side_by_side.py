"""Batches of one topic handled side by side share the relay and the memory of what was written last; neither may lose or hide anything."""

import asyncio

import pytest
from tests.libs.common.shell import TALLIES, Shell, batch_of, envelope, hear, told

from amont.common.documents import Clear, Put
from amont.common.errors import Unavailable
from amont.common.events import SubsidiaryChanged
from amont.common.service import saying
from amont.common.service.consumer import Consumer
from amont.common.service.relay import OUTBOX
from amont.common.testing.hearing import START
from amont.common.work import Entry, Reactions, Recent

HEARS: Reactions = {SubsidiaryChanged: hear}


async def test_batches_with_keys_of_their_own_are_taken_side_by_side(shell: Shell) -> None:
    consumer = Consumer(shell.unit, "enrolment-subsidiaries", HEARS)
    people = [[f"{lane}-{number}" for number in range(5)] for lane in "abcd"]
    for seq in (1, 2, 3):
        await asyncio.gather(*(consumer(batch_of(*(told(id_, seq) for id_ in lane))) for lane in people))
    await shell.unit.relay.clear()
    every = [id_ for lane in people for id_ in lane]
    assert sorted(await shell.said()) == sorted((id_, seq) for id_ in every for seq in (1, 2, 3))
    documents = [await shell.document(id_) for id_ in every]
    assert all(document["n"] == 3 for document in documents)
    assert not any("_out" in document for document in documents)


async def test_batches_that_meet_in_one_aggregate_each_take_effect_once(shell: Shell) -> None:
    async def count(event: SubsidiaryChanged, work: object) -> None:
        await hear(event.model_copy(update={"subsidiary": "shared"}), work)  # type: ignore[arg-type]

    consumer = Consumer(shell.unit, "enrolment-subsidiaries", {SubsidiaryChanged: count})
    await asyncio.gather(*(consumer(batch_of(told(f"s{lane}", 1, f"from {lane}"))) for lane in range(6)))
    tally = await shell.tally("shared")
    assert sorted(tally.told) == [f"from {lane}" for lane in range(6)]
    assert {seq for _, seq in await shell.said()} == set(range(1, 7))


async def test_a_slower_batch_does_not_hide_what_a_faster_one_has_to_clear(shell: Shell) -> None:
    relay = shell.unit.relay
    relay.give_back([Clear("tallies", "a", 2, OUTBOX)])
    relay.give_back([Clear("tallies", "a", 1, OUTBOX), Clear("tallies", "b", 1, OUTBOX)])
    assert relay.take_clears({}) == [Clear("tallies", "a", 2, OUTBOX), Clear("tallies", "b", 1, OUTBOX)]


async def test_an_older_state_is_not_said_after_a_newer_one(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newer outbox says the older events as well; on a compacted topic the last record of a key is all that is left."""
    monkeypatch.setattr(saying, "WAIT_SECONDS", 0.05)  # nobody says what the first has saved
    shell.log.refuses = frozenset({"enrolment-programmes"})
    consumer = Consumer(shell.unit, "enrolment-subsidiaries", HEARS)
    outboxes = []
    for seq in (1, 2):
        work = shell.work()
        with work.step(envelope(told("a", seq)), seq=seq):
            await hear(told("a", seq), work)
        outboxes += [[Entry.of(TALLIES, {**one.document(START.isoformat()), "v": seq}) for one in await shell.unit.save(work)]]
    shell.log.refuses = frozenset()
    older, newer = outboxes
    await shell.unit.relay.publish(newer)
    await shell.unit.relay.publish(older)
    assert await shell.said() == [("a", 1), ("a", 2)]
    await consumer(batch_of(told("a", 3)))
    assert (await shell.said())[-1] == ("a", 3)


async def test_clears_are_kept_when_the_write_that_was_to_carry_them_fails(shell: Shell) -> None:
    consumer = Consumer(shell.unit, "enrolment-subsidiaries", HEARS)
    await consumer(batch_of(told("a", 1)))
    work = shell.work()
    await hear(told("b", 1), work)
    shell.store.away = 1
    with pytest.raises(Unavailable):
        await shell.unit.save(work)
    await shell.unit.save(work)
    assert "_out" not in await shell.document("a")
    assert [type(write) for write in shell.store.commits[-1]] == [Put, Clear]


def test_the_newest_version_of_an_aggregate_is_remembered() -> None:
    recent = Recent(size=2)
    newer, older = (Entry(TALLIES, TALLIES.kind(id="a", n=version), version) for version in (2, 1))
    recent.put(newer)
    recent.put(older)
    assert recent.get(newer.key) is newer
