"""What is done to the services and to the servers, a function a stage. Each returns what it did and saw; none of them judges."""

import asyncio
import random
from collections import Counter

from tests.chaos.hands import READY_WITHIN, Hands, Seen

from amont.common.events.topics import SERVICES
from amont.common.testing.dying import POINTS, records_in_hand
from amont.local.demo.stages import Stage

READS_ONLY = ("before-commit", "after-commit", "after-batch")
"""Where a service dies that seldom says something."""
COMES_THERE_WITHIN = 2.0


async def service_kills(hands: Hands, stage: Stage) -> Seen:
    """SIGKILL, by turns from outside at a random moment and from inside at a chosen point; two services at a time.

    Two are sure to hit: the first while mails are on their way, the second behind a batch of staff records that was saved and not yet committed.
    """
    stage.total(hands.size.kills)
    died: Counter[str] = Counter()

    async def once(victim: str, chance: random.Random, number: int) -> str:
        point = chance.choice(POINTS if victim == "enrolment" or chance.random() < 0.2 else READS_ONLY)
        if number == 0:
            await hands.postbox.mail_on_its_way(within=READY_WITHIN)
        elif number == 1:
            assert await hands.house.dies(victim, "after-batch", 1, within=READY_WITHIN), "no batch of staff records came"
            return "after-batch"
        elif number % 2 == 0:
            await asyncio.sleep(chance.uniform(0.0, 0.7))
        elif await hands.house.dies(victim, point, chance.randint(1, 3), within=COMES_THERE_WITHIN):
            return point
        hands.house.kill(victim)
        return "at random"

    async def killer(victims: tuple[str, ...], numbers: range, chance: random.Random) -> None:
        for number in numbers:
            victim = {0: "notifications", 1: "enrolment"}.get(number) or chance.choice(victims)
            await hands.house.is_ready(victim, READY_WITHIN)
            with hands.holding(victim):
                died[await once(victim, chance, number)] += 1
                hands.killed(victim)
                hands.house.launch(victim)
            stage.done()

    half = hands.size.kills // 2
    await asyncio.gather(
        killer(("enrolment", "notifications"), range(half), random.Random(hands.chance.random())),
        killer(("matching", "scheduling"), range(half, hands.size.kills), random.Random(hands.chance.random())),
    )
    return {"SIGKILLs": died.total(), **{f"died {where}": count for where, count in sorted(died.items())}}


async def kafka_kills(hands: Hands, stage: Stage) -> Seen:
    """SIGKILL of the broker, and its start after a moment."""
    stage.total(hands.size.kafka_kills)
    for _ in range(hands.size.kafka_kills):
        await asyncio.sleep(hands.chance.uniform(0.5, 3.0))
        await asyncio.to_thread(hands.real.stack.kafka.kill)
        await asyncio.sleep(hands.chance.uniform(0.0, 2.0))
        await asyncio.to_thread(hands.real.stack.kafka.start)
        await hands.all_ready()
        stage.done()
    return {"SIGKILLs of Kafka": hands.size.kafka_kills}


async def freezes(hands: Hands, stage: Stage) -> Seen:
    """The store stopped by SIGSTOP: connections stay open and nobody answers."""
    stage.total(hands.size.freezes)
    frozen = 0.0
    for _ in range(hands.size.freezes):
        seconds = hands.chance.uniform(2.0, 12.0)
        await asyncio.to_thread(hands.real.stack.store.pause)
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.to_thread(hands.real.stack.store.resume)
        frozen += seconds
        await hands.all_ready()
        stage.done()
    return {"freezes of the store": hands.size.freezes, "seconds frozen": round(frozen)}


async def network(hands: Hands, stage: Stage) -> Seen:
    """The wire to Kafka or to the store is cut, silent or slow for a while."""
    stage.total(hands.size.network)
    done: Counter[str] = Counter()
    for number in range(hands.size.network):
        name, wire = (("Kafka", hands.real.to_kafka), ("the store", hands.real.to_store))[number % 2]
        fault = hands.chance.choice(("cut", "silent", "slow"))
        match fault:
            case "cut":
                wire.cut()
            case "silent":
                wire.silence()
            case _:
                wire.slow(hands.chance.uniform(0.02, 0.3))
        await asyncio.sleep(hands.chance.uniform(1.0, 8.0))
        wire.mend()
        await hands.all_ready()
        done[f"{name} {fault}"] += 1
        stage.done()
    return dict(sorted(done.items()))


async def rolling_restarts(hands: Hands, stage: Stage) -> Seen:
    """Each service is told to stop and started again, one after the other, again and again."""
    stage.total(hands.size.rolls * len(SERVICES))
    unclean, told = 0, []
    for _ in range(hands.size.rolls):
        for service in SERVICES:
            with hands.holding(service):
                told.append((service, hands.house.ledger.stat().st_size))
                unclean += await asyncio.to_thread(hands.house.terminate, service) != 0
                hands.house.launch(service)
            await hands.house.is_ready(service, READY_WITHIN)
            stage.done()
    in_hand = sum(records_in_hand(hands.house.ledger, service, at) for service, at in told)
    return {"rolling restarts": hands.size.rolls, "unclean stops": unclean, "records in hand when told to stop": in_hand}


async def rebalance_storm(hands: Hands, stage: Stage) -> Seen:
    """Second processes join the groups and leave them, by turns in peace and by SIGKILL."""
    stage.total(hands.size.storms)
    for number in range(hands.size.storms):
        service = hands.chance.choice(SERVICES)
        second = f"{service}@2"
        hands.house.launch(second)
        await hands.house.is_ready(second, READY_WITHIN)
        await asyncio.sleep(hands.chance.uniform(0.0, 3.0))
        if number % 2:
            hands.house.kill(second)
            hands.killed(service)
        else:
            await asyncio.to_thread(hands.house.terminate, second)
        stage.done()
    return {"joined": hands.size.storms, "left in peace": -(-hands.size.storms // 2), "killed": hands.size.storms // 2}
