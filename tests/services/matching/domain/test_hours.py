"""Weekly windows become UTC half-hours as the scoring contract says, in any zone and across its changes of clock."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amont.matching.domain.hours import DAYS, WEEK, common_half_hours, half_hours, load_zone, offset_seconds, parse_window

WINTER = date(2027, 1, 11)
SPRING_FORWARD = date(2027, 3, 22)
FALL_BACK = date(2027, 10, 25)


def free(*windows: str, zone: str = "UTC", week_of: date = WINTER) -> list[str]:
    """The free half-hours, each as the day and time it begins in UTC."""
    mask = half_hours(windows, zone, week_of)
    assert 0 <= mask < 1 << WEEK
    return [f"{DAYS[bit // 48]} {bit % 48 // 2:02d}:{bit % 2 * 30:02d}" for bit in range(WEEK) if mask >> bit & 1]


def test_a_window_is_read_as_minutes_of_the_week() -> None:
    assert parse_window("mon 09:00-11:30") == (540, 690)
    assert parse_window("sun 00:00-24:00") == (8640, 10080)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mon",
        "Mon 09:00-10:00",
        "monday 09:00-10:00",
        "xyz 09:00-10:00",
        "mon  09:00-10:00",
        "mon 9:00-10:00",
        "mon 09:00-10:00 ",
        "mon 09:00-10:00\n",
        "mon 09:00 10:00",
        "mon 09:00-10:00:00",
        "mon 09:00-1\u0660:00",
    ],
)
def test_what_does_not_look_like_a_window_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a window: write a day .* as in 'mon 09:00-11:30'"):
        parse_window(text)


@pytest.mark.parametrize("text", ["mon 09:15-10:00", "mon 09:00-10:01", "mon 09:00-24:30", "mon 25:00-26:00", "mon 09:60-10:00"])
def test_a_time_off_the_half_hour_grid_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="times are on the half-hour, from 00:00 to 24:00"):
        parse_window(text)


@pytest.mark.parametrize("text", ["mon 10:00-10:00", "mon 10:00-09:30", "mon 22:00-00:00"])
def test_a_window_must_end_after_it_begins(text: str) -> None:
    with pytest.raises(ValueError, match="the end must be after the start"):
        parse_window(text)


def test_a_window_is_moved_by_the_zones_offset() -> None:
    assert free("mon 09:00-11:30", zone="Europe/Paris") == ["mon 08:00", "mon 08:30", "mon 09:00", "mon 09:30", "mon 10:00"]


def test_summer_time_moves_it_by_an_hour_more() -> None:
    assert free("mon 09:00-10:00", zone="Europe/Paris", week_of=date(2027, 7, 12)) == ["mon 07:00", "mon 07:30"]


def test_no_window_is_no_half_hour() -> None:
    assert free() == []


def test_a_half_hour_counts_only_when_all_of_it_is_free() -> None:
    assert free("mon 09:00-10:00", zone="Asia/Kathmandu") == ["mon 03:30"]
    assert free("mon 09:00-09:30", zone="Asia/Kathmandu") == []


def test_windows_that_touch_are_one() -> None:
    assert free("mon 09:30-10:00", "mon 09:00-09:30", zone="Asia/Kathmandu") == ["mon 03:30"]


def test_windows_that_overlap_are_one() -> None:
    assert free("mon 09:00-11:00", "mon 10:00-10:30", "mon 10:30-12:00") == free("mon 09:00-12:00")


def test_windows_that_do_not_touch_stay_two() -> None:
    assert free("mon 09:00-09:30", "mon 10:00-10:30") == ["mon 09:00", "mon 10:00"]


def test_windows_are_joined_across_midnight() -> None:
    assert free("mon 23:30-24:00", "tue 00:00-00:30", zone="Asia/Kathmandu") == ["mon 18:00"]


def test_windows_are_not_joined_across_the_weeks_end() -> None:
    assert free("sun 23:30-24:00", "mon 00:00-00:30", zone="Asia/Kathmandu") == []


def test_what_falls_into_the_week_before_is_taken_to_its_end() -> None:
    assert free("mon 08:30-09:30", zone="Asia/Tokyo") == ["mon 00:00", "sun 23:30"]


def test_what_falls_into_the_week_after_is_taken_to_its_beginning() -> None:
    assert free("sun 15:30-16:30", zone="America/Los_Angeles") == ["mon 00:00", "sun 23:30"]


def test_the_hour_that_spring_leaves_out_is_not_free() -> None:
    assert free("sun 01:00-04:00", zone="Europe/Paris", week_of=SPRING_FORWARD) == ["sun 00:00", "sun 00:30", "sun 01:00", "sun 01:30"]


def test_a_window_whose_end_is_not_after_its_start_in_utc_gives_nothing() -> None:
    assert free("sun 02:30-03:00", zone="Europe/Paris", week_of=SPRING_FORWARD) == []
    assert free("sun 02:00-03:00", zone="Europe/Paris", week_of=SPRING_FORWARD) == []


def test_the_hour_that_autumn_repeats_is_free_twice() -> None:
    assert free("sun 02:00-03:00", zone="Europe/Paris", week_of=FALL_BACK) == ["sun 00:00", "sun 00:30", "sun 01:00", "sun 01:30"]


def test_a_time_shown_twice_is_the_first_one() -> None:
    assert free("sun 01:30-02:30", zone="Europe/Paris", week_of=FALL_BACK) == ["sun 00:00", "sat 23:30"][::-1]


def test_the_week_holds_no_more_than_it_has() -> None:
    days = [f"{day} 00:00-24:00" for day in DAYS]
    assert len(free(*days)) == 336
    assert len(free(*days, zone="Europe/Paris", week_of=FALL_BACK)) == 336
    assert len(free(*days, zone="Europe/Paris", week_of=SPRING_FORWARD)) == 334
    assert len(free(*days, zone="Asia/Kathmandu")) == 335


def test_an_offset_may_have_seconds() -> None:
    assert free("mon 00:00-01:30", zone="Africa/Monrovia", week_of=date(1970, 1, 5)) == ["mon 01:00", "mon 01:30"]
    assert offset_seconds("Africa/Monrovia", date(1970, 1, 5)) == -2670


def test_common_half_hours_are_those_that_both_have() -> None:
    paris = half_hours(["mon 09:00-11:30", "thu 14:00-16:00"], "Europe/Paris", WINTER)
    berlin = half_hours(["mon 08:00-12:00", "thu 15:00-18:00"], "Europe/Berlin", WINTER)
    assert common_half_hours(paris, berlin) == 7


def test_the_offset_is_that_of_monday_noon_utc() -> None:
    assert offset_seconds("Europe/Paris", WINTER) == 3600
    assert offset_seconds("Asia/Kathmandu", WINTER) == 20700
    assert offset_seconds("America/New_York", date(2027, 7, 12)) == -4 * 3600
    assert [offset_seconds("Europe/Paris", week) for week in (SPRING_FORWARD, date(2027, 3, 29))] == [3600, 7200]


@pytest.mark.parametrize(
    "name", ["Factory", "localtime", "", "Europe/Atlantis", "europe/paris", "../zones", "zones", "/etc/localtime", "Europe"]
)
def test_only_names_of_places_are_zones(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        load_zone(name)


def test_every_zone_of_the_package_can_be_used() -> None:
    names = set(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()) - {"Factory"}
    assert len(names) > 400
    assert all(abs(offset_seconds(name, WINTER)) <= 14 * 3600 for name in names)


@pytest.fixture
def another_systems_zones(tmp_path: Path) -> Iterator[None]:
    """A system where Paris lies in Nepal."""
    nepal = resources.files("tzdata").joinpath("zoneinfo", "Asia", "Kathmandu").read_bytes()
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe" / "Paris").write_bytes(nepal)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    zoneinfo.ZoneInfo.clear_cache()
    load_zone.cache_clear()
    yield
    zoneinfo.reset_tzpath(to=before)
    zoneinfo.ZoneInfo.clear_cache()
    load_zone.cache_clear()


def test_the_systems_own_zones_are_not_read(another_systems_zones: None) -> None:
    assert zoneinfo.ZoneInfo("Europe/Paris").utcoffset(datetime(2027, 1, 11, tzinfo=UTC)) == timedelta(hours=5, minutes=45)
    assert offset_seconds("Europe/Paris", WINTER) == 3600


def test_the_week_begins_on_a_monday() -> None:
    with pytest.raises(ValueError, match="must be a Monday, and 2027-01-12 is a Tuesday"):
        half_hours([], "UTC", date(2027, 1, 12))
    with pytest.raises(ValueError, match="must be a Monday"):
        offset_seconds("UTC", date(2027, 1, 17))


windows = st.tuples(st.integers(0, 6), st.integers(0, 47), st.integers(1, 48)).filter(lambda window: window[1] < window[2])


def written(day: int, start: int, end: int) -> str:
    return f"{DAYS[day]} {start // 2:02d}:{start % 2 * 30:02d}-{end // 2:02d}:{end % 2 * 30:02d}"


@settings(deadline=None, max_examples=40)
@given(st.lists(windows, max_size=8), st.sampled_from(["Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "Asia/Tokyo", "UTC"]))
def test_where_no_clock_changes_a_half_hour_is_free_when_each_minute_is(chosen: list[tuple[int, int, int]], zone: str) -> None:
    """A second reading of the contract, minute by minute. Chatham, Newfoundland, Nepal: offsets off the half-hour or the hour."""
    shift = offset_seconds(zone, WINTER) // 60
    minutes = {day * 1440 + minute for day, start, end in chosen for minute in range(start * 30, end * 30)}
    expected = set()
    for half_hour in range(-WEEK, 2 * WEEK):
        local = range(half_hour * 30 + shift, half_hour * 30 + shift + 30)
        if all(minute in minutes for minute in local):
            expected.add(half_hour % WEEK)
    mask = half_hours([written(*window) for window in chosen], zone, WINTER)
    assert {bit for bit in range(WEEK) if mask >> bit & 1} == expected


@settings(deadline=None, max_examples=40)
@given(
    st.lists(windows, max_size=6),
    st.sampled_from(["Europe/Paris", "Australia/Lord_Howe", "America/New_York"]),
    st.randoms(use_true_random=False),
)
def test_neither_order_nor_repetition_of_windows_matters(chosen: list[tuple[int, int, int]], zone: str, random: Random) -> None:
    texts = [written(*window) for window in chosen]
    again = [*texts, *texts[:2]]
    random.shuffle(again)
    assert half_hours(again, zone, FALL_BACK) == half_hours(texts, zone, FALL_BACK)


def test_utc_noon_is_utc_noon() -> None:
    noon = datetime(2027, 1, 11, 12, tzinfo=UTC).astimezone(load_zone("America/New_York"))
    assert (noon.hour, noon.tzname()) == (7, "EST")
