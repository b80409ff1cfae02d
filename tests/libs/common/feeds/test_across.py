"""What only several records together show; the circles are held against a walk that is nothing but a walk."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amont.common.errors import Invalid
from amont.common.feeds.across import Across
from amont.common.feeds.record import read_line
from amont.common.feeds.roster import Listed, read_roster, written

ADA: dict[str, Any] = {"tenant": "fr", "grade": "C3", "effective_at": "2024-09-01", "occurred_at": "2024-08-20T09:00:00Z"}


def person(employee_id: str, **more: Any) -> dict[str, Any]:
    return ADA | {"employee_id": employee_id} | more


def seen(records: Iterable[Mapping[str, Any]]) -> list[tuple[int, str, str]]:
    with Across() as across:
        for number, record in enumerate(records, 1):
            across.saw(number, read_line(number, json.dumps(record).encode()))
        return [(one.line, one.kind.name, one.what) for one in across.findings()]


def kinds(records: Iterable[Mapping[str, Any]]) -> list[tuple[int, str]]:
    return [(line, kind) for line, kind, _ in seen(records)]


def test_the_same_record_twice_and_the_same_id_twice_are_told_apart() -> None:
    assert seen([person("e1"), person("e2"), person("e1")]) == [(3, "repeated-record", "the record of 'fr:e1' in line 1 again")]
    assert seen([person("e1"), person("e1", job_title="Chef")]) == [
        (2, "same-id-twice", "'fr:e1' has another record for the same instant in line 1")
    ]


def test_a_history_in_order_is_fine_and_out_of_order_is_said() -> None:
    first, second = person("e1"), person("e1", effective_at="2025-01-01", grade="C4")
    assert kinds([first, second]) == []
    assert kinds([second, first]) == [(2, "out-of-order")]
    corrected = person("e1", occurred_at="2024-08-21T09:00:00Z", grade="C4")
    assert kinds([first, corrected]) == []


def test_a_manager_whom_nobody_sent_is_named_by_who_reports_to_them_now() -> None:
    assert seen([person("e1", manager_id="e9"), person("e2", manager_id="de:e9"), person("e9")]) == [
        (2, "unknown-manager", "nobody in this feed is 'de:e9'")
    ]
    moved = person("e1", manager_id="e2", effective_at="2025-01-01")
    assert kinds([person("e1", manager_id="e9"), moved, person("e2")]) == []


def test_two_who_were_the_same_person_elsewhere_are_named_and_a_claim_taken_back_is_none() -> None:
    one, other = person("e1", former_id="de:7"), person("e2", former_id="de:7")
    assert seen([one, other]) == [(2, "claimed-twice", "'fr:e2' says to have been 'de:7', and so does 'fr:e1'")]
    assert kinds([one, other, person("e1", effective_at="2025-01-01")]) == []


def test_a_circle_is_said_once_with_everybody_in_it() -> None:
    ((line, kind, what),) = seen(
        [
            person("a", manager_id="b"),
            person("b", manager_id="c"),
            person("c", manager_id="a", effective_at="2025-01-01"),
            person("d", manager_id="a"),
        ]
    )
    assert (line, kind) == (3, "manager-cycle")
    assert "a circle of 3 managers" in what
    assert all(f"'fr:{one}'" in what for one in "abc")


def test_who_left_closes_no_circle_and_who_has_moved_opens_it() -> None:
    left = {name: ADA[name] for name in ("tenant", "occurred_at")} | {"employee_id": "b", "left": True, "effective_at": "2025-01-01"}
    assert kinds([person("a", manager_id="b"), person("b", manager_id="a"), left]) == []
    assert kinds([person("a", manager_id="b"), person("b", manager_id="a"), person("b", effective_at="2025-01-01")]) == []


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.integers(0, 9), st.integers(0, 9), max_size=10))
def test_circles_are_those_that_a_plain_walk_finds(managers: dict[int, int]) -> None:
    found = [
        what
        for _, kind, what in seen(person(str(one), manager_id=str(above)) for one, above in managers.items())
        if kind == "manager-cycle"
    ]
    circles = set()
    for start in managers:
        walk = [start]
        while (above := managers.get(walk[-1])) is not None and above != walk[-1] and above not in walk:
            walk.append(above)
        if above is not None and above != walk[-1]:
            circles.add(frozenset(walk[walk.index(above) :]))
    assert {frozenset(int(one.strip("'").removeprefix("fr:")) for one in what.partition(": ")[2].split(" → ")) for what in found} == circles
    assert len(found) == len(circles)


NAMED = {"given_name": "Zoé", "family_name": "Petit", "joined_on": "2020-01-01"}


def test_one_person_under_two_ids_is_a_warning_and_many_are_an_alarm() -> None:
    assert kinds([person("e1", **NAMED), person("x1", **NAMED)]) == [(2, "same-person")]
    assert kinds([person("e1", given_name="Zoé", family_name="Petit"), person("x1", given_name="Zoé", family_name="Petit")]) == []
    before = [person(f"e{one}", **NAMED | {"family_name": f"Petit {one}"}) for one in range(20)]
    after = [one | {"employee_id": f"new-{one['employee_id']}"} for one in before]
    found = seen([*before, *after])
    assert [kind for _, kind, _ in found].count("same-person") == 20
    assert (0, "ids-reissued", "20 of 40 people of 'fr' are there under a second id") in found


def test_a_shared_mailbox_and_addresses_that_vanish_are_seen() -> None:
    people = [person(f"e{one}", email=f"e{one}@example.org") for one in range(20)]
    assert kinds([*people, person("e99", email="E3@example.org")]) == [(4, "shared-address")]
    without = [person(f"e{one}", effective_at="2025-01-01") for one in range(15)]
    assert kinds([*people, *without]) == [(0, "addresses-gone")]
    assert kinds([*people, *without[:3]]) == []


def test_who_is_missing_is_whom_the_roster_has_and_the_file_has_not() -> None:
    july, august = date(2026, 7, 1), date(2026, 8, 1)
    with Across() as across:
        across.remember([*map(Listed, ["fr:a", "fr:b", "de:c", "de:d"]), Listed("fr:x", july), Listed("fr:y", july)])
        for one in ("fr:a", "de:d", "de:e", "fr:y"):
            across.present(one)
        assert list(across.missing()) == [Listed("de:c"), Listed("fr:b"), Listed("fr:x", july)]
        assert across.absent(["fr:a", "fr:b", "de:e", "fr:z"]) == {"fr:b", "fr:z"}
        assert across.leavers().too_many(49) == {"fr": (1, 2), "de": (1, 2)}  # newly, of those who were there
        assert across.leavers().too_many(50) == {}
        assert across.leavers().still == 1
        assert list(map(str, across.listed(august))) == [
            "de:c\t2026-08-01",
            "de:d",
            "de:e",
            "fr:a",
            "fr:b\t2026-08-01",
            "fr:x\t2026-07-01",
            "fr:y",
        ]


def test_who_is_missing_is_looked_for_for_a_quarter() -> None:
    assert Listed("fr:a").counts(date(2999, 1, 1))
    assert [Listed("fr:a", date(2026, 7, 1)).counts(day) for day in (date(2026, 6, 1), date(2026, 10, 9), date(2026, 10, 10))] == [
        True,
        True,
        False,
    ]


def test_a_roster_is_read_as_it_was_written() -> None:
    people = [Listed("fr:e 1"), Listed("fr:e2", date(2026, 7, 1)), Listed("fr:é")]
    assert list(read_roster(written(people), "fr")) == people
    assert list(read_roster(["# amont roster 1: of before\n", "fr:e1\n"], "fr")) == [Listed("fr:e1")]
    with pytest.raises(Invalid) as refused:
        list(read_roster(["de:e1\n", "nobody\n", "fr:e1\tsoon\n", "fr:e1\t\n"], "fr"))
    assert [one.pointer for one in refused.value.faults] == ["line 1", "line 2", "line 3", "line 4"]
