"""What is said, in both languages."""

from collections import Counter
from dataclasses import replace
from random import Random
from string import Formatter

import pytest
from tests.services.matching.domain.pools import mentee, mentor, pool_of, random_policy, random_pool

from amont.matching.domain.change import Change
from amont.matching.domain.comparing import Difference, Reached, RuleCost
from amont.matching.domain.engine import Engine
from amont.matching.domain.pinning import Hindrance, Unpinned
from amont.matching.domain.points import Points
from amont.matching.domain.policy import Order, Policy, Rule
from amont.matching.domain.pooling import LeftOut
from amont.matching.domain.scorer import Scorer
from amont.matching.domain.solver import NextBest, Unmatched
from amont.matching.domain.words import (
    CATALOGUE,
    LANGUAGES,
    Text,
    alone_in_words,
    cost_in_words,
    difference_in_words,
    left_out_in_words,
    pair_in_words,
    spoken,
    unpinned_in_words,
)

POINTS = Points(topics=450, function=120, hours=52, grade_gap=80, meeting=0)
CHANGE = Change(kind="language", opens=8, language="fr")


def _names(text: Text) -> list[set[str]]:
    """What each form of a text takes."""
    forms = (text,) if isinstance(text, str) else text
    return [{name for _, name, _, _ in Formatter().parse(form) if name} for form in forms]


def test_every_key_has_both_languages_and_takes_the_same() -> None:
    assert set(CATALOGUE) == set(LANGUAGES)
    english, french = CATALOGUE["en"], CATALOGUE["fr"]
    assert english.keys() == french.keys()
    for key, text in english.items():
        assert _names(text) == _names(french[key]), key
        assert text != french[key], key


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_be_said_has_words(language: str) -> None:
    """Each rule for each role, with one and with more; a rule that is added without words fails here."""
    tongue = spoken(language)
    for role in ("mentee", "mentor"):
        for count in (1, 2):
            for least in (None, 0, 600):
                removed = dict.fromkeys(Rule, count)
                alone = Unmatched(id="x", role=role, removed=removed, left=count, change=CHANGE, least=least)  # type: ignore[arg-type]  # a role
                assert len(alone_in_words(alone, tongue)) == len(Rule) + 2
    for reason in ("person-not-heard-of", "person-on-leave", "person-left", "zone-unknown", "availability-unreadable"):
        assert left_out_in_words(LeftOut(enrolment="x", person="y", reason=reason), tongue)
    for why in Hindrance:
        assert unpinned_in_words(Unpinned(mentee="x", mentor="y", why=why, broken=tuple(Rule)), tongue)
    nothing = Reached(pairs=0, worst=None, total=0)
    for rule in set(Rule) - {Rule.TWO_PEOPLE}:
        assert all(cost_in_words(RuleCost(rule=rule, without=nothing, costs=costs), tongue) for costs in (-2, -1, 0, 1, 2))


def test_why_a_pair_was_made() -> None:
    best = NextBest(mentor="es:e3", score=690)
    assert pair_in_words(POINTS, best, 1014, "en") == (
        "702 points of 1,000: 450 for topics, 120 for different functions, 52 for common hours, 80 for the distance in grades",
        "the next best mentor was es:e3, with 690 points",
        "without this pair the programme would lose 1,014 points",
    )
    assert pair_in_words(POINTS, None, 1, "fr")[1:] == (
        "aucun autre mentor n'était possible",
        "sans ce binôme, le programme perdrait 1 point",
    )
    assert pair_in_words(POINTS, None, 0, "en")[2] == "without this pair the programme would do as well with another one"
    assert "fewer pairs" in pair_in_words(POINTS, None, None, "en")[2]
    assert pair_in_words(POINTS, None, None, "fr", pinned=True)[2] == "ce binôme a été décidé d'avance"


@pytest.mark.parametrize(("order", "lowest"), [("pairs, worst, total", True), ("pairs, total", False)])
def test_a_lower_lowest_score_is_spoken_of_only_where_a_lowest_score_is_sought(order: Order, lowest: bool) -> None:  # noqa: FBT001
    [pair] = Engine(threads=1).solve(pool_of(mentee(), mentor()), Policy(order=order), explain=True).pairs
    said = {
        language: pair_in_words(pair.points, pair.next_best, pair.worth, language, worth_reason=pair.worth_reason)[2]
        for language in LANGUAGES
    }
    assert pair.worth is None
    assert ("fewer pairs" in said["en"], "moins de binômes" in said["fr"]) == (True, True)
    assert ("lowest score" in said["en"], "score le plus bas" in said["fr"]) == (lowest, lowest)


