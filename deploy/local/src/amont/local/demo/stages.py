"""What is seen while the demo runs: on a terminal a progress bar per stage, in a pipe one line per stage, for a program nothing."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

LABEL = 24


class Look(StrEnum):
    """Who is looking."""

    TERMINAL = "terminal"
    PIPE = "pipe"
    NOBODY = "nobody"


def look(*, as_json: bool) -> Look:
    """Who is looking at standard output."""
    if as_json:
        return Look.NOBODY
    return Look.TERMINAL if sys.stdout.isatty() else Look.PIPE


@dataclass(slots=True)
class Stage:
    """One stage under way. `note` is what it comes to."""

    label: str
    note: str = ""
    seconds: float = 0.0
    _bar: tuple[Progress, TaskID] | None = None

    def total(self, total: int) -> None:
        """How much there is to do."""
        if self._bar is not None:
            self._bar[0].update(self._bar[1], total=total)

    def done(self, by: int = 1) -> None:
        """Some of it is done."""
        if self._bar is not None:
            self._bar[0].advance(self._bar[1], by)

    def says(self, note: str) -> None:
        """What it comes to so far."""
        self.note = note
        if self._bar is not None:
            self._bar[0].update(self._bar[1], note=note)


@dataclass(slots=True)
class Stages:
    """The stages of a run, in order, each with its seconds."""

    looks: Look
    console: Console
    taken: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, label: str, total: int = 1) -> Iterator[Stage]:
        """One stage: its bar while it lasts, its line when it is over."""
        began = time.perf_counter()
        stage = Stage(label)
        if self.looks is Look.TERMINAL:
            with _bars(self.console) as bars:
                stage._bar = (bars, bars.add_task(label, total=total, note=""))  # noqa: SLF001 - one module
                yield stage
        else:
            yield stage
        stage.seconds = time.perf_counter() - began
        self.taken[label] = round(stage.seconds, 2)
        self._line(stage)

    def aside(self, text: str) -> None:
        """What else there is to know about the stage that is over; a pipe has its one line per stage and does without."""
        if self.looks is Look.TERMINAL:
            self.console.print(Padding(f"[dim]{escape(text)}[/]", (0, 0, 0, LABEL + 12)))

    def says(self, text: str) -> None:
        """A line of its own."""
        match self.looks:
            case Look.TERMINAL:
                self.console.print(text)
            case Look.PIPE:
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()
            case Look.NOBODY:
                return

    def _line(self, stage: Stage) -> None:
        seconds = f"{stage.seconds:5.1f} s"
        if self.looks is Look.TERMINAL:
            line = Table.grid(padding=(0, 1))
            for style, width in (("green", 1), ("bold", LABEL), ("cyan", len(seconds)), ("", None)):
                line.add_column(style=style, min_width=width)
            line.add_row("✓", stage.label, seconds, stage.note)
            self.console.print(line)
        else:
            self.says(f"{stage.label:<{LABEL}} {seconds}  {stage.note}")


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("[bold]{task.description:<" + str(LABEL + 2) + "}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        console=console,
        transient=True,
    )
