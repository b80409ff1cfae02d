"""The programme, played from the first staff record to the last session: each stage is something that a subsidiary, a coordinator or people do."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from amont.common.events.values import Role
from amont.common.identity import Privilege
from amont.local.demo.people import DAY, People, code_of, in_words
from amont.local.demo.stages import Stage, Stages
from amont.local.demo.world import World, feed, staff_record
from amont.local.group import COMPANIES, PROGRAMME, PROGRAMME_NAME, TOPICS, Group, Wish
from amont.local.words import REFUSALS, RULES_FOR_A_MENTEE, RULES_FOR_A_MENTOR

START = datetime(2027, 1, 4, 8, tzinfo=UTC)
"""A Monday morning."""
ANSWERS_TAKE = 16
MONTH = 30
COORDINATOR = "fr:programme-office"
GROUP = Privilege.GROUP_COORDINATOR
WRITTEN_AT_ONCE = 50
POLICY = {"session_every_days": 28}
"""The default programme but for its cadence: four weeks, so that six sessions fit into the half-year that is played."""
AT_ONCE, MOMENTS = 4, 6
"""How many people enrol in the same minute, and how often a day."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A wish to take part that was refused, and every reason."""

    person: str
    role: str
    reasons: tuple[tuple[str, str], ...]
    """Code and sentence."""


@dataclass(slots=True)
class Played:
    """What only the demo knows, because it is nowhere on the log: who was refused and why, what the round looked like before it was published."""

    refused: list[Refused] = field(default_factory=list)
    round: dict[str, Any] = field(default_factory=dict)
    people: Counter[str] = field(default_factory=Counter)
    told_no: Counter[str] = field(default_factory=Counter)
    incidents: dict[str, str] = field(default_factory=dict)


