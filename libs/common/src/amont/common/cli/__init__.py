"""The command `amont`: each installed package contributes its sub-commands through the entry points `amont.commands`.

Exit codes everywhere: 0 done, 1 the answer is no, 2 wrong usage, 3 something unreachable. `--json` prints data instead of words.
"""

import json
import os
import shlex
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from amont.common.errors import DomainError, Invalid, PortTaken, Unavailable
from amont.common.settings import MissingSettings, S, read_settings

NO, USAGE, UNREACHABLE = 1, 2, 3

WIDE = 240
"""Columns where nobody looks at a terminal: an id must stay in one piece for grep and awk."""
out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)


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
        if error.instead:
            say(err, error.instead)
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


@contextmanager
def as_usage() -> Iterator[None]:
    """What a command is given beside what it is to judge (a table, a mapping, an option) is wrong usage when it cannot be used, not the answer no."""
    try:
        yield
    except Invalid as error:
        _complain(error)
        raise typer.Exit(USAGE) from error


@contextmanager
def printing() -> Iterator[None]:
    """What is printed must arrive: standard output that takes no more (a full disk) ends the command with a sentence. A reader who goes away is no failure."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        say(err, f"Standard output cannot be written: {error.strerror or error}", style="red")
        raise typer.Exit(USAGE) from None


def settings_without_folder(kind: type[S]) -> S:
    """Settings of a command that would do with `--data`. Raises MissingSettings, which says so."""
    try:
        return read_settings(kind)
    except MissingSettings as error:
        raise MissingSettings(error.rows, "Or name the data folder of `amont up` with --data DIR.") from None


def must_be_there(data: Path) -> None:
    """Raises ValueError for a data folder that is not there: it is none that services have worked on, and none is made by a slip."""
    if not data.is_dir():
        raise ValueError(f"{data} is no folder. Name the one that `amont up --data DIR` was started with.")


def _complain(error: Exception) -> None:
    said = str(error)
    say(err, said, style="red")
    for fault in error.faults if isinstance(error, Invalid) else ():
        if fault.detail not in said:
            say(err, f"  {fault.pointer}: {fault.detail}", indent="  ")


def say(console: Console, text: str, style: str = "", indent: str = "") -> None:
    """Text for people, from outside or ours: wrapped between words on a terminal, and never inside one, so that an id can be copied."""
    shown = visible(text)
    if console.is_terminal:
        width = max(console.width, len(indent) + 20)
        lines = [
            textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
            for line in shown.split("\n")
        ]
        shown = "\n".join(lines)
    console.print(Text(shown, style=style), soft_wrap=True)


def say_command(console: Console, command: str) -> None:
    """A command to be copied: a line of its own, in one piece."""
    console.print(Text(f"  {visible(command)}"), soft_wrap=True)


def command_line(*words: str, data: Path | None = None) -> str:
    """A command that does something in the same place, as a shell takes it."""
    return shlex.join(["amont", *words, *(["--data", str(data)] if data else [])])


def say_facts(console: Console, facts: Iterable[tuple[str, Any]]) -> None:
    """Names and what they stand for, a line each; no word is cut."""
    rows = [(name, str(value)) for name, value in facts]
    width = max((len(name) for name, _ in rows), default=0) + 2
    for name, value in rows:
        say(console, f"{name:<{width}}{value}", indent=" " * width)


def fits(console: Console, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bool:
    """Whether a table of these stands in the console's width without a cell being wrapped."""
    widths = [max(cell_len(visible(str(cell))) for cell in column) for column in zip(columns, *rows, strict=True)]
    return sum(widths) + 2 * (len(widths) - 1) <= console.width


def table(columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(Text(visible(column)), overflow="fold")
    for row in rows:
        made.add_row(*(Text(visible(str(cell))) for cell in row))
    return made


def visible(text: str) -> str:
    """Text from outside for a terminal: what would steer it is spelled out; the spaces inside of French numbers would not."""
    return "".join(char if char.isprintable() or char in "\n\u00a0\u202f" else char.encode("unicode_escape").decode() for char in text)


def on_one_line(text: str) -> str:
    """The same, with line breaks spelled out, too."""
    return visible(text).replace("\n", "\\n")


def print_json(data: Any) -> None:
    """Data for programs, on standard output; instants as RFC 3339 writes them."""
    with printing():
        sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
