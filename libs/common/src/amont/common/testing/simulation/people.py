"""What people do in a run: HR systems send records (and now and then one that nobody can take), coordinators run rounds, pause feeds and decide about
leavers, participants enrol, answer, meet, go on leave, leave and move to another subsidiary. They ask again when nobody answers, as people do, under the
same idempotency key.
"""

import asyncio
import json
import random
from importlib import import_module
from typing import Any

from amont.common.errors import DomainError, NotFound, Unavailable
from amont.common.events import Policy, StaffLeft, StaffRecorded
from amont.common.events.envelope import Envelope
from amont.common.events.values import Meeting, PairStatus, Role, SessionStatus
from amont.common.identity import Actor, Privilege
from amont.common.ids import derived
from amont.common.log import Record
from amont.common.testing.hearing import START
from amont.common.testing.memory import MemoryLog
from amont.common.testing.promises import Poison
from amont.common.testing.simulation.door import REQUESTS
from amont.common.testing.simulation.storm import Line
from amont.common.testing.simulation.world import World

PROGRAMME = "digital"
ZONES = {"fr": "Europe/Paris", "de": "Europe/Berlin"}
GRADES = {"J": 4, "D": 16}
MENTEES = tuple(f"de:e{number}" for number in range(1, 5))
MENTORS = tuple(f"fr:e{number}" for number in range(1, 5))
OTHERS = ("de:e5", "de:e6", "fr:e5", "fr:e6")
VERSIONS = 3
SHARES_OVER_HTTP = (0.0, 0.0, 0.0, 0.7)
"""How much of what people ask comes over HTTP: a request costs as much as ten commands, so in most runs nothing does."""
SHARES_THAT_MOVE = (0.0, 0.0, 0.25)
"""How many go to the other subsidiary: in most runs nobody does."""
LONGEST_REST = 8.0
"""Seconds; who gets no answer asks again later and later."""
GROUP = Actor("group:ada", "group", frozenset({Privilege.GROUP_COORDINATOR}))


def staff(person: str, version: int, kind: type[StaffRecorded | StaffLeft] = StaffRecorded, **fields: Any) -> Record:
    """The record that says `version` of a person."""
    tenant, _, employee = person.partition(":")
    day = f"2024-01-{version:02d}"
    line: dict[str, Any] = {"tenant": tenant, "employee_id": employee, "effective_at": day, "occurred_at": f"{day}T08:00:00Z"}
    if kind is StaffRecorded:
        line |= {
            "given_name": employee,
            "family_name": tenant,
            "email": f"{employee}@{tenant}.example",
            "grade": "D" if person in MENTEES else "J",
            "function": f"f{version}",
            "zone": ZONES[tenant],
            "languages": ["en"],
            "joined_on": "2020-01-01",
            **fields,
        }
    value = json.dumps(line).encode()
    envelope = Envelope(id=derived("hris", value.decode()), type=kind.type_name(), source="/hris", subject=person, time=START)
    return Record(topic="hris-staff", key=person, value=value, headers=envelope.headers())


def _moved(person: str) -> str:
    """The id that somebody gets in the other subsidiary."""
    tenant, _, employee = person.partition(":")
    return f"{'de' if tenant == 'fr' else 'fr'}:{employee.replace('e', 'n')}"


