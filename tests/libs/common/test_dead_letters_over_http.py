"""Dead letters over HTTP: what operations see and may do. Who may at all is in tests/identity."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.libs.common.listeners import Faults, listening, told_to
from tests.libs.common.shell import told

from amont.common.identity import Privilege
from amont.common.service.letters import commands
from amont.common.testing.hearing import Hearing, record_of

LETTERS = "/api/matching/v1/dead-letters"


@pytest.fixture
def faults() -> Faults:
    return Faults(defects={"ada@example.org"})


@pytest.fixture
async def one(faults: Faults, tmp_path: Path) -> AsyncIterator[Hearing]:
    async with listening(faults, tmp_path) as made:
        broken = replace(record_of(told("b", 1)), value=b'{"name": "Ada')
        await made.hears(told("a", 1, "ada@example.org"), told("a", 2, "2"), broken)
        yield made


@pytest.fixture
async def ops(one: Hearing) -> AsyncIterator[httpx.AsyncClient]:
    async with one.client("group:otto", Privilege.OPS) as client:
        yield client


async def listed(ops: httpx.AsyncClient, **query: Any) -> list[Any]:
    answer = await ops.get(LETTERS, params=query)
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


async def test_a_list_says_where_letters_stand_and_nothing_of_what_they_say(ops: httpx.AsyncClient) -> None:
    answer = await ops.get(LETTERS)
    assert [(one["key"], one["reason"], one["status"]) for one in answer.json()["items"]] == [
        ("a", "defect", "open"),
        ("a", "blocked-by", "open"),
        ("b", "invalid-payload", "open"),
    ]
    assert "ada" not in answer.text.lower()
    assert [one["key"] for one in await listed(ops, reason="invalid-payload")] == ["b"]
    assert await listed(ops, status="dropped") == []


async def test_pages_hold_every_letter_once_and_follow_their_links(ops: httpx.AsyncClient) -> None:
    whole, address = [], f"{LETTERS}?limit=1"
    for _ in range(3):
        answer = await ops.get(address)
        whole += answer.json()["items"]
        address = answer.json()["next"]
        assert f"<{address}>" in answer.headers["Link"]
    assert whole == await listed(ops)
    assert (await ops.get(address)).json()["items"] == []


async def test_a_page_that_ends_early_because_its_letters_are_large_says_what_follows(ops: httpx.AsyncClient, one: Hearing) -> None:
    large = replace(record_of(told("x", 1)), value=b"x" * 400_000)
    await one.hears(*(replace(large, key=f"x{n:02d}") for n in range(12)))
    found, address = [], f"{LETTERS}?limit=200&reason=invalid-payload"
    while address:
        answer = (await ops.get(address)).json()
        found += [item["key"] for item in answer["items"]]
        address = answer["next"]
    assert found == ["b", *(f"x{n:02d}" for n in range(12))]


async def test_the_next_page_is_of_the_same_question_with_every_status_that_was_asked_for(ops: httpx.AsyncClient) -> None:
    defect, *_ = await listed(ops)
    await ops.post(f"{LETTERS}/{defect['id']}/drop", json={"why": "no use"})
    first = (await ops.get(LETTERS, params={"status": ["dropped", "open"], "limit": 1})).json()
    second = (await ops.get(first["next"])).json()
    assert [one["status"] for one in (*first["items"], *second["items"])] == ["dropped", "open"]
    third = (await ops.get(LETTERS, params={"status": ["open", "dropped"], "limit": 1})).json()
    assert third["items"] == first["items"]
    assert (await ops.get(third["next"])).json()["items"] == second["items"]


async def test_a_single_letter_shows_what_it_says_and_is_not_to_be_stored(ops: httpx.AsyncClient) -> None:
    defect, _, broken = await listed(ops)
    answer = await ops.get(f"{LETTERS}/{defect['id']}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["content"]["value"]["name"] == "ada@example.org"
    assert answer.json()["content"]["headers"]["ce_seq"] == "1"
    assert [one["what"] for one in answer.json()["history"]] == ["parked"]
    assert (await ops.get(f"{LETTERS}/{broken['id']}")).json()["content"]["value"] == '{"name": "Ada'
    assert (await ops.get(f"{LETTERS}/nothing")).status_code == 404


async def test_one_letter_is_mended_and_replayed_and_what_waited_follows(ops: httpx.AsyncClient, one: Hearing) -> None:
    defect, waiting, broken = await listed(ops)
    refused = await ops.post(f"{LETTERS}/{waiting['id']}/replay")
    assert (refused.status_code, defect["id"] in refused.json()["detail"]) == (409, True)
    value = {**told("a", 1, "mended").model_dump(mode="json")}
    version = (await ops.get(f"{LETTERS}/{defect['id']}")).headers["ETag"]
    edited = await ops.patch(
        f"{LETTERS}/{defect['id']}", json={"why": "a name that breaks us", "value": value}, headers={"If-Match": version}
    )
    assert edited.status_code == 200, edited.text
    assert edited.json()["original"]["value"]["name"] == "ada@example.org"
    assert edited.json()["history"][-1] | {"at": ""} == {
        "at": "",
        "who": "group:otto",
        "what": "edited",
        "why": "a name that breaks us",
        "fields": ["value"],
    }
    stale = await ops.post(f"{LETTERS}/{defect['id']}/replay", headers={"If-Match": version})
    assert stale.status_code == 409
    assert (await ops.post(f"{LETTERS}/{defect['id']}/replay")).status_code == 202
    assert (await ops.post(f"{LETTERS}/{broken['id']}/drop", json={"why": "cut short"})).json()["status"] == "dropped"
    await one.settle()
    assert await told_to(one, "a") == ("mended", "2")
    assert await listed(ops) == []


async def test_of_two_who_edit_one_letter_the_second_is_told_and_nobody_edits_what_nobody_has_read(ops: httpx.AsyncClient) -> None:
    defect, *_ = await listed(ops)
    letter, read = f"{LETTERS}/{defect['id']}", {}
    for name in ("ours", "theirs"):
        read[name] = (await ops.get(f"{letter}")).headers["ETag"]

    async def edit(name: str, **headers: str) -> httpx.Response:
        return await ops.patch(letter, json={"why": name, "value": told("a", 1, name).model_dump(mode="json")}, headers=headers)

    blind = await edit("blind")
    assert (blind.status_code, blind.json()["current_version"]) == (428, 1)
    answers = await asyncio.gather(*(edit(name, **{"If-Match": version}) for name, version in read.items()))
    assert sorted(one.status_code for one in answers) == [200, 409]
    [refused] = [one.json() for one in answers if one.status_code == 409]
    assert (refused["type"], refused["current_version"]) == ("urn:amont:problem:stale-version", 2)
    whole = (await ops.get(letter)).json()
    assert [one["what"] for one in whole["history"]] == ["parked", "edited"]
    assert whole["content"]["value"]["name"] == whole["history"][-1]["why"]
    assert (await edit("whatever", **{"If-Match": "*"})).status_code == 200


async def test_many_are_counted_right_when_the_service_takes_some_meanwhile(
    ops: httpx.AsyncClient, one: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt that loses one has asked for the others all the same."""
    defect, *_ = await listed(ops)
    commit, others = one.service.unit.house.store.commit, [1]

    async def moved(writes: Any) -> Any:
        if others:
            others.pop()
            await one.asked(commands.edit, defect["id"], "group:other", "faster", value=told("a", 1, "x").encode())
        return await commit(writes)

    monkeypatch.setattr(one.service.unit.house.store, "commit", moved)
    answer = await ops.post(f"{LETTERS}/replay", json={"everything": True})
    assert answer.json() == {"replaying": 2, "waiting": 1, "in_part": 0}


