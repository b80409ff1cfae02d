"""The campaign: its stages in order, under load, and the judgement when all is quiet again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.chaos import faults, letters
from tests.chaos.evidence import collect, repeated_on_log
from tests.chaos.ground import Ground, ground
from tests.chaos.hands import Hands, Seen
from tests.chaos.judge import Noted, Peace, lines
from tests.chaos.latency import poison_share
from tests.chaos.outage import outage
from tests.chaos.people_load import PeopleLoad
from tests.chaos.postbox import Postbox
from tests.chaos.pulse import Pulse
from tests.chaos.report import Report
from tests.chaos.size import Size
from tests.chaos.staff_load import StaffLoad
from tests.support.house import House

from amont.common.testing.dying import read_ledger
from amont.common.testing.promises import figures
from amont.local.demo.stages import Stage, Stages
from amont.notifications.domain.delivery import LEASE

SETTLED_WITHIN = 600.0
STILL_SECONDS = 5.0
"""How long no mail gets its outcome before the rest are taken to be cut off; handing one over takes a fraction of a second here."""
LEASES = 4
"""How many leases may run out at the end before the campaign says that a mail never gets its outcome."""
BURST = 100

Action = Callable[[Hands, Stage], Awaitable[Seen]]


async def run(footing: str, size: Size, seed: str, folder: Path, stages: Stages) -> Report:
    """One campaign, from nothing to its report. What it leaves in `folder`: the services' logs, the ledger."""
    with Postbox() as postbox:
        async with ground(footing, folder, postbox.url) as stands:
            return await Campaign(stands, size, seed, postbox, stages).run()


