"""`amont match`: from a pool and a policy to the best pairs and their proof."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from amont.common.cli import NO, err, out, say, table
from amont.common.memory import settle
from amont.matching.cli import handling
from amont.matching.domain.engine import VERSION, Engine
from amont.matching.domain.engine.jit import COMPILED, kept_code
from amont.matching.domain.fairness import Group, scored
from amont.matching.domain.fairness import fairness as by_group
from amont.matching.domain.hours import tzdata_version
from amont.matching.domain.policy import Policy, Rule
from amont.matching.domain.pool import Pool
from amont.matching.domain.solver import PinsRefused, Solution, Solver
from amont.matching.domain.words import Language, alone_in_words
from amont.matching.files import NO_POLICY, Fault, Origin, Refused, digest, read_policy, read_pool, write_result

SOLVER: Callable[[], Solver] = Engine
ALONE_SHOWN = 10
"""Of how many people in no pair the summary says why."""


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
    language: Annotated[Language, typer.Option(help="Of the words of --explain")] = "en",
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
    if as_json:
        sys.stdout.buffer.writelines(write_result(solution, origin, explain=explain, language=language))
        sys.stdout.flush()
    else:
        _summarise(solution, people, rules, origin, out_file)
        if explain:
            _say_why(solution, language)
        if fairness:
            _show_groups(solution, people)
        if out_file is None:
            out.print("Nothing was written: --out FILE keeps the result, with who is paired with whom.")


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


def _show_groups(solution: Solution, pool: Pool) -> None:
    [figures] = by_group(pool, [scored(solution)])
    for division, groups in figures.divisions.items():
        rows = [(group.name or "-", *told(group)) for group in groups]
        out.print(table((division, "people", "matched", "lowest score", "quartiles"), rows))
    say(out, f"{solution.blocking:,} pairs would rather have each other than what they have.")


def told(group: Group) -> tuple[str, str, str, str]:
    """People, matched, lowest score and quartiles of a group; what is about a few is hidden."""
    if group.people is None or group.matched is None:
        return ("hidden",) * 4
    scores = group.scores
    low = "-" if scores is None else f"{scores.lowest:,}"
    quartiles = ", ".join(f"{one:,}" for one in scores.quartiles) if scores and scores.quartiles else "-"
    return f"{group.people:,}", f"{group.matched:,} ({group.percent} %)", low, quartiles


def _summarise(solution: Solution, pool: Pool, policy: Policy, origin: Origin, written: Path | None) -> None:
    made, pinned = solution.objective, sum(pair.pinned for pair in solution.pairs)
    rows: list[tuple[str, str]] = [("pairs", f"{made.pairs:,}" + (f", and {pinned:,} pinned" if pinned else ""))]
    for role, count in (
        ("mentee", len({pair.mentee for pair in solution.pairs})),
        ("mentor", len({pair.mentor for pair in solution.pairs})),
    ):
        everybody = count + sum(person.role == role for person in solution.unmatched)
        share = f" ({count * 1000 // everybody / 10} %)" if everybody else ""
        rows.append((f"{role}s matched", f"{count:,} of {everybody:,}{share}"))
    rows += [
        ("lowest score", "-" if made.worst is None else f"{made.worst:,}"),
        ("total value", f"{made.total:,}"),
        ("order", policy.order),
        ("time", f"{origin.load_seconds:.1f} s to read, {origin.solve_seconds:.1f} s to solve and prove"),
        ("proof", PROVED[policy.order]),
    ]
    out.print(table(("programme", pool.programme), rows))
    if written is not None:
        out.print(f"Written to {written}; amont verify checks it.", markup=False)


def _say_why(solution: Solution, language: Language) -> None:
    """Which rules stood in the way of those in no pair, and why the first few are alone: those whom a change of their own would help come first."""
    if not solution.unmatched:
        return
    removed = Counter[str]()
    for person in solution.unmatched:
        removed.update({rule.value: count for rule, count in person.removed.items()})
    first = [(rule.value, f"{removed[rule.value]:,}") for rule in Rule if removed[rule.value]]
    if first:
        out.print(table(("first in the way of people in no pair", "candidates"), first))
    helped = sum(person.change is not None for person in solution.unmatched)
    out.print(f"{len(solution.unmatched):,} in no pair; one change of their own would open candidates to {helped:,} of them:")
    for person in sorted(solution.unmatched, key=lambda person: person.change is None)[:ALONE_SHOWN]:
        words = alone_in_words(person, language)
        say(out, f"{person.id} ({person.role}): {'; '.join(words)}", indent="  ")
    if len(solution.unmatched) > ALONE_SHOWN:
        say(out, f"And {len(solution.unmatched) - ALONE_SHOWN:,} more in no pair: --out writes all of them.")


PROVED = {
    "pairs, worst, total": "no more pairs are possible, no higher lowest score with so many, no higher total with both",
    "pairs, total": "no more pairs are possible, and no higher total with so many",
    "total": "no higher total is possible",
}
"""What a certificate proves, by the policy's order."""
