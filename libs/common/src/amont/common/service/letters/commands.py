"""What people may do with dead letters: look, have one or many replayed, edit, drop. The command line and HTTP both stand on this.

Whoever calls has asked whether the actor may; `who` is for the letter's history. Replaying is asked for here and done by the service (`replaying`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from amont.common.documents import AnyOf, AtMost
from amont.common.documents.collection import Query
from amont.common.errors import Conflict, Fault, Invalid, NotFound, Unreadable
from amont.common.events.envelope import Envelope
from amont.common.events.schemas import unknown_fields
from amont.common.events.topics import TYPES
from amont.common.events.values import instant_text
from amont.common.log import Received
from amont.common.service.letters.letter import BLOCKED_BY, LETTERS, UNRESOLVED, Content, DeadLetter, Status, said_in
from amont.common.service.reading import Heard, read
from amont.common.work import Work

IDENTITY = ("ce_id", "ce_source", "ce_subject", "ce_seq")
"""Headers that say which event it is; where they are there, no edit changes them."""
PAGE = 200
PAGE_BYTES = 4_000_000
"""A page ends with the letters that reach this, whatever its limit: one may say up to 2 MB, and as much again once it is edited."""
STEP = 10
"""How many letters of a page are read at once."""

Found = tuple[DeadLetter, int]
"""A letter and its version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which letters are meant; None is any. `since` and `until` are about when they were parked, both included; no statuses are all."""

    reason: str | None = None
    tenant: str | None = None
    key: str | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    statuses: tuple[Status, ...] = UNRESOLVED

    def query(self) -> Query[DeadLetter]:
        """Them, in the order in which they were parked."""
        wanted: dict[str, Any] = {
            name: value for name in ("reason", "tenant", "key", "topic") if (value := getattr(self, name)) is not None
        }
        if self.statuses:
            wanted["status"] = AnyOf(tuple(self.statuses))
        if self.until is not None:
            wanted["order"] = AtMost(f"{instant_text(self.until)} ~")
        return LETTERS.where(**wanted).by("order")

    @property
    def to_take_back(self) -> "Chosen":
        """Those of them that are to be replayed; the ones that only wait behind another when they are chosen by that very reason."""
        return replace(self, statuses=UNRESOLVED if self.reason == BLOCKED_BY else (Status.REPLAYING,))

    def after(self, order: str | None) -> tuple[str, str] | None:
        """Where a page begins: after the last one of the page before, and not before `since`."""
        begin = max(order or "", self.begin)
        return (begin, "~") if begin else None

    @property
    def begin(self) -> str:
        """What the first of them comes after."""
        return instant_text(self.since) if self.since else ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking for many at once. `waiting` are those that follow by themselves, `in_part` those that are not kept whole."""

    replaying: int = 0
    waiting: int = 0
    in_part: int = 0
    last: str | None = None
    """Where the next page begins; None when this was the last one."""

    def __add__(self, other: "Asked") -> "Asked":
        return Asked(self.replaying + other.replaying, self.waiting + other.waiting, self.in_part + other.in_part, other.last)


async def page(work: Work, chosen: Chosen, after: str | None, limit: int = PAGE) -> list[Found]:
    """One page; `after` is the `order` of the last letter of the page before. It is shorter when its letters are `large`: the end is an empty one."""
    return [(letter, work.version_of(letter)) for letter in await _page(work, chosen, after, limit)]


def large(found: Sequence[Found]) -> bool:
    """Whether these are all that a page holds, however few."""
    return _large([letter for letter, _ in found])


async def one(work: Work, id_: str) -> Found:
    """Raises NotFound."""
    letter = await _letter(work, id_)
    return letter, work.version_of(letter)


