"""`amont verify`: whether a result is right, asked of every possible pair again."""

import sys
from typing import Annotated

import typer

from amont.common.cli import NO, print_json, printing
from amont.common.memory import settle
from amont.matching.cli import handling
from amont.matching.cli.showing import Screen
from amont.matching.domain.words import Language
from amont.matching.files import NO_POLICY, Refused
from amont.matching.verifier import Report
from amont.matching.verifier import verify as look_again


def verify(
    pool: Annotated[str, typer.Argument(help="Pool file; - is standard input", metavar="POOL")],
    result: Annotated[str, typer.Argument(help="Result file; - is standard input", metavar="RESULT")],
    *,
    policy: Annotated[str | None, typer.Option(help="Policy file that the result was made with", metavar="FILE")] = None,
    language: Annotated[Language, typer.Option(help="Of the verdict; faults are told in English")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Data instead of words")] = False,
) -> None:
    """Check a result without the solver: hashes, rules, places, points, objective and the three proofs.

    Says everything that is wrong, with its place in the result, and exits with 0 when it is right, 1 when it is wrong, and 2 when the pool or
    the policy cannot be used.
    """
    settle()
    handling.only_one_from_stdin(pool, result, policy)
    raw_policy = NO_POLICY if policy is None else handling.read(policy)
    raw_pool, raw_result = handling.read(pool), handling.read(result)
    try:
        with handling.shown("Verifying") as progress:
            report = look_again(raw_pool, raw_result, raw_policy, progress)
    except Refused as refused:
        raise handling.refuse([(pool if refused.what == "pool" else str(policy), refused)]) from None
    with printing():
        _say(report, language, as_json=as_json)
    if not report.right:
        raise typer.Exit(NO)


def _say(report: Report, language: Language, *, as_json: bool) -> None:
    if as_json:
        faults = [{"path": fault.path, "reason": fault.reason} for fault in report.faults]
        print_json(
            {"right": report.right, "faults": faults, "pairs": report.pairs, "looked_at": report.looked_at, "unchecked": report.unchecked}
        )
        return
    screen = Screen(language)
    screen.verdict(report)
    sys.stdout.writelines(handling.line(fault) for fault in report.faults)
    screen.unchecked(report)
