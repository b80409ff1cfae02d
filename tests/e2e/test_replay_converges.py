"""P5: with faults that are mended and replayed, the four services end in the state of a run that never had any, and have said and sent the same.

The programme is played twice. In the second run reactions fail for a third of all keys, before or after they have decided; the log garbles events of ours
and holds poison under living keys; staff records come before their subsidiary or their grade is known. After each step everything is mended and replayed,
before the clock goes on.

What is compared: every document of every service, with its guard (`_seen`), canonically; every event on the topics of ours; every mail. What is not:
`v`, which counts writes, and a replay writes more often; `_trace`, which names who was being served; the dead letters themselves.
"""

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs
from tests.support.programme import masked, staff
from tests.support.together import Together, together

from amont.common.documents import Find
from amont.common.events.topics import SERVICES, TOPICS
from amont.common.log import Record
from amont.common.service.letters import commands
from amont.common.service.letters.commands import Chosen
from amont.common.service.letters.letter import LETTERS, DeadLetter
from amont.common.work import Handle, Reaction, Reactions, Work

GROUP = "group:ada|group-coordinator"
OTTO = "group:otto"
TENANTS = ("fr", "de")
GRADES = {"J": 4, "D": 16}
OWN = [name for name, topic in TOPICS.items() if topic.types and name != "hris-staff"]
FORM = {"programme": "one", "topics": {"ai": 3}, "availability": ["mon 09:00-12:00"], "meeting": "remote", "charter_accepted": True}


@dataclass
class Faults:
    """What goes wrong in a run, as long as it is on, and its mending."""

    wanted: bool
    on: bool = False
    garbled: dict[bytes, Record] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    struck: set[str] = field(default_factory=set)

    def strike(self, all_four: Together) -> None:
        self.on = self.wanted
        for service in all_four.services.values():
            failing: Reactions = {kind: self._failing(reaction) for kind, reaction in service.consumes.items()}
            service.letters._reactions = failing
            for consumer in service._consumers.values():
                consumer._reactions = failing
        append = all_four.log.append

        async def garbling(records: Sequence[Record]) -> None:
            await append([self._garbled(record) for record in records])

        all_four.log.append = garbling  # type: ignore[method-assign]

    def _failing(self, reaction: Handle | Reaction) -> Handle | Reaction:
        handle = reaction.handle if isinstance(reaction, Reaction) else reaction

        async def fails(event: Any, work: Work) -> None:
            unlucky = zlib.crc32(f"{work._house.name} {event.key}".encode()) % 6
            if self.on and unlucky == 0:
                raise KeyError(event.key)
            await handle(event, work)
            if self.on and unlucky == 1:
                raise ZeroDivisionError(event.key)

        return Reaction(fails, reaction.needs) if isinstance(reaction, Reaction) else fails

    def _garbled(self, record: Record) -> Record:
        """One event in nine of ours is cut short on the log; what it said is kept for whoever mends it."""
        id_ = dict(record.headers).get("ce_id") or b""
        if not self.on or record.topic not in OWN or zlib.crc32(id_) % 9 or record.topic in self.struck:
            return record
        if self.seen["garbled"] % 3 == 2:
            self.struck.add(record.topic)
        self.seen["garbled"] += 1
        self.garbled[id_] = record
        return replace(record, value=(record.value or b"")[:-7])

    async def poison(self, all_four: Together, *keys: str) -> None:
        """Records that say nothing anybody could mend, under keys that live."""
        if self.wanted:
            await all_four.hears(Record(topic="enrolment-employees", key=key, value=b"{", headers=(("ce_id", b"poison"),)) for key in keys)

    async def mend(self, all_four: Together) -> None:
        """Find what was parked, edit what was garbled, drop the poison, replay the rest until nothing is left."""
        self.on = False
        for service in all_four.services.values():
            for letter in await unresolved(all_four, service.name):
                self.seen[letter.reason] += 1
                if letter.event_id == "poison":
                    await service.run(commands.drop, letter.id, OTTO, "poison")
                elif letter.reason == "invalid-payload":
                    whole = self.garbled[(letter.event_id or "").encode()]
                    await service.run(commands.edit, letter.id, OTTO, "garbled", value=whole.value)
            await service.run(commands.replay_chosen, Chosen(), OTTO, "mended", None)
        await all_four.settle()
        for name in SERVICES:
            assert await unresolved(all_four, name) == [], name
        self.on = self.wanted


