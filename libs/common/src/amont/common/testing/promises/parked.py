"""Dead letters, counted record by record: a record is known by its place on the log, and so are the letter about it and its copy on the dead-letter topic.

What is exact: each poisoned record has one letter in the store, and nobody else has one but who followed a letter under its key. On the topic each of
them is at least once, and again at most once for each further time that its record was handed over (a crash, a move or an outage came between telling and
committing) or that telling it got no answer. Who was told to be parked and then taken after all, since a crash came before the letter was kept and the
fault was mended meanwhile, is on the topic and has no letter: so it may be with records that are not poison everywhere.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from amont.common.events.topics import dead_letters_of
from amont.common.log import Received
from amont.common.testing.promises.evidence import Evidence, Place

FOLLOWS_A_PARKED_ONE = "blocked-by"
"""The reason of a dead letter that is one only because an earlier record of its key is."""
KEPT_FOR = timedelta(days=30)
"""How long a letter is kept that nobody does anything about."""
LETTERS = "dead_letters"


class Told(NamedTuple):
    """A record on a dead-letter topic."""

    place: Place
    key: bytes
    value: bytes | None
    reason: str
    at: datetime

    @property
    def follows(self) -> bool:
        return self.reason == FOLLOWS_A_PARKED_ONE


def told_by(evidence: Evidence, service: str) -> list[Told]:
    """What a service has put on its dead-letter topic."""
    return [_told(record) for record in evidence.log.get(dead_letters_of(service), ())]


def _told(record: Received) -> Told:
    why = {name.removeprefix("amont_dlq_"): (value or b"").decode() for name, value in record.headers if name.startswith("amont_dlq_")}
    place = Place(why["topic"], int(why["partition"]), int(why["offset"]))
    return Told(place, record.key, record.value, why["reason"], datetime.fromisoformat(why["at"]))


class Parked:
    """What one service has parked, and each way in which that may be wrong, in words."""

    def __init__(self, evidence: Evidence, service: str) -> None:
        self._evidence, self._service = evidence, service
        self._told = told_by(evidence, service)
        self._letters = {
            Place(one["topic"], one["partition"], one["offset"]): str(one["reason"])
            for one in evidence.documents.get(service, {}).get(LETTERS, ())
        }
        self._poison = {(one.key, one.value, one.reason): one.everywhere for one in evidence.poison.get(service, ())}

    def faults(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Each kind of fault, with its culprits."""
        yield "poison that nobody parked", [*self._never_told(), *self._not_told_here()]
        yield (
            "parked, and no poison",
            sorted({f"{one.key!r} {one.reason}" for one in self._told if not one.follows and not self._is_poison(one)}),
        )
        yield "parked behind nothing", self._behind_nothing()
        yield "parked more often than it was handed over", self._too_often()
        yield "parked poison without its letter", self._without_letter()
        yield (
            "letters about what was never parked",
            [str(one) for one in sorted(self._letters.keys() - {told.place for told in self._told})],
        )

    def _is_poison(self, one: Told) -> bool:
        return (one.key, one.value, one.reason) in self._poison

    def _never_told(self) -> list[str]:
        there = {(one.key, one.value, one.reason) for one in self._told}
        return sorted(f"{key!r} {reason}" for key, _, reason in self._poison.keys() - there)

    def _not_told_here(self) -> list[str]:
        """Poison that is on the log more than once is parked as often."""
        everywhere = {(key, value) for (key, value, _), all_of_it in self._poison.items() if all_of_it}
        topics = {one.place.topic for one in self._told if (one.key, one.value) in everywhere}
        there = {one.place for one in self._told}
        return [
            f"{record.key!r} at {place}"
            for topic in sorted(topics)
            for record in self._evidence.log.get(topic, ())
            if (record.key, record.value) in everywhere and (place := Place(topic, record.partition, record.offset)) not in there
        ]

    def _behind_nothing(self) -> list[str]:
        """Who follows a letter comes after it; only what is the first of its key has a reason of its own."""
        first: dict[tuple[str, bytes, int], int] = {}
        for one in self._told:
            lane = one.place.topic, one.key, one.place.partition
            if not one.follows:
                first[lane] = min(one.place.offset, first.get(lane, one.place.offset))
        late = [
            one
            for one in self._told
            if one.follows and first.get((one.place.topic, one.key, one.place.partition), one.place.offset) >= one.place.offset
        ]
        return sorted({repr(one.key) for one in late})

    def _too_often(self) -> list[str]:
        if self._evidence.may_be_parked is None:
            return []
        may: Mapping[Place, int] = self._evidence.may_be_parked.get(self._service, {})
        times = Counter(one.place for one in self._told)
        return [
            f"{place} ({count} times, {may.get(place, 0)} may be)" for place, count in sorted(times.items()) if count > may.get(place, 0)
        ]

    def _without_letter(self) -> list[str]:
        if LETTERS not in self._evidence.documents.get(self._service, {}):
            return []
        said: dict[Place, set[str]] = defaultdict(set)
        for one in self._told:
            if self._poison.get((one.key, one.value, one.reason)) and not self._forgotten(one):
                said[one.place].add(one.reason)
        return [f"{place} ({', '.join(reasons)})" for place, reasons in sorted(said.items()) if self._letters.get(place) not in reasons]

    def _forgotten(self, one: Told) -> bool:
        return self._evidence.ended_at is not None and self._evidence.ended_at - one.at >= KEPT_FOR
