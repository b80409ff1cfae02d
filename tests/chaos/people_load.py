"""The people of a campaign: they enrol, are paired, say yes and choose a time, over HTTP, while processes die. They try again, as people do."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import httpx
from tests.chaos.staff_load import BLOCK, person_id
from tests.support.house import House
from tests.support.programme import GRADES, GROUP, ZONES
from tests.support.programme import TOPICS as SUBJECTS

from amont.common.errors import Unavailable

PATIENCE_SECONDS = 900.0
"""How long somebody asks again before the campaign says that there is no answer; longer than the longest outage."""
AGAIN_SECONDS = 0.3


class PeopleLoad:
    """Programmes, one after the other, each of forty people and from its first enrolment to every pair's first session."""

    def __init__(self, house: House, people: int) -> None:
        self._house, self._blocks = house, people // (2 * BLOCK)
        self.programmes = 0
        """How many have come to their end."""

    async def ask(
        self,
        method: str,
        service: str,
        path: str,
        who: tuple[str, ...],
        body: Any = None,
        *,
        key: str = "",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> httpx.Response:
        """Until there is an answer that is not about being away."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            said: object
            try:
                async with self._house.client(service, *who) as client:
                    answer = await client.request(method, path, json=body, headers={**headers, **({"Idempotency-Key": key} if key else {})})
                if answer.status_code != 503:
                    return answer
                said = answer.text
            except httpx.HTTPError as error:
                said = error
            assert time.monotonic() < deadline, f"{method} {path} never answered: {said!r}"
            await asyncio.sleep(AGAIN_SECONDS)

    async def done(self, method: str, service: str, path: str, who: tuple[str, ...], body: Any = None, *, key: str = "") -> Any:
        """Granted, or refused because it is done already: whoever asks again does not know whether the first time had worked."""
        answer = await self.ask(method, service, path, who, body, key=key)
        assert answer.is_success or answer.status_code == 409, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def subsidiaries(self) -> None:
        for tenant, zone in ZONES.items():
            await self.done(
                "PUT", "enrolment", f"/subsidiaries/{tenant}", GROUP, {"name": tenant, "zone": zone, "languages": ["en"], "grades": GRADES}
            )

    async def live(self, over: asyncio.Event, share: float = 1.0) -> None:
        """One programme after the other until it is over, or that share of the people has had one; the one that has begun comes to its end."""
        while not over.is_set() and self.programmes < share * self._blocks:
            await self.programme(self.programmes)
            self.programmes += 1

    async def programme(self, number: int) -> None:
        name = f"programme-{number}"
        body = {"programme": name, "name": name, "tenants": list(ZONES), "topics": list(SUBJECTS), "policy": {"sessions": 1}}
        await self.done("POST", "enrolment", "/programmes", GROUP, body)
        await self.done("POST", "enrolment", f"/programmes/{name}/open", GROUP, {})
        first = number * 2 * BLOCK
        for person in range(first, first + 2 * BLOCK):
            await self._enrol(name, person, "mentee" if person < first + BLOCK else "mentor")
        await self._paired(name)
        await self._sessions_chosen(name)

    async def _enrol(self, programme: str, person: int, role: str) -> None:
        form = {
            "programme": programme,
            "role": role,
            "topics": {"ai": 3, "data": 1 + person % 3},
            "availability": ["mon 09:00-12:00", "wed 14:00-18:00"],
            "meeting": "remote",
            "charter_accepted": True,
        }
        await self.done("POST", "enrolment", "/enrolments", (person_id(person),), form, key=f"{programme}/{person}")

    async def _paired(self, programme: str) -> None:
        """A round is solved and published once matching knows everybody; mentees, then mentors, say yes as soon as they are asked."""

        async def published() -> bool:
            solved = await self.ask(
                "POST", "matching", f"/programmes/{programme}/rounds", GROUP, {"seed": "chaos"}, key=f"round/{programme}"
            )
            if solved.status_code in {404, 409, 422}:  # matching has not heard of it, or of everybody, yet
                return False
            assert solved.is_success, solved.text
            answer = await self.ask("POST", "matching", f"/rounds/{solved.json()['id']}/publish", GROUP, {})
            if answer.status_code == 409 and " is requested " in answer.text:  # it is not solved yet
                return False
            assert answer.is_success or "not-open" in answer.text, answer.text
            return True

        async def confirmed() -> bool:
            pairs = (await self.done("GET", "matching", f"/pairs?programme={programme}&limit=200", GROUP))["items"]
            for pair in pairs:
                whose = {"proposed": pair["mentee"], "accepted": pair["mentor"]}.get(pair["status"])
                if whose:
                    await self.done("POST", "matching", f"/pairs/{pair['id']}/accept", (whose,))
            return bool(pairs) and all(pair["status"] == "confirmed" for pair in pairs)

        await _until(self._everybody_is_known, programme)
        await _until(published)
        await _until(confirmed)

    async def _everybody_is_known(self, programme: str) -> bool:
        found = [one for one in await self._house.everything("matching", "enrolments") if one["programme"] == programme]
        return len(found) == 2 * BLOCK

    async def _sessions_chosen(self, programme: str) -> None:
        """Every mentee takes the first time that is offered and free."""

        async def chosen() -> bool:
            plans = (await self.done("GET", "scheduling", f"/plans?programme={programme}&limit=200", GROUP))["items"]
            waiting = [(plan, session) for plan in plans for session in plan["sessions"] if session["status"] == "proposed"]
            for plan, session in waiting:
                slots = (await self.ask("GET", "scheduling", f"/plans/{plan['pair']}/slots", (plan["mentee"],))).json().get("slots", [])
                free = [slot for slot in session["options"] if slot in slots] or slots
                if free:
                    path, choice = f"/plans/{plan['pair']}/sessions/{session['id']}/schedule", {"starts_at": free[0]["starts_at"]}
                    await self.ask("POST", "scheduling", path, (plan["mentee"],), choice)  # refused when somebody was faster
            return bool(plans) and all(plan["sessions"] for plan in plans) and not waiting

        await _until(chosen)


async def _until(condition: Callable[..., Awaitable[bool]], *args: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(Unavailable):  # we look for ourselves as well
            if await condition(*args):
                return
        assert time.monotonic() < deadline, f"{condition.__qualname__} never came"
        await asyncio.sleep(AGAIN_SECONDS)
