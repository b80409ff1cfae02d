"""A broker as far as one consumer group reading one topic can tell: partitions, positions, and the group's coordinator.

Requests are those of aiokafka, answered as Kafka's classic group protocol does (KIP-62, KIP-394; `GroupCoordinator.scala` and its successor,
`GroupMetadataManager.java`): a member that joins makes everybody rejoin, who has not by the rebalance time-out is out; a leader shares partitions out;
a session that is not renewed ends; a commit of another generation, or while partitions are being shared out, is refused, one while members still rejoin
is taken. A follower that joins again while nothing moves is given the present generation once more. After a restart the group is what was stored
last: the last generation in which partitions were shared out. Static membership is not modelled.

Nothing here waits: each request comes with the function that takes its answer, now or later.
"""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from types import SimpleNamespace
from typing import Any

from aiokafka import errors
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

TOPIC = "told"
FIRST_JOIN_SECONDS = 0.1
"""How long an empty group waits for more members (`group.initial.rebalance.delay.ms`)."""
FETCHED_BATCHES = 3
"""How many of the producer's batches one fetch brings of a partition, at most."""

Answer = Callable[[Any], None]


@cache
def _encoded(records: int) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, 1 << 20)
    for number in range(records):
        builder.append(number, timestamp=0, key=b"k", value=b"v", headers=[])
    return bytes(builder.build())


class State(Enum):
    """Of a group."""

    EMPTY = "empty"
    JOINING = "joining"
    SHARING = "sharing"
    STABLE = "stable"


@dataclass(slots=True)
class Member:
    """Of a group. `join` and `sync` take the answers that it waits for."""

    id: str
    session: float
    about: bytes
    share: bytes = b""
    join: Answer | None = None
    sync: Answer | None = None
    ends: asyncio.TimerHandle | None = field(default=None, repr=False)


