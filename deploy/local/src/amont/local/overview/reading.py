"""What the pages show: read from the HTTP API (pairs, rounds, enrolments), the log (names, sessions, deliveries) and the demo's folder (refusals)."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from amont.common.clock import FixedClock
from amont.common.errors import NotFound
from amont.common.events import EmployeeChanged
from amont.common.events.matching import PairFact
from amont.common.events.notifications import DeliveryFact
from amont.common.events.values import Role, SessionStatus
from amont.common.identity import Privilege
from amont.common.log.sqlite import SqliteLog
from amont.local.group import COMPANIES, PROGRAMME, PROGRAMME_NAME
from amont.local.history import History, Tail, tally
from amont.local.issuer import LocalIssuer
from amont.local.words import REFUSALS, RULES_FOR_A_MENTEE, RULES_FOR_A_MENTOR

KNOWN_TO_THE_DEMO = "demo.json"
_COMPANIES = {one.tenant: one.name for one in COMPANIES}
_COORDINATOR = "fr:programme-office"


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """A made-up person as the pages speak of them."""

    id: str
    name: str
    job_title: str
    company: str
    band: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """A pair in the table."""

    id: str
    mentor: Somebody
    mentee: Somebody
    points: Mapping[str, int]
    state: str
    held: int
    replacement: bool

    @property
    def score(self) -> int:
        return sum(self.points.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """Somebody without a pair in the round, why, and whether a place was found later."""

    somebody: Somebody
    role: str
    why: Sequence[str]
    later: str | None


class Overview:
    """See the module. Time stands still in the demo, but people may use the API: so each page reads what is new."""

    def __init__(self, folder: Path, clock: FixedClock, log: SqliteLog, issuer: LocalIssuer) -> None:
        self.folder, self.clock = folder, clock
        self.history = History(Tail(log, "overview"))
        self._issuer = issuer
        self._reading = asyncio.Lock()

    async def read_on(self) -> History:
        """The history up to now."""
        async with self._reading:
            await self.history.read_on()
        return self.history

    async def glance(self, app: FastAPI) -> dict[str, Any]:
        """What the first page shows."""
        history = await self.read_on()
        known = self._known_to_the_demo()
        pairs = await self._list(app, f"/api/matching/v1/pairs?programme={PROGRAMME}&limit=200")
        enrolments = await self._list(app, f"/api/enrolment/v1/enrolments?programme={PROGRAMME}&limit=200")
        round_ = await self._get(app, f"/api/matching/v1/rounds/{known['round']}")
        unmatched = await self._list(app, f"/api/matching/v1/rounds/{known['round']}/unmatched?limit=200")
        rows = [self._row(pair, known["round"]) for pair in pairs]
        return {
            "people": tally(_COMPANIES.get(person.owner or "", "") for person in history.people.values()),
            "enrolled": tally(one["role"] for one in enrolments if one["status"] == "enrolled"),
            "refused": tally(REFUSALS.get(code, code) for one in known["refused"] for code, _ in one["reasons"]),
            "refused_people": len(known["refused"]),
            "dead_letters": self._letters(),
            "pair_states": tally(row.state for row in rows),
            "session_states": tally(one.status for one in history.sessions.values()),
            "mail_kinds": tally(one.kind for one in history.deliveries.values()),
            "pairs": sorted(rows, key=lambda row: (row.state not in {"confirmed", "completed"}, -row.score)),
            "unmatched": [self._alone(one, rows) for one in unmatched],
            "programme": PROGRAMME_NAME,
            "objective": round_["answer"]["objective"],
        }

    async def pair(self, app: FastAPI, id_: str) -> tuple[PairRow, PairFact]:
        """One pair. Raises NotFound."""
        await self.read_on()
        if id_ not in self.history.pairs:
            raise NotFound("pair", id_)
        found = await self._get(app, f"/api/matching/v1/pairs/{id_}")
        return self._row(found, self._known_to_the_demo()["round"]), self.history.pairs[id_]

    def mails_about(self, pair: str) -> list[DeliveryFact]:
        """The deliveries that a pair's events have brought about."""
        events = {told.id for told in self.history.story_of(pair)}
        return [one for one in self.history.deliveries.values() if one.about in events]

    def somebody(self, person: str) -> Somebody:
        known = self.history.people.get(person)
        return _somebody(person, known)

    def _row(self, pair: Mapping[str, Any], first_round: str) -> PairRow:
        sessions = self.history.sessions_of(pair["id"])
        return PairRow(
            id=pair["id"],
            mentor=self.somebody(pair["mentor"]),
            mentee=self.somebody(pair["mentee"]),
            points=pair["points"],
            state=pair["ended"] or pair["status"],
            held=sum(one.status is SessionStatus.COMPLETED for one in sessions),
            replacement=pair["round"] != first_round,
        )

    def _alone(self, one: Mapping[str, Any], rows: Sequence[PairRow]) -> Alone:
        words = RULES_FOR_A_MENTEE if one["role"] == Role.MENTEE else RULES_FOR_A_MENTOR
        others = "mentors" if one["role"] == Role.MENTEE else "mentees"
        why = [f"{count} {words.get(rule, rule)}" for rule, count in sorted(one["removed"].items(), key=lambda item: -item[1])]
        left = f"{one['left']} {others} were possible and went to others" if one["left"] else f"no {others} were left"
        mine = [row for row in rows if one["person"] in {row.mentor.id, row.mentee.id}]
        return Alone(somebody=self.somebody(one["person"]), role=one["role"], why=[*why, left], later=mine[-1].id if mine else None)

    def _letters(self) -> list[tuple[str, str, int]]:
        """Dead letters by reason, with the first one's sentence."""
        first: dict[str, str] = {}
        for letter in self.history.dead_letters:
            first.setdefault(letter.reason, letter.detail)
        counts = tally(letter.reason for letter in self.history.dead_letters)
        return [(reason, first[reason], count) for reason, count in counts.items()]

    def _known_to_the_demo(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads((self.folder / KNOWN_TO_THE_DEMO).read_text(encoding="utf-8"))
        return known

    async def _list(self, app: FastAPI, path: str) -> list[Any]:
        items: list[Any] = []
        following: str | None = path
        while following is not None:
            page = await self._get(app, following)
            items, following = [*items, *page["items"]], page["next"]
        return items

    async def _get(self, app: FastAPI, path: str) -> Any:
        """As the group's coordinator. Raises NotFound for whatever the API refuses."""
        token = self._issuer.token(_COORDINATOR, Privilege.GROUP_COORDINATOR)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers=headers) as client:
            answer = await client.get(path)
        if answer.status_code != 200:
            raise NotFound("answer to", path)
        return answer.json()


def _somebody(person: str, known: EmployeeChanged | None) -> Somebody:
    return Somebody(
        id=person,
        name=f"{known.given_name} {known.family_name}" if known else person,
        job_title=known.job_title if known else "",
        company=_COMPANIES.get(person.partition(":")[0], ""),
        band=known.band if known else None,
    )
