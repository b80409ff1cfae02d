"""The consuming shell: what becomes of a batch whose records are good, bad, refused, duplicate, or come at a bad time."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.libs.common.shell import Note, Shell, Tally, batch_of, hear, told

from amont.common.errors import Conflict, Unacceptable, Unavailable
from amont.common.events import EmployeeLeft, ProgrammeChanged, SubsidiaryChanged
from amont.common.events.envelope import LONGEST_ATTRIBUTE, Envelope
from amont.common.log import Record
from amont.common.service.consumer import Consumer
from amont.common.testing.hearing import record_of
from amont.common.testing.waiting import until
from amont.common.work import MAX_PENDING, Reaction, Work

TOPIC = "enrolment-subsidiaries"
React = Callable[[SubsidiaryChanged, Work], Any]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amont.common.service.consumer.FIRST_PAUSE", 0.001)


def consumer(shell: Shell, react: React = hear) -> Consumer:
    return Consumer(shell.unit, TOPIC, {SubsidiaryChanged: react})


def headers(record: Record, **changed: bytes | None) -> Record:
    """The record with some headers changed, or without them (None)."""
    return replace(record, headers=tuple((name, value) for name, value in {**dict(record.headers), **changed}.items() if value is not None))


# --- what is good -------------------------------------------------------------------------------------------------------------------


async def test_a_batch_is_applied_in_order_saved_once_published_and_not_applied_again(shell: Shell) -> None:
    batch = batch_of(*(told(f"t{n % 3}", n // 3 + 1, name=f"{n}") for n in range(30)))
    consume = consumer(shell)
    await consume(batch)
    assert len(shell.store.commits) == 1
    for again in (consume, consumer(shell)):
        await again(batch)
        await again(batch[10:20])
    for n in range(3):
        assert (await shell.tally(f"t{n}")).told == tuple(f"{m}" for m in range(n, 30, 3))
    said = await shell.said()
    assert sorted(said) == sorted((f"t{n}", seq) for n in range(3) for seq in range(1, 11))
    assert [seq for id_, seq in said if id_ == "t1"] == list(range(1, 11))
    assert await shell.letters() == []


async def test_tombstones_and_types_that_nobody_asked_for_are_passed_over(shell: Shell) -> None:
    left = EmployeeLeft(seq=1, person="a:1", effective_at="2027-01-01T00:00:00Z")  # type: ignore[arg-type]
    consume = Consumer(shell.unit, "enrolment-employees", {})
    await consume([*batch_of(Record(topic="enrolment-employees", key="a:1", value=None), record_of(left))])
    assert await shell.letters() == []
    assert shell.store.commits == []


async def test_what_a_reaction_needs_is_read_ahead_in_one_go(shell: Shell) -> None:
    await shell.given(*(Tally(id=f"{n}") for n in range(20)))
    before = shell.store.reads
    reaction = Reaction(hear, needs=lambda event, _: [(Tally, event.subsidiary), (Note, "absent")])
    await Consumer(shell.unit, TOPIC, {SubsidiaryChanged: reaction})(batch_of(*(told(f"{n}", 1) for n in range(20))))
    assert shell.store.reads == before + 2
    assert (await shell.tally("7")).n == 1


async def test_effects_are_done_once_the_batch_is_saved(shell: Shell) -> None:
    done: list[int] = []

    async def react(event: SubsidiaryChanged, work: Work) -> None:
        async def effect() -> None:
            done.append((await shell.document("a"))["n"])

        await hear(event, work)
        work.afterwards(effect)

    await consumer(shell, react)(batch_of(told("a", 1), told("a", 2)))
    assert done == [2, 2]


# --- what is bad --------------------------------------------------------------------------------------------------------------------

GOOD = record_of(told("bad", 1))
BAD = {
    "invalid-payload": [
        replace(GOOD, value=b"\xff\xfe"),
        replace(GOOD, value=b"{"),
        replace(GOOD, value=b"{}"),
        replace(GOOD, value=b""),
        replace(GOOD, value=b"[" * 100_000),
    ],
    "unknown-type": [
        headers(GOOD, ce_type=b"amont.enrolment-subsidiaries.SubsidiaryMelted.v1"),
        headers(GOOD, ce_type=b"amont.enrolment-subsidiaries.SubsidiaryChanged.v2"),
        headers(GOOD, ce_type=b"amont.enrolment-programmes.ProgrammeChanged.v1"),
        headers(GOOD, ce_type=b"nonsense"),
    ],
    "wrong-key": [replace(GOOD, key="another"), replace(GOOD, key="")],
    "wrong-subject": [headers(GOOD, ce_subject=b"another")],
    "missing-headers": [
        replace(GOOD, headers=()),
        *(headers(GOOD, **{name: None}) for name in ("ce_id", "ce_type", "ce_source", "ce_specversion")),
    ],
    "unknown-specversion": [headers(GOOD, ce_specversion=b"0.3")],
    "broken-headers": [
        headers(GOOD, ce_time=b"yesterday"),
        headers(GOOD, ce_seq=b"one"),
        headers(GOOD, ce_id=b"\xff"),
        headers(GOOD, ce_correlationid=b"\xff"),
    ],
}


@pytest.mark.parametrize(("reason", "bad"), [(reason, bad) for reason, records in BAD.items() for bad in records])
async def test_a_record_that_cannot_be_read_is_parked_alone_with_the_reason(shell: Shell, reason: str, bad: Record) -> None:
    await consumer(shell)(batch_of(told("a", 1), bad, told("b", 1), told("a", 2)))
    assert await shell.letters() == [(bad.key, reason)]
    assert [(await shell.tally(id_)).n for id_ in ("a", "b")] == [2, 1]
    assert await shell.document("bad") == {}
    [letter] = await shell.on("dlq-matching")
    assert letter.value == bad.value
    assert letter.headers[: len(bad.headers)] == bad.headers
    where = {name: value for name, value in letter.headers if name.startswith("amont_dlq_")}
    assert where["amont_dlq_topic"], where["amont_dlq_offset"] == (TOPIC.encode(), b"1")


async def test_a_key_that_is_not_utf_8_is_parked(shell: Shell) -> None:
    [good, broken] = batch_of(told("a", 1), GOOD)
    await consumer(shell)([replace(broken, key=b"\xff"), good])
    assert [reason for _, reason in await shell.letters()] == ["broken-key"]
    assert (await shell.tally("a")).n == 1


async def refuse_odd_ones(event: SubsidiaryChanged, work: Work) -> None:
    await hear(event, work)
    work.save(Note(id=event.subsidiary).becomes(text="half done"))
    match event.name:
        case "refused":
            raise Conflict("the state does not allow it")
        case "defect":
            raise KeyError("ada@example.org")


async def test_a_refusal_and_a_defect_are_parked_with_what_follows_them_and_leave_nothing_behind(shell: Shell) -> None:
    events = [told("a", 1), told("r", 1, "refused"), told("a", 2, "defect"), told("a", 3), told("d", 1, "defect"), told("b", 1)]
    await consumer(shell, refuse_odd_ones)(batch_of(*events))
    assert await shell.letters() == [("r", "conflict"), ("a", "defect"), ("a", "blocked-by"), ("d", "defect")]
    assert (await shell.tally("a")).told == ("x",)
    assert sorted(await shell.said()) == [("a", 1), ("b", 1)]
    for id_ in ("r", "d"):
        assert await shell.document(id_) == await shell.document(id_, "notes") == {}


async def test_a_defect_is_named_by_its_type_and_place_and_never_by_what_it_was_about(shell: Shell) -> None:
    await consumer(shell, refuse_odd_ones)(batch_of(told("a", 1, "defect"), told("b", 1, "defect")))
    details = [dict(letter.headers)["amont_dlq_detail"] or b"" for letter in await shell.on("dlq-matching")]
    assert details[0] == details[1]
    assert re.fullmatch(rb"KeyError at [0-9a-f]{16}", details[0])


async def test_a_record_that_was_parked_before_gets_its_reasons_anew(shell: Shell) -> None:
    parked = replace(GOOD, value=b"{", headers=(*GOOD.headers, ("amont_dlq_reason", b"old"), ("amont_dlq_offset", b"99")))
    await consumer(shell)(batch_of(parked))
    [letter] = await shell.on("dlq-matching")
    assert [value for name, value in letter.headers if name == "amont_dlq_reason"] == [b"invalid-payload"]


async def only_once(event: SubsidiaryChanged, work: Work) -> None:
    """A rule that refuses what is done already."""
    tally = await work.get_or_new(Tally, event.subsidiary)
    if event.name in tally.told:
        raise Conflict("done already")
    work.save(tally.hear(event.name).becomes().saying(ProgrammeChanged))


async def test_a_refusal_of_an_event_that_was_applied_is_no_dead_letter(shell: Shell) -> None:
    event = told("a", 1, "once")
    consume = consumer(shell, only_once)
    for again in (consume, consume, consumer(shell, only_once)):
        await again(batch_of(event))
    await consumer(shell, only_once)(batch_of(told("b", 1, "once"), told("b", 1, "once"), told("b", 2, "twice"), told("b", 1, "once")))
    assert await shell.letters() == []
    assert (await shell.tally("b")).told == ("once", "twice")
    await consume(batch_of(told("a", 2, "once")))
    assert await shell.letters() == [("a", "conflict")]


# --- bad times ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("away", range(1, 6))
async def test_an_outage_of_the_store_is_waited_for_and_everything_is_applied_once(shell: Shell, away: int) -> None:
    shell.store.away = away
    await consumer(shell)(batch_of(told("a", 1), told("b", 1), told("a", 2)))
    assert [(await shell.tally(id_)).n for id_ in ("a", "b")] == [2, 1]
    assert sorted(await shell.said()) == [("a", 1), ("a", 2), ("b", 1)]


async def test_an_outage_in_the_middle_of_a_reaction_parks_nothing(shell: Shell) -> None:
    tries: list[str] = []

    async def react(event: SubsidiaryChanged, work: Work) -> None:
        tries.append(event.name)
        await hear(event, work)
        if len(tries) == 2:
            raise Unavailable("mail server")

    await consumer(shell, react)(batch_of(told("a", 1, "1"), told("a", 2, "2"), told("a", 3, "3")))
    assert tries == ["1", "2", "1", "2", "3"]
    assert (await shell.tally("a")).told == ("1", "2", "3")
    assert await shell.letters() == []


async def test_an_outage_that_lasts_gives_the_batch_back(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amont.common.service.consumer.BACK_OFF_SECONDS", 0.05)
    shell.store.away = 1_000_000
    with pytest.raises(Unavailable):
        await consumer(shell)(batch_of(told("a", 1)))


async def test_an_outage_of_the_log_after_the_save_repeats_no_effect_and_loses_no_event(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amont.common.service.consumer.BACK_OFF_SECONDS", 0.0)
    shell.log.refuses = frozenset({"enrolment-programmes"})
    batch = batch_of(told("a", 1), told("a", 2))
    with pytest.raises(Unavailable):
        await consumer(shell)(batch)
    shell.log.refuses = frozenset()
    await consumer(shell)(batch)
    await shell.unit.relay.sweep(older_than=shell.clock.now() - shell.clock.now())
    assert (await shell.tally("a")).n == 2
    assert await shell.said() == [("a", 1), ("a", 2)]


async def test_a_dead_letter_that_cannot_be_written_gives_the_batch_back(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amont.common.service.consumer.BACK_OFF_SECONDS", 0.0)
    shell.log.refuses = frozenset({"dlq-matching"})
    batch = batch_of(replace(GOOD, value=b"{"), told("a", 1))
    with pytest.raises(Unavailable):
        await consumer(shell)(batch)
    shell.log.refuses = frozenset()
    await consumer(shell)(batch)
    assert await shell.letters() == [("bad", "invalid-payload")]
    assert (await shell.tally("a")).n == 1


async def test_a_cancelled_batch_is_neither_applied_nor_parked(shell: Shell) -> None:
    begun = asyncio.Event()

    async def react(event: SubsidiaryChanged, work: Work) -> None:
        await hear(event, work)
        begun.set()
        await asyncio.Event().wait()

    taking = asyncio.create_task(consumer(shell, react)(batch_of(told("a", 1))))
    await until(begun.is_set)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert await shell.letters() == []
    assert shell.store.commits == []


# --- somebody else --------------------------------------------------------------------------------------------------------------------


async def test_a_batch_decided_on_a_stale_aggregate_is_decided_again_exactly_once(shell: Shell) -> None:
    heard: list[str] = []

    async def react(event: SubsidiaryChanged, work: Work) -> None:
        heard.append(event.name)
        await hear(event, work)

    consume = consumer(shell, react)
    await consume(batch_of(told("a", 1, "1"), told("b", 1, "1")))
    await shell.unit.relay.clear()
    await shell.given(Tally(id="a", n=100, seq=1))
    await consume(batch_of(told("a", 2, "2"), told("b", 2, "2")))
    assert heard == ["1", "1", "2", "2", "2", "2"]
    assert [(await shell.tally(id_)).n for id_ in ("a", "b")] == [101, 2]
    await consume(batch_of(told("a", 3, "3"), told("b", 3, "3")))
    assert sorted(await shell.said()) == [(id_, seq) for id_ in ("a", "b") for seq in (1, 2, 3)]


async def test_two_processes_in_turn_on_the_same_aggregates_lose_nothing(shell: Shell) -> None:
    async def hear_all(one: Consumer, stream: str) -> None:
        for seq in range(1, 21):
            await one(batch_of(told(stream, seq), *(told(f"{stream}{n}", seq) for n in range(3))))

    async def shared(event: SubsidiaryChanged, work: Work) -> None:
        work.save((await work.get_or_new(Tally, "shared")).hear(event.subsidiary).becomes())

    consumers = [consumer(shell, shared), consumer(shell, shared)]
    await asyncio.gather(*(hear_all(one, stream) for one, stream in zip(consumers, ("x", "y"), strict=True)))
    assert (await shell.tally("shared")).n == 160


async def test_an_aggregate_made_without_looking_is_made_once_and_a_redelivery_is_recognised(shell: Shell) -> None:
    """A crash between the save and the commit of the position: the insert of the redelivered event can never win."""

    async def make(event: SubsidiaryChanged, work: Work) -> None:
        work.save(Tally(id=work.new_id("tally")).hear(event.name).becomes().saying(ProgrammeChanged))

    batch = batch_of(told("a", 1))
    await consumer(shell, make)(batch)
    async with asyncio.timeout(5):
        await consumer(shell, make)(batch)
    assert len(await shell.said()) == 1
    assert await shell.letters() == []


async def test_an_aggregate_made_without_looking_does_not_overwrite_another(shell: Shell) -> None:
    async def make(event: SubsidiaryChanged, work: Work) -> None:
        work.save(Tally(id="same").hear(event.name).becomes())

    consume = consumer(shell, make)
    async with asyncio.timeout(5):
        await consume(batch_of(told("a", 1, "first")))
        await consumer(shell, make)(batch_of(told("b", 1, "second"), told("c", 1, "third")))
    assert (await shell.tally("same")).told == ("first",)
    assert await shell.letters() == [("b", "conflict"), ("c", "conflict")]


async def test_more_events_of_one_aggregate_than_its_outbox_holds_are_taken_in_parts(shell: Shell) -> None:
    """Otherwise a batch of 500 records about one aggregate is given back for ever."""
    count = 2 * MAX_PENDING + 100
    async with asyncio.timeout(20):
        await consumer(shell)(batch_of(*(told("a", seq, f"{seq}") for seq in range(1, count + 1))))
    assert (await shell.tally("a")).told == tuple(f"{seq}" for seq in range(1, count + 1))
    assert await shell.said() == [("a", seq) for seq in range(1, count + 1)]


async def test_causes_and_ids_are_the_same_for_a_redelivered_event(shell: Shell) -> None:
    await consumer(shell)(batch_of(told("a", 1)))
    [record] = await shell.on("enrolment-programmes")
    said = Envelope.parse(record.headers, key="a")
    assert said.causation == said.correlation == dict(record_of(told("a", 1)).headers)["ce_id"].decode()  # type: ignore[union-attr]


# --- what nobody foresaw -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "changed"),
    [
        ("broken-headers", {"ce_time": b"0001-01-01T00:00:00+14:00"}),
        ("broken-headers", {"ce_time": b"9999-12-31T23:59:59-14:00"}),
        ("broken-headers", {"ce_id": b"x" * (LONGEST_ATTRIBUTE + 1)}),
        ("broken-headers", {"ce_correlationid": b"x" * 600_000}),
    ],
)
async def test_headers_that_nothing_can_be_made_of_are_parked(shell: Shell, reason: str, changed: dict[str, bytes]) -> None:
    await consumer(shell)(batch_of(headers(record_of(told("a", 1)), **changed), told("b", 1)))
    assert await shell.letters() == [("a", reason)]
    assert (await shell.tally("b")).told == ("x",)


async def test_headers_that_are_not_read_and_a_trace_that_is_none_may_hold_anything(shell: Shell) -> None:
    """As the schema ids of Confluent's serializers and the trace contexts of other tools do, which are bytes."""
    odd = {"__value_schema_id": b"\x01\xff\xfe", "x": b"x" * (LONGEST_ATTRIBUTE + 1), "ce_dataschema": b"\xe9", "traceparent": b"\xff" * 10}
    await consumer(shell)(batch_of(headers(record_of(told("a", 1)), **odd), told("b", 1)))
    assert await shell.letters() == []
    assert [(await shell.tally(id_)).told for id_ in "ab"] == [("x",)] * 2
    assert all(dict(record.headers).get("traceparent") != odd["traceparent"] for record in await shell.on("enrolment-programmes"))


