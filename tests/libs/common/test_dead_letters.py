"""Dead letters: what follows a parked record of its key waits behind it; replayed after the fix, everything is as if nothing had been wrong."""

import asyncio
import json
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs
from tests.libs.common.listeners import TOPIC, Faults, build_with, letters, listening, replay_all, standing, told_to
from tests.libs.common.shell import Tally, refuse_document, told

from amont.common.documents import Put
from amont.common.documents.collection import Collection
from amont.common.documents.sqlite import SqliteStore
from amont.common.errors import Conflict, Invalid, NotFound, Unavailable
from amont.common.events import StaffRecorded
from amont.common.identity import Actor, Privilege
from amont.common.ids import SeededIds
from amont.common.log import Record
from amont.common.metrics import REGISTRY
from amont.common.service import Parts, Service
from amont.common.service.letters import commands, replaying
from amont.common.service.letters.commands import Chosen
from amont.common.service.letters.letter import BLOCKED_BY, LETTERS, MOST_NOTES, RETENTION, TAKEN_BACK, DeadLetter, Status
from amont.common.service.letters.replaying import Replayer
from amont.common.service.reading import Refused
from amont.common.testing.hearing import START, Hearing, hearing, record_of
from amont.common.work import Work
from amont.enrolment import commands as enrolling
from amont.enrolment.app import build as build_enrolment
from amont.enrolment.domain.employee import Employee

WHO = "group:otto"


@pytest.fixture
def faults() -> Faults:
    return Faults(defects={"boom"}, refused={"no"})


@pytest.fixture
async def one(faults: Faults, tmp_path: Path) -> AsyncIterator[Hearing]:
    async with listening(faults, tmp_path) as made:
        yield made


def bad(key: str, value: bytes = b"{", **changed: bytes) -> Record:
    record = record_of(told(key, 1))
    return replace(record, value=value, headers=tuple({**dict(record.headers), **changed}.items()))


async def ids(one: Hearing) -> list[str]:
    return [letter.id for letter in await letters(one)]


# --- parking -----------------------------------------------------------------------------------------------------------------------


async def test_a_letter_holds_the_record_as_it_came_why_and_from_where(one: Hearing) -> None:
    record = replace(bad("fr", b"\xff{", ce_id=b"e-1"), headers=(*bad("fr").headers, ("x", b"\xff"), ("none", None)))
    await one.hears(told("a", 1), record)
    [letter] = await letters(one)
    assert (letter.topic, letter.partition, letter.offset, letter.key) == (TOPIC, 0, 1, "fr")
    assert letter.id.startswith(f"{TOPIC}.0.1.")
    assert (letter.reason, letter.status, letter.attempts, letter.parked_at) == ("invalid-payload", Status.OPEN, 1, START)
    assert letter.type == "amont.enrolment-subsidiaries.SubsidiaryChanged.v1"
    assert b64decode(letter.content.value or "") == record.value == letter.record.value
    assert letter.record.headers == record.headers
    assert [(note.who, note.what, note.why) for note in letter.history] == [("amont", "parked", "invalid-payload")]
    assert "invalid-payload" in [reason for reason, _ in await one.parked()]


async def test_what_follows_a_dead_letter_of_its_key_waits_and_other_keys_go_on(one: Hearing) -> None:
    await one.hears(told("a", 1, "1"), told("a", 2, "boom"), told("b", 1, "1"), told("a", 3, "3"), told("b", 2, "2"))
    await one.hears(told("a", 4, "4"), told("b", 3, "3"))
    assert await told_to(one, "a") == ("1",)
    assert await told_to(one, "b") == ("1", "2", "3")
    assert await standing(one) == [("a", "defect", "open"), ("a", "blocked-by", "open"), ("a", "blocked-by", "open")]
    first, *behind = await letters(one)
    assert {letter.blocked_by for letter in behind} == {first.id}
    assert all(first.id in letter.detail for letter in behind)
    assert [reason for reason, _ in await one.parked()] == ["defect", "blocked-by", "blocked-by"]


async def test_a_record_that_cannot_be_read_blocks_its_key_and_keeps_its_own_reason_behind_another(one: Hearing) -> None:
    await one.hears(bad("a"), told("a", 1, "1"), bad("a", b"[]"), told("a", 2, "2"))
    assert [reason for _, reason, _ in await standing(one)] == ["invalid-payload", "blocked-by", "invalid-payload", "blocked-by"]
    assert await told_to(one, "a") == ()


async def test_another_process_knows_from_the_store_which_keys_are_parked(one: Hearing, faults: Faults) -> None:
    await one.hears(told("a", 1, "boom"))
    house = one.service.unit.house
    other = build_with(faults)(Parts(store=house.store, log=one.log, clock=one.clock, ids=SeededIds(one.clock, 2)))
    await one.log.append([record_of(told("a", 2, "2")), record_of(told("b", 1, "1"))])
    await other.open()
    for reader in one.service._readers:
        await reader.stop()
    await other.step()
    assert await told_to(one, "a") == ()
    assert await told_to(one, "b") == ("1",)


