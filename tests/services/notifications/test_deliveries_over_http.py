"""Looking at deliveries over HTTP: one's own, for operations everybody's; never an address or a text."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.services.notifications.two_people import MENTEE, MENTOR, PERSONAL, TELLING, everybody, notifications

from amont.common.events import PairConfirmed, PairEnded, PairProposed
from amont.common.identity import Privilege
from amont.common.testing.hearing import Hearing

PATH = "/api/notifications/v1/deliveries"


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with notifications(tmp_path) as hearing:
        await hearing.hears(*everybody(), *(TELLING[kind][0] for kind in (PairProposed, PairConfirmed, PairEnded)))
        yield hearing


async def test_people_see_what_they_were_told(h: Hearing) -> None:
    async with h.client(MENTEE) as client:
        answer = await client.get(PATH)
        assert answer.status_code == 200
        assert {(item["person"], item["kind"], item["status"], item["channel"]) for item in answer.json()["items"]} == {
            (MENTEE, kind, "sent", "mail") for kind in ("proposal", "pair-confirmed", "pair-ended")
        }
        assert (await client.get(PATH, params={"person": MENTEE})).json() == answer.json()


async def test_an_item_has_no_address_no_text_and_nothing_that_we_did_not_mean_to_show(h: Hearing) -> None:
    async with h.client(MENTEE) as client:
        [first, *_] = (await client.get(PATH)).json()["items"]
        answer = await client.get(f"{PATH}/{first['id']}")
    assert answer.json() == first
    assert first.keys() == {"id", "person", "kind", "channel", "about", "happened_at", "status", "reason", "attempts", "version"}
    assert answer.headers["ETag"] == f'"{first["version"]}"'
    assert [name for name in PERSONAL if name in answer.text] == []


async def test_operations_see_everybody_s(h: Hearing) -> None:
    async with h.client("group:ops-1", Privilege.OPS) as client:
        everything = (await client.get(PATH)).json()["items"]
        assert {item["person"] for item in everything} == {MENTEE, MENTOR}
        mentor_s = (await client.get(PATH, params={"person": MENTOR})).json()["items"]
        assert {item["id"] for item in mentor_s} == {item["id"] for item in everything if item["person"] == MENTOR}
        assert (await client.get(f"{PATH}/{mentor_s[0]['id']}")).status_code == 200


@pytest.mark.parametrize(
    ("person", "privileges", "status"),
    [
        ("fr:e-9", (), 404),
        (MENTOR, (), 404),
        ("de:c-1", (Privilege.COORDINATOR,), 404),
        ("fr:c-1", (Privilege.COORDINATOR,), 403),
        ("group:g-1", (Privilege.GROUP_COORDINATOR,), 403),
        ("group:a-1", (Privilege.AUDITOR,), 403),
    ],
)
async def test_nobody_else_sees_them(person: str, privileges: tuple[Privilege, ...], status: int, h: Hearing) -> None:
    async with h.client(MENTEE) as client:
        [first, *_] = (await client.get(PATH)).json()["items"]
    async with h.client(person, *privileges) as client:
        for answer in (await client.get(PATH, params={"person": MENTEE}), await client.get(f"{PATH}/{first['id']}")):
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("privilege", sorted(set(Privilege) - {Privilege.OPS}))
async def test_whoever_asks_for_nobody_gets_nothing_of_others(privilege: Privilege, h: Hearing) -> None:
    async with h.client("fr:e-9", privilege) as client:
        answer = await client.get(PATH)
    assert answer.status_code == (200 if privilege is Privilege.PARTICIPANT else 403)
    assert answer.json().get("items", []) == []


async def test_a_delivery_that_does_not_exist_is_named(h: Hearing) -> None:
    async with h.client("group:ops-1", Privilege.OPS) as client:
        answer = await client.get(f"{PATH}/nothing")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no delivery 'nothing' here.")


async def test_a_long_list_comes_in_pages(h: Hearing) -> None:
    async with h.client(MENTEE) as client:
        first = await client.get(PATH, params={"limit": 2, "person": MENTEE})
        second = await client.get(first.json()["next"])
        assert first.headers["Link"] == f'<{first.json()["next"]}>; rel="next"'
    assert (len(first.json()["items"]), len(second.json()["items"]), second.json()["next"]) == (2, 1, None)
    assert len({item["id"] for answer in (first, second) for item in answer.json()["items"]}) == 3


async def test_a_person_that_cannot_be_is_refused_with_its_place(h: Hearing) -> None:
    async with h.client(MENTEE) as client:
        answer = await client.get(PATH, params={"person": "nobody in particular"})
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["query:/person"]
