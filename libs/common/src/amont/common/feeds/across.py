"""What no single line shows: records that repeat or contradict each other or come out of order, managers whom nobody sent, circles of managers, two who
say that they were the same person, ids and addresses that changed wholesale, and who is missing from a file that is declared complete.

A feed may be larger than memory, so what is remembered of each record (ids, instants and hashes, no name and no address) lies in a temporary database
that SQLite keeps on disk and takes away by itself; the questions are its sorts. Only solid lines are followed for circles. For the order of two records
a day counts from its midnight in UTC, since zones are the subsidiary's to say: a warning, never a verdict.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from types import TracebackType
from typing import Any, Self

from amont.common.events.hris import StaffFact, StaffRecorded
from amont.common.events.values import instant_text
from amont.common.events.words import person_id
from amont.common.feeds.aside import AT_ONCE, aside
from amont.common.feeds.findings import Finding, found
from amont.common.feeds.record import Line
from amont.common.feeds.roster import Leavers, Listed

WHOLESALE_SHARE, WHOLESALE_LEAST = 0.2, 10
"""From which share of a subsidiary's people on, and how many at least, a change is no longer about people."""

_TABLES = """
CREATE TABLE seen (line INTEGER PRIMARY KEY, tenant TEXT, person TEXT, manager TEXT, left INTEGER, at TEXT, digest BLOB, who BLOB, address BLOB,
former TEXT);
CREATE TABLE present (person TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE roster (person TEXT PRIMARY KEY, since TEXT) WITHOUT ROWID;
"""
_VIEWS = """
CREATE VIEW before AS SELECT person FROM roster WHERE since IS NULL;
CREATE VIEW missing AS SELECT person, since FROM roster WHERE NOT EXISTS (SELECT 1 FROM present WHERE present.person = roster.person);
CREATE VIEW newly AS SELECT person FROM missing WHERE since IS NULL;
"""
_INDEX = """
CREATE INDEX seen_person ON seen (person, at, line);
CREATE TABLE newest AS SELECT * FROM seen AS one
WHERE line = (SELECT other.line FROM seen AS other WHERE other.person = one.person ORDER BY other.at DESC, other.line DESC LIMIT 1);
CREATE UNIQUE INDEX newest_person ON newest (person);
"""
_IN_ORDER = """SELECT line, person, at, digest,
max(at) OVER earlier AS latest, first_value(line) OVER same AS first, lag(line) OVER (PARTITION BY person, at ORDER BY line) AS rival
FROM seen WINDOW earlier AS (PARTITION BY person ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
same AS (PARTITION BY person, digest ORDER BY line)
ORDER BY line"""
_UNKNOWN_MANAGERS = """SELECT line, manager FROM newest AS one
WHERE manager IS NOT NULL AND left = 0 AND NOT EXISTS (SELECT 1 FROM seen WHERE person = one.manager) ORDER BY line"""
_LINKS = """SELECT one.rowid, manager.rowid FROM newest AS one JOIN newest AS manager ON manager.person = one.manager
WHERE one.left = 0 AND manager.left = 0"""
_SAME_PERSON = """SELECT line, person, other FROM (SELECT line, person, first_value(person) OVER (PARTITION BY tenant, who ORDER BY line) AS other
FROM newest WHERE who IS NOT NULL) WHERE person != other ORDER BY line"""
_CLAIMED = """SELECT line, person, former, first FROM (SELECT line, person, former, first_value(person) OVER (PARTITION BY former ORDER BY line) AS first
FROM newest WHERE former IS NOT NULL AND left = 0) WHERE person != first ORDER BY line"""
_SHARED = """SELECT min(line), min(person), count(*) FROM newest WHERE address IS NOT NULL AND left = 0 GROUP BY address HAVING count(*) > 1 ORDER BY 1"""
_GONE = """SELECT tenant, count(*), sum(lost) FROM (SELECT tenant, address IS NULL AND EXISTS (SELECT 1 FROM seen
WHERE seen.person = newest.person AND seen.address IS NOT NULL) AS lost FROM newest WHERE left = 0) GROUP BY tenant"""
_BY_TENANT = "SELECT substr(person, 1, instr(person, ':') - 1) AS tenant, count(*) FROM {} GROUP BY tenant"
_LISTED = """SELECT person, NULL FROM present UNION ALL SELECT person, coalesce(since, ?) FROM missing ORDER BY person"""


