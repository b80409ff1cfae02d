"""What a campaign stands on: the four processes on SQLite, or on real Kafka and the MongoDB-wire server with a proxy of ours before each.

Only the services go through the proxies. The campaign itself speaks to the servers directly, on a listener of its own, so that what it sends and what
it looks at are not hurt by the network that it cuts.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.proxy import Proxy
from tests.support.house import House

from amont.native.ports import HOST, free_ports
from amont.native.stack import Stack, speed_up


@dataclass(frozen=True, slots=True)
class Real:
    """The real servers, and the wires to them."""

    stack: Stack
    to_kafka: Proxy
    to_store: Proxy


@dataclass(frozen=True, slots=True)
class Ground:
    """See the module. `real` is None on SQLite."""

    house: House
    real: Real | None


@contextlib.asynccontextmanager
async def ground(footing: str, folder: Path, mail_url: str) -> AsyncIterator[Ground]:
    """Everything started and ready; nothing is left of it afterwards but what is in `folder`."""
    environment = {
        "AMONT_TEST_LOGS": "INFO",
        "AMONT_TEST_TICK": "0.2",
        "AMONT_TEST_SEED": "",
        "AMONT_MAIL_URL": mail_url,
        "AMONT_INSTANCE": "chaos",
    }
    if footing == "sqlite":
        url = f"sqlite://{folder}/data?sync=normal"
        async with _started(House(folder, log_url=url, store_url=url, frozen=False, environment=environment)) as house:
            yield Ground(house, None)
        return
    stack = Stack()
    async with contextlib.AsyncExitStack() as held:
        held.callback(stack.stop)
        to_kafka, to_store = await _wires(stack, held)
        await asyncio.to_thread(stack.start)
        to_store.upstream = (HOST, stack.store.port)
        environment |= {"AMONT_LOG_URL": f"kafka://{HOST}:{to_kafka.port}", "AMONT_STORE_URL": f"mongodb://{HOST}:{to_store.port}"}
        house = House(folder, log_url=stack.kafka.url, store_url=stack.store.url, frozen=False, environment=environment)
        for service, collections in (await house.collections()).items():
            speed_up(stack.store.url, f"amont_{service}", collections)
        yield Ground(await held.enter_async_context(_started(house)), Real(stack, to_kafka, to_store))


@contextlib.asynccontextmanager
async def _started(house: House) -> AsyncIterator[House]:
    try:
        yield await house.start()
    finally:
        await house.stop()


async def _wires(stack: Stack, held: contextlib.AsyncExitStack) -> tuple[Proxy, Proxy]:
    """The two proxies, and a second listener of Kafka that tells its clients to come through ours."""
    stack.kafka.ports = broker, controller = free_ports(2)
    behind = free_ports(1)[0]
    to_kafka = await held.enter_async_context(Proxy(free_ports(1)[0], (HOST, behind)))
    to_store = await held.enter_async_context(Proxy(free_ports(1)[0], (HOST, 0)))
    stack.kafka.settings |= {
        "listeners": f"PLAINTEXT://{HOST}:{broker},PROXIED://{HOST}:{behind},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{broker},PROXIED://{HOST}:{to_kafka.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
    }
    return to_kafka, to_store
