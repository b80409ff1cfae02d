"""Made-up pools for the engine's benchmark: ten subsidiaries in as many time zones, a management tree with dotted lines, as many mentees as mentors."""

from datetime import date

import numpy as np

from amont.matching.domain.pool import Meeting, Pool, PoolPerson, Role

PLACES = (
    ("fr", "Europe/Paris", ("fr", "en"), 0.30),
    ("de", "Europe/Berlin", ("de", "en"), 0.14),
    ("it", "Europe/Rome", ("it", "en", "fr"), 0.10),
    ("es", "Europe/Madrid", ("es", "en", "fr"), 0.08),
    ("uk", "Europe/London", ("en", "fr"), 0.10),
    ("us", "America/New_York", ("en", "es"), 0.10),
    ("br", "America/Sao_Paulo", ("pt", "en", "es"), 0.05),
    ("in", "Asia/Kolkata", ("en", "hi"), 0.05),
    ("sg", "Asia/Singapore", ("en", "zh"), 0.03),
    ("ma", "Africa/Casablanca", ("fr", "ar", "en"), 0.05),
)
FUNCTIONS = ("finance", "it", "hr", "sales", "marketing", "legal", "risk", "operations", "research", "supply", "audit", "communication")
MEETINGS: tuple[Meeting, ...] = ("either", "remote", "in-person")
DAYS = ("mon", "tue", "wed", "thu", "fri")
TOPICS = 30


def made_up(side: int, seed: int = 1) -> Pool:
    """`side` mentees and as many mentors, a fifth of them with two places; the same people for the same numbers."""
    dice = np.random.default_rng(seed)
    where = dice.choice(len(PLACES), size=2 * side, p=[place[3] for place in PLACES])
    people = tuple(_person(dice, number, "mentee" if number < side else "mentor", int(where[number]), side) for number in range(2 * side))
    ids = [person.id for person in people]
    order = dice.permutation(side)
    managers = {ids[below]: (ids[order[(place - 1) // 6]],) for place, below in enumerate(order) if place}
    managers |= {ids[number]: (ids[int(dice.integers(side))],) for number in range(side, 2 * side)}
    for number in dice.choice(np.arange(side, 2 * side), size=side * 3 // 100, replace=False):
        managers[ids[number]] = tuple(dict.fromkeys((*managers[ids[number]], ids[int(dice.integers(side))])))
    return Pool(programme="made-up", seed="bench", week_of=date(2027, 1, 11), people=people, managers=managers)


def _person(dice: np.random.Generator, number: int, role: Role, where: int, side: int) -> PoolPerson:
    tenant, zone, spoken, _ = PLACES[where]
    return PoolPerson(
        id=f"{tenant}:{role}-{number}",
        role=role,
        capacity=2 if role == "mentor" and dice.random() < 0.2 else 1,
        grade=int(dice.integers(8, 16) if role == "mentee" else dice.integers(2, 9)),
        subsidiary=tenant,
        business_unit=f"unit-{dice.integers(6)}",
        team=f"team-{dice.integers(max(2, side // 10))}",
        function=FUNCTIONS[dice.integers(len(FUNCTIONS))],
        site=f"{tenant}-{dice.integers(8)}",
        zone=zone,
        languages=frozenset({spoken[0], *(tag for tag in spoken[1:] if dice.random() < (0.8 if tag == "en" else 0.3))}),
        meeting=MEETINGS[dice.choice(3, p=(0.6, 0.3, 0.1))],
        availability=tuple(_window(dice, int(day)) for day in dice.choice(5, size=dice.integers(2, 5), replace=False)),
        topics={f"topic-{topic:02}": int(dice.integers(1, 4)) for topic in dice.choice(TOPICS, size=dice.integers(3, 7), replace=False)},
    )


def _window(dice: np.random.Generator, day: int) -> str:
    start = int(dice.integers(16, 32))
    end = min(start + int(dice.integers(3, 9)), 40)
    return f"{DAYS[day]} {start // 2:02}:{30 * (start % 2):02}-{end // 2:02}:{30 * (end % 2):02}"
