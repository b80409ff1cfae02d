"""Bugs that lose events of a Kafka reader, or leave it standing, put back one at a time: a model that does not find them shows nothing.

The first three were in this code; each is a patch at a seam of the real reader.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from unittest.mock import patch

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from tests.simulation.kafka.run import simulate

from amont.common.log.kafka_reader import KafkaReader, Raw

Mutant = AbstractContextManager[Any]


def _answers_of_lanes(mutated: Callable[[bool, bool | None], bool]) -> Mutant:
    """What a lane says of those behind it, made of what it says and of whether its records were taken; None when they were not begun."""
    answered, handled = KafkaReader._lane, KafkaReader._handled
    taken: dict[asyncio.Task[Any] | None, bool] = {}

    async def handling(self: KafkaReader, at: TopicPartition, records: Sequence[Raw]) -> bool:
        taken[asyncio.current_task()] = outcome = await handled(self, at, records)
        return outcome

    async def lane(self: KafkaReader, *args: Any) -> bool:
        answer = await answered(self, *args)
        return mutated(answer, taken.pop(asyncio.current_task(), None))

    stack = ExitStack()
    stack.enter_context(patch.object(KafkaReader, "_handled", handling))
    stack.enter_context(patch.object(KafkaReader, "_lane", lane))
    return stack


def what_waits_is_handled() -> Mutant:
    """What waits behind a batch is handled, also when that was given back."""

    async def may_follow(self: KafkaReader, before: "asyncio.Task[bool]", turn: int) -> bool:
        await asyncio.wait([before])
        return turn == self._turn and not (self._stopping or self._moving)

    return patch.object(KafkaReader, "_may_follow", may_follow)


def outlasting_batch_drops() -> Mutant:
    """A batch that outlasts a move and fails drops what was fetched anew behind it."""
    return _answers_of_lanes(lambda answer, taken: answer if taken is None else taken)


def one_behind_it_drops() -> Mutant:
    """The same of a batch that only waited, behind one that outlasted the move."""
    return _answers_of_lanes(lambda answer, taken: answer if taken is not None else False)


def commit_of_all_positions() -> Mutant:
    """`msg.ack()`: whatever was handed out of every partition counts as handled."""
    commit = AIOKafkaConsumer.commit
    return patch.object(AIOKafkaConsumer, "commit", lambda self, _: commit(self))


def commit_under_an_old_turn() -> Mutant:
    """A batch that outlasts a move is committed as if nothing had moved."""
    commit = KafkaReader._commit
    return patch.object(KafkaReader, "_commit", lambda self, at, position, _: commit(self, at, position, self._turn))


def commit_not_tried_again() -> Mutant:
    """A broker that does not answer is not asked again."""

    async def commit(self: KafkaReader, at: TopicPartition, position: int, turn: int) -> None:
        if turn == self._turn:
            try:
                async with asyncio.timeout(self._log.options.answer_within_seconds):
                    await self._consumer.commit({at: position})
            except (IllegalStateError, KafkaError, TimeoutError):
                return

    return patch.object(KafkaReader, "_commit", commit)


def fetched_before_a_move() -> Mutant:
    """What was fetched is taken, whatever has become of the assignment."""

    async def is_mine(*_: Any) -> bool:
        return True

    return patch.object(KafkaReader, "_is_mine", is_mine)


def nobody_waits_for_a_move() -> Mutant:
    """Partitions are let go with batches in hand."""

    async def let_go(self: KafkaReader) -> None:
        self._moving = True
        self._turn += 1

    return patch.object(KafkaReader, "let_go", let_go)


def cancelled_by_nobody() -> Mutant:
    """What aiokafka makes of its own tasks when it stops ends the start of a reader."""
    return patch.object(KafkaReader, "_leave", lambda self: self._subscriber.stop())


MUTANTS: Mapping[str, tuple[Callable[[], Mutant], str, int]] = {
    "what waits is handled": (what_waits_is_handled, "before", 10),
    "an outlasting batch drops what is behind it": (outlasting_batch_drops, "before|not been handled|no rest", 130),
    "one behind it drops, too": (one_behind_it_drops, "before|not been handled|no rest", 22),
    "commit of all positions": (commit_of_all_positions, "has not been handled", 0),
    "commit under an old turn": (commit_under_an_old_turn, "is committed behind", 46),
    "commit not tried again": (commit_not_tried_again, r"up to (\d+) and \d+ is committed, its end is \1", 118),
    "fetched before a move": (fetched_before_a_move, "before|is committed behind", 6),
    "nobody waits for a move": (nobody_waits_for_a_move, "twice in peace", 8),
    "cancelled by nobody": (cancelled_by_nobody, "cancelled by nobody", 187),
}
"""Each with what must be complained about, and the first seed that did when it was looked for last: it is played first, to save time."""


def first_found(mutant: str, within: int) -> int | None:
    """A seed that complains of the bug as it must; None when so many do not."""
    make, complaint, likely = MUTANTS[mutant]
    with make():
        return next((seed for seed in (likely, *range(within)) if any(re.search(complaint, one) for one in simulate(seed).broken)), None)
