"""Solving as a job: claimed, renewed, begun again after a crash, given up, and its answer in pages."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.services.matching.matching_facts import (
    COORDINATOR,
    EVE,
    JIM,
    PROGRAMME,
    SECOND,
    Breaks,
    Office,
    finish,
    pairs,
    publish,
    rows,
    solve,
)

from amont.common.documents import Document, Find, Put
from amont.common.errors import Unavailable
from amont.common.events import RoundPublished
from amont.common.events.values import ProgrammeStatus, Role, instant_text
from amont.common.identity import Privilege
from amont.common.kept import DECISIONS_KEPT, HISTORY_KEPT
from amont.common.metrics import REGISTRY
from amont.common.testing.hearing import Hearing, hearing
from amont.common.testing.waiting import until
from amont.common.work import Work
from amont.matching import commands, documents
from amont.matching.app import build
from amont.matching.commands import solving
from amont.matching.domain import answer as answers
from amont.matching.domain.answer import Part, RoundPage, digest
from amont.matching.domain.engine import Engine
from amont.matching.domain.job import LEASE, MOST_FAILURES
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool
from amont.matching.domain.progress import Progress, unseen
from amont.matching.domain.round import (
    FILES_KEPT,
    KEPT,
    READ_OUT,
    UNDECIDED,
    Discarded,
    Kept,
    NoAnswer,
    Round,
    RoundNotOpen,
    RoundStatus,
)
from amont.matching.domain.ruling import RulingKind
from amont.matching.domain.solver import Solution, Solver


class Held:
    """The engine, held up until it is let go; it counts how often it was asked."""

    def __init__(self, *, fails: bool = False) -> None:
        self.asked, self.fails = 0, fails
        self.begun, self.go = threading.Event(), threading.Event()

    def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen, *, explain: bool = False) -> Solution:
        self.asked += 1
        self.begun.set()
        if self.fails:
            raise MemoryError
        while not self.go.wait(0.01):
            progress("pair", self.asked, detail="7 wait")
        return Engine(threads=1).solve(pool, policy, progress, explain=explain)


async def _everybody(matching: Hearing, office: Office, n: int = 7) -> None:
    await matching.hears(office.programme(), *(e for k in range(n) for e in (*office.mentee(f"fr:e{k}"), *office.mentor(f"de:j{k}"))))


async def _pages(matching: Hearing, round_: str) -> list[RoundPage]:
    async def read(work: Work) -> list[RoundPage]:
        return [page async for page in work.find(documents.pages_of(round_))]

    return await matching.service.run(read)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "ROWS", 3)


@pytest.mark.usefixtures("small_pages")
async def test_an_answer_of_several_pages_is_read_and_published_whole(matching: Hearing, office: Office) -> None:
    await _everybody(matching, office)
    await matching.hears(*(e for k in range(5) for e in office.mentor(f"de:far{k}", languages=("de",))))
    round_ = await solve(matching)
    assert Counter(page.part for page in await _pages(matching, round_.id)) == {
        part: pages for part in Part if (pages := -(-round_.rows().count(part) // 3))
    }
    assert round_.rows().count(Part.PROOF) > 3
    matches = await rows(matching, round_, Part.PAIRS)
    assert [match.mentee for match in matches] == [f"fr:e{k}" for k in range(7)]
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        path: str | None = f"/api/matching/v1/rounds/{round_.id}/unmatched?limit=2"
        listed: list[Any] = []
        while path:
            page = (await anne.get(path)).json()
            listed, path = [*listed, *page["items"]], page["next"]
        assert [one["person"] for one in listed] == [f"de:far{k}" for k in range(5)]
        odd = await anne.get(f"/api/matching/v1/rounds/{round_.id}/pairs?after=fr:e1")
        assert (odd.status_code, odd.json()["errors"][0]["pointer"]) == (422, "query:/after")
    await publish(matching, round_)
    assert {(pair.mentee, pair.mentor) for pair in await pairs(matching)} == {(match.mentee, match.mentor) for match in matches}


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("seed", range(6))
async def test_a_store_that_breaks_while_an_answer_is_written_leaves_no_half_visible_round(
    matching: Hearing, office: Office, seed: int
) -> None:
    await _everybody(matching, office)
    whole = await rows(matching, await solve(matching, "spring"), Part.PAIRS)
    asked = await matching.asked(commands.request_round, PROGRAMME, COORDINATOR, "spring")
    breaking = Breaks.into(matching, seed)
    while (round_ := await matching.look(Round, asked.round.id)).waits:
        with pytest.raises(NoAnswer):
            await rows(matching, round_, Part.PAIRS)
        try:
            await matching.passes(LEASE)
        except Unavailable:
            continue
    assert await rows(matching, round_, Part.PAIRS) == whole
    breaking.left = 0
    for _ in range(3):
        await matching.passes(SECOND)
    assert {page.attempt for page in await _pages(matching, round_.id)} == {round_.rows().attempt}
    assert round_.attempt > 1


async def test_a_round_whose_process_died_is_solved_by_another(tmp_path: Path, office: Office) -> None:
    dying, living = Held(), Held()
    living.go.set()
    async with hearing(build, tmp_path, tools={Solver: dying}) as one, hearing(build, tmp_path, tools={Solver: living}) as other:
        await one.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
        asked = await one.asked(commands.request_round, PROGRAMME, COORDINATOR)
        at_work = asyncio.create_task(one.settle())
        await until(dying.begun.is_set, within=20)
        await other.settle()
        assert living.asked == 0, "the claim holds"
        other.clock.advance(LEASE)
        await other.settle()
        solved = await other.look(Round, asked.round.id)
        assert (solved.status, solved.rows().attempt, living.asked) == (RoundStatus.SOLVED, 2, 1)
        dying.go.set()
        await at_work
        assert await one.look(Round, asked.round.id) == solved
        await other.passes(SECOND)
        assert {page.attempt for page in await _pages(other, solved.id)} == {2}


async def test_progress_is_readable_and_renews_the_claim(
    matching_of: Callable[..., Any], office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solving, "RENEW_SECONDS", 0.02)
    held = Held()
    async with matching_of(held) as matching, matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
        asked = await matching.asked(commands.request_round, PROGRAMME, COORDINATOR)
        at_work = asyncio.create_task(matching.settle())
        await until(held.begun.is_set, within=20)
        matching.clock.advance(LEASE)
        renewed_until = matching.clock.now() + LEASE

        async def renewed() -> bool:
            return (await matching.look(Round, asked.round.id)).claimed_until == renewed_until

        await until(renewed, within=20)
        read = (await anne.get(f"/api/matching/v1/rounds/{asked.round.id}")).json()
        assert (read["status"], read["progress"]) == ("requested", {"stage": "pair", "step": 1, "steps": None, "detail": "7 wait"})
        with pytest.raises(RoundNotOpen, match=r"is requested and cannot be published\. Wait until it is solved"):
            await matching.asked(commands.publish_round, asked.round.id, COORDINATOR)
        held.go.set()
        await at_work


async def test_a_stop_breaks_off_and_leaves_the_round_to_others(matching_of: Callable[..., Any], office: Office) -> None:
    held = Held()
    async with matching_of(held) as matching:
        await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
        asked = await matching.asked(commands.request_round, PROGRAMME, COORDINATOR)
        at_work = asyncio.create_task(matching.settle())
        await until(held.begun.is_set, within=20)
        matching.service.unit.stopping.set()
        await at_work
        left = await matching.look(Round, asked.round.id)
        assert (left.status, left.claimed_until, left.failures) == (RoundStatus.REQUESTED, None, 0)


class StopsWhenRead:
    """A store in front of a service that is told to stop just when somebody reads the enrolments."""

    def __init__(self, matching: Hearing) -> None:
        self._matching, self._store = matching, matching.service.unit.house.store
        object.__setattr__(matching.service.unit.house, "store", self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def find(self, query: Find) -> list[Document]:
        if query.collection == documents.ENROLMENTS.name:
            self._matching.service.unit.stopping.set()
        return await self._store.find(query)


async def test_a_stop_while_the_pool_is_gathered_leaves_the_round_to_others(matching_of: Callable[..., Any], office: Office) -> None:
    held = Held()
    async with matching_of(held) as matching:
        await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
        asked = await matching.asked(commands.request_round, PROGRAMME, COORDINATOR)
        StopsWhenRead(matching)
        await matching.settle()
        left = await matching.look(Round, asked.round.id)
        assert (left.status, left.attempt, left.claimed_until, left.failures) == (RoundStatus.REQUESTED, 1, None, 0)
        assert held.asked == 0


async def test_a_round_that_cannot_be_read_stops_no_other(matching: Hearing, office: Office) -> None:
    await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
    older = {"_id": "older", "v": 1, "programme": PROGRAMME, "status": "asked-for", "due_at": instant_text(matching.clock.now())}
    await matching.service.unit.house.store.commit([Put(documents.ROUNDS.name, older, None)])
    assert (await solve(matching)).rows().pairs == 1


async def test_a_round_thrown_away_while_it_is_solved_stays_away(matching_of: Callable[..., Any], office: Office) -> None:
    held = Held()
    async with matching_of(held) as matching:
        await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
        asked = await matching.asked(commands.request_round, PROGRAMME, COORDINATOR)
        at_work = asyncio.create_task(matching.settle())
        await until(held.begun.is_set, within=20)
        await matching.asked(commands.discard_round, asked.round.id, COORDINATOR)
        held.go.set()
        await at_work
        thrown = await matching.look(Round, asked.round.id)
        assert (thrown.status, thrown.answer, await _pages(matching, thrown.id)) == (RoundStatus.DISCARDED, None, [])


async def test_a_round_that_cannot_be_solved_is_given_up(matching_of: Callable[..., Any], office: Office) -> None:
    held = Held(fails=True)
    async with matching_of(held) as matching:
        await matching.hears(office.programme(), *office.mentee(EVE), *office.mentor(JIM))
        asked = await matching.asked(commands.request_round, PROGRAMME, COORDINATOR)
        for _ in range(10):
            await matching.passes(LEASE * 10)
        given_up = await matching.look(Round, asked.round.id)
        assert (given_up.status, given_up.discarded, held.asked) == (RoundStatus.DISCARDED, Discarded.FAILED, MOST_FAILURES)


@pytest.mark.usefixtures("small_pages")
async def test_a_discarded_answer_can_be_read_for_a_day_and_is_then_gone(matching: Hearing, office: Office) -> None:
    await _everybody(matching, office)
    round_ = await solve(matching)
    await matching.asked(commands.discard_round, round_.id, COORDINATOR)
    await matching.passes(KEPT - SECOND)
    assert len(await rows(matching, round_, Part.PAIRS)) == 7
    begun = await matching.asked(commands.read_source, round_.id, COORDINATOR)
    await matching.passes(SECOND)
    with pytest.raises(NoAnswer, match="was discarded, and its answer is gone"):
        await rows(matching, round_, Part.PAIRS)
    lines = await matching.asked(commands.rows, round_.id, begun, Part.POOL, 0, begun.pool)
    assert digest(lines) == begun.pool_sha256, "who has begun to read the file has all of it"
    await matching.passes(READ_OUT)
    for _ in range(3):
        await matching.passes(SECOND)
    assert await _pages(matching, round_.id) == []
    await matching.passes(DECISIONS_KEPT)
    await matching.passes(READ_OUT)
    thrown = await matching.look(Round, round_.id)
    assert (thrown.requested_by, thrown.due_at) == (None, None)


async def test_a_page_that_goes_between_two_reads_is_an_answer_that_is_gone(matching: Hearing, office: Office) -> None:
    """As when somebody is erased meanwhile: the round was read, then its pages."""
    await _everybody(matching, office)
    round_ = await solve(matching)

    async def go(work: Work) -> None:
        async for page in work.find(documents.pages_of(round_.id)):
            work.remove(page)

    await matching.service.run(go)
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        read = await anne.get(f"/api/matching/v1/rounds/{round_.id}/pairs")
    assert (read.status_code, read.json()["type"]) == (409, "urn:amont:problem:no-answer")


@pytest.mark.usefixtures("small_pages")
async def test_while_an_answer_is_cleared_away_there_is_none(matching: Hearing, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "CLEARED_AT_ONCE", 1)
    await _everybody(matching, office)
    round_ = await solve(matching)
    await matching.asked(commands.discard_round, round_.id, COORDINATOR)
    seen = set()
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        await matching.passes(KEPT)
        await matching.passes(READ_OUT)
        while await _pages(matching, round_.id):
            for part in ("pairs", "unmatched", "fairness", "certificate", "unpinned", "pool", "policy"):
                seen.add((await anne.get(f"/api/matching/v1/rounds/{round_.id}/{part}")).status_code)
            await matching.passes(SECOND)
    assert seen == {409}


@pytest.mark.usefixtures("small_pages")
async def test_a_published_round_keeps_its_pool_and_the_pins_that_did_not_hold_for_a_time(matching: Hearing, office: Office) -> None:
    """A leaver is named in neither after that; what else the round says stays."""
    await _everybody(matching, office)
    await matching.hears(office.employee(EVE), office.employee(JIM))
    for kind, mentee, mentor in ((RulingKind.FORBIDDEN, "fr:e1", "de:j2"), (RulingKind.PINNED, EVE, JIM)):
        await matching.asked(commands.rule, PROGRAMME, COORDINATOR, kind, mentee, mentor, reason="x")
    round_ = await solve(matching)
    await publish(matching, round_)
    await matching.hears(office.left(EVE))
    path = f"/api/matching/v1/rounds/{round_.id}"
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:
        await matching.passes(FILES_KEPT - 60 * SECOND)
        assert [(await anne.get(f"{path}/{name}")).status_code for name in ("pool", "policy", "unpinned")] == [200] * 3
        await matching.passes(60 * SECOND)
        refused = [(await anne.get(f"{path}/{name}")).json()["type"] for name in ("pool", "policy", "unpinned")]
        assert [one.rpartition(":")[2] for one in refused] == ["no-pool-file", "no-pool-file", "no-answer"]
        await matching.passes(READ_OUT)
        for _ in range(3):
            await matching.passes(SECOND)
        answer = (await anne.get(path)).json()["answer"]
        assert (answer["unpinned"], answer["pool_sha256"]) == (1, round_.rows().pool_sha256)
        assert len((await anne.get(f"{path}/pairs")).json()["items"]) == 7
    assert {page.part for page in await _pages(matching, round_.id)} == {Part.PAIRS, Part.PROOF, Part.FAIRNESS}


def _forgotten(what: Kept) -> float:
    return REGISTRY.get_sample_value("amont_rounds_forgotten_total", {"what": what}) or 0


@pytest.mark.usefixtures("small_pages")
async def test_a_published_round_forgets_who_decided_after_a_year_and_whom_it_names_after_two(matching: Hearing, office: Office) -> None:
    await _everybody(matching, office, 6)
    await matching.hears(*office.mentor("de:alone", languages=("de",)), office.programme(min_matched_percent=100))
    await matching.hears(office.withdrawn("de:j5", Role.MENTOR), *office.mentor("de:other", languages=("it",)))
    round_ = await solve(matching)
    await matching.asked(commands.publish_round, round_.id, COORDINATOR, "A second wave joins in March.")
    await finish(matching)
    await matching.hears(office.programme(status=ProgrammeStatus.CLOSED))
    before = {what: _forgotten(what) for what in Kept}
    path = f"/api/matching/v1/rounds/{round_.id}"
    async with matching.client("fr:anne", Privilege.GROUP_COORDINATOR) as anne:

        async def said() -> tuple[Any, ...]:
            found = (await anne.get(path)).json()
            return found["requested_by"], found["published_by"], found["override_reason"], sorted(found["kept_until"])

        me = COORDINATOR.person
        assert await said() == (me, me, "A second wave joins in March.", ["decision", "files", "people"])
        await matching.passes(DECISIONS_KEPT - 60 * SECOND)
        assert await said() == (me, me, "A second wave joins in March.", ["decision", "people"])
        await matching.passes(60 * SECOND)
        await matching.passes(READ_OUT)
        assert await said() == (None, None, None, ["people"])
        await matching.passes(HISTORY_KEPT - DECISIONS_KEPT - READ_OUT - 60 * SECOND)
        names = ("pairs", "unmatched", "left-out", "dropped-links", "certificate", "unpinned", "pool", "policy", "result")
        read = {name: (await anne.get(f"{path}/{name}")).status_code for name in names}
        assert {name for name, status in read.items() if status == 200} == {
            "pairs",
            "unmatched",
            "left-out",
            "dropped-links",
            "certificate",
        }
        await matching.passes(60 * SECOND)
        assert [(await anne.get(f"{path}/{name}")).status_code for name in names] == [409] * len(names)
        await matching.passes(READ_OUT)
        for _ in range(9):
            await matching.passes(SECOND)
        assert {page.part for page in await _pages(matching, round_.id)} == {Part.FAIRNESS}
        assert (await anne.get(f"{path}/fairness")).status_code == 200
        answer = (await anne.get(path)).json()["answer"]
        assert (answer["pairs"], answer["unmatched"]) == (round_.rows().pairs, round_.rows().unmatched) != (0, 0)
        assert await said() == (None, None, None, [])
    assert (await matching.look(Round, round_.id)).due_at is None
    assert {what: _forgotten(what) - before[what] for what in Kept} == dict.fromkeys(Kept, 1)


async def test_a_round_that_nobody_decides_about_is_discarded(matching: Hearing, office: Office) -> None:
    await _everybody(matching, office)
    round_ = await solve(matching)
    await matching.passes(UNDECIDED)
    dropped = await matching.look(Round, round_.id)
    assert (dropped.status, dropped.discarded) == (RoundStatus.DISCARDED, Discarded.UNDECIDED)


async def test_a_round_waits_while_another_is_published_and_is_solved_on_what_is_left(matching: Hearing, office: Office) -> None:
    await _everybody(matching, office)
    first = await solve(matching)
    second = (await matching.asked(commands.request_round, PROGRAMME, COORDINATOR)).round
    await matching.asked(commands.publish_round, first.id, COORDINATOR)
    await finish(matching)
    await matching.passes(SECOND)
    solved = await matching.look(Round, second.id)
    assert (solved.rows().base, solved.rows().pairs) == (1, 0)
    assert [event.pairs for event in await matching.said() if isinstance(event, RoundPublished)] == [7]


async def test_a_programme_that_closes_meanwhile_gets_no_round(matching: Hearing, office: Office) -> None:
    await _everybody(matching, office)
    asked = (await matching.asked(commands.request_round, PROGRAMME, COORDINATOR)).round
    await matching.hears(office.programme(status=ProgrammeStatus.CLOSED))
    dropped = await matching.look(Round, asked.id)
    assert (dropped.status, dropped.discarded) == (RoundStatus.DISCARDED, Discarded.PROGRAMME_NOT_OPEN)
