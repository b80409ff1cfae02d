"""What made-up people do: answer proposals, choose times, meet, say that they met; some decline, forget, postpone or call off.

They learn of things as real people do, from what they are told (the events behind the mails), and they act through the HTTP API, with their own
token. What each one does depends on the seed and on the thing alone, never on the order of things.
"""

import heapq
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from amont.common.events import (
    PairAccepted,
    PairProposed,
    SessionProposed,
    SessionRescheduled,
    SessionScheduled,
)
from amont.common.events.scheduling import SessionFact
from amont.common.events.values import Role
from amont.local.demo.world import Answer, World
from amont.local.history import Told

TOPICS = ("matching-pairs", "scheduling-sessions")
AFTER_WORK = timedelta(hours=18, minutes=30)
DAY = timedelta(days=1)

Deed = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How often, of a hundred."""

    mentee_declines: int = 7
    mentee_is_silent: int = 10
    mentor_declines: int = 3
    mentor_is_silent: int = 2
    overlooks_times: int = 2
    postpones: int = 6
    calls_off: int = 3
    forgets_to_say: int = 3


@dataclass(slots=True)
class People:
    """Everybody at once. `counts` is what they did, `refused` what they were refused, by code."""

    world: World
    seed: int
    habits: Habits = Habits()
    counts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    _diary: list[tuple[datetime, int, Deed]] = field(default_factory=list)
    _entries: int = 0

    async def spend(self, day: datetime) -> None:
        """A day: what time brings, then, in the evening, what people do."""
        await self.world.until(day.replace(hour=0, minute=0) + AFTER_WORK)
        await self._listen()
        if not self._diary or self._diary[0][0] > self.world.now:
            return
        while self._diary and self._diary[0][0] <= self.world.now:
            _, _, deed = heapq.heappop(self._diary)
            await deed()
        await self.world.settle()
        await self._listen()

    async def _listen(self) -> None:
        for heard in await self.world.news(*TOPICS):
            self._hear(heard)

    def _hear(self, heard: Told) -> None:
        self.counts[type(heard.event).__name__] += 1
        match heard.event:
            case PairProposed() as event:
                self._asked(event.pair, event.mentee, Role.MENTEE)
            case PairAccepted() as event if event.by is Role.MENTEE:
                self._asked(event.pair, event.mentor, Role.MENTOR)
            case SessionProposed() as event:
                self._offered(event)
            case SessionScheduled() | SessionRescheduled() as event:
                self._booked(event)
            case _:
                return

    def _asked(self, pair: str, person: str, role: Role) -> None:
        """Most say yes within three days; some say no; some never answer, and the proposal expires."""
        chance = self._chance("answer", pair, role)
        no, silent = (
            (self.habits.mentee_declines, self.habits.mentee_is_silent)
            if role is Role.MENTEE
            else (self.habits.mentor_declines, self.habits.mentor_is_silent)
        )
        fate = chance.randrange(100)
        when = self.world.now + chance.randrange(0, 4) * DAY
        path = f"/api/matching/v1/pairs/{pair}"
        if fate < no:
            self._note(when, lambda: self._do(person, f"{path}/decline", {"reason": "not this year"}))
        elif fate >= no + silent:
            self._note(when, lambda: self._do(person, f"{path}/accept"))

    def _offered(self, event: SessionProposed) -> None:
        """One of the two chooses within two days; sometimes both think that the other one will."""
        chance = self._chance("choose", event.session, len(event.options), event.options[0].starts_at if event.options else "")
        if chance.randrange(100) < self.habits.overlooks_times:
            return
        person = chance.choice((event.mentee, event.mentor))
        self._note(self.world.now + chance.randrange(0, 2) * DAY, lambda: self._choose(event, person, chance))

    async def _choose(self, event: SessionProposed, person: str, chance: random.Random) -> None:
        """One of the times that the mail lists."""
        ahead = [slot.starts_at.isoformat() for slot in event.options if slot.starts_at > self.world.now + DAY / 2]
        if ahead:
            path = f"/api/scheduling/v1/plans/{event.pair}/sessions/{event.session}/schedule"
            await self._do(person, path, {"starts_at": chance.choice(ahead)})

    def _booked(self, event: SessionScheduled | SessionRescheduled) -> None:
        """They meet and one of them says so; or something comes up, and it is moved or called off; or nobody says a word."""
        chance = self._chance("meet", event.session, event.invitation_sequence)
        if event.slot is None:
            return
        fate, person = chance.randrange(100), chance.choice((event.mentee, event.mentor))
        path = f"/api/scheduling/v1/plans/{event.pair}/sessions/{event.session}"
        habits = self.habits
        if fate < habits.postpones and isinstance(event, SessionScheduled):
            self._note(self.world.now + DAY, lambda: self._postpone(event, person, chance))
            return
        if fate < habits.postpones + habits.calls_off:
            self._note(event.slot.starts_at - DAY, lambda: self._do(person, f"{path}/cancel"))
        elif fate >= habits.postpones + habits.calls_off + habits.forgets_to_say:
            self._note(event.slot.ends_at, lambda: self._do(person, f"{path}/complete"))

    async def _postpone(self, event: SessionFact, person: str, chance: random.Random) -> None:
        path = f"/api/scheduling/v1/plans/{event.pair}"
        slots = await self.world.get(person, f"{path}/slots?limit=100")
        taken = event.slot.starts_at if event.slot else self.world.now
        later = [
            slot["starts_at"]
            for slot in (slots.body["slots"] if slots.ok else [])
            if datetime.fromisoformat(slot["starts_at"]) > taken + DAY
        ]
        if later:
            await self._do(person, f"{path}/sessions/{event.session}/reschedule", {"starts_at": chance.choice(later[:6])})
        else:
            self._note(taken, lambda: self._do(person, f"{path}/sessions/{event.session}/complete"))

    async def _do(self, person: str, path: str, body: object = None) -> None:
        """What is refused is counted: time has passed since it was written in the diary, and the thing may be over or moved."""
        answer = await self.world.post(person, path, body)
        if not answer.ok:
            self.refused[code_of(answer)] += 1

    def _note(self, at: datetime, deed: Deed) -> None:
        self._entries += 1
        heapq.heappush(self._diary, (at, self._entries, deed))

    def _chance(self, *about: object) -> random.Random:
        return random.Random("/".join(map(str, (self.seed, *about))))


SAID = {
    "PairConfirmed": "confirmed",
    "SessionCompleted": "held",
    "SessionRescheduled": "moved",
    "SessionCancelled": "called off",
    "SessionMissed": "missed",
}
"""The words for what a stretch of time came to, by the event's name."""


def in_words(before: Counter[str], after: Counter[str]) -> str:
    """What was said between two counts: `41 held, 3 moved`."""
    counts = {word: after[kind] - before[kind] for kind, word in SAID.items()}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "quiet"


def code_of(answer: Answer) -> str:
    """The stable code of a refusal, the last part of its problem type."""
    return str(answer.body.get("type", answer.status)).rpartition(":")[2].rpartition("/")[2]