class Across:
    """Remembers records as they pass, then says what they are together. A context, so that the disk is given back."""

    def __init__(self, place: Callable[[int], str] = "line {:,}".format) -> None:
        """`place` says in words where a record is."""
        self._place = place
        self._db = aside(_TABLES, _VIEWS)
        self._rows: list[tuple[Any, ...]] = []
        self._people: list[tuple[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._db.close()

    def saw(self, number: int, line: Line) -> None:
        """A record that can be read."""
        event = line.event
        who, address = _identity(event)
        manager, former = _named(event)
        row = (
            number,
            event.tenant,
            event.person,
            None if manager == event.person else manager,
            int(not isinstance(event, StaffRecorded)),
            _position(event),
            _hash(line.record.value or b""),
            _hash(who) if who else None,
            _hash(address) if address else None,
            former,
        )
        self._rows.append(row)
        if len(self._rows) >= AT_ONCE:
            self._flush()

    def present(self, person: str) -> None:
        """Somebody is in the feed, whatever else is wrong with their line."""
        self._people.append((person,))
        if len(self._people) >= AT_ONCE:
            self._flush()

    def absent(self, people: Sequence[str]) -> set[str]:
        """Those of them who are not in the feed."""
        self._flush()
        some = f"SELECT person FROM present WHERE person IN ({', '.join('?' * len(people))})"  # noqa: S608 - nothing but question marks
        return set(people) - {person for (person,) in self._db.execute(some, people)}

    def remember(self, roster: Iterable[Listed]) -> None:
        """Who was present before, and who was missing."""
        self._flush()
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR IGNORE INTO roster VALUES (?, ?)", ((one.person, _text(one.missing_since)) for one in roster))
        self._db.execute("COMMIT")

    def missing(self) -> Iterator[Listed]:
        """Those who were on the roster and are not present now, in order."""
        self._flush()
        yield from map(_listed, self._db.execute("SELECT person, since FROM missing ORDER BY person"))

    def leavers(self) -> Leavers:
        """How many they are."""
        self._flush()
        before = self._db.execute(_BY_TENANT.format("before"))
        newly = dict(self._db.execute(_BY_TENANT.format("newly")).fetchall())
        still = self._db.execute("SELECT count(*) FROM missing WHERE since IS NOT NULL").fetchone()[0]
        return Leavers(newly, dict(before.fetchall()), still)

    def listed(self, day: date) -> Iterator[Listed]:
        """The next roster, in order: who is present, and who is missing since then or, newly, since this day."""
        self._flush()
        yield from map(_listed, self._db.execute(_LISTED, (_text(day),)))

    def newest(self, written: datetime) -> datetime:
        """When the file was written, and not before any record of it was."""
        self._flush()
        (latest,) = self._db.execute("SELECT max(substr(at, instr(at, ' ') + 1)) FROM seen").fetchone()
        return written if latest is None else max(written, datetime.fromisoformat(latest))

    def people(self) -> tuple[int, int]:
        """How many people and how many subsidiaries were seen."""
        self._flush()
        people, tenants = self._db.execute("SELECT count(DISTINCT person), count(DISTINCT tenant) FROM seen").fetchone()
        return int(people), int(tenants)

    def findings(self) -> Iterator[Finding]:
        """Everything, kind by kind, each in the order of the lines."""
        self._flush()
        self._db.executescript(_INDEX)
        yield from self._order()
        for line, manager in self._db.execute(_UNKNOWN_MANAGERS):
            yield found(line, "unknown-manager", "/manager_id", f"nobody in this feed is {manager!r}")
        yield from self._circles()
        yield from self._same_people()
        for line, person, former, first in self._db.execute(_CLAIMED):
            yield found(line, "claimed-twice", "/former_id", f"{person!r} says to have been {former!r}, and so does {first!r}")
        for line, person, count in self._db.execute(_SHARED):
            yield found(line, "shared-address", "/email", f"{count:,} people have the address of {person!r}")
        for tenant, people, lost in self._db.execute(_GONE):
            if wholesale(lost, people):
                yield found(
                    0, "addresses-gone", "/email", f"{lost:,} of {people:,} people of {tenant!r} had an address before and have none now"
                )

    def _flush(self) -> None:
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._rows)
        self._db.executemany("INSERT OR IGNORE INTO present VALUES (?)", self._people)
        self._db.execute("COMMIT")
        self._rows.clear()
        self._people.clear()

    def _order(self) -> Iterator[Finding]:
        for line, person, at, _, latest, first, rival in self._db.execute(_IN_ORDER):
            if first != line:
                yield found(line, "repeated-record", "", f"the record of {person!r} in {self._place(first)} again")
            elif rival is not None:
                yield found(
                    line, "same-id-twice", "/employee_id", f"{person!r} has another record for the same instant in {self._place(rival)}"
                )
            elif latest is not None and at < latest:
                yield found(line, "out-of-order", "/effective_at", f"a later record of {person!r} comes before it")

    def _circles(self) -> Iterator[Finding]:
        """Everybody has at most one solid manager, so each walk up the line either ends or comes back to where it has been."""
        manager = array("l", [0]) * (1 + (self._db.execute("SELECT max(rowid) FROM newest").fetchone()[0] or 0))
        for one, above in self._db.execute(_LINKS):
            manager[one] = above
        walked = array("l", [0]) * len(manager)
        for start in range(1, len(manager)):
            at = start
            while at and not walked[at]:
                walked[at] = start
                at = manager[at]
            if at and walked[at] == start:
                yield self._circle(at, manager)

    def _circle(self, start: int, manager: "array[int]") -> Finding:
        members, at = [start], manager[start]
        while at != start:
            members.append(at)
            at = manager[at]
        rows = [self._db.execute("SELECT at, line, person FROM newest WHERE rowid = ?", (one,)).fetchone() for one in members[:20]]
        _, line, _ = max(rows)
        names = " → ".join(repr(person) for _, _, person in [*rows, rows[0]])
        return found(line, "manager-cycle", "/manager_id", f"a circle of {len(members):,} managers: {names}")

    def _same_people(self) -> Iterator[Finding]:
        again: dict[str, int] = {}
        for line, person, other in self._db.execute(_SAME_PERSON):
            tenant = person.partition(":")[0]
            again[tenant] = again.get(tenant, 0) + 1
            yield found(line, "same-person", "/employee_id", f"{person!r} has the names and more of {other!r}")
        for tenant, count in again.items():
            people = self._db.execute("SELECT count(*) FROM newest WHERE tenant = ?", (tenant,)).fetchone()[0]
            if wholesale(2 * count, people):
                yield found(0, "ids-reissued", "/employee_id", f"{count:,} of {people:,} people of {tenant!r} are there under a second id")


def _listed(row: tuple[str, str | None]) -> Listed:
    person, since = row
    return Listed(person, None if since is None else date.fromisoformat(since))


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def wholesale(count: int, people: int) -> bool:
    """Whether what happens to so many of the people happens to the feed, and not to them."""
    return count >= WHOLESALE_LEAST and count >= WHOLESALE_SHARE * people


def _position(event: StaffFact) -> str:
    at = event.effective_at
    instant = at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)
    return f"{instant_text(instant)} {instant_text(event.occurred_at)}"


def _named(event: StaffFact) -> tuple[str | None, str | None]:
    """The person's manager in the line, and who they were in another subsidiary."""
    if not isinstance(event, StaffRecorded):
        return None, None
    former = person_id(event.former_id, event.tenant) if event.former_id else None
    return person_id(event.manager_id, event.tenant) if event.manager_id else None, former


def _identity(event: StaffFact) -> tuple[str, str]:
    """What two ids of one person share: the names, and an address or the first day (nothing where a name alone would have to do); and the address."""
    if not isinstance(event, StaffRecorded):
        return "", ""
    address = (event.email or "").strip().casefold()
    more = address or (event.joined_on.isoformat() if event.joined_on else "")
    names = f"{event.given_name}\x1f{event.family_name}".casefold()
    return (f"{names}\x1f{more}" if event.given_name and event.family_name and more else ""), address


def _hash(data: str | bytes) -> bytes:
    return hashlib.blake2b(data.encode() if isinstance(data, str) else data, digest_size=12).digest()
