"""The slot finder against examples worked out by hand, and against a slow oracle that looks at both wall clocks minute by minute."""

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo
from zoneinfo._zoneinfo import ZoneInfo as ReadableZone

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from amont.scheduling.domain.appointment import Appointment
from amont.scheduling.domain.slots import InvalidWindows, Slot, Spread, Windows, find_slots

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def mentee(zone: str, *windows: str) -> Windows:
    return Windows("fr:e42", zone, windows)


def mentor(zone: str, *windows: str) -> Windows:
    return Windows("de:e5", zone, windows)


def starts(slots: Iterable[Slot]) -> list[str]:
    return [slot.start.strftime("%Y-%m-%d %H:%M") for slot in slots]


def found(one: Windows, other: Windows, first: str, last: str, *, minutes: int = 60, limit: int = 100, **more: Any) -> list[str]:
    return starts(find_slots(one, other, after=utc(first), until=utc(last), minutes=minutes, limit=limit, **more))


def test_two_people_on_the_same_clock_meet_where_their_windows_overlap() -> None:
    slots = find_slots(
        mentee("Europe/Paris", "mon 09:00-11:30", "thu 14:00-16:00"),
        mentor("Europe/Berlin", "mon 08:00-12:00", "thu 15:00-18:00"),
        after=utc("2027-01-11"),
        until=utc("2027-01-18"),
        minutes=60,
        limit=2,
    )
    assert slots == (
        Slot(utc("2027-01-11T08:00"), utc("2027-01-11T09:00")),
        Slot(utc("2027-01-14T14:00"), utc("2027-01-14T15:00")),
    )
    assert {slot.start.tzinfo for slot in slots} == {UTC}


def test_paris_and_new_york_are_an_hour_closer_in_the_weeks_when_only_one_has_changed_its_clock() -> None:
    paris, new_york = mentee("Europe/Paris", "mon 14:00-15:00"), mentor("America/New_York", "mon 09:00-10:00")
    assert found(paris, new_york, "2027-02-01", "2027-12-31") == ["2027-03-15 13:00", "2027-03-22 13:00", "2027-11-01 13:00"]


def test_a_standing_window_keeps_its_wall_time_when_the_clocks_change() -> None:
    every_monday = "mon 09:00-10:00"
    assert found(mentee("Europe/Paris", every_monday), mentor("Europe/Berlin", every_monday), "2027-03-20", "2027-04-01") == [
        "2027-03-22 08:00",
        "2027-03-29 07:00",
    ]


def test_the_mentee_is_offered_round_times_and_a_mentor_in_kathmandu_quarters() -> None:
    paris, kathmandu = mentee("Europe/Paris", "wed 10:00-11:00"), mentor("Asia/Kathmandu", "wed 15:00-16:00")  # 15:00 is 10:15 in Paris
    assert found(paris, kathmandu, "2027-01-11", "2027-01-18", minutes=30) == ["2027-01-13 09:30"]
    assert found(paris, kathmandu, "2027-01-11", "2027-01-18", minutes=45) == []


def test_a_mentee_in_kathmandu_gets_the_half_hours_of_kathmandu() -> None:
    kathmandu, paris = mentee("Asia/Kathmandu", "wed 15:00-16:00"), mentor("Europe/Paris", "wed 10:00-11:00")
    assert found(kathmandu, paris, "2027-01-11", "2027-01-18", minutes=45) == ["2027-01-13 09:15"]


def test_monday_in_auckland_is_sunday_in_los_angeles() -> None:
    auckland, los_angeles = mentee("Pacific/Auckland", "mon 08:00-10:00"), mentor("America/Los_Angeles", "sun 12:00-13:00")
    assert found(auckland, los_angeles, "2027-01-08", "2027-01-15") == ["2027-01-10 20:00"]
    assert found(Windows("b", "America/Los_Angeles", ("sun 12:00-13:00",)), auckland, "2027-01-08", "2027-01-15") == ["2027-01-10 20:00"]


