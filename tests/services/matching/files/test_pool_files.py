"""A pool file is read, or refused with every fault at its exact path."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.matching.domain.pools import MENTEE, MENTOR, random_pool
from tests.services.matching.files.pool_documents import EXAMPLE, document_of, example, written

from amont.matching.domain.policy import Policy
from amont.matching.files import Refused, faults, pools, read_pool, text
from amont.matching.files.faults import spell

Change = Callable[[dict[str, Any]], object]


def paths(raw: bytes, policy: Policy | None = None) -> list[str]:
    with pytest.raises(Refused) as refused:
        read_pool(raw, policy)
    assert all(fault.reason for fault in refused.value.faults)
    return [fault.path for fault in refused.value.faults]


def test_the_contracts_example_is_read() -> None:
    pool = read_pool(written(EXAMPLE))
    assert pool.people == (MENTEE, MENTOR)
    assert pool.week_of == date(2027, 1, 11)
    assert pool.managers == {"fr:e42": ("fr:e7",), "fr:e7": ("fr:e1", "de:e9")}
    assert (pool.forbidden, pool.pinned, pool.current) == ((("fr:e42", "de:e9"),), (), (("fr:e42", "de:e5"),))


def test_the_lists_and_the_managers_may_be_absent() -> None:
    least = {key: EXAMPLE[key] for key in ("amont", "programme", "seed", "week_of", "people")}
    pool = read_pool(written(least))
    assert (pool.managers, pool.forbidden, pool.pinned, pool.current) == ({}, (), (), ())


ACCEPTED: dict[str, Change] = {
    "a pool of mentees only": lambda it: (it["people"].pop(1), it.update(current=[])),
    "a pool of mentors only": lambda it: (it["people"].pop(0), it.update(current=[])),
    "an empty seed": lambda it: it.update(seed=""),
    "no languages": lambda it: it["people"][0].update(languages=[]),
    "a language twice": lambda it: it["people"][0].update(languages=["fr", "fr"]),
    "the longest language": lambda it: it["people"][0].update(languages=["abcdefgh"]),
    "no availability": lambda it: it["people"][0].update(availability=[]),
    "windows that touch, overlap and reach midnight": lambda it: it["people"][0].update(
        availability=["mon 00:00-12:00", "mon 12:00-24:00", "mon 11:30-13:00", "mon 11:30-13:00"]
    ),
    "grade 1": lambda it: it["people"][0].update(grade=1),
    "grade 20": lambda it: it["people"][0].update(grade=20),
    "eight topics": lambda it: it["people"][0].update(topics={f"t{n}": 1 for n in range(8)}),
    "the first Monday": lambda it: it.update(week_of="1970-01-05"),
    "the last Monday": lambda it: it.update(week_of="2100-12-27"),
    "a manager twice": lambda it: it.update(managers={"a": ["b", "b"]}),
    "nobody above": lambda it: it.update(managers={"a": []}),
    "a forbidden pair twice and turned round": lambda it: it.update(forbidden=[["a", "b"], ["a", "b"], ["b", "a"]]),
    "somebody forbidden with themselves": lambda it: it.update(forbidden=[["a", "a"]]),
    "names that are not ASCII": lambda it: it["people"][0].update(team="équipe 😀", topics={"été": 1}),
    "a pin": lambda it: it.update(pinned=[["fr:e42", "de:e5"]]),
    "two ways up to one person, which is no cycle": lambda it: it.update(managers={"a": ["b", "c"], "b": ["d"], "c": ["d"]}),
    "both roles, lists in another order": lambda it: it["people"].append(
        {
            **it["people"][0],
            "role": "mentor",
            "capacity": 2,
            "languages": ["en", "fr", "en"],
            "availability": ["thu 14:00-16:00", "mon 09:00-11:30"],
            "topics": {"green": 2},
        }
    ),
}


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED)
def test_what_the_text_does_not_refuse_is_accepted(change: Change) -> None:
    document = example()
    change(document)
    assert len(read_pool(written(document)).people) == len(document["people"])


def of(place: int, **values: Any) -> Change:
    return lambda document: document["people"][place].update(values)


def top(**values: Any) -> Change:
    return lambda document: document.update(values)


def both(**differently: Any) -> Change:
    """The mentee a second time, as a mentor, and not quite the same."""
    return lambda document: document["people"].append({**document["people"][0], "role": "mentor", **differently})


FAULTS: list[tuple[str, Change, list[str]]] = [
    ("another format", top(amont="pool/2"), ["$.amont"]),
    ("no format", lambda it: it.pop("amont"), ["$.amont"]),
    ("an unknown field", top(people2=[]), ["$.people2"]),
    ("an unknown field that is no word", top(**{"x-y": 1}), ["$['x-y']"]),
    ("an unknown field with a quote and a backslash", top(**{"it's\\": 1}), ["$['it\\'s\\\\']"]),
    ("a number as programme", top(programme=7), ["$.programme"]),
    ("an empty programme", top(programme=""), ["$.programme"]),
    ("null as seed", top(seed=None), ["$.seed"]),
    ("half a character", top(seed="\ud800"), ["$.seed"]),
    ("a Tuesday", top(week_of="2027-01-12"), ["$.week_of"]),
    ("a day that there is not", top(week_of="2027-02-30"), ["$.week_of"]),
    ("a Monday before 1970", top(week_of="1969-12-29"), ["$.week_of"]),
    ("a Monday after 2100", top(week_of="2101-01-03"), ["$.week_of"]),
    ("a day in short", top(week_of="20270111"), ["$.week_of"]),
    ("a week", top(week_of="2027-W02-1"), ["$.week_of"]),
    ("a day with a time", top(week_of="2027-01-11T00:00"), ["$.week_of"]),
    ("a number as week", top(week_of=20270111), ["$.week_of"]),
    ("nobody", top(people=[], current=[]), ["$.people"]),
    ("people as an object", top(people={}, current=[]), ["$.people"]),
    ("null as people", top(people=None, current=[]), ["$.people"]),
    ("a person who is a word", lambda it: it["people"].append("x"), ["$.people[2]"]),
    *(
        (f"no {field}", lambda it, field=field: it["people"][1].pop(field), [f"$.people[1].{field}"])
        for field in EXAMPLE["people"][0]
        if field not in {"id", "role"}
    ),
    ("no id", lambda it: (it["people"][1].pop("id"), it.update(current=[])), ["$.people[1].id"]),
    ("no role", lambda it: (it["people"][1].pop("role"), it.update(current=[])), ["$.people[1].role"]),
    ("an unknown field of a person", of(1, name="Ada"), ["$.people[1].name"]),
    ("an empty id", lambda it: (it["people"][0].update(id=""), it.update(current=[])), ["$.people[0].id"]),
    ("an id that is a number", lambda it: (it["people"][0].update(id=42), it.update(current=[])), ["$.people[0].id"]),
    ("an unknown role", lambda it: (it["people"][0].update(role="Mentee"), it.update(current=[])), ["$.people[0].role"]),
    ("a role that is a list", lambda it: (it["people"][0].update(role=["mentee"]), it.update(current=[])), ["$.people[0].role"]),
    *(
        (f"an empty {field}", of(0, **{field: ""}), [f"$.people[0].{field}"])
        for field in ("subsidiary", "business_unit", "team", "function", "site", "zone")
    ),
    *(
        (f"null as {field}", of(0, **{field: None}), [f"$.people[0].{field}"])
        for field in EXAMPLE["people"][0]
        if field not in {"id", "role"}
    ),
    ("capacity 0", of(1, capacity=0), ["$.people[1].capacity"]),
    ("capacity 3", of(1, capacity=3), ["$.people[1].capacity"]),
    ("a mentee of two", of(0, capacity=2), ["$.people[0].capacity"]),
    ("grade 0", of(0, grade=0), ["$.people[0].grade"]),
    ("grade 21", of(0, grade=21), ["$.people[0].grade"]),
    ("grade 9.0", of(0, grade=9.0), ["$.people[0].grade"]),
    ("grade true", of(0, grade=True), ["$.people[0].grade"]),
    ("grade NaN", of(0, grade=float("nan")), ["$.people[0].grade"]),
    ("grade infinite", of(0, grade=float("inf")), ["$.people[0].grade"]),
    ("grade as text", of(0, grade="9"), ["$.people[0].grade"]),
    ("a grade of forty digits", of(0, grade=10**40), ["$.people[0].grade"]),
    ("a negative one", of(0, grade=-(10**40)), ["$.people[0].grade"]),
    *(
        (f"the zone {zone!r}", of(0, zone=zone), ["$.people[0].zone"])
        for zone in ("Mars", "Factory", "localtime", "europe/paris", "../etc", "posixrules", "UTC+1", "Europe/Paris\0")
    ),
    ("languages as text", of(0, languages="fr"), ["$.people[0].languages"]),
    *(
        (f"the language {tag!r}", of(0, languages=["fr", tag]), ["$.people[0].languages[1]"])
        for tag in ("f", "FR", "fr-CH", "abcdefghi", "", "fr\n", "é" * 2, 1, None)
    ),
    ("an unknown way of meeting", of(0, meeting="phone"), ["$.people[0].meeting"]),
    ("availability as an object", of(0, availability={}), ["$.people[0].availability"]),
    *(
        (f"the window {window!r}", of(0, availability=["mon 09:00-11:30", window]), ["$.people[0].availability[1]"])
        for window in (
            "mon 9:00-11:30",
            "Mon 09:00-11:30",
            "mon  09:00-11:30",
            "mon 09:00 - 11:30",
            "mon 09:00-11:30 ",
            "mon 09:15-11:30",
            "mon 11:30-09:00",
            "mon 09:00-09:00",
            "mon 23:30-24:30",
            "mon 24:00-24:00",
            "xyz 09:00-11:30",
            "mon 09:00\u201311:30",
            "mon ٠٩:00-11:30",
            "",
            9,
            None,
            ["mon 09:00-11:30"],
        )
    ),
    ("no topics", of(0, topics={}), ["$.people[0].topics"]),
    ("nine topics", of(0, topics={f"t{n}": 1 for n in range(9)}), ["$.people[0].topics"]),
    ("topics as a list", of(0, topics=["ai"]), ["$.people[0].topics"]),
    ("a level 0", of(0, topics={"x-y": 0}), ["$.people[0].topics['x-y']"]),
    ("a level 4", of(0, topics={"ai": 4}), ["$.people[0].topics.ai"]),
    ("a level 1.0", of(0, topics={"ai": 1.0}), ["$.people[0].topics.ai"]),
    ("a topic without a name", of(0, topics={"": 1}), ["$.people[0].topics['']"]),
    ("managers as a list", top(managers=[]), ["$.managers"]),
    ("one manager without a list", top(managers={"a": "b"}), ["$.managers.a"]),
    ("a manager who is a number", top(managers={"fr:e42": ["b", 7]}), ["$.managers['fr:e42'][1]"]),
    ("a manager without an id", top(managers={"fr:e42": [""]}), ["$.managers['fr:e42'][0]"]),
    ("somebody without an id", top(managers={"": ["a"]}), ["$.managers['']"]),
    ("one's own manager", top(managers={"a": ["b", "a"]}), ["$.managers.a[1]"]),
    *(
        fault
        for field in ("forbidden", "pinned", "current")
        for fault in (
            (f"{field} as an object", top(**{field: {}}), [f"$.{field}"]),
            (f"a word in {field}", top(**{field: ["x"]}), [f"$.{field}[0]"]),
            (f"one in {field}", top(**{field: [["fr:e42"]]}), [f"$.{field}[0]"]),
            (f"three in {field}", top(**{field: [["fr:e42", "de:e5", "de:e5"]]}), [f"$.{field}[0]"]),
            (f"a number in {field}", top(**{field: [["fr:e42", 5]]}), [f"$.{field}[0][1]"]),
            (f"no id in {field}", top(**{field: [["", "de:e5"]]}), [f"$.{field}[0][0]"]),
        )
    ),
    *(
        fault
        for field in ("pinned", "current")
        for fault in (
            (f"an unknown mentee in {field}", top(**{field: [["x", "de:e5"]]}), [f"$.{field}[0][0]"]),
            (f"an unknown mentor in {field}", top(**{field: [["fr:e42", "x"]]}), [f"$.{field}[0][1]"]),
            (f"{field} the wrong way round", top(**{field: [["de:e5", "fr:e42"]]}), [f"$.{field}[0][0]", f"$.{field}[0][1]"]),
            (f"a pair twice in {field}", top(**{field: [["fr:e42", "de:e5"], ["fr:e42", "de:e5"]]}), [f"$.{field}[1]"]),
        )
    ),
    ("somebody twice", lambda it: it["people"].append(deepcopy(it["people"][0])), ["$.people[2]"]),
    ("somebody twice, not the same", lambda it: it["people"].append({**it["people"][0], "grade": 3}), ["$.people[2]"]),
    ("another grade in the other role", both(grade=3), ["$.people[2].grade"]),
    ("another site and zone", both(site="x", zone="UTC"), ["$.people[2].site", "$.people[2].zone"]),
    ("other languages", both(languages=["fr"]), ["$.people[2].languages"]),
    ("another availability", both(availability=["mon 09:00-11:30"]), ["$.people[2].availability"]),
    ("another way of meeting", both(meeting="remote"), ["$.people[2].meeting"]),
    ("a disagreement beside a fault", both(grade=3, topics={}), ["$.people[2].topics", "$.people[2].grade"]),
    ("a pin of somebody with themselves", lambda it: (both()(it), it.update(pinned=[["fr:e42", "fr:e42"]])), ["$.pinned[0]"]),
    (
        "a mentee pinned twice",
        lambda it: (it["people"].append({**it["people"][1], "id": "de:e6"}), it.update(pinned=[["fr:e42", "de:e5"], ["fr:e42", "de:e6"]])),
        ["$.pinned[1]"],
    ),
    (
        "a mentor pinned once more than there are places",
        lambda it: (
            it["people"].extend({**it["people"][0], "id": f"m{n}"} for n in range(3)),
            it.update(pinned=[[f"m{n}", "de:e5"] for n in range(3)]),
        ),
        ["$.pinned[2]"],
    ),
]


@pytest.mark.parametrize(("change", "expected"), [fault[1:] for fault in FAULTS], ids=[fault[0].replace("\0", "NUL") for fault in FAULTS])
def test_a_fault_is_told_with_its_path(change: Change, expected: list[str]) -> None:
    document = example()
    change(document)
    assert paths(written(document)) == expected


def test_every_fault_of_a_file_is_told_at_once() -> None:
    document = example(seed=1, managers={"a": ["a"], "b": [""]}, pinned=[["x", "y"]], current="no", extra=1)
    document["people"][0].update(grade=0, languages=["FR", "de", 1], topics={"x-y": 9, "": 1})
    document["people"][1].pop("zone")
    assert set(paths(written(document))) == {
        "$.seed", "$.managers.a[0]", "$.managers.b[0]", "$.pinned[0][0]", "$.pinned[0][1]", "$.current", "$.extra", "$.people[0].grade",
        "$.people[0].languages[0]", "$.people[0].languages[2]", "$.people[0].topics['x-y']", "$.people[0].topics['']", "$.people[1].zone",
    }  # fmt: skip


def test_each_cycle_is_told_once_at_one_of_its_links() -> None:
    managers = {"a": ["b"], "b": ["x", "c"], "c": ["a"], "d": ["top"], "e": ["d", "f"], "f": ["e"], "top": [], "g": ["a", "e"]}
    found = paths(written(example(managers=managers)))
    first = {"$.managers.a[0]", "$.managers.b[1]", "$.managers.c[0]"}
    second = {"$.managers.e[1]", "$.managers.f[0]"}
    assert len(found) == 2
    assert {*found} & first
    assert {*found} & second


def test_two_cycles_with_a_link_in_common_are_two() -> None:
    assert len(paths(written(example(managers={"a": ["b"], "b": ["a", "c"], "c": ["a"]})))) == 2


def test_a_chain_of_a_hundred_thousand_is_no_cycle_until_it_is_closed() -> None:
    chain = {str(n): [str(n + 1)] for n in range(100_000)}
    assert len(read_pool(written(example(managers=chain))).managers) == 100_000
    assert len(paths(written(example(managers={**chain, "100000": ["0"]})))) == 1


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20))
def test_without_the_links_that_are_told_there_is_no_cycle(links: list[tuple[int, int]]) -> None:
    managers: dict[str, list[str]] = {}
    for report, manager in links:
        managers.setdefault(f"p{report}", []).append(f"p{manager}")
    raw = written(example(managers=managers))
    try:
        read_pool(raw)
    except Refused as refused:
        for fault in refused.faults:
            report, place = fault.path.removeprefix("$.managers.").rstrip("]").split("[")
            told = managers[report][int(place)]
            assert leads(managers, told, report), "a link that is told is on a cycle"
            managers[report] = [manager if manager != told else "nobody" for manager in managers[report]]
        read_pool(written(example(managers=managers)))
    else:
        assert not any(leads(managers, manager, report) for report, above in managers.items() for manager in above)


def leads(managers: dict[str, list[str]], low: str, high: str) -> bool:
    """Whether a chain of links leads up from one to the other."""
    above, grown = {low}, True
    while grown:
        grown = not above >= (more := {manager for one in above for manager in managers.get(one, ())})
        above |= more
    return high in above


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"seed":', '"seed": 1, "seed":', "$.seed"),
        ('"grade": 9', '"grade": 9, "grade": 9', "$.people[0].grade"),
        ('"ai": 3, "social-media": 1', '"social-media": 1, "social-media": 1', "$.people[0].topics['social-media']"),
        ('"fr:e42": ["fr:e7"]', '"fr:e42": [], "fr:e42": ["fr:e7"]', "$.managers['fr:e42']"),
    ],
)
def test_a_key_that_stands_twice_is_told_with_its_path(old: str, new: str, expected: str) -> None:
    raw = json.dumps(EXAMPLE)
    assert raw.count(old) == 1
    assert paths(raw.replace(old, new).encode()) == [expected]


def test_a_pin_that_breaks_a_rule_of_the_policy_is_refused_unless_pins_override() -> None:
    document = example(pinned=[["fr:e42", "de:e5"]], managers={"fr:e42": ["x"], "x": ["de:e5"]})
    assert read_pool(written(document)).pinned
    assert paths(written(document), Policy()) == ["$.pinned[0]"]
    assert read_pool(written(document), Policy(pins_override=True)).pinned
    document["people"][1]["availability"] = []
    document["extra"] = 1
    with pytest.raises(Refused, match="breaks outside_the_line, common_hours") as refused:
        read_pool(written(document), Policy())
    assert {fault.path for fault in refused.value.faults} == {"$.extra", "$.pinned[0]"}


def test_a_forbidden_pair_cannot_be_pinned_either_way_round() -> None:
    document = example(pinned=[["fr:e42", "de:e5"]], forbidden=[["de:e5", "fr:e42"]])
    assert paths(written(document), Policy()) == ["$.pinned[0]"]


GOOD = written(EXAMPLE)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"7",
        b'"pool"',
        b"{",
        GOOD[:-1],
        GOOD[: len(GOOD) // 2],
        GOOD + b"}",
        GOOD + GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD.decode().encode("utf-16"),
        GOOD.replace(b"retail", b"ret\xffil"),
        GOOD.replace(b"retail", b"ret\xed\xa0\x80"),
        GOOD.replace(b"retail", b"ret\x00il"),
        GOOD.replace(b"retail", b"ret\nil"),
        GOOD.replace(b'"fr", "en"', b'"fr", "en",'),
        b"[" * 1_000_000,
        b'{"people":' * 1_000_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"-" * 1_000_000,
        b'"' + b"a" * 1_000_000,
        b"9" * 1_000_000,
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_bytes_that_are_no_pool_are_refused_at_the_root(raw: bytes) -> None:
    assert paths(raw)[0].startswith("$")
    assert {fault.split(".")[0] for fault in paths(raw)} == {"$"}


def test_what_would_take_too_much_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, raw in (("MOST_BYTES", GOOD), ("MOST_CONTAINERS", GOOD), ("MOST_VALUES", GOOD)):
        with monkeypatch.context() as patch:
            patch.setattr(text, limit, 5)
            with pytest.raises(Refused, match="split the programme into several pools"):
                read_pool(raw)


@pytest.mark.parametrize(
    ("limit", "asked", "told"),
    [
        ("MOST_LEVELS", 1, "wish and offer 1 different topics: at most 0 with 1 mentors; use the topics of one list"),
        ("MOST_TONGUES", 6, "speak 3 different languages: at most 2 for 2 people"),
    ],
)
def test_names_that_everybody_brings_of_their_own_are_counted(limit: str, asked: int, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic is a column over all mentors: 160,000 of them in a file of 15 MB took 9 GB to solve."""
    monkeypatch.setattr(pools, limit, asked)
    assert read_pool(GOOD)
    monkeypatch.setattr(pools, limit, asked - 1)
    with pytest.raises(Refused) as refused:
        read_pool(GOOD)
    assert [(fault.path, fault.reason) for fault in refused.value.faults] == [("$.people", told)]


