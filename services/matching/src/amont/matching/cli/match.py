"""`amont match`: from a pool and a policy to the best pairs and their proof."""

import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from amont.common.cli import NO, err, out, printing, say
from amont.common.memory import settle
from amont.matching.cli import handling
from amont.matching.cli.showing import Screen
from amont.matching.domain.engine import VERSION, Engine
from amont.matching.domain.engine.jit import COMPILED, kept_code
from amont.matching.domain.hours import tzdata_version
from amont.matching.domain.policy import Policy
from amont.matching.domain.pool import Pool
from amont.matching.domain.solver import PinsRefused, Solution, Solver
from amont.matching.domain.words import Language
from amont.matching.files import NO_POLICY, Fault, Origin, Refused, digest, read_policy, read_pool, write_result

SOLVER: Callable[[], Solver] = Engine


def solver() -> Solver:
    """What solves here."""
    return SOLVER()


def match(
    pool: Annotated[str, typer.Argument(help="Pool file; - is standard input", metavar="POOL")],
    *,
    policy: Annotated[str | None, typer.Option(help="Policy file; without it the defaults hold", metavar="FILE")] = None,
    out_file: Annotated[Path | None, typer.Option("--out", help="Where to write the result", metavar="RESULT")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what each pair is worth, what the next best was, and why people are in no pair")
    ] = False,
    fairness: Annotated[
        bool, typer.Option("--fairness", help="Also show who was matched and how well, by group; implies --explain")
    ] = False,
    show: Annotated[int, typer.Option(min=0, help="With --explain: how many pairs, and people in no pair, are told on the screen")] = 10,
    language: Annotated[Language, typer.Option(help="Of the words, on the screen and in the result")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="The result on standard output, instead of a summary")] = False,
) -> None:
    """The best pairs of a pool, with a proof that `amont verify` checks.

    Faults of the files are told all at once, each with its place, and nothing is written then. Exits with 0 when there is a result, 1 when there is
    none, and 2 when a file cannot be used.
    """
    settle()
    handling.only_one_from_stdin(pool, policy)
    if out_file is not None:
        handling.hold_writable(out_file)
        handling.hold_apart(out_file, pool, policy)
    start = perf_counter()
    if COMPILED and not kept_code() and err.is_terminal:
        err.print("The engine is compiled first, once an installation: about half a minute.")
    raw_policy = NO_POLICY if policy is None else handling.read(policy)
    raw_pool = handling.read(pool)
    people, rules = read_both(pool, raw_pool, policy or "the default policy", raw_policy)
    digests = digest(raw_pool), digest(raw_policy)
    del raw_pool
    loaded = perf_counter()
    explain = explain or fairness
    solution = _solve(pool, people, rules, explain=explain)
    solved = perf_counter()
    if solution.certificate is None:
        err.print("This solver does not prove its answer, and a result without a proof is none: nothing was written.", style="red")
        raise typer.Exit(NO)
    origin = Origin(
        pool=digests[0],
        policy=digests[1],
        engine=VERSION,
        tzdata=tzdata_version(),
        load_seconds=loaded - start,
        solve_seconds=solved - loaded,
    )
    if out_file is not None:
        handling.write(out_file, write_result(solution, origin, explain=explain, language=language))
    with printing():
        if as_json:
            sys.stdout.buffer.writelines(write_result(solution, origin, explain=explain, language=language))
        else:
            screen = Screen(language)
            screen.summary(solution, people, rules, origin)
            if explain:
                screen.pairs(solution, show)
                screen.alone(solution, show)
            if fairness:
                screen.groups(solution, people)
            if out_file is None:
                say(out, screen.word("unwritten"))
            else:
                screen.written(out_file, pool, policy)


def read_both(pool: str, raw_pool: bytes, policy: str, raw_policy: bytes) -> tuple[Pool, Policy]:
    """The pool and the policy; where one or both are refused, all faults are told and the command ends."""
    refusals: list[tuple[str, Refused]] = []
    rules, people = None, None
    with handling.shown("Reading") as progress:
        progress("the files", 0, detail=f"{len(raw_pool) + len(raw_policy):,} bytes")
        try:
            rules = read_policy(raw_policy)
        except Refused as refused:
            refusals.append((policy, refused))
        try:
            people = read_pool(raw_pool, rules)
        except Refused as refused:
            refusals.append((pool, refused))
    if people is None or rules is None:
        raise handling.refuse(refusals)
    return people, rules


def _solve(name: str, pool: Pool, policy: Policy, *, explain: bool) -> Solution:
    try:
        with handling.shown("Matching") as progress:
            return solver().solve(pool, policy, progress, explain=explain)
    except PinsRefused as error:
        raise refused_pins(name, error) from None


def refused_pins(name: str, error: PinsRefused) -> typer.Exit:
    """Tell every pin that cannot be made; the exit that follows."""
    return handling.refuse([(name, Refused("pool", [Fault(fault.path, fault.reason) for fault in error.faults]))])