async def count(work: Work, chosen: Chosen, field: str) -> dict[Any, int]:
    """How many of the chosen letters hold each value of a field."""
    counts = await work.count_by(chosen.query(), field)
    if chosen.since is None:
        return counts
    until_then = replace(chosen.query(), conditions={**chosen.query().conditions, "order": AtMost(chosen.begin)})
    earlier = await work.count_by(until_then, field)
    return {value: left for value, number in counts.items() if (left := number - earlier.get(value, 0)) > 0}


async def replay(work: Work, id_: str, who: str, why: str | None = None, version: int | None = None) -> Found:
    """Ask for one letter to be replayed; one that is or was is left as it is. Raises NotFound, Stale, and Conflict when it cannot be.

    One that is resolved between the two questions is in its key's order no more. Its save loses then, and what it is now is decided on.
    """
    letter = await _letter(work, id_, version)
    if letter.status is Status.OPEN and letter.ordered:
        for first in await work.page(LETTERS.where(lane=letter.lane).by("offset"), after=None, limit=1):
            if (first.offset, first.id) < (letter.offset, id_) and first.status is Status.OPEN:
                raise Conflict(
                    f"Dead letter {id_} waits behind {first.id} of the same key. Replay or drop that one, or replay the whole key."
                )
    return _saved(work, work.save(letter.ask_replay(who, why, work.now)))


async def replay_chosen(work: Work, chosen: Chosen, who: str, why: str | None, after: str | None) -> Asked:
    """Ask for a page of letters to be replayed. Those that wait behind another follow by themselves once it is resolved."""
    letters = await _page(work, chosen, after, PAGE)
    asked = Asked(last=letters[-1].order if len(letters) == PAGE or _large(letters) else None)
    for letter in letters:
        if letter.truncated_from is not None:
            asked = replace(asked, in_part=asked.in_part + 1)
        elif letter.waits:
            asked = replace(asked, waiting=asked.waiting + 1)
        elif letter.unresolved:  # those that are to be replayed already count too: an attempt before may have asked for them
            work.save(letter.ask_replay(who, why, work.now))
            asked = replace(asked, replaying=asked.replaying + 1)
    return asked


async def take_back(work: Work, id_: str, who: str, why: str | None = None, version: int | None = None) -> Found:
    """Have one letter replayed no more; one that waits behind another stays then, too. Raises NotFound, Stale, and Conflict when it is settled.

    One that the service is taking at that moment takes effect all the same: it is replayed then, and its history says so.
    """
    letter = await _letter(work, id_, version)
    return _saved(work, work.save(letter.take_back(who, None if why is None else _reason(why), work.now)))


async def drop(work: Work, id_: str, who: str, why: str, version: int | None = None) -> Found:
    """Give one letter up; what waits behind it goes on. Raises NotFound, Stale, Conflict, and Invalid without a reason."""
    letter = await _letter(work, id_, version)
    return _saved(work, work.save(letter.drop(who, _reason(why), work.now)))


async def edit(
    work: Work,
    id_: str,
    who: str,
    why: str,
    *,
    value: bytes | None = None,
    headers: Mapping[str, str | None] | None = None,
    version: int | None = None,
) -> Found:
    """Have a letter say something else: another value, other headers (None takes one away). Which event it is stays.

    Raises NotFound, Stale, Conflict, and Invalid when it could not be read then, or has got a field that its event does not have.
    """
    letter = await _letter(work, id_, version)
    why = _reason(why)
    letter.must_be_open("edited")
    content, fields = _edited(letter, value, headers or {})
    if not fields:
        return letter, work.version_of(letter)
    _must_be_the_same_event(letter, content)
    _must_have_its_fields(letter.content, content)
    decision = letter.edit(content, fields, who, why, work.now)
    readable(decision.state.record)
    return _saved(work, work.save(decision))


