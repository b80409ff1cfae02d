"""What somebody wants no messages about: their own to say, kept to by every mail of the kind, and by no other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.services.notifications.two_people import (
    MENTEE,
    MENTOR,
    employee,
    everybody,
    invited,
    mails,
    notifications,
    recipient,
    text,
    waitlisted,
)

from amont.common.events import EmployeeLeft
from amont.common.events.values import DeliveryStatus
from amont.common.identity import Privilege
from amont.common.testing.hearing import START, Hearing
from amont.notifications.domain.people import Recipient

PATH = "/api/notifications/v1/preferences"


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with notifications(tmp_path) as hearing:
        await hearing.hears(*everybody())
        yield hearing


async def mute(h: Hearing, person: str, *muted: str) -> None:
    async with h.client(person) as client:
        answer = await client.put(PATH, json={"muted": list(muted)})
        assert answer.json() == {"person": person, "muted": list(muted)}, answer.text
        assert (await client.get(PATH)).json() == answer.json()


async def outcomes(h: Hearing) -> list[tuple[str, str | None]]:
    async with h.client(MENTOR) as client:
        items = (await client.get("/api/notifications/v1/deliveries")).json()["items"]
    return sorted((item["status"], item["reason"]) for item in items)


async def test_an_invitation_leads_to_the_programme_and_to_where_one_says_no_more(h: Hearing, tmp_path: Path) -> None:
    await h.hears(invited(), invited(2, seq=2))
    first, second = sorted(mails(tmp_path), key=lambda mail: str(mail["Subject"]))
    for mail in (first, second):
        assert recipient(mail) == MENTOR
        assert "http://127.0.0.1:8000/enrolment/programmes/digital-2027\n" in text(mail)
        assert "http://127.0.0.1:8000/notifications/preferences\n" in text(mail)
        assert "List-Unsubscribe" not in mail  # a link that needs signing in is not one click
    assert first["Subject"] != second["Subject"]


async def test_who_wants_no_invitations_gets_none_and_all_else(h: Hearing, tmp_path: Path) -> None:
    await mute(h, MENTOR, "invitations")
    await h.hears(invited(), invited(2, seq=2), waitlisted())
    assert await outcomes(h) == [
        (DeliveryStatus.SENT, None),
        (DeliveryStatus.SUPPRESSED, "muted"),
        (DeliveryStatus.SUPPRESSED, "muted"),
    ]
    assert len(mails(tmp_path)) == 1
    await mute(h, MENTOR)
    await h.hears(invited(3, seq=4))
    assert len(mails(tmp_path)) == 2


async def test_a_change_of_the_person_s_record_keeps_what_they_want_and_their_leaving_forgets_it(h: Hearing) -> None:
    await mute(h, MENTEE, "invitations")
    await h.hears(employee(MENTEE, seq=2, site="elsewhere"))
    assert (await h.look(Recipient, MENTEE)).muted == ("invitations",)
    await h.hears(EmployeeLeft(seq=3, person=MENTEE, effective_at=START))
    assert (await h.look(Recipient, MENTEE)).muted == ()


async def test_preferences_are_for_people_who_are_known_and_about_what_one_can_do_without(h: Hearing) -> None:
    async with h.client("fr:nobody-yet") as client:
        assert (await client.get(PATH)).json()["muted"] == []
        answer = await client.put(PATH, json={"muted": ["invitations"]})
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:amont:problem:not-known-yet")
    async with h.client(MENTOR) as client:
        assert (await client.put(PATH, json={"muted": ["proposals"]})).status_code == 422
    async with h.client("fr:coord", Privilege.COORDINATOR) as client:
        assert (await client.put(PATH, json={"muted": []})).status_code == 403
