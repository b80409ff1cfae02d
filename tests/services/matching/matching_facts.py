"""What others tell matching, with a word for each fact: an office that remembers what it last said of everybody, and counts its events.

By default executives are band 12 in France and juniors band 6 in Germany, all share English and Monday morning, so everybody suits everybody.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from amont.common.documents import Write
from amont.common.errors import Unavailable
from amont.common.events import (
    EmployeeChanged,
    EmployeeEnrolled,
    EmployeeLeft,
    EmployeeWithdrawn,
    EnrolmentChanged,
    EnrolmentResumed,
    EnrolmentSuspended,
    Policy,
    ProgrammeChanged,
    SessionCompleted,
)
from amont.common.events.enrolment import EnrolmentFact
from amont.common.events.envelope import Event
from amont.common.events.values import EmployeeStatus, EnrolmentStatus, Meeting, PairStatus, ProgrammeStatus, Role, SessionStatus
from amont.common.identity import Actor, Privilege
from amont.common.testing.hearing import START, Hearing
from amont.common.work import Work
from amont.matching import commands, documents
from amont.matching.domain.answer import Part
from amont.matching.domain.pair import Pair
from amont.matching.domain.programme import Programme
from amont.matching.domain.round import Round

PROGRAMME = "digital-2027"
EVE, ERIC = "fr:eve", "fr:eric"
JIM, JULE = "de:jim", "de:jule"
COORDINATOR = Actor("fr:coordinator", "fr", frozenset({Privilege.GROUP_COORDINATOR}))
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def actor(person: str) -> Actor:
    return Actor(person, person.partition(":")[0], frozenset({Privilege.PARTICIPANT}))


def seat(person: str, role: Role) -> str:
    return f"{role.value}-{person}"


class Office:
    """Says facts; `seq` counts per thing, as the services that say them do."""

    def __init__(self) -> None:
        self._seq: Counter[str] = Counter()
        self._people: dict[str, dict[str, Any]] = {}
        self._enrolments: dict[str, dict[str, Any]] = {}
        self._programmes: dict[str, dict[str, Any]] = {}

    def _next(self, thing: str) -> int:
        self._seq[thing] += 1
        return self._seq[thing]

    def employee(self, person: str, *, effective_at: datetime = START, **changes: Any) -> EmployeeChanged:
        """As they are now: as they were, with these changes."""
        senior = person.startswith("fr:")
        usual: dict[str, Any] = {
            "status": EmployeeStatus.ACTIVE,
            "band": 12 if senior else 6,
            "function": "finance" if senior else "it",
            "business_unit": "retail" if senior else "risk",
            "team": f"team-{person}",
            "site": "PAR" if senior else "FRA",
            "zone": "Europe/Paris" if senior else "Europe/Berlin",
            "managers": (),
        }
        self._people[person] = {**usual, **self._people.get(person, {}), **changes}
        return EmployeeChanged(
            seq=self._next(person),
            person=person,
            given_name="Given",
            family_name="Family",
            email=None,
            preferred_language=None,
            job_title="x",
            languages=("en",),
            effective_at=effective_at,
            joined_on=None,
            **self._people[person],
        )

    def left(self, person: str) -> EmployeeLeft:
        return EmployeeLeft(seq=self._next(person), person=person, effective_at=START)

    def enrolled(self, person: str, role: Role, *, kind: type[EnrolmentFact] = EmployeeEnrolled, **changes: Any) -> EnrolmentFact:
        id_ = seat(person, role)
        usual = {
            "person": person,
            "programme": PROGRAMME,
            "role": role,
            "capacity": 1,
            "topics": {"ai": 3},
            "languages": ("en",),
            "availability": ("mon 08:00-12:00",),
            "meeting": Meeting.EITHER,
        }
        self._enrolments[id_] = {**usual, **self._enrolments.get(id_, {}), "status": EnrolmentStatus.ENROLLED, **changes}
        return kind(seq=self._next(id_), enrolment=id_, **self._enrolments[id_])

    def edited(self, person: str, role: Role, **changes: Any) -> EnrolmentFact:
        return self.enrolled(person, role, kind=EnrolmentChanged, **changes)

    def on_leave(self, person: str, role: Role) -> EnrolmentFact:
        return self.enrolled(person, role, kind=EnrolmentSuspended, status=EnrolmentStatus.SUSPENDED)

    def back(self, person: str, role: Role) -> EnrolmentFact:
        return self.enrolled(person, role, kind=EnrolmentResumed)

    def withdrawn(self, person: str, role: Role, status: EnrolmentStatus = EnrolmentStatus.WITHDRAWN) -> EnrolmentFact:
        return self.enrolled(person, role, kind=EmployeeWithdrawn, status=status)

    def programme(self, programme: str = PROGRAMME, **changes: Any) -> ProgrammeChanged:
        """`changes` of the policy by their own names; `status`, `tenants` of the programme."""
        known = self._programmes.setdefault(programme, {"status": ProgrammeStatus.OPEN, "tenants": ("de", "fr")})
        for name in ("status", "tenants"):
            known[name] = changes.pop(name, known[name])
        known["policy"] = {**known.get("policy", {}), **changes}
        version = self._next(programme)
        return ProgrammeChanged(
            seq=version,
            programme=programme,
            name="Digital",
            status=known["status"],
            tenants=known["tenants"],
            topics=("ai", "data"),
            policy=Policy(**known["policy"]),
            policy_version=version,
        )

    def session(self, pair: Pair, number: int, planned: int = 6) -> SessionCompleted:
        return SessionCompleted(
            seq=self._next(pair.id),
            pair=pair.id,
            session=f"session-{number}",
            number=number,
            planned=planned,
            programme=pair.programme,
            mentee=pair.mentee,
            mentor=pair.mentor,
            status=SessionStatus.COMPLETED,
            options=(),
            slot=None,
            mentee_zone="Europe/Paris",
            mentor_zone="Europe/Berlin",
            mentee_local=None,
            mentor_local=None,
            invitation_sequence=1,
        )

    def mentee(self, person: str, **changes: Any) -> list[Event]:
        return [self.employee(person), self.enrolled(person, Role.MENTEE, **changes)]

    def mentor(self, person: str, **changes: Any) -> list[Event]:
        return [self.employee(person), self.enrolled(person, Role.MENTOR, **changes)]


async def solve(matching: Hearing, seed: str | None = None) -> Round:
    """Ask for a round, and let it be solved."""
    asked = await matching.asked(commands.request_round, PROGRAMME, COORDINATOR, seed)
    await matching.settle()
    return await matching.look(Round, asked.round.id)


async def rows(matching: Hearing, round_: Round, part: Part) -> list[Any]:
    """All rows of a part of a round's answer."""
    found: list[Any] = []
    while some := await matching.asked(commands.read_rows, round_.id, COORDINATOR, part, len(found), 200):
        found += some
    return found


