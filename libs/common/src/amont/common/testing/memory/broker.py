"""The cluster behind the log in memory: topics with partitions, groups with members, and which life of a member counts."""

import asyncio
import contextlib
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from amont.common.log import Received, Record

PARTITIONS = 4
SESSION_SECONDS = 10.0
"""How long a member may be silent before its partitions go to others."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a member may read: its partitions, each from the group's position. Another generation is another deal."""

    generation: int
    positions: Mapping[int, int]


@dataclass(slots=True)
class _Group:
    committed: dict[int, int] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)
    """When each member was heard of last."""
    lives: dict[str, int] = field(default_factory=dict)
    """Which life of each member is the last; earlier ones are fenced off."""
    generation: int = 0

    def deal(self, member: str, partitions: int) -> Share:
        members = sorted(self.heard)
        mine = [number for number in range(partitions) if members[(number + self.generation) % len(members)] == member]
        return Share(self.generation, {number: self.committed.get(number, 0) for number in mine})


class Broker:
    """The records and the groups; what every connection shares."""

    def __init__(self, *, partitions: int = PARTITIONS, session_seconds: float = SESSION_SECONDS) -> None:
        self.partitions, self.session_seconds = partitions, session_seconds
        self.topics: dict[str, list[list[Received]]] = defaultdict(lambda: [[] for _ in range(partitions)])
        self._groups: dict[tuple[str, str], _Group] = defaultdict(_Group)
        self._waiting: dict[str, list[asyncio.Future[None]]] = defaultdict(list)

    def everything(self, topic: str) -> list[Received]:
        """Every record of a topic, partition by partition."""
        return [record for partition in self.topics[topic] for record in partition]

    def place(self, record: Record) -> tuple[str, int]:
        """Where a record belongs."""
        return record.topic, zlib.crc32(record.key.encode()) % self.partitions

    def append(self, topic: str, number: int, records: Sequence[Record]) -> None:
        """Put records at the end of one partition."""
        partition = self.topics[topic][number]
        for record in records:
            key, offset = record.key.encode(), len(partition)
            partition.append(
                Received(topic=topic, partition=number, offset=offset, key=key, value=record.value, headers=tuple(record.headers))
            )
        for waiting in self._waiting.pop(topic, ()):
            if not waiting.done():
                waiting.set_result(None)

    async def appended(self, topic: str, seconds: float) -> None:
        """Until something comes, or the time is over."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[topic].append(waiting)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(waiting, seconds)

    def hear(self, group: str, topic: str, member: str, life: int, now: float) -> Share:
        """A member says that it is there; it is told its share. Another life of the same member takes over where the one before was."""
        found = self._groups[group, topic]
        if life < found.lives.get(member, life):
            return Share(found.generation, {})
        found.lives[member] = life
        silent = [one for one, at in found.heard.items() if now - at > self.session_seconds and one != member]
        for one in silent:
            del found.heard[one]
        if silent or member not in found.heard:
            found.generation += 1
        found.heard[member] = now
        return found.deal(member, self.partitions)

    def leave(self, group: str, topic: str, member: str, life: int) -> None:
        found = self._groups[group, topic]
        if found.lives.get(member) == life and found.heard.pop(member, None) is not None:
            found.generation += 1

    def fetch(self, topic: str, positions: Mapping[int, int], limit: int) -> dict[int, list[Received]]:
        """Up to so many records of each partition, from a position on."""
        partitions = self.topics[topic]
        return {number: found for number, begin in positions.items() if (found := partitions[number][begin : begin + limit])}

    def commit(self, group: str, topic: str, member: str, life: int, generation: int, ends: Mapping[int, int]) -> bool:
        """Move the group's positions; False, and nothing moved, when the member's share is no longer what it thinks."""
        found = self._groups[group, topic]
        if member not in found.heard or life != found.lives[member] or generation != found.generation:
            return False
        if not ends.keys() <= found.deal(member, self.partitions).positions.keys():
            return False
        found.committed.update(ends)
        return True

    def unread(self) -> Iterator[tuple[str, str, int, int]]:
        """Group, topic, partition and end, wherever a group that was ever heard of has not committed up to the end."""
        for (name, topic), group in self._groups.items():
            for number, records in enumerate(self.topics[topic]):
                if len(records) > group.committed.get(number, 0):
                    yield name, topic, number, len(records)
