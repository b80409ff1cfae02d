"""The whole story as the log tells it: every event in order, what each pair, session and delivery came to, and what was parked.

The demo counts from it and the overview shows it. It can be asked again for what is new.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from amont.common.events import EmployeeChanged, Envelope, Event
from amont.common.events.enrolment import EnrolmentFact
from amont.common.events.matching import PairEnded, PairFact
from amont.common.events.notifications import DeliveryFact
from amont.common.events.scheduling import SessionCompleted, SessionFact
from amont.common.events.topics import TOPICS, TYPES
from amont.common.log import Received
from amont.common.log.sqlite import SqliteLog, SqliteReader

DEAD_LETTERS = tuple(name for name in TOPICS if name.startswith("dlq-"))


@dataclass(frozen=True, slots=True)
class Told:
    """One event, with its id and when it was said."""

    at: datetime
    id: str
    event: Event


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that a service could not take."""

    service: str
    key: str
    reason: str
    detail: str


class Tail:
    """Reads the embedded log as a group of its own, from its beginning, each time what is new."""

    def __init__(self, log: SqliteLog, group: str) -> None:
        self._log, self._group = log, f"{group}-{uuid.uuid4().hex[:8]}"
        self._readers: dict[str, SqliteReader] = {}
        self._new: list[Received] = []

    async def new_on(self, topic: str) -> list[Received]:
        """The records that have come since this topic was last asked for."""
        if topic not in self._readers:
            self._readers[topic] = self._log.reader(f"{self._group}-{topic}", topic, self._take)
        while await self._readers[topic].drain():
            pass
        new, self._new = self._new, []
        return new

    async def _take(self, batch: Sequence[Received]) -> None:
        self._new += batch


@dataclass(slots=True)
class History:
    """See the module. The dictionaries hold the last event of each thing, so its state."""

    tail: Tail
    counts: Counter[str] = field(default_factory=Counter)
    people: dict[str, EmployeeChanged] = field(default_factory=dict)
    enrolments: dict[str, EnrolmentFact] = field(default_factory=dict)
    pairs: dict[str, PairFact] = field(default_factory=dict)
    sessions: dict[str, SessionFact] = field(default_factory=dict)
    deliveries: dict[str, DeliveryFact] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    staff_records: int = 0
    _stories: defaultdict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))

    async def read_on(self) -> None:
        """Take in what is new on the log."""
        for topic in TOPICS:
            for record in await self.tail.new_on(topic):
                if topic in DEAD_LETTERS:
                    self.dead_letters.append(_dead_letter(topic, record))
                elif topic == "hris-staff":
                    self.staff_records += 1
                elif record.value is not None:
                    self._take(told(record))

    def story_of(self, pair: str) -> list[Told]:
        """What was said of a pair and of its sessions, in order."""
        return sorted(self._stories[pair], key=lambda one: (one.at, _rank(one.event)))

    def sessions_of(self, pair: str) -> list[SessionFact]:
        """A pair's sessions, each in its last state, the oldest first."""
        return [one for one in self.sessions.values() if one.pair == pair]

    def name_of(self, person: str) -> str:
        """A made-up person's name; their id when it is not known any more."""
        known = self.people.get(person)
        return f"{known.given_name} {known.family_name}" if known else person

    def _take(self, one: Told) -> None:
        self.counts[type(one.event).__name__] += 1
        match one.event:
            case EmployeeChanged() as event:
                self.people[event.person] = event
            case EnrolmentFact() as event:
                self.enrolments[event.enrolment] = event
            case PairFact() as event:
                self.pairs[event.pair] = event
                self._stories[event.pair].append(one)
            case SessionFact() as event:
                self.sessions[event.session] = event
                self._stories[event.pair].append(one)
            case DeliveryFact() as event:
                self.deliveries[event.delivery] = event
            case _:
                return


def _rank(event: Event) -> int:
    """What comes first of one instant: the pair's state, the session that was held, the end that follows from it, what the end calls off."""
    match event:
        case PairEnded():
            return 2
        case PairFact():
            return 0
        case SessionCompleted():
            return 1
        case _:
            return 3


def tally(things: Iterable[object]) -> dict[str, int]:
    """How many of each, the most frequent first."""
    return {str(thing): count for thing, count in Counter(things).most_common()}


def told(record: Received) -> Told:
    envelope = Envelope.parse(record.headers, key=record.key.decode())
    return Told(envelope.time, envelope.id, TYPES[envelope.type].decode(record.value or b""))


def _dead_letter(topic: str, record: Received) -> DeadLetter:
    headers = {name: (value or b"").decode() for name, value in record.headers}
    return DeadLetter(topic.removeprefix("dlq-"), record.key.decode(), headers["amont_dlq_reason"], headers["amont_dlq_detail"])
