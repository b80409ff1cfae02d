"""The made-up group: the same for a seed, one tree, dirt only where it is wanted, every wish one that the contracts can carry."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter

from amont.common.events.values import Language, Level, PersonId, Role, Window
from amont.local.group import COMPANIES, REFUSED, TOPICS, Dirt, Group, made_up

AT = datetime(2027, 1, 4, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def group() -> Group:
    return made_up(1, AT)


def test_the_same_seed_gives_the_same_group_and_another_seed_another(group: Group) -> None:
    again, other = made_up(1, AT), made_up(2, AT)
    assert (again.records, again.wishes) == (group.records, group.wishes)
    assert other.records != group.records


def test_there_are_three_subsidiaries_with_about_six_hundred_people(group: Group) -> None:
    by_tenant = Counter(person.tenant for person in group.people.values())
    assert set(by_tenant) == {"fr", "de", "es"}
    assert len(group.people) == 600
    assert min(by_tenant.values()) > 100


def test_every_line_ends_at_the_chief_executive_without_a_cycle(group: Group) -> None:
    chief = next(person.id for person in group.people.values() if person.manager is None)
    depths = Counter(len(list(group.line_of(person))) for person in group.people)
    assert all([*group.line_of(person)][-1:] in ([chief], []) for person in group.people)
    assert max(depths) in {5, 6}, "five to seven levels"


def test_managers_are_senior_to_those_who_report_to_them(group: Group) -> None:
    for person in group.people.values():
        if person.manager:
            assert group.people[person.manager].band > person.band or person.band <= 3


def test_dotted_lines_never_close_a_cycle(group: Group) -> None:
    for person in group.people.values():
        for lead in person.dotted:
            assert person.id not in {lead, *group.line_of(lead)}


def test_records_do_not_come_top_down(group: Group) -> None:
    place = {record.person: at for at, record in enumerate(group.records)}
    early = sum(place[person.id] < place[person.manager] for person in group.people.values() if person.manager)
    assert early > len(group.people) / 10


def test_addresses_are_made_up_and_different(group: Group) -> None:
    addresses = [person.email for person in group.people.values()]
    assert len(set(addresses)) == len(addresses)
    assert all(address.endswith(".example") and address.isascii() for address in addresses)


def test_every_kind_of_dirt_is_there_and_nobody_with_reports_is_soiled(group: Group) -> None:
    soiled = [person for person in group.people.values() if person.dirt]
    managers = {person.manager for person in group.people.values()}
    assert {person.dirt for person in soiled} == set(Dirt)
    assert not managers & {person.id for person in soiled}


def test_grades_are_the_subsidiary_s_own_codes(group: Group) -> None:
    tables = {company.tenant: company.grades for company in COMPANIES}
    for record in group.records:
        known = record.grade in tables[record.tenant]
        assert known != (group.people[record.person].dirt is Dirt.UNKNOWN_GRADE)
    assert not set(tables["fr"]) & set(tables["de"])


def test_some_records_lie_ahead_and_some_people_are_on_leave(group: Group) -> None:
    ahead = [record for record in group.records if not isinstance(record.effective_at, datetime) and record.effective_at > AT.date()]
    assert 4 <= len(ahead) <= 20
    assert 4 <= sum(person.on_leave for person in group.people.values()) <= 20


def test_every_wish_can_be_carried_by_the_contracts(group: Group) -> None:
    form = TypeAdapter(tuple[PersonId, dict[str, Level], tuple[Language, ...], tuple[Window, ...]])
    for wish in group.wishes:
        form.validate_python((wish.person, wish.topics, wish.languages, wish.availability))
        assert set(wish.topics) <= set(TOPICS)
        assert wish.capacity == 1 or wish.role is Role.MENTOR


def test_nobody_wishes_twice_and_nobody_unknown_wishes(group: Group) -> None:
    people = [wish.person for wish in group.wishes]
    assert len(set(people)) == len(people) == pytest.approx(120, abs=6)
    assert all(group.people[person].dirt not in REFUSED for person in people)


def test_most_wishes_are_within_the_rules_and_a_few_are_not(group: Group) -> None:
    likely = Counter((wish.role, wish.likely) for wish in group.wishes)
    assert likely[Role.MENTEE, True] >= 25
    assert likely[Role.MENTOR, True] >= 50
    assert 6 <= likely[Role.MENTEE, False] + likely[Role.MENTOR, False] <= 16
    for wish in group.wishes:
        person = group.people[wish.person]
        if wish.likely:
            assert (person.band >= 10) == (wish.role is Role.MENTEE)
            assert not person.on_leave


@pytest.mark.parametrize("seed", range(5))
def test_small_groups_can_be_made_too(seed: int) -> None:
    small = made_up(seed, AT, people=90, wishes=24)
    assert len(small.people) == 90
    assert {person.tenant for person in small.people.values()} == {"fr", "de", "es"}
    assert len(small.wishes) > 12