class Play:
    """One run. `months` is how long it is followed after the answers are in."""

    def __init__(self, world: World, group: Group, stages: Stages, *, seed: int, months: int) -> None:
        self.world, self.group, self.stages, self.months = world, group, stages, months
        self.played = Played()
        self._people = People(world, seed)
        self._random = random.Random(f"{seed}/incidents")
        self._programme = f"/api/enrolment/v1/programmes/{PROGRAMME}"

    async def all(self) -> Played:
        """Every stage, in order."""
        await self._group_joins()
        await self._programme_opens()
        await self._people_enrol()
        round_id = await self._round_is_solved()
        await self._round_is_published(round_id)
        await self._people_answer()
        for month in range(1, self.months + 1):
            await self._a_month(month)
        self.played.people, self.played.told_no = self._people.counts, self._people.refused
        return self.played

    async def _group_joins(self) -> None:
        records = feed(self.group)
        with self.stages.stage("The group joins", len(records)) as stage:
            for one in COMPANIES:
                body = {"name": one.name, "zone": one.zone, "languages": [one.language, "en"], "grades": one.grades}
                (await self.world.put(COORDINATOR, f"/api/enrolment/v1/subsidiaries/{one.tenant}", body, GROUP)).or_raise()
            for at in range(0, len(records), WRITTEN_AT_ONCE):
                await self.world.emit(records[at : at + WRITTEN_AT_ONCE])
                await self.world.settle()
                stage.done(len(records[at : at + WRITTEN_AT_ONCE]))
            known = len({heard.event.subject for heard in await self.world.news("enrolment-employees")})
            stage.says(f"{len(records)} staff records, {known} people known")

    async def _programme_opens(self) -> None:
        with self.stages.stage("The programme opens", 2) as stage:
            tenants = [one.tenant for one in COMPANIES]
            body = {"programme": PROGRAMME, "name": PROGRAMME_NAME, "tenants": tenants, "topics": list(TOPICS), "policy": POLICY}
            (await self.world.post(COORDINATOR, "/api/enrolment/v1/programmes", body, GROUP)).or_raise()
            stage.done()
            (await self.world.post(COORDINATOR, f"{self._programme}/open", None, GROUP)).or_raise()
            stage.done()
            await self.world.settle()
            stage.says(f"{PROGRAMME_NAME}: {len(COMPANIES)} subsidiaries, {len(TOPICS)} topics")

    async def _people_enrol(self) -> None:
        with self.stages.stage("People enrol", len(self.group.wishes)) as stage:
            for number, wish in enumerate(self.group.wishes):
                day, place = divmod(number // AT_ONCE, MOMENTS)
                await self.world.until(START + timedelta(days=day, hours=1 + place))
                await self._enrol(wish)
                stage.done()
            await self.world.settle()
            stage.says(f"{len(self.group.wishes) - len(self.played.refused)} take part, {len(self.played.refused)} are refused")
        self._say_why_refused()

    async def _enrol(self, wish: Wish) -> None:
        answer = await self.world.post(wish.person, "/api/enrolment/v1/enrolments", {"programme": PROGRAMME, **wish.body()})
        if not answer.ok:
            reasons = answer.body.get("errors") or [{"code": code_of(answer), "detail": answer.body["detail"]}]
            told = tuple((one.get("code", "invalid"), one["detail"]) for one in reasons)
            self.played.refused.append(Refused(wish.person, wish.role.value, told))

    def _say_why_refused(self) -> None:
        counts = Counter(REFUSALS.get(code, code) for refused in self.played.refused for code, _ in refused.reasons)
        self.stages.aside("refused: " + ", ".join(f"{count} {reason}" for reason, count in counts.most_common()))

    async def _round_is_solved(self) -> str:
        with self.stages.stage("A round is solved") as stage:
            await self._to_evening()
            asked = await self.world.post(COORDINATOR, f"/api/matching/v1/programmes/{PROGRAMME}/rounds", {"seed": "demo"}, GROUP)
            round_ = f"/api/matching/v1/rounds/{asked.or_raise()['id']}"
            await self.world.settle()
            unmatched = await self.world.every(COORDINATOR, f"{round_}/unmatched?limit=200", GROUP)
            self.played.round = {**(await self.world.get(COORDINATOR, round_, GROUP)).or_raise(), "unmatched": unmatched}
            stage.says(_about_the_round(self.played.round))
        self.stages.aside(_why_alone(self.played.round))
        return str(self.played.round["id"])

    async def _round_is_published(self, round_id: str) -> None:
        with self.stages.stage("The round is published") as stage:
            (await self.world.post(COORDINATOR, f"/api/matching/v1/rounds/{round_id}/publish", {}, GROUP)).or_raise()
            await self.world.until(self.world.now + timedelta(minutes=30))
            proposed = len(await self.world.news("matching-rounds"))
            stage.says(f"by a person, after looking at it ({proposed} RoundPublished)")

    async def _people_answer(self) -> None:
        with self.stages.stage("Both sides answer", ANSWERS_TAKE) as stage:
            await self._days(stage, ANSWERS_TAKE)
            counts = self._people.counts
            stage.says(f"{counts['PairConfirmed']} confirmed, {counts['PairDeclined']} declined, {counts['PairExpired']} expired")

    async def _a_month(self, month: int) -> None:
        before = self._people.counts.copy()
        with self.stages.stage(f"Month {month}", MONTH) as stage:
            half = MONTH // 2
            await self._days(stage, half)
            happened = await self._incident(month)
            await self._days(stage, MONTH - half)
            stage.says(in_words(before, self._people.counts))
        if happened:
            self.stages.aside(happened)

    async def _days(self, stage: Stage, days: int) -> None:
        for _ in range(days):
            self._day += DAY
            if self._day.weekday() < 5:
                await self._people.spend(self._day)
            stage.done()

    _day: datetime = START

    async def _to_evening(self) -> None:
        """The evening of the day on which the last form was filled in; days are counted from there."""
        self._day = self.world.now.replace(hour=0, minute=0, second=0)
        await self.world.until(self._day + timedelta(hours=19))

    async def _incident(self, month: int) -> str | None:
        """What the HR systems bring half-way: a mentor moves into the executive's line, and somebody leaves."""
        if month == max(1, self.months // 2):
            return await self._mentor_moves()
        if month == max(2, self.months // 2 + 1):
            return await self._somebody_leaves()
        return None

    async def _mentor_moves(self) -> str | None:
        pair = await self._some_pair()
        if pair is None:
            return None
        record = self.group.moved_below(pair["mentor"], pair["mentee"], self.world.now)
        await self.world.emit([staff_record(record, at=self.world.now, number=-1)])
        await self.world.settle()
        self.played.incidents["moved"] = pair["id"]
        return "A mentor now reports to their executive: the pair is suspended within seconds, then ended and replaced"

    async def _somebody_leaves(self) -> str | None:
        pair = await self._some_pair()
        if pair is None:
            return None
        await self.world.emit([staff_record(self.group.left(pair["mentor"], self.world.now), at=self.world.now, number=-2)])
        await self.world.settle()
        self.played.incidents["left"] = pair["id"]
        return "A mentor leaves the group: the pair ends, and the executive is matched again"

    async def _some_pair(self) -> dict[str, Any] | None:
        pairs = await self.world.every(COORDINATOR, f"/api/matching/v1/pairs?programme={PROGRAMME}&limit=200", GROUP)
        confirmed = sorted((pair for pair in pairs if pair["status"] == "confirmed"), key=lambda pair: (pair["mentee"], pair["mentor"]))
        return self._random.choice(confirmed) if confirmed else None


def _about_the_round(found: dict[str, Any]) -> str:
    objective = found["answer"]["objective"]
    return f"{objective['pairs']} pairs, lowest score {objective['worst']}, total {objective['total']}, {len(found['unmatched'])} unmatched"


def _why_alone(found: dict[str, Any]) -> str:
    """What stood most often in the way of those without a pair."""
    alone = Counter(one["role"] for one in found["unmatched"])
    went = sum(one["left"] > 0 for one in found["unmatched"])
    barred: Counter[str] = Counter()
    for one in found["unmatched"]:
        words = RULES_FOR_A_MENTEE if one["role"] == Role.MENTEE else RULES_FOR_A_MENTOR
        barred.update({words.get(rule, rule): count for rule, count in one["removed"].items()})
    roles = ", ".join(f"{count} {role}s" for role, count in alone.most_common()) or "nobody"
    most = f"; the others most often {barred.most_common(1)[0][0]}" if barred else ""
    return f"without a pair: {roles}; {went} could have had somebody who fits another one better{most}"