async def test_one_cheap_question_a_batch_when_nothing_is_parked_and_none_where_order_does_not_matter(
    one: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    store = one.service.unit.house.store
    count_by, find = store.count_by, store.find

    async def counted(collection: str, field: str, where: Any) -> Any:
        asked.append((collection, dict(where)))
        return await count_by(collection, field, where)

    async def found(query: Any) -> Any:
        asked.append((query.collection, dict(query.where)))
        return await find(query)

    monkeypatch.setattr(store, "count_by", counted)
    monkeypatch.setattr(store, "find", found)
    await one.log.append([record_of(told(f"k{n}", 1)) for n in range(300)])
    await one.service._readers[0].drain()  # type: ignore[attr-defined]
    assert [one for one in asked if one[0] == LETTERS.name] == [(LETTERS.name, {"blocking": TOPIC})]


GROUP = Actor("group:ada", "group", frozenset({Privilege.GROUP_COORDINATOR}))


async def test_a_correction_from_the_hr_system_passes_the_record_it_corrects(tmp_path: Path) -> None:
    """Staff records are full state, ordered by what they say and not by when they come."""

    def staff(grade: str, day: int) -> StaffRecorded:
        return StaffRecorded(
            seq=0, tenant="fr", employee_id="e1", grade=grade, effective_at=date(2026, 1, day), occurred_at=START + timedelta(days=day)
        )

    async with hearing(build_enrolment, tmp_path) as enrolment:
        await enrolment.asked(enrolling.add_subsidiary, "fr", GROUP, name="F", zone="Europe/Paris", languages=("fr",), grades={"C3": 5})
        await enrolment.hears(staff("C33", 1), staff("C3", 2))
        assert await standing(enrolment) == [("fr:e1", "unknown-grade", "open")]
        employee = await enrolment.look(Employee, "fr:e1")
        await enrolment.asked(enrolling.import_grades, "fr", GROUP, {"C3": 5, "C33": 6}, 1)
        await replay_all(enrolment)
        await enrolment.settle()
        assert await standing(enrolment) == [("fr:e1", "unknown-grade", "replayed")]
        assert await enrolment.look(Employee, "fr:e1") == employee


async def test_a_batch_that_comes_again_parks_no_second_letter(one: Hearing) -> None:
    batch = [record_of(told("a", 1, "1")), record_of(told("a", 2, "boom")), record_of(told("a", 3, "3")), bad("b")]
    await one.log.append(batch)
    reader = one.service._readers[0]
    received = await one.log.read("somebody", TOPIC, 10)
    await one.service._consumers[TOPIC](received)
    before = await letters(one)
    await one.service._consumers[TOPIC](received)
    await reader.drain()  # type: ignore[attr-defined]
    assert await letters(one) == before
    assert [letter.reason for letter in before] == ["defect", "blocked-by", "invalid-payload"]
    assert await told_to(one, "a") == ("1",)


async def test_a_crash_between_topic_and_store_parks_again_and_leaves_one_letter(one: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    store = one.service.unit.house.store
    commit = store.commit
    calls: list[int] = []

    async def dying(writes: Any) -> Any:
        calls.append(len(writes))
        if len(calls) == 1:
            raise KeyboardInterrupt  # nothing of ours catches it: the process is gone
        return await commit(writes)

    await one.log.append([bad("a"), record_of(told("b", 1, "1"))])
    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", dying)
        with pytest.raises(KeyboardInterrupt):
            await one.service._readers[0].drain()  # type: ignore[attr-defined]
    assert await letters(one) == []
    await one.settle()
    assert await standing(one) == [("a", "invalid-payload", "open")]
    assert [reason for reason, _ in await one.parked()] == ["invalid-payload", "invalid-payload"]
    assert await told_to(one, "b") == ("1",)


async def test_without_its_dead_letter_on_the_topic_nothing_is_kept_or_committed(one: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amont.common.service.consumer.BACK_OFF_SECONDS", 0.0)

    async def away(_: Any) -> None:
        raise Unavailable("the log is away")

    await one.log.append([bad("a"), record_of(told("b", 1, "1"))])
    with monkeypatch.context() as patched:
        patched.setattr(one.service.unit.log, "append", away)
        with pytest.raises(Unavailable):
            await one.service._readers[0].drain()  # type: ignore[attr-defined]
    assert await letters(one) == []
    assert await told_to(one, "b") == ()
    assert len(await one.log.read(f"matching-{TOPIC}", TOPIC, 10)) == 2
    await one.settle()
    assert await standing(one) == [("a", "invalid-payload", "open")]
    assert await told_to(one, "b") == ("1",)


async def test_a_letter_that_the_store_will_not_take_stops_nobody(one: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_document(monkeypatch, one.service.unit.house.store, key="huge")
    await one.hears(bad("huge"), bad("b"), told("c", 1, "1"))
    assert await standing(one) == [("b", "invalid-payload", "open")]
    assert [reason for reason, _ in await one.parked()] == ["invalid-payload", "invalid-payload"]
    assert await told_to(one, "c") == ("1",)


# --- replaying ---------------------------------------------------------------------------------------------------------------------


async def test_replayed_after_the_fix_a_key_is_as_if_nothing_had_been_wrong_and_flows_again(one: Hearing, faults: Faults) -> None:
    await one.hears(told("a", 1, "1"), told("a", 2, "boom"), told("a", 3, "3"), bad("b"), told("a", 4, "4"))
    faults.mend()
    before = len(await one.log.read("somebody", TOPIC, 100))
    first, *_ = await ids(one)
    await one.asked(commands.replay, first, WHO, "mended")
    await one.settle()
    assert await told_to(one, "a") == ("1", "boom", "3", "4")
    assert [event.seq for event in await one.said()] == [1, 2, 3, 4]
    assert await standing(one) == [
        ("a", "defect", "replayed"),
        ("a", "blocked-by", "replayed"),
        ("b", "invalid-payload", "open"),
        ("a", "blocked-by", "replayed"),
    ]
    await one.hears(told("a", 5, "5"))
    assert await told_to(one, "a") == ("1", "boom", "3", "4", "5")
    assert len(await one.log.read("somebody", TOPIC, 100)) == before + 1  # replays do not travel through the topic
    history = (await one.asked(commands.one, first))[0].history
    assert [(note.who, note.what, note.why) for note in history[1:]] == [(WHO, "replay asked for", "mended"), ("amont", "replayed", None)]


async def test_replaying_twice_changes_nothing(one: Hearing, faults: Faults) -> None:
    await one.hears(told("a", 1, "boom"), told("b", 1, "no"))
    faults.mend()
    for _ in range(2):
        for id_ in [letter.id for letter in await letters(one, statuses=())]:
            await one.asked(commands.replay, id_, WHO)
            await one.asked(commands.replay, id_, WHO)
        await replay_all(one)
        await one.settle()
    assert [await told_to(one, key) for key in "ab"] == [("boom",), ("no",)]
    assert [event.seq for event in await one.said()] == [1, 1]
    assert all(len(letter.history) == 3 for letter in await letters(one, statuses=()))


async def test_what_is_refused_again_stays_the_same_letter_with_the_new_reason_and_its_followers_stay(one: Hearing, faults: Faults) -> None:
    await one.hears(told("a", 1, "boom"), told("a", 2, "2"), bad("a"), told("b", 1, "boom"))
    faults.defects, faults.refused = set(), {"boom"}
    await replay_all(one)
    await one.settle()
    assert await standing(one) == [
        ("a", "not-today", "open"),
        ("a", "blocked-by", "open"),
        ("a", "invalid-payload", "open"),
        ("b", "not-today", "open"),
    ]
    found = await letters(one)
    assert [letter.attempts for letter in found] == [2, 1, 1, 2]
    assert [note.what for note in found[2].history] == ["parked", "replay asked for", "put back"]
    faults.mend()
    await one.asked(commands.drop, found[2].id, WHO, "no use")
    await replay_all(one)
    await one.settle()
    assert await told_to(one, "a") == ("boom", "2")
    assert await ids(one) == []


async def test_a_letter_in_the_middle_of_a_key_is_not_replayed_before_the_first(one: Hearing) -> None:
    await one.hears(told("a", 1, "boom"), told("a", 2, "2"), bad("a"))
    first, second, third = await ids(one)
    for id_ in (second, third):
        with pytest.raises(Conflict, match=first):
            await one.asked(commands.replay, id_, WHO)
    with pytest.raises(NotFound):
        await one.asked(commands.replay, "nothing.0.1.x", WHO)


@pytest.mark.parametrize("followed", [False, True])
async def test_a_letter_that_is_resolved_while_its_replay_is_asked_for_is_decided_on_as_it_is_then(
    one: Hearing, faults: Faults, monkeypatch: pytest.MonkeyPatch, *, followed: bool
) -> None:
    def meanwhile(change: Callable[[], Awaitable[object]]) -> None:
        store = one.service.unit.house.store
        find, changes = store.find, [change]

        async def found(query: Any) -> Any:
            if changes and query.collection == LETTERS.name and "lane" in query.where:
                await changes.pop()()
            return await find(query)

        monkeypatch.setattr(store, "find", found)

    async def replayed() -> None:
        await one.asked(commands.replay, second, WHO)
        await one.service.step()

    await one.hears(*(told(key, n, "boom") for n in range(1, 2 + followed) for key in "ab"))
    first, second, *_ = await ids(one)
    meanwhile(lambda: one.asked(commands.drop, first, WHO, "no use"))
    with pytest.raises(Conflict, match=f"{first} has been dropped"):
        await one.asked(commands.replay, first, WHO)
    faults.mend()
    meanwhile(replayed)
    letter, _ = await one.asked(commands.replay, second, WHO)
    assert letter.status is Status.REPLAYED
    assert (await told_to(one, "b"))[:1] == ("boom",)


async def test_records_that_come_while_a_key_is_replayed_are_taken_after_it(one: Hearing, faults: Faults) -> None:
    """Each step of the replayer alternates with new arrivals of the same key."""
    await one.hears(told("a", 1, "boom"), *(told("a", seq, f"{seq}") for seq in range(2, 8)))
    faults.mend()
    replayer, (reader,) = one.service.letters, one.service._readers
    applied, seq = replayer._apply, 8

    async def meanwhile(letter: Any) -> Any:
        nonlocal seq
        if seq < 14:
            await one.log.append([record_of(told("a", seq, f"{seq}"))])
            await reader.drain()  # type: ignore[attr-defined]
            seq += 1
        return await applied(letter)

    replayer._apply = meanwhile  # type: ignore[method-assign]
    await replay_all(one)
    await one.settle()
    assert await told_to(one, "a") == ("boom", *(f"{n}" for n in range(2, 14)))
    await one.hears(told("a", 14, "14"))
    assert (await told_to(one, "a"))[-1] == "14"
    assert await ids(one) == []


async def test_what_was_parked_behind_a_letter_that_is_just_being_resolved_is_not_forgotten(
    one: Hearing, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader looks before the replay is done and parks after it."""
    await one.hears(told("a", 1, "boom"))
    faults.mend()
    await replay_all(one)
    consumer = one.service._consumers[TOPIC]
    look = consumer._parked_keys

    async def look_then_replay(*arguments: Any) -> Any:
        firsts = await look(*arguments)
        await one.service.letters.tick()
        return firsts

    monkeypatch.setattr(consumer, "_parked_keys", look_then_replay)
    await one.log.append([record_of(told("a", 2, "2"))])
    await one.service._readers[0].drain()  # type: ignore[attr-defined]
    assert await standing(one) == [("a", "defect", "replayed"), ("a", "blocked-by", "open")]
    await one.settle()
    assert await told_to(one, "a") == ("boom", "2")


async def test_a_crash_after_the_effect_replays_once_more_and_changes_nothing(
    one: Hearing, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.hears(told("a", 1, "boom"), told("a", 2, "2"))
    faults.mend()
    await replay_all(one)

    async def dying(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(replaying, "settle", dying)
        with pytest.raises(KeyboardInterrupt):
            await one.service.letters.tick()
    assert await told_to(one, "a") == ("boom",)
    assert [letter.status for letter in await letters(one)] == [Status.REPLAYING, Status.OPEN]
    await one.settle()
    assert await told_to(one, "a") == ("boom", "2")
    assert [event.seq for event in await one.said()] == [1, 2]


async def test_an_outage_in_the_middle_of_replaying_loses_and_doubles_nothing(
    one: Hearing, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.hears(*(told("a", seq, "boom" if seq == 1 else f"{seq}") for seq in range(1, 6)))
    faults.mend()
    await replay_all(one)
    store = one.service.unit.house.store
    commit = store.commit
    calls: list[int] = []

    async def flaky(writes: Any) -> Any:
        calls.append(1)
        if len(calls) % 3 == 1:
            raise Unavailable("away")
        done = await commit(writes)
        if len(calls) % 3 == 2:
            raise Unavailable("away after having worked")
        return done

    monkeypatch.setattr(store, "commit", flaky)
    for _ in range(60):
        try:
            if not await one.service.letters.tick():
                break
        except Unavailable:
            continue
    monkeypatch.setattr(store, "commit", commit)
    await one.settle()
    assert len(calls) > 10
    assert await told_to(one, "a") == ("boom", "2", "3", "4", "5")
    assert await ids(one) == []


async def test_two_processes_that_replay_at_once_apply_everything_once(one: Hearing, faults: Faults) -> None:
    await one.hears(*(told(key, seq, "boom" if seq == 1 else f"{seq}") for seq in range(1, 6) for key in "ab"))
    faults.mend()
    await replay_all(one)
    house = one.service.unit.house
    other = build_with(faults)(Parts(store=house.store, log=one.log, clock=one.clock, ids=SeededIds(one.clock, 2)))
    await asyncio.gather(one.service.letters.tick(), other.letters.tick())
    await one.settle()
    assert [await told_to(one, key) for key in "ab"] == [("boom", "2", "3", "4", "5")] * 2
    assert await ids(one) == []


async def test_many_letters_are_replayed_by_pages_and_a_choice_means_only_some(tmp_path: Path, faults: Faults) -> None:
    async with listening(faults, tmp_path, dead_letters_in_a_row=0) as one:
        await replay_in_pages(one, faults)


async def replay_in_pages(one: Hearing, faults: Faults) -> None:
    await one.hears(*(told(f"k{n:03d}", 1, "boom" if n % 2 else "no") for n in range(450)))
    faults.mend()
    asked = await one.asked(commands.replay_chosen, Chosen(reason="not-today"), WHO, None, None)
    assert (asked.replaying, asked.last is not None) == (200, True)
    await one.settle()
    assert len(await one.asked(commands.page, Chosen(), None, 1000)) == 250
    await replay_all(one)
    await one.settle()
    assert await ids(one) == []
    assert all([await told_to(one, f"k{n:03d}") == ("boom" if n % 2 else "no",) for n in range(450)])


async def test_a_page_of_large_letters_ends_early_and_pages_hold_every_letter_once(tmp_path: Path, faults: Faults) -> None:
    """Two hundred letters may say 400 MB, and twice that when they are edited."""
    async with listening(faults, tmp_path) as one:
        await one.hears(*(bad(f"k{n:02d}", b"x" * 400_000) for n in range(24)))
        pages, after = [], None
        while page := await one.asked(commands.page, Chosen(), after):
            pages.append(page)
            after = page[-1][0].order
        assert [len(page) for page in pages] == [10, 10, 4]
        assert [letter.key for page in pages for letter, _ in page] == [f"k{n:02d}" for n in range(24)]
        await replay_all(one)
        assert {letter.status for page in pages for letter in [await one.look(DeadLetter, page[-1][0].id)]} == {Status.REPLAYING}


async def test_the_outline_of_a_letter_says_nothing_of_what_it_says(one: Hearing) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await one.hears(bad("fr", b"secret" * 100, traceparent=trace.encode(), other=b"secret"))
    [letter] = await letters(one)
    assert b64encode(b"secret").decode() not in repr(letter.outline)
    assert letter.outline.trace_id == letter.trace_id
    assert letter.outline.trace_id is not None
    assert replace(letter.outline, content=letter.content) == letter


async def test_more_keys_may_be_parked_than_one_question_to_the_store_can_name(tmp_path: Path, faults: Faults) -> None:
    """SQLite refuses a statement with more values than it was built for (32,766; fewer here), and the letters' timer would fail for ever."""
    async with listening(faults, tmp_path, dead_letters_in_a_row=0) as one:
        store = cast("SqliteStore", one.service.unit.house.store)
        await store._db.do(lambda db: db.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 550))
        keys = [f"k{n:03d}" for n in range(600)]
        await one.hears(*(told(key, 1, "boom") for key in keys), *(told(key, 2, "2") for key in keys))
        faults.mend()
        await replay_all(one)
        await one.settle()
        assert await letters(one) == []
        assert all([await told_to(one, key) == ("boom", "2") for key in keys])


# --- people ------------------------------------------------------------------------------------------------------------------------


async def test_an_edit_mends_the_record_keeps_what_came_and_says_who_and_why(one: Hearing) -> None:
    await one.hears(bad("a", b'{"subsidiary": "a"}'), told("a", 2, "2"))
    id_, _ = await ids(one)
    value = told("a", 1, "mended").encode()
    await one.asked(commands.edit, id_, WHO, "a field was lost", value=value)
    letter, _ = await one.asked(commands.one, id_)
    assert letter.content.raw_value == value
    assert letter.original is not None
    assert letter.original.raw_value == b'{"subsidiary": "a"}'
    note = letter.history[-1]
    assert (note.who, note.what, note.why, note.fields) == (WHO, "edited", "a field was lost", ("value",))
    await one.asked(commands.replay, id_, WHO)
    await one.settle()
    assert await told_to(one, "a") == ("mended", "2")


@pytest.mark.parametrize(
    ("changes", "pointer", "detail"),
    [
        ({"value": b"{"}, "/value", "not JSON"),
        ({"value": b'{"seq": 1}'}, "/value", "/subsidiary"),
        ({"value": told("b", 1).encode()}, "/headers", "key"),
        ({"value": told("a", 9).encode()}, "/value/seq", "1"),
        ({"headers": {"ce_type": "nonsense"}}, "/headers", "nonsense"),
        ({"headers": {"ce_id": "another"}}, "/headers/ce_id", "stays"),
        ({"headers": {"ce_seq": None}}, "/headers/ce_seq", "stays"),
    ],
)
async def test_an_edit_that_could_not_be_read_or_is_another_event_is_refused_with_what_is_wrong(
    one: Hearing, changes: dict[str, Any], pointer: str, detail: str
) -> None:
    await one.hears(told("a", 1, "boom"))
    [before] = await letters(one)
    with pytest.raises(Invalid) as refused:
        await one.asked(commands.edit, before.id, WHO, "try", **changes)
    assert refused.value.faults[0].pointer == pointer
    assert detail in refused.value.faults[0].detail
    assert await letters(one) == [before]


async def test_headers_that_were_missing_or_unreadable_can_be_mended(one: Hearing) -> None:
    record = record_of(told("a", 1, "1"))
    lost = {name: value for name, value in record.headers if name not in {"ce_id", "ce_source"}}
    await one.hears(replace(record, headers=tuple({**lost, "ce_seq": b"one"}.items())))
    [letter] = await letters(one)
    await one.asked(commands.edit, letter.id, WHO, "lost", headers={"ce_id": "i", "ce_source": "/s", "ce_seq": "1"})
    await replay_all(one)
    await one.settle()
    assert await told_to(one, "a") == ("1",)


async def test_an_edited_tenant_is_shown_and_found_by_and_goes_back_with_the_header(one: Hearing) -> None:
    await one.hears(told("fr", 1, "boom"))
    [came] = await letters(one, tenant="fr")
    edited, _ = await one.asked(commands.edit, came.id, WHO, "a slip", headers={"ce_tenant": "de"})
    assert (edited.tenant, edited.home) == ("de", "fr")
    assert await letters(one, tenant="de") == [edited]
    assert await letters(one, tenant="fr") == []
    back, _ = await one.asked(commands.edit, came.id, WHO, "none", headers={"ce_tenant": "fr"})
    assert (back.tenant, back.home) == ("fr", "fr")


async def test_an_edit_that_changes_nothing_leaves_no_note_and_one_without_a_reason_is_refused(one: Hearing) -> None:
    await one.hears(told("a", 1, "boom"))
    [before] = await letters(one)
    await one.asked(commands.edit, before.id, WHO, "why not", value=before.content.raw_value)
    assert await letters(one) == [before]
    with pytest.raises(Invalid):
        await one.asked(commands.drop, before.id, WHO, "  ")
    with pytest.raises(Invalid):
        await one.asked(commands.edit, before.id, WHO, "", value=told("a", 1, "x").encode())


async def test_an_edit_adds_no_field_that_the_event_does_not_have_and_keeps_those_that_came(one: Hearing) -> None:
    came = {**told("a", 1).model_dump(mode="json"), "name": 3, "colour": "red"}
    await one.hears(bad("a", json.dumps(came).encode()))
    [letter] = await letters(one)
    with pytest.raises(Invalid, match="SubsidiaryChanged does not have /naem: there is seq") as refused:
        await one.asked(commands.edit, letter.id, WHO, "a slip", value=json.dumps({**came, "naem": "x"}).encode())
    [fault] = refused.value.faults
    assert (fault.pointer, fault.detail) == (
        "/value/naem",
        "there is seq, subsidiary, name, zone, languages, grades, holidays, coordinators, sender_name",
    )
    await one.asked(commands.edit, letter.id, WHO, "a name", value=json.dumps({**came, "name": "x", "grades": {"Z": 4}}).encode())
    await replay_all(one)
    await one.settle()
    assert await told_to(one, "a") == ("x",)


async def test_what_is_to_be_replayed_can_be_taken_back_and_then_edited_or_dropped(one: Hearing) -> None:
    await one.hears(bad("a"), bad("b"))
    first, second = await ids(one)
    await one.asked(commands.replay, first, WHO)
    await one.asked(commands.replay, second, WHO)
    for change in (partial(commands.edit, value=b"{}"), commands.drop):
        with pytest.raises(Conflict, match="take it back first"):
            await one.asked(change, first, WHO, "no use")
    await one.asked(commands.take_back, second, WHO, "a mistake")
    taken, version = await one.asked(commands.take_back, first, WHO, "a mistake")
    assert (taken.status.value, taken.history[-1].what, taken.history[-1].why) == ("open", "taken back", "a mistake")
    assert await one.asked(commands.take_back, first, WHO, "again") == (taken, version)
    await one.settle()
    assert [(letter.status.value, letter.attempts) for letter in await letters(one)] == [("open", 1)] * 2
    await one.asked(commands.edit, first, WHO, "a slip", value=told("a", 1, "1").encode())
    await one.asked(commands.drop, second, WHO, "no use")
    await replay_all(one)
    await one.settle()
    assert await told_to(one, "a") == ("1",)
    for settled, how in ((first, "replayed"), (second, "dropped")):
        with pytest.raises(Conflict, match=f"has been {how}"):
            await one.asked(commands.take_back, settled, WHO)
        with pytest.raises(Conflict, match=f"has been {how}"):
            await one.asked(commands.edit, settled, WHO, "the same", value=(await one.asked(commands.one, settled))[0].content.raw_value)


async def written_by_others(one: Hearing, id_: str, **fields: Any) -> None:
    store = one.service.unit.house.store
    before = (await store.get(LETTERS.name, [id_]))[id_]
    assert not await store.commit([Put(LETTERS.name, {**before, "v": before["v"] + 1, **fields}, before["v"])])


async def test_a_letter_that_this_release_cannot_read_keeps_its_own_key_back_and_no_other(one: Hearing, faults: Faults) -> None:
    await one.hears(told("a", 1, "boom"), told("a", 2, "2"), told("b", 1, "boom"), told("b", 2, "2"))
    first, *_ = await ids(one)
    await replay_all(one)
    await written_by_others(one, first, attempts="several")
    faults.mend()
    with capture_logs() as lines:
        await one.settle()
    assert await told_to(one, "b") == ("boom", "2")
    assert await told_to(one, "a") == ()
    assert "document_unreadable" in {line["event"] for line in lines}
    await written_by_others(one, first, attempts=1)
    await one.settle()
    assert await told_to(one, "a") == ("boom", "2")


@pytest.mark.parametrize("asked_for", [False, True])
async def test_a_letter_taken_back_from_behind_another_stays_until_it_is_asked_for_again(
    one: Hearing,
    faults: Faults,
    asked_for: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Whether it only waited, or had been asked for by itself."""
    await one.hears(told("a", 1, "boom"), told("a", 2, "2"), told("a", 3, "3"))
    first, second, third = await ids(one)
    await one.asked(commands.replay, first, WHO)
    if asked_for:
        await one.asked(commands.replay, second, WHO)
    taken, version = await one.asked(commands.take_back, second, WHO, "wait for HR")
    assert (taken.status, taken.reason, taken.history[-1].what) == (Status.OPEN, TAKEN_BACK, "taken back")
    assert await one.asked(commands.take_back, second, WHO, "again") == (taken, version)
    faults.mend()
    await one.settle()
    assert await told_to(one, "a") == ("boom",)
    await one.hears(told("a", 4, "4"), told("b", 1, "1"))
    assert await ids(one) == [second, third, f"{TOPIC}.0.3.{(await ids(one))[-1][-8:]}"], "what follows it waits as well"
    assert await told_to(one, "b") == ("1",)

    await one.asked(commands.replay, second, WHO)
    await one.settle()
    assert await told_to(one, "a") == ("boom", "2", "3", "4")
    assert await ids(one) == []


async def test_one_that_was_taken_back_and_asked_for_again_with_its_key_waits_its_turn_as_before(one: Hearing, faults: Faults) -> None:
    await one.hears(told("a", 1, "boom"), told("a", 2, "2"))
    first, second = await ids(one)
    before, _ = await one.asked(commands.one, second)
    await one.asked(commands.take_back, second, WHO)
    with pytest.raises(Conflict, match=first):
        await one.asked(commands.replay, second, WHO)
    await replay_all(one)
    await one.settle()
    letter, _ = await one.asked(commands.one, second)
    assert (letter.status, letter.reason, letter.detail, letter.blocked_by) == (Status.OPEN, BLOCKED_BY, before.detail, first)
    faults.mend()
    await one.asked(commands.replay, first, WHO)
    await one.settle()
    assert await told_to(one, "a") == ("boom", "2")


@pytest.mark.parametrize("then", [None, "dropped", "edited"])
@pytest.mark.parametrize("works", [True, False])
async def test_taken_back_while_the_service_has_it_an_effect_stands_and_a_refusal_gives_way(
    one: Hearing,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
    works: bool,  # noqa: FBT001 - a parameter of the test
    then: str | None,
) -> None:
    await one.hears(told("a", 1, "boom"))
    [id_] = await ids(one)
    await one.asked(commands.replay, id_, WHO)
    if works:
        faults.mend()
    hear = Replayer._apply

    async def meanwhile(self: Replayer, letter: DeadLetter) -> Refused | None:
        refused = await hear(self, letter)
        await one.asked(commands.take_back, id_, WHO, "wait")
        if then == "dropped":
            await one.asked(commands.drop, id_, WHO, "no use")
        if then == "edited":
            await one.asked(commands.edit, id_, WHO, "a slip", value=told("a", 1, "2").encode())
        return refused

    monkeypatch.setattr(Replayer, "_apply", meanwhile)
    await one.service.letters.tick()
    monkeypatch.undo()
    letter, _ = await one.asked(commands.one, id_)
    if works:
        assert await told_to(one, "a") == ("boom",)
        assert (letter.status.value, letter.history[-1].what) == ("replayed", "replayed")
        assert letter.history[-1].why == f"it was being taken when it was {then or 'taken back'}"
    else:
        assert (letter.status.value, letter.attempts) == ("dropped" if then == "dropped" else "open", 1)


async def test_a_drop_lets_what_waited_behind_it_go_on_and_is_final(one: Hearing) -> None:
    await one.hears(told("a", 1, "boom"), told("a", 2, "2"), told("a", 3, "3"))
    first, *_ = await ids(one)
    await one.asked(commands.drop, first, WHO, "made twice")
    await one.settle()
    assert await told_to(one, "a") == ("2", "3")
    await one.hears(told("a", 4, "4"))
    assert await told_to(one, "a") == ("2", "3", "4")
    dropped, version = await one.asked(commands.one, first)
    assert [(note.who, note.what, note.why) for note in dropped.history[1:]] == [(WHO, "dropped", "made twice")]
    assert await one.asked(commands.drop, first, WHO, "again") == (dropped, version)
    for command in (commands.replay, commands.edit):
        with pytest.raises(Conflict):
            await one.asked(command, first, WHO, "no", **({"value": told("a", 1, "x").encode()} if command is commands.edit else {}))


async def test_letters_are_found_by_reason_tenant_key_topic_and_time(one: Hearing) -> None:
    await one.hears(bad("x1", ce_tenant=b"fr"), told("a", 1, "boom"))
    await one.passes(timedelta(hours=1))
    await one.hears(bad("x2", ce_tenant=b"de"), told("a", 2, "2"))
    later = START + timedelta(hours=1)
    for chosen, keys in (
        ({}, ["x1", "a", "x2", "a"]),
        ({"reason": "invalid-payload"}, ["x1", "x2"]),
        ({"tenant": "de"}, ["x2"]),
        ({"key": "a"}, ["a", "a"]),
        ({"topic": TOPIC, "key": "a", "reason": "defect"}, ["a"]),
        ({"topic": "hris-staff"}, []),
        ({"since": later}, ["x2", "a"]),
        ({"until": START}, ["x1", "a"]),
        ({"since": START, "until": later}, ["x1", "a", "x2", "a"]),
        ({"since": later + timedelta(seconds=1)}, []),
        ({"statuses": (Status.DROPPED,)}, []),
    ):
        assert [letter.key for letter in await letters(one, **chosen)] == keys, chosen


async def test_what_is_decided_on_a_letter_while_those_before_it_are_replayed_counts(tmp_path: Path) -> None:
    """Letters that are in order with no other are found by pages: of each its own turn decides, not what it was when it was found."""

    def staff(employee: str, grade: str = "slip") -> StaffRecorded:
        return StaffRecorded(tenant="fr", employee_id=employee, effective_at=date(2026, 1, 1), occurred_at=START, grade=grade)

    decide: list[Any] = []

    async def hear(event: StaffRecorded, work: Work) -> None:
        if not mended:
            raise KeyError(event.grade)
        while decide:
            await decide.pop()()
        work.save((await work.get_or_new(Tally, event.employee_id)).hear(event.grade or "").becomes())

    def build(parts: Parts) -> Service:
        return Service("matching", parts, consumes={StaffRecorded: hear}, publishes=(), keeps=[Collection(Tally, "tallies")])

    mended = False
    async with hearing(build, tmp_path) as one:
        await one.hears(*(staff(f"e{n}") for n in range(5)))
        _, dropped, edited, taken_back, again = await ids(one)
        await replay_all(one)

        async def meanwhile() -> None:
            for id_ in (dropped, edited, taken_back, again):
                await one.asked(commands.take_back, id_, WHO, "a mistake")
            await one.asked(commands.drop, dropped, WHO, "no use")
            for id_ in (edited, again):
                await one.asked(commands.edit, id_, WHO, "a slip", value=staff(f"e{2 if id_ == edited else 4}", "C3").encode())
            await one.asked(commands.replay, again, WHO)

        mended = True
        decide.append(meanwhile)
        await one.service.letters.tick()
        assert [status for _, _, status in await standing(one)] == ["replayed", "dropped", "open", "open", "replayed"]
        assert [await told_to(one, f"e{n}") for n in range(5)] == [("slip",), (), (), (), ("C3",)]


# --- time --------------------------------------------------------------------------------------------------------------------------


async def test_resolved_letters_are_forgotten_after_their_time(one: Hearing, faults: Faults) -> None:
    await one.hears(told("a", 1, "boom"), bad("b"))
    faults.mend()
    await one.passes(timedelta(days=10))
    first, second = await ids(one)
    await one.asked(commands.replay, first, WHO)
    await one.asked(commands.drop, second, WHO, "poison")
    await one.settle()
    await one.passes(RETENTION - timedelta(seconds=1))
    assert len(await standing(one)) == 2
    await one.passes(timedelta(seconds=1))
    assert await standing(one) == []


async def test_letters_that_are_never_over_keep_no_other_from_being_forgotten(one: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that this release cannot read, and those that are asked for and cannot be taken yet, are due for as long as they are there."""
    monkeypatch.setattr(replaying, "PAGE", 2)
    await one.hears(*(bad(key) for key in "abcde"))
    unread, asked, *others = await ids(one)
    await written_by_others(one, unread, attempts="several")
    await one.asked(commands.replay, asked, WHO)
    one.clock.advance(timedelta(seconds=1))
    for id_ in others:
        await one.asked(commands.drop, id_, WHO, "poison")
    monkeypatch.setattr(Replayer, "_replay_asked", AsyncMock(return_value=0))
    await one.passes(RETENTION)
    assert (await one.service.unit.house.store.get(LETTERS.name, [unread, asked, *others])).keys() == {unread, asked}


async def test_a_letter_that_nobody_resolves_is_given_up_without_what_it_said_and_its_key_flows(one: Hearing) -> None:
    await one.hears(told("a", 1, "boom"), told("a", 2, "2"))
    await one.passes(RETENTION)
    first, behind = await letters(one, statuses=())
    assert (first.status, first.content.value, first.content.headers) == (Status.DROPPED, None, ())
    assert "nobody resolved it" in (first.history[-1].why or "")
    assert behind.status in (Status.REPLAYED, Status.DROPPED)
    await one.hears(told("a", 3, "3"))
    assert (await told_to(one, "a"))[-1] == "3"


async def test_a_history_without_end_keeps_what_people_did(one: Hearing) -> None:
    await one.hears(bad("a"))
    [letter] = await letters(one)
    letter = letter.edit(replace(letter.content, value="e30="), ("value",), WHO, "why", START).state
    for _ in range(3 * MOST_NOTES):
        letter = letter.ask_replay("amont", None, START).state.refuse("defect", "x", START).state
    assert len(letter.history) == MOST_NOTES
    assert [note.what for note in letter.history if note.who == WHO] == ["edited"]


async def test_how_many_letters_and_keys_wait_is_a_figure(one: Hearing, faults: Faults) -> None:
    def figure(name: str) -> float | None:
        return REGISTRY.get_sample_value(name, {"service": "matching"})

    await one.hears(told("a", 1, "boom"), told("a", 2, "2"), bad("b"))
    assert (figure("amont_dead_letters_open"), figure("amont_keys_parked")) == (3, 2)
    faults.mend()
    [_, _, third] = await ids(one)
    await one.asked(commands.drop, third, WHO, "poison")
    await replay_all(one)
    await one.settle()
    assert (figure("amont_dead_letters_open"), figure("amont_keys_parked")) == (0, 0)
