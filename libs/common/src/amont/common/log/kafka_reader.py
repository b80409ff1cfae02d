"""Reading from Kafka: FastStream fetches, partitions are taken side by side, positions are committed behind the effect.

A batch is dealt out by partition. Each part is a lane: handled, committed and, when it cannot be handled now, given back and rested alone, so that a
slow or failing partition delays nobody else. While one batch of a partition is in hand the next one may wait for it, so that no lane stands idle
until the others are done; when the one before it was given back it is dropped, and both are fetched again.

FastStream's default behaviour loses records (measured; `docs/decisions/0003`), so it is used in the one way that does not: raw batches, fetched by us
(`kafka_fetch`), a parser of ours that touches neither keys nor headers, manual acknowledgement, explicit `{partition: offset + 1}` commits, one worker,
from the earliest record.

When partitions move, the lanes in hand finish and commit before they are let go; what was fetched and not begun is left to the next owner.
"""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Union

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER

from amont.common import metrics
from amont.common.errors import Unavailable
from amont.common.events.envelope import Event
from amont.common.log import BATCH_BYTES, Handler
from amont.common.log.kafka_fetch import Batch, Fetch, Raw, Unreadable, pieces, received
from amont.common.log.kafka_watch import Watch

if TYPE_CHECKING:
    from amont.common.log.kafka import KafkaLog

PARTITION_BYTES = BATCH_BYTES
"""What one fetch brings of a partition, as the broker has it: compressed. A reader holds at most three such per partition: one in hand, one that waits
for it, one fetched ahead."""
FETCH_BYTES = 8 * PARTITION_BYTES
SLOW_SECONDS = 2.0
"""After so long, a lane is left to itself and the other partitions go on."""
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 10.0
"""How long a partition rests after a batch that had to be given back: doubled each time, with jitter."""
LET_GO_SECONDS = 25.0
"""How long partitions that move away wait for what is in hand."""
STUCK_SECONDS = 300.0
"""No batch takes this long: a handler gives up after its own back-off, which is much shorter. Nor does a commit, of a broker that answers."""
STILL_SECONDS, LOOK_SECONDS = 60.0, 20.0
"""Lag without progress for so long is trouble; how often lag is looked at."""
POSITION_SECONDS = 2.0
"""How long the client may take to say where it reads; it asks nobody."""
IDLE_SECONDS = 120.0
"""No partition for so long, while there are more partitions than members, is trouble."""

_logger = structlog.get_logger(__name__)


async def _raw(batch: Batch) -> KafkaMessage:
    """FastStream's message around a batch, with nothing decoded."""
    return KafkaMessage(raw_message=batch, body=b"", headers={}, path={}, message_id="", correlation_id="", consumer=FAKE_CONSUMER)


async def _as_it_is(message: KafkaMessage) -> Any:
    return message.raw_message


