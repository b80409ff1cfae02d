"""The whole story as the log tells it: every event in order, what each pair, session and delivery came to, and what was parked.

The demo counts from it and the overview shows it. It reads, it commits nothing, and it can be asked again for what is new.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from amont.common.events import EmployeeChanged, Envelope, Event
from amont.common.events.enrolment import EnrolmentFact
from amont.common.events.matching import PairFact
from amont.common.events.notifications import DeliveryFact
from amont.common.events.scheduling import SessionFact
from amont.common.events.topics import TOPICS, TYPES
from amont.common.log import Received
from amont.common.log.sqlite import SqliteLog

READ_AT_ONCE = 1_000_000
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


@dataclass(slots=True)
class History:
    """See the module. The dictionaries hold the last event of each thing, so its state."""

    log: SqliteLog
    counts: Counter[str] = field(default_factory=Counter)
    people: dict[str, EmployeeChanged] = field(default_factory=dict)
    enrolments: dict[str, EnrolmentFact] = field(default_factory=dict)
    pairs: dict[str, PairFact] = field(default_factory=dict)
    sessions: dict[str, SessionFact] = field(default_factory=dict)
    deliveries: dict[str, DeliveryFact] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    staff_records: int = 0
    _stories: defaultdict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    _read: Counter[str] = field(default_factory=Counter)

    async def read_on(self) -> None:
        """Take in what is new on the log."""
        for topic in TOPICS:
            for record in await self._new_on(topic):
                if topic in DEAD_LETTERS:
                    self.dead_letters.append(_dead_letter(topic, record))
                elif topic == "hris-staff":
                    self.staff_records += 1
                elif record.value is not None:
                    self._take(_told(record))

    def story_of(self, pair: str) -> list[Told]:
        """What was said of a pair and of its sessions, in order."""
        return sorted(self._stories[pair], key=lambda told: told.at)

    def sessions_of(self, pair: str) -> list[SessionFact]:
        """A pair's sessions, each in its last state, the oldest first."""
        return [one for one in self.sessions.values() if one.pair == pair]

    def name_of(self, person: str) -> str:
        """A made-up person's name; their id when it is not known any more."""
        known = self.people.get(person)
        return f"{known.given_name} {known.family_name}" if known else person

    def _take(self, told: Told) -> None:
        self.counts[type(told.event).__name__] += 1
        match told.event:
            case EmployeeChanged() as event:
                self.people[event.person] = event
            case EnrolmentFact() as event:
                self.enrolments[event.enrolment] = event
            case PairFact() as event:
                self.pairs[event.pair] = event
                self._stories[event.pair].append(told)
            case SessionFact() as event:
                self.sessions[event.session] = event
                self._stories[event.pair].append(told)
            case DeliveryFact() as event:
                self.deliveries[event.delivery] = event
            case _:
                return

    async def _new_on(self, topic: str) -> Iterator[Received]:
        everything = await self.log.read("overview", topic, READ_AT_ONCE)
        new = everything[self._read[topic] :]
        self._read[topic] = len(everything)
        return iter(new)


def tally(things: Iterable[object]) -> dict[str, int]:
    """How many of each, the most frequent first."""
    return {str(thing): count for thing, count in Counter(things).most_common()}


def _told(record: Received) -> Told:
    envelope = Envelope.parse(record.headers, key=record.key.decode())
    return Told(envelope.time, envelope.id, TYPES[envelope.type].decode(record.value or b""))


def _dead_letter(topic: str, record: Received) -> DeadLetter:
    headers = {name: value.decode() for name, value in record.headers}
    return DeadLetter(topic.removeprefix("dlq-"), record.key.decode(), headers["amont_dlq_reason"], headers["amont_dlq_detail"])