def test_a_slot_may_run_over_midnight_and_over_the_end_of_the_week_where_windows_touch() -> None:
    night = ("sun 23:00-24:00", "mon 00:00-01:00")
    one, other = mentee("Europe/Paris", *night), mentor("Europe/Berlin", *night)
    assert found(one, other, "2027-01-09", "2027-01-16", minutes=120) == ["2027-01-10 22:00"]


def test_a_window_that_ends_at_24_lasts_until_midnight_and_no_longer() -> None:
    one, other = mentee("Europe/Paris", "tue 23:00-24:00"), mentor("Europe/Paris", "tue 00:00-24:00", "wed 00:00-24:00")
    assert found(one, other, "2027-01-11", "2027-01-18", minutes=60) == ["2027-01-12 22:00"]
    assert found(one, other, "2027-01-11", "2027-01-18", minutes=61) == []


def test_a_window_inside_the_hour_that_spring_skips_gives_nothing() -> None:
    one, other = mentee("Europe/Paris", "sun 02:00-03:00"), mentor("Europe/Berlin", "sun 00:00-24:00")
    assert found(one, other, "2027-03-27", "2027-03-30", minutes=1) == []


def test_a_window_around_the_skipped_hour_is_an_hour_shorter() -> None:
    one, other = mentee("Europe/Paris", "sun 01:00-04:00"), mentor("Europe/Berlin", "sun 00:00-24:00")
    assert found(one, other, "2027-03-27", "2027-03-30", minutes=120) == ["2027-03-28 00:00"]
    assert found(one, other, "2027-03-27", "2027-03-30", minutes=121) == []


def test_a_window_inside_the_hour_that_autumn_repeats_comes_twice() -> None:
    one, other = mentee("Europe/Paris", "sun 02:00-02:30"), mentor("Europe/Berlin", "sun 00:00-24:00")
    assert found(one, other, "2027-10-30", "2027-11-02", minutes=30) == ["2027-10-31 00:00", "2027-10-31 01:00"]
    assert found(one, other, "2027-10-30", "2027-11-02", minutes=31) == []


def test_a_window_around_the_repeated_hour_is_an_hour_longer() -> None:
    one, other = mentee("Europe/Paris", "sun 02:00-03:00"), mentor("Europe/Berlin", "sun 00:00-24:00")
    assert found(one, other, "2027-10-30", "2027-11-02", minutes=120) == ["2027-10-31 00:00"]


def test_a_date_that_a_country_skipped_offers_nothing() -> None:
    whole_week = tuple(f"{day} 00:00-24:00" for day in DAYS)
    apia, paris = mentee("Pacific/Apia", "fri 09:00-10:00"), mentor("Europe/Paris", *whole_week)
    assert found(apia, paris, "2011-12-28", "2012-01-10") == ["2012-01-05 19:00"]  # 30 December 2011, a Friday, did not happen there


def test_nothing_is_offered_over_a_busy_time_and_a_slot_may_touch_it() -> None:
    one, other = mentee("Europe/Paris", "mon 09:00-12:00"), mentor("Europe/Berlin", "mon 09:00-12:00")
    busy = [(utc("2027-01-11T09:00"), utc("2027-01-11T10:00"))]
    assert found(one, other, "2027-01-11", "2027-01-12", busy=busy) == ["2027-01-11 08:00", "2027-01-11 10:00"]


def test_busy_times_count_to_the_microsecond_and_those_of_no_length_do_not_count() -> None:
    one, other = mentee("Europe/Paris", "mon 09:00-10:00"), mentor("Europe/Berlin", "mon 09:00-10:00")
    first_moment = utc("2027-01-11T08:00") + timedelta(microseconds=1)
    last_moment = utc("2027-01-11T09:00") - timedelta(microseconds=1)
    assert found(one, other, "2027-01-11", "2027-01-12", busy=[(utc("2027-01-11"), first_moment)]) == []
    assert found(one, other, "2027-01-11", "2027-01-12", busy=[(last_moment, utc("2027-01-11T12:00"))]) == []
    assert found(one, other, "2027-01-11", "2027-01-12", busy=[(last_moment, last_moment)]) == ["2027-01-11 08:00"]


