"""The matching engine: the best pairs over all pairs of a pool, with their proof.

`columns` brings a pool into compact form, `kernel` looks at pairs (`plain` without a compiler), `assignment` solves a sparse graph, many paths at once
by `phases`, `generation` grows that graph until its answer is the answer for all pairs, `cover` and `optimum` put the policy's objective in stages on top,
`worth` and `bothways` say what each pair is worth, `explaining` why people are in none, `changing` and `stretches` what would help them, `blocking` how many
pairs would rather have each other, `repair` keeps a solved pool at its optimum while it changes. Arrays in, arrays out; only this page, `explaining`,
`changing` and `repair` know people.
Everything is an integer and every choice between equals is by place, and places come from ids and the seed: the same pool and policy give the same answer,
whatever the order of the lists, the number of threads, and whether the loops are compiled. Equal optima are told apart by where SHA-256(seed, NUL, id) puts
people; nothing is promised about how likely each is.
"""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from threading import Event

import numpy as np
from numpy.typing import NDArray

from amont.matching.domain.certificate import Certificate, Cover
from amont.matching.domain.change import Change
from amont.matching.domain.engine.blocking import blocking_pairs
from amont.matching.domain.engine.bothways import worth_of_pairs
from amont.matching.domain.engine.columns import Compact, compact
from amont.matching.domain.engine.explaining import RULES, obstacles
from amont.matching.domain.engine.generation import Market
from amont.matching.domain.engine.kernel import points_of
from amont.matching.domain.engine.optimum import Optimum, optimise
from amont.matching.domain.engine.plain import scanner
from amont.matching.domain.engine.repair import Living
from amont.matching.domain.engine.tables import Table
from amont.matching.domain.points import Points
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool, PoolPerson, Role
from amont.matching.domain.progress import Lasting, Progress, unseen
from amont.matching.domain.scorer import Scorer
from amont.matching.domain.solver import (
    FEWER_OR_LOWER,
    FEWER_PAIRS,
    NextBest,
    Objective,
    Solution,
    SolvedPair,
    Unmatched,
    checked_pins,
    pinned_only,
)

__all__ = ["VERSION", "Engine", "warm"]

Ints = NDArray[np.int32]
_WARM = Event()
"""Whether this process has its loops at hand."""

VERSION = "1.4.0"
"""Named in results, since another one may choose another of several equal optima."""