def test_numbers_of_any_length_have_their_path_and_no_great_message() -> None:
    digits = b"1" * 1_000_000
    for number in (digits, b"-" + digits, digits + b".5", b"1e" + digits, b"0." + digits):
        raw = GOOD.replace(b'"grade": 9', b'"grade": ' + number)
        with pytest.raises(Refused) as refused:
            read_pool(raw)
        assert [fault.path for fault in refused.value.faults] == ["$.people[0].grade"]
        assert len(str(refused.value)) < 200


def test_very_long_keys_and_values_are_cut_in_messages() -> None:
    document = example(**{"k" * 1_000_000: 1})
    document["people"][0].update(meeting="m" * 1_000_000, zone="z" * 1_000_000, availability=["w" * 1_000_000])
    with pytest.raises(Refused) as refused:
        read_pool(written(document))
    assert len(refused.value.faults) == 4
    assert len(str(refused.value)) < 2_000


def test_more_faults_than_anybody_reads_end_in_one_line_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "MOST_FAULTS", 3)
    with pytest.raises(Refused) as refused:
        read_pool(written(example(forbidden=[1] * 10)))
    assert [fault.path for fault in refused.value.faults] == ["$.forbidden[0]", "$.forbidden[1]", "$.forbidden[2]", "$"]


