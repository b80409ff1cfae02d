"""A roll is the sequence of people that it was made of, and what it says in columns is what they say."""

from dataclasses import replace
from datetime import date
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.matching.domain.pools import MENTEE, MENTOR, random_pool

from amont.matching.domain.engine.clocks import free_half_hours
from amont.matching.domain.engine.numbering import week_bits
from amont.matching.domain.hours import DAYS, half_hours
from amont.matching.domain.pool import PoolPerson
from amont.matching.domain.roll import FIELDS, Roll, Writing

WEEKS = [date(2027, 1, 11), date(2027, 3, 8), date(2027, 3, 22), date(2027, 10, 4), date(2027, 10, 25), date(1970, 1, 5)]
"""A quiet one, and those in which clocks change in New York, Paris and on Lord Howe Island."""
ZONES = ["Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati", "Etc/GMT+12", "Pacific/Apia"]


@st.composite
def windows(draw: st.DrawFn) -> str:
    start = draw(st.integers(0, 47))
    end = draw(st.integers(start + 1, 48))
    return f"{draw(st.sampled_from(DAYS))} {start // 2:02}:{30 * (start % 2):02}-{end // 2:02}:{30 * (end % 2):02}"


def somebody(seed: int) -> tuple[PoolPerson, ...]:
    random = Random(seed)
    return tuple(random_pool(random, random.randint(0, 9), random.randint(0, 9)).people)


@pytest.mark.parametrize("seed", range(20))
def test_a_roll_is_the_sequence_of_its_people(seed: int) -> None:
    people = somebody(seed)
    roll = Roll.of(people)
    assert (len(roll), tuple(roll), roll == people, Roll.of(roll) is roll) == (len(people), people, True, True)
    assert [roll[place] for place in range(-len(people), len(people))] == [*people, *people]
    assert (roll[2:5], roll[::-1]) == (people[2:5], people[::-1])
    assert tuple(roll.in_role("mentor")) == tuple(person for person in people if person.role == "mentor")


@pytest.mark.parametrize("seed", range(20))
def test_people_written_one_by_one_and_all_at_once_make_the_same_columns(seed: int) -> None:
    writing, people = Writing(), somebody(seed)
    for person in people:
        writing.add([getattr(person, field) for field in FIELDS])
    one, other = writing.roll(), Roll.of(people)
    assert (one.ids, one.values) == (other.ids, other.values)
    assert one.column.keys() == other.column.keys()
    arrays = [[*(roll.column[field] for field in one.column), *roll.windows, *roll.topics, roll.levels] for roll in (one, other)]
    assert all(mine.dtype == theirs.dtype and np.array_equal(mine, theirs) for mine, theirs in zip(*arrays, strict=True))


def test_people_beyond_the_end_are_nobody() -> None:
    with pytest.raises(IndexError):
        Roll.of((MENTEE,))[1]


def test_a_roll_of_others_is_another_one() -> None:
    roll = Roll.of((MENTEE, MENTOR))
    assert roll != (MENTEE,)
    assert roll != (MENTEE, replace(MENTOR, topics={"ai": 2}))
    assert roll != [MENTEE, MENTOR]
    assert roll != Roll.of((MENTOR, MENTEE))


@given(st.integers(0, 10_000), st.randoms())
def test_those_who_are_taken_say_what_they_said(seed: int, random: Random) -> None:
    people = somebody(seed)
    places = [random.randrange(len(people)) for _ in range(random.randint(0, 9))] if people else []
    assert tuple(Roll.of(people).taken(np.array(places, np.int32))) == tuple(people[place] for place in places)


@settings(max_examples=200)
@given(
    st.sampled_from(WEEKS),
    st.lists(st.tuples(st.sampled_from(ZONES), st.lists(windows(), max_size=6)), max_size=8),
)
def test_everybody_s_free_half_hours_are_those_of_the_definition(week_of: date, said: list[tuple[str, list[str]]]) -> None:
    people = tuple(replace(MENTEE, id=str(place), zone=zone, availability=tuple(free)) for place, (zone, free) in enumerate(said))
    found = free_half_hours(Roll.of(people), week_of)
    assert [week_bits(row) for row in found] == [half_hours(one.availability, one.zone, week_of) for one in people]


def test_a_window_that_nobody_can_read_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a window"):
        free_half_hours(Roll.of((replace(MENTEE, availability=("whenever",)),)), WEEKS[0])
