"""Jobs: what is asked for in a request and computed here, in a thread of its own, by whichever process claims it first.

Like the handing over of a mail, computing is an effect between two commands: the claim is saved, then the work is done, then its result is saved if the
claim still holds. Meanwhile the claim is renewed, with how far the work is. Whatever breaks in between, the claim runs out and another attempt begins;
pages of a broken attempt are never seen, because only the round itself says which attempt's pages are its answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

import structlog

from amont.common import metrics
from amont.common.errors import Unavailable
from amont.common.work import Work
from amont.matching import documents
from amont.matching.commands.looking import SOON
from amont.matching.domain.answer import NAMING, PASSING, ROWS, Answer, Made, RoundPage, Source, paged
from amont.matching.domain.engine import VERSION
from amont.matching.domain.forbidding import abide
from amont.matching.domain.hours import tzdata_version
from amont.matching.domain.job import Job, Seen
from amont.matching.domain.person import Person
from amont.matching.domain.pinning import hold
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool
from amont.matching.domain.pooling import Gathered, Gathering, core_policy, monday_of, naming_its_people
from amont.matching.domain.programme import Programme
from amont.matching.domain.progress import Progress
from amont.matching.domain.round import Discarded, Kept, Round, RoundKind
from amont.matching.domain.solver import Solver
from amont.matching.files import Unwritable, pool_lines, write_policy

RENEW_SECONDS = 5.0
"""How often a claim is renewed and progress written down."""
CLEARED_AT_ONCE = 20
"""How many pages are removed at a time."""

J = TypeVar("J", bound=Job)
T = TypeVar("T")
Run = Callable[..., Coroutine[Any, Any, Any]]
Seats = Callable[[], Gathered]
"""Makes the pool of a programme, in the thread that computes with it."""
Solved = tuple[Answer, Iterator[RoundPage], frozenset[str]]
"""An answer, its pages, and the tenants whose people are in it."""

_logger = structlog.get_logger(__name__)


class BrokenOff(Exception):
    """The service stops, or somebody else has the claim: what is being computed is of no use."""


class _Watch:
    """What is said of a work's progress, and how it is told to end: at the next word."""

    def __init__(self) -> None:
        self.seen: Seen | None = None
        self.over = False

    def __call__(self, stage: str, done: int, total: int | None = None, detail: str = "") -> None:
        if self.over:
            raise BrokenOff
        self.seen = Seen(stage=stage, step=done, steps=total, detail=detail)


