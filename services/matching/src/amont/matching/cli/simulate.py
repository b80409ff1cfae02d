"""`amont simulate`: what one policy, or two side by side, reach on a pool, for whom, and which rule costs how many pairs."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from amont.common.cli import out, print_json, printing, say, table
from amont.common.memory import settle
from amont.matching.cli import handling
from amont.matching.cli.match import read_both, refused_pins, solver
from amont.matching.cli.showing import Screen, name
from amont.matching.domain.comparing import Column, Comparison, compare
from amont.matching.domain.solver import PinsRefused
from amont.matching.domain.words import Language, cost_in_words, difference_in_words
from amont.matching.files import NO_POLICY


def simulate(
    pool: Annotated[str, typer.Argument(help="Pool file; - is standard input", metavar="POOL")],
    *,
    policy: Annotated[list[str] | None, typer.Option(help="Policy file; given twice, the two stand side by side", metavar="FILE")] = None,
    rules: Annotated[bool, typer.Option("--rules", help="Solve again without each rule in turn: which one costs how many pairs")] = False,
    language: Annotated[Language, typer.Option(help="Of the words")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Data instead of words")] = False,
) -> None:
    """What other policies would reach, and for whom; nothing is written.

    Groups of fewer than five people are hidden, and others with them that would give such a group away.
    """
    settle()
    names = policy or []
    if len(names) > 2:
        raise handling.unusable("Give one policy, or two.")
    handling.only_one_from_stdin(pool, *names)
    raw_pool, raw_policies = handling.read(pool), [handling.read(name) for name in names] or [NO_POLICY]
    labels = names or [Screen(language).word("default_policy")]
    read = [read_both(pool, raw_pool, label, raw) for label, raw in zip(labels, raw_policies, strict=True)]
    try:
        with handling.shown("Simulating") as progress:
            found = compare(solver(), read[0][0], [rules_ for _, rules_ in read], rules=rules, progress=progress)
    except PinsRefused as error:
        raise refused_pins(pool, error) from None
    with printing():
        if as_json:
            print_json(_data(found, labels, language))
        else:
            _show(found, labels, language)


def _data(found: Comparison, labels: list[str], language: Language) -> dict[str, Any]:
    columns = [
        {
            "policy": label,
            **asdict(column),
            "rules": [{**asdict(cost), "words": cost_in_words(cost, language)} for cost in column.rules],
        }
        for label, column in zip(labels, found.columns, strict=True)
    ]
    change = found.difference
    return {
        "columns": columns,
        "difference": None if change is None else {**asdict(change), "words": difference_in_words(change, language)},
    }


def _show(found: Comparison, labels: list[str], language: Language) -> None:
    screen = Screen(language)
    rows = [
        (screen.word("pairs"), *(screen.number(one.objective.pairs) for one in found.columns)),
        (screen.word("matched"), *(screen.word("percent", percent=str(one.matched_percent)) for one in found.columns)),
        (screen.word("worst"), *("-" if one.objective.worst is None else screen.number(one.objective.worst) for one in found.columns)),
        (screen.word("total"), *(screen.number(one.objective.total) for one in found.columns)),
    ]
    out.print(table(("", *labels), rows))
    for division in found.columns[0].fairness.divisions:
        figures = (screen.word("figures", policy=label) for label in labels)
        out.print(table((screen.word(f"division.{division}"), screen.word("people"), *figures), _groups(found.columns, division, screen)))
    if found.difference is not None:
        for sentence in difference_in_words(found.difference, language):
            say(out, sentence)
    for label, column in zip(labels, found.columns, strict=True):
        for cost in column.rules:
            say(out, f"{label}: {cost_in_words(cost, language)}")


def _groups(columns: tuple[Column, ...], division: str, screen: Screen) -> list[tuple[str, ...]]:
    side_by_side = zip(*(column.fairness.divisions[division] for column in columns), strict=True)
    return [(name(groups[0].name) or "-", screen.people(groups[0]), *map(screen.figures, groups)) for groups in side_by_side]
