"""Half a surrogate pair in a JSON body is refused by every route that takes one, before anything else is made of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.libs.common.listeners import Faults, listening
from tests.libs.common.shell import told

from amont.common.identity import Privilege
from amont.common.web.halves import MOST_FAULTS

LETTERS = "/api/matching/v1/dead-letters"
MANY, BACK = f"{LETTERS}/replay", f"{LETTERS}/take-back"


@pytest.fixture
async def ops(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with listening(Faults(defects={"boom"}), tmp_path) as one:
        await one.hears(told("a", 1, "boom"))
        async with one.client("group:otto", Privilege.OPS) as client:
            yield client


async def asked(ops: httpx.AsyncClient, method: str, route: str, body: bytes) -> httpx.Response:
    [letter] = (await ops.get(LETTERS)).json()["items"]
    route = route.format(letter=f"{LETTERS}/{letter['id']}")
    return await ops.request(method, route, content=body, headers={"Content-Type": "application/json", "If-Match": "*"})


@pytest.mark.parametrize(
    ("method", "route", "body", "pointers"),
    [
        ("POST", MANY, rb'{"key": "\ud800"}', ["/key"]),
        ("POST", MANY, rb'{"why": "x\udfff", "reason": "\ud83d"}', ["/why", "/reason"]),
        ("POST", BACK, rb'{"tenant": "\ud800", "topic": "\ud800"}', ["/tenant", "/topic"]),
        ("POST", MANY, b'{"key": "\xed\xa0\x80"}', ["/key"]),
        ("POST", MANY, '{"key": "\ud800"}'.encode("utf-16-le", "surrogatepass"), ["/key"]),
        ("POST", "{letter}/drop", rb'{"why": "\ud800"}', ["/why"]),
        ("PATCH", "{letter}", rb'{"why": "x", "headers": {"a": "\ud800"}}', ["/headers/a"]),
        ("PATCH", "{letter}", rb'{"why": "x", "headers": {"a/\ud800": "b"}}', [r"/headers/a~1\ud800"]),
        ("PATCH", "{letter}", rb'{"why": "x", "value": {"a": [1, {"b": "\ud800"}]}}', ["/value/a/1/b"]),
        ("POST", MANY, rb'"\ud800"', [""]),
        ("POST", MANY, rb'{"key": ' + rb"[" * 900 + rb'"\ud800"' + rb"]" * 900 + rb"}", ["/key" + "/0" * 900]),
        ("POST", MANY, b'{"key": [' + b",".join([rb'"\ud800"'] * 500) + b"]}", [f"/key/{n}" for n in range(MOST_FAULTS)]),
    ],
    ids=["a value", "two", "another body", "as bytes", "in UTF-16", "a reason", "a header", "a name", "nested", "alone", "deep", "many"],
)
async def test_half_a_pair_is_refused_with_its_place(
    ops: httpx.AsyncClient, method: str, route: str, body: bytes, pointers: list[str]
) -> None:
    answer = await asked(ops, method, route, body)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == pointers
    assert answer.json()["errors"][0]["detail"].startswith("half a surrogate pair stands alone")


@pytest.mark.parametrize("text", [r"\ud83d\ude00", "\N{GRINNING FACE}", r"\\ud800", r"\u00e9"])
async def test_what_is_a_character_is_taken_in_every_spelling(ops: httpx.AsyncClient, text: str) -> None:
    assert (await asked(ops, "POST", MANY, f'{{"key": "{text}"}}'.encode())).status_code == 202


async def test_what_is_no_json_or_comes_from_nobody_is_told_that_first(ops: httpx.AsyncClient) -> None:
    broken = await asked(ops, "POST", MANY, rb'{"key": "\ud800"')
    assert "not JSON" in broken.json()["errors"][0]["detail"]
    assert (await asked(ops, "POST", MANY, b'{"key":' + b"[" * 100_000)).status_code == 400
    del ops.headers["Authorization"]
    nobody = await ops.post(MANY, content=rb'{"key": "\ud800"}', headers={"Content-Type": "application/json"})
    assert nobody.status_code == 401
