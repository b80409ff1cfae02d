"""Somebody with a name, an address and an id that stand nowhere else, who uses everything there is; and a look for them through raw bytes."""

import email
import email.policy
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from tests.services.enrolment.scim.door import CORE, EMPLOYEE, ENTERPRISE
from tests.support.programme import record, staff

from amont.common.events import StaffLeft, StaffRecorded
from amont.common.log import Record
from amont.common.testing.waiting import until

GROUP = "group:ada|group-coordinator"
COORDINATOR = "fr:cleo|coordinator"
EMPLOYEE_ID = "Éloïse Zquvantrel-7714"
PERSON = f"fr:{EMPLOYEE_ID}"
PARTNER, BOSS, REPORT, BYSTANDER = "de:e1", "fr:e1", "fr:e2", "de:e2"
FORMER = "de:was-hers"
"""An id that she had in another subsidiary; nobody has told of it."""
ERASED_BEFORE = "fr:e6"
"""Whom she has erased herself, as a coordinator."""
NAMES = (
    "Xylothéa",
    "Brumquavel",
    "xb7714@quavel.example",
    "Zquvantrel",
    "Oberwichtel-Tätigkeit",
    "her-own-reason-8841",
    "letter-of-request-5512",
)
"""Names, address, the telling part of the id, a job title, a private reason, and why she is to be erased."""
FORM = {"programme": "one", "topics": {"ai": 3}, "availability": ["mon 09:00-12:00"], "meeting": "remote", "charter_accepted": True}


def herself(**fields: Any) -> Record:
    """The planted person's record."""
    line = {
        "tenant": "fr",
        "employee_id": EMPLOYEE_ID,
        "given_name": NAMES[0],
        "family_name": NAMES[1],
        "email": NAMES[2],
        "job_title": NAMES[4],
        "preferred_language": "fr",
        "grade": "D",
        "function": "a",
        "manager_id": "e1",
        "languages": ["en", "fr"],
        "joined_on": "2020-01-01",
        "effective_at": "2024-01-01",
        "occurred_at": "2024-01-01T08:00:00Z",
        **fields,
    }
    return record(StaffRecorded, line)


class World(Protocol):
    """Whatever the services run on, driven by hand."""

    async def done(self, method: str, path: str, who: str, body: Any = None) -> Any: ...

    async def every(self, path: str, who: str) -> list[Any]: ...

    async def makes_user(self, tenant: str, token: str, user: Any) -> None:
        """By SCIM."""
        ...

    async def hears(self, records: Iterable[Record]) -> None: ...

    async def passes(self, time: timedelta) -> None: ...

    async def settle(self) -> None: ...


def as_user() -> dict[str, Any]:
    """The same as an identity provider has her."""
    return {
        "schemas": [CORE, ENTERPRISE, EMPLOYEE],
        "userName": NAMES[2],
        "name": {"givenName": NAMES[0], "familyName": NAMES[1]},
        "emails": [{"value": NAMES[2], "type": "work", "primary": True}],
        "active": True,
        "preferredLanguage": "fr",
        "title": NAMES[4],
        ENTERPRISE: {"employeeNumber": EMPLOYEE_ID, "manager": {"value": "e1"}},
        EMPLOYEE: {"grade": "D", "function": "a", "languages": "en, fr", "joinedOn": "2020-01-01"},
    }


@dataclass
class Story:
    """What came of it, for who looks at the others afterwards."""

    pair: str = ""
    round: str = ""


async def lived(all_four: World) -> Story:
    """She joins by two doors, plans a move, enrols, is paired, declines one session's time, holds one, gets mails; has a report, dead letters (one is of
    her report), a second role, a seat that is counted and a place in a waiting list; and decides about others as a coordinator.
    """
    ask, story = all_four.done, Story()
    grades = {"J": 4, "D": 16}
    for tenant in ("fr", "de"):
        await ask(
            "PUT",
            f"/enrolment/subsidiaries/{tenant}",
            GROUP,
            {"name": tenant, "zone": "Europe/Paris", "languages": ["en"], "grades": grades, "leaver_share": 0},
        )
    await all_four.hears(
        [
            staff("fr", 1, grade="D", function="b"),
            herself(),
            herself(effective_at="2027-06-01", team="elsewhere"),
            herself(effective_at="2027-02-01", former_id=FORMER),
            staff("fr", 2, manager_id=EMPLOYEE_ID, function="c"),
            staff("de", 1, function="b"),
            staff("de", 2, function="c"),
            staff("de", 3, grade="D", function="c"),
            *(staff("fr", number, function="c") for number in (4, 5, 6)),
        ]
    )
    token = (await ask("POST", "/enrolment/subsidiaries/fr/tokens", GROUP, {"name": "the directory"}))["token"]
    await all_four.makes_user("fr", token, as_user())
    await all_four.settle()
    for programme in ("one", "two"):
        body = {"programme": programme, "name": programme, "tenants": ["fr", "de"], "topics": ["ai"]}
        await ask("POST", "/enrolment/programmes", GROUP, body)
        await ask("POST", f"/enrolment/programmes/{programme}/open", GROUP)
    me = f"{PERSON}|participant"
    mine = await ask("POST", "/enrolment/enrolments", me, {**FORM, "programme": "two", "role": "mentee"})
    await ask("POST", f"/enrolment/enrolments/{mine['enrolment']}/withdraw", me, {"reason": NAMES[5]})
    mine = await ask("POST", "/enrolment/enrolments", me, {**FORM, "role": "mentee"})
    await ask("PATCH", f"/enrolment/enrolments/{mine['enrolment']}", me, {"meeting": "either"})
    for mentor in (PARTNER, BYSTANDER):
        await ask("POST", "/enrolment/enrolments", f"{mentor}|participant", {**FORM, "role": "mentor"})
    await ask("POST", "/enrolment/enrolments", "de:e3|participant", {**FORM, "role": "mentee"})
    await all_four.settle()
    await ask(
        "POST", "/matching/programmes/one/rulings", GROUP, {"kind": "forbidden", "mentee": PERSON, "mentor": BYSTANDER, "reason": NAMES[1]}
    )
    await ask("POST", "/matching/programmes/one/simulations", GROUP, {})
    story.round = (await ask("POST", "/matching/programmes/one/rounds", GROUP, {}))["id"]
    await _is_solved(all_four, story.round)
    await ask("POST", f"/matching/rounds/{story.round}/publish", GROUP, {"override_reason": "a test"})
    for _ in range(4):
        await all_four.passes(timedelta(seconds=2))
    (pair,) = await all_four.every("/matching/pairs?programme=one&person=" + PARTNER, GROUP)
    story.pair = pair["id"]
    for person in (PERSON, PARTNER):
        await ask("POST", f"/matching/pairs/{pair['id']}/accept", f"{person}|participant")
    await all_four.settle()
    await _decides(all_four)
    await _meets(all_four, story.pair)
    unheard = {"grade": "unheard-of", "occurred_at": "2024-02-01T08:00:00Z", "effective_at": "2024-02-01"}
    await all_four.hears([herself(**unheard), staff("fr", 2, manager_id=EMPLOYEE_ID, **unheard)])
    return story


