"""One look at a feed: what each entry is as a record, what was found so far, and at the end what only all of them show."""

from collections.abc import Callable
from dataclasses import dataclass, field

from amont.common.feeds.across import Across
from amont.common.feeds.checking import Checker
from amont.common.feeds.csv import NO_LINE_END
from amont.common.feeds.findings import Finding, Tally
from amont.common.feeds.lines import Entry
from amont.common.feeds.record import Line


@dataclass(slots=True)
class Look:
    """`placed` says where a finding is in the words of the door, for instance by a column's name."""

    checker: Checker
    across: Across
    tally: Tally
    placed: Callable[[Finding], Finding] = field(default=lambda finding: finding)
    records: int = 0
    nobody: int = 0
    """Bad lines of which nobody can tell whom they are about: what they hide may be anybody."""

    def take(self, entry: Entry) -> Line | None:
        """The line whose record can be sent; None where an error stands against it."""
        self.records += 1
        line, findings = self.checker.look(entry)
        if line is not None:
            self.across.saw(entry.line, line)
        person = line.event.person if line else entry.person
        if person:
            self.across.present(person)
        else:
            self.nobody += 1
        self.tally.add(map(self.placed, findings))
        bad = line is None or any(one.is_error for one in findings)
        self.tally.bad_lines += bad
        return None if bad else line

    def end(self) -> None:
        """Everything was taken: see what no single entry shows."""
        self.tally.add(map(self.placed, self.across.findings()))

    def why_not_complete(self) -> str | None:
        """Why nobody can be said to be missing from what was taken; None when it can."""
        if not self.records:
            return "there is no record in it, so the file is not complete"
        if self.nobody:
            return (
                f"of {self.nobody:,} line{'' if self.nobody == 1 else 's'} nobody can tell whom they are about, so the file is not complete"
            )
        if self.tally.counts.get(NO_LINE_END):
            return "the last line has no line end, so the file may have been cut short and is not complete"
        return None