def readable(record: Received) -> Heard:
    """The event of a record. Raises Invalid with every fault."""
    try:
        heard = read(record, record.topic)
    except Unreadable as error:
        raise Invalid(
            f"It could not be read ({error.reason}): {error}",
            [Fault("/value" if error.reason == "invalid-payload" else "/headers", str(error))],
        ) from None
    if heard is None:
        raise Invalid("It says nothing: there is no value.", [Fault("/value", "send the event's fields as JSON")])
    if heard.event.guarded and heard.envelope.seq not in (None, heard.event.seq):
        raise Invalid("It would be another event.", [Fault("/value/seq", f"ce_seq is {heard.envelope.seq}: readers know the event by it")])
    return heard


def shown(content: Content) -> str:
    """The value for people: as it is where it is text, the number of its bytes otherwise."""
    value = content.raw_value
    if value is None:
        return ""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(value):,} bytes that are not UTF-8)"


def _edited(letter: DeadLetter, value: bytes | None, headers: Mapping[str, str | None]) -> tuple[Content, tuple[str, ...]]:
    """The content after the edit, and the names of what is another than before."""
    before = letter.content
    kept = [(name, one) for name, one in before.raw_headers if name not in headers]
    added = [(name, one.encode()) for name, one in headers.items() if one is not None]
    after = Content.of(before.raw_value if value is None else value, (*kept, *added))
    old, new = dict(before.headers), dict(after.headers)
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    fields = (*(["value"] if after.value != before.value else []), *changed)
    return (after if fields else before), tuple(fields)


def _must_be_the_same_event(letter: DeadLetter, content: Content) -> None:
    came, says = ({name.lower(): one for name, one in each.raw_headers} for each in (letter.original or letter.content, content))
    faults = [
        Fault(f"/headers/{name}", "says which event it is, and stays as it came")
        for name in IDENTITY
        if _stands(name, came) and says.get(name) != came[name]
    ]
    if faults:
        raise Invalid("It would be another event.", faults)


def _must_have_its_fields(before: Content, after: Content) -> None:
    """An edit adds no field that nobody would read: readers pass over what they do not know, so that a slip of the pen would go unseen."""
    kind = TYPES.get(said_in(after.raw_headers).get("ce_type", ""))
    if kind is None:
        return
    known, had = unknown_fields(kind, after.raw_value), unknown_fields(kind, before.raw_value)
    faults = [Fault(f"/value{where}", f"there is {', '.join(names)}") for where, names in known.items() if where not in had]
    if faults:
        raise Invalid(
            " ".join(f"{kind.__name__} does not have {one.pointer.removeprefix('/value')}: {one.detail}." for one in faults), faults
        )


def _stands(name: str, headers: Mapping[str, bytes | None]) -> bool:
    """Whether a header came and can be read; one that cannot may be mended."""
    complete = {"ce_specversion": b"1.0", "ce_id": b"x", "ce_type": b"x", "ce_source": b"x"}
    value = headers.get(name)
    if not value:
        return False
    try:
        Envelope.parse({**complete, name: value}.items(), key="")
    except Unreadable:
        return False
    return True


def _reason(why: str) -> str:
    if not why.strip():
        raise Invalid("Say why: it stays with the letter.", [Fault("/why", "a sentence for whoever looks at this later")])
    return why.strip()[:500]


def _saved(work: Work, letter: DeadLetter) -> Found:
    return letter, work.version_of(letter)


async def _page(work: Work, chosen: Chosen, after: str | None, limit: int) -> list[DeadLetter]:
    letters: list[DeadLetter] = []
    while len(letters) < limit and not _large(letters):
        step = min(STEP, limit - len(letters))
        found = await work.page(chosen.query(), after=chosen.after(letters[-1].order if letters else after), limit=step)
        letters += found
        if len(found) < step:
            break
    return letters


def _large(letters: Sequence[DeadLetter]) -> bool:
    return sum(letter.size for letter in letters) >= PAGE_BYTES


async def _letter(work: Work, id_: str, version: int | None = None) -> DeadLetter:
    try:
        return await work.get(DeadLetter, id_, version=version)
    except NotFound:
        raise NotFound("dead letter", id_) from None