class KafkaReader:
    """One subscription of one group in this process. See the module."""

    def __init__(self, log: "KafkaLog", group: str, topic: str, handler: Handler, types: Sequence[type[Event]]) -> None:
        self._log, self._group, self._topic, self._handler = log, group, topic, handler
        self._lanes: dict[TopicPartition, asyncio.Task[bool]] = {}
        """The last lane of each partition that has any: one in hand, and at most one that waits for it."""
        self._began: dict[TopicPartition, float] = {}
        self._uncommitted: dict[TopicPartition, int] = {}
        """The position of each partition whose commit has failed and is tried again."""
        self._failures: defaultdict[TopicPartition, int] = defaultdict(int)
        self._stopping = False
        self._moving = False
        self._turn = 0
        """Counts assignments: a lane of an earlier one commits nothing."""
        self._hurry = asyncio.Event()
        """Set while nobody may rest: the reader stops, or partitions move."""
        self._torn = False
        """Whether a lane was cancelled in the middle: nothing behind it may be read, or what it held would be skipped."""
        self._watch = Watch()
        options = log.options
        self._subscriber = log.broker.subscriber(
            topic,
            batch=True,
            group_id=group,
            group_instance_id=f"{options.instance}-{group}" if options.instance else None,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_BYTES,
            session_timeout_ms=options.session_timeout_ms,
            heartbeat_interval_ms=max(500, options.session_timeout_ms // 10),
            listener=_Rebalance(self),
            parser=_raw,
            decoder=_as_it_is,
            title=topic,
        )
        self._subscriber.get_msg = Fetch(self._stumbles)  # type: ignore[method-assign]
        self._subscriber(self._described(types))

    def _described(self, types: Sequence[type[Event]]) -> Any:
        """The function FastStream calls, annotated with what is on the topic: the AsyncAPI document is read off it."""

        async def hear(batch: Any) -> None:
            await self._take(batch)

        one: Any = Union[tuple(types)] if types else Any  # noqa: UP007 - made at run time
        hear.__annotations__ = {"batch": list.__class_getitem__(one), "return": None}
        hear.__name__ = f"hear_{self._topic.replace('-', '_')}"
        return hear

    async def start(self) -> None:
        self._stopping = self._moving = self._torn = False
        self._hurry.clear()
        self._watch = Watch()
        options = self._log.options
        await self._log.ping()  # one that is away is told of before the wait for partitions begins, which is longer
        async with self._log.port_errors("subscribe"):
            try:
                # The group's other members first finish what is in hand, and who has died is missed after a session. To give up before would be to leave
                # again, and to make partitions move a second time.
                async with asyncio.timeout(options.answer_within_seconds + options.session_timeout_ms / 1000):
                    await self._subscriber.start()
            except BaseException:
                await self._leave()
                raise

    async def stop(self) -> None:
        self._stopping = True
        self._hurry.set()
        try:
            while self._lanes:
                await asyncio.wait(self._lanes.values())
        except asyncio.CancelledError:  # nobody waits for what is in hand: it is cut off, and its position does not move
            lanes = list(self._lanes.values())
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)  # none, when the last one has just ended
            raise
        await self._leave()

    async def _leave(self) -> None:
        """Stop the client. It may end in a CancelledError that nobody asked for: aiokafka waits for tasks of its own that it has just cancelled."""
        try:
            await self._subscriber.stop()
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) and task.cancelling():
                raise

    @property
    def alive(self) -> bool:
        tasks = getattr(self._subscriber, "tasks", [])
        return bool(tasks) and not self._torn and not all(task.done() for task in tasks)

    async def trouble(self) -> str | None:
        if self._stopping:
            return None
        if not self.alive:
            return "its loop has ended"
        now = asyncio.get_running_loop().time()
        for at, began in self._began.items():
            if now - began > STUCK_SECONDS:
                return f"partition {at.partition} has been at one batch for {now - began:.0f} s"
        return await self._standstill(now) if self._watch.is_time(now, LOOK_SECONDS) else None

    async def _standstill(self, now: float) -> str | None:
        try:
            async with asyncio.timeout(self._log.options.answer_within_seconds):
                if self._moving:
                    return await self._move(now)
                return await (self._lag(now) if self._consumer.assignment() else self._idle(now))
        except (IllegalStateError, KafkaError, OSError, TimeoutError):
            self._watch = Watch()  # the broker is away or partitions are moving: neither is ours to mend
            return None

    async def _lag(self, now: float) -> str | None:
        consumer = self._consumer
        mine = consumer.assignment()
        ends = await consumer.end_offsets(list(mine))
        known = await asyncio.gather(*(self._position(at) for at in mine))
        positions = dict(zip(mine, known, strict=True))
        for at in mine:
            metrics.LAG.labels(self._group, str(at.partition)).set(max(0, ends[at] - positions[at]))
        if stuck := self._watch.commits_nothing(now, self._uncommitted, STUCK_SECONDS):
            return f"partition {stuck.partition} cannot commit its position for {STUCK_SECONDS:.0f} s, though the broker answers"
        waits = {at: positions[at] for at in mine - consumer.paused() - self._lanes.keys() if ends[at] > positions[at]}
        still = self._watch.stands_still(now, waits, STILL_SECONDS)
        return None if still is None else f"partition {still.partition} lags and has not moved for {STILL_SECONDS:.0f} s"

    async def _position(self, at: TopicPartition) -> int:
        """Where it reads on; -1 when that cannot be said, which stands still as well if it stays so."""
        try:
            async with asyncio.timeout(POSITION_SECONDS):
                return int(await self._consumer.position(at))
        except TimeoutError:
            return -1

    async def _move(self, now: float) -> str | None:
        """Others may hold a move up, by what they have in hand or by being silent; never for so long while the group's broker answers."""
        if not self._watch.moves(now, STUCK_SECONDS):
            return None
        await self._members()
        return f"its partitions have been moving for {STUCK_SECONDS:.0f} s"

    async def _idle(self, now: float) -> str | None:
        if not self._watch.idle(now, IDLE_SECONDS):
            return None
        partitions = len(self._consumer.partitions_for_topic(self._topic) or ())
        members = await self._members()
        if 0 < members < partitions:
            return f"no partition for {IDLE_SECONDS:.0f} s, though {members} members share {partitions}"
        return None

    async def _members(self) -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._log.bootstrap, **self._log.options.client_settings())
        try:
            await admin.start()
            [answer] = await admin.describe_consumer_groups([self._group])
            [group] = answer.groups  # type: ignore[attr-defined]  # each version of the answer has them
            return len(group[5])  # error code, group, state, protocol type, protocol, members
        finally:
            await admin.close()

    async def _take(self, batch: Batch) -> None:
        """Deal a batch out. Nothing leaves this function: FastStream would swallow it and fetch the next batch."""
        parts: dict[TopicPartition, list[Raw]] = defaultdict(list)
        for record in batch:
            parts[TopicPartition(record.topic, record.partition)].append(record)
        ahead: dict[TopicPartition, asyncio.Task[bool]] = {}
        turn = self._turn
        for at, records in parts.items():
            if not await self._is_mine(at, records):
                continue  # nothing is committed: it comes again, here or elsewhere
            before = self._lanes.get(at)
            self._lanes[at] = asyncio.create_task(self._lane(at, records, self._turn, before), name=f"{self._group} {at.partition}")
            if before is not None:
                ahead[at] = before
        if ahead:  # so that of each partition one batch is in hand, and at most one waits for it
            _, slow = await asyncio.wait(ahead.values(), timeout=SLOW_SECONDS)
            for at, lane in ahead.items():
                if lane in slow and turn == self._turn:  # after a move nobody would let it go on
                    self._hold(at)

    def _stumbles(self, at: TopicPartition, unreadable: Unreadable) -> None:
        """What cannot be decoded is given back like what cannot be handled, behind what is in hand."""
        if not (self._stopping or self._moving or self._torn):
            lane = self._lane(at, [unreadable], self._turn, self._lanes.get(at))
            self._lanes[at] = asyncio.create_task(lane, name=f"{self._group} {at.partition}")
            self._hold(at)

    async def _is_mine(self, at: TopicPartition, records: Sequence[Raw]) -> bool:
        """Whether the records may be taken: not when we stop or move, nor when they were fetched under another assignment, or before something was given
        back. Then the position is not behind them, and they are fetched again.
        """
        try:
            async with asyncio.timeout(self._log.options.answer_within_seconds):
                behind = bool(await self._consumer.position(at) > records[-1].offset)
        except (IllegalStateError, KafkaError, TimeoutError):
            return False
        return behind and not (self._stopping or self._moving or self._torn)

    async def _lane(self, at: TopicPartition, records: Sequence[Raw | Unreadable], turn: int, before: asyncio.Task[bool] | None) -> bool:
        """Take the records of a partition when those `before` them have been taken; whether what follows them may be taken.

        It may when they were taken, and when partitions have moved since: what follows was then fetched anew, from what is committed.
        """
        taken = False
        try:
            if before is not None and not await self._may_follow(before, turn):
                return turn != self._turn
            taken = await self._taken(at, records, turn)
        except BaseException:
            self._torn = True
            raise
        finally:
            if self._lanes.get(at) is asyncio.current_task():
                del self._lanes[at]
                self._began.pop(at, None)
                if turn == self._turn:
                    self._release(at)
        return taken or turn != self._turn

    async def _taken(self, at: TopicPartition, records: Sequence[Raw | Unreadable], turn: int) -> bool:
        """Handle and commit piece by piece, until one has to be given back or no other is to be begun."""
        for piece in pieces(records):
            if piece[0] is not records[0] and (self._stopping or self._moving or turn != self._turn):
                return False
            self._began[at] = asyncio.get_running_loop().time()
            if not await self._handled(at, piece):
                await self._give_back(at, piece[0].offset, turn)
                return False
            self._began.pop(at, None)
            self._rests(at, failed=False)
            await self._commit(at, piece[-1].offset + 1, turn)
        return True

    async def _may_follow(self, before: asyncio.Task[bool], turn: int) -> bool:
        """Not when what came before was given back, for then all of it is fetched again; nor when the partition is about to be somebody else's."""
        try:
            await asyncio.wait([before])
        except asyncio.CancelledError:  # who is cut off cuts off what is in hand before it
            before.cancel()
            await asyncio.wait([before])
            raise
        torn = before.cancelled() or before.exception() is not None
        return not torn and before.result() and turn == self._turn and not (self._stopping or self._moving)

    async def _handled(self, at: TopicPartition, records: Sequence[Raw | Unreadable]) -> bool:
        where = {"group": self._group, "topic": at.topic, "partition": at.partition, "offset": records[0].offset, "records": len(records)}
        try:
            await self._handler([received(record) for record in records])
        except Unavailable as error:
            _logger.warning("batch_given_back", reason=str(error), **where)
        except Exception:
            _logger.exception("batch_failed", **where)
        else:
            return True
        return False

    async def _commit(self, at: TopicPartition, position: int, turn: int) -> None:
        """Move the group's position; while the broker is away, again until it is back, so that no lag is left behind that nobody works on."""
        reason = "moved"
        where = {"group": self._group, "topic": at.topic, "partition": at.partition, "position": position}
        while turn == self._turn:
            try:
                async with asyncio.timeout(self._log.options.answer_within_seconds):
                    await self._consumer.commit({at: position})
            except (CommitFailedError, IllegalStateError) as error:
                reason = type(error).__name__
                break
            except (KafkaError, TimeoutError) as error:
                reason = type(error).__name__
                if at not in self._uncommitted:
                    _logger.warning("commit_tried_again", reason=reason, **where)
                self._uncommitted[at] = position
                if await self._hurries_within(PAUSE_SECONDS):
                    break
            else:
                self._uncommitted.pop(at, None)
                return
        self._uncommitted.pop(at, None)
        # The group has moved on, or nobody may wait for the broker: what was applied comes again and is recognised.
        _logger.warning("commit_failed", reason=reason, **where)

    async def _hurries_within(self, seconds: float) -> bool:
        """Rest; whether nobody may rest any more, because the reader stops or partitions move."""
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return False
        return True

    async def _give_back(self, at: TopicPartition, begin: int, turn: int) -> None:
        """Go back to where the batch began and let the partition, and it alone, rest."""
        if turn != self._turn:
            return
        with contextlib.suppress(IllegalStateError):
            self._consumer.seek(at, begin)
        self._hold(at)
        pause = min(PAUSE_SECONDS * 2 ** self._failures[at], LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1.0)
        self._rests(at, failed=True)
        _logger.error("partition_rests", group=self._group, partition=at.partition, seconds=round(pause, 1), times=self._failures[at])
        await self._hurries_within(pause)

    def _rests(self, at: TopicPartition, *, failed: bool) -> None:
        """Count what had to be given back, until it is taken."""
        if failed:
            self._failures[at] += 1
        else:
            self._failures.pop(at, None)
        metrics.PARTITIONS_RESTING.labels(self._group).set(len(self._failures))

    def _hold(self, at: TopicPartition) -> None:
        with contextlib.suppress(IllegalStateError):
            self._consumer.pause(at)

    def _release(self, at: TopicPartition) -> None:
        if self._subscriber.consumer is not None:
            with contextlib.suppress(IllegalStateError):
                self._consumer.resume(at)

    async def let_go(self) -> None:
        """Partitions are about to move: finish what is in hand. What takes too long is recognised by its readers when it comes again."""
        self._moving = True
        self._hurry.set()
        if self._lanes:
            await asyncio.wait(self._lanes.values(), timeout=min(LET_GO_SECONDS, 0.8 * self._log.options.session_timeout_ms / 1000))
        self._turn += 1
        self._failures.clear()
        metrics.PARTITIONS_RESTING.labels(self._group).set(0)
        for at in self._consumer.assignment():
            with contextlib.suppress(KeyError):
                metrics.LAG.remove(self._group, str(at.partition))
        self._watch = Watch()

    def begin_again(self) -> None:
        """Partitions have moved."""
        self._moving = False
        self._watch = Watch()
        if not self._stopping:
            self._hurry.clear()

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        consumer = self._subscriber.consumer
        if consumer is None:
            raise IllegalStateError("the reader has been stopped")
        return consumer


class _Rebalance(ConsumerRebalanceListener):
    def __init__(self, reader: KafkaReader) -> None:
        self._reader = reader

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002 - all of them are: aiokafka rebalances eagerly
        await self._reader.let_go()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:  # noqa: ARG002
        self._reader.begin_again()
