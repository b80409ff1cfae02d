"""`amont contracts check --scim`: what a source's users would come to, said beforehand by the door's own mapping; and every way in which a source is none."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.services.enrolment.scim.door import CORE, EMPLOYEE, ENTERPRISE, Scene, lea, scene
from tests.services.enrolment.scim.serving import served
from typer.testing import CliRunner, Result

from amont.common.cli import main, root
from amont.common.cli.contracts import source as reading
from amont.common.cli.contracts.source import PAGE, Source
from amont.common.errors import Unavailable
from amont.common.events import StaffRecorded
from amont.enrolment.api.scim.source import Reader

NOW = datetime(2027, 1, 4, 8, tzinfo=UTC)
Pages = Callable[[int, int], tuple[int, Mapping[str, str], bytes]]
"""Of a first number and a count: status, headers, body."""


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as one:
        yield one


def user(number: int, **more: Any) -> dict[str, Any]:
    return {
        "schemas": [CORE, ENTERPRISE, EMPLOYEE],
        "id": f"u{number}",
        "userName": f"p{number}@example.org",
        "name": {"givenName": f"Léa {number}", "familyName": "Martin"},
        ENTERPRISE: {"employeeNumber": f"e{number}"},
        EMPLOYEE: {"grade": "C1"},
        **more,
    }


def listed(users: list[Any], total: int) -> bytes:
    return json.dumps(
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": total, "Resources": users}
    ).encode()


def paged(users: list[Any]) -> Pages:
    return lambda first, count: (200, {"Content-Type": "application/scim+json"}, listed(users[first - 1 : first - 1 + count], len(users)))


@contextmanager
def serving(pages: Pages) -> Iterator[str]:
    """A source on loopback that answers so; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            status, headers, body = pages(int(query["startIndex"][0]), int(query["count"][0]))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/scim/v2"
        finally:
            server.shutdown()
            thread.join()