def test_a_short_busy_time_inside_a_long_one_frees_nothing() -> None:
    one, other = mentee("Europe/Paris", "mon 09:00-12:00"), mentor("Europe/Berlin", "mon 09:00-12:00")
    busy = [(utc("2027-01-11T08:30"), utc("2027-01-11T08:45")), (utc("2027-01-11T08:00"), utc("2027-01-11T10:00"))]
    assert found(one, other, "2027-01-11", "2027-01-12", busy=busy) == ["2027-01-11 10:00"]


def test_a_holiday_is_a_local_date_of_the_person_who_has_it() -> None:
    auckland, los_angeles = mentee("Pacific/Auckland", "mon 08:00-10:00"), mentor("America/Los_Angeles", "sun 12:00-13:00")

    def with_holiday(person: Windows, day: date) -> list[str]:
        return found(auckland, los_angeles, "2027-01-08", "2027-01-15", holidays={person.person: frozenset({day})})

    sunday, monday = date(2027, 1, 10), date(2027, 1, 11)
    assert with_holiday(auckland, monday) == with_holiday(los_angeles, sunday) == []
    assert with_holiday(auckland, sunday) == with_holiday(los_angeles, monday) == ["2027-01-10 20:00"]


def test_a_holiday_of_somebody_else_changes_nothing() -> None:
    one, other = mentee("Europe/Paris", "mon 09:00-10:00"), mentor("Europe/Berlin", "mon 09:00-10:00")
    assert found(one, other, "2027-01-11", "2027-01-12", holidays={"es:e1": {date(2027, 1, 11)}}) == ["2027-01-11 08:00"]


