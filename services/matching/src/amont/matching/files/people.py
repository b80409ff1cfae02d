"""The people of a pool file: each entry by itself, then what two entries say about one person."""

import re
from collections.abc import Sequence
from typing import Any, NoReturn

from amont.matching.domain.hours import load_zone, parse_window
from amont.matching.domain.pool import PoolPerson, Role
from amont.matching.domain.roll import FIELDS, Roll, Writing
from amont.matching.files.faults import Faults, Path, shown
from amont.matching.files.fields import Check, choice, every, integer, name, parsed, record
from amont.matching.files.text import repetitions

MOST_TOPICS = 8

_TAG = re.compile(r"[a-z]{2,8}")
OWN = ("role", "capacity", "topics")
"""What somebody in both roles may say differently in each."""
AS_SETS = ("languages", "availability")
"""What is the same in any order."""
_LEVEL = integer(1, 3)
_NOTHING: dict[str, Any] = {}
_MOST_OF_A_MENTOR = 2


class _Faulty(Exception):
    """There is a fault; where and what is found out when the place is known."""


class _NoneAllowed(Faults):
    """Ends the reading of an entry at its first fault."""

    def add(self, path: Path, reason: str) -> NoReturn:
        raise _Faulty(path, reason)


_NONE_ALLOWED = _NoneAllowed()


class Written:
    """A faultless entry: where it stands in the roll."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        """Take the place."""
        self.place = place


Entry = Written | dict[str, Any]
"""What became of an entry: the person, or whatever of it is good when there are faults."""


class People:
    """Reads entries into a roll, so that a pool of a hundred thousand people is never as many objects."""

    def __init__(self, id_: Check) -> None:
        """Begin with nobody; `id_` reads ids."""
        self._writing = Writing()
        zone = parsed(_zone, {})
        window = parsed(_window, {})
        tag = parsed(_tag, {})
        self._languages: dict[frozenset[str], frozenset[str]] = {}
        self._tags = every(tag, of="language tags")
        self._fields: dict[str, Check] = {
            "id": id_,
            "role": choice("mentee", "mentor"),
            "capacity": integer(1, _MOST_OF_A_MENTOR),
            "grade": integer(1, 20),
            "subsidiary": name,
            "business_unit": name,
            "team": name,
            "function": name,
            "site": name,
            "zone": zone,
            "languages": self._set_of_tags,
            "meeting": choice("in-person", "remote", "either"),
            "availability": every(window, of="weekly windows"),
            "topics": _topics,
        }
        self._in_order = [(field, self._fields[field]) for field in FIELDS]

    def made(self, value: dict[str, Any]) -> Any:
        """An object of the file as it is met, its place unknown: a faultless entry is written down at once, so that it takes little memory."""
        if len(value) != len(self._fields) or value.keys() != self._fields.keys():
            return value
        try:
            fields = [check(value[field], "", _NONE_ALLOWED) for field, check in self._in_order]
        except _Faulty:
            return value
        if value["capacity"] == _MOST_OF_A_MENTOR and value["role"] == "mentee":
            return value
        return Written(self._writing.add(fields))

    def read(self, value: Any, path: Path, faults: Faults) -> Entry:
        """What became of an entry at its place."""
        return value if isinstance(value, Written) else self._good(value, path, faults) or _NOTHING

    def roll(self) -> Roll:
        """Everybody whose entry is faultless."""
        return self._writing.roll()

    def _good(self, value: Any, path: Path, faults: Faults) -> dict[str, Any]:
        good = record(value, path, faults, fields=self._fields, optional=frozenset(), what="a person")
        if good.get("capacity") == _MOST_OF_A_MENTOR and good.get("role") == "mentee":
            faults.add((path, "capacity"), "must be 1 for a mentee, not 2")
        return good

    def _set_of_tags(self, value: Any, path: Path, faults: Faults) -> frozenset[str] | None:
        tags = self._tags(value, path, faults)
        if tags is None:
            return None
        languages = frozenset(tags)
        return self._languages.setdefault(languages, languages)


class Known:
    """Who is in the pool in which role, the faulty entries included as far as they can be read."""

    def __init__(self, entries: Sequence[Entry], roll: Roll, faults: Faults) -> None:
        """Take the entries in the order of the file; add what two of them contradict each other in."""
        self._roll = roll
        self._places: dict[Role, dict[str, Entry]] = {"mentee": {}, "mentor": {}}
        for place, entry in enumerate(entries):
            self._take(entry, (("$", "people"), place), faults)

    def has(self, role: Role, id_: str) -> bool:
        """Whether somebody of that id is there in that role."""
        return id_ in self._places[role]

    def person(self, role: Role, id_: str) -> PoolPerson | None:
        """That person, when the entry is without a fault."""
        entry = self._places[role].get(id_)
        return self._roll[entry.place] if isinstance(entry, Written) else None

    def capacity(self, mentor: str) -> int:
        """How many places a mentor has; 2 where the file does not say it well."""
        return self._said(self._places["mentor"][mentor], "capacity") or _MOST_OF_A_MENTOR

    def _take(self, entry: Entry, path: Path, faults: Faults) -> None:
        id_, role = self._said(entry, "id"), self._said(entry, "role")
        if id_ is None or role is None:
            return
        if id_ in self._places[role]:
            faults.add(path, f"is a second entry for the {role} {shown(id_)}; keep one")
            return
        self._places[role][id_] = entry
        other = self._places["mentor" if role == "mentee" else "mentee"].get(id_)
        if other is not None:
            self._agree(other, entry, path, faults)

    def _agree(self, one: Entry, later: Entry, path: Path, faults: Faults) -> None:
        for field in PoolPerson.__slots__:
            if field in OWN:
                continue
            first, second = self._said(one, field), self._said(later, field)
            if first is None or second is None:
                continue
            if (set(first) != set(second)) if field in AS_SETS else (first != second):
                faults.add((path, field), "is not what the entry in the other role says; make both the same")

    def _said(self, entry: Entry, field: str) -> Any:
        return self._roll.value(entry.place, field) if isinstance(entry, Written) else entry.get(field)


def _topics(value: Any, path: Path, faults: Faults) -> dict[str, int] | None:
    if not isinstance(value, dict):
        faults.add(path, f"must be an object of levels by topic, not {shown(value)}")
        return None
    repetitions(value, path, faults)
    if not 1 <= len(value) <= MOST_TOPICS:
        faults.add(path, f"must name 1 to {MOST_TOPICS} topics, and names {len(value)}")
    for topic, level in value.items():
        name(topic, (path, topic), faults)
        _LEVEL(level, (path, topic), faults)
    return value


def _zone(text: str) -> str:
    load_zone(text)
    return text


def _window(text: str) -> str:
    parse_window(text)
    return text


def _tag(text: str) -> str:
    if _TAG.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a language: write a primary tag in small letters, as in 'fr'")
    return text
