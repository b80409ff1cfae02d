"""One programme from an HRIS record to a held session, over the wire: records on the inbound topic, HTTP for everything people do, time moved by hand.

The same code whatever stands behind it: one process or four, SQLite or the real servers. What comes out is everything that people can see (pairs,
sessions, mails), with the ids that differ from run to run masked.
"""

import email
import email.policy
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from tests.support.house import House, until

from amont.common.events import StaffLeft, StaffRecorded
from amont.common.events.envelope import Envelope
from amont.common.ids import derived
from amont.common.log import Record
from amont.common.testing.hearing import START

GROUP = ("group:ada", "group-coordinator")
PROGRAMME = "digital-2027"
GRADES = {"J": 4, "S": 7, "M": 12, "D": 16, "C": 20}
ZONES = {"fr": "Europe/Paris", "de": "Europe/Berlin", "es": "Europe/Madrid"}
TOPICS = ("ai", "data", "social-media")
PAIRS_WANTED = 12
POLICY = {"sessions": 2, "session_every_days": 14, "proposal_days": 7}


def staff(tenant: str, number: int, **fields: Any) -> Record:
    """A staff record of an employee."""
    line = {
        "tenant": tenant,
        "employee_id": f"e{number}",
        "given_name": f"Given{number}",
        "family_name": f"Family-{tenant}",
        "email": f"e{number}@{tenant}.example",
        "preferred_language": "fr" if tenant == "fr" else "en",
        "grade": "J",
        "function": ("it", "finance", "sales")[number % 3],
        "business_unit": f"bu{number % 4}",
        "team": f"team{number % 7}",
        "site": tenant.upper(),
        "zone": ZONES[tenant],
        "languages": ["en", tenant],
        "joined_on": "2020-01-01",
        "effective_at": "2024-01-01",
        "occurred_at": "2024-01-01T08:00:00Z",
        **fields,
    }
    return record(StaffRecorded, line)


def record(kind: type[StaffRecorded | StaffLeft], line: dict[str, Any]) -> Record:
    key = f"{line['tenant']}:{line['employee_id']}"
    value = json.dumps(line).encode()
    envelope = Envelope(id=derived("e2e", value.decode()), type=kind.type_name(), source="/hris", subject=key, time=START)
    return Record(topic="hris-staff", key=key, value=value, headers=envelope.headers())


def the_group() -> list[Record]:
    """A chief, six directors, and thirty juniors under them in three subsidiaries; one dirty record."""
    people = [staff("fr", 1, grade="C")]
    for index, tenant in enumerate(ZONES):
        people += [staff(tenant, 10 + index * 10 + i, grade="D", manager_id="fr:e1") for i in range(6)]
        people += [staff(tenant, 100 + index * 100 + i, grade="J", manager_id=f"e{10 + index * 10 + i % 6}") for i in range(12)]
    return [*people, staff("fr", 999, grade="not-a-grade")]


@dataclass
class Outcome:
    """Everything people can see at the end, without what differs from run to run."""

    employees: list[str] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    round: Any = None
    pairs: list[Any] = field(default_factory=list)
    sessions: list[Any] = field(default_factory=list)
    mails: list[Any] = field(default_factory=list)
    parked: int = 0


