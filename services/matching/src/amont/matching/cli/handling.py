"""What both commands do with files and terminals: read within limits, write whole or not at all, tell faults, show how far a long run is."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from amont.common.cli import USAGE, err, on_one_line, visible
from amont.common.cli.files import replacing
from amont.matching.domain import progress as port
from amont.matching.files.faults import Fault, Refused
from amont.matching.files.text import MOST_BYTES

STDIN = "-"


def read(name: str) -> bytes:
    """The bytes of a file, or of standard input for `-`; of a file that is too large just enough to see that."""
    try:
        if name == STDIN:
            return _within_limits(sys.stdin.buffer)
        with open(name, "rb", opener=_not_waiting) as file:
            return _within_limits(file)
    except OSError as error:
        raise unusable(f"{name} cannot be read: {error.strerror or error}") from None


def _not_waiting(name: str, flags: int) -> int:
    """Opens a pipe into which nobody writes like an empty file, where waiting for somebody could last for ever."""
    descriptor = os.open(name, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor


def _within_limits(file: BinaryIO) -> bytes:
    return file.read(MOST_BYTES + 1)


def only_one_from_stdin(*names: str | None) -> None:
    """Standard input can be read once."""
    if names.count(STDIN) > 1:
        raise unusable("Only one of the files can be standard input.")


def hold_writable(path: Path) -> None:
    """Say so before a long run when its result could not be written."""
    if str(path) == STDIN or (path.exists() and not path.is_file()) or path.is_symlink():
        raise unusable(f"{path} cannot be written: give an ordinary file; --json prints the result")
    if not os.access(path.parent, os.W_OK):
        raise unusable(f"{path} cannot be written: give a file in a folder that exists and that you may write to")


def hold_apart(path: Path, *inputs: str | None) -> None:
    """Say so when the result would be written over what it is made from."""
    if any(name not in {None, STDIN} and Path(str(name)).exists() and path.exists() and path.samefile(str(name)) for name in inputs):
        raise unusable(f"{path} is what the result is made from: give another file")


def write(path: Path, lines: Iterable[bytes]) -> None:
    """The whole file or none."""
    with replacing(path) as file:
        file.writelines(lines)


def unusable(why: str) -> typer.Exit:
    """Say why an input cannot be used; the exit that follows."""
    err.print(visible(why), style="red", markup=False)
    return typer.Exit(USAGE)


def refuse(refusals: Iterable[tuple[str, Refused]]) -> typer.Exit:
    """Tell every fault of every file that was refused; the exit that follows."""
    for name, refused in refusals:
        count = len(refused.faults)
        sys.stderr.write(f"{visible(name)} is refused as a {refused.what}: {count:,} fault{'' if count == 1 else 's'}\n")
        sys.stderr.writelines(line(fault) for fault in refused.faults)
    return typer.Exit(USAGE)


def line(fault: Fault) -> str:
    """A fault on one line of its own."""
    return on_one_line(str(fault)) + "\n"


@contextmanager
def shown(verb: str) -> Iterator[port.Progress]:
    """A bar on a terminal, nothing elsewhere."""
    columns = (
        TextColumn(verb),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        yield _Bar(bar)


class _Bar:
    """One task a stage."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int | None = None, detail: str = "") -> None:
        if stage not in self._tasks:
            for earlier in self._tasks.values():
                self._bar.stop_task(earlier)
            self._tasks[stage] = self._bar.add_task(stage, total=total, detail=detail)
        self._bar.update(self._tasks[stage], completed=done, total=total, detail=detail)
