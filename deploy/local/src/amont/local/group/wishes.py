"""Who wants to take part, and with what: executives as mentees, juniors as mentors, and a few who may not (too senior, too new, on leave)."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from amont.common.events.values import Meeting, Role
from amont.local.group.staff import REFUSED, Person
from amont.local.group.words import TOPICS

DAYS = ("mon", "tue", "wed", "thu", "fri")
MENTEE_FROM, MENTOR_UP_TO, NEW_FOR = 10, 9, timedelta(days=183)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One enrolment form. `likely` is false when the programme's rules stand against it."""

    person: str
    role: Role
    topics: dict[str, int]
    languages: tuple[str, ...]
    availability: tuple[str, ...]
    meeting: Meeting
    capacity: int = 1
    charter_accepted: bool = True
    likely: bool = True

    def body(self) -> dict[str, Any]:
        """The form as the HTTP API takes it, without whose it is."""
        return {
            "role": self.role.value,
            "topics": self.topics,
            "languages": list(self.languages),
            "availability": list(self.availability),
            "meeting": self.meeting.value,
            "capacity": self.capacity,
            "charter_accepted": self.charter_accepted,
        }


def wished(seed: random.Random, people: Sequence[Person], count: int, today: date) -> list[Wish]:
    """About `count` wishes: a little over a quarter from executives, six from juniors, one from people who may not."""
    known = [person for person in people if person.dirt not in REFUSED]
    here = [person for person in known if not person.on_leave]
    mentees = [person for person in here if MENTEE_FROM <= person.band < 20]
    mentors = [person for person in here if person.band <= 8 and today - person.joined_on > NEW_FOR]
    chosen = [
        *((person, Role.MENTEE, True) for person in _some(seed, mentees, count * 27 // 100)),
        *((person, Role.MENTOR, True) for person in _some(seed, mentors, count * 3 // 5)),
        *((person, role, False) for person, role in _unlikely(seed, known, max(4, count // 10), today)),
    ]
    wishes = [_wish(seed, person, role, likely=likely) for person, role, likely in _once_each(chosen)]
    wishes = [_hasty(wish) if at == 0 else wish for at, wish in enumerate(wishes)]
    seed.shuffle(wishes)
    return wishes


def _unlikely(seed: random.Random, people: Sequence[Person], count: int, today: date) -> Iterable[tuple[Person, Role]]:
    """In equal parts: too senior to mentor, too junior to be mentored, too new, away."""
    each = max(1, count // 4)
    present = [person for person in people if not person.on_leave]
    too_new = [person for person in present if person.band <= MENTOR_UP_TO and today - person.joined_on < NEW_FOR - timedelta(days=3)]
    yield from ((person, Role.MENTOR) for person in _some(seed, [one for one in present if one.band > MENTOR_UP_TO], each))
    yield from ((person, Role.MENTEE) for person in _some(seed, [one for one in present if one.band < MENTEE_FROM - 3], each))
    yield from ((person, Role.MENTOR) for person in _some(seed, too_new, each))
    yield from ((person, Role.MENTOR) for person in _some(seed, [one for one in people if one.on_leave and one.band <= MENTOR_UP_TO], each))


def _once_each(chosen: Iterable[tuple[Person, Role, bool]]) -> list[tuple[Person, Role, bool]]:
    first: dict[str, tuple[Person, Role, bool]] = {}
    for one in chosen:
        first.setdefault(one[0].id, one)
    return list(first.values())


def _wish(seed: random.Random, person: Person, role: Role, *, likely: bool) -> Wish:
    mentor = role is Role.MENTOR
    topics = seed.sample(TOPICS, seed.choice((3, 4, 4, 5)) if mentor else seed.choice((2, 2, 3)))
    return Wish(
        person=person.id,
        role=role,
        topics={topic: seed.choice((2, 2, 3, 3, 1) if mentor else (1, 2, 3)) for topic in sorted(topics)},
        languages=person.languages,
        availability=_windows(seed, mentor=mentor),
        meeting=seed.choices((Meeting.EITHER, Meeting.REMOTE, Meeting.IN_PERSON), (6, 3, 1))[0],
        capacity=2 if mentor and seed.random() < 0.15 else 1,
        likely=likely,
    )


def _windows(seed: random.Random, *, mentor: bool) -> tuple[str, ...]:
    """Juniors have four or five mornings or afternoons a week, executives three or four shorter ones."""
    days = sorted(seed.sample(DAYS, seed.choice((4, 5) if mentor else (3, 4))), key=DAYS.index)
    windows = []
    for day in days:
        morning = seed.random() < 0.5
        begin = seed.choice((8, 9) if morning else (13, 14))
        half = seed.choice(("00", "30"))
        windows.append(f"{day} {begin:02d}:{half}-{begin + (4 if mentor else 3):02d}:00")
    return tuple(windows)


def _hasty(wish: Wish) -> Wish:
    """Somebody always sends the form before reading the charter."""
    return Wish(
        person=wish.person,
        role=wish.role,
        topics=wish.topics,
        languages=wish.languages,
        availability=wish.availability,
        meeting=wish.meeting,
        capacity=wish.capacity,
        charter_accepted=False,
        likely=False,
    )


def _some(seed: random.Random, people: Sequence[Person], count: int) -> list[Person]:
    return seed.sample(list(people), min(count, len(people)))
