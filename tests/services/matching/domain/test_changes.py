"""The smallest change that would open candidates: held against trying every change there is with the definition."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from tests.services.matching.domain.pools import mentee, mentor, pool_of, random_policy, random_pool

from amont.matching.domain.change import Change
from amont.matching.domain.engine import Engine
from amont.matching.domain.hours import DAYS, Clock, merged_windows
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool, PoolPerson
from amont.matching.domain.scorer import Scorer

SPRING, AUTUMN = date(2027, 3, 22), date(2027, 10, 25)
"""Weeks in which Europe's clocks change, on Sunday."""


def allowed(pool: Pool, policy: Policy, person: PoolPerson) -> set[str]:
    scorer = Scorer(pool, policy)
    if person.role == "mentee":
        return {other for other in scorer.mentors if scorer.allowed(person.id, other)}
    return {other for other in scorer.mentees if scorer.allowed(other, person.id)}


def opened(pool: Pool, policy: Policy, person: PoolPerson, changed: PoolPerson) -> int:
    """How many candidates the change makes allowed that were not; in this role, whatever it does to another one."""
    other = replace(pool, people=tuple(changed if one is person else one for one in pool.people))
    return len(allowed(other, policy, changed) - allowed(pool, policy, person))


def stretches(person: PoolPerson, clock: Clock, length: int) -> Iterator[tuple[int, str]]:
    for start in range(336):
        end = start + length
        free = (last <= start or end <= first for first, last in merged_windows(person.availability))
        if start // 48 == (end - 1) // 48 and clock.shown[start] and clock.shown[end] and all(free):
            at, until = start % 48, start % 48 + length
            yield start, f"{DAYS[start // 48]} {at // 2:02d}:{at % 2 * 30:02d}-{until // 2:02d}:{until % 2 * 30:02d}"


def slowly(pool: Pool, policy: Policy, person: PoolPerson) -> Change | None:
    clock = Clock.of(person.zone, pool.week_of)
    always = replace(person, availability=tuple(f"{day} 00:00-24:00" for day in DAYS))
    for length in range(1, 49 if opened(pool, policy, person, always) else 0):
        counts = {
            (start, window): opened(pool, policy, person, replace(person, availability=(*person.availability, window)))
            for start, window in stretches(person, clock, length)
        }
        (_, window), most = max(counts.items(), key=lambda item: (item[1], -item[0][0]), default=((0, ""), 0))
        if most:
            return Change(kind="hours", opens=most, half_hours=length, window=window)
    tags = Counter(
        {
            tag: opened(pool, policy, person, replace(person, languages=person.languages | {tag}))
            for tag in {tag for one in pool.people for tag in one.languages}
        }
    )
    tag, most = min(tags.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    return Change(kind="language", opens=most, language=tag) if most else None


@pytest.mark.parametrize("week", [None, SPRING, AUTUMN])
def test_no_smaller_change_opens_anybody_and_none_as_small_opens_more(week: date | None) -> None:
    kinds: Counter[str] = Counter()
    for seed in range(6):
        random = Random(f"{seed} {week}")
        pool = random_pool(random, random.randint(2, 4), random.randint(2, 4))
        pool = replace(pool, week_of=week or pool.week_of, pinned=())
        people = tuple(replace(one, availability=tuple(random.sample(WINDOWS, random.randint(0, 2)))) for one in pool.people)
        pool = replace(pool, people=tuple({one.id: one for one in people}.values()))
        policy = replace(random_policy(random, off=frozenset(), min_common_hours=random.choice([1, 1, 2]), max_zone_hours=26))
        by_id = {(one.id, one.role): one for one in pool.people}
        for alone in Engine(threads=1).solve(pool, policy, explain=True).unmatched:
            expected = slowly(pool, policy, by_id[alone.id, alone.role])
            assert alone.change == expected, (seed, alone)
            kinds[expected.kind if expected else "none"] += 1
    assert min(kinds[kind] for kind in ("hours", "none")) > 0


WINDOWS = [
    "mon 09:00-10:30",
    "mon 10:30-12:00",
    "tue 22:30-24:00",
    "wed 00:00-01:00",
    "sun 00:30-01:30",
    "sun 02:30-04:00",
    "sun 22:00-24:00",
]


def alone_of(pool: Pool) -> dict[str, Change | None]:
    return {one.id: one.change for one in Engine(threads=1).solve(pool, Policy(), explain=True).unmatched}


def test_hours_of_ones_own_day() -> None:
    """An hour is lacking; in Tokyo's time it is in the evening."""
    pool = pool_of(
        mentee(id="e", zone="Asia/Tokyo", availability=("mon 17:00-18:00", "tue 20:00-20:30")),
        mentor(id="m", zone="Europe/Paris", availability=("mon 09:00-12:00",)),
        mentor(id="n", zone="Europe/Paris", availability=("mon 09:00-11:00", "tue 08:00-08:30")),
    )
    pool = replace(pool, people=tuple(replace(one, zone="Europe/Moscow") if one.id == "e" else one for one in pool.people))
    assert alone_of(pool)["e"] == Change(kind="hours", opens=2, half_hours=4, window="mon 11:00-13:00")


def test_a_language_where_no_hour_helps() -> None:
    pool = pool_of(
        mentee(languages=frozenset({"it"})), mentor(languages=frozenset({"de", "fr"})), mentor(id="m", languages=frozenset({"fr"}))
    )
    assert alone_of(pool)["fr:e42"] == Change(kind="language", opens=2, language="fr")


def test_nothing_helps_somebody_who_is_of_the_wrong_grade() -> None:
    assert alone_of(pool_of(mentee(), mentor(grade=9, availability=()))) == {"fr:e42": None, "de:e5": None}


HOURS = Change(kind="hours", opens=12, half_hours=4, window="tue 14:00-16:00")


@pytest.mark.parametrize(
    ("change", "english", "french"),
    [
        (
            HOURS,
            "two more hours on Tuesday, from 14:00 to 16:00, would open 12 candidates",
            "deux heures de plus le mardi, de 14:00 à 16:00, donneraient 12 candidats",
        ),
        (
            replace(HOURS, opens=1, half_hours=1, window="sun 23:30-24:00"),
            "half an hour more on Sunday, from 23:30 to 24:00, would open 1 candidate",
            "une demi-heure de plus le dimanche, de 23:30 à 24:00, donnerait 1 candidat",
        ),
        (
            replace(HOURS, half_hours=2, window="mon 08:00-09:00"),
            "one more hour on Monday, from 08:00 to 09:00, would open 12 candidates",
            "une heure de plus le lundi, de 08:00 à 09:00, donnerait 12 candidats",
        ),
        (
            replace(HOURS, half_hours=27, window="mon 08:00-21:30"),
            "13 and a half more hours on Monday, from 08:00 to 21:30, would open 12 candidates",
            "13 heures et demie de plus le lundi, de 08:00 à 21:30, donneraient 12 candidats",
        ),
        (
            Change(kind="language", opens=8, language="fr"),
            "speaking French would open 8 candidates",
            "parler français donnerait 8 candidats",
        ),
        (Change(kind="language", opens=1, language="qqx"), "speaking qqx would open 1 candidate", "parler qqx donnerait 1 candidat"),
    ],
)
def test_what_it_says(change: Change, english: str, french: str) -> None:
    assert (change.in_english(), change.in_french()) == (english, french)