class Play:
    """The people of the programme at their browsers."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.outcome = Outcome()

    async def whole(self) -> Outcome:
        """From the first record to the last session."""
        await self.group_joins()
        await self.people_enrol()
        await self.round_is_published()
        await self.both_sides_answer(declining=1, silent=1)
        await self.time_passes(timedelta(days=8))
        await self.time_passes(timedelta(hours=2))
        await self.both_sides_answer()
        await self.sessions_are_held()
        await self.look()
        return self.outcome

    async def ask(self, method: str, service: str, path: str, who: tuple[str, ...], body: Any = None) -> httpx.Response:
        async with self.house.client(service, *who) as client:
            return await client.request(method, path, json=body)

    async def done(self, method: str, service: str, path: str, who: tuple[str, ...], body: Any = None) -> Any:
        """A request that must be granted."""
        answer = await self.ask(method, service, path, who, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def every(self, service: str, path: str, who: tuple[str, ...]) -> list[Any]:
        items: list[Any] = []
        following: str | None = path
        while following:
            page = await self.done("GET", service, following.removeprefix(f"/api/{service}/v1"), who)
            items += page["items"]
            following = page["next"]
        return items

    async def time_passes(self, time: timedelta) -> None:
        self.house.passes(time)
        await self.house.settled()

    async def group_joins(self) -> None:
        for tenant, zone in ZONES.items():
            body = {"name": tenant, "zone": zone, "languages": [tenant, "en"], "grades": GRADES}
            await self.done("PUT", "enrolment", f"/subsidiaries/{tenant}", GROUP, body)
        await self.house.append(the_group())
        await self.house.settled()

    async def people_enrol(self) -> None:
        programme = {"programme": PROGRAMME, "name": "Digital 2027", "tenants": list(ZONES), "topics": list(TOPICS), "policy": POLICY}
        await self.done("POST", "enrolment", "/programmes", GROUP, programme)
        await self.done("POST", "enrolment", f"/programmes/{PROGRAMME}/open", GROUP, {})
        for index, tenant in enumerate(ZONES):
            for i in range(4):
                await self._enrol(f"{tenant}:e{10 + index * 10 + i}", "mentee", i)
                await self._enrol(f"{tenant}:e{100 + index * 100 + i}", "mentor", i + index)
        await self._enrol("fr:e105", "mentee", 0)  # a junior is no mentee: refused, with the reason
        await self.house.settled()

    async def _enrol(self, person: str, role: str, seed: int) -> None:
        form = {
            "programme": PROGRAMME,
            "role": role,
            "topics": {TOPICS[seed % 3]: 3, TOPICS[(seed + 1) % 3]: 1 + seed % 3},
            "availability": ["mon 09:00-12:00", "wed 14:00-18:00", ("tue 09:00-11:00", "thu 10:00-12:30")[seed % 2]],
            "meeting": "remote",
            "charter_accepted": True,
        }
        answer = await self.ask("POST", "enrolment", "/enrolments", (person,), form)
        if answer.status_code != 201:
            problem = answer.json()
            assert answer.status_code == 422, problem
            self.outcome.refused.append([person, sorted(fault["detail"] for fault in problem["errors"])])

    async def round_is_published(self) -> None:
        asked = await self.done("POST", "matching", f"/programmes/{PROGRAMME}/rounds", GROUP, {"seed": "e2e"})
        path = f"/rounds/{asked['id']}"

        async def is_solved() -> bool:
            return bool((await self.done("GET", "matching", path, GROUP))["status"] != "requested")

        await until(is_solved, within=60, what="the round solved")  # no clock moves meanwhile: what comes out bears dates
        solved = await self.done("GET", "matching", path, GROUP)
        unmatched = await self.every("matching", f"{path}/unmatched?limit=200", GROUP)
        self.outcome.round = masked([solved["answer"]["objective"], unmatched])
        await self.done("POST", "matching", f"{path}/publish", GROUP, {})
        await self.house.settled()

    async def pairs(self) -> list[Any]:
        found = await self.every("matching", f"/pairs?programme={PROGRAMME}&limit=200", GROUP)
        return sorted(found, key=lambda pair: (pair["mentee"], pair["mentor"], pair["status"]))

    async def both_sides_answer(self, *, declining: int = 0, silent: int = 0) -> None:
        waiting = [pair for pair in await self.pairs() if pair["status"] == "proposed"]
        for number, pair in enumerate(waiting[silent:]):
            verb, body = ("decline", {"reason": "too busy, please tell nobody"}) if number < declining else ("accept", None)
            await self.done("POST", "matching", f"/pairs/{pair['id']}/{verb}", (pair["mentee"],), body)
        await self.house.settled()
        for pair in await self.pairs():
            if pair["status"] == "accepted":
                await self.done("POST", "matching", f"/pairs/{pair['id']}/accept", (pair["mentor"],))
        await self.house.settled()

    async def plans(self) -> list[Any]:
        found = await self.every("scheduling", f"/plans?programme={PROGRAMME}&limit=200", GROUP)
        return sorted(found, key=lambda plan: (plan["mentee"], plan["mentor"]))

    async def sessions_are_held(self) -> None:
        """Each day that somebody has something to choose or to hold, until every plan is over; one session is moved on the way."""
        moved = False
        for _ in range(20):
            for plan in await self.plans():
                for session in plan["sessions"]:
                    path = f"/plans/{plan['pair']}/sessions/{session['id']}"
                    if session["status"] == "proposed":
                        open_slots = (await self.done("GET", "scheduling", f"/plans/{plan['pair']}/slots", (plan["mentee"],)))["slots"]
                        offered = [slot for slot in session["options"] if slot in open_slots]
                        chosen = (offered or open_slots)[0]
                        await self.done("POST", "scheduling", f"{path}/schedule", (plan["mentee"],), {"starts_at": chosen["starts_at"]})
                        if not moved:
                            moved = True
                            other = open_slots[-1]
                            await self.done(
                                "POST", "scheduling", f"{path}/reschedule", (plan["mentor"],), {"starts_at": other["starts_at"]}
                            )
                    elif session["status"] == "scheduled" and datetime.fromisoformat(session["slot"]["ends_at"]) <= self.house.now:
                        await self.done("POST", "scheduling", f"{path}/complete", (plan["mentor"],), {})
            await self.house.settled()
            if all(plan["status"] == "over" for plan in await self.plans()):
                return
            await self.time_passes(timedelta(days=5))
        raise AssertionError("the plans were never over")

    async def look(self) -> None:
        people = await self.every("enrolment", "/employees?tenant=fr&limit=200", GROUP)
        self.outcome.employees = sorted(one["person"] for one in people)
        self.outcome.pairs = [masked([p["mentee"], p["mentor"], p["status"], p["points"]]) for p in await self.pairs()]
        self.outcome.sessions = [masked([plan["mentee"], plan["mentor"], plan["status"], plan["sessions"]]) for plan in await self.plans()]
        self.outcome.mails = sorted(mails(self.house))


def mails(house: House) -> Iterable[Any]:
    """To, subject and every text part of every mail in the folder."""
    for path in house.mails.glob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
        yield masked([mail["To"], mail["Subject"], mail["Date"], *parts])


def masked(data: Any) -> Any:
    """The same with every id of ours replaced."""
    return json.loads(re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[57][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "·", json.dumps(data, sort_keys=True)))
