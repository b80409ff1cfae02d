"""A roster: who was in the last file of a feed that was declared complete, and so who is missing from the next; and who is missing, since when. A file of
ids, one a line, in order.

It is the feed's own memory, kept where the export is made: a feed that only writes needs no right to read the people of its subsidiary, and a file that
was skipped is caught up by the next one, because whoever was missing is missing still. Their leaving is said again by every complete file for a quarter:
one that a coordinator has dropped together with wrong ones is heard then.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pydantic_core import to_json

from amont.common.errors import Fault, Invalid
from amont.common.events.values import instant_text
from amont.common.events.words import person_id

HEADER = "# amont roster 2: who was in the last complete file of this feed, and who has been missing since when"
MOST_FAULTS = 20
_APART = "\t"
"""No id has one."""
MISSING_DAYS = 100
"""For so long it is said of somebody who is missing that they have left; a feed of one file a quarter says it once again."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody on a roster; `missing_since` is None for who was in the last complete file."""

    person: str
    missing_since: date | None = None

    def counts(self, day: date) -> bool:
        """Whether they are still looked for on a day."""
        return self.missing_since is None or (day - self.missing_since).days <= MISSING_DAYS

    def __str__(self) -> str:
        return self.person if self.missing_since is None else f"{self.person}{_APART}{self.missing_since}"


def read_roster(lines: Iterable[str], tenant: str | None) -> Iterator[Listed]:
    """The people of a roster. Raises Invalid for lines that are nobody, and for people of another subsidiary than the feed's."""
    faults = []
    for number, text in enumerate(lines, 1):
        line = text.rstrip("\r\n")
        if not line or line.startswith("#"):
            continue
        person, marked, day = line.partition(_APART)
        if ":" not in person or person_id(person, "") != person:
            faults.append(Fault(f"line {number}", f"{person[:80]!r} is not tenant:employee_id"))
        elif tenant is not None and person.partition(":")[0] != tenant:
            faults.append(Fault(f"line {number}", f"{person[:80]!r} is not of {tenant!r}: give each subsidiary's feed its own roster"))
        elif marked and (since := _day(day)) is None:
            faults.append(Fault(f"line {number}", f"{day[:80]!r} is not a day as in 2026-12-01"))
        else:
            yield Listed(person, since if marked else None)
        if len(faults) == MOST_FAULTS:
            break
    if faults:
        raise Invalid("The roster cannot be used.", faults)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def written(people: Iterable[Listed]) -> Iterator[str]:
    """The lines of a roster."""
    yield f"{HEADER}\n"
    yield from (f"{one}\n" for one in people)


@dataclass(frozen=True, slots=True)
class Leavers:
    """How many of those who were in the last complete file are missing now, by subsidiary; and how many have been missing for longer."""

    missing: Mapping[str, int]
    before: Mapping[str, int]
    still: int = 0

    def too_many(self, percent: float) -> dict[str, tuple[int, int]]:
        """The subsidiaries of which more than a share is newly missing: how many, of how many."""
        return {
            tenant: (count, self.before[tenant]) for tenant, count in self.missing.items() if 100 * count > percent * self.before[tenant]
        }


def leaving(person: str, said_at: datetime, since: date | None = None) -> bytes:
    """The line that says that somebody left, on the day since when they are missing, or on the day on which it is said."""
    tenant, _, employee_id = person.partition(":")
    day = (since or said_at.date()).isoformat()
    record = {"tenant": tenant, "employee_id": employee_id, "effective_at": day, "occurred_at": instant_text(said_at)}
    return to_json({**record, "left": True})