class People:
    """See the module."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chance = random.Random(f"{world.seed}/people")
        self._over_http = self.chance.choice(SHARES_OVER_HTTP)
        self._moves = random.Random(f"{world.seed}/moves")
        self._movers = self._moves.choice(SHARES_THAT_MOVE)
        self._bad_ones: list[Poison] = []
        self._tenants = asyncio.Event()
        self._programme = asyncio.Event()
        self._form: Any = import_module("amont.enrolment.domain.enrolment").Form
        self._log = MemoryLog(world.broker, client_id="hris", call=Line(world.storm, None, "log"))

    @property
    def poison(self) -> dict[str, list[Poison]]:
        """What nobody can take and was sent."""
        sent = {(record.key, record.value) for record in self.world.broker.everything("hris-staff")}
        return {"enrolment": [one for one in self._bad_ones if (one.key, one.value) in sent]}

    async def live(self) -> None:
        """Everybody does what they do, at the same time, until they are interrupted."""
        lives = [self._hris(), self._governs(), self._rounds("a"), self._rounds("b"), self._answers(), self._meets()]
        lives += [self._enrols(person, Role.MENTEE) for person in MENTEES]
        lives += [self._enrols(person, Role.MENTOR) for person in MENTORS]
        await asyncio.gather(self._prepares(), *lives)

    async def _rests(self, seconds: float) -> None:
        await asyncio.sleep(self.chance.uniform(0.2, 1.8) * seconds)

    async def _until_answered(self, service: str, command: str, *args: Any, **kwargs: Any) -> Any:
        """Ask until there is an answer that is not about being away. Raises DomainError."""
        key = derived(self.chance.getrandbits(64))
        over_http = command in REQUESTS and self.chance.random() < self._over_http
        tired = 0.5
        while True:
            try:
                if over_http:
                    actor = next(one for one in args if isinstance(one, Actor))
                    return await self.world.request(service, command, actor, key, *args, **kwargs)
                return await self.world.ask(service, command, *args, key=key, **kwargs)
            except Unavailable:
                await self._rests(tired)
                tired = min(LONGEST_REST, 1.2 * tired)

    async def _granted(self, service: str, command: str, *args: Any, **kwargs: Any) -> Any:
        """The answer, or None when a rule said no."""
        try:
            return await self._until_answered(service, command, *args, **kwargs)
        except DomainError:
            return None

    async def _sends(self, *records: Record) -> None:
        """As an HR system's client does: again, until it is acknowledged."""
        while True:
            try:
                await self._log.append(records)
            except Unavailable:
                await self._rests(0.3)
            else:
                return

    async def _prepares(self) -> None:
        for tenant, zone in ZONES.items():
            named = {"name": tenant, "zone": zone, "languages": ["en"], "grades": GRADES, "leaver_share": self.chance.choice((0.0, 0.05))}
            await self._until_answered("enrolment", "add_subsidiary", tenant, GROUP, **named)
        self._tenants.set()
        policy = Policy(
            sessions=1,
            session_every_days=7,
            proposal_days=10,
            min_common_hours=1,
            replacements="automatic" if self.chance.random() < 0.5 else "reviewed",
        )
        campaign = {"name": "Digital", "tenants": tuple(ZONES), "topics": ("ai", "data"), "policy": policy}
        await self._until_answered("enrolment", "create_programme", PROGRAMME, GROUP, **campaign)
        await self._until_answered("enrolment", "open_programme", PROGRAMME, GROUP)
        self._programme.set()

    async def _governs(self) -> None:
        """A coordinator pauses a feed for a while now and then, and decides about the leavers that a breaker holds; in some runs nobody does."""
        await self._tenants.wait()
        if self.chance.random() < 0.5:
            return
        while True:
            await self._rests(4.0)
            tenant = self.chance.choice(tuple(ZONES))
            if self.chance.random() < 0.4:
                await self._granted("enrolment", "pause_feed", tenant, GROUP, "a migration")
                await self._rests(3.0)
                await self._granted("enrolment", "resume_feed", tenant, GROUP, "it is done")
            verb = self.chance.choice(("release_leavers", "drop_leavers"))
            await self._granted("enrolment", verb, tenant, GROUP, "they were looked at")

    async def _hris(self) -> None:
        await self._tenants.wait()
        everybody = [*MENTEES, *MENTORS, *OTHERS]
        for version in range(1, VERSIONS + 1):
            self.chance.shuffle(everybody)
            records = [record for person in everybody for record in self._version(person, version)]
            for _ in range(self.chance.choice((0, 1, 2))):
                records.insert(self.chance.randrange(len(records)), self._bad())
            while records:
                burst = self.chance.choice((1, 2, 4, 12))
                await self._sends(*records[:burst])
                del records[:burst]
                await self._rests(0.1 if version == 1 else 1.5)

    def _version(self, person: str, version: int) -> tuple[Record, ...]:
        """Most change their function; once people have enrolled, some are away, lose their address, leave or move to the other subsidiary."""
        if version == VERSIONS and self._moves.random() < self._movers:
            return staff(person, version, StaffLeft), staff(_moved(person), version, former_id=person)
        if version == VERSIONS and person not in OTHERS and self.chance.random() < 0.15:
            return (staff(person, version, StaffLeft),)
        away = version == 2 and self.chance.random() < 0.1
        record: dict[str, Any] = {"status": "on_leave" if away else "active"}
        if version == 2 and self.chance.random() < 0.06:
            record["email"] = None
        return (staff(person, version, **record),)

    def _bad(self) -> Record:
        """A record that nobody can take, under a key of its own."""
        number = len(self._bad_ones)
        good = staff(f"fr:bad{number}", 1)
        match self.chance.randrange(3):
            case 0:
                bad, reason = Record(topic=good.topic, key=good.key, value=b"\xff\x00", headers=good.headers), "invalid-payload"
            case 1:
                bad, reason = staff(f"fr:bad{number}", 1, grade="none"), "unknown-grade"
            case _:
                bad, reason = Record(topic=good.topic, key=good.key, value=good.value), "missing-headers"
        self._bad_ones.append(Poison(bad.key.encode(), bad.value, reason))
        return bad

    async def _enrols(self, person: str, role: Role) -> None:
        await self._programme.wait()
        form = self._form(
            topics={"ai": 3, "data": self.chance.randint(1, 3)},
            languages=("en",),
            availability=("mon 09:00-12:00", "wed 14:00-18:00"),
            meeting=Meeting.REMOTE,
            capacity=self.chance.choice((1, 2)) if role is Role.MENTOR else 1,
        )
        actor = Actor(person, person.partition(":")[0], frozenset({Privilege.PARTICIPANT}))
        await self._rests(1.0)
        while True:
            try:
                held = await self._until_answered("enrolment", "enrol", person, PROGRAMME, role, actor, form=form, charter_accepted=True)
            except NotFound:
                await self._rests(1.0)
            except DomainError:
                return
            else:
                break
        if self.chance.random() < 0.15:
            await self._rests(10.0)
            await self._granted("enrolment", "withdraw", held["enrolment"] if isinstance(held, dict) else held.enrolment.id, actor)

    async def _rounds(self, who: str) -> None:
        """Two coordinators who do not know of each other."""
        await self._programme.wait()
        actor = Actor(f"group:{who}", "group", frozenset({Privilege.GROUP_COORDINATOR}))
        await self._rests(5.0)
        while True:
            asked = await self._granted("matching", "request_round", PROGRAMME, actor)
            if asked is not None and await self._pairs_of(asked.round.id, actor):
                await self._rests(self.chance.choice((0.1, 3.0)))
                await self._granted("matching", "publish_round", asked.round.id, actor)
            await self._rests(3.0)

    async def _pairs_of(self, round_id: str, actor: Actor) -> int:
        """How many pairs a round has found, once it is solved or thrown away."""
        while True:
            read = await self._granted("matching", "read_round", round_id, actor)
            if read is None or not read.round.waits:
                return read.round.answer.pairs if read is not None and read.round.answer else 0
            await self._rests(0.7)

    async def _answers(self) -> None:
        """The two of each pair are asked, and most say yes."""
        while True:
            await self._rests(1.5)
            pairs = await self._granted("matching", "list_pairs", GROUP, programme=PROGRAMME, person=None, after=None, limit=200)
            for pair, _ in pairs or ():
                whose = {PairStatus.PROPOSED: pair.mentee, PairStatus.ACCEPTED: pair.mentor}.get(pair.status)
                if whose is not None and self.chance.random() < 0.8:
                    verb = "accept_pair" if self.chance.random() < 0.85 else "decline_pair"
                    actor = Actor(whose, whose.partition(":")[0], frozenset({Privilege.PARTICIPANT}))
                    await self._granted("matching", verb, pair.id, actor)

    async def _meets(self) -> None:
        """Times are chosen, sessions are held."""
        while True:
            await self._rests(2.0)
            plans = await self._granted("scheduling", "list_plans", GROUP, None, PROGRAMME, None, 200)
            for plan, _ in plans or ():
                session = plan.open
                actor = Actor(plan.mentee, "de", frozenset({Privilege.PARTICIPANT}))
                if session is None:
                    continue
                if session.status is SessionStatus.PROPOSED:
                    starts_at = self.chance.choice(session.options).starts_at
                    await self._granted("scheduling", "schedule_session", plan.id, session.id, starts_at, actor)
                elif session.slot.ends_at <= self.world.now():
                    await self._granted("scheduling", "complete_session", plan.id, session.id, actor)
                elif self.chance.random() < 0.1:
                    await self._granted("scheduling", "cancel_session", plan.id, session.id, actor)
