"""A roster: who was in the last file of a feed that was declared complete, and so who is missing from the next. A file of ids, one a line, in order.

It is the feed's own memory, kept where the export is made: a feed that only writes needs no right to read the people of its subsidiary, and a file that
was skipped is caught up by the next one, because whoever was missing is missing still.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic_core import to_json

from amont.common.errors import Fault, Invalid
from amont.common.events.values import instant_text
from amont.common.events.words import person_id

HEADER = "# amont roster 1: who was in the last complete file of this feed"
MOST_FAULTS = 20


def read_roster(lines: Iterable[str], tenant: str | None) -> Iterator[str]:
    """The people of a roster. Raises Invalid for lines that are nobody, and for people of another subsidiary than the feed's."""
    faults = []
    for number, text in enumerate(lines, 1):
        person = text.rstrip("\r\n")
        if not person or person.startswith("#"):
            continue
        if ":" not in person or person_id(person, "") != person:
            faults.append(Fault(f"line {number}", f"{person[:80]!r} is not tenant:employee_id"))
        elif tenant is not None and person.partition(":")[0] != tenant:
            faults.append(Fault(f"line {number}", f"{person[:80]!r} is not of {tenant!r}: give each subsidiary's feed its own roster"))
        else:
            yield person
        if len(faults) == MOST_FAULTS:
            break
    if faults:
        raise Invalid("The roster cannot be used.", faults)


def written(people: Iterable[str]) -> Iterator[str]:
    """The lines of a roster."""
    yield f"{HEADER}\n"
    yield from (f"{person}\n" for person in people)


@dataclass(frozen=True, slots=True)
class Leavers:
    """How many of whom are missing, by subsidiary."""

    missing: Mapping[str, int]
    before: Mapping[str, int]

    def too_many(self, percent: float) -> dict[str, tuple[int, int]]:
        """The subsidiaries of which more than a share is missing: how many, of how many."""
        return {
            tenant: (count, self.before[tenant]) for tenant, count in self.missing.items() if 100 * count > percent * self.before[tenant]
        }


def leaving(person: str, as_of: datetime) -> bytes:
    """The line that says that somebody who is missing leaves."""
    tenant, _, employee_id = person.partition(":")
    record = {"tenant": tenant, "employee_id": employee_id, "effective_at": as_of.date().isoformat(), "occurred_at": instant_text(as_of)}
    return to_json({**record, "left": True})
