"""From what others told to what the core computes with: the policy, the seats, the pool."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from amont.common import events
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Role
from amont.matching.domain.enrolment import Enrolment
from amont.matching.domain.person import Person
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pooling import Gathering, common_topics, core_policy, monday_of, naming_its_people
from amont.matching.domain.scorer import Scorer
from amont.matching.files import pool_lines


def test_the_default_policies_are_one_and_the_same() -> None:
    assert core_policy(events.Policy()) == Policy()


@given(
    st.builds(
        events.Policy,
        min_grade_gap=st.integers(-19, 19),
        across=st.sampled_from(["subsidiary", "business_unit", "none"]),
        max_zone_hours=st.integers(0, 26),
        min_common_hours=st.integers(0, 168),
        min_score=st.integers(0, 1000),
        stickiness=st.integers(0, 1000),
        order=st.sampled_from(["pairs, worst, total", "pairs, total", "total"]),
        off=st.lists(st.sampled_from([*(rule.value for rule in Rule), "not-a-rule"])).map(tuple),
    ),
)
def test_every_policy_of_the_contract_is_one_of_the_core(policy: events.Policy) -> None:
    core = core_policy(policy)
    assert Rule.TWO_PEOPLE not in core.off
    assert {rule.value for rule in core.off} == set(policy.off) - {"two_people", "not-a-rule"}
    assert (core.min_grade_gap, core.across, core.order) == (policy.min_grade_gap, policy.across, policy.order)


def test_weeks_begin_on_monday() -> None:
    assert monday_of(datetime(2027, 1, 10, 23, 59, tzinfo=UTC)) == date(2027, 1, 4)
    assert monday_of(datetime(2027, 1, 11, tzinfo=UTC)) == date(2027, 1, 11)


def test_topics_in_common_begin_with_the_strongest_wish() -> None:
    assert common_topics({"a": 1, "b": 3, "c": 3, "d": 2}, {"c": 1, "b": 1, "a": 3}) == ("b", "c", "a")


def test_a_person_has_one_place_per_role_however_often_enrolled() -> None:
    person = Person(id="fr:e", status=EmployeeStatus.ACTIVE, band=12, zone="Europe/Paris")
    enrolments = [
        Enrolment(id=f"{role.value}-{n}", person="fr:e", programme="p", role=role, status=EnrolmentStatus.ENROLLED, languages=("fr-CA",))
        for role in Role
        for n in (2, 1)
    ]
    gathering = Gathering(programme="p", seed="s", week_of=date(2027, 1, 4))
    for enrolment in enrolments:
        gathering.enrolled(enrolment, person)
    gathered = gathering.gathered()
    assert gathered.enrolments == {("mentee", "fr:e"): "mentee-1", ("mentor", "fr:e"): "mentor-1"}
    assert [one.languages for one in gathered.pool.people] == [frozenset({"fr"})] * 2


def test_a_pool_names_nobody_who_takes_no_part_and_still_keeps_lines_apart() -> None:
    """Two French people with a German and an Italian between them, who are in a circle with their own."""
    band = {"fr:boss": 5, "fr:e": 12}
    people = [
        Person(id="fr:e", band=12, managers=("de:m",), since=(date(2020, 1, 1),)),
        Person(id="de:m", managers=("it:m", "de:dot"), since=(date(2020, 1, 1),) * 2),
        Person(id="it:m", managers=("fr:boss", "it:n"), since=(date(2020, 1, 1), date(2021, 1, 1))),
        Person(id="it:n", managers=("it:m",), since=(date(2022, 1, 1),)),
        Person(id="fr:boss", band=5, managers=("de:top", "fr:e"), since=(date(2020, 1, 1), date(2023, 1, 1))),
    ]
    gathering = Gathering(programme="p", seed="s", week_of=date(2027, 1, 4))
    for person in people:
        gathering.above(person)
    for id_, role in (("fr:e", Role.MENTEE), ("fr:boss", Role.MENTOR)):
        person = Person(id=id_, status=EmployeeStatus.ACTIVE, band=band[id_], zone="Europe/Paris")
        enrolment = Enrolment(id=id_, person=id_, programme="p", role=role, status=EnrolmentStatus.ENROLLED, topics={"ai": 1})
        gathering.enrolled(enrolment, person)
    gathered = gathering.gathered()
    assert gathered.dropped_links == (("fr:boss", "fr:e"),)
    written = naming_its_people(gathered.pool)
    text = "\n".join(pool_lines(written))
    assert "de:" not in text
    assert "it:" not in text
    for pool in (gathered.pool, written):
        assert Rule.OUTSIDE_THE_LINE in Scorer(pool, Policy()).all_broken("fr:e", "fr:boss")
