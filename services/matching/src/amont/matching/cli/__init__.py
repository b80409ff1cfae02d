"""`amont match`, `amont simulate` and `amont verify`: the engine on files, without a service, a broker or a database.

Exit codes: 0 done, or the result is right; 1 the answer is no (the result is wrong, or the solver gives no proof); 2 a file cannot be used.
"""

import typer


def commands(root: typer.Typer) -> None:
    """What an installation with matching has."""
    from amont.matching.cli import match, simulate, verify  # noqa: PLC0415 - numpy and scipy: other commands need not wait for them

    root.command("match")(match.match)
    root.command("simulate")(simulate.simulate)
    root.command("verify")(verify.verify)
