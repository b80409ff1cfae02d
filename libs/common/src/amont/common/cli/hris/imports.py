"""What an import does with a CSV feed: look, decide, send.

Good lines are sent although others are bad, unless told otherwise. Of a file that is declared complete, whoever was in the last one and is in this one
no more has left; the roster remembers who that was, and who is missing still, of whom it is said again. A file that may have been cut short is never
complete, and many leavers at once are asked about.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import typer

from amont.common.cli import as_usage, err
from amont.common.cli.feeds import counted, following
from amont.common.cli.files import hold_writable, replacing
from amont.common.cli.hris.appending import append

if TYPE_CHECKING:
    from amont.common.feeds.across import Across
    from amont.common.feeds.checking import Checker
    from amont.common.feeds.csv import CsvFeed
    from amont.common.feeds.findings import Tally
    from amont.common.feeds.looking import Look
    from amont.common.log import Log, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How it is to be done. A `roster` is given for a file that is complete."""

    dry_run: bool
    all_or_nothing: bool
    roster: Path | None
    leavers_up_to: float
    yes: bool
    shown: bool


@dataclass(slots=True)
class Outcome:
    """What became of it. `sent` is what would be sent when it is a dry run; `leavers` are among it, and who has been missing for longer (`still`)."""

    tally: "Tally"
    records: int = 0
    sent: int = 0
    leavers: int = 0
    still: int = 0
    why_not: str | None = None


class Import:
    """One run over one file."""

    def __init__(self, feed: "CsvFeed", source: BinaryIO, checker: "Checker", tally: "Tally", wanted: Wanted) -> None:
        self._feed, self._source, self._checker, self._wanted = feed, source, checker, wanted
        self._outcome = Outcome(tally)

    def run(self, log: "Log | None") -> Outcome:
        """Look at every line, then send, or both at once where nothing must be known before. Without a log, only look."""
        from amont.common.feeds.across import Across  # noqa: PLC0415 - heavy, and other commands need not wait for it
        from amont.common.feeds.looking import Look  # noqa: PLC0415

        outcome, wanted = self._outcome, self._wanted
        outcome.tally.add(self._feed.columns.findings)
        with Across() as across:
            look = Look(self._checker, across, outcome.tally, self._feed.placed)
            if log is not None and not wanted.all_or_nothing and not wanted.roster:
                outcome.sent = append(log, self._looked_at(look, "Sending"))
                look.end()
            else:
                outcome.sent = sum(1 for _ in self._looked_at(look, "Checking"))
                look.end()
                self._send_after_looking(log, look)
            outcome.records = look.records
        if not outcome.records and not outcome.why_not:
            outcome.why_not = "there is no record in it; look whether the export has worked"
        return outcome

    def _send_after_looking(self, log: "Log | None", look: "Look") -> None:
        from amont.common.feeds.roster import written  # noqa: PLC0415 - heavy, and other commands need not wait for it

        outcome, wanted, across = self._outcome, self._wanted, look.across
        if wanted.roster:
            outcome.why_not = self._why_not_complete(look, wanted.roster)
            leavers = across.leavers()
            outcome.leavers, outcome.still = sum(leavers.missing.values()), leavers.still
            outcome.sent += outcome.leavers + outcome.still
        if wanted.all_or_nothing and outcome.tally.bad_lines:
            outcome.why_not = f"{counted(outcome.tally.bad_lines, 'line')} cannot be taken, and it is to be all or nothing"
        if outcome.why_not:
            outcome.sent = outcome.leavers = outcome.still = 0
        elif log is not None:
            append(log, chain(self._once_more(), self._leavings(across)))
            if wanted.roster:
                with replacing(wanted.roster) as file:
                    file.writelines(line.encode() for line in written(across.listed(self._feed.as_of.date())))

    def _looked_at(self, look: "Look", verb: str) -> Iterator["Record"]:
        for entry in following(self._source, self._feed, verb, shown=self._wanted.shown):
            line = look.take(entry)
            if line is not None:
                yield line.record

    def _once_more(self) -> Iterator["Record"]:
        for entry in following(self._source, self._feed, "Sending", shown=self._wanted.shown):
            line, findings = self._checker.look(entry)
            if line is not None and not any(one.is_error for one in findings):
                yield line.record

    def _leavings(self, across: "Across") -> Iterator["Record"]:
        from amont.common.feeds.record import read_line  # noqa: PLC0415 - heavy, and other commands need not wait for it
        from amont.common.feeds.roster import leaving  # noqa: PLC0415

        if self._wanted.roster:
            day, said_at = self._feed.as_of.date(), across.newest(self._feed.written)
            for one in across.missing():
                yield read_line(0, leaving(one.person, said_at, one.missing_since or day)).record

    def _why_not_complete(self, look: "Look", roster: Path) -> str | None:
        """Why nobody can be said to be missing; None when it can. Raises ValueError; ends the command for a roster that cannot be used."""
        hold_writable(roster)
        return look.why_not_complete() or (self._why_not_so_many(look, roster) if roster.exists() else None)

    def _why_not_so_many(self, look: "Look", roster: Path) -> str | None:
        from amont.common.feeds.roster import read_roster  # noqa: PLC0415 - heavy, and other commands need not wait for it

        with as_usage(), roster.open(encoding="utf-8") as lines:
            day = self._feed.as_of.date()
            look.across.remember(one for one in read_roster(lines, self._checker.tenant) if one.counts(day))
        many = look.across.leavers().too_many(self._wanted.leavers_up_to)
        if not many or self._wanted.yes:
            return None
        said = "; ".join(f"{count:,} of {before:,} people of {tenant!r}" for tenant, (count, before) in sorted(many.items()))
        if self._may_ask() and typer.confirm(f"{said} are missing from the file. Have they left?", err=True):
            return None
        return f"{said} are missing from the file; if they have left, say so with --yes"

    def _may_ask(self) -> bool:
        return self._wanted.shown and not self._wanted.dry_run and err.is_terminal and sys.stdin.isatty()
