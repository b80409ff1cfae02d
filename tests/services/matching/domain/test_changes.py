"""The smallest change that would open candidates: held against trying every change there is with the definition."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.matching.domain.pools import THOROUGHNESS, mentee, mentor, pool_of, random_policy, random_pool

from amont.matching.domain.change import Change
from amont.matching.domain.engine import Engine
from amont.matching.domain.engine.columns import compact
from amont.matching.domain.engine.explaining import RULES, obstacles
from amont.matching.domain.hours import DAYS, Clock, common_half_hours, half_hours, merged_windows
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool, PoolPerson
from amont.matching.domain.rules import Profile
from amont.matching.domain.scorer import Scorer

ORDINARY, SPRING, AUTUMN = date(2027, 1, 11), date(2027, 3, 22), date(2027, 10, 25)
"""In two of these weeks Europe's clocks change, on Sunday."""

DAY_LEFT_OUT = date(2011, 12, 26)
"""The Friday of that week was left out in Samoa."""


def only_broken(scorer: Scorer, person: PoolPerson, rule: Rule) -> list[Profile]:
    """Those with whom that rule fails and no other."""
    others = scorer.in_role("mentor" if person.role == "mentee" else "mentee")
    pairs = {id_: (person.id, id_) if person.role == "mentee" else (id_, person.id) for id_ in others}
    return [others[id_] for id_, pair in pairs.items() if scorer.all_broken(*pair) == (rule,)]


def stretches(person: PoolPerson, clock: Clock, length: int) -> Iterator[tuple[int, str]]:
    for start in range(336):
        end = start + length
        free = (last <= start or end <= first for first, last in merged_windows(person.availability))
        if start // 48 == (end - 1) // 48 and clock.shown[start] and clock.shown[end] and all(free):
            at, until = start % 48, start % 48 + length
            yield start, f"{DAYS[start // 48]} {at // 2:02d}:{at % 2 * 30:02d}-{until // 2:02d}:{until % 2 * 30:02d}"


def slowly(pool: Pool, scorer: Scorer, person: PoolPerson) -> Change | None:
    """Every stretch and every language there is, tried one after the other."""
    clock = Clock.of(person.zone, pool.week_of)
    short = [other.free for other in only_broken(scorer, person, Rule.COMMON_HOURS)]
    for length in range(1, 49 if short else 0):
        counts: dict[tuple[int, str], int] = {}
        for start, window in stretches(person, clock, length):
            free = half_hours((*person.availability, window), person.zone, pool.week_of)
            counts[-start, window] = sum(common_half_hours(free, other) >= 2 * scorer.policy.min_common_hours for other in short)
        (_, window), most = max(counts.items(), key=lambda item: (item[1], item[0][0]), default=((0, ""), 0))
        if most:
            return Change(kind="hours", opens=most, half_hours=length, window=window)
    tags = Counter(tag for other in only_broken(scorer, person, Rule.SHARED_LANGUAGE) for tag in other.person.languages)
    tag, most = min(tags.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    return Change(kind="language", opens=most, language=tag) if most else None


def a_pool(random: Random, week: date) -> tuple[Pool, Policy]:
    """Few hours, so that they are often what fails, in zones whose clocks differ by quarters of an hour too, or change in that week."""
    pool = replace(random_pool(random, random.randint(1, 6), random.randint(1, 6)), week_of=week, pinned=())
    zones = random.choice(
        [["Europe/Paris"], ["Asia/Kathmandu", "Europe/Paris"], ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]]
    )
    people = {
        one.id: replace(
            one, zone=random.choice(zones), availability=tuple(random.sample(WINDOWS, random.randint(0, 5))), grade=random.choice([5, 6, 9])
        )
        for one in pool.people
    }
    pool = replace(pool, people=tuple(replace(people[one.id], role=one.role, topics=one.topics) for one in pool.people))
    hours = random.choice([1, 1, 2, 2, 3, 9])
    return pool, random_policy(random, off=frozenset(), min_common_hours=hours, max_zone_hours=26, across="none")


@settings(deadline=None, max_examples=int(25 * THOROUGHNESS))
@given(random=st.randoms(use_true_random=False), week=st.sampled_from([ORDINARY, SPRING, AUTUMN, DAY_LEFT_OUT]))
def test_no_smaller_change_opens_anybody_and_none_as_small_opens_more(random: Random, week: date) -> None:
    pool, policy = a_pool(random, week)
    scorer, whole = Scorer(pool, policy), compact(pool, policy)
    people = {(one.role, one.id): one for one in pool.people}
    everybody = [people["mentee", id_] for id_ in whole.mentee_ids] + [people["mentor", id_] for id_ in whole.mentor_ids]
    rows, columns = np.arange(len(whole.row), dtype=np.int32), np.arange(len(whole.column), dtype=np.int32)
    for person, (counts, change) in zip(everybody, obstacles(pool, whole, rows, columns, threads=2), strict=True):
        assert change == slowly(pool, scorer, person)
        others = scorer.in_role("mentor" if person.role == "mentee" else "mentee")
        first = Counter(scorer.first_broken(*((person.id, id_) if person.role == "mentee" else (id_, person.id))) for id_ in others)
        assert counts == [first[rule] for rule in (*RULES, None)]


def test_the_pools_of_this_page_have_changes_of_every_kind() -> None:
    """Or the test above would show little."""
    found: Counter[tuple[str, bool]] = Counter()
    for seed in range(80):
        pool, policy = a_pool(Random(seed), SPRING)
        whole = compact(pool, policy)
        rows, columns = np.arange(len(whole.row), dtype=np.int32), np.arange(len(whole.column), dtype=np.int32)
        for _, change in obstacles(pool, whole, rows, columns, threads=1):
            found[change.kind if change else "none", bool(change and change.half_hours > 4)] += 1
    assert min(found[one] for one in (("hours", False), ("hours", True), ("language", False), ("none", False))) > 3


def test_what_opens_somebody_far_away_on_the_same_day_is_found_beside_those_who_never_can() -> None:
    """One lacks an hour that lies in two days, one an hour whose halves are nine hours apart."""
    pool = pool_of(
        mentee(id="e", zone="UTC", availability=("wed 09:00-10:00",)),
        mentor(id="m", zone="UTC", availability=("mon 09:00-09:30", "mon 18:00-18:30", "wed 09:00-10:00")),
        mentor(id="n", zone="UTC", availability=("mon 09:00-09:30", "tue 18:00-18:30", "wed 09:00-10:00")),
    )
    assert alone_of(pool)["e"] == Change(kind="hours", opens=1, half_hours=19, window="mon 09:00-18:30")


WINDOWS = [
    "mon 09:00-10:30",
    "mon 10:30-12:00",
    "tue 22:30-24:00",
    "wed 00:00-01:00",
    "sun 00:30-01:30",
    "sun 02:30-04:00",
    "thu 20:00-24:00",
    "fri 00:00-08:00",
    "sat 00:00-06:30",
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