class Campaign:
    """See the module."""

    def __init__(self, stands: Ground, size: Size, seed: str, postbox: Postbox, stages: Stages) -> None:
        house = stands.house
        self._hands = Hands(
            house, stands.real, StaffLoad(house, size.people), PeopleLoad(house, size.people), postbox, random.Random(seed), size
        )
        self._noted = Noted(kafka_kills=size.kafka_kills)
        self._stages = stages
        self._report = Report(seed, "SQLite" if stands.real is None else "Kafka and the MongoDB-wire server")

    async def run(self) -> Report:
        size, over = self._hands.size, asyncio.Event()
        await self._stage("prepare", 1, self._prepare)
        async with self._hands.supervised():
            await self._stage("rolling restarts", size.rolls, self._rolling)
            await self._stage("poison share", size.poison_seconds, self._poison)
            living = asyncio.create_task(self._hands.people.live(over), name="people")
            for name, much, action in (
                ("kills of services", size.kills, faults.service_kills),
                ("kills of Kafka", size.kafka_kills, faults.kafka_kills),
                ("store frozen", size.freezes, faults.freezes),
                ("network", size.network, faults.network),
                ("rebalance storm", size.storms, faults.rebalance_storm),
            ):
                await self._stage(name, much, self._under_load(action))
            over.set()
            await self._stage("people finish", 1, lambda *_: self._people_finish(living))
            for of in ("Kafka", "the store"):
                await self._stage(f"without {of}", size.outage_seconds, self._outage(of))
            await self._stage("the rest of the load", 1, self._rest)
            await self._stage("dead letters replayed", letters.is_there(), self._replay)
        await self._stage("all is quiet", 1, self._quiet)
        await self._stage("judgement", 1, self._judge)
        return self._report

    async def _stage(self, name: str, much: float, action: Action) -> None:
        """One stage; what it could not do is noted, and the next one begins."""
        if not much:
            return
        with self._stages.stage(name) as stage:
            try:
                seen = await action(self._hands, stage)
            except Exception as error:
                self._noted.failures[name] = _why(error)
                stage.says(f"FAILED: {self._noted.failures[name]}")
                return
            self._report.stages[name] = seen
            stage.says(", ".join(f"{what} {count}" for what, count in seen.items()))

    def _under_load(self, action: Action) -> Action:
        async def loaded(hands: Hands, stage: Stage) -> Seen:
            async with hands.staff.flowing(hands.size.rate):
                seen = await action(hands, stage)
            await hands.all_ready()
            return seen

        return loaded

    async def _prepare(self, hands: Hands, _: Stage) -> Seen:
        await hands.people.subsidiaries()
        await hands.staff.burst(hands.size.people)
        await hands.house.settled()
        return {"people": hands.size.people}

    async def _rolling(self, hands: Hands, stage: Stage) -> Seen:
        """From quiet to quiet, so that what is handed over again has no other reason."""
        begin, repeated = hands.house.ledger.stat().st_size, await repeated_on_log(hands.house)
        uncommitted, late = _uncommitted(hands.house), _late(hands.house)
        over = asyncio.Event()
        living = asyncio.create_task(hands.people.live(over, share=0.5), name="people")  # the rest is for the kills
        async with Pulse().taken() as pulse:
            async with hands.staff.flowing(hands.size.rate):
                seen = await faults.rolling_restarts(hands, stage)
            over.set()
            await living
            await hands.house.settled(SETTLED_WITHIN)
        redelivered = read_ledger(hands.house.ledger, begin=begin).redelivered
        repeated = await repeated_on_log(hands.house) - repeated
        uncommitted, late = _uncommitted(hands.house) - uncommitted, _late(hands.house) - late
        self._noted.in_peace = Peace(
            redelivered.total(), repeated, seen["unclean stops"], seen["records in hand when told to stop"], uncommitted, late, pulse.share
        )
        came = {
            "redeliveries": redelivered.total(),
            "repetitions on the log": repeated,
            "positions the group did not take": uncommitted,
            "documents said late": late,
            "share of a core": f"{pulse.share:.0%}",
        }
        return seen | came | dict(redelivered)

    async def _poison(self, hands: Hands, stage: Stage) -> Seen:
        self._noted.latencies, seen = await poison_share(hands, stage)
        return seen

    def _outage(self, of: str) -> Action:
        async def away(hands: Hands, stage: Stage) -> Seen:
            await hands.house.settled(SETTLED_WITHIN)
            came, seen = await outage(hands, stage, of)
            self._noted.outages.append(came)
            return seen

        return away

    async def _people_finish(self, living: "asyncio.Task[None]") -> Seen:
        await living
        return {"programmes": self._hands.people.programmes}

    async def _rest(self, hands: Hands, _: Stage) -> Seen:
        while hands.staff.sent < hands.size.staff_events:
            await hands.staff.burst(min(BURST, hands.size.people))
        return {"staff events": hands.staff.sent, "poison": len(hands.staff.poison), "sent packed, with odd headers": hands.staff.odd}

    async def _replay(self, hands: Hands, stage: Stage) -> Seen:
        await hands.house.settled(SETTLED_WITHIN)
        self._noted.replayed, seen = await letters.replay_letters(hands, stage)
        return seen

    async def _quiet(self, hands: Hands, _: Stage) -> Seen:
        """Everything read, said and done; and what was cut off between claim and outcome is taken up again once its lease is over.

        Time is moved only when no mail has got its outcome for a while: a claim whose mail is being handed over must not run out meanwhile.
        """
        await hands.house.settled(SETTLED_WITHIN)
        await hands.house.begins_again(LEASE + timedelta(minutes=1))
        leases_over = 0
        while left := await self._without_outcome_for(STILL_SECONDS):
            if (leases_over := leases_over + 1) > LEASES:
                raise AssertionError(f"{len(left)} mails have no outcome after {LEASES} leases, {min(left)} is one")
            hands.house.passes(LEASE + timedelta(minutes=1))
        await hands.house.settled(SETTLED_WITHIN)
        return {"ended by themselves": hands.ended.total(), "leases that ran out": leases_over}

    async def _without_outcome_for(self, seconds: float) -> frozenset[str]:
        """Which mails are waiting for their outcome once they have been the same ones for so long; none as soon as all have theirs."""
        loop = asyncio.get_running_loop()
        left, since = frozenset[str](), loop.time()
        while True:
            await self._hands.house.settled(SETTLED_WITHIN)
            deliveries = await self._hands.house.everything("notifications", "deliveries")
            now = frozenset(one["_id"] for one in deliveries if one["status"] in {"pending", "sending"})
            if not now or (now == left and loop.time() - since >= seconds):
                return now
            if now != left:
                left, since = now, loop.time()
            await asyncio.sleep(0.2)

    async def _judge(self, hands: Hands, _: Stage) -> Seen:
        happened = read_ledger(hands.house.ledger)
        self._noted.redelivered = happened.redelivered.total()
        evidence = await collect(
            hands.house,
            folder=hands.house.folder,
            postbox=hands.postbox,
            cuts=hands.cuts,
            crashes=hands.crashes,
            poison=hands.staff.poison,
            may_be_parked=happened.may_be_parked,
        )
        self._report.lines = lines(hands, evidence, self._noted)
        self._report.figures = {
            **figures(evidence),
            "redelivered": happened.redelivered.total(),
            **{
                what: _count(evidence.documents, *where)
                for what, where in (("pairs", ("matching", "pairs")), ("plans", ("scheduling", "plans")))
            },
        }
        return {"redelivered": happened.redelivered.total()}


def _count(documents: Any, service: str, collection: str) -> int:
    return len(documents[service][collection])


def _uncommitted(house: House) -> int:
    """How often a group did not take a position, as when a process was silent for longer than the session time-out and its partitions have moved."""
    return house.said().count('"commit_failed"')


def _late(house: House) -> int:
    """How often events were left to the sweep, or taken over by it, because saving or saying them had taken longer than some seconds."""
    return sum(house.said().count(f'"{event}"') for event in ("events_left_to_the_sweep", "outbox_swept"))


def _why(error: BaseException) -> str:
    """What went wrong, on one line; the first of several."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:600]
