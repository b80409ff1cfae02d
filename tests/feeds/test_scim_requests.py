"""34 SCIM requests that nobody here made, from the RFCs and from Entra's and Okta's pages: each answered as a correct server may, and doing what it must."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.services.enrolment.scim.door import CORE, EMPLOYEE, ENTERPRISE, GROUPS, Scene, lea, scene

from amont.common.events import StaffLeft
from amont.enrolment.domain.scim_user import ScimUser

MEMBERS = ("x1", "x2")
LEAVERS = ("entra-04-disable-boolean", "entra-05-disable-string-False", "entra-06-disable-with-flag", "okta-03-deactivate-no-path")


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as one:
        yield one


def requests(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "scim" / "index.json").read_text(encoding="utf-8"))
    return found


async def asked(door: Scene, folder: Path, name: str, *members: str) -> dict[str, Any]:
    """The request of that name, asked about a user and a group that are there; what it was about as it is afterwards."""
    [one] = [one for one in requests(folder) if one["file"] == f"{name}.json"]
    user = await door.fr.made(externalId="seed", **{EMPLOYEE: {"grade": "C1"}, ENTERPRISE: {}})
    group = (
        await door.fr("POST", "/Groups", {"schemas": [GROUPS], "displayName": "G", "members": [{"value": one} for one in members]})
    ).json()
    path = one["path"].replace("{id}", user["id"] if one["path"].startswith("/Users") else group["id"])
    await door.told()
    answer = await door.fr(one["method"], path, (folder / "scim" / one["file"]).read_bytes())
    assert answer.status_code in one["status"], (name, answer.text)
    body: dict[str, Any] = answer.json() if one["method"] == "POST" else (await door.fr("GET", path)).json()
    return body


async def test_each_is_answered_as_a_correct_server_may(feeds: Path, tmp_path: Path) -> None:
    found = requests(feeds)
    assert len(found) == 34
    for one in found:
        async with scene(tmp_path / one["file"].removesuffix(".json")) as door:
            await asked(door, feeds, one["file"].removesuffix(".json"))


@pytest.mark.parametrize("name", LEAVERS)
async def test_each_way_to_disable_somebody_is_a_leaver(name: str, feeds: Path, door: Scene) -> None:
    assert (await asked(door, feeds, name))["active"] is False
    assert [type(one) for one in await door.told()] == [StaffLeft]


@pytest.mark.parametrize(
    "name", ["entra-13-group-remove-member-by-value", "entra-14-group-remove-member-by-value-2", "entra-15-group-remove-with-flag"]
)
async def test_to_remove_a_member_by_value_removes_no_other(name: str, feeds: Path, door: Scene) -> None:
    [operation] = json.loads((feeds / "scim" / f"{name}.json").read_text())["Operations"]
    gone = operation["value"][0]["value"] if "value" in operation else re.findall(r'"([^"]+)"', operation["path"])[0]
    left = await asked(door, feeds, name, *MEMBERS, gone)
    assert [one["value"] for one in left["members"]] == list(MEMBERS)


async def test_what_comes_with_a_whole_user_and_is_none_of_ours_is_neither_kept_nor_answered(feeds: Path, door: Scene) -> None:
    made = await asked(door, feeds, "rfc-02-post-enterprise-user-full")
    assert (made["id"], made[ENTERPRISE]["manager"]["value"]) == ("701984", "26118915-6090-4610-87e4-49d8ca9f808d")
    kept = repr(await door.hearing.look(ScimUser, "fr:701984"))
    for gone in ("t1meMa$heen", "Universal City", "photos.example.com", "MIIDQz", "someaimhandle", "555-555"):
        assert gone not in json.dumps(made) + kept


async def test_many_operations_in_two_spellings_end_the_same(feeds: Path, tmp_path: Path) -> None:
    for name in ("entra-08-replace-many", "entra-09-replace-many-with-flag"):
        async with scene(tmp_path / name) as door:
            user = await asked(door, feeds, name)
            assert not any("." in key for key in user if not key.startswith("urn:"))
            assert user["id"] == "seed"
            assert len(await door.told()) == 1
            assert {"displayName", "name", "emails", ENTERPRISE} <= set(user)


async def test_a_put_that_does_not_know_an_extension_keeps_it(feeds: Path, door: Scene) -> None:
    user = await asked(door, feeds, "okta-02-put-user")
    assert user[EMPLOYEE] == {"grade": "C1"}
    assert "title" not in user
    assert user["schemas"][0] == CORE


async def test_a_name_that_another_has_is_a_conflict(feeds: Path, door: Scene) -> None:
    body = (feeds / "scim" / "entra-01-create-user.json").read_bytes()
    assert (await door.fr("POST", "/Users", body)).status_code == 201
    again = await door.fr("POST", "/Users", body)
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")
    await door.fr.made(**lea(userName="other"))
