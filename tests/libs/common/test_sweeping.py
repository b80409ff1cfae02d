"""The sweep says what was left behind as it stands in the store: it reads no state, rewrites none, and nothing it cannot read stops it."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.libs.common.shell import TALLIES, Shell, Tally, batch_of, hear, told

from amont.common import metrics
from amont.common.aggregate import Decision
from amont.common.documents import Put
from amont.common.errors import Unavailable
from amont.common.events import ProgrammeChanged, RoundPublished, SubsidiaryChanged
from amont.common.service import relay
from amont.common.service.consumer import Consumer
from amont.common.work import SAID_AGAIN_WITHIN, Backlog, Work

NEWER: Mapping[str, Any] = {"mood": "fine", "plan": {"steps": [1, 2]}}
"""What a newer release keeps in a document and this one knows nothing of."""


async def say(work: Work, id_: str) -> None:
    tally = await work.get_or_new(Tally, id_)
    work.save(tally.hear("x").becomes().saying(ProgrammeChanged))


async def publish_round(work: Work, id_: str) -> None:
    """Says something on a topic that is not compacted."""
    tally = await work.get_or_new(Tally, id_)
    new = tally.hear("x").becomes(seq=tally.seq + 1).state
    said = {"programme": "p", "kind": "full", "published_by": "fr:ada", "published_at": work.now, "pairs": 1, "unmatched": 0}
    work.save(Decision(new, (RoundPublished(seq=new.seq, round=id_, override_reason=None, **said),)))


async def left_behind(shell: Shell, *ids: str) -> None:
    """Committed and not said, as by a process that died."""
    for id_ in ids:
        work = shell.work()
        await say(work, id_)
        await shell.store.real.commit(work.writes(work.written()))


async def written_by_others(shell: Shell, id_: str, **fields: Any) -> None:
    """Put into a document what this release would not."""
    document = await shell.document(id_)
    assert not await shell.store.real.commit([Put("tallies", {**document, "v": document["v"] + 1, **fields}, document["v"])])


def unreadable() -> float:
    labels = {"service": "matching", "collection": "tallies"}
    return metrics.REGISTRY.get_sample_value("amont_documents_unreadable_total", labels) or 0.0


async def test_a_sweep_keeps_what_a_newer_release_has_added(shell: Shell) -> None:
    await left_behind(shell, "a")
    await written_by_others(shell, "a", **NEWER)
    before = await shell.document("a")
    assert await shell.unit.relay.sweep(older_than=-SAID_AGAIN_WITHIN) == 1
    after = await shell.document("a")
    changing = {"v", "_out_at"}
    assert {name: one for name, one in after.items() if name not in changing} == {
        name: one for name, one in before.items() if name not in changing
    }
    assert await shell.said() == [("a", 1)]


async def test_a_batch_tried_again_keeps_it_too_in_what_it_decides_nothing_on(shell: Shell) -> None:
    """An attempt before may have been cut off between its write and the log, and a newer release may have written since."""
    shell.log.refuses = frozenset({"enrolment-programmes"})

    async def mend() -> None:
        if await shell.document("a") and shell.log.refuses:
            await written_by_others(shell, "a", **NEWER)
            shell.log.refuses = frozenset()

    heard = 0

    async def hears(event: SubsidiaryChanged, work: Work) -> None:
        nonlocal heard
        heard += 1
        await hear(event, work)
        if heard > 1:
            await mend()

    consumer = Consumer(shell.unit, "enrolment-subsidiaries", {SubsidiaryChanged: hears})
    await consumer(batch_of(told("a", 1)))
    assert heard > 1
    document = await shell.document("a")
    assert NEWER.items() <= document.items()
    assert set(await shell.said()) == {("a", 1)}


@pytest.mark.parametrize("harm", [{"n": "many"}, {"told": None}, {"due_at": "soon"}])
async def test_a_document_that_this_release_cannot_load_is_said_all_the_same(shell: Shell, harm: Mapping[str, Any]) -> None:
    await left_behind(shell, "a", "b")
    await written_by_others(shell, "a", **harm)
    with pytest.raises(ValueError, match="validation error"):
        TALLIES.load(await shell.document("a"))
    await shell.unit.relay.sweep(older_than=-SAID_AGAIN_WITHIN)
    assert sorted(await shell.said()) == [("a", 1), ("b", 1)]
    assert harm.items() <= (await shell.document("a")).items()


@pytest.mark.parametrize("out", [[{"id": "x"}], "events", [7], [{}, {}]])
async def test_an_outbox_that_cannot_be_read_is_passed_over_counted_and_left_as_it_is(shell: Shell, out: Any) -> None:
    await left_behind(shell, "a", "b")
    await written_by_others(shell, "a", _out=out)
    before, counted = await shell.document("a"), unreadable()
    with capture_logs() as lines:
        assert await shell.unit.relay.sweep(older_than=-SAID_AGAIN_WITHIN) == 1
    assert await shell.said() == [("b", 1)]
    assert await shell.document("a") == before
    assert unreadable() == counted + 1
    assert [line["id"] for line in lines if line["event"] == "document_unreadable"] == ["a"]


async def test_two_hundred_outboxes_that_cannot_be_read_keep_no_other_back(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "SWEEP_PAGE", 3)
    ids = [f"a{number}" for number in range(7)]
    await left_behind(shell, *ids, "b")
    for id_ in ids:
        await written_by_others(shell, id_, _out=[{"id": "x"}])
    await shell.unit.relay.sweep(older_than=-SAID_AGAIN_WITHIN)
    assert await shell.said() == [("b", 1)]


@pytest.mark.parametrize("command", [say, publish_round])
async def test_commands_stay_refused_after_a_sweep_that_has_not_reached_what_was_left(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, command: Callable[[Work, str], Awaitable[None]]
) -> None:
    """What was left just now is too young for a sweep, so that one which meets no outage shows nothing."""
    monkeypatch.setattr(relay, "MAX_LEFT", 2)
    shell.log.refuses = frozenset({"enrolment-programmes", "matching-rounds"})
    for id_ in "ab":
        await shell.unit.run(command, id_)
    with pytest.raises(Backlog):
        shell.unit.relay.refuse_when_full()
    for _ in range(4):
        shell.clock.advance(timedelta(seconds=4))
        with contextlib.suppress(Unavailable):
            await shell.unit.relay.sweep()
        with pytest.raises(Backlog):
            shell.unit.relay.refuse_when_full()
    shell.log.refuses = frozenset()
    shell.clock.advance(timedelta(seconds=60))
    await shell.unit.relay.sweep()
    shell.unit.relay.refuse_when_full()


async def test_what_another_process_has_said_meanwhile_is_not_left_behind_any_more(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "MAX_LEFT", 1)
    shell.log.refuses = frozenset({"enrolment-programmes"})
    await shell.unit.run(publish_round, "a")
    shell.log.refuses = frozenset()
    other = type(shell.unit)(shell.house, shell.log)
    await other.relay.sweep(older_than=-SAID_AGAIN_WITHIN)
    assert "_out" not in await shell.document("a")
    await shell.unit.relay.sweep()
    shell.unit.relay.refuse_when_full()