async def unresolved(all_four: Together, name: str) -> list[DeadLetter]:
    found = await all_four.services[name].run(commands.page, Chosen(), None, 10_000)
    return [letter for letter, _ in found]


@dataclass
class Run:
    """The programme, with a mending after every step."""

    all_four: Together
    faults: Faults

    async def do(self, method: str, path: str, who: str, body: Any = None) -> Any:
        answer = await self.all_four.done(method, path, who, body)
        await self.all_four.settle()
        await self.faults.mend(self.all_four)
        return answer

    async def passes(self, time: timedelta) -> None:
        await self.all_four.passes(time)
        await self.faults.mend(self.all_four)

    async def play(self) -> None:
        await self.group_joins()
        await self.people_enrol()
        await self.pairs_form()
        await self.sessions_are_held()
        await self.a_mentee_leaves()

    async def group_joins(self) -> None:
        def subsidiary(tenant: str) -> dict[str, Any]:
            return {"name": tenant, "zone": "Europe/Paris", "languages": ["en"], "grades": GRADES}

        people = [staff(t, n, grade=g, function=f"{g}{n % 2}") for t in TENANTS for g, b in (("D", 0), ("J", 10)) for n in range(b, b + 5)]
        late = [staff("es", n, grade="D") for n in range(4)]
        odd = [staff("fr", n, grade="X") for n in range(30, 33)]
        for tenant in TENANTS:
            await self.do("PUT", f"/enrolment/subsidiaries/{tenant}", GROUP, subsidiary(tenant))
        await self.faults.poison(self.all_four, "fr:e1", "de:e11")
        again = [
            staff(t, n, grade="J", function=f"J{n % 2}", team="new", effective_at="2025-01-01") for t in TENANTS for n in range(10, 15)
        ]
        await self.all_four.hears(people)
        await self.all_four.hears(again)
        if self.faults.wanted:
            await self.all_four.hears([*late, *odd])
        await self.all_four.done("PUT", "/enrolment/subsidiaries/es", GROUP, subsidiary("es"))
        grades = await self.all_four.ask("PUT", "/enrolment/subsidiaries/fr/grades", GROUP, {**GRADES, "X": 9}, headers={"If-Match": "*"})
        assert grades.is_success, grades.text
        if not self.faults.wanted:
            await self.all_four.hears([*late, *odd])
        await self.faults.mend(self.all_four)

    async def people_enrol(self) -> None:
        programme = {"programme": "one", "name": "One", "tenants": ["fr", "de"], "topics": ["ai"], "policy": {"sessions": 2}}
        await self.do("POST", "/enrolment/programmes", GROUP, programme)
        await self.do("POST", "/enrolment/programmes/one/open", GROUP)
        for tenant in TENANTS:
            for number in range(4):
                await self.do("POST", "/enrolment/enrolments", f"{tenant}:e{number}|participant", {**FORM, "role": "mentee"})
                await self.do("POST", "/enrolment/enrolments", f"{tenant}:e{10 + number}|participant", {**FORM, "role": "mentor"})
        await self.faults.poison(self.all_four, "fr:e2", "fr:e12")
        await self.all_four.hears(
            [staff("fr", 2, grade="D", family_name="Renamed", effective_at="2025-01-01", occurred_at="2025-01-01T08:00:00Z")]
        )
        await self.faults.mend(self.all_four)

    async def pairs_form(self) -> None:
        round_ = await self.do("POST", "/matching/programmes/one/rounds", GROUP, {"seed": "p5"})
        await self.passes(timedelta(seconds=2))
        await self.do("POST", f"/matching/rounds/{round_['id']}/publish", GROUP, {})
        for _ in range(4):
            await self.passes(timedelta(seconds=2))
        for side in ("mentee", "mentor"):
            for pair in sorted(await self.all_four.every("/matching/pairs?programme=one", GROUP), key=lambda pair: str(pair["mentee"])):
                await self.do("POST", f"/matching/pairs/{pair['id']}/accept", f"{pair[side]}|participant")
        await self.passes(timedelta(minutes=5))

    async def sessions_are_held(self) -> None:
        for _ in range(5):
            for plan in sorted(await self.all_four.every("/scheduling/plans?programme=one", GROUP), key=lambda plan: str(plan["mentee"])):
                mentee = f"{plan['mentee']}|participant"
                for session in plan["sessions"]:
                    path = f"/scheduling/plans/{plan['pair']}/sessions/{session['id']}"
                    if session["status"] == "proposed":
                        slots = (await self.all_four.done("GET", f"/scheduling/plans/{plan['pair']}/slots", mentee))["slots"]
                        await self.do("POST", f"{path}/schedule", mentee, {"starts_at": slots[0]["starts_at"]})
                    elif session["status"] == "scheduled" and session["slot"]["ends_at"] <= self.all_four.clock.now().isoformat():
                        await self.do("POST", f"{path}/complete", mentee)
            await self.passes(timedelta(days=5))

    async def a_mentee_leaves(self) -> None:
        enrolments = await self.all_four.every("/enrolment/enrolments?programme=one&role=mentee", GROUP)
        leaver = min(enrolments, key=lambda one: str(one["person"]))
        await self.do("POST", f"/enrolment/enrolments/{leaver['enrolment']}/withdraw", f"{leaver['person']}|participant")
        await self.passes(timedelta(minutes=5))