@pytest.mark.parametrize(
    ("one", "other"),
    [((), ("mon 09:00-10:00",)), (("mon 09:00-10:00",), ("tue 09:00-10:00",)), (("mon 09:00-10:00",), ("mon 10:00-11:00",))],
)
def test_without_a_common_time_there_is_no_slot(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert found(mentee("Europe/Paris", *one), mentor("Europe/Paris", *other), "2027-01-01", "2027-12-31") == []


def test_windows_shorter_than_a_session_add_up_only_where_they_touch() -> None:
    other = mentor("Europe/Paris", "mon 08:00-18:00")
    assert found(mentee("Europe/Paris", "mon 09:30-10:00", "mon 09:00-09:30"), other, "2027-01-11", "2027-01-12") == ["2027-01-11 08:00"]
    assert found(mentee("Europe/Paris", "mon 10:00-10:30", "mon 09:00-09:30"), other, "2027-01-11", "2027-01-12") == []


def test_slots_are_spread_over_days_before_a_day_is_offered_twice() -> None:
    one, other = mentee("Europe/Paris", "mon 09:00-11:00", "wed 09:00-11:00"), mentor("Europe/Paris", "mon 08:00-18:00", "wed 08:00-18:00")
    assert found(one, other, "2027-01-11", "2027-01-25", limit=3) == ["2027-01-11 08:00", "2027-01-13 08:00", "2027-01-18 08:00"]
    assert found(one, other, "2027-01-11", "2027-01-18", limit=3) == ["2027-01-11 08:00", "2027-01-11 08:30", "2027-01-13 08:00"]


def test_the_earliest_slots_may_all_fall_on_one_day_when_asked_for() -> None:
    one, other = mentee("Europe/Paris", "mon 09:00-11:00"), mentor("Europe/Paris", "mon 08:00-18:00")
    earliest = found(one, other, "2027-01-11", "2027-01-25", limit=3, spread=Spread.EARLIEST)
    assert earliest == ["2027-01-11 08:00", "2027-01-11 08:30", "2027-01-11 09:00"]


def test_a_day_is_a_day_of_the_mentee() -> None:
    whole_week = tuple(f"{day} 00:00-24:00" for day in DAYS)
    auckland, paris = mentee("Pacific/Auckland", *whole_week), mentor("Europe/Paris", *whole_week)
    assert found(auckland, paris, "2027-01-11T10:30", "2027-01-13", limit=2) == ["2027-01-11 10:30", "2027-01-11 11:00"]


def test_the_horizon_is_kept_to_the_microsecond() -> None:
    one, other = mentee("Europe/Paris", "mon 09:00-10:00"), mentor("Europe/Paris", "mon 09:00-10:00")
    assert found(one, other, "2027-01-11T08:00", "2027-01-11T09:00") == ["2027-01-11 08:00"]
    assert found(one, other, "2027-01-11T08:00:00.000001", "2027-01-12") == []
    assert found(one, other, "2027-01-11", "2027-01-11T08:59:59.999999") == []
    assert found(one, other, "2027-01-11T08:00:00.2", "2027-01-11T08:00:00.7", minutes=1) == []


def test_a_horizon_in_local_time_means_the_instants_it_names() -> None:
    paris = ZoneInfo("Europe/Paris")
    before, after = datetime(2027, 10, 31, 2, 45, tzinfo=paris), datetime(2027, 10, 31, 2, 15, tzinfo=paris, fold=1)
    always = tuple(f"{day} 00:00-24:00" for day in DAYS)
    slots = find_slots(mentee("Europe/Paris", *always), mentor("Europe/Paris", *always), after=before, until=after, minutes=15, limit=9)
    assert starts(slots) == ["2027-10-31 01:00"]


def test_every_fault_of_windows_is_named_at_once() -> None:
    with pytest.raises(InvalidWindows) as refused:
        mentee("Mars/Olympus", "mon 09:00-09:00", "tue 10:00-11:00", "lun 09:00-10:00")
    assert len(refused.value.faults) == 3
    for part in ("fr:e42", "Mars/Olympus", "mon 09:00-09:00", "lun 09:00-10:00"):
        assert part in str(refused.value)
    assert "tue" not in str(refused.value)


@pytest.mark.parametrize(
    "window",
    [
        "",
        "mon",
        "Mon 09:00-10:00",
        "mon 9:00-10:00",
        "mon 09:00 - 10:00",
        "mon 09:00-10:15",
        "mon 09:15-10:00",
        "mon 10:00-09:00",
        "mon 24:00-24:00",
        "mon 09:00-24:30",
        "mon 25:00-26:00",
        "mon  09:00-10:00",
        "mon 09:00-10:00\n",
        " mon 09:00-10:00",
        "mon ٠٩:00-10:00",
        "mon 09:00-10:00,tue 09:00-10:00",
    ],
)
def test_a_window_in_any_other_form_is_refused(window: str) -> None:
    with pytest.raises(InvalidWindows):
        mentee("Europe/Paris", window)


@pytest.mark.parametrize("zone", ["", "Europe", "Europe/Atlantis", "../Paris", "/etc/passwd", "Factory", "localtime", "a\0b", "x" * 400])
def test_a_zone_that_is_not_one_is_refused(zone: str) -> None:
    with pytest.raises(InvalidWindows):
        mentee(zone)
    with pytest.raises(ValueError, match="is not a zone"):
        Appointment.at(utc("2027-01-11T08:00"), zone)


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 0},
        {"minutes": -30},
        {"limit": 0},
        {"after": datetime(2027, 1, 11)},  # noqa: DTZ001 - naive on purpose
        {"until": datetime(2027, 1, 18)},  # noqa: DTZ001
        {"until": utc("2027-01-10")},
        {"after": utc("1969-12-31")},
        {"until": utc("2101-01-02")},
        {"busy": [(utc("2027-01-12"), utc("2027-01-11"))]},
        {"busy": [(datetime(2027, 1, 11), utc("2027-01-12"))]},  # noqa: DTZ001
    ],
)
def test_a_question_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    right = {"after": utc("2027-01-11"), "until": utc("2027-01-18"), "minutes": 60, "limit": 3}
    one, other = mentee("Europe/Paris", "mon 09:00-10:00"), mentor("Europe/Paris", "mon 09:00-10:00")
    assert find_slots(one, other, **right)
    with pytest.raises(ValueError, match=r"at least 1|no offset|until a later one|before it begins"):
        find_slots(one, other, **right | wrong)


def test_the_edges_of_1970_and_2100_can_be_asked_about() -> None:
    whole_week = tuple(f"{day} 00:00-24:00" for day in DAYS)
    one, other = mentee("Pacific/Auckland", *whole_week), mentor("Pacific/Honolulu", *whole_week)
    assert found(one, other, "1970-01-01", "1970-01-02", limit=1) == ["1970-01-01 00:00"]
    assert found(one, other, "2100-12-31T23:00", "2101-01-01", limit=1) == ["2100-12-31 23:00"]


