"""What a round and a simulation have to say, in words a person understands: French and English.

One catalogue, a text for each key in both languages; where a number decides, one text for one and another for more. Numbers are written as the language
writes them (CLDR, by Babel). Nothing is computed here, and people are ids: whoever shows a page knows their names.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from babel import Locale
from babel.numbers import format_decimal

from amont.matching.domain.change import Change
from amont.matching.domain.comparing import Difference, RuleCost
from amont.matching.domain.pinning import Unpinned
from amont.matching.domain.points import Points
from amont.matching.domain.policy import Rule
from amont.matching.domain.pooling import LeftOut
from amont.matching.domain.solver import FEWER_PAIRS, NextBest, Unmatched

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
FALLBACK: Language = "en"

Text = str | tuple[str, str]
"""One text, or two: for one, and for more."""

CATALOGUE: Mapping[Language, Mapping[str, Text]] = {
    "en": {
        "score": "{score} points of {most}: {points}",
        "points.topics": "{points} for topics",
        "points.function": "{points} for different functions",
        "points.hours": "{points} for common hours",
        "points.grade_gap": "{points} for the distance in grades",
        "points.meeting": "{points} for a way to meet that suits both",
        "next_best": "the next best mentor was {mentor}, with {score} points",
        "next_best.none": "no other mentor was possible",
        "worth": ("without this pair the programme would lose {worth} point", "without this pair the programme would lose {worth} points"),
        "worth.nothing": "without this pair the programme would do as well with another one",
        "worth.fewer": "without this pair there would be fewer pairs",
        "worth.irreplaceable": "without this pair there would be fewer pairs, or a lower lowest score",
        "worth.pinned": "this pair was decided beforehand",
        "overrides": "it breaks what rounds otherwise hold to: {rules}",
        "unpinned.no-mentee": "{mentee} takes no part as a mentee with a free place",
        "unpinned.no-mentor": "{mentor} takes no part as a mentor with a free place",
        "unpinned.no-place": "earlier pins have taken the places of {mentee} or {mentor}",
        "unpinned.rules": "a rule stands in the way: {rules}",
        "removed.two_people.mentee": ("{count} mentor is the same person", "{count} mentors are the same person"),
        "removed.two_people.mentor": ("{count} mentee is the same person", "{count} mentees are the same person"),
        "removed.mentor_is_junior.mentee": ("{count} mentor is not junior enough", "{count} mentors are not junior enough"),
        "removed.mentor_is_junior.mentor": ("{count} mentee is not senior enough", "{count} mentees are not senior enough"),
        "removed.outside_the_line.mentee": ("{count} mentor is in the line of management", "{count} mentors are in the line of management"),
        "removed.outside_the_line.mentor": ("{count} mentee is in the line of management", "{count} mentees are in the line of management"),
        "removed.different_team.mentee": ("{count} mentor is in the same team", "{count} mentors are in the same team"),
        "removed.different_team.mentor": ("{count} mentee is in the same team", "{count} mentees are in the same team"),
        "removed.across.mentee": ("{count} mentor is too near in the organisation", "{count} mentors are too near in the organisation"),
        "removed.across.mentor": ("{count} mentee is too near in the organisation", "{count} mentees are too near in the organisation"),
        "removed.shared_language.mentee": ("{count} mentor has no language in common", "{count} mentors have no language in common"),
        "removed.shared_language.mentor": ("{count} mentee has no language in common", "{count} mentees have no language in common"),
        "removed.close_zones.mentee": ("{count} mentor is too many time zones away", "{count} mentors are too many time zones away"),
        "removed.close_zones.mentor": ("{count} mentee is too many time zones away", "{count} mentees are too many time zones away"),
        "removed.common_hours.mentee": (
            "{count} mentor has too few free hours in common",
            "{count} mentors have too few free hours in common",
        ),
        "removed.common_hours.mentor": (
            "{count} mentee has too few free hours in common",
            "{count} mentees have too few free hours in common",
        ),
        "removed.not_forbidden.mentee": ("{count} mentor is not to be proposed (again)", "{count} mentors are not to be proposed (again)"),
        "removed.not_forbidden.mentor": ("{count} mentee is not to be proposed (again)", "{count} mentees are not to be proposed (again)"),
        "left.none.mentee": "no mentor was left",
        "left.none.mentor": "no mentee was left",
        "left.mentee": (
            "{count} mentor was possible, and is in another pair: but for pairs decided beforehand, no exchange makes the whole better",
            "{count} mentors were possible, and are in other pairs: but for pairs decided beforehand, no exchange makes the whole better",
        ),
        "left.mentor": (
            "{count} mentee was possible, and is in another pair: but for pairs decided beforehand, no exchange makes the whole better",
            "{count} mentees were possible, and are in other pairs: but for pairs decided beforehand, no exchange makes the whole better",
        ),
        "left.total.mentee": (
            "{count} mentor was possible: a pair of the two would have fewer than {least} points, or not raise the total",
            "{count} mentors were possible: a pair with one of them would have fewer than {least} points, or not raise the total",
        ),
        "left.total.mentor": (
            "{count} mentee was possible: a pair of the two would have fewer than {least} points, or not raise the total",
            "{count} mentees were possible: a pair with one of them would have fewer than {least} points, or not raise the total",
        ),
        "left_out.person-not-heard-of": "the staff record has not arrived",
        "left_out.person-on-leave": "is on leave",
        "left_out.person-left": "has left the group",
        "left_out.zone-unknown": "the time zone in the staff record is none that we know",
        "left_out.availability-unreadable": "the weekly hours cannot be read",
        "rule.two_people": "two different people",
        "rule.mentor_is_junior": "the mentor is junior",
        "rule.outside_the_line": "nobody in the line of management",
        "rule.different_team": "different teams",
        "rule.across": "across subsidiaries or units",
        "rule.shared_language": "a language in common",
        "rule.close_zones": "close time zones",
        "rule.common_hours": "free hours in common",
        "rule.not_forbidden": "nobody who is not to be proposed",
        "costs": ("the rule “{rule}” costs {count} pair", "the rule “{rule}” costs {count} pairs"),
        "costs.less": (
            "without the rule “{rule}” there would be {count} pair fewer",
            "without the rule “{rule}” there would be {count} pairs fewer",
        ),
        "costs.nothing": "the rule “{rule}” costs no pair",
        "difference.more": ("{count} pair more", "{count} pairs more"),
        "difference.fewer": ("{count} pair fewer", "{count} pairs fewer"),
        "difference.as_many": "as many pairs",
        "difference.worst.higher": ("the lowest score is {count} point higher", "the lowest score is {count} points higher"),
        "difference.worst.lower": ("the lowest score is {count} point lower", "the lowest score is {count} points lower"),
        "difference.worst.same": "the lowest score is the same",
        "difference.total.higher": ("the total is {count} point higher", "the total is {count} points higher"),
        "difference.total.lower": ("the total is {count} point lower", "the total is {count} points lower"),
        "difference.total.same": "the total is the same",
        "difference.weights": "the two weigh differently, so that the points of one are not to be held against the other's",
        "difference.same": ("{count} pair is the same", "{count} pairs are the same"),
    },
    "fr": {
        "score": "{score} points sur {most} : {points}",
        "points.topics": "{points} pour les thèmes",
        "points.function": "{points} pour des fonctions différentes",
        "points.hours": "{points} pour les heures communes",
        "points.grade_gap": "{points} pour l'écart de grade",
        "points.meeting": "{points} pour une façon de se voir qui convient aux deux",
        "next_best": "le meilleur autre mentor était {mentor}, avec {score} points",
        "next_best.none": "aucun autre mentor n'était possible",
        "worth": ("sans ce binôme, le programme perdrait {worth} point", "sans ce binôme, le programme perdrait {worth} points"),
        "worth.nothing": "sans ce binôme, le programme ferait aussi bien avec un autre",
        "worth.fewer": "sans ce binôme, il y aurait moins de binômes",
        "worth.irreplaceable": "sans ce binôme, il y aurait moins de binômes, ou un score le plus bas encore plus bas",
        "worth.pinned": "ce binôme a été décidé d'avance",
        "overrides": "il déroge à ce que les tours respectent sinon : {rules}",
        "unpinned.no-mentee": "{mentee} ne participe pas comme mentoré avec une place libre",
        "unpinned.no-mentor": "{mentor} ne participe pas comme mentor avec une place libre",
        "unpinned.no-place": "des binômes imposés plus tôt ont pris les places de {mentee} ou de {mentor}",
        "unpinned.rules": "une règle s'y oppose : {rules}",
        "removed.two_people.mentee": ("{count} mentor est la même personne", "{count} mentors sont la même personne"),
        "removed.two_people.mentor": ("{count} mentoré est la même personne", "{count} mentorés sont la même personne"),
        "removed.mentor_is_junior.mentee": ("{count} mentor n'est pas assez junior", "{count} mentors ne sont pas assez juniors"),
        "removed.mentor_is_junior.mentor": ("{count} mentoré n'est pas assez senior", "{count} mentorés ne sont pas assez seniors"),
        "removed.outside_the_line.mentee": (
            "{count} mentor est dans la ligne hiérarchique",
            "{count} mentors sont dans la ligne hiérarchique",
        ),
        "removed.outside_the_line.mentor": (
            "{count} mentoré est dans la ligne hiérarchique",
            "{count} mentorés sont dans la ligne hiérarchique",
        ),
        "removed.different_team.mentee": ("{count} mentor est de la même équipe", "{count} mentors sont de la même équipe"),
        "removed.different_team.mentor": ("{count} mentoré est de la même équipe", "{count} mentorés sont de la même équipe"),
        "removed.across.mentee": (
            "{count} mentor est trop proche dans l'organisation",
            "{count} mentors sont trop proches dans l'organisation",
        ),
        "removed.across.mentor": (
            "{count} mentoré est trop proche dans l'organisation",
            "{count} mentorés sont trop proches dans l'organisation",
        ),
        "removed.shared_language.mentee": ("{count} mentor n'a aucune langue en commun", "{count} mentors n'ont aucune langue en commun"),
        "removed.shared_language.mentor": ("{count} mentoré n'a aucune langue en commun", "{count} mentorés n'ont aucune langue en commun"),
        "removed.close_zones.mentee": ("{count} mentor est à trop de fuseaux horaires", "{count} mentors sont à trop de fuseaux horaires"),
        "removed.close_zones.mentor": (
            "{count} mentoré est à trop de fuseaux horaires",
            "{count} mentorés sont à trop de fuseaux horaires",
        ),
        "removed.common_hours.mentee": (
            "{count} mentor a trop peu d'heures libres en commun",
            "{count} mentors ont trop peu d'heures libres en commun",
        ),
        "removed.common_hours.mentor": (
            "{count} mentoré a trop peu d'heures libres en commun",
            "{count} mentorés ont trop peu d'heures libres en commun",
        ),
        "removed.not_forbidden.mentee": (
            "{count} mentor ne doit pas être (de nouveau) proposé",
            "{count} mentors ne doivent pas être (de nouveau) proposés",
        ),
        "removed.not_forbidden.mentor": (
            "{count} mentoré ne doit pas être (de nouveau) proposé",
            "{count} mentorés ne doivent pas être (de nouveau) proposés",
        ),
        "left.none.mentee": "il ne restait aucun mentor",
        "left.none.mentor": "il ne restait aucun mentoré",
        "left.mentee": (
            "{count} mentor était possible, et forme un autre binôme : hors binômes décidés d'avance, aucun échange n'améliore l'ensemble",
            "{count} mentors étaient possibles, et forment d'autres binômes : hors binômes décidés d'avance, aucun échange n'améliore l'ensemble",
        ),
        "left.mentor": (
            "{count} mentoré était possible, et forme un autre binôme : hors binômes décidés d'avance, aucun échange n'améliore l'ensemble",
            "{count} mentorés étaient possibles, et forment d'autres binômes : hors binômes décidés d'avance, aucun échange n'améliore l'ensemble",
        ),
        "left.total.mentee": (
            "{count} mentor était possible : un tel binôme aurait moins de {least} points, ou n'augmenterait pas le total",
            "{count} mentors étaient possibles : un binôme avec l'un d'eux aurait moins de {least} points, ou n'augmenterait pas le total",
        ),
        "left.total.mentor": (
            "{count} mentoré était possible : un tel binôme aurait moins de {least} points, ou n'augmenterait pas le total",
            "{count} mentorés étaient possibles : un binôme avec l'un d'eux aurait moins de {least} points, ou n'augmenterait pas le total",
        ),
        "left_out.person-not-heard-of": "la fiche du personnel n'est pas arrivée",
        "left_out.person-on-leave": "est en congé",
        "left_out.person-left": "a quitté le groupe",
        "left_out.zone-unknown": "le fuseau horaire de la fiche du personnel est inconnu",
        "left_out.availability-unreadable": "les heures de la semaine ne peuvent pas être lues",
        "rule.two_people": "deux personnes différentes",
        "rule.mentor_is_junior": "le mentor est junior",
        "rule.outside_the_line": "hors de la ligne hiérarchique",
        "rule.different_team": "équipes différentes",
        "rule.across": "entre filiales ou unités",
        "rule.shared_language": "une langue en commun",
        "rule.close_zones": "fuseaux horaires proches",
        "rule.common_hours": "heures libres en commun",
        "rule.not_forbidden": "aucune paire à ne pas proposer",
        "costs": ("la règle « {rule} » coûte {count} binôme", "la règle « {rule} » coûte {count} binômes"),
        "costs.less": (
            "sans la règle « {rule} », il y aurait {count} binôme de moins",
            "sans la règle « {rule} », il y aurait {count} binômes de moins",
        ),
        "costs.nothing": "la règle « {rule} » ne coûte aucun binôme",
        "difference.more": ("{count} binôme de plus", "{count} binômes de plus"),
        "difference.fewer": ("{count} binôme de moins", "{count} binômes de moins"),
        "difference.as_many": "autant de binômes",
        "difference.worst.higher": ("le score le plus bas gagne {count} point", "le score le plus bas gagne {count} points"),
        "difference.worst.lower": ("le score le plus bas perd {count} point", "le score le plus bas perd {count} points"),
        "difference.worst.same": "le score le plus bas est le même",
        "difference.total.higher": ("le total gagne {count} point", "le total gagne {count} points"),
        "difference.total.lower": ("le total perd {count} point", "le total perd {count} points"),
        "difference.total.same": "le total est le même",
        "difference.weights": "les deux pondèrent autrement : les points de l'une ne se comparent pas à ceux de l'autre",
        "difference.same": ("{count} binôme est le même", "{count} binômes sont les mêmes"),
    },
}
"""By language and key. Of two texts the first is for one: in French for none as well (CLDR's plural rules)."""

MOST = 1_000


def spoken(tag: str | None) -> Language:
    """The language we answer in: that of a BCP 47 tag where we speak it, otherwise English."""
    primary = (tag or "").lower().replace("_", "-").partition("-")[0]
    return next((one for one in LANGUAGES if one == primary), FALLBACK)


def pair_in_words(
    points: Points,
    next_best: NextBest | None,
    worth: int | None,
    language: Language,
    *,
    worth_reason: str | None = None,
    pinned: bool = False,
    overrides: Sequence[Rule] = (),
) -> tuple[str, ...]:
    """Why a pair was made: its points, the next best, what it is worth, and the rules that a pin breaks."""
    parts = ", ".join(_say(f"points.{name}", language, points=value) for name, value in points._asdict().items() if value)
    return (
        _say("score", language, score=points.score, most=MOST, points=parts or "0"),
        _say("next_best", language, mentor=next_best.mentor, score=next_best.score) if next_best else _say("next_best.none", language),
        worth_in_words(worth, language, reason=worth_reason, pinned=pinned),
        *([_say("overrides", language, rules=_rules(overrides, language))] if overrides else []),
    )


def left_out_in_words(one: LeftOut, language: Language) -> str:
    """Why an enrolment cannot be used."""
    return _say(f"left_out.{one.reason}", language)


def unpinned_in_words(one: Unpinned, language: Language) -> tuple[str, ...]:
    """Why a pin does not hold."""
    key = f"unpinned.{one.why.value}"
    return (_say(key, language, mentee=one.mentee, mentor=one.mentor, rules=_rules(one.broken, language)),)


def _rules(rules: Sequence[Rule], language: Language) -> str:
    return ", ".join(rule_in_words(rule, language) for rule in rules)


def worth_in_words(worth: int | None, language: Language, *, reason: str | None, pinned: bool) -> str:
    """What would be lost without a pair; `reason` is a solved pair's `worth_reason`."""
    if pinned:
        return _say("worth.pinned", language)
    if worth is None:
        return _say("worth.fewer" if reason == FEWER_PAIRS else "worth.irreplaceable", language)
    return _say("worth", language, worth, worth=worth) if worth else _say("worth.nothing", language)


def alone_in_words(alone: Unmatched, language: Language) -> tuple[str, ...]:
    """Why somebody is in no pair: whom each rule removed, in rule order, who was left, and what would help.

    Of who was left nothing is said that the proof does not show. With as many pairs as possible each of them is in another one, or there would be a pair more;
    under the order `total` they may be free. That somebody else suits them better would be false where two answers are equally good.
    """
    role, removed, left, change = alone.role, alone.removed, alone.left, alone.change
    why = [_say(f"removed.{rule.value}.{role}", language, removed[rule], count=removed[rule]) for rule in Rule if removed.get(rule)]
    key = f"left.none.{role}" if not left else f"left.{role}" if alone.least is None else f"left.total.{role}"
    rest = _say(key, language, left, count=left, least=alone.least)
    return (*why, rest, *([change_in_words(change, language)] if change else []))


def change_in_words(change: Change, language: Language) -> str:
    """What would help."""
    return change.in_french() if language == "fr" else change.in_english()


def rule_in_words(rule: Rule, language: Language) -> str:
    """What a rule asks for."""
    return _say(f"rule.{rule.value}", language)


def cost_in_words(cost: RuleCost, language: Language) -> str:
    """What a rule costs."""
    rule = rule_in_words(cost.rule, language)
    if not cost.costs:
        return _say("costs.nothing", language, rule=rule)
    return _say("costs" if cost.costs > 0 else "costs.less", language, abs(cost.costs), rule=rule, count=abs(cost.costs))


def difference_in_words(difference: Difference, language: Language) -> tuple[str, ...]:
    """What the second policy changes for the programme as a whole."""
    said = [_changed(difference.pairs, "difference", ("more", "fewer", "as_many"), language)]
    if not difference.alike:
        said.append(_say("difference.weights", language))
    elif difference.worst is not None:
        how = ("higher", "lower", "same")
        said += [
            _changed(difference.worst, "difference.worst", how, language),
            _changed(difference.total, "difference.total", how, language),
        ]
    return (*said, _say("difference.same", language, difference.same, count=difference.same))


def _changed(amount: int, what: str, how: tuple[str, str, str], language: Language) -> str:
    more, less, same = (f"{what}.{one}" for one in how)
    return _say(more if amount > 0 else less, language, abs(amount), count=abs(amount)) if amount else _say(same, language)


def _say(key: str, language: Language, number: int = 1, **values: Any) -> str:
    return filled(CATALOGUE[language][key], language, number, **values)


def filled(text: Text, language: Language, number: int = 1, **values: Any) -> str:
    """A text with its values, numbers as the language writes them; `number` chooses among the forms of a text that has two."""
    if isinstance(text, tuple):
        text = text[Locale(language).plural_form(number) != "one"]
    return text.format_map(
        {name: format_decimal(one, locale=language) if isinstance(one, int | float) else one for name, one in values.items()}
    )