async def finish(matching: Hearing) -> None:
    """Let a publication come to its end, second by second."""
    await matching.settle()
    while (await matching.look(Programme, PROGRAMME)).publishing is not None:
        await matching.passes(SECOND)


async def publish(matching: Hearing, round_: Round | None = None) -> list[Pair]:
    """Solve (unless given), publish, wait; the round's pairs by mentee."""
    round_ = round_ or await solve(matching)
    await matching.asked(commands.publish_round, round_.id, COORDINATOR)
    await finish(matching)
    return [pair for pair in await pairs(matching) if pair.round == round_.id]


async def pairs(matching: Hearing, *, live: bool = False) -> list[Pair]:
    """All pairs of the programme, by mentee and mentor."""

    async def read(work: Work) -> list[Pair]:
        return [pair async for pair in work.find(documents.every_pair_of_programme(PROGRAMME))]

    found = await matching.service.run(read)
    return sorted((pair for pair in found if pair.live or not live), key=lambda pair: (pair.mentee, pair.mentor, pair.id))


async def accept(matching: Hearing, pair: Pair, *people: str) -> Pair:
    for person in people:
        await matching.asked(commands.accept_pair, pair.id, actor(person))
    await matching.settle()
    return await matching.look(Pair, pair.id)


async def a_proposal(matching: Hearing, office: Office, **policy: Any) -> Pair:
    """Eve and Jim, proposed."""
    await matching.hears(office.programme(**policy), *office.mentee(EVE), *office.mentor(JIM))
    [pair] = await publish(matching)
    await matching.said()
    return pair


async def a_confirmed_pair(matching: Hearing, office: Office, **policy: Any) -> Pair:
    """Eve and Jim, both willing."""
    pair = await accept(matching, await a_proposal(matching, office, **policy), EVE, JIM)
    assert pair.status is PairStatus.CONFIRMED
    await matching.said()
    return pair


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


class Breaks:
    """A store whose connection breaks in the middle of its first commits: any part of the writes is done."""

    def __init__(self, store: Any, seed: int) -> None:
        self._store = store
        self._random = Random(seed)
        self.left = 6

    @classmethod
    def into(cls, matching: Hearing, seed: int) -> "Breaks":
        """Put it between a service and its store."""
        house = matching.service.unit.house
        breaking = cls(house.store, seed)
        object.__setattr__(house, "store", breaking)
        return breaking

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        if self.left and writes:
            self.left -= 1
            await self._store.commit(self._random.sample(list(writes), self._random.randint(0, len(writes))))
            raise Unavailable("the cable")
        return frozenset(await self._store.commit(writes))


class Before:
    """A store that has something else happen just before its first write to a collection: after everything that was read for it."""

    def __init__(self, store: Any, collection: str, happens: Callable[[], Awaitable[object]]) -> None:
        self._store, self._collection = store, collection
        self._happens: Callable[[], Awaitable[object]] | None = happens

    @classmethod
    def into(cls, matching: Hearing, collection: str, happens: Callable[[], Awaitable[object]]) -> None:
        """Put it between a service and its store."""
        house = matching.service.unit.house
        object.__setattr__(house, "store", cls(house.store, collection, happens))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, writes: Sequence[Write]) -> frozenset[tuple[str, str]]:
        if self._happens is not None and any(write.collection == self._collection for write in writes):
            happens, self._happens = self._happens, None
            await happens()
        return frozenset(await self._store.commit(writes))