@pytest.mark.parametrize(
    "where", [lambda it: it.update(managers=it["people"][0]), lambda it: it["people"][0].update(topics=deepcopy(it["people"][1]))]
)
def test_a_person_where_none_belongs_is_a_fault(where: Change) -> None:
    document = example()
    where(document)
    assert paths(written(document))


@settings(max_examples=60)
@given(st.randoms(use_true_random=False), st.integers(1, 8), st.integers(1, 8))
def test_a_pool_that_is_written_is_read_again(random: Random, mentees: int, mentors: int) -> None:
    pool = random_pool(random, mentees, mentors)
    document = document_of(pool)
    document["managers"] = {report: above for report, above in document["managers"].items() if above[0] < report}
    for person in document["people"]:
        for field in ("business_unit", "team", "function", "site"):
            person[field] = person[field] or "unknown"
    assert document_of(read_pool(written(document))) == document


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 30) | st.floats() | st.sampled_from(["", "fr", "mentor", "mon 09:00-10:00", "\ud800", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*EXAMPLE, *EXAMPLE["people"][0], "ai", "x-y"]), inner, max_size=4)
    ),
    max_leaves=8,
)
PLACES = [(field,) for field in EXAMPLE] + [("people", place, field) for place in (0, 1) for field in EXAMPLE["people"][0]]


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=4))
def test_anything_anywhere_is_read_or_refused_where_it_stands(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = example()
    people = [*document["people"]]
    for way, value in changes:
        at = document if len(way) == 1 else people[way[1]]
        at[way[-1]] = value
    try:
        pool = read_pool(written(document))
    except Refused as refused:
        told = [fault.path for fault in refused.faults]
        assert told == list(dict.fromkeys(told)) != []
    else:
        assert len(pool.people) == len(document["people"])


def test_paths_are_spelled_as_the_contract_spells_them() -> None:
    assert spell((((("$", "people"), 3), "topics"), "x-y")) == "$.people[3].topics['x-y']"
