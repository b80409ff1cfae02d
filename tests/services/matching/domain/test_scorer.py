"""One object answers for every pair of a pool."""

import pytest
from tests.services.matching.domain.pools import MENTEE, MENTOR, mentee, mentor, pool_of

from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.scorer import Scorer


def test_it_answers_by_id() -> None:
    scorer = Scorer(pool_of(MENTEE, MENTOR, mentor(id="de:e6", grade=12)), Policy())
    assert scorer.allowed("fr:e42", "de:e5")
    assert not scorer.allowed("fr:e42", "de:e6")
    assert scorer.first_broken("fr:e42", "de:e6") is Rule.MENTOR_IS_JUNIOR
    assert scorer.score("fr:e42", "de:e5") == 782


def test_somebody_in_both_roles_is_two_entries() -> None:
    scorer = Scorer(pool_of(mentee(id="x"), mentor(id="x"), MENTOR), Policy())
    assert scorer.first_broken("x", "x") is Rule.TWO_PEOPLE
    assert scorer.allowed("x", "de:e5")
    assert set(scorer.in_role("mentor")) == {"x", "de:e5"}


def test_an_id_in_the_other_role_only_is_unknown() -> None:
    with pytest.raises(KeyError, match="de:e5"):
        Scorer(pool_of(MENTEE, MENTOR), Policy()).score("de:e5", "fr:e42")


def test_stickiness_is_part_of_the_value_but_not_of_the_score() -> None:
    pool = pool_of(MENTEE, MENTOR, mentor(id="de:e6"), current=(("fr:e42", "de:e5"),))
    scorer = Scorer(pool, Policy(stickiness=20))
    assert (scorer.score("fr:e42", "de:e5"), scorer.value("fr:e42", "de:e5")) == (782, 802)
    assert scorer.value("fr:e42", "de:e6") == 782


def test_managers_outside_the_pool_are_links_of_the_chain() -> None:
    pool = pool_of(MENTEE, MENTOR, managers={"de:e5": ("de:e9",), "de:e9": ("fr:e1",), "fr:e1": ("fr:e42",)})
    assert Scorer(pool, Policy()).first_broken("fr:e42", "de:e5") is Rule.OUTSIDE_THE_LINE


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="'Europe/Atlantis' is not a time zone"):
        Scorer(pool_of(mentee(zone="Europe/Atlantis")), Policy())
