"""What a comparison remembers of a file's people and of those whom enrolment holds: ids, instants and numbers, no name and no address.

It lies in a temporary database, so that a subsidiary of any size takes the same memory; a person is one row of each table.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from amont.common.events.values import instant_text
from amont.common.feeds.aside import AT_ONCE, aside
from amont.enrolment.domain.comparing import Effect, Said, marks_of
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.staff import Profile, StaffEntry

_TABLES = """
CREATE TABLE said (person TEXT PRIMARY KEY, position TEXT, effective_at TEXT, occurred_at TEXT, marks BLOB, names INTEGER, joined INTEGER,
address INTEGER, former TEXT, effect TEXT);
CREATE TABLE leaving (person TEXT PRIMARY KEY, position TEXT, effective_at TEXT, occurred_at TEXT);
CREATE TABLE ahead (person TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE held (person TEXT PRIMARY KEY, absent INTEGER, names INTEGER, joined INTEGER, address INTEGER);
"""
_NEWEST = """INSERT INTO said VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (person) DO UPDATE SET position = excluded.position,
effective_at = excluded.effective_at, occurred_at = excluded.occurred_at, marks = excluded.marks, names = excluded.names, joined = excluded.joined,
address = excluded.address, former = excluded.former, effect = excluded.effect WHERE excluded.position > said.position"""
_NEWEST_LEAVING = """INSERT INTO leaving VALUES (?, ?, ?, ?) ON CONFLICT (person) DO UPDATE SET position = excluded.position,
effective_at = excluded.effective_at, occurred_at = excluded.occurred_at WHERE excluded.position > leaving.position"""
_UNKNOWN = f"UPDATE said SET effect = CASE WHEN marks IS NULL THEN '{Effect.GONE}' ELSE '{Effect.NEW}' END WHERE effect IS NULL"  # noqa: S608
_INDEXES = """
CREATE INDEX held_joined ON held (names, joined);
CREATE INDEX held_names_and_address ON held (names, address);
CREATE INDEX held_absent ON held (names, absent, joined);
CREATE INDEX held_address ON held (address);
"""
_SAME = "EXISTS (SELECT 1 FROM held WHERE held.names = said.names AND {})"
_NAMELESS = """(SELECT count(*) = 1 AND (said.names IS NULL OR max(one.names) IS NULL)
FROM (SELECT names FROM held WHERE held.address = said.address LIMIT 2) AS one)"""
_UNDER_ANOTHER_ID = " ".join(
    (
        f"SELECT count(*) FROM said WHERE effect = '{Effect.NEW}' AND ({_SAME.format('held.joined = said.joined')}",  # noqa: S608 - our own words
        f"OR {_SAME.format('held.address = said.address')} OR {_SAME.format('held.absent = 1 AND held.joined IS NULL')}",
        f"OR (said.joined IS NULL AND {_SAME.format('held.absent = 1')}) OR {_NAMELESS})",
    )
)
"""Each of these questions is one look into an index, however many people have one name or one address."""


class Remembered:
    """See the module. A context, so that the disk is given back."""

    def __init__(self, now: datetime) -> None:
        """What is true by `now` goes before what lies ahead."""
        self._db, self._now = aside(_TABLES), instant_text(now)
        self._said: list[tuple[Any, ...]] = []
        self._leaving: list[tuple[str, str, str, str]] = []
        self._ahead: list[tuple[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._db.close()

    def says(self, person: str, entry: StaffEntry, effect: Effect | None = None) -> None:
        """A record of the file. Of each person the newest that is true by now stays, or else the newest that lies ahead; and the newest leaving that is
        true by now. `effect` where it is known already.
        """
        at, wrote = instant_text(entry.position.effective_at), instant_text(entry.position.occurred_at)
        marks = marks_of(entry)
        blob = None if marks is None else array("q", marks).tobytes()
        true, position = at <= self._now, f"{at} {wrote} {entry.position.event}"
        self._said.append((person, f"{true:d} {position}", at, wrote, blob, *_identity(entry.profile), entry.former, effect))
        if effect is None and not true:
            self._ahead.append((person,))
        elif effect is None and marks is None:
            self._leaving.append((person, position, at, wrote))
        if len(self._said) >= AT_ONCE:
            self._flush()

    def said_of(self, people: Iterable[str]) -> dict[str, Said]:
        """What the file says of these people, as far as it is taken."""
        self._flush()
        wanted = tuple(people)
        some = f"""SELECT person, effective_at, occurred_at, marks FROM said
WHERE effect IS NULL AND person IN ({", ".join("?" * len(wanted))})"""  # noqa: S608 - nothing but question marks
        return {person: Said(_instant(at), _instant(wrote), _marks(marks)) for person, at, wrote, marks in self._db.execute(some, wanted)}

    def leavings_of(self, people: Iterable[str]) -> dict[str, Said]:
        """The newest leaving of these people that is true by now, also where they return after it."""
        self._flush()
        wanted = tuple(people)
        some = f"SELECT person, effective_at, occurred_at FROM leaving WHERE person IN ({', '.join('?' * len(wanted))})"  # noqa: S608 - nothing but question marks
        return {person: Said(_instant(at), _instant(wrote), None) for person, at, wrote in self._db.execute(some, wanted)}

    def holds(self, people: Iterable[Employee], effects: Mapping[str, Effect]) -> None:
        """Some whom enrolment holds, and what the file would do to those of them whom it names."""
        rows = [(one.id, one.id not in effects, *_identity(profile)) for one in people if (profile := one.newest_profile) is not None]
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO held VALUES (?, ?, ?, ?, ?)", rows)
        self._db.executemany("UPDATE said SET effect = ? WHERE person = ?", [(effect, person) for person, effect in effects.items()])
        self._db.execute("COMMIT")

    def end(self) -> dict[Effect, int]:
        """Everybody whom enrolment holds has passed: how many people each effect has."""
        self._flush()
        self._db.executescript(_INDEXES)
        self._db.execute(_UNKNOWN)
        return {Effect(effect): count for effect, count in self._db.execute("SELECT effect, count(*) FROM said GROUP BY effect")}

    def ahead(self) -> tuple[int, int]:
        """Of how many people a record lies ahead, and of how many every record does."""
        alone = "SELECT count(*) FROM ahead JOIN said USING (person) WHERE effective_at > ?"
        return self._count("SELECT count(*) FROM ahead"), self._count(alone, self._now)

    def under_another_id(self) -> int:
        """How many who are new are held under another id: by the names, and the first day or the address. The names alone do where one of the two says no
        first day and the file says nothing of that id; of somebody without names an address that nobody else has.
        """
        return self._count(_UNDER_ANOTHER_ID)

    def formers(self) -> Iterator[list[str]]:
        """The ids in other subsidiaries of those who are new, or come back; some at a time."""
        found = self._db.execute("SELECT former FROM said WHERE former IS NOT NULL AND effect IN (?, ?)", (Effect.NEW, Effect.BACK))
        while rows := found.fetchmany(AT_ONCE):
            yield [former for (former,) in rows]

    def _count(self, statement: str, *values: Any) -> int:
        return int(self._db.execute(statement, values).fetchone()[0])

    def _flush(self) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(_NEWEST, self._said)
        self._db.executemany(_NEWEST_LEAVING, self._leaving)
        self._db.executemany("INSERT OR IGNORE INTO ahead VALUES (?)", self._ahead)
        self._db.execute("COMMIT")
        self._said.clear()
        self._leaving.clear()
        self._ahead.clear()


def _identity(profile: Profile | None) -> tuple[int | None, int | None, int | None]:
    """Names, first day and address, each as a number; nothing where one is missing."""
    if profile is None:
        return None, None, None
    names = hash((profile.given_name.casefold(), profile.family_name.casefold())) if profile.given_name and profile.family_name else None
    joined = hash(profile.joined_on) if profile.joined_on else None
    return names, joined, hash(profile.email.casefold()) if profile.email else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _marks(blob: bytes | None) -> tuple[int, ...] | None:
    return None if blob is None else tuple(array("q", blob))
