"""The users of a SCIM source as a feed: each read as the door would take it, and all of them together, since a manager is named by an id of the source's.

How a user becomes a staff record is enrolment's, which hands a `ReadUser` in. What was read lies in a temporary database that SQLite keeps on disk and takes
away by itself, so that a source of any size takes the same memory. Nothing here opens a connection: whoever does gives the users, page by page.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Protocol, Self

from pydantic_core import from_json, to_json

from amont.common.feeds.findings import Finding, found
from amont.common.feeds.lines import Entry

_TABLE = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
CREATE TABLE users (number INTEGER PRIMARY KEY, id TEXT, name TEXT, person TEXT, value BLOB, findings BLOB);
"""
_INDEX = """
CREATE INDEX users_id ON users (id);
CREATE INDEX users_name ON users (name);
CREATE INDEX users_person ON users (person);
"""
_FIRST = {
    "id": "SELECT min(number) FROM users WHERE id = ?",
    "name": "SELECT min(number) FROM users WHERE name = ?",
    "person": "SELECT min(number) FROM users WHERE person = ?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUser:
    """A user as the door would take it: the staff record as a line, None when there is none; whom it is about, and under which name, where that can be told."""

    name: str | None = None
    person: str | None = None
    value: bytes | None = None
    findings: tuple[Finding, ...] = ()


class ReadUser(Protocol):
    """What enrolment knows about users."""

    def __call__(self, number: int, given: Mapping[str, Any]) -> SourceUser:
        """One user, by its number in the feed."""
        ...

    def placed(self, field: str) -> str:
        """The SCIM attribute that a field of the staff record comes from."""
        ...


class Users:
    """See the module. A context, so that the disk is given back."""

    def __init__(self, read: ReadUser, source: str) -> None:
        """`source` is what people call it, for the place of a finding."""
        self._read, self._source = read, source
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLE)
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._db.close()

    def take(self, page: Iterable[Any]) -> None:
        """Read the users of a page, and lay them down."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?)", map(self._row, page))
        self._db.execute("COMMIT")

    def entries(self, *, promised: int) -> Iterator[Entry]:
        """All of them in order, with what only all of them show. `promised` is how many the source said there are."""
        self._db.executescript(_INDEX)
        for number, id_, name, person, value, findings in self._db.execute("SELECT * FROM users ORDER BY number"):
            said = [found(number, *one) for one in from_json(findings)]
            again = self._first("id", id_) < number  # which the look across all of them says
            for what, attribute, of in (("name", "userName", name), ("person", "the id", person)):
                if not again and self._first(what, of) < number:
                    said.append(found(number, "taken", "", f"{attribute} is that of {self.place(self._first(what, of))}"))
                    break
            yield Entry(number, self._with_managers(value) if value else b"", tuple(said), person)
        given = self._db.execute("SELECT count(DISTINCT coalesce(id, number)) FROM users").fetchone()[0]
        if given < promised:
            yield Entry(0, b"", (found(0, "cut-off", "", f"the source says {promised:,} users and gave {given:,}"),))

    def place(self, number: int) -> str:
        """Where a finding is: the user by the source's own id."""
        row = self._db.execute("SELECT id FROM users WHERE number = ?", (number,)).fetchone()
        return self._source if row is None else f"Users/{row[0]}"

    def placed(self, finding: Finding) -> Finding:
        """The same finding with the SCIM attribute in place of the field of the staff record."""
        return replace(finding, where=self._read.placed(finding.where.split("/")[1])) if finding.where.startswith("/") else finding

    def _row(self, given: Any) -> tuple[Any, ...]:
        self._count += 1
        number = self._count
        if not isinstance(given, Mapping):
            return number, None, None, None, None, to_json([("not-json", "", "not a JSON object")])
        user = self._read(number, given)
        findings = [(one.kind.name, one.where, one.what) for one in user.findings]
        return number, str(given["id"]) if given.get("id") else None, user.name, user.person, user.value, to_json(findings)

    def _first(self, column: str, value: str | None) -> int:
        """The first user with this value; nobody comes before somebody without one."""
        if value is None:
            return self._count + 1
        return int(self._db.execute(_FIRST[column], (value,)).fetchone()[0])

    def _with_managers(self, value: bytes) -> bytes:
        """The record with managers by their own ids, where they were named by the source's."""
        given = from_json(value)
        for name in ("manager_id", "dotted_manager_ids"):
            named = given.get(name)
            if named:
                given[name] = [self._person(one) for one in named] if isinstance(named, list) else self._person(named)
        return to_json(given)

    def _person(self, id_: str) -> str:
        row = self._db.execute("SELECT person FROM users WHERE id = ? ORDER BY number LIMIT 1", (id_,)).fetchone()
        return row[0] if row and row[0] else id_
