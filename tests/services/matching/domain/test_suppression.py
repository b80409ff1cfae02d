"""What is hidden cannot be worked out: by subtraction as people do it, or by solving the whole linear system of what is shown."""

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amont.matching.domain.suppression import K, Person, Shown, shown

GROUPS = ("a", "b", "c", "d", "e")
people_of = st.lists(st.tuples(*(st.sampled_from(GROUPS) for _ in range(3))), max_size=60)
nested = st.lists(
    st.sampled_from("abc").flatmap(lambda one: st.tuples(st.just(one), st.sampled_from([f"{one}{n}" for n in range(4)]))), max_size=60
)
"""Sites, each in one subsidiary."""


def _members(people: Sequence[Person], division: int, group: str) -> frozenset[int]:
    return frozenset(number for number, person in enumerate(people) if person[division] == group)


def _rank(rows: list[list[Fraction]]) -> int:
    basis: list[tuple[int, list[Fraction]]] = []
    for given_row in rows:
        row = given_row
        for pivot, other in basis:
            if row[pivot]:
                factor = row[pivot] / other[pivot]
                row = [one - factor * two for one, two in zip(row, other, strict=True)]
        pivot = next((place for place, value in enumerate(row) if value), None)
        if pivot is not None:
            basis.append((pivot, row))
    return len(basis)


def _holds_for(people: Sequence[Person], visible: Shown) -> None:
    divided = [(*person, "everybody") for person in people]
    groups = (*visible.groups, frozenset({"everybody"} if visible.everybody else ()))
    every = sorted({at for person in divided for at in enumerate(person)})
    open_ = [at for at in every if at[1] in groups[at[0]]]
    members = {at: _members(divided, *at) for at in every}
    assert all(len(members[at]) >= K for at in open_)
    for whole in open_:
        for division in range(len(divided[0])):
            parts = [members[at] for at in open_ if at[0] == division and members[at] <= members[whole]]
            left = members[whole].difference(*parts)
            assert not 0 < len(left) < K, "a subtraction leaves a few"
    cells = sorted(set(divided))

    def row(at: tuple[int, str]) -> list[Fraction]:
        return [Fraction(cell[at[0]] == at[1]) for cell in cells]

    known = [row(at) for at in open_]
    rank = _rank(known)
    for at in every:
        assert at in open_ or _rank([*known, row(at)]) == rank + 1, "what is hidden is a combination of what is shown"


@settings(max_examples=300, deadline=None)
@given(st.one_of(people_of, nested))
def test_what_is_hidden_cannot_be_worked_out(people: list[Person]) -> None:
    visible = shown([people], len(people[0]) if people else 0)
    if people:
        _holds_for(people, visible)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.tuples(*(st.sampled_from(GROUPS) for _ in range(3))), st.booleans(), st.booleans()), max_size=60))
def test_what_one_column_hides_no_other_one_shows(everybody: list[tuple[Person, bool, bool]]) -> None:
    """Two policies side by side: whoever is matched under each."""
    columns = [[person for person, *matched in everybody if matched[number]] for number in range(2)]
    visible = shown(columns, 3)
    for column in columns:
        if column:
            _holds_for(column, visible)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(people_of, nested).flatmap(
        lambda people: st.tuples(st.just(people), st.lists(st.tuples(*[st.booleans()] * len(people)), min_size=1, max_size=2))
    )
)
def test_no_subtraction_tells_of_hidden_people_that_all_or_none_of_them_are_matched(
    case: tuple[list[Person], list[tuple[bool, ...]]],
) -> None:
    """Unless the whole itself is shown with all, or none."""
    people, marks = case
    if not people:
        return
    visible = shown([people], len(people[0]), marks=marks)
    _holds_for(people, visible)
    divided = [(*person, "everybody") for person in people]
    groups = (*visible.groups, frozenset({"everybody"} if visible.everybody else ()))
    open_ = {(at, name): _members(divided, at, name) for at, names in enumerate(groups) for name in names}
    for mark in marks:
        matched = frozenset(number for number, one in enumerate(mark) if one)
        for whole in open_.values():
            for division in range(len(groups)):
                left = whole.difference(*(part for (at, _), part in open_.items() if at == division and part <= whole))
                if left and 0 < len(whole & matched) < len(whole):
                    assert 0 < len(left & matched) < len(left)


deep = st.lists(
    st.sampled_from("abc").flatmap(
        lambda one: st.sampled_from([f"{one}{n}" for n in range(3)]).flatmap(
            lambda two: st.tuples(st.just(one), st.just(two), st.sampled_from([f"{two}{n}" for n in range(2)]))
        )
    ),
    max_size=70,
)
"""Teams, each in one site, each in one subsidiary."""


def _families(groups: list[frozenset[int]]) -> Iterator[frozenset[int]]:
    """The people of each family of disjoint groups."""
    if not groups:
        yield frozenset()
        return
    for rest in _families(groups[1:]):
        yield rest
        if not rest & groups[0]:
            yield rest | groups[0]