async def _is_solved(all_four: World, round_: str) -> None:
    """A round that is being solved has its claim until later, so the house looks settled."""

    async def solved() -> bool:
        await all_four.settle()
        return bool((await all_four.done("GET", f"/matching/rounds/{round_}", GROUP))["status"] == "solved")

    await until(solved, within=60)


async def _decides(all_four: World) -> None:
    """As a coordinator she changes a programme, invites, pauses a feed, lets a leaver go, and has somebody erased; and takes a seat, and waits for another."""
    ask, me = all_four.done, f"{PERSON}|participant"
    she, she_of_all = f"{PERSON}|coordinator", f"{PERSON}|group-coordinator"
    for programme, first, second in (("three", me, "de:e3|participant"), ("four", "de:e3|participant", me)):
        body = {"programme": programme, "name": programme, "tenants": ["fr", "de"], "topics": ["ai"], "policy": {"mentee_seats": 1}}
        await ask("POST", "/enrolment/programmes", she_of_all, body)
        await ask("POST", f"/enrolment/programmes/{programme}/open", she_of_all)
        for who in (first, second):
            await ask("POST", "/enrolment/enrolments", who, {**FORM, "programme": programme, "role": "mentee"})
            await all_four.settle()
    await ask("POST", "/enrolment/programmes/two/invitations", she_of_all, {"people": ["fr:e5"], "role": "mentor"})
    for verb in ("pause", "resume"):
        await ask("POST", f"/enrolment/subsidiaries/fr/{verb}", she, {"why": "a test"})
    await all_four.passes(timedelta(hours=2))
    gone = {"tenant": "fr", "employee_id": "e4", "effective_at": "2026-12-01", "occurred_at": "2026-12-01T08:00:00Z"}
    await all_four.hears([record(StaffLeft, gone)])
    await ask("POST", "/enrolment/subsidiaries/fr/held/release", she, {"why": "a test"})
    await ask("POST", f"/enrolment/employees/{ERASED_BEFORE}/erase", she, {"reason": "a test"})
    for _ in range(4):
        await all_four.passes(timedelta(seconds=10))


async def _meets(all_four: World, pair: str) -> None:
    """One session is held, the next one is scheduled."""
    me = f"{PERSON}|participant"
    for _ in range(2):
        plan = await all_four.done("GET", f"/scheduling/plans/{pair}", me)
        session = plan["sessions"][-1]
        where = f"/scheduling/plans/{pair}/sessions/{session['id']}"
        starts_at = session["options"][0]["starts_at"]
        await all_four.done("POST", f"{where}/schedule", me, {"starts_at": starts_at})
        await all_four.settle()
        if session["number"] == 1:
            await all_four.passes(timedelta(days=14))
            await all_four.done("POST", f"{where}/complete", me)
            await all_four.passes(timedelta(days=30))


def hits(places: Mapping[str, bytes], wanted: Iterable[str]) -> list[tuple[str, str]]:
    """Where each stands, as UTF-8, as JSON escapes it, or in base64 at any of the three offsets."""
    return [(where, text) for where, content in places.items() for text in wanted if any(one in content for one in _spellings(text))]


def _spellings(text: str) -> set[bytes]:
    plain = {text.encode(), json.dumps(text)[1:-1].encode()}
    inner = {b64encode(b"." * shift + raw)[4 if shift else 0 : -4] for shift in range(3) for raw in plain}
    return {*plain, text.replace(" ", "%20").encode(), *inner}


def files_under(folder: Path) -> dict[str, bytes]:
    """Every file's bytes, by name; of a mail what it says instead, with nothing encoded."""
    return {
        str(path.relative_to(folder)): _said(path) if path.suffix == ".eml" else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _said(path: Path) -> bytes:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    parts = [part.get_payload(decode=True) or b"" for part in message.walk() if not part.is_multipart()]
    return b"\n".join([*(f"{name}: {value}".encode() for name, value in message.items()), *parts])