def test_why_somebody_is_alone_in_the_order_of_the_rules() -> None:
    removed = {Rule.COMMON_HOURS: 1310, Rule.MENTOR_IS_JUNIOR: 1}
    alone = Unmatched(id="x", role="mentee", removed=removed, left=0, change=CHANGE)
    assert alone_in_words(alone, "en") == (
        "1 mentor is not junior enough",
        "1,310 mentors have too few free hours in common",
        "no mentor was left",
        "speaking French would open 8 candidates",
    )
    assert alone_in_words(replace(alone, role="mentor", left=2, change=None), "fr") == (
        "1 mentoré n'est pas assez senior",
        "1\u202f310 mentorés ont trop peu d'heures libres en commun",
        "2 mentorés étaient possibles, et forment d'autres binômes : hors binômes décidés d'avance, aucun échange n'améliore l'ensemble",
    )


def test_of_who_was_left_nothing_is_said_that_is_not_so() -> None:
    """Two mentees who are alike to the digit, one mentor: the mentor suits neither better. And under a lowest score the mentor is free."""
    twins = (mentee(id="fr:a"), mentee(id="fr:b"))
    [alone] = Engine(threads=1).solve(pool_of(*twins, mentor(capacity=1)), Policy(), explain=True).unmatched
    assert (
        alone_in_words(alone, "en")[-1]
        == "1 mentor was possible, and is in another pair: but for pairs decided beforehand, no exchange makes the whole better"
    )
    assert (
        alone_in_words(alone, "fr")[-1]
        == "1 mentor était possible, et forme un autre binôme : hors binômes décidés d'avance, aucun échange n'améliore l'ensemble"
    )
    scored = Policy(order="total", min_score=900)
    alone = Engine(threads=1).solve(pool_of(mentee(), mentor(capacity=1)), scored, explain=True).unmatched[1]
    assert alone.role == "mentee"
    assert (
        alone_in_words(alone, "en")[-1]
        == "1 mentor was possible: a pair of the two would have fewer than 900 points, or not raise the total"
    )
    assert (
        alone_in_words(alone, "fr")[-1]
        == "1 mentor était possible : un tel binôme aurait moins de 900 points, ou n'augmenterait pas le total"
    )


@pytest.mark.parametrize("seed", range(30))
def test_with_as_many_pairs_as_possible_everybody_who_was_left_is_in_another_pair(seed: int) -> None:
    random = Random(seed)
    pool = replace(random_pool(random, 9, 9), pinned=())
    policy = replace(random_policy(random), order="pairs, total")
    solution = Engine(threads=1).solve(pool, policy, explain=True)
    scorer = Scorer(pool, policy)
    for alone in solution.unmatched:
        if alone.role == "mentee":
            left = [other for other in scorer.mentors if scorer.allowed(alone.id, other)]
            mentors = Counter(pair.mentor for pair in solution.pairs)
            assert all(mentors[other] == scorer.mentors[other].person.capacity for other in left)
            assert (len(left), alone.least) == (alone.left, None)


def test_what_a_policy_changes_and_a_rule_costs() -> None:
    difference = Difference(pairs=-3, worst=1, total=9, matched_percent=-1, same=0, divisions={})
    assert difference_in_words(difference, "en") == (
        "3 pairs fewer",
        "the lowest score is 1 point higher",
        "the total is 9 points higher",
        "0 pairs are the same",
    )
    assert difference_in_words(replace(difference, alike=False), "en") == (
        "3 pairs fewer",
        "the two weigh differently, so that the points of one are not to be held against the other's",
        "0 pairs are the same",
    )
    assert difference_in_words(difference, "fr") == (
        "3 binômes de moins",
        "le score le plus bas gagne 1 point",
        "le total gagne 9 points",
        "0 binôme est le même",
    )
    cost = RuleCost(rule=Rule.ACROSS, without=Reached(pairs=9, worst=1, total=9), costs=2)
    less = replace(cost, costs=-1)
    assert cost_in_words(less, "en") == "without the rule “across subsidiaries or units” there would be 1 pair fewer"
    assert cost_in_words(cost, "fr") == "la règle « entre filiales ou unités » coûte 2 binômes"


@pytest.mark.parametrize(
    ("tag", "language"), [("fr", "fr"), ("fr-CA", "fr"), ("FR_fr", "fr"), ("en-GB", "en"), ("de", "en"), ("", "en"), (None, "en")]
)
def test_other_languages_are_answered_in_english(tag: str | None, language: str) -> None:
    assert spoken(tag) == language
