"""Erasing somebody from what a service holds: what the four have in common. What each holds of a person, and what becomes of it, is its own `commands.erasing`.

A service looks through its store and removes what is about the person alone; what others have a part in stays, and names a made-up id in the person's
place. Facts of other topics may still be on their way when it first looks, so it looks again: an hour, a day and `FORGOTTEN_AFTER` later, when no topic
holds them any more. Until then the bare id stays where it keeps an older fact from bringing a name back; after that, nowhere.

A look that finds nothing left is what counts, as everywhere here (`matching.commands.clock`): what a look has changed may not have been written.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from amont.common.aggregate import Aggregate, Decision
from amont.common.documents.collection import Collection, Query
from amont.common.events import EmployeeErased
from amont.common.events.erasure import ErasureFact
from amont.common.events.values import Instant, tenant_of
from amont.common.service.letters.letter import LETTERS, DeadLetter
from amont.common.service.letters.naming import goes_with, instead, is_of, names
from amont.common.work import Work

A = TypeVar("A", bound=Aggregate)

FORGOTTEN_AFTER = timedelta(days=8)
"""When the id goes, too: a day after the last topic has let go of what it held when the person was erased."""
LOOKS = (timedelta(hours=1), timedelta(days=1), FORGOTTEN_AFTER)
"""After the order, when to look again for what has come late."""
SOON = timedelta(seconds=1)
PATIENCE = timedelta(seconds=10)
"""When to look again for something that ends by itself: a pair, a session, a mail that is being sent."""
AT_ONCE = 20
"""How many documents one look changes: a page of a round has 400 KB."""


class Stage(StrEnum):
    """How far a service is: see `ErasureFact`."""

    ORDERED = "ordered"
    CLEARED = "cleared"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing(Aggregate):
    """Somebody who is to be erased from this store; the id is the erasure's reference. It names the person, so it says nothing and is removed in the end.

    Attributes:
        names: what takes the place of the person's id, and of their enrolments'. Random: made in a look of its own, before anything is renamed.
        looks: how many of `LOOKS` have found nothing.
    """

    person: str
    enrolments: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    heard_at: Instant
    looks: int = 0

    def is_last(self, now: datetime) -> bool:
        """Whether the id is to go, too."""
        return now >= self.heard_at + FORGOTTEN_AFTER

    def found_nothing(self, now: datetime) -> Decision["Clearing"]:
        """Look again for what comes late."""
        ahead = [self.heard_at + after for after in LOOKS if self.heard_at + after > now]
        return self.becomes(looks=self.looks + 1, due_at=ahead[0] if ahead else now + SOON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared(Aggregate):
    """What this service says of an erasure, and keeps for good: how much, and when. No id of anybody."""

    stage: Stage = Stage.ORDERED
    removed: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)

    def facts(self) -> Mapping[str, Any]:
        return {"reference": self.id, "stage": self.stage.value, "removed": dict(self.removed), "changed": dict(self.changed)}

    def with_more(self, look: "Look") -> Decision["Cleared"]:
        return self.becomes(
            removed=dict(Counter(self.removed) + look.removed),
            changed=dict(Counter(self.changed) + look.changed),
        )

    def reaches(self, stage: Stage, tells: type[ErasureFact], now: datetime) -> Decision["Cleared"]:
        """Say so, once."""
        done = (Stage.ORDERED, Stage.CLEARED, Stage.FORGOTTEN)
        if done.index(self.stage) >= done.index(stage):
            return self.becomes()
        return self.becomes(stage=stage).saying(tells, at=now)


CLEARINGS = Collection(Clearing, "clearings", due=True)
CLEARED = Collection(Cleared, "cleared")
COLLECTIONS = (CLEARINGS, CLEARED)
"""What every service keeps of erasures that others order."""


@dataclass(slots=True)
class Look:
    """One look through a store for everything about somebody. What it changes is counted by kind; `waits` is for what ends by itself."""

    work: Work
    person: str
    enrolments: tuple[str, ...]
    names: Mapping[str, str]
    last: bool
    """Whether what refuses older facts goes, too."""
    removed: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    waits: bool = False
    emptied: int = 0
    """Documents that refuse older facts from now on: they count as removed when they go."""

    @property
    def touched(self) -> int:
        return self.removed.total() + self.changed.total() + self.emptied

    @property
    def full(self) -> bool:
        """Whether the rest is for the next look."""
        return self.touched >= AT_ONCE

    def remove(self, collection: Collection[A], aggregate: A) -> None:
        self.work.remove(aggregate)
        self.removed[collection.name] += 1

    def change(self, collection: Collection[A], decision: Decision[A]) -> None:
        self.work.save(decision)
        self.changed[collection.name] += 1

    def rename(self, collection: Collection[A], aggregate: A) -> None:
        """Have it name the made-up ids wherever it named the person or their enrolments."""
        self.change(collection, Decision(renamed(collection, aggregate, self.names)))

    async def tombstone(self, collection: Collection[A], blank: A, *, ready: Callable[[A], bool] = lambda _: True) -> None:
        """Of the document that older facts about the person would come to, leave only that it has heard the last one; in the last look, nothing.

        Not before it is `ready`: what it still has to do, it does.
        """
        found = await self.work.peek(type(blank), blank.id)
        if found is None:
            return
        if not ready(found):
            self.waits = True
        elif self.last and found == blank:
            self.remove(collection, found)
        elif found != blank:
            self.work.save(Decision(blank))
            self.emptied += 1

    async def rename_all(self, query: Query[A]) -> None:
        """Rename in whatever the query finds."""
        async for found in self.work.find(query):
            if self.full:
                return
            self.rename(query.collection, found)

    async def search(self, query: Query[A]) -> None:
        """Rename wherever it stands in any of these. Reads every document: for kinds of which there are not many."""
        async for found in self.work.holding(query, self.names):
            if self.full:
                return
            self.rename(query.collection, found)

    async def letters(self) -> None:
        """Dead letters of the person are removed whole, in whatever state, and so is what nobody can read that has their id in it. Those of others stay, and
        name a made-up id in the person's place; the person may also have been the one who saw to a letter.
        """
        async for letter in letters_about(self.work, self.person, self.enrolments):
            if self.full:
                return
            found = await self.work.peek(DeadLetter, letter.id)
            if found is None:
                continue
            if goes_with(found, self.person, self.enrolments):
                self.remove(LETTERS, found)
            elif names(found, *self.names):
                self.change(LETTERS, instead(found, self.names).redacted(self.work.now))
        await self.search(LETTERS.where())


Sweep = Callable[[Look], Awaitable[None]]
"""A service's own look: removes and renames what it holds."""


