"""People, pools and policies for the tests of this folder: a pair that breaks no rule, and as many random ones as wanted."""

import os
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

from amont.matching.domain.policy import Policy, Rule, Weights
from amont.matching.domain.pool import Pool, PoolPerson

WEEK = date(2027, 1, 11)

THOROUGHNESS = float(os.environ.get("AMONT_TEST_THOROUGHNESS", "1"))
"""How many times as many made-up pools as usual the engine's tests are to try: 10 takes some minutes."""

MENTEE = PoolPerson(
    id="fr:e42",
    role="mentee",
    capacity=1,
    grade=9,
    subsidiary="fr",
    business_unit="retail",
    team="t-17",
    function="finance",
    site="FR-PAR",
    zone="Europe/Paris",
    languages=frozenset({"fr", "en"}),
    meeting="either",
    availability=("mon 09:00-11:30", "thu 14:00-16:00"),
    topics={"ai": 3, "social-media": 1},
)
MENTOR = PoolPerson(
    id="de:e5",
    role="mentor",
    capacity=2,
    grade=5,
    subsidiary="de",
    business_unit="risk",
    team="t-3",
    function="it",
    site="DE-FRA",
    zone="Europe/Berlin",
    languages=frozenset({"de", "en"}),
    meeting="remote",
    availability=("mon 08:00-12:00", "thu 15:00-18:00"),
    topics={"ai": 3},
)


def mentee(**changes: Any) -> PoolPerson:
    return replace(MENTEE, **changes)


def mentor(**changes: Any) -> PoolPerson:
    return replace(MENTOR, **changes)


def pool_of(*people: PoolPerson, **other: Any) -> Pool:
    return Pool(**{"programme": "digital-2027", "seed": "round-3", "week_of": WEEK, "people": people, **other})


def some(random: Random, values: list[Any], least: int = 0) -> list[Any]:
    return random.sample(values, random.randint(least, len(values)))


def random_person(random: Random, place: int) -> PoolPerson:
    """A mentee; few values to choose from, so that rules remove some candidates and scores are often equal."""
    return PoolPerson(
        id=f"p{place}",
        role="mentee",
        capacity=1,
        grade=random.randint(6, 9),
        subsidiary=random.choice(["fr", "de", "it"]),
        business_unit=random.choice(["retail", "risk", ""]),
        team=random.choice(["t1", "t2", ""]),
        function=random.choice(["it", "hr", ""]),
        site=random.choice(["PAR", "FRA", ""]),
        zone=random.choice(["Europe/Paris", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"]),
        languages=frozenset(some(random, ["en", "fr", "de"], least=1)),
        meeting=random.choice(["either", "either", "remote", "in-person"]),
        availability=tuple(some(random, ["mon 08:00-14:30", "tue 09:00-12:00", "tue 11:00-18:00", "sun 18:00-24:00"], least=2)),
        topics={topic: random.randint(1, 3) for topic in some(random, ["ai", "data", "green"], least=1)},
    )


def random_mentor(random: Random, place: int, mentees: list[PoolPerson]) -> PoolPerson:
    """A mentor, now and then somebody who is a mentee too."""
    both = place < len(mentees) and random.randint(0, 5) == 0
    person = mentees[place] if both else replace(random_person(random, place), id=f"q{place}", grade=random.randint(3, 7))
    return replace(
        person, role="mentor", capacity=random.choice([1, 1, 2]), topics={topic: random.randint(1, 3) for topic in ("ai", "data")}
    )


def random_pool(random: Random, mentees: int, mentors: int) -> Pool:
    wishing = [random_person(random, place) for place in range(mentees)]
    offering = [random_mentor(random, place, wishing) for place in range(mentors)]
    people = [*wishing, *offering]
    ids = [person.id for person in people] or ["nobody"]
    couples = [(one.id, other.id) for one in wishing for other in offering]
    return pool_of(
        *people,
        managers={f"p{place}": (random.choice(ids),) for place in range(1, mentees) if random.randint(0, 3) == 0},
        forbidden=tuple(some(random, couples)[:2]),
        current=tuple(some(random, couples)[:3]),
        pinned=tuple(random_pins(random, wishing, offering)),
    )


def random_pins(random: Random, mentees: list[PoolPerson], mentors: list[PoolPerson]) -> list[tuple[str, str]]:
    if not mentees or not mentors:
        return []
    pins = {random.choice(mentees).id: random.choice(mentors) for _ in range(random.choice([0, 0, 1, 2]))}
    places = {person.id: person.capacity for person in mentors}
    made = []
    for one, other in pins.items():
        if one != other.id and places[other.id]:
            places[other.id] -= 1
            made.append((one, other.id))
    return made


def random_policy(random: Random, **fixed: Any) -> Policy:
    switchable = [rule for rule in Rule if rule is not Rule.TWO_PEOPLE]
    chosen: dict[str, Any] = {
        "min_grade_gap": random.choice([-3, 0, 1, 2]),
        "across": random.choice(["subsidiary", "business_unit", "none"]),
        "max_zone_hours": random.choice([0, 4, 6, 26]),
        "min_common_hours": random.choice([0, 1, 3]),
        "off": frozenset(some(random, switchable)[:2]),
        "weights": random.choice(
            [
                Weights(topics=600, function=120, hours=120, grade_gap=80, meeting=80),
                Weights(topics=0, function=500, hours=0, grade_gap=0, meeting=500),
            ]
        ),
        "min_score": random.choice([0, 400, 700]),
        "stickiness": random.choice([0, 20, 1000]),
        "pins_override": True,
    }
    return Policy(**{**chosen, **fixed})