class Broker:
    """See the module. `on_commit` is told each position that is taken; `down` says whether nobody is there to answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, partitions: int, on_commit: Callable[[int, int], None]) -> None:
        self._loop, self._on_commit = loop, on_commit
        self._batches: list[list[tuple[int, int]]] = [[] for _ in range(partitions)]
        """Of each partition, where each of the producer's batches begins and how many records it has."""
        self.ends = [0] * partitions
        self.committed = [0] * partitions
        self.down = False
        self._polls: dict[Answer, tuple[FetchRequest, asyncio.TimerHandle]] = {}
        self._state, self._generation, self._leader = State.EMPTY, 0, ""
        self._members: dict[str, Member] = {}
        self._invited: set[str] = set()
        self._ids = 0
        self._rejoined: asyncio.TimerHandle | None = None
        self._stored: tuple[int, str, dict[str, Member]] = (0, "", {})
        self._takes: dict[type, Callable[[Any, Answer], None]] = {
            FetchRequest: self._fetch,
            OffsetRequest: self._earliest,
            OffsetFetchRequest: self._positions,
            OffsetCommitRequest: self._commit,
            JoinGroupRequest: self._join,
            SyncGroupRequest: self._sync,
            HeartbeatRequest: self._heartbeat,
            LeaveGroupRequest: self._leave,
        }

    @property
    def moving(self) -> bool:
        return self._state in {State.JOINING, State.SHARING}

    def take(self, request: Any, answer: Answer) -> None:
        self._takes[type(request)](request, answer)

    def restart(self) -> None:
        """Be back, with what was stored; sessions begin anew."""
        self.down = False
        for _, timer in self._polls.values():
            timer.cancel()
        self._polls.clear()
        for one in self._members.values():
            self._let(one)
        if self._rejoined:
            self._rejoined.cancel()
        self._generation, self._leader, members = self._stored
        self._members = {one.id: Member(one.id, one.session, one.about, one.share) for one in members.values()}
        self._state = State.STABLE if self._members else State.EMPTY
        for one in self._members.values():
            self._renew(one)

    # what is on the topic

    def append(self, partition: int, records: int) -> None:
        self._batches[partition].append((self.ends[partition], records))
        self.ends[partition] += records
        for answer, (request, timer) in list(self._polls.items()):
            if (found := self._found(request)).topics:
                del self._polls[answer]
                timer.cancel()
                answer(found)

    def _fetch(self, request: FetchRequest, answer: Answer) -> None:
        if (found := self._found(request)).topics:
            answer(found)
        else:
            self._polls[answer] = (request, self._loop.call_later(request._max_wait_ms / 1000, self._nothing, answer))

    def _nothing(self, answer: Answer) -> None:
        if self._polls.pop(answer, None):
            answer(SimpleNamespace(API_VERSION=4, topics=[]))

    def _found(self, request: FetchRequest) -> Any:
        parts = []
        for _, wanted in request.topics:
            for partition, position, _ in wanted:
                if position < self.ends[partition]:
                    batches = [one for one in self._batches[partition] if sum(one) > position][:FETCHED_BATCHES]
                    data = b"".join(struct.pack(">q", begin) + _encoded(records)[8:] for begin, records in batches)
                    parts.append((partition, 0, self.ends[partition], self.ends[partition], [], data))
        return SimpleNamespace(API_VERSION=4, topics=[(TOPIC, parts)] if parts else [])

    def _earliest(self, request: OffsetRequest, answer: Answer) -> None:
        wanted = [(partition, 0 if at == -2 else self.ends[partition]) for _, parts in request._topics for partition, at in parts]
        answer(SimpleNamespace(API_VERSION=1, topics=[(TOPIC, [(partition, 0, -1, offset) for partition, offset in wanted])]))

    # what is committed

    def _positions(self, request: OffsetFetchRequest, answer: Answer) -> None:
        wanted = [partition for _, partitions in request._partitions or () for partition in partitions]
        answer(SimpleNamespace(topics=[(TOPIC, [(partition, self.committed[partition] or -1, "", 0) for partition in wanted])]))

    def _commit(self, request: OffsetCommitRequest, answer: Answer) -> None:
        member, generation = self._members.get(request._consumer_id), request._consumer_group_generation_id
        nobody = generation < 0 and self._state is State.EMPTY  # a position that no member of a group commits
        error = 0 if nobody else self._refused(member, generation)
        if member and not error:
            self._renew(member)
            error = errors.RebalanceInProgressError.errno if self._state is State.SHARING else 0
        positions = [(partition, position) for _, parts in request._topics for partition, position, _ in parts]
        for partition, position in positions if not error else ():
            self.committed[partition] = position
            self._on_commit(partition, position)
        answer(SimpleNamespace(topics=[(TOPIC, [(partition, error) for partition, _ in positions])]))

    def _refused(self, member: Member | None, generation: int) -> int:
        if member is None:
            return int(errors.UnknownMemberIdError.errno)
        return int(errors.IllegalGenerationError.errno) if generation != self._generation else 0

    # who is in the group

    def _join(self, request: JoinGroupRequest, answer: Answer) -> None:
        who, about = request._member_id, request._group_protocols[0][1]
        member = self._members.get(who)
        if not who:  # KIP-394: first a name, then a member
            self._ids += 1
            self._invited.add(who := f"m{self._ids}")
            answer(self._joined(who, error=errors.MemberIdRequired.errno))
        elif member is None and who not in self._invited:
            answer(self._joined(who, error=errors.UnknownMemberIdError.errno))
        elif member and member.id != self._leader and self._state in {State.STABLE, State.SHARING}:
            self._renew(member)
            answer(self._joined(who))
        else:
            self._invited.discard(who)
            member = self._members.setdefault(who, Member(who, request._session_timeout / 1000, about))
            member.join = answer
            self._let(member)
            self._rebalance(request._rebalance_timeout / 1000)

    def _joined(self, who: str, *, error: int = 0) -> Any:
        members = [(one.id, one.about) for one in self._members.values()] if who == self._leader else []
        return SimpleNamespace(
            API_VERSION=2,
            error_code=error,
            generation_id=self._generation,
            group_protocol="roundrobin",
            leader_id=self._leader,
            member_id=who,
            members=members,
        )

    def _rebalance(self, within: float) -> None:
        """Everybody is to join again, unless that is what everybody has just done."""
        if self._state is not State.JOINING:
            seconds = FIRST_JOIN_SECONDS if self._state is State.EMPTY else within
            for one in self._members.values():
                if one.sync:
                    self._sync_answered(one, errors.RebalanceInProgressError.errno)
            first, self._state = self._state is State.EMPTY, State.JOINING
            self._rejoined = self._loop.call_later(seconds, self._all_joined)
            if first:
                return
        if all(one.join for one in self._members.values()):
            self._all_joined()

    def _all_joined(self) -> None:
        if self._rejoined:
            self._rejoined.cancel()
        if self.down:
            return
        for one in [one for one in self._members.values() if not one.join]:
            self._let(self._members.pop(one.id))
        self._generation += 1
        if not self._members:
            self._state = State.EMPTY
            self._store()
            return
        self._state = State.SHARING
        if self._leader not in self._members:
            self._leader = next(iter(self._members))
        for one in list(self._members.values()):
            answer, one.join = one.join, None
            self._renew(one)
            if answer:
                answer(self._joined(one.id))

    def _sync(self, request: SyncGroupRequest, answer: Answer) -> None:
        member = self._members.get(request._member_id)
        error = self._refused(member, request._generation_id)
        if member is None or error or self._state is State.JOINING:
            answer(SimpleNamespace(error_code=error or errors.RebalanceInProgressError.errno, member_assignment=b""))
            return
        self._renew(member)
        member.sync = answer
        if self._state is State.SHARING and member.id == self._leader:
            for who, share in request._group_assignment:
                if who in self._members:
                    self._members[who].share = share
            self._state = State.STABLE
            self._store()
        if self._state is State.STABLE:
            for one in self._members.values():
                self._sync_answered(one, 0)

    def _sync_answered(self, member: Member, error: int) -> None:
        answer, member.sync = member.sync, None
        if answer:
            answer(SimpleNamespace(error_code=error, member_assignment=member.share if not error else b""))

    def _heartbeat(self, request: HeartbeatRequest, answer: Answer) -> None:
        member = self._members.get(request._member_id)
        error = self._refused(member, request._generation_id)
        if member and not error:
            self._renew(member)
            error = errors.RebalanceInProgressError.errno if self._state is State.JOINING else 0
        answer(SimpleNamespace(error_code=error))

    def _leave(self, request: LeaveGroupRequest, answer: Answer) -> None:
        self._out(request._member_id)
        answer(SimpleNamespace(error_code=0))

    def _out(self, who: str) -> None:
        member = self._members.pop(who, None)
        if member is None:
            return
        self._let(member)
        if self._members or self._state is State.JOINING:
            self._rebalance(member.session)
        else:
            self._generation, self._state = self._generation + 1, State.EMPTY
            self._store()

    def _renew(self, member: Member) -> None:
        self._let(member)
        member.ends = self._loop.call_later(member.session, self._silent, member)

    def _silent(self, member: Member) -> None:
        if not (self.down or member.join or member.sync):
            self._out(member.id)

    @staticmethod
    def _let(member: Member) -> None:
        if member.ends:
            member.ends.cancel()

    def _store(self) -> None:
        self._stored = (self._generation, self._leader, dict(self._members))
