"""A bad deployment: from the beginning of a run one service refuses events that are good, those of one key or all of a topic. Then it is mended and
started anew, and people ask for the dead letters to be replayed. What was parked behind a letter must follow it, and what halted must not be lost.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from amont.common.documents import Document
from amont.common.log import Received
from amont.common.service import consumer
from amont.common.service.consumer import DEAD_LETTERS_IN_A_ROW
from amont.common.service.letters import replaying
from amont.common.service.letters.commands import Chosen, replay_chosen
from amont.common.service.letters.letter import BLOCKED_BY, UNRESOLVED, Status
from amont.common.service.reading import Heard, Refused, react
from amont.common.testing.promises import Poison
from amont.common.work import Work

BAD = "bad-deployment"
FEW = 3
"""How many dead letters in a row halt a topic when everything on it is refused."""
HEARD = (
    ("matching", "enrolment-employees"),
    ("notifications", "enrolment-employees"),
    ("matching", "enrolment-enrolments"),
    ("scheduling", "matching-pairs"),
    ("notifications", "matching-pairs"),
)
"""Who may be deployed badly, and for which topic."""


class Deployment:
    """See the module. `bad` says whether events are refused at present; a run may have no bad deployment at all."""

    def __init__(self, chance: random.Random) -> None:
        self.bad = chance.random() < 0.4
        self.service, self.topic = chance.choice(HEARD)
        self.everything = chance.random() < 0.4
        self.in_a_row = FEW if self.bad and self.everything else DEAD_LETTERS_IN_A_ROW
        self.mended_after = chance.uniform(3.0, 25.0)
        """Seconds; when the storm is over it is mended at the latest."""
        self._key: str | None = None
        self._refused: set[tuple[bytes, bytes]] = set()
        self._due: dict[str, set[int]] = defaultdict(set)
        """By subject, the numbers of the events that were refused and not taken since."""
        self.complaints: list[str] = []

    @contextmanager
    def felt(self) -> Iterator[None]:
        """Reactions are as the deployment makes them meanwhile."""

        async def reacting(service: str, reactions: Any, work: Work, one: Heard) -> Refused | None:
            event = one.event
            if service != self.service or type(event).topic != self.topic:
                return await react(service, reactions, work, one)
            if not (self.bad and (self.everything or event.key == (self._key or event.key))):
                self._taken(event.subject, event.seq)
                return await react(service, reactions, work, one)
            self._key = self._key or event.key
            self._due[event.subject].add(event.seq)
            self._refused.add((one.event.key.encode(), one.event.encode()))
            return Refused(BAD, "What was deployed last does not take this.")

        with patch.object(consumer, "react", reacting), patch.object(replaying, "react", reacting):
            yield

    def _taken(self, subject: str, seq: int) -> None:
        """Whoever follows a refused event is parked behind it, and taken after it."""
        if earlier := [one for one in self._due[subject] if one < seq]:
            self.complaints.append(f"{self.service} took {subject} {seq} before {min(earlier)}, which it had refused")
        self._due[subject].discard(seq)

    @staticmethod
    def to_ask(documents: Mapping[str, Document]) -> bool:
        """Whether letters wait for somebody to have them replayed."""
        return any(one["reason"] == BAD and one["status"] == Status.OPEN for one in documents.values())

    @staticmethod
    def at_it(documents: Mapping[str, Document]) -> bool:
        """Whether letters that can be resolved are not."""
        return any(one["reason"] in {BAD, BLOCKED_BY} and one["status"] in UNRESOLVED for one in documents.values())

    @staticmethod
    async def replay(work: Work) -> None:
        """What people ask for."""
        await replay_chosen(work, Chosen(reason=BAD, statuses=(Status.OPEN,)), "ops", "mended", None)

    def poison(self, parked: Sequence[Received]) -> list[Poison]:
        """Those of the parked that were refused as they should be."""
        first = {(one.key, one.value or b"") for one in parked if dict(one.headers)["amont_dlq_reason"] == BAD.encode()}
        return [Poison(key, value, BAD, everywhere=False) for key, value in sorted(first & self._refused)]

    def broken(self, parked: Mapping[str, Collection[tuple[str, bytes | None]]], partitions: int) -> list[str]:
        """What was taken out of order, and who parked more in one life than should halt it: of each partition, since they are taken side by side."""
        most = (self.in_a_row - 1) * partitions
        went_on = [
            f"{name} parked {len(letters)} in a row, where {most + 1} should halt it"
            for name, letters in parked.items()
            if len(letters) > most
        ]
        return [*self.complaints[:3], *went_on]