@settings(max_examples=300, deadline=None)
@given(deep.flatmap(lambda people: st.tuples(st.just(people), st.lists(st.booleans(), min_size=len(people), max_size=len(people)))))
def test_of_nested_groups_no_disjoint_ones_leave_a_few_people_or_all_or_none_matched(case: tuple[list[Person], list[bool]]) -> None:
    """Every family of disjoint groups is tried; what is told of a shown group by name is told of everybody in it."""
    people, mark = case
    if not people:
        return
    visible = shown([people], 3, marks=[mark])
    _holds_for(people, visible)
    divided = [(*person, "everybody") for person in people]
    groups = (*visible.groups, frozenset({"everybody"} if visible.everybody else ()))
    open_ = {_members(divided, at, name) for at, names in enumerate(groups) for name in names}
    matched = frozenset(number for number, one in enumerate(mark) if one)
    for whole in open_:
        for gone in set(_families([part for part in open_ if part < whole])):
            left = whole - gone
            assert not 0 < len(left) < K
            for known in (matched, frozenset(range(len(people))) - matched):
                uniform = frozenset[int]().union(*(group for group in open_ if group <= known))
                assert not left or not left <= known or left <= uniform


def test_the_sites_of_a_hidden_subsidiary_are_subtracted_with_the_other_subsidiaries() -> None:
    """Two subsidiaries are shown, and of the third a site of six: the total less all these would be three people, all matched."""
    sizes = {("s1", "big"): (34, 20), ("s1", "a"): (2, 1), ("s1", "b"): (2, 1), ("s1", "c"): (2, 1), ("s2", "two"): (30, 15)}
    sizes |= {("s3", "x"): (6, 3), ("s3", "y"): (1, 1), ("s3", "z"): (1, 1), ("s4", "w"): (1, 1)}
    people = [site for site, (count, _) in sizes.items() for _ in range(count)]
    marks = [number < matched for count, matched in sizes.values() for number in range(count)]
    visible = shown([people], 2, marks=[marks])
    assert not (visible.everybody and {"s1", "s2"} <= visible.groups[0] and "x" in visible.groups[1])
    assert {"s1", "s2"} <= visible.groups[0], "the smallest is hidden"


def test_hidden_people_of_whom_none_is_matched_are_not_given_away_by_the_total() -> None:
    """Two hidden groups of three, none of the six matched: the total less the shown groups would say so of each of them."""
    people = _crowd(fr=20, de=10, it=3, es=3)
    matched = [number < 29 for number in range(36)]
    assert shown([people], 1).groups == ({"fr", "de"},)
    assert shown([people], 1, marks=[matched]).groups == ({"fr"},)


def test_a_shown_group_of_which_nobody_is_matched_is_told_of() -> None:
    people = _crowd(fr=20, it=10)
    assert shown([people], 1, marks=[[number < 15 for number in range(30)]]).groups == ({"fr", "it"},)


@settings(max_examples=100, deadline=None)
@given(people_of, st.randoms())
def test_the_order_of_people_changes_nothing(people: list[Person], random: object) -> None:
    shuffled = people.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert shown([people], 3) == shown([shuffled], 3)


def _crowd(**sizes: int) -> list[Person]:
    return [(name,) for name, size in sizes.items() for _ in range(size)]


@pytest.mark.parametrize(
    ("sizes", "visible"),
    [
        ({"fr": 40, "de": 5}, {"fr", "de"}),
        ({"fr": 40, "de": 4}, set()),
        ({"fr": 40, "de": 4, "es": 9}, {"fr"}),
        ({"fr": 40, "de": 4, "it": 3, "es": 9}, {"fr", "es"}),
        ({"fr": 4}, set()),
    ],
)
def test_a_small_group_takes_the_next_smallest_with_it(sizes: dict[str, int], visible: set[str]) -> None:
    assert shown([_crowd(**sizes)], 1).groups == (visible,)


def test_a_site_is_not_found_by_its_subsidiary_less_its_other_sites() -> None:
    """Of all sites the smallest other one is in Spain; but who knows where sites lie would subtract Frankfurt from Germany."""
    people = [("de", "FRA")] * 30 + [("de", "BER")] * 3 + [("es", "MAD")] * 6 + [("es", "BCN")] * 20
    subsidiaries, sites = shown([people], 2).groups
    assert "BER" not in sites
    assert "FRA" not in sites or "de" not in subsidiaries
    counts = Counter(person[1] for person in people)
    assert all(counts[site] >= K for site in sites)


def test_two_groups_that_differ_by_a_few_are_not_both_shown() -> None:
    people = [("hq", "treasury")] * 40 + [("hq", "legal")] * 3 + [("fr", "legal")] * 30
    units, functions = shown([people], 2).groups
    assert not ("hq" in units and "treasury" in functions)
