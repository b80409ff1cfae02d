"""A process's way to the broker, in the place of aiokafka's `AIOKafkaClient`: everything above it, consumer, coordinator and fetcher, is aiokafka's own.

As `aiokafka/client.py` and `conn.py` have it: one connection for fetches, one for the coordinator; what goes wrong is NodeNotReadyError where nobody can
be reached, KafkaConnectionError for all that was open on a connection that breaks, RequestTimedOutError for the request that waited for too long, after
which the connection is made anew. As Kafka has it: of one connection, the next request is taken when the one before has been answered.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

from aiokafka.client import ConnectionGroup
from aiokafka.errors import KafkaConnectionError, KafkaError, NodeNotReadyError, RequestTimedOutError
from tests.simulation.kafka.broker import TOPIC, Broker

from amont.common.testing.simulation.loop import PROCESS, Owner

REQUEST_SECONDS = 2.0
"""After so long a request is given up (aiokafka's 40 s, as everything here a twentieth)."""
NODE = 0


class Cluster:
    """What a client knows of the cluster (`aiokafka.cluster.ClusterMetadata`): one node, one topic."""

    unauthorized_topics: frozenset[str] = frozenset()

    def __init__(self, partitions: int) -> None:
        self._partitions = set(range(partitions))

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return self._partitions if topic == TOPIC else None

    def leader_for_partition(self, _: Any) -> int:
        return NODE

    def broker_metadata(self, _: int) -> object:
        return self

    def add_listener(self, _: Any) -> None:
        """Nothing of it changes."""


class Network:
    """Between all processes and the broker. The shares are of requests that get lost, and of answers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, broker: Broker, partitions: int, chance: random.Random, outside: Context) -> None:
        self.loop, self.broker, self.cluster, self.chance, self.outside = loop, broker, Cluster(partitions), chance, outside
        self.latency = chance.choice((0.0002, 0.002, 0.02))
        self.requests_lost = self.answers_lost = 0.0
        self.cut: set[str] = set()
        """Processes that are refused."""
        self.silent: set[str] = set()
        """Processes that get no answers, and whose requests wait."""
        self.wires: list[Wire] = []

    def delay(self) -> float:
        return self.latency * self.chance.uniform(0.2, 1.8)

    def refuses(self, name: str) -> bool:
        return self.broker.down or name in self.cut

    def later(self, seconds: float, call: Callable[..., Any], *args: Any) -> asyncio.TimerHandle:
        """Done by the world, whatever becomes of the process on whose behalf it is."""
        return self.loop.call_later(seconds, call, *args, context=self.outside)

    def break_connections(self, name: str | None = None) -> None:
        """Of one process, or of all."""
        for wire in self.wires:
            if name in {None, wire.name}:
                wire.break_connections()

    def client(self, **settings: Any) -> "Wire":
        """As aiokafka makes one: for whichever process asks."""
        owner = PROCESS.get()
        assert owner is not None
        wire = Wire(self, owner, settings["metadata_max_age_ms"])
        self.wires.append(wire)
        return wire


class Connection:
    """Requests that wait for their turn, and the answer that each waits for."""

    def __init__(self, network: Network, name: str) -> None:
        self._network, self._name = network, name
        self._waiting: deque[tuple[Any, asyncio.Future[Any]]] = deque()
        self._taken: asyncio.Future[Any] | None = None

    def send(self, request: Any, answered: "asyncio.Future[Any]") -> None:
        self._waiting.append((request, answered))
        timer = self._network.later(REQUEST_SECONDS, self._timed_out, answered)
        answered.add_done_callback(lambda _: timer.cancel(), context=self._network.outside)
        if len(self._waiting) == 1 and self._taken is None:
            self._next()

    def _next(self) -> None:
        """Send the next one: it is lost, or arrives, and is answered if nobody has given it up."""
        network = self._network
        if not self._waiting or self._name in network.silent or network.chance.random() < network.requests_lost:
            return
        request, self._taken = self._waiting.popleft()
        network.later(network.delay(), self._arrives, request, self._taken)

    def _arrives(self, request: Any, answered: "asyncio.Future[Any]") -> None:
        if not self._network.broker.down:  # one that has been given up meanwhile is done all the same
            self._network.broker.take(request, lambda answer: self._goes_back(answered, answer))

    def _goes_back(self, answered: "asyncio.Future[Any]", answer: Any) -> None:
        if self._name not in self._network.silent and self._network.chance.random() >= self._network.answers_lost:
            self._network.later(self._network.delay(), self._answers, answered, answer)

    def _answers(self, answered: "asyncio.Future[Any]", answer: Any) -> None:
        if self._taken is answered:
            self._taken = None
            if not answered.done():
                answered.set_result(answer)
            self._next()

    def _timed_out(self, answered: "asyncio.Future[Any]") -> None:
        if not answered.done():
            answered.set_exception(RequestTimedOutError())
            self.breaks()

    def breaks(self) -> None:
        """Whatever was open is given up; what has been sent is done."""
        lost = [self._taken, *(answered for _, answered in self._waiting)]
        self._waiting.clear()
        self._taken = None
        for answered in lost:
            if answered and not answered.done():
                answered.set_exception(KafkaConnectionError("Connection closed"))

    def heard_again(self) -> None:
        """Go on after a silence."""
        if self._taken is None:
            self._next()


class Wire:
    """In the place of an `AIOKafkaClient`."""

    def __init__(self, network: Network, owner: Owner, metadata_max_age_ms: int) -> None:
        self._network, self.name = network, owner.name
        self._loop, self._metadata_max_age_ms = network.loop, metadata_max_age_ms
        self.cluster = network.cluster
        self._connections: dict[ConnectionGroup, Connection] = {}

    async def bootstrap(self) -> None:
        await self._travel()
        if self._network.refuses(self.name):
            raise KafkaConnectionError("Unable to bootstrap")

    async def ready(self, _: int, **__: Any) -> bool:
        if self._network.refuses(self.name):
            await self._travel()
            return False
        return True

    async def send(self, node: int, request: Any, *, group: ConnectionGroup = ConnectionGroup.DEFAULT) -> Any:
        if not await self.ready(node):
            raise NodeNotReadyError("Attempt to send a request to node which is not ready")
        if group not in self._connections:
            self._connections[group] = Connection(self._network, self.name)
        answered = self._loop.create_future()
        self._connections[group].send(request, answered)
        return await answered

    async def coordinator_lookup(self, *_: Any) -> int:
        await self._travel()
        if self._network.refuses(self.name):
            raise NodeNotReadyError("Attempt to send a request to node which is not ready")
        return NODE

    def force_metadata_update(self) -> "asyncio.Future[bool]":
        answered = self._loop.create_future()
        self._network.later(self._network.delay(), lambda: answered.done() or answered.set_result(True))
        return answered

    async def fetch_all_metadata(self) -> Cluster:
        await self._travel()
        if self._network.refuses(self.name) or self.name in self._network.silent:
            raise KafkaError("Unable to get cluster metadata over all known brokers")
        return self.cluster

    async def _wait_on_metadata(self, _: str) -> None:
        await self._travel()

    async def _maybe_wait_metadata(self) -> None:
        """It is always fresh."""

    def set_topics(self, _: Any) -> None:
        """There is one."""

    async def close(self) -> None:
        self.break_connections()

    async def _travel(self) -> None:
        await asyncio.sleep(self._network.delay())

    def break_connections(self) -> None:
        for one in self._connections.values():
            one.breaks()

    def heard_again(self) -> None:
        for one in self._connections.values():
            one.heard_again()