async def test_what_was_settled_before_it_could_be_taken_back_is_named(
    ops: httpx.AsyncClient, one: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    defect, _, broken = await listed(ops)
    await ops.post(f"{LETTERS}/replay", json={"everything": True})
    others_are_faster(monkeypatch, one, defect["id"], as_replayed)
    answer = (await ops.post(f"{LETTERS}/take-back", json={"everything": True})).json()
    assert (answer["taken_back"], [left["id"] for left in answer["not_done"]]) == (1, [defect["id"]])
    assert "replayed already" in answer["not_done"][0]["why"]
    assert (await ops.get(f"{LETTERS}/{broken['id']}")).json()["status"] == "open"


async def test_one_that_was_forgotten_before_it_could_be_taken_back_is_named_and_the_others_are_taken_back(
    ops: httpx.AsyncClient, one: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    defect, _, broken = await listed(ops)
    await ops.post(f"{LETTERS}/replay", json={"everything": True})
    others_are_faster(monkeypatch, one, defect["id"], forgotten)
    answer = await ops.post(f"{LETTERS}/take-back", json={"everything": True})
    assert (answer.status_code, [left["id"] for left in answer.json()["not_done"]]) == (200, [defect["id"]])
    assert (await ops.get(f"{LETTERS}/{broken['id']}")).json()["status"] == "open"


def others_are_faster(monkeypatch: pytest.MonkeyPatch, one: Hearing, letter: str, command: Any) -> None:
    """Have somebody do something about a letter just before it is taken back."""
    take_back = commands.take_back

    async def slower(work: Any, id_: str, *rest: Any) -> Any:
        if id_ == letter:
            await one.service.run(command, id_)
        return await take_back(work, id_, *rest)

    monkeypatch.setattr(commands, "take_back", slower)


async def forgotten(work: Any, id_: str) -> None:
    work.remove((await commands.one(work, id_))[0])


async def as_replayed(work: Any, id_: str) -> None:
    letter, _ = await commands.one(work, id_)
    if letter.unresolved:
        work.save(letter.applied(work.now))


async def test_what_is_to_be_replayed_is_taken_back_one_or_many(ops: httpx.AsyncClient, one: Hearing) -> None:
    defect, _, broken = await listed(ops)
    await ops.post(f"{LETTERS}/replay", json={"everything": True})
    drop = await ops.post(f"{LETTERS}/{broken['id']}/drop", json={"why": "no use"})
    assert (drop.status_code, "take it back first" in drop.json()["detail"]) == (409, True)
    taken = await ops.post(f"{LETTERS}/{broken['id']}/take-back", json={"why": "a mistake"})
    assert (taken.status_code, taken.json()["status"]) == (200, "open")
    assert (await ops.post(f"{LETTERS}/take-back", json={})).status_code == 422
    assert (await ops.post(f"{LETTERS}/take-back", json={"everything": True})).json() == {"taken_back": 1, "not_done": []}
    assert (await ops.get(f"{LETTERS}/{defect['id']}")).json()["history"][-1]["what"] == "taken back"
    await one.settle()
    assert {(letter["status"], letter["attempts"]) for letter in await listed(ops)} == {("open", 1)}


async def test_a_blank_reason_is_refused_with_a_sentence(ops: httpx.AsyncClient) -> None:
    defect, *_ = await listed(ops)
    letter = f"{LETTERS}/{defect['id']}"
    for method, route, more in (
        ("PATCH", letter, {"value": {}}),
        ("POST", f"{letter}/drop", {}),
        ("POST", f"{letter}/replay", {}),
        ("POST", f"{letter}/take-back", {}),
        ("POST", f"{LETTERS}/replay", {"everything": True}),
    ):
        for why in ("", "  "):
            answer = await ops.request(method, route, json={"why": why, **more})
            assert answer.status_code == 422, route
            assert answer.json()["errors"] == [{"pointer": "/why", "detail": "say why, in a few words: it stays with the letter"}]


async def test_an_edit_that_could_not_be_read_is_refused_with_its_place(ops: httpx.AsyncClient) -> None:
    defect, *_ = await listed(ops)
    any_version = {"If-Match": "*"}
    answer = await ops.patch(f"{LETTERS}/{defect['id']}", json={"why": "try", "value": {"seq": 1}}, headers=any_version)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/value"
    assert "/subsidiary" in answer.json()["detail"]
    lone = await ops.patch(f"{LETTERS}/{defect['id']}", content=b'{"why": "try", "value": {"name": "\\ud800"}}', headers=any_version)
    assert (lone.status_code, lone.json()["errors"][0]["pointer"]) == (422, "/value/name")
    nested = b'{"why": "try", "value": ' + b'{"a": ' * 300 + b"1" + b"}" * 301
    as_json = {**any_version, "Content-Type": "application/json"}
    deep = await ops.patch(f"{LETTERS}/{defect['id']}", content=nested, headers=as_json)
    assert (deep.status_code, deep.json()["errors"]) == (422, [{"pointer": "/value", "detail": "it is nested too deeply"}])
    assert (await ops.patch(f"{LETTERS}/{defect['id']}", json={"value": {}})).status_code == 422


async def test_many_are_replayed_by_conditions_or_all_and_never_by_accident(ops: httpx.AsyncClient, one: Hearing, faults: Faults) -> None:
    for body in ({}, {"everything": True, "key": "a"}):
        assert (await ops.post(f"{LETTERS}/replay", json=body)).status_code == 422
    faults.mend()
    asked = await ops.post(f"{LETTERS}/replay", json={"everything": True, "why": "mended"})
    assert (asked.status_code, asked.json()) == (202, {"replaying": 2, "waiting": 1, "in_part": 0})
    await one.settle()
    assert await told_to(one, "a") == ("ada@example.org", "2")
    [left] = await listed(ops)
    assert (left["key"], left["status"], left["attempts"]) == ("b", "open", 2)


async def test_times_without_an_offset_are_refused(ops: httpx.AsyncClient) -> None:
    assert (await ops.get(LETTERS, params={"since": "2027-01-04T08:00:00"})).status_code == 422
    assert len(await listed(ops, since="2027-01-04T09:00:00+01:00", until="2027-01-04T08:00:00Z")) == 3
    assert await listed(ops, since="2027-01-04T08:00:01Z") == []