class Engine:
    """See the module; a `Solver`."""

    def __init__(self, threads: int | None = None) -> None:
        """Use that many threads; as many as the machine lets this process have when left out."""
        self._threads = threads or len(os.sched_getaffinity(0))

    def solve(self, pool: Pool, policy: Policy, progress: Progress = unseen, *, explain: bool = False) -> Solution:
        """See `Solver.solve`."""
        pins = checked_pins(Scorer(pinned_only(pool), policy))
        progress = Lasting(progress)
        progress("read", 0, detail=f"{len(pool.people):,} people")
        whole = compact(pool, policy)
        table = whole.table
        taken = Counter[tuple[Role, str]](key for mentee, mentor in pins for key in (("mentee", mentee), ("mentor", mentor)))
        mentees = table.mentees._replace(capacity=np.subtract(table.mentees.capacity, _counts(taken, "mentee", whole.row)))
        mentors = table.mentors._replace(capacity=np.subtract(table.mentors.capacity, _counts(taken, "mentor", whole.column)))
        table, current = table._replace(mentees=mentees, mentors=mentors), _cells(whole, pool.current)
        best = optimise(
            table,
            scanner(table, self._threads, progress.again),
            policy,
            current,
            lambda stage, round_, detail: progress(stage, round_, detail=detail),
        )
        proof, made = _certificate(whole, best), _made(best.market)
        market = best.market if explain else None
        del best  # at 50,000 a side the graph is 25 MB
        return self._told(pool, policy, whole, table, pins, made, proof, market, progress)

    def keep(self, pool: Pool, policy: Policy, progress: Progress = unseen) -> Living:
        """Solve a pool without pins so that it can be repaired. Raises ValueError, as `solve` does."""
        return Living(pool, policy, self._threads, progress)

    def tell(self, living: Living, policy: Policy, progress: Progress = unseen, *, explain: bool = False) -> Solution:
        """The answer that a living pool has reached, as `solve` gives it."""
        pool, proof = living.pool, living.certificate
        whole = compact(pool, policy)
        table, current = whole.table, _cells(whole, pool.current)
        progress = Lasting(progress)
        progress("tell", 0, detail=f"{len(pool.people):,} people")
        look = scanner(table, self._threads, progress.again)
        market = Market(table, look, reward=proof.reward, floor=proof.floor, current=current, stickiness=policy.stickiness)
        profit = np.array([proof.profits.get(id_, 0) for id_ in whole.mentee_ids], np.int64)
        price = np.array([proof.prices.get(id_, 0) for id_ in whole.mentor_ids], np.int64)
        market.rest_at(profit, price, _cells(whole, tuple(living.pairs.items())))
        return self._told(pool, policy, whole, table, (), _made(market), proof, market if explain else None, progress)

    def _told(
        self,
        pool: Pool,
        policy: Policy,
        whole: Compact,
        table: Table,
        pins: tuple[tuple[str, str], ...],
        made: Ints,
        proof: Certificate,
        market: Market | None,
        progress: Lasting,
    ) -> Solution:
        """The answer: pins, and these pairs over the table with the places that the pins left. With the market at rest, everything is explained too."""
        explain = market is not None
        pairs = self._pairs(pool, policy, whole, pins, made, explain=explain, progress=progress)
        if market is not None:
            worth = worth_of_pairs(whole, table, policy, market, _cells(whole, pool.current), made[0], self._threads, progress)
            pairs = _valued(pairs, {whole.mentee_ids[row]: one for row, one in zip(made[0], worth, strict=True)}, policy)
        return Solution(
            pairs=pairs,
            unmatched=self._unmatched(pool, policy, whole, pins, made, explain=explain, progress=progress),
            objective=_objective(pool, policy, whole, made),
            blocking=_blocking(whole, policy, pins, made, self._threads, progress) if explain else None,
            certificate=proof,
        )

    def _pairs(
        self,
        pool: Pool,
        policy: Policy,
        whole: Compact,
        pins: tuple[tuple[str, str], ...],
        made: Ints,
        *,
        explain: bool,
        progress: Progress,
    ) -> tuple[SolvedPair, ...]:
        pinned = _cells(whole, pins)
        cells = np.concatenate([pinned, made], axis=1)
        points, _ = points_of(whole.table, *cells)
        overrides = Scorer(pinned_only(pool), policy)
        others = self._next_best(whole, cells, progress) if explain else [None] * cells.shape[1]
        pairs = [
            SolvedPair(
                mentee=whole.mentee_ids[row],
                mentor=whole.mentor_ids[column],
                score=sum(reached),
                points=Points(*reached),
                pinned=place < pinned.shape[1],
                overrides=overrides.all_broken(whole.mentee_ids[row], whole.mentor_ids[column]) if place < pinned.shape[1] else (),
                next_best=other,
            )
            for place, ((row, column), reached, other) in enumerate(zip(cells.T.tolist(), points.tolist(), others, strict=True))
        ]
        return tuple(sorted(pairs, key=lambda pair: pair.mentee))

    def _next_best(self, whole: Compact, cells: Ints, progress: Progress) -> list[NextBest | None]:
        """Each mentee's best other mentor, of equals the first by id."""
        progress("explain", 0, cells.shape[1])
        by_id = np.array(sorted(range(len(whole.mentor_ids)), key=whole.mentor_ids.__getitem__), np.int32)
        order = np.argsort(cells[0], kind="stable")
        rows = cells[0][order]
        found = scanner(whole.table, self._threads, partial(progress, "explain")).scan(
            rows, np.full(len(rows), -1, np.int32), np.zeros(len(by_id), np.int32), keep=2, columns=by_id
        )
        others: list[NextBest | None] = [None] * len(rows)
        for place, mine, best, where in zip(
            order.tolist(), cells[1][order].tolist(), found.best.tolist(), found.where.tolist(), strict=True
        ):
            score, column = next(((score, column) for score, column in zip(best, where, strict=True) if column not in {mine, -1}), (0, -1))
            others[place] = NextBest(mentor=whole.mentor_ids[column], score=score) if column >= 0 else None
        return others

    def _unmatched(
        self,
        pool: Pool,
        policy: Policy,
        whole: Compact,
        pins: tuple[tuple[str, str], ...],
        made: Ints,
        *,
        explain: bool,
        progress: Progress,
    ) -> tuple[Unmatched, ...]:
        pinned = _cells(whole, pins)
        rows = np.setdiff1d(np.arange(len(whole.mentee_ids)), np.concatenate([pinned[0], made[0]])).astype(np.int32)
        columns = np.setdiff1d(np.arange(len(whole.mentor_ids)), np.concatenate([pinned[1], made[1]])).astype(np.int32)
        people = [Unmatched(id=whole.mentee_ids[row], role="mentee", removed={}, left=0) for row in rows]
        people += [Unmatched(id=whole.mentor_ids[column], role="mentor", removed={}, left=0) for column in columns]
        if explain:
            progress("unmatched", 0, len(people))
            why = obstacles(pool, whole, rows, columns, self._threads, partial(progress, "unmatched"))
            least = policy.min_score if policy.order == "total" else None
            people = [replace(_explained(person, *one), least=least) for person, one in zip(people, why, strict=True)]
        return tuple(sorted(people, key=lambda person: (person.id, person.role)))


def _made(market: Market) -> Ints:
    """The pairs of a market, (2, k) rows and columns."""
    rows = np.flatnonzero(market.state.mate >= 0).astype(np.int32)
    return np.stack([rows, market.state.mate[rows]])


