"""The command `amont`: each installed package contributes its sub-commands through the entry points `amont.commands`.

Exit codes everywhere: 0 done, 1 the answer is no, 2 wrong usage, 3 something unreachable. `--json` prints data instead of words.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from amont.common.errors import DomainError, PortTaken, Unavailable
from amont.common.settings import MissingSettings

NO, USAGE, UNREACHABLE = 1, 2, 3

WIDE = 240
"""Columns where nobody looks at a terminal: an id must stay in one piece for grep and awk."""
out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False)


def root() -> typer.Typer:
    """The whole command, with what every installed package contributes."""
    made = typer.Typer(
        name="amont", help="Amont runs reverse mentoring in large groups.", no_args_is_help=True, pretty_exceptions_enable=False
    )
    for point in sorted(entry_points(group="amont.commands"), key=lambda point: point.name):
        point.load()(made)
    return made


def commands(root: typer.Typer) -> None:
    """What every image has: run, topics, contracts, hris, dlq."""
    from amont.common.cli import contracts, dlq, hris, run, topics  # noqa: PLC0415 - built only when the command line is

    root.command("run")(run.run)
    root.add_typer(topics.app, name="topics", help="Topics on a Kafka cluster: made by this explicit step, never by accident.")
    root.add_typer(hris.app, name="hris", help="Staff records for the inbound topic, from a file.")
    root.add_typer(dlq.app, name="dlq", help="Dead letters: what a service could not take, and what is to become of it.")
    root.add_typer(contracts.app, name="contracts", help="The events that Amont exchanges: JSON Schemas, AsyncAPI.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; every expected failure is a sentence, not a traceback."""
    try:
        root()(args=list(arguments) if arguments is not None else None)
    except MissingSettings as error:
        err.print("The environment does not say what is needed:")
        err.print(table(("variable", "what is wrong", "what it is"), error.rows))
        sys.exit(USAGE)
    except (PortTaken, DomainError) as error:
        _complain(error)
        sys.exit(NO)
    except Unavailable as error:
        _complain(error)
        sys.exit(UNREACHABLE)
    except ValueError as error:
        _complain(error)
        sys.exit(USAGE)


def _complain(error: Exception) -> None:
    err.print(Text(visible(str(error)), style="red"))


def table(columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text(visible(str(cell))) for cell in row))
    return made


def visible(text: str) -> str:
    """Text from outside for a terminal: what would steer it is spelled out."""
    return "".join(char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text)


def print_json(data: Any) -> None:
    """Data for programs, on standard output."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n")