UNRULY = [
    ("Europe/Paris", "2027-03-28"),
    ("Europe/Paris", "2027-10-31"),
    ("America/New_York", "2027-03-14"),
    ("America/New_York", "2027-11-07"),
    ("Australia/Lord_Howe", "2027-04-04"),  # half an hour
    ("Australia/Lord_Howe", "2027-10-03"),
    ("Africa/Casablanca", "2027-02-07"),  # back for Ramadan
    ("Africa/Casablanca", "2027-03-14"),
    ("Pacific/Chatham", "2027-04-04"),  # at a quarter to
    ("America/St_Johns", "2010-03-14"),  # at one minute past midnight
    ("America/St_Johns", "2010-11-07"),  # the date goes back too
    ("Pacific/Apia", "2011-12-30"),  # a whole day skipped
    ("Africa/Cairo", "2023-10-26"),  # at midnight
    ("America/Sao_Paulo", "2018-11-04"),  # midnight itself skipped
    ("America/Havana", "2023-11-05"),
    ("Antarctica/Troll", "2027-03-28"),  # two hours
    ("Asia/Kathmandu", "1986-01-01"),  # from +05:30 to +05:45
    ("Asia/Kathmandu", "2026-12-31"),
]


@dataclass(frozen=True, kw_only=True)
class Question:
    mentee: Windows
    mentor: Windows
    after: datetime
    until: datetime
    minutes: int
    limit: int
    busy: list[tuple[datetime, datetime]] = field(default_factory=list)
    holidays: dict[str, frozenset[date]] = field(default_factory=dict)

    def ask(self, **other: Any) -> tuple[Slot, ...]:
        return find_slots(**{**vars(self), **other})


def can_make(person: Windows, instant: datetime, holidays: Collection[date]) -> bool:
    local = instant.astimezone(ZoneInfo(person.zone))
    day, clock = DAYS[local.weekday()], f"{local:%H:%M}"
    # As text, 24:00 is after every time.
    return local.date() not in holidays and any(text[:3] == day and text[4:9] <= clock < text[10:] for text in person.windows)


def minutes_both_can_make(question: Question) -> set[datetime]:
    people = [(person, question.holidays.get(person.person, ())) for person in (question.mentee, question.mentor)]
    minute = question.after.replace(second=0, microsecond=0)
    both = set()
    while minute < question.until:
        if all(can_make(person, minute, holidays) for person, holidays in people):
            both.add(minute)
        minute += MINUTE
    return both


def oracle(question: Question) -> list[Slot]:
    """Every slot there is, found by looking at each minute."""
    free, zone, length = minutes_both_can_make(question), ZoneInfo(question.mentee.zone), question.minutes * MINUTE
    return [
        Slot(start, start + length)
        for start in sorted(free)
        if start.astimezone(zone).minute in (0, 30)
        and question.after <= start
        and start + length <= question.until
        and all(start + k * MINUTE in free for k in range(question.minutes))
        and not any(begin < start + length and start < end and begin < end for begin, end in question.busy)
    ]


def spread_over_days(slots: list[Slot], question: Question) -> list[Slot]:
    """One a day, then the earliest of the rest."""
    by_day: dict[date, Slot] = {}
    for slot in slots:
        by_day.setdefault(slot.start.astimezone(ZoneInfo(question.mentee.zone)).date(), slot)
    first = sorted(by_day.values())[: question.limit]
    rest = [slot for slot in slots if slot not in first]
    return sorted(first + rest[: question.limit - len(first)])


def window(day: str, edges: tuple[int, int]) -> str:
    begin, end = (f"{half_hour // 2:02}:{half_hour % 2 * 30:02}" for half_hour in edges)
    return f"{day} {begin}-{end}"


EDGES = st.integers(0, 47).flatmap(lambda begin: st.tuples(st.just(begin), st.integers(begin + 1, 48)))
USUAL = st.sampled_from([((0, 48),), ((16, 40),), ((0, 12), (12, 48)), ((0, 1), (1, 5), (4, 9)), ((40, 48),), ((2, 3), (4, 6)), ()])
DAY_OF_WINDOWS = USUAL | st.lists(EDGES, max_size=3)


