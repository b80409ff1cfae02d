"""Dead letters on the real servers: Kafka's partitions and the MongoDB wire hold what the embedded adapters do."""

from collections.abc import Sequence

import pytest
from tests.conftest import Servers
from tests.contract.test_log_port import create_topics
from tests.libs.common.listeners import TOPIC, Faults, build_with
from tests.libs.common.shell import Tally, told

from amont.common.clock import SystemClock
from amont.common.documents import store_from
from amont.common.ids import RandomIds
from amont.common.log import log_from
from amont.common.service import Parts, Service
from amont.common.service.letters import commands
from amont.common.service.letters.commands import Chosen
from amont.common.service.letters.letter import Status
from amont.common.testing.hearing import record_of
from amont.common.testing.waiting import until
from amont.common.work import Work


async def told_to(service: Service, id_: str) -> tuple[str, ...]:
    async def look(work: Work) -> tuple[str, ...]:
        return (await work.get_or_new(Tally, id_)).told

    return await service.run(look)


async def standing(service: Service, keys: Sequence[str]) -> list[tuple[str, str, Status]]:
    found = [letter for key in keys for letter, _ in await service.run(commands.page, Chosen(key=key, statuses=()), None)]
    return [(letter.key, letter.reason, letter.status) for letter in found]


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_a_parked_key_is_replayed_in_order_and_flows_again_on_kafka_and_mongodb(servers: Servers, database: str, driver: str) -> None:
    await create_topics(servers.log_url, TOPIC, "dlq-matching", "enrolment-programmes")  # they may be there
    clock, faults = SystemClock(), Faults(defects={"boom"})
    a, b = f"{database}-a", f"{database}-b"
    parts = Parts(
        store=store_from(servers.store_url, database=database, driver=driver),
        log=log_from(servers.log_url, client_id="test"),
        clock=clock,
        ids=RandomIds(clock),
        dead_letters_in_a_row=0,  # other tests leave poison on this topic
    )
    service = build_with(faults, dead_letters_in_a_row=0)(parts)
    async with service.running():
        names = ["1", "boom", "3", "4"]
        await service.unit.log.append([record_of(told(key, seq, name)) for seq, name in enumerate(names, 1) for key in (a, b)][:-1])
        await service.unit.log.append([record_of(told(b, 4, "boom"))])

        async def all_parked() -> bool:
            return len(await standing(service, (a, b))) == 6

        await until(all_parked, within=60)
        assert {(reason, status) for _, reason, status in await standing(service, (a, b))} == {
            ("defect", Status.OPEN),
            ("blocked-by", Status.OPEN),
        }
        assert await told_to(service, a) == await told_to(service, b) == ("1",)
        faults.mend()
        [first] = [letter for letter, _ in await service.run(commands.page, Chosen(key=a, reason="defect"), None)]
        await service.run(commands.replay, first.id, "group:otto")

        async def flows() -> bool:
            return await told_to(service, a) == ("1", "boom", "3", "4")

        await until(flows, within=60)
        [other] = [letter for letter, _ in await service.run(commands.page, Chosen(key=b, reason="defect"), None)]
        await service.run(commands.drop, other.id, "group:otto", "a test")
        await service.unit.log.append([record_of(told(key, 5, "5")) for key in (a, b)])

        async def all_flow() -> bool:
            return await told_to(service, a) == ("1", "boom", "3", "4", "5") and await told_to(service, b) == ("1", "3", "boom", "5")

        await until(all_flow, within=60)

        async def settled() -> bool:
            return {status for _, _, status in await standing(service, (a, b))} == {Status.REPLAYED, Status.DROPPED}

        await until(settled, within=60)  # a letter is settled after its effect
