"""What the commands show on a screen, in French and English: headings here, sentences about people and pairs from the domain's words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from babel.numbers import format_decimal

from amont.common.cli import command_line, on_one_line, out, say, say_command, table
from amont.matching.domain.fairness import Group, scored
from amont.matching.domain.fairness import fairness as by_group
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool
from amont.matching.domain.solver import Solution
from amont.matching.domain.words import Language, Text, alone_in_words, filled, pair_in_words, rule_in_words
from amont.matching.files import Origin, without_effect
from amont.matching.verifier.findings import UNCHECKED_ORIGIN, UNCHECKED_REASONS, UNCHECKED_WORDS, UNCHECKED_WORTH, UNCHECKED_WRONG, Report

HEADINGS: Mapping[Language, Mapping[str, Text]] = {
    "en": {
        "programme": "programme",
        "pairs": "pairs",
        "pairs.pinned": "{pairs}, and {pinned} pinned",
        "mentee": "mentees matched",
        "mentor": "mentors matched",
        "matched.of": "{count} of {everybody}",
        "percent": "{percent} %",
        "worst": "lowest score",
        "total": "total value",
        "order": "order",
        "time": "time",
        "time.spent": "{load} s to read, {solve} s to solve and prove",
        "proof": "proof",
        "proof.pairs, worst, total": "no more pairs are possible, no higher lowest score with so many, no higher total with both",
        "proof.pairs, total": "no more pairs are possible, and no higher total with so many",
        "proof.total": "no higher total is possible",
        "written": "Written to {file}. This checks it:",
        "unwritten": "Nothing was written: --out FILE keeps the result, with who is paired with whom.",
        "without_effect": (
            "{count} forbidden pair names somebody who is not in the pool, and does nothing: {first}",
            "{count} forbidden pairs name somebody who is not in the pool, and do nothing; the first: {first}",
        ),
        "and": "; ",
        "pair": "{mentee} with {mentor}: {words}",
        "pairs.first": ("{count} pair:", "{count} pairs, by mentee:"),
        "more": "And {count} more: --show {everybody} shows all of them, --out writes them.",
        "in_the_way": "first in the way of people in no pair",
        "candidates": "candidates",
        "alone": "{count} in no pair; one change of their own would open candidates to {helped} of them:",
        "alone.one": "{id} ({role}): {words}",
        "role.mentee": "mentee",
        "role.mentor": "mentor",
        "division.subsidiary": "subsidiary",
        "division.function": "function",
        "division.site": "site",
        "division.grade_band": "grade band",
        "division.role": "role",
        "people": "people",
        "matched": "matched",
        "quartiles": "quartiles",
        "hidden": "hidden",
        "blocking": (
            "{count} pair would rather have each other than what they have.",
            "{count} pairs would rather have each other than what they have.",
        ),
        "figures": "matched, lowest, median: {policy}",
        "default_policy": "the default policy",
        "right": (
            "Right and proved: {pairs} pair; {looked_at} possible pairs looked at.",
            "Right and proved: {pairs} pairs; {looked_at} possible pairs looked at.",
        ),
        "wrong": ("Wrong in {count} place:", "Wrong in {count} places:"),
        "unchecked": "Not checked: {what}.",
        f"unchecked.{UNCHECKED_ORIGIN}": UNCHECKED_ORIGIN,
        f"unchecked.{UNCHECKED_WORDS}": UNCHECKED_WORDS,
        f"unchecked.{UNCHECKED_REASONS}": UNCHECKED_REASONS,
        f"unchecked.{UNCHECKED_WORTH}": UNCHECKED_WORTH,
        f"unchecked.{UNCHECKED_WRONG}": UNCHECKED_WRONG,
    },
    "fr": {
        "programme": "programme",
        "pairs": "binômes",
        "pairs.pinned": "{pairs}, et {pinned} imposés",
        "mentee": "mentorés en binôme",
        "mentor": "mentors en binôme",
        "matched.of": "{count} sur {everybody}",
        "percent": "{percent}\u00a0%",
        "worst": "score le plus bas",
        "total": "valeur totale",
        "order": "ordre",
        "time": "durée",
        "time.spent": "{load} s pour lire, {solve} s pour résoudre et prouver",
        "proof": "preuve",
        "proof.pairs, worst, total": "pas un binôme de plus n'est possible, ni un plus haut score minimal avec autant, ni un total plus élevé avec les deux",
        "proof.pairs, total": "pas un binôme de plus n'est possible, ni un total plus élevé avec autant",
        "proof.total": "aucun total plus élevé n'est possible",
        "written": "Écrit dans {file}. Ceci le contrôle :",
        "unwritten": "Rien n'a été écrit : --out FICHIER garde le résultat, avec qui est en binôme avec qui.",
        "without_effect": (
            "{count} paire interdite nomme quelqu'un qui n'est pas dans le fichier, et reste sans effet : {first}",
            "{count} paires interdites nomment quelqu'un qui n'est pas dans le fichier, et restent sans effet ; la première : {first}",
        ),
        "and": " ; ",
        "pair": "{mentee} avec {mentor} : {words}",
        "pairs.first": ("{count} binôme :", "{count} binômes, par mentoré :"),
        "more": "Et {count} de plus : --show {everybody} montre tout, --out écrit tout.",
        "in_the_way": "premier obstacle des personnes sans binôme",
        "candidates": "candidats",
        "alone": "{count} sans binôme ; un seul changement de leur part ouvrirait des candidats à {helped} d'entre eux :",
        "alone.one": "{id} ({role}) : {words}",
        "role.mentee": "mentoré",
        "role.mentor": "mentor",
        "division.subsidiary": "filiale",
        "division.function": "fonction",
        "division.site": "site",
        "division.grade_band": "bande de grades",
        "division.role": "rôle",
        "people": "personnes",
        "matched": "en binôme",
        "quartiles": "quartiles",
        "hidden": "masqué",
        "blocking": (
            "{count} paire préférerait se rencontrer plutôt que d'avoir ce qu'elle a.",
            "{count} paires préféreraient se rencontrer plutôt que d'avoir ce qu'elles ont.",
        ),
        "figures": "en binôme, minimum, médiane : {policy}",
        "default_policy": "la politique par défaut",
        "right": (
            "Juste et prouvé : {pairs} binôme ; paires possibles réexaminées : {looked_at}.",
            "Juste et prouvé : {pairs} binômes ; paires possibles réexaminées : {looked_at}.",
        ),
        "wrong": ("Faux en {count} endroit :", "Faux en {count} endroits :"),
        "unchecked": "Non contrôlé : {what}.",
        f"unchecked.{UNCHECKED_ORIGIN}": "quelle version du moteur l'a produit, et en combien de temps",
        f"unchecked.{UNCHECKED_WORDS}": "les mots de `change`",
        f"unchecked.{UNCHECKED_REASONS}": "les mots de `worth_reason`",
        f"unchecked.{UNCHECKED_WORTH}": "ce que vaut chaque binôme : trop de personnes pour tout résoudre à nouveau sans chacun d'eux",
        f"unchecked.{UNCHECKED_WRONG}": "ce que vaut chaque binôme, puisque le résultat est faux sans cela",
    },
}
"""By language and key, as the domain's catalogue."""