@st.composite
def some_windows(draw: st.DrawFn) -> tuple[str, ...]:
    windows = [window(day, edges) for day in DAYS for edges in draw(DAY_OF_WINDOWS)]
    return tuple(draw(st.permutations(windows)))


@st.composite
def questions(draw: st.DrawFn) -> Question:
    zone, change = draw(st.sampled_from(UNRULY))
    zones = draw(st.permutations([zone, draw(st.sampled_from([zone for zone, _ in UNRULY]))]))
    after = utc(change) + timedelta(seconds=draw(st.integers(-3 * 86_400, 86_400)), microseconds=draw(st.sampled_from([0, 1, 999_999])))
    horizon = timedelta(seconds=draw(st.integers(0, 4 * 86_400) | st.just(4 * 86_400)))
    moments = st.integers(-86_400, 5 * 86_400).map(lambda seconds: after + timedelta(seconds=seconds))
    busy = draw(st.lists(st.tuples(moments, st.integers(0, 8 * 3600)), max_size=3))
    days = st.frozensets(st.integers(-1, 5).map(lambda days: after.date() + timedelta(days=days)), max_size=1)
    return Question(
        mentee=Windows("a", zones[0], draw(some_windows())),
        mentor=Windows("b", zones[1], draw(some_windows())),
        after=after,
        until=after + horizon,
        minutes=draw(st.sampled_from([1, 15, 30, 45, 60, 60, 60, 90, 180, 400])),
        limit=draw(st.integers(1, 12)),
        busy=[(begin, begin + timedelta(seconds=seconds)) for begin, seconds in busy],
        holidays=draw(st.fixed_dictionaries({}, optional={"a": days, "b": days})),
    )


@settings(max_examples=80, deadline=None)
@given(questions())
def test_the_finder_finds_exactly_what_looking_at_every_minute_finds(question: Question) -> None:
    everything = oracle(question)
    event("some slot" if everything else "no slot")
    assert list(question.ask(limit=10_000, spread=Spread.EARLIEST)) == everything
    assert list(question.ask(spread=Spread.EARLIEST)) == everything[: question.limit]
    assert list(question.ask(spread=Spread.DAYS)) == spread_over_days(everything, question)


@settings(max_examples=100, deadline=None)
@given(questions(), st.sampled_from(Spread))
def test_every_slot_is_one_both_can_make(question: Question, spread: Spread) -> None:
    slots = question.ask(spread=spread)
    event("some slot" if slots else "no slot")
    assert len(slots) <= question.limit
    assert all(earlier.start < later.start for earlier, later in pairwise(slots))
    for slot in slots:
        assert question.after <= slot.start < slot.end == slot.start + question.minutes * MINUTE
        assert slot.end <= question.until
        assert all(begin == end or end <= slot.start or slot.end <= begin for begin, end in question.busy)
        for minute in (slot.start + k * MINUTE for k in range(question.minutes)):
            assert can_make(question.mentee, minute, question.holidays.get("a", ()))
            assert can_make(question.mentor, minute, question.holidays.get("b", ()))


@settings(max_examples=60, deadline=None)
@given(questions(), st.randoms(use_true_random=False))
def test_the_order_of_windows_and_busy_times_changes_nothing(question: Question, chance: random.Random) -> None:
    def shuffled(person: Windows) -> Windows:
        return Windows(person.person, person.zone, tuple(chance.sample(person.windows, len(person.windows))))

    busy = chance.sample(question.busy, len(question.busy))
    assert question.ask(mentee=shuffled(question.mentee), mentor=shuffled(question.mentor), busy=busy) == question.ask()


def test_no_zone_changes_its_clock_twice_in_a_day_so_that_looking_once_a_day_is_enough() -> None:
    since_1970 = (change for zone in files("tzdata").joinpath("zones").read_text().split() for change in changes_of(zone))
    assert min(later - earlier for earlier, later in since_1970) > 24 * 3600