async def test_a_key_that_ends_early_where_texts_end_at_nul_is_parked_and_keeps_nobody_else_back(shell: Shell) -> None:
    bad = replace(record_of(told("a", 1)), key="a\0b")
    await consumer(shell)(batch_of(bad, told("a", 1)))
    assert await shell.letters() == [("a\ufffdb", "broken-key")]
    assert (await shell.tally("a")).told == ("x",)


async def test_a_defect_in_what_a_reaction_needs_keeps_nobody_back(shell: Shell) -> None:
    def needs(event: SubsidiaryChanged, _: Envelope) -> list[tuple[type[Tally], str]]:
        return [(Tally, {"a": "a", "b": "b"}[event.subsidiary])]

    reaction = Reaction(hear, needs=needs)
    await Consumer(shell.unit, TOPIC, {SubsidiaryChanged: reaction})(batch_of(told("a", 1), told("c", 1), told("b", 1)))
    assert await shell.letters() == []
    assert [(await shell.tally(id_)).told for id_ in "abc"] == [("x",)] * 3


async def test_a_record_at_which_the_shell_itself_fails_is_parked_alone(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    writes = Work.writes

    def fails(self: Work, entries: Any) -> Any:
        if any(entry.aggregate.id == "a" for entry in entries):
            raise RuntimeError("nobody foresaw this")
        return writes(self, entries)

    monkeypatch.setattr(Work, "writes", fails)
    await consumer(shell)(batch_of(told("b", 1), told("a", 1), told("c", 1)))
    assert await shell.letters() == [("a", "defect")]
    assert [(await shell.tally(id_)).told for id_ in "bc"] == [("x",)] * 2


async def test_a_dead_letter_that_does_not_fit_says_where_its_record_is(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that came compressed may be too large for the topic of dead letters, with all of its headers."""
    append = shell.log.append

    async def holds_little(records: Sequence[Record]) -> None:
        if any(sum(len(value or b"") for _, value in record.headers) > 1_000_000 for record in records):
            raise Unacceptable("too large")
        await append(records)

    monkeypatch.setattr(shell.log, "append", holds_little)
    large = headers(record_of(told("a", 1)), **{"x-mine": bytes(3_000_000), "ce_time": b"never"})
    await consumer(shell)(batch_of(told("b", 1), large, headers(record_of(told("c", 1)), ce_time=b"never")))
    cut, whole = await shell.on("dlq-matching")
    said = dict(cut.headers)
    assert (cut.value, said["amont_dlq_reason"], said["amont_dlq_offset"], said["amont_dlq_cut"]) == (b"", b"broken-headers", b"1", b"yes")
    assert (whole.key, dict(whole.headers)["amont_dlq_reason"]) == (b"c", b"broken-headers")
    assert (await shell.tally("b")).told == ("x",)