class Desk:
    """Where claimed jobs are worked on, one of a kind at a time. `run` runs a command of this service; once the service stops, claims are given back.

    Replacements are solved by `replacer`, which may keep what it solved: many small changes to one pool.
    """

    def __init__(self, solver: Solver, replacer: Solver, run: Run, stopping: Callable[[], asyncio.Event]) -> None:
        self.solver, self.replacer, self.run = solver, replacer, run
        self._stopping = stopping
        self._busy: set[type[Job]] = set()

    async def take(self, job: type[J], id_: str, attempt: int, work_on: Callable[["Desk", str, int], Awaitable[None]]) -> None:
        """Work on a job that was claimed, and see to the claim whatever comes of it. Raises Unavailable: then the claim runs out."""
        if self._stopping().is_set() or job in self._busy:
            await self.run(put_back, job, id_, attempt)
            return
        self._busy.add(job)
        try:
            await work_on(self, id_, attempt)
        except BrokenOff:
            await self.run(put_back, job, id_, attempt)
        except Unavailable:
            raise
        except Exception:
            _logger.exception("job_failed", job=job.__name__, id=id_, attempt=attempt)
            await self.run(fail, job, id_, attempt)
        finally:
            self._busy.discard(job)

    async def compute(self, job: type[J], id_: str, attempt: int, calculation: Callable[[Progress], T]) -> T:
        """Do a calculation in a thread, renewing the claim meanwhile. Raises BrokenOff, and what the calculation raises."""
        return await self.hold(job, id_, attempt, lambda watch: asyncio.to_thread(calculation, watch))

    async def hold(self, job: type[J], id_: str, attempt: int, work_on: Callable[[Progress], Coroutine[Any, Any, T]]) -> T:
        """Do something that takes long and says how far it is, renewing the claim meanwhile. Raises BrokenOff, and what it raises."""
        watch = _Watch()
        work = asyncio.create_task(work_on(watch), name=f"works on {id_}")
        stop = asyncio.create_task(self._stopping().wait(), name=f"end of {id_}")
        try:
            while not work.done():
                await asyncio.wait({work, stop}, timeout=RENEW_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    watch.over = watch.over or stop.done() or not await self._renewed(job, id_, attempt, watch.seen)
                if watch.over:
                    raise BrokenOff
            return await work
        finally:
            watch.over = True
            stop.cancel()
            work.add_done_callback(_forgotten)

    async def _renewed(self, job: type[J], id_: str, attempt: int, seen: Seen | None) -> bool:
        """Whether the attempt still holds the job; while the store is away it may hope so."""
        with suppress(Unavailable):
            return bool(await self.run(go_on, job, id_, attempt, seen))
        return True


def _forgotten(work: asyncio.Task[Any]) -> None:
    """What comes of work that nobody waits for any more."""
    if not work.cancelled():
        work.exception()


async def go_on(work: Work, job: type[J], id_: str, attempt: int, seen: Seen | None) -> bool:
    """Renew a claim; False when it is not ours any more."""
    found = await work.peek(job, id_)
    if found is None or not found.holds(attempt):
        return False
    work.save(found.go_on(seen, work.now))
    return True


async def put_back(work: Work, job: type[J], id_: str, attempt: int) -> None:
    """Let go of it: whoever is free takes it up."""
    found = await work.peek(job, id_)
    if found is not None and found.holds(attempt):
        work.save(found.put_back(work.now + SOON))


async def fail(work: Work, job: type[J], id_: str, attempt: int) -> None:
    """It came to nothing this time."""
    found = await work.peek(job, id_)
    if found is not None and found.holds(attempt):
        work.save(found.fail(work.now))


async def wake_round(round_: Round, work: Work) -> None:
    """A round is to be solved, or cleared of what nobody reads any more."""
    if round_.waits:
        await _take_up_round(round_, work)
    else:
        await _clear_round(round_, work)


async def _take_up_round(round_: Round, work: Work) -> None:
    programme = await work.get(Programme, round_.programme)
    if not programme.is_open:
        work.save(round_.drop(Discarded.PROGRAMME_NOT_OPEN, work.now))
    elif programme.publishing is not None:
        work.save(round_.put_back(work.now + SOON))
    else:
        taken = work.save(round_.take_up(work.now))
        if taken.attempt != round_.attempt:
            work.afterwards(partial(work.tool(Desk).take, Round, taken.id, taken.attempt, solve_round))


async def _clear_round(round_: Round, work: Work) -> None:
    """Remove pages that nobody can read any more: of attempts that came to nothing, of what is kept for a time, or all; rest after a look that finds none."""
    programme = await work.peek(Programme, round_.programme)
    if programme is not None and programme.is_publishing(round_.id):
        work.save(round_.becomes(due_at=work.now + SOON))
        return
    if round_.is_to_be_shut(work.now):
        over = round_.over(work.now)
        ended = await work.count_by(documents.pairs_of_round(round_.programme, round_.id), "ended") if Kept.PEOPLE in over else {}
        work.save(round_.shut(work.now, ended))
        work.afterwards(partial(_told, round_.id, over))
        return
    of_use = round_.answer.attempt if round_.answer else None
    remains = await work.page(documents.pages_of(round_.id, before=of_use), after=None, limit=CLEARED_AT_ONCE)
    if not remains and round_.answer and round_.answer.passed:
        parts = NAMING if round_.answer.nameless else PASSING
        remains = await work.page(documents.pages_of_parts(round_.id, parts), after=None, limit=CLEARED_AT_ONCE)
    for page in remains:
        work.remove(page)
    work.save(round_.becomes(due_at=work.now + SOON) if remains else round_.cleared(work.now))


async def _told(round_id: str, over: Sequence[Kept]) -> None:
    for what in over:
        metrics.ROUNDS_FORGOTTEN.labels(what).inc()
    if over:
        _logger.info("round_forgets", round=round_id, what=[str(what) for what in over])


async def solve_round(desk: Desk, round_id: str, attempt: int) -> None:
    """Find the best pairs for the seats that are free now, write them down page by page, then say that it is done. Raises BrokenOff."""
    found = await _answered(desk, round_id, attempt)
    if found is None:
        return
    answer, pages, tenants = found
    for page in pages:
        if not await desk.run(write_page, page):
            raise BrokenOff
    await desk.run(record_solved, round_id, answer, tenants)


async def _answered(desk: Desk, round_id: str, attempt: int) -> Solved | None:
    """The answer; None when there is nothing to solve now. What it was made from is let go before it is written."""
    found = await desk.hold(Round, round_id, attempt, partial(desk.run, gather_for, round_id, attempt))
    if found is None:
        return None
    kind, programme, seats = found
    solver = desk.replacer if kind is RoundKind.REPLACEMENT else desk.solver
    with metrics.ROUND_SECONDS.time():
        return await desk.compute(Round, round_id, attempt, partial(_solved, solver, kind, round_id, attempt, programme, seats))


def _solved(solver: Solver, kind: RoundKind, round_id: str, attempt: int, programme: Programme, seats: Seats, progress: Progress) -> Solved:
    """The best pairs, with every explanation, as the round keeps them; of a full round also what it was solved from."""
    begun = perf_counter()
    gathered = seats()
    pool, policy, unpinned = hold(*abide(gathered.pool, core_policy(programme.policy), gathered.ruled_out), gathered.pins)
    loaded = perf_counter()
    solution = solver.solve(pool, policy, progress, explain=True)
    made = Made(engine=VERSION, tzdata=tzdata_version(), load_seconds=loaded - begun, solve_seconds=perf_counter() - loaded)
    answer, pages = paged(
        round_id,
        attempt,
        replace(gathered, pool=pool),
        solution,
        edition=programme.edition,
        policy_version=programme.policy_version,
        unpinned=unpinned,
        source=_source(pool, policy, made, progress) if kind is RoundKind.FULL else None,
    )
    return answer, pages, gathered.tenants


def _source(pool: Pool, policy: Policy, made: Made, progress: Progress) -> Source | None:
    """The files it was solved from; None where the format has no place for the pool."""
    lines: list[str] = []
    try:
        for line in pool_lines(naming_its_people(pool)):
            if len(lines) % ROWS == 0:
                progress("write", len(lines), detail="lines of the pool file")
            lines.append(line)
    except Unwritable as error:
        _logger.info("pool_not_kept", programme=pool.programme, reason=str(error))
        return None
    return Source(pool=lines, policy=write_policy(policy), made=made)


async def gather_for(work: Work, round_id: str, attempt: int, progress: Progress) -> tuple[RoundKind, Programme, Seats] | None:
    """What a round is solved from; None when the claim does not hold, or a publication has begun meanwhile."""
    round_ = await work.get(Round, round_id)
    if not round_.holds(attempt):
        return None
    programme = await work.get(Programme, round_.programme)
    if programme.publishing is not None:
        work.save(round_.put_back(work.now + SOON))
        return None
    return round_.kind, programme, await seats_of(work, programme, round_.seed, progress)


async def seats_of(work: Work, programme: Programme, seed: str, progress: Progress) -> Seats:
    """Everything that the pool of a programme is made of, as it is now; making it takes a while for many people.

    Of a large group nothing is kept as it is read, and nobody waits for more than a page.
    """
    gathering = Gathering(programme=programme.id, seed=seed, week_of=monday_of(work.now))
    async for rulings in work.pages(documents.rulings_of(programme.id)):
        for ruling in rulings:
            gathering.ruled(ruling)
    read = 0
    async for pairs in work.pages(documents.every_pair_of_programme(programme.id)):
        for pair in pairs:
            gathering.pair(pair)
        read += len(pairs)
        progress("gather", read, detail="pairs")
    asked: set[str] = set()
    wanted: set[str] = set()
    async for enrolments in work.pages(documents.active_enrolments_of(programme.id)):
        free = [one for one in enrolments if gathering.room(one)]
        ids = {one.person for one in free}
        people = {person.id: person async for some in work.pages_of(Person, sorted(ids)) for person in some}
        for enrolment in free:
            gathering.enrolled(enrolment, people.get(enrolment.person))
        wanted |= _above(gathering, (person for id_, person in people.items() if id_ not in asked))
        asked |= ids
        read += len(enrolments)
        progress("gather", read, detail="pairs and enrolments")
    while wanted := wanted - asked:
        asked |= wanted
        wanted = set[str]().union(*[_above(gathering, people) async for people in work.pages_of(Person, sorted(wanted))])
        progress("gather", read, detail="pairs, enrolments and lines of management")
    return gathering.gathered


def _above(gathering: Gathering, people: Iterable[Person]) -> set[str]:
    """Have the lines of these people gathered; whom they report to."""
    managers: set[str] = set()
    for person in people:
        gathering.above(person)
        managers.update(person.managers)
    return managers


async def write_page(work: Work, page: RoundPage) -> bool:
    """Write a page of an attempt that holds its round; whether it does."""
    round_ = await work.get(Round, page.round)
    if not round_.holds(page.attempt):
        return False
    if round_.runs_out_soon(work.now):
        work.save(round_.go_on(round_.seen, work.now))
    await work.peek(RoundPage, page.id)
    work.save(page.becomes())
    return True


async def record_solved(work: Work, round_id: str, answer: Answer, tenants: frozenset[str]) -> None:
    """All pages are written: the round has its answer, unless the claim was lost."""
    round_ = await work.get(Round, round_id)
    if round_.holds(answer.attempt):
        work.save(round_.solve(answer, tenants, work.now))