async def on_employee_erased(event: EmployeeErased, work: Work) -> None:
    """Begin to look."""
    if await work.peek(Clearing, event.reference) is None:
        clearing = Clearing(id=event.reference, person=event.person, enrolments=event.enrolments, heard_at=work.now, due_at=work.now)
        work.save(Decision(clearing))


def clear(sweep: Sweep, tells: type[ErasureFact]) -> Callable[[Clearing, Work], Awaitable[None]]:
    """The handler of a service's clearings."""

    async def wake(clearing: Clearing, work: Work) -> None:
        if not clearing.names:
            work.save(clearing.becomes(names=made_up(work, clearing.person, clearing.enrolments), due_at=work.now + SOON))
            return
        last = clearing.is_last(work.now)
        look = Look(work, clearing.person, clearing.enrolments, clearing.names, last)
        await sweep(look)
        await look.letters()
        cleared = await work.get_or_new(Cleared, clearing.id)
        if look.touched:
            work.save(cleared.with_more(look))
            work.save(clearing.becomes(due_at=work.now + SOON))
        elif look.waits:
            work.save(clearing.becomes(due_at=work.now + PATIENCE))
        elif last:
            work.save(cleared.reaches(Stage.FORGOTTEN, tells, work.now))
            work.remove(clearing)
        else:
            work.save(cleared.reaches(Stage.CLEARED, tells, work.now))
            work.save(clearing.found_nothing(work.now))

    return wake


def made_up(work: Work, person: str, enrolments: tuple[str, ...]) -> Mapping[str, str]:
    """An id for each that says nothing but the subsidiary. Not for reactions: there, ids derive from the event, which names the person."""
    return {person: f"{tenant_of(person)}:erased-{work.new_id()}", **{one: work.new_id() for one in enrolments}}


def renamed(collection: Collection[A], aggregate: A, names: Mapping[str, str]) -> A:
    """The aggregate with each of these ids replaced: as a value, as a name of one, or quoted inside a longer text."""
    document = collection.dump(replace(aggregate))
    return collection.load({**_renamed(document, names), "_id": aggregate.id})


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    match value:
        case str():
            if value in names:
                return names[value]
            for old, new in names.items():
                value = value.replace(f'"{old}"', f'"{new}"')
            return value
        case Mapping():
            return {names.get(name, name): _renamed(one, names) for name, one in value.items()}
        case list():
            return [_renamed(one, names) for one in value]
        case _:
            return value


async def letters_about(work: Work, person: str, enrolments: tuple[str, ...] = ()) -> AsyncIterator[DeadLetter]:
    """The dead letters of somebody, and those of others that name them. Reads every letter, and keeps none."""
    async for page in work.pages(LETTERS.where()):
        for letter in page:
            if goes_with(letter, person, enrolments) or names(letter, person, *enrolments):
                yield letter


async def letters_of(work: Work, person: str) -> list[DeadLetter]:
    """Those that are known to be of the person alone: what nobody can read may say something of others."""
    return [letter async for letter in letters_about(work, person) if is_of(letter, person)]


def goes(letter: DeadLetter, person: str) -> bool:
    """Whether a letter about somebody is removed whole when they are erased."""
    return goes_with(letter, person)