def _valued(pairs: tuple[SolvedPair, ...], worth: Mapping[str, int | None], policy: Policy) -> tuple[SolvedPair, ...]:
    irreplaceable = FEWER_OR_LOWER if policy.order == "pairs, worst, total" else FEWER_PAIRS

    def valued(pair: SolvedPair) -> SolvedPair:
        if pair.pinned:
            return replace(pair, worth_reason="it is pinned")
        value = worth[pair.mentee]
        return replace(pair, worth=value, worth_reason=irreplaceable if value is None else None)

    return tuple(map(valued, pairs))


def _counts(taken: Mapping[tuple[Role, str], int], role: Role, places: Mapping[str, int]) -> Ints:
    counts = np.zeros(len(places), np.int32)
    for (side, id_), count in taken.items():
        if side == role:
            counts[places[id_]] = count
    return counts


def _cells(whole: Compact, pairs: tuple[tuple[str, str], ...]) -> Ints:
    """Pairs as (2, k) rows and columns; in their order, those who are not in the pool left out, each pair once."""
    cells = {(whole.row[mentee], whole.column[mentor]) for mentee, mentor in pairs if mentee in whole.row and mentor in whole.column}
    return np.ascontiguousarray(np.array(sorted(cells), np.int32).reshape(-1, 2).T)


def _objective(pool: Pool, policy: Policy, whole: Compact, made: Ints) -> Objective:
    points, _ = points_of(whole.table, *made)
    scores = points.sum(axis=1)
    sticky = set(zip(*_cells(whole, pool.current).tolist(), strict=True)) & set(zip(*made.tolist(), strict=True))
    worst = int(scores.min()) if len(scores) else None
    return Objective(pairs=made.shape[1], worst=worst, total=int(scores.sum()) + policy.stickiness * len(sticky))


def _explained(person: Unmatched, counts: list[int], change: Change | None) -> Unmatched:
    removed: dict[Rule, int] = {rule: count for rule, count in zip(RULES, counts, strict=False) if count}
    return replace(person, removed=removed, left=counts[-1], change=change)


def _blocking(whole: Compact, policy: Policy, pins: tuple[tuple[str, str], ...], made: Ints, threads: int, progress: Progress) -> int:
    progress("blocking", 0, len(whole.mentee_ids), detail="pairs that would rather have each other")
    cells = np.concatenate([_cells(whole, pins), made], axis=1)
    points, _ = points_of(whole.table, cells[0], cells[1])
    least = policy.min_score if policy.order == "total" else 0
    rows, columns = cells
    look = scanner(whole.table, threads, partial(progress, "blocking"))
    return blocking_pairs(whole.table, look, rows, columns, points.sum(axis=1, dtype=np.int32), least)


def _certificate(whole: Compact, best: Optimum) -> Certificate:
    market = best.market
    return Certificate(
        reward=market.reward,
        floor=market.floor,
        profits={whole.mentee_ids[row]: int(market.state.profit[row]) for row in np.flatnonzero(market.state.profit)},
        prices={whole.mentor_ids[column]: int(market.state.price[column]) for column in np.flatnonzero(market.state.price)},
        pairs_cover=_cover(whole, best.pairs_cover),
        floor_cover=_cover(whole, best.floor_cover),
    )


def _cover(whole: Compact, cover: tuple[Ints, Ints] | None) -> Cover | None:
    if cover is None:
        return None
    rows, columns = cover
    return Cover(tuple(sorted(whole.mentee_ids[row] for row in rows)), tuple(sorted(whole.mentor_ids[column] for column in columns)))


def warm(progress: Progress = unseen) -> None:
    """Have the loops compiled, or fetched from where they are kept, before anybody waits for them: half a minute at worst, once an installation; the
    second time in a process there is nothing to do.

    What `progress` raises breaks it off.

    Two small pools are enough, because what is compiled depends on the kinds of the arrays and not on what is in them: one in which somebody can take
    another's place, one in which only more hours would help; in both a mentor is left alone.
    """
    if _WARM.is_set():
        return
    hours, topics = ("mon 09:00-12:00",), {"warm-up": 1}
    one = PoolPerson(
        id="a",
        role="mentee",
        grade=9,
        subsidiary="a",
        business_unit="a",
        team="a",
        function="a",
        site="a",
        zone="UTC",
        languages=frozenset({"en"}),
        meeting="either",
        availability=hours,
        topics=topics,
    )
    other = replace(one, id="b", role="mentor", grade=5, subsidiary="b")
    for third in (replace(one, id="c"), replace(one, id="c", availability=())):
        people = (one, other, third, replace(other, id="e", languages=frozenset({"fr"})))
        pool = Pool(programme="warm-up", seed="", week_of=date(2027, 1, 4), people=people, managers={"b": ("d",)}, current=(("a", "b"),))
        Engine(threads=1).solve(pool, Policy(), progress, explain=True)
        living = Engine(threads=1).keep(pool, Policy(stickiness=1), progress)
        for changed in (replace(pool, forbidden=(("a", "b"),)), replace(pool, forbidden=(("a", "b"),), people=(one, third), current=())):
            living.become(changed)
    _WARM.set()