_LONGEST_NAME = 80


def name(text: str) -> str:
    """A name from a file in a table: on one line, and cut where it is very long."""
    return on_one_line(text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "…")


class Screen:
    """Standard output in one language."""

    def __init__(self, language: Language) -> None:
        """Speak that language."""
        self._language = language

    def word(self, key: str, number: int = 1, **values: object) -> str:
        """A heading, with its values."""
        return filled(HEADINGS[self._language][key], self._language, number, **values)

    def number(self, value: float, form: str = "#,##0.###") -> str:
        """A number as the language writes it."""
        return format_decimal(value, format=form, locale=self._language)

    def verdict(self, report: Report) -> None:
        """Whether a result is right."""
        if report.right:
            say(out, self.word("right", report.pairs, pairs=self.number(report.pairs), looked_at=self.number(report.looked_at)))
        else:
            say(out, self.word("wrong", len(report.faults), count=self.number(len(report.faults))))

    def unchecked(self, report: Report) -> None:
        """What was not looked at."""
        if report.unchecked:
            what = self.word("and").join(self.word(f"unchecked.{one}") for one in report.unchecked)
            say(out, self.word("unchecked", what=what))

    def written(self, file: Path, pool: str, policy: str | None) -> None:
        """Where the result is, and the command that checks it."""
        say(out, self.word("written", file=str(file)))
        asked = [*(["--policy", policy] if policy else []), *(["--language", self._language] if self._language != "en" else [])]
        say_command(out, command_line("verify", pool, str(file), *asked))

    def summary(self, solution: Solution, pool: Pool, policy: Policy, origin: Origin) -> None:
        """What was reached, in what time, and what is proved."""
        made, pinned = solution.objective, sum(pair.pinned for pair in solution.pairs)
        pairs = self.number(made.pairs)
        rows = [(self.word("pairs"), self.word("pairs.pinned", pairs=pairs, pinned=pinned) if pinned else pairs)]
        for role, matched in (("mentee", {pair.mentee for pair in solution.pairs}), ("mentor", {pair.mentor for pair in solution.pairs})):
            everybody = len(matched) + sum(person.role == role for person in solution.unmatched)
            said = self.word("matched.of", count=len(matched), everybody=everybody)
            share = self.number(len(matched) * 1000 // everybody / 10, "0.0") if everybody else ""
            rows.append((self.word(role), f"{said} ({self.word('percent', percent=share)})" if share else said))
        load, solve = self.number(origin.load_seconds, "0.0"), self.number(origin.solve_seconds, "0.0")
        rows += [
            (self.word("worst"), "-" if made.worst is None else self.number(made.worst)),
            (self.word("total"), self.number(made.total)),
            (self.word("order"), policy.order),
            (self.word("time"), self.word("time.spent", load=load, solve=solve)),
            (self.word("proof"), self.word(f"proof.{policy.order}")),
        ]
        out.print(table((self.word("programme"), name(pool.programme)), rows))
        if idle := list(without_effect(pool)):
            say(out, self.word("without_effect", len(idle), count=len(idle), first=str(idle[0])))

    def pairs(self, solution: Solution, most: int) -> None:
        """Why the first pairs were made, and what each is worth."""
        if not solution.pairs or not most:
            return
        say(out, self.word("pairs.first", len(solution.pairs), count=len(solution.pairs)))
        for pair in islice(solution.pairs, most):
            words = pair_in_words(
                pair.points,
                pair.next_best,
                pair.worth,
                self._language,
                worth_reason=pair.worth_reason,
                pinned=pair.pinned,
                overrides=pair.overrides,
            )
            told = self.word("pair", mentee=pair.mentee, mentor=pair.mentor, words=self.word("and").join(words))
            say(out, on_one_line(told), indent="  ")
        self._more(len(solution.pairs), most)

    def alone(self, solution: Solution, most: int) -> None:
        """Which rules stood in the way of those in no pair, and why the first few are alone: those whom a change of their own would help come first."""
        if not solution.unmatched:
            return
        removed = Counter[Rule]()
        for person in solution.unmatched:
            removed.update(person.removed)
        first = [(rule_in_words(rule, self._language), self.number(removed[rule])) for rule in Rule if removed[rule]]
        if first:
            out.print(table((self.word("in_the_way"), self.word("candidates")), first))
        helped = sum(person.change is not None for person in solution.unmatched)
        say(out, self.word("alone", count=len(solution.unmatched), helped=helped))
        for person in sorted(solution.unmatched, key=lambda person: person.change is None)[:most]:
            words = self.word("and").join(alone_in_words(person, self._language))
            told = self.word("alone.one", id=person.id, role=self.word(f"role.{person.role}"), words=words)
            say(out, on_one_line(told), indent="  ")
        self._more(len(solution.unmatched), most)

    def _more(self, everybody: int, most: int) -> None:
        if everybody > most:
            say(out, self.word("more", count=everybody - most, everybody=str(everybody)))

    def groups(self, solution: Solution, pool: Pool) -> None:
        """Who was matched and how well; nothing about a few."""
        [figures] = by_group(pool, [scored(solution)])
        columns = [self.word(key) for key in ("people", "matched", "worst", "quartiles")]
        for division, groups in figures.divisions.items():
            rows = [(name(group.name) or "-", *self._told(group)) for group in groups]
            out.print(table((self.word(f"division.{division}"), *columns), rows))
        if solution.blocking is not None:
            say(out, self.word("blocking", solution.blocking, count=solution.blocking))

    def people(self, group: Group) -> str:
        """How many people a group has, unless that is hidden."""
        return self.word("hidden") if group.people is None else self.number(group.people)

    def matched(self, group: Group) -> str | None:
        """How many of a group are matched; None where that is hidden."""
        if group.people is None or group.matched is None:
            return None
        return f"{self.number(group.matched)} ({self.word('percent', percent=str(group.percent))})"

    def figures(self, group: Group) -> str:
        """Matched, lowest score and median of a group in one cell."""
        matched = self.matched(group)
        if matched is None:
            return self.word("hidden")
        scores = group.scores
        return f"{matched}, {self._numbers([scores.lowest] if scores else ())}, {self._numbers(scores.quartiles[1:2] if scores and scores.quartiles else ())}"

    def _told(self, group: Group) -> tuple[str, str, str, str]:
        matched = self.matched(group)
        if matched is None:
            return (self.word("hidden"),) * 4
        scores = group.scores
        return (
            self.people(group),
            matched,
            self._numbers([scores.lowest] if scores else ()),
            self._numbers((scores and scores.quartiles) or ()),
        )

    def _numbers(self, values: Sequence[int]) -> str:
        return ", ".join(map(self.number, values)) or "-"