@dataclass(frozen=True)
class End:
    """What a run came to."""

    documents: dict[str, Any]
    said: list[Any]
    mails: list[Any]

    @property
    def hash(self) -> str:
        return hashlib.sha256(json.dumps(self.documents, sort_keys=True).encode()).hexdigest()


def compared(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without its count of writes, whose trace it was, and how many seconds an answer took."""
    whole = {name: value for name, value in document.items() if name not in {"v", "_trace"}}
    if isinstance(answer := whole.get("answer"), dict):
        whole["answer"] = {name: value for name, value in answer.items() if name != "made"}
    return whole


async def end_of(all_four: Together) -> End:
    documents: dict[str, Any] = {}
    for name, service in all_four.services.items():
        for collection in service.unit.house.collections.values():
            if collection is not LETTERS:
                every = await service.unit.house.store.find(Find(collection=collection.name, limit=100_000))
                documents |= {f"{name}/{collection.name}/{one['_id']}": compared(one) for one in every}
    said = []
    for topic in OWN:
        for record in await all_four.log.read("test-observer", topic, 1_000_000):
            headers = {header: (value or b"").decode() for header, value in record.headers}
            if headers["ce_id"] != "poison":
                said.append((topic, record.key.decode(), headers["ce_id"], headers["ce_type"], headers.get("ce_seq")))
    mails = sorted(json.dumps(masked(path.read_bytes().decode("latin-1"))) for path in all_four.mails.glob("*.eml"))
    return End(documents, sorted(said), mails)


async def end_with(faults: Faults, folder: Path) -> End:
    async with together(folder) as all_four:
        faults.strike(all_four)
        with capture_logs():
            await Run(all_four, faults).play()
        for service in all_four.services.values():
            await service.unit.relay.clear()
        return await end_of(all_four)


def difference(whole: End, mended: End) -> list[str]:
    """The documents in which two ends differ."""
    return [key for key in sorted(whole.documents | mended.documents) if whole.documents.get(key) != mended.documents.get(key)]


async def test_replaying_after_the_fix_ends_in_the_state_of_a_run_without_the_fault(tmp_path: Path) -> None:
    faults = Faults(wanted=True)
    whole, mended = await end_with(Faults(wanted=False), tmp_path / "whole"), await end_with(faults, tmp_path / "mended")
    assert difference(whole, mended) == []
    assert mended.said == whole.said
    assert mended.mails == whole.mails
    assert mended.hash == whole.hash
    assert min(faults.seen[reason] for reason in ("defect", "blocked-by", "invalid-payload", "unknown-tenant", "unknown-grade")) > 2, (
        faults.seen
    )
    held = [one for one in whole.said if "SessionCompleted" in one[3]]
    assert len(held) > 4
    assert len(whole.mails) > 50
    print(f"replayed: {dict(faults.seen)}; {len(whole.documents)} documents, {len(whole.said)} events, {len(whole.mails)} mails the same")
