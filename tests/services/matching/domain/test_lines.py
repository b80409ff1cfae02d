"""The management graph goes up by every line, to the top, and cycles lose their newest link."""

from datetime import date, timedelta
from graphlib import TopologicalSorter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from amont.matching.domain.lines import Lines, Link, among, break_cycles

DEEP = 10_000
DAY = date(2027, 1, 11)

GROUP = {"fr:e42": ("fr:e7",), "fr:e7": ("fr:e1", "de:e9"), "fr:e8": ("fr:e7",)}


def link(report: str, manager: str, day: int, *, dotted: bool = False) -> Link:
    return Link(report=report, manager=manager, since=DAY + timedelta(days=day), dotted=dotted)


def test_everybody_on_the_way_to_the_top_is_above() -> None:
    assert Lines(GROUP).ancestors("fr:e42") == {"fr:e7", "fr:e1", "de:e9"}


def test_nobody_is_above_the_top() -> None:
    assert Lines(GROUP).ancestors("fr:e1") == frozenset()


def test_the_line_holds_in_both_directions() -> None:
    lines = Lines(GROUP)
    assert lines.in_line("fr:e42", "fr:e1")
    assert lines.in_line("fr:e1", "fr:e42")


def test_a_dotted_manager_is_in_the_line() -> None:
    assert Lines(GROUP).in_line("fr:e42", "de:e9")


def test_two_people_under_one_manager_are_not_in_line() -> None:
    assert not Lines(GROUP).in_line("fr:e42", "fr:e8")


def test_strangers_are_not_in_line() -> None:
    assert not Lines(GROUP).in_line("it:e1", "fr:e1")


def test_a_line_may_be_very_long() -> None:
    lines = Lines({str(person): (str(person + 1),) for person in range(DEEP)})
    assert len(lines.ancestors("0")) == DEEP
    assert lines.in_line("0", str(DEEP))


def test_a_graph_with_a_cycle_can_still_be_walked() -> None:
    assert Lines({"a": ("b",), "b": ("a",)}).ancestors("a") == {"a", "b"}


def test_the_newest_link_of_a_cycle_is_dropped() -> None:
    links = [link("a", "b", 1), link("b", "c", 3), link("c", "a", 2)]
    assert break_cycles(links).dropped == (link("b", "c", 3),)
    assert break_cycles(links).kept == (link("a", "b", 1), link("c", "a", 2))


def test_of_links_of_one_day_the_greater_ids_are_the_newer() -> None:
    assert break_cycles([link("b", "a", 1), link("a", "b", 1)]).dropped == (link("b", "a", 1),)


def test_a_dotted_link_can_close_a_cycle() -> None:
    assert break_cycles([link("a", "b", 1), link("b", "a", 2, dotted=True)]).dropped == (link("b", "a", 2, dotted=True),)


def test_people_who_manage_themselves_do_not() -> None:
    untangled = break_cycles([link("a", "a", 1), link("a", "b", 2)])
    assert untangled.dropped == (link("a", "a", 1),)
    assert untangled.kept == (link("a", "b", 2),)


def test_a_cycle_that_has_lost_a_link_loses_no_other() -> None:
    links = [link("a", "b", 1), link("b", "a", 2), link("a", "c", 0), link("c", "b", 3)]
    assert break_cycles(links).dropped == (link("b", "a", 2),)


def test_two_cycles_lose_a_link_each() -> None:
    links = [link("a", "b", 1), link("b", "a", 2), link("c", "d", 4), link("d", "c", 3)]
    assert break_cycles(links).dropped == (link("b", "a", 2), link("c", "d", 4))


def test_a_diamond_is_no_cycle() -> None:
    links = [link("a", "b", 1), link("a", "c", 2, dotted=True), link("b", "d", 3), link("c", "d", 4)]
    assert break_cycles(links).dropped == ()


def test_managers_come_solid_first_and_once() -> None:
    links = [link("a", "b", 1, dotted=True), link("a", "z", 2), link("a", "c", 3, dotted=True), link("a", "c", 4, dotted=True)]
    links += [link("a", "z", 5, dotted=True)]
    assert break_cycles(links).managers() == {"a": ("z", "b", "c")}


def test_a_very_long_cycle_loses_one_link() -> None:
    links = [link(str(person), str((person + 1) % DEEP), person * 7919 % DEEP) for person in range(DEEP)]
    newest = max(links, key=lambda one: one.since)
    assert break_cycles(links).dropped == (newest,)


def test_a_whole_group_is_untangled() -> None:
    random = Random(1)
    links = [
        link(str(person), str(random.randrange(max(1, person // 8), person + 1) - 1), random.randrange(900)) for person in range(2, 30_000)
    ]
    links += [link("0", "29999", 901), link("1", "0", 0)]
    untangled = break_cycles(links)
    assert link("0", "29999", 901) in untangled.dropped
    assert len(untangled.kept) + len(untangled.dropped) == len(links)
    TopologicalSorter(untangled.managers()).prepare()


some_links = st.lists(st.builds(link, *[st.sampled_from("abcdef")] * 2, st.integers(0, 5), dotted=st.booleans()), max_size=25)


@settings(deadline=None, max_examples=60)
@given(some_links, st.randoms(use_true_random=False))
def test_the_order_in_which_links_are_given_does_not_matter(links: list[Link], random: Random) -> None:
    shuffled = random.sample(links, len(links))
    assert break_cycles(shuffled) == break_cycles(links)


@settings(deadline=None, max_examples=60)
@given(some_links)
def test_a_link_is_dropped_exactly_when_it_closes_a_cycle_with_older_ones_that_were_kept(links: list[Link]) -> None:
    untangled = break_cycles(links)
    assert {*untangled.kept, *untangled.dropped} == set(links)
    TopologicalSorter(untangled.managers()).prepare()
    for lost in untangled.dropped:
        older = [other for other in untangled.kept if other.age < lost.age]
        above: dict[str, tuple[str, ...]] = {}
        for other in older:
            above[other.report] = (*above.get(other.report, ()), other.manager)
        assert lost.report == lost.manager or lost.report in Lines(above).ancestors(lost.manager)


def test_lines_among_some_people_name_nobody_else() -> None:
    managers = {"a": ("outside", "top"), "b": ("outside",), "outside": ("other", "c"), "other": ("d",), "c": ("top",), "d": ("top",)}
    found = among(managers, {"a", "b", "c", "d"})
    [between] = found.keys() - {"a", "b"}
    assert found == {"a": (between,), "b": (between,), between: ("d", "c")}
    assert not between.isalpha()


def test_who_has_the_same_people_above_is_called_the_same_in_every_pool() -> None:
    first = among({"a": ("x",), "x": ("b", "c")}, {"a", "b", "c"})
    assert among({"d": ("y",), "y": ("b", "z"), "z": ("c",), "e": ("q",)}, {"b", "c", "d", "e"}) == {
        "d": first["a"],
        first["a"][0]: ("b", "c"),
    }


def test_among_the_people_of_a_pool_a_line_may_be_very_long() -> None:
    managers = {str(person): (str(person + 1),) for person in range(DEEP)}
    assert among(managers, {"0", str(DEEP)}) == {"0": (str(DEEP),)}


@settings(deadline=None, max_examples=60)
@given(some_links, st.sets(st.sampled_from("abcdef")))
def test_lines_among_some_people_are_the_lines_they_had(links: list[Link], people: set[str]) -> None:
    managers = break_cycles(links).managers()
    before, after = Lines(managers), Lines(among(managers, people))
    assert all(after.ancestors(one) & people == before.ancestors(one) & people for one in people)