def changes_of(zone: str) -> Iterable[tuple[int, int]]:
    rules = ReadableZone.no_cache(zone)
    offsets = [kind.utcoff for kind in rules._ttinfos]
    moments = [moment for moment, old, new in zip(rules._trans_utc[1:], offsets, offsets[1:], strict=False) if old != new]
    return [(earlier, later) for earlier, later in pairwise(moments) if later > 0]


def test_an_appointment_keeps_the_instant_and_what_the_clock_on_the_wall_will_show() -> None:
    appointment = Appointment.at(datetime(2027, 7, 1, 10, tzinfo=ZoneInfo("Europe/Berlin")), "America/New_York")
    assert appointment == Appointment(utc("2027-07-01T08:00"), "America/New_York", "2027-07-01T04:00:00")
    assert appointment.instant.tzinfo is UTC
    assert not appointment.has_drifted
    assert appointment.kept_to_the_wall() is appointment


def test_a_change_of_zone_rules_makes_an_appointment_drift_and_it_can_be_kept_to_the_wall() -> None:
    made_when_summer_time_was_to_be_abolished = Appointment(utc("2027-07-01T09:00"), "Europe/Paris", "2027-07-01T10:00:00")
    assert made_when_summer_time_was_to_be_abolished.has_drifted
    kept = made_when_summer_time_was_to_be_abolished.kept_to_the_wall()
    assert kept == Appointment(utc("2027-07-01T08:00"), "Europe/Paris", "2027-07-01T10:00:00")
    assert not kept.has_drifted


@pytest.mark.parametrize(("made_at", "kept_at"), [("2027-10-30T23:30", "2027-10-31T00:30"), ("2027-10-31T02:30", "2027-10-31T01:30")])
def test_a_wall_time_that_now_comes_twice_means_the_nearer_one(made_at: str, kept_at: str) -> None:
    kept = Appointment(utc(made_at), "Europe/Paris", "2027-10-31T02:30:00").kept_to_the_wall()
    assert kept == Appointment(utc(kept_at), "Europe/Paris", "2027-10-31T02:30:00")


def test_either_pass_of_a_repeated_hour_is_at_its_wall_time() -> None:
    first, second = (Appointment.at(utc(instant), "Europe/Paris") for instant in ("2027-10-31T00:30", "2027-10-31T01:30"))
    assert first.wall == second.wall == "2027-10-31T02:30:00"
    assert not first.has_drifted
    assert not second.has_drifted


def test_a_wall_time_that_is_now_skipped_moves_behind_the_gap() -> None:
    kept = Appointment(utc("2027-03-28T00:30"), "Europe/Paris", "2027-03-28T02:30:00").kept_to_the_wall()
    assert kept == Appointment(utc("2027-03-28T01:30"), "Europe/Paris", "2027-03-28T03:30:00")
    assert not kept.has_drifted


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.sampled_from([zone for zone, _ in UNRULY]))  # noqa: DTZ001
def test_an_appointment_just_made_has_not_drifted(instant: datetime, zone: str) -> None:
    appointment = Appointment.at(instant, zone)
    assert appointment.instant == instant
    assert not appointment.has_drifted


@pytest.mark.parametrize(
    ("instant", "wall"),
    [
        (datetime(2027, 7, 1, 8), "2027-07-01T10:00:00"),  # noqa: DTZ001 - naive on purpose
        (datetime(2027, 7, 1, 10, tzinfo=ZoneInfo("Europe/Paris")), "2027-07-01T10:00:00"),
        (utc("2027-07-01T08:00"), "2027-07-01T10:00:00+02:00"),
        (utc("2027-07-01T08:00"), "2027-07-01 10:00"),
        (utc("2027-07-01T08:00"), "10 o'clock"),
    ],
)
def test_an_appointment_in_another_form_is_refused(instant: datetime, wall: str) -> None:
    with pytest.raises(ValueError, match=r"in UTC|not a wall time|Invalid isoformat"):
        Appointment(instant, "Europe/Paris", wall)


def test_an_appointment_at_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="no offset"):
        Appointment.at(datetime(2027, 7, 1, 8), "Europe/Paris")  # noqa: DTZ001