def check(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(root(), ["contracts", "check", "--scim", url, "--tenant", "fr", *arguments])


def check_pages(pages: Pages, *arguments: str) -> Result:
    with serving(pages) as url:
        return check(url, *arguments)


def why_not(pages: Pages, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of a source that cannot be read to its end."""
    with serving(pages) as url, pytest.raises(SystemExit) as ended:
        main(["contracts", "check", "--scim", url, "--tenant", "fr", "--token", "secret-token"])
    said = capsys.readouterr()
    assert (ended.value.code, said.out, "secret-token" in said.err) == (3, "", False)
    return said.err


async def test_the_door_itself_is_a_source_and_its_users_are_what_it_told(door: Scene, tmp_path: Path) -> None:
    boss = await door.fr.made(userName="boss", **{ENTERPRISE: {"employeeNumber": "e0"}})
    more = {"title": "Analyste", "timezone": "Europe/Paris", "locale": "fr_FR"}
    await door.fr.made(**more, **{ENTERPRISE: {"employeeNumber": "e1", "division": "retail", "manager": {"value": boss["id"]}}})
    told = {one.employee_id: one for one in await door.told() if isinstance(one, StaffRecorded)}
    read = Reader("fr", NOW)
    for number, one in enumerate((await door.fr("GET", "/Users")).json()["Resources"]):
        found = read(number, one)
        assert not found.findings
        record = StaffRecorded.model_validate_json(found.value or b"")
        when = {"effective_at": NOW, "occurred_at": NOW, "seq": record.seq}
        assert record == told[record.employee_id].model_copy(update=when)
    async with served(door.hearing.service) as address:
        done = await asyncio.to_thread(check, f"{address}/scim/fr/v2/Users", "--token", door.fr.token)
    assert (done.exit_code, "2 records about 2 people of 1 subsidiary; 0 errors" in done.stdout) == (0, True), done.output


def test_every_user_who_would_be_refused_is_named_with_the_attribute_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "grades.csv").write_text("grade,band\nC1,5\n", encoding="utf-8")
    users = [
        user(1, **{ENTERPRISE: {"employeeNumber": "e1", "manager": {"value": "u2"}}}),
        user(2, **{EMPLOYEE: {"grade": "C9"}}),
        user(3, **{EMPLOYEE: {"joinedOn": "yesterday"}}),
        user(4, userName="P1@example.org"),
        user(5, **{ENTERPRISE: {"employeeNumber": "e1"}}),
        user(6, timezone="Paris", photos=[{"value": "https://example.org/x.jpg"}]),
        user(7, **{ENTERPRISE: {}}),
        user(8, **{ENTERPRISE: {"employeeNumber": "e8", "manager": "u99"}}),
        user(9, active="False", **{EMPLOYEE: {}}),
        user(10, userName=None),
        "nonsense",
    ]
    done = check_pages(paged(users), "--grades", str(tmp_path / "grades.csv"))
    assert done.exit_code == 1
    for said in (
        f"Users/u2: {EMPLOYEE}:grade: 'C9' is not in the grade table of 'fr'",
        f"Users/u3: {EMPLOYEE}:grade: missing; without it the person waits",
        f"Users/u3: {EMPLOYEE}:joinedOn: 'yesterday' is no day",
        "Users/u4: userName is that of Users/u1",
        "Users/u5: the id is that of Users/u1",
        "Users/u6: timezone: 'Paris' is not in the tz database",
        "Users/u6: a photo, which Amont never stores",
        "Users/u7: neither an employeeNumber nor an externalId",
        f"Users/u8: {ENTERPRISE}:manager.value: nobody in this feed is 'fr:u99'",
        "Users/u10: ",
        "not a JSON object",
        "unknown-grade    1      Add the code",
        "11 records",
    ):
        assert said in done.stdout, said
    assert "Users/u1:" not in done.stdout
    assert "Users/u9:" not in done.stdout


def test_a_source_of_many_pages_is_read_to_its_end() -> None:
    done = check_pages(paged([user(number) for number in range(2 * PAGE + 1)]), "--json")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["records"], said["people"], said["errors"], said["read_as"]) == (0, 2 * PAGE + 1, 2 * PAGE + 1, 0, "SCIM")


def test_a_source_that_gives_less_than_it_says_is_cut_off_and_one_that_repeats_a_user_is_told() -> None:
    users = [user(number) for number in range(PAGE)]
    short = check_pages(lambda first, _: (200, {}, listed(users if first == 1 else [], 500)))
    assert (short.exit_code, "the source says 500 users and gave 100" in short.stdout) == (1, True)
    again = [*users, user(7)]
    done = check_pages(paged(again))
    assert "Users/u7: the record of 'fr:e7' in Users/u7 again" in done.stdout


def test_a_program_is_told_the_user_that_a_finding_is_about() -> None:
    said = json.loads(check_pages(paged([user(1), user(2, **{EMPLOYEE: {}})]), "--json").stdout)
    assert {one["place"] for one in said["findings"]} == {"Users/u2"}


def test_a_source_that_is_none_says_which_and_what_to_do(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    users = [user(number) for number in range(PAGE)]
    assert "refuses the token (401)" in why_not(lambda *_: (401, {}, b""), capsys)
    assert "the right to read them" in why_not(lambda *_: (403, {}, b""), capsys)
    assert "ends before /Users" in why_not(lambda *_: (404, {}, b"<html>"), capsys)
    assert "sends us to 'https://elsewhere.example/'" in why_not(lambda *_: (302, {"Location": "https://elsewhere.example/"}, b""), capsys)
    assert "is no SCIM list of users" in why_not(lambda *_: (200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"), capsys)
    assert "is no SCIM list of users" in why_not(lambda *_: (200, {}, b'{"totalResults": true, "Resources": []}'), capsys)
    assert "a page again that it has given before" in why_not(lambda *_: (200, {}, listed(users, 1000)), capsys)
    boom = json.dumps({"detail": "the directory rests"}).encode()
    assert "answers 500, at user 1: the directory rests" in why_not(lambda *_: (500, {}, boom), capsys)
    monkeypatch.setattr(reading, "MOST_PAGES", 3)
    endless = why_not(lambda first, _: (200, {}, listed([user(first)], first + 10)), capsys)
    assert "it does not end" in endless
    monkeypatch.setattr(reading, "MOST_PAGE_BYTES", 1000)
    assert "a page of over 1,000 bytes" in why_not(lambda *_: (200, {}, listed(users, 100)), capsys)


def test_nobody_who_listens_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(paged([])) as url:
        pass
    with pytest.raises(SystemExit) as ended:
        main(["contracts", "check", "--scim", url, "--tenant", "fr"])
    said = capsys.readouterr().err
    assert (ended.value.code, "cannot be reached" in said, "Is the address right" in said) == (3, True, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--scim", "https://idp.example"], "--scim needs --tenant"),
        (["--scim", "idp.example", "--tenant", "fr"], "write the address that ends before /Users"),
        (["--scim", "https://a:b@idp.example", "--tenant", "fr"], "leave out what is no path"),
        (["--scim", "https://idp.example", "staff.csv"], "one of them"),
        ([], "one of them"),
    ],
)
def test_wrong_usage_is_said(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["contracts", "check", *words])
    assert (ended.value.code, says in " ".join(capsys.readouterr().err.replace("│", " ").split())) == (2, True)


def test_a_source_that_asks_us_to_wait_is_waited_for_and_not_for_ever() -> None:
    answers = [httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(503), httpx.Response(200, content=listed([user(1)], 1))]
    waited: list[float] = []
    transport = httpx.MockTransport(lambda _: answers.pop(0))
    (page,) = Source("https://idp.example/", None, transport=transport, sleep=waited.append).pages()
    assert (len(page.users), waited) == (1, [7.0, 5.0])
    always = Source("https://idp.example/", None, transport=httpx.MockTransport(lambda _: httpx.Response(429)), sleep=waited.append)
    with pytest.raises(Unavailable, match="answers 429 again and again"):
        list(always.pages())


@pytest.mark.parametrize("wait", ["²", "٣", "", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_wait_that_is_no_number_of_seconds_is_five(wait: str) -> None:
    answers = [httpx.Response(503, headers=[(b"Retry-After", wait.encode())]), httpx.Response(200, content=listed([user(1)], 1))]
    waited: list[float] = []
    transport = httpx.MockTransport(lambda _: answers.pop(0))
    assert len(list(Source("https://idp.example/", None, transport=transport, sleep=waited.append).pages())) == 1
    assert waited == [5.0]


def test_a_token_over_http_to_somewhere_else_is_said() -> None:
    assert Source("http://idp.example", "x").in_the_clear
    assert not Source("http://127.0.0.1:1", "x").in_the_clear
    assert not Source("https://idp.example", "x").in_the_clear


def test_a_user_of_any_shape_is_a_record_or_a_finding() -> None:
    read = Reader("fr", NOW)
    for given in (
        {},
        {"userName": ["x"]},
        {"userName": "x", "emails": "y"},
        {**lea(), "name": []},
        {"userName": "x" * 5000, EMPLOYEE: {"grade": "C1"}},
    ):
        found = read(1, given)
        assert found.value or any(one.is_error for one in found.findings), given


@pytest.mark.parametrize("name", ["", "  "])
def test_a_user_without_a_name_is_found_as_the_door_would_refuse_it(name: str) -> None:
    (finding,) = Reader("fr", NOW)(1, lea(userName=name)).findings
    assert (finding.kind.name, finding.where, finding.is_error) == ("bad-value", "userName", True)
