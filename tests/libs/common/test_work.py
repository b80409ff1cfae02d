"""The unit of work and the shell's hands: read once, save state and events together, once; publish what was saved, sweep what was left behind."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.libs.common.shell import COLLECTIONS, TALLIES, Note, Shell, Tally, envelope, hear, told

from amont.common.aggregate import Decision
from amont.common.documents import AtMost, Put
from amont.common.documents.collection import Query
from amont.common.errors import Conflict, NotFound, Stale, Unacceptable, Unavailable
from amont.common.events import ProgrammeChanged
from amont.common.ids import derived
from amont.common.log import Record
from amont.common.service import Parts, Service, saying
from amont.common.service.relay import LEFT_BEHIND_AFTER
from amont.common.service.unit import ATTEMPTS, Moved, Unit
from amont.common.testing.hearing import START
from amont.common.work import MAX_PENDING, SAID_AGAIN_WITHIN, Backlog, Entry, Recent, TooMuchToSay, Work


def say(tally: Tally, times: int = 1) -> Decision[Tally]:
    decision = tally.becomes(n=tally.n + 1)
    for _ in range(times):
        decision = decision.saying(ProgrammeChanged)
    return decision


async def add(work: Work, id_: str, *, times: int = 1) -> int:
    """A command: count, and say so."""
    return work.save(say(await work.get_or_new(Tally, id_), times)).n


async def found(work: Work, query: Query[Tally]) -> list[str]:
    return [tally.id async for tally in work.find(query)]


# --- the identity map ---------------------------------------------------------------------------------------------------------------


async def test_an_aggregate_is_read_once_however_often_it_is_asked_for(shell: Shell) -> None:
    await shell.given(Tally(id="a"), Tally(id="b"))
    work, before = shell.work(), shell.store.reads
    first = await work.get(Tally, "a")
    assert await work.get(Tally, "a") is first
    assert (await work.get_many(Tally, ["a", "b", "absent"])).keys() == {"a", "b"}
    assert await work.peek(Tally, "absent") is None
    assert await work.peek(Tally, "b") is not None
    assert shell.store.reads == before + 2
    with pytest.raises(NotFound):
        await work.get(Tally, "absent")


async def test_what_was_saved_is_what_the_same_work_reads(shell: Shell) -> None:
    work = shell.work()
    new = work.save(Tally(id="a").becomes(n=7))
    assert await work.get(Tally, "a") is new
    assert shell.store.reads == 0


async def test_an_aggregate_is_written_once_however_many_events_touch_it(shell: Shell) -> None:
    work = shell.work()
    for seq in (1, 2, 3):
        with work.step(envelope(told("a", seq)), seq=seq):
            await hear(told("a", seq, name=f"{seq}"), work)
    await shell.unit.save(work)
    assert [[type(write) for write in writes] for writes in shell.store.commits] == [[Put]]
    assert await shell.tally("a") == Tally(id="a", n=3, told=("1", "2", "3"), seq=3)


async def test_a_decision_that_changes_nothing_costs_no_write(shell: Shell) -> None:
    await shell.given(Tally(id="a", n=1))
    work = shell.work()
    work.save((await work.get(Tally, "a")).becomes(n=1))
    assert work.written() == []


async def test_the_version_is_checked_and_told(shell: Shell) -> None:
    await shell.given(Tally(id="a"))
    work = shell.work()
    tally = await work.get(Tally, "a", version=1)
    assert work.version_of(tally) == 1
    assert work.version_of(work.save(tally.becomes(n=1))) == 2
    with pytest.raises(Stale) as raised:
        await shell.work().get(Tally, "a", version=7)
    assert raised.value.extra() == {"current_version": 1}


# --- steps --------------------------------------------------------------------------------------------------------------------------


async def test_a_step_that_raises_takes_back_its_own_saves_and_nothing_else(shell: Shell) -> None:
    await shell.given(Tally(id="old", n=1))
    work, done = shell.work(), []

    async def effect(name: str) -> None:
        done.append(name)

    async def say_twice(name: str) -> None:
        for id_ in ("old", name, "shared"):
            work.save(say(await work.get_or_new(Tally, id_)))
            work.save(say(await work.get_or_new(Tally, id_)))
        work.afterwards(lambda: effect(name))
        if name == "raises":
            raise Conflict("no")

    for name in ("first", "raises", "last"):
        with contextlib.suppress(Conflict), work.step():
            await say_twice(name)
    await shell.unit.do_effects(work.effects)
    await shell.unit.save(work)
    assert {id_: (await shell.document(id_)).get("n") for id_ in ("old", "first", "raises", "last", "shared")} == {
        "old": 5,
        "first": 2,
        "raises": None,
        "last": 2,
        "shared": 4,
    }
    assert [entry["seq"] for entry in (await shell.document("old"))["_out"]] == [1, 2, 3, 4]
    assert done == ["first", "last"]


@pytest.mark.parametrize("seqs", [(1, 1), (3, 3), (3, 2), (3, 1)])
async def test_a_duplicate_or_stale_event_changes_nothing(shell: Shell, seqs: tuple[int, int]) -> None:
    for seq in seqs:
        work = shell.work()
        with work.step(envelope(told("a", seq)), seq=seq):
            await hear(told("a", seq), work)
        await shell.unit.save(work)
    assert (await shell.tally("a")).n == 1
    assert (await shell.document("a"))["v"] == 1
    assert work.ignored == 1


async def test_the_first_event_of_a_stream_is_no_duplicate_on_a_document_that_knows_other_streams(shell: Shell) -> None:
    """A guard `seq < n` on a document without the stream matches nothing, and drops a real event as stale."""
    await shell.given(Tally(id="a"))
    for event in (told("a", 1), told("a", 2), told("other", 1), told("third", 1)):
        work = shell.work()
        with work.step(envelope(event), seq=event.seq):
            work.save((await work.get(Tally, "a")).hear(event.subsidiary).becomes())
        await shell.unit.save(work)
    assert (await shell.tally("a")).told == ("a", "a", "other", "third")
    assert (await shell.document("a"))["_seen"] == {
        f"enrolment-subsidiaries/{id_}": seq for id_, seq in (("a", 2), ("other", 1), ("third", 1))
    }


async def test_an_event_is_remembered_even_where_it_changes_nothing(shell: Shell) -> None:
    await shell.given(Tally(id="a"))
    work = shell.work()
    with work.step(envelope(told("a", 4)), seq=4):
        work.save((await work.get(Tally, "a")).becomes())
    await shell.unit.save(work)
    assert (await shell.document("a"))["_seen"] == {"enrolment-subsidiaries/a": 4}


async def test_one_event_may_save_the_same_aggregate_twice(shell: Shell) -> None:
    work = shell.work()
    with work.step(envelope(told("a", 1)), seq=1):
        work.save(say(await work.get_or_new(Tally, "a")))
        work.save(say(await work.get(Tally, "a")))
    await shell.unit.save(work)
    assert (await shell.tally("a")).n == 2
    assert work.ignored == 0


async def test_one_event_may_save_several_aggregates_and_a_redelivery_saves_only_those_that_missed_it(shell: Shell) -> None:
    async def both(work: Work) -> None:
        with work.step(envelope(told("a", 1)), seq=1):
            for id_ in ("a", "b"):
                work.save(say(await work.get_or_new(Tally, id_)))

    work = shell.work()
    await both(work)
    half = [put for put in work.writes(work.written()) if put.id == "a"]
    await shell.store.commit(half)
    again = shell.work()
    await both(again)
    await shell.unit.save(again)
    assert [(await shell.tally(id_)).n for id_ in ("a", "b")] == [1, 1]


# --- events and the outbox ----------------------------------------------------------------------------------------------------------


async def test_state_and_numbered_events_are_saved_by_one_put(shell: Shell) -> None:
    work = shell.work(correlation="request-1")
    await add(work, "a", times=2)
    await shell.unit.save(work)
    document = await shell.document("a")
    assert len(shell.store.commits) == 1
    assert document["n"] == 1
    assert document["v"] == 1
    assert [(one["seq"], one["id"], one["corr"]) for one in document["_out"]] == [
        (seq, derived("amont.enrolment-programmes.ProgrammeChanged.v1", "a", seq), "request-1") for seq in (1, 2)
    ]
    assert document["_out_at"] == "2027-01-04T08:00:00.000000Z"


async def test_what_is_on_the_log_leaves_the_outbox_and_the_version_stays(shell: Shell) -> None:
    assert await shell.unit.run(add, "a", times=2) == 1
    assert await shell.document("a") == {"_id": "a", "v": 1, "seq": 2, "due_at": None, "n": 1, "told": [], "team": None, "tags": []}
    assert await shell.said() == [("a", 1), ("a", 2)]


async def test_an_event_of_a_reaction_names_its_cause(shell: Shell) -> None:
    event = told("a", 1)
    work = shell.work()
    with work.step(envelope(event), seq=1):
        assert work.cause == envelope(event)
        await hear(event, work)
    assert work.cause is None
    [record] = [record for entry in await shell.unit.save(work) for record in entry.records("matching")]
    headers = dict(record.headers)
    assert headers["ce_causationid"] == headers["ce_correlationid"] == envelope(event).id.encode()
    assert (record.topic, record.key, headers["ce_source"]) == ("enrolment-programmes", "a", b"/amont/matching")


async def test_one_decision_that_can_never_fit_is_refused_for_good(shell: Shell) -> None:
    with pytest.raises(TooMuchToSay, match="201 events"):
        await shell.unit.run(add, "a", times=MAX_PENDING + 1)
    assert not await shell.document("a")


@pytest.mark.parametrize("already", [1, 150])
async def test_more_events_than_the_outbox_holds_are_refused_and_nothing_is_saved(shell: Shell, already: int) -> None:
    shell.log.refuses = frozenset({"enrolment-programmes"})
    await shell.unit.run(add, "a", times=already)
    await shell.unit.run(add, "b", times=MAX_PENDING)
    with pytest.raises(Backlog, match=r"holds [0-9]+ events that the log has not taken"):
        await shell.unit.run(add, "a", times=MAX_PENDING + 1 - already)
    assert len((await shell.document("b"))["_out"]) == MAX_PENDING
    assert (await shell.document("a"))["seq"] == already
    assert issubclass(Backlog, Unavailable)


# --- ids ----------------------------------------------------------------------------------------------------------------------------


async def test_ids_derive_from_the_event_so_that_doing_it_again_makes_the_same(shell: Shell) -> None:
    def ids(work: Work, seq: int) -> list[str]:
        with work.step(envelope(told("a", seq)), seq=seq):
            return [work.new_id(), work.new_id(), work.new_id("pair", 1), work.new_id("pair", 1), work.new_id("pair", 2)]

    first, again, other = ids(shell.work(), 1), ids(shell.work(), 1), ids(shell.work(), 2)
    assert first == again
    assert len(set(first)) == 4
    assert first[2] == first[3]
    assert not set(first) & set(other)


async def test_ids_derive_from_the_idempotency_key_and_are_new_without_one(shell: Shell) -> None:
    async def two(work: Work) -> list[str]:
        return [work.new_id(), work.new_id()]

    keyed = [await shell.unit.run_with(lambda: shell.work(idempotency_key="k"), two) for _ in range(2)]
    assert keyed[0] == keyed[1]
    assert len(set(keyed[0])) == 2
    assert len({*await shell.unit.run(two), *await shell.unit.run(two)}) == 4


# --- queries ------------------------------------------------------------------------------------------------------------------------


async def test_find_gives_everything_that_matches_over_any_number_of_pages(shell: Shell) -> None:
    await shell.given(*(Tally(id=f"{n:03}", n=n % 7, team="x" if n % 2 else None) for n in range(450)))
    assert await found(shell.work(), TALLIES.where(team="x")) == [f"{n:03}" for n in range(450) if n % 2]
    by_n = await found(shell.work(), TALLIES.where().by("n"))
    assert by_n == sorted((f"{n:03}" for n in range(450)), key=lambda id_: (int(id_) % 7, id_))
    assert sorted(await found(shell.work(), TALLIES.where().by("team"))) == [f"{n:03}" for n in range(450)]


async def test_find_sees_the_saves_of_the_same_work_and_not_what_was_taken_back(shell: Shell) -> None:
    await shell.given(Tally(id="b", team="x"), Tally(id="d", team="x"), Tally(id="e", team="y"))
    work = shell.work()
    with work.step():
        work.save(Tally(id="a", team="x").becomes())
        work.save((await work.get(Tally, "d")).becomes(team="y"))
        work.save((await work.get(Tally, "e")).becomes(team="x"))
        work.save(Tally(id="c", team="x").becomes())
    with contextlib.suppress(Conflict), work.step():
        work.save(Tally(id="q", team="x").becomes())
        work.save((await work.get(Tally, "b")).becomes(team="y"))
        raise Conflict("no")
    assert sorted(await found(work, TALLIES.where(team="x"))) == ["a", "b", "c", "e"]
    assert sorted(await found(work, TALLIES.where(team="y"))) == ["d"]


async def test_find_leaves_out_what_is_changed_while_it_goes_on(shell: Shell) -> None:
    await shell.given(*(Tally(id=id_, team="x") for id_ in "abc"))
    work, walked = shell.work(), []
    async for tally in work.find(TALLIES.where(team="x")):
        walked.append(tally.id)
        if tally.id == "a":
            work.save((await work.get(Tally, "b")).becomes(team="y"))
            work.save((await work.get(Tally, "c")).becomes(n=5))
    assert walked == ["a", "c"]
    assert tally.n == 5


@pytest.mark.parametrize("field", ["team", "tags"])
@pytest.mark.parametrize("more", [{}, {"n": 1}, {"due_at": AtMost("2027")}])
async def test_reading_ahead_by_a_field_answers_what_plain_questions_would(shell: Shell, field: str, more: dict[str, Any]) -> None:
    tags = [(), ("x",), ("x", "y"), ("y", "z")]
    due = [None, START - timedelta(days=9), START + timedelta(days=9)]
    await shell.given(*(Tally(id=f"{n:02}", n=n % 2, team=[None, "x", "y"][n % 3], tags=tags[n % 4], due_at=due[n % 3]) for n in range(36)))
    plain, ahead = shell.work(), shell.work()
    values = ["x", "y", "absent"]
    questions = {value: TALLIES.where(**{field: value}, **more) for value in values}
    await ahead.prefetch_where(TALLIES.where(**more), field, values)
    for work in (plain, ahead):
        work.save((await work.get(Tally, "01")).becomes(team="y", tags=("y",)))
        work.save(Tally(id="new", n=1, team="x", tags=("x", "absent")).becomes())
    reads = shell.store.reads
    answers = {value: await found(ahead, question) for value, question in questions.items()}
    assert shell.store.reads == reads
    assert {value: sorted(ids) for value, ids in answers.items()} == {
        value: sorted(await found(plain, q)) for value, q in questions.items()
    }
    await ahead.prefetch_where(TALLIES.where(**more), field, values)
    assert await found(ahead, TALLIES.where(**{field: "z"}, **more)) == await found(shell.work(), TALLIES.where(**{field: "z"}, **more))


async def test_answers_come_in_the_same_order_read_ahead_or_not(shell: Shell) -> None:
    await shell.given(*(Tally(id=id_, n=n, team="x") for id_, n in (("a", 3), ("c", 1), ("d", 2))))
    plain, ahead = shell.work(), shell.work()
    await ahead.prefetch_where(TALLIES.where(), "team", ["x"])
    for work in (plain, ahead):
        work.save(Tally(id="b", n=0, team="x").becomes())
    for query in (TALLIES.where(team="x"), TALLIES.where(team="x").by("n")):
        assert await found(plain, query) == await found(ahead, query)


async def test_reading_ahead_by_id_spares_the_reads(shell: Shell) -> None:
    await shell.given(Tally(id="a"), Tally(id="b"))
    work = shell.work()
    await work.prefetch(Tally, ["a", "b", "absent", "a"])
    reads = shell.store.reads
    await work.prefetch(Tally, ["b", "absent"])
    assert await work.peek(Tally, "absent") is None
    assert (await work.get(Tally, "a")).id == "a"
    assert shell.store.reads == reads


async def test_a_page_and_a_count_are_what_the_store_holds(shell: Shell) -> None:
    await shell.given(*(Tally(id=f"{n}", team="xy"[n % 2]) for n in range(5)))
    work = shell.work()
    assert [tally.id for tally in await work.page(TALLIES.where(team="x"), after=("0",), limit=1)] == ["2"]
    assert await work.count_by(TALLIES.where(), "team") == {"x": 3, "y": 2}


# --- doing it for real --------------------------------------------------------------------------------------------------------------


def in_between(shell: Shell, *tallies: Tally, times: int = 1) -> list[int]:
    """Somebody else moves these just before each of the next commits; how often it happened."""
    happened: list[int] = []

    async def move() -> None:
        if len(happened) < times:
            happened.append(1)
            await shell.given(*(tally.becomes(n=tally.n + len(happened)).state for tally in tallies))

    shell.store.before_commit = move
    return happened


async def test_a_command_that_loses_is_done_again_on_what_is_there_now(shell: Shell) -> None:
    await shell.given(Tally(id="a", n=10))
    in_between(shell, Tally(id="a", n=20), times=2)
    assert await shell.unit.run(add, "a") == 23
    assert (await shell.tally("a")).n == 23
    assert await shell.said() == [("a", 1)]


async def test_a_command_that_keeps_losing_is_a_conflict(shell: Shell) -> None:
    happened = in_between(shell, Tally(id="a"), times=100)
    with pytest.raises(Conflict, match="add gave up after 8 attempts"):
        await shell.unit.run(add, "a")
    assert len(happened) == ATTEMPTS
    assert await shell.said() == []


async def test_what_was_decided_on_an_absence_is_not_written_on_top_of_what_has_come_since(shell: Shell) -> None:
    """Found by the simulator: a query of the same work had met the document meanwhile, and its version made the write hold."""
    looks = 0

    async def make_unless_there(work: Work) -> int:
        nonlocal looks
        looks += 1
        there = await work.peek(Tally, "a")
        if looks == 1:
            await shell.given(Tally(id="a", n=41, team="x"))
        assert [one.n async for one in work.find(TALLIES.where(team="x"))] == [41]
        return work.save((there or Tally(id="a", team="x")).becomes(n=there.n + 1 if there else 1)).n

    assert await shell.unit.run(make_unless_there) == 42
    assert looks == 2
    assert (await shell.tally("a")).n == 42


async def test_a_command_that_makes_what_is_there_already_is_a_conflict_at_once(shell: Shell) -> None:
    async def make(work: Work) -> None:
        work.save(Tally(id="a", n=5).becomes())

    await shell.unit.run(make)
    with pytest.raises(Conflict, match="There is a tally 'a' already"):
        await shell.unit.run(make)
    assert (await shell.document("a"))["v"] == 1


async def test_what_won_beside_a_loser_is_published(shell: Shell) -> None:
    work = shell.work()
    await add(work, "a")
    await add(work, "b")
    in_between(shell, Tally(id="b"))
    with pytest.raises(Moved):
        await shell.unit.save(work)
    assert await shell.said() == [("a", 1)]
    assert "_out" not in await shell.document("a")


async def test_a_command_that_refuses_saves_nothing_and_says_why(shell: Shell) -> None:
    async def refuse(work: Work) -> None:
        await add(work, "a")
        raise Conflict("no")

    with pytest.raises(Conflict, match="no"):
        await shell.unit.run(refuse)
    assert await shell.document("a") == {}


async def test_fifty_commands_at_once_count_exactly(shell: Shell) -> None:
    async def until_done() -> None:
        while True:
            try:
                await shell.unit.run(add, "a")
            except Conflict:
                continue
            return

    await asyncio.gather(*(until_done() for _ in range(50)))
    assert (await shell.tally("a")).n == 50
    assert set(await shell.said()) == {("a", seq) for seq in range(1, 51)}


async def test_effects_happen_after_the_save_and_a_failing_one_stops_no_other(shell: Shell) -> None:
    order: list[str] = []

    async def effect(name: str) -> None:
        order.append(f"{name}, saved {(await shell.document('a'))['n']}")
        if name == "first":
            raise KeyError(name)

    async def command(work: Work) -> None:
        work.afterwards(lambda: effect("first"))
        work.afterwards(lambda: effect("second"))
        await add(work, "a")

    in_between(shell, Tally(id="a"))
    await shell.unit.run(command)
    assert order == ["first, saved 2", "second, saved 2"]


# --- the recent ones ----------------------------------------------------------------------------------------------------------------


async def test_recent_aggregates_are_not_read_again_and_the_oldest_are_forgotten(shell: Shell) -> None:
    recent = Recent(size=2)
    for id_ in ("a", "b", "c"):
        work = shell.work(recent=recent)
        await add(work, id_)
        await shell.unit.save(work, recent)
    before = shell.store.reads
    assert [(await shell.work(recent=recent).get(Tally, id_)).n for id_ in ("b", "c")] == [1, 1]
    assert shell.store.reads == before
    assert (await shell.work(recent=recent).get(Tally, "a")).n == 1
    assert shell.store.reads == before + 1


async def test_a_decision_on_what_was_only_read_from_memory_and_has_moved_is_not_saved(shell: Shell) -> None:
    recent = Recent()
    work = shell.work(recent=recent)
    await add(work, "a")
    await shell.unit.save(work, recent)
    await shell.given(Tally(id="a", n=19))
    for n in (1, 19):
        work = shell.work(recent=recent)
        read = await work.get(Tally, "a")
        assert read.n == n
        work.save(Decision(Note(id="b", text=f"{read.n}")))
        if n == 1:
            with pytest.raises(Moved):
                await shell.unit.save(work, recent)
        else:
            await shell.unit.save(work, recent)
    assert (await shell.document("b", "notes"))["text"] == "19"
    assert (await shell.document("b", "notes"))["v"] == 1, "the first was never saved"


async def test_a_stale_recent_aggregate_loses_and_is_forgotten(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saying, "WAIT_SECONDS", 0.05)  # nobody says what the first has saved
    recent = Recent()
    for n in (1, 20):
        work = shell.work(recent=recent)
        await add(work, "a")
        if n == 1:
            await shell.unit.save(work, recent)
            await shell.given(Tally(id="a", n=19))
        else:
            with pytest.raises(Moved):
                await shell.unit.save(work, recent)
    work = shell.work(recent=recent)
    assert await add(work, "a") == 20
    await shell.unit.save(work, recent)


# --- the relay ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("settled")
async def test_events_the_log_did_not_take_wait_in_the_outbox_and_the_sweep_publishes_exactly_those_in_order(shell: Shell) -> None:
    await shell.unit.run(add, "a")
    shell.log.refuses = frozenset({"enrolment-programmes"})
    for id_ in ("b", "a", "c", "a"):
        await shell.unit.run(add, id_)
        shell.clock.advance(timedelta(seconds=1))
    assert await shell.said() == [("a", 1)]
    with pytest.raises(Unavailable):
        await shell.unit.relay.sweep(older_than=timedelta(0))
    shell.log.refuses = frozenset()
    assert await Unit(shell.house, shell.log).relay.sweep(older_than=-SAID_AGAIN_WITHIN) == 3
    assert await shell.said() == [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("a", 3)]
    for id_ in ("a", "b", "c"):
        assert not {"_out", "_out_at"} & (await shell.document(id_)).keys()
    assert await shell.unit.relay.sweep(older_than=timedelta(0)) == 0
    assert len(await shell.said()) == 5


async def test_the_sweep_leaves_what_its_writer_is_about_to_publish(shell: Shell) -> None:
    work = shell.work()
    await add(work, "a")
    await shell.unit.save(work)
    other = Unit(shell.house, shell.log)
    assert await other.relay.sweep() == 0
    shell.clock.advance(LEFT_BEHIND_AFTER)
    assert await other.relay.sweep() == 1
    assert await shell.said() == [("a", 1)]


async def test_the_sweep_goes_on_over_any_number_of_documents(shell: Shell) -> None:
    work = shell.work()
    for n in range(450):
        await add(work, f"{n}")
    await shell.unit.save(work)
    assert await Unit(shell.house, shell.log).relay.sweep(older_than=timedelta(0)) == 450
    assert len(await shell.said()) == 450


async def test_whoever_the_log_refuses_for_good_keeps_nobody_behind_them_waiting(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    work = shell.work()
    for n in range(230):
        await add(work, f"{n}")
    await shell.unit.save(work)
    shell.clock.advance(timedelta(seconds=1))
    last = shell.work()
    await add(last, "good")
    await shell.unit.save(last)
    append = shell.log.append

    async def takes_the_good(records: Sequence[Record]) -> None:
        if any(record.key != "good" for record in records):
            raise Unacceptable("too large")
        await append(records)

    monkeypatch.setattr(shell.log, "append", takes_the_good)
    await Unit(shell.house, shell.log).relay.sweep(older_than=-SAID_AGAIN_WITHIN)
    assert await shell.said() == [("good", 1)]


async def test_a_log_that_goes_away_while_what_it_refused_together_is_said_apart_leaves_all_of_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def goes_away(records: Sequence[Record]) -> None:
        if len(records) > 1:
            raise Unacceptable("too large together")
        raise Unavailable("gone meanwhile")

    async def add_all(work: Work) -> None:
        for id_ in "abcd":
            await add(work, id_)

    with monkeypatch.context() as away:
        away.setattr(shell.log, "append", goes_away)
        await shell.unit.run(add_all)
    assert sorted(id_ for _, id_ in shell.unit.relay.left) == list("abcd")
    await shell.unit.relay.sweep(older_than=-SAID_AGAIN_WITHIN)
    assert sorted(await shell.said()) == [(id_, 1) for id_ in "abcd"]
    assert shell.unit.relay.left == set()


async def test_a_clear_that_could_not_be_written_is_written_later(shell: Shell) -> None:
    work = shell.work()
    await add(work, "a")
    entries = await shell.unit.save(work)
    await shell.unit.relay.publish(entries)
    shell.store.away = 1
    with pytest.raises(Unavailable):
        await shell.unit.relay.clear()
    assert "_out" in await shell.document("a")
    await shell.unit.relay.clear()
    assert "_out" not in await shell.document("a")


async def test_an_outbox_that_grew_after_it_was_read_is_not_cleared(shell: Shell) -> None:
    work = shell.work()
    await add(work, "a")
    entries = await shell.unit.save(work)
    await shell.unit.relay.publish(entries)
    shell.log.refuses = frozenset({"enrolment-programmes"})
    await Unit(shell.house, shell.log).run(add, "a")
    await shell.unit.relay.clear()
    assert [one["seq"] for one in (await shell.document("a"))["_out"]] == [1, 2]


# --- what time brings ---------------------------------------------------------------------------------------------------------------


def service(shell: Shell, wake: Any) -> Service:
    parts = Parts(store=shell.store, log=shell.log, clock=shell.clock, ids=shell.house.ids)
    return Service("matching", parts, consumes={}, publishes=[ProgrammeChanged], keeps=tuple(COLLECTIONS.values()), due={Tally: wake})


def due(id_: str, minutes: int = 0) -> Tally:
    return Tally(id=id_, due_at=START + timedelta(minutes=minutes))


async def test_due_documents_are_handled_in_order_and_not_before_their_time(shell: Shell) -> None:
    woken: list[str] = []

    async def wake(tally: Tally, work: Work) -> None:
        woken.append(tally.id)
        work.save(say(tally).state.becomes(due_at=None).saying(ProgrammeChanged))

    await shell.given(due("late", -1), due("a", -3), due("b", -2), due("tie", -2), due("now"), due("later", 1), Tally(id="never"))
    one = service(shell, wake)
    assert await one.tick() == 5
    assert woken == ["a", "b", "tie", "late", "now"]
    assert await one.tick() == 0
    shell.clock.advance(timedelta(minutes=1))
    assert await one.tick() == 1
    assert len(await shell.said()) == 6


async def test_two_services_that_tick_at_once_handle_each_due_document_once(shell: Shell) -> None:
    async def wake(tally: Tally, work: Work) -> None:
        work.save(tally.becomes(n=tally.n + 1, due_at=None).saying(ProgrammeChanged))

    await shell.given(*(due(f"{n:03}", -1) for n in range(250)))
    await asyncio.gather(*(service(shell, wake).tick() for _ in range(2)))
    documents = await shell.store.real.get("tallies", [f"{n:03}" for n in range(250)])
    assert {document["n"] for document in documents.values()} == {1}
    assert set(await shell.said()) == {(f"{n:03}", 1) for n in range(250)}


async def test_what_a_due_document_had_planned_is_done_when_it_won_beside_a_loser(shell: Shell) -> None:
    done: list[str] = []

    async def wake(tally: Tally, work: Work) -> None:
        async def effect() -> None:
            done.append(f"{tally.id}{tally.n}")

        work.save(tally.becomes(due_at=None))
        work.afterwards(effect)

    await shell.given(due("a", -2), due("b", -1))
    in_between(shell, due("b", -1))
    await service(shell, wake).tick()
    assert done == ["a0", "b1"]


@pytest.mark.parametrize("error", [Conflict("not now"), KeyError("a defect"), None])
async def test_a_due_document_that_stays_due_is_looked_at_again_in_a_minute_and_holds_up_no_other(
    shell: Shell, error: Exception | None
) -> None:
    woken: list[str] = []

    async def wake(tally: Tally, work: Work) -> None:
        woken.append(tally.id)
        if tally.id == "fails":
            work.save(tally.becomes(n=99))
            work.save((await work.get_or_new(Note, "of the failed")).becomes(text="x"))
            if error:
                raise error
        else:
            work.save(tally.becomes(due_at=None))

    await shell.given(due("fails", -5), due("fine", -1))
    one = service(shell, wake)
    assert await one.tick() == 2
    assert await one.tick() == 0
    assert (await shell.tally("fails")).due_at == START + timedelta(minutes=1)
    assert (await shell.tally("fails")).n == (0 if error else 99)
    assert bool(await shell.document("of the failed", "notes")) is (error is None)
    shell.clock.advance(timedelta(minutes=1))
    assert await one.tick() == 1
    assert woken == ["fails", "fine", "fails"]


async def test_an_outage_while_ticking_changes_nothing_and_is_told(shell: Shell) -> None:
    async def wake(_: Tally, work: Work) -> None:
        await work.peek(Note, "x")

    await shell.given(due("a", -1))
    one = service(shell, wake)
    shell.store.away = 1
    with pytest.raises(Unavailable):
        await one.tick()
    assert (await shell.tally("a")).due_at == START - timedelta(minutes=1)


async def test_an_entry_is_written_with_its_events_and_read_back_the_same(shell: Shell) -> None:
    shell.log.refuses = frozenset({"enrolment-programmes"})
    await shell.unit.run(add, "a", times=3)
    entry = Entry.of(TALLIES, await shell.document("a"))
    assert entry.aggregate == Tally(id="a", n=1, seq=3)
    assert [record.key for record in entry.records("matching")] == ["a"] * 3
    assert entry.version == 1


async def test_what_is_removed_is_gone_for_this_work_and_then_for_all(shell: Shell) -> None:
    await shell.given(Tally(id="a"), Tally(id="b"))

    async def remove(work: Work) -> None:
        work.remove(await work.get(Tally, "a"))
        assert await work.peek(Tally, "a") is None
        assert set(await work.get_many(Tally, ["a", "b"])) == {"b"}
        assert [one.id async for one in work.find(TALLIES.where())] == ["b"]

    await shell.unit.run(remove)
    assert set(await shell.store.get("tallies", ["a", "b"])) == {"b"}


async def test_a_removal_that_was_overtaken_is_decided_again(shell: Shell) -> None:
    await shell.given(Tally(id="a"))
    seen: list[int] = []

    async def remove(work: Work) -> None:
        tally = await work.get(Tally, "a")
        if not seen:
            await shell.given(Tally(id="a", n=1))
        seen.append(tally.n)
        work.remove(tally)

    await shell.unit.run(remove)
    assert seen == [0, 1]
    assert await shell.store.get("tallies", ["a"]) == {}


@pytest.mark.parametrize("away", [False, True])
async def test_what_has_said_something_is_never_removed(shell: Shell, away: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Its events may still be in its outbox; and a `seq` that began again would hide what is said then from all who have heard the old one."""
    shell.log.refuses = frozenset({"enrolment-programmes"}) if away else frozenset()
    await shell.unit.run(add, "a")

    async def remove(work: Work) -> None:
        work.remove(await work.get(Tally, "a"))

    with pytest.raises(ValueError, match="'a' has said something"):
        await shell.unit.run(remove)
    assert (await shell.tally("a")).seq == 1
