"""Enrolling and leaving by pages: what a person sees, what their forms do, what comes back when something stands against it, and what nobody can send."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request, Response
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.services.enrolment.asking import API, coordinator, good, group
from tests.services.enrolment.staffing import BOB, LEA, programme, recorded, settled

from amont.common.errors import Unavailable
from amont.common.events import EmployeeEnrolled, EmployeeWithdrawn, Policy
from amont.common.events.values import EnrolmentStatus, Meeting, ProgrammeStatus, Role
from amont.common.testing.hearing import Hearing, hearing
from amont.common.web import app
from amont.common.web.browsers import Sessions
from amont.enrolment.app import build
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import Form
from amont.enrolment.domain.hours import DAYS, parse_window
from amont.enrolment.pages.form import Entries
from amont.enrolment.pages.page_words import CATALOGUE, day_names, language_name

FORM = {
    "topic-ai": "3",
    "topic-data": "0",
    "language": "fr",
    "from-mon": "09:00",
    "to-mon": "11:30",
    "meeting": "remote",
    "accepted": "yes",
}
"""The least that enrols, as a browser sends it."""


class Here:
    """Signs in whoever the test says."""

    def __init__(self) -> None:
        self.sessions = Sessions.with_new_key()

    async def begin(self, request: Request, service: str, then: str) -> Response:  # noqa: ARG002
        answer = Response()
        self.sessions.begin(answer, request.query_params["as"])
        return answer

    async def finish(self, request: Request, service: str) -> Response:
        raise NotImplementedError


@pytest.fixture
async def enrolment(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with hearing(build, tmp_path) as one:
        yield await settled(one)


@asynccontextmanager
async def at_a_browser(enrolment: Hearing, person: str = LEA, language: str = "en") -> AsyncIterator[httpx.AsyncClient]:
    made = app([enrolment.service], title="test", sign_in=Here())
    transport = httpx.ASGITransport(made, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Accept-Language": language}) as client:
        await client.get("/enrolment/sign-in", params={"as": person})
        yield client


async def shown(client: httpx.AsyncClient, path: str, status: int = 200) -> str:
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    return unescape(answer.text)


def secret_in(text: str) -> str:
    found = re.search(r'name="secret" value="([^"]+)"', text)
    assert found is not None
    return found[1]


async def sends(client: httpx.AsyncClient, path: str, page: str | None = None, **fields: Any) -> httpx.Response:
    """What a browser sends from the form that `page` shows (the path itself unless said otherwise)."""
    text = await shown(client, page or path)
    found = {name: value for name in ("edition", "version") for value in re.findall(rf'name="{name}" value="(\d+)"', text)}
    return await client.post(path, data={"secret": secret_in(text), **found, **fields})


async def enrols(client: httpx.AsyncClient, role: str = "mentor", programme: str = "digital", **more: Any) -> str:
    """The address of the enrolment's page."""
    answer = await sends(client, f"/enrolment/programmes/{programme}/enrol?role={role}", **{**FORM, **more})
    assert answer.status_code == 303, unescape(answer.text)
    return answer.headers["location"]


async def test_a_person_enrols_looks_and_leaves(enrolment: Hearing) -> None:
    async with at_a_browser(enrolment) as lea:
        invited = await shown(lea, "/enrolment/programmes/digital")
        assert "Enrol as mentor" in invited
        assert "at least in band 10" in invited  # not as a mentee, and why
        mine = await enrols(lea, **{"from-thu": "22:00", "to-thu": "00:00", "languages": "ja, pt-BR"})
        page = await shown(lea, mine)
        for text in (
            "enrolled",
            "ai (very well)",
            "French, Japanese, Portuguese (BR)",
            "Monday 09:00\u201311:30",
            "Thursday 22:00\u201300:00",
            "remotely",
        ):
            assert text.lower() in page.lower()
        (said,) = await enrolment.said()
        assert isinstance(said, EmployeeEnrolled)
        assert (said.topics, said.availability, said.languages) == (
            {"ai": 3},
            ("mon 09:00-11:30", "thu 22:00-24:00"),
            ("fr", "ja", "pt-BR"),
        )
        assert said.meeting is Meeting.REMOTE
        assert "digital, as mentor" in (await shown(lea, "/enrolment/")).lower()

        asked = await shown(lea, f"{mine}/withdraw")
        assert "No coordinator and no manager is shown it" in asked
        assert (await sends(lea, f"{mine}/withdraw", reason=" no time ")).headers["location"] == mine
        assert "withdrawn" in (await shown(lea, mine)).lower()
    (gone,) = await enrolment.said()
    assert isinstance(gone, EmployeeWithdrawn)
    assert "no time" not in repr(gone)
    (held,) = (await enrolment.look(Employee, LEA)).enrolments
    assert (held.status, held.private_reason) == (EnrolmentStatus.WITHDRAWN, "no time")


async def test_what_stands_against_it_comes_back_beside_each_field_and_nothing_that_was_entered_is_lost(enrolment: Hearing) -> None:
    async with at_a_browser(enrolment) as lea:
        wrong = {"topic-ai": "0", "from-tue": "10:00", "to-tue": "", "from-mon": "09:15", "to-mon": "11:30", "capacity": "7"}
        fields = {**FORM, **wrong, "languages": "Français, german", "meeting": "in-person"}
        del fields["accepted"]
        answer = await sends(lea, "/enrolment/programmes/digital/enrol?role=mentor", **fields)
        text = unescape(answer.text)
    assert answer.status_code == 422
    faults = re.findall(r'class="fault" id="fault-(\w+)-\d">([^<]+)<', text)
    described = re.findall(r'aria-describedby="([^"]+)"', text)
    assert set(" ".join(described).split()) == set(re.findall(r'id="(fault-[^"]+)"', text))
    assert [part for part, _ in faults] == ["topics", "languages", "languages", "availability", "availability", "capacity", "charter"]
    assert "did you mean 'fr'?" in text
    assert "did you mean 'de'?" in text
    assert "Choose 1 to 8 topics" in text
    assert "Monday: both times are needed" in text
    assert "Tuesday: both times are needed" in text
    for kept in ('name="from-tue" value="10:00"', 'name="from-mon" value="09:15"', 'value="in-person" checked', 'value="Français, german"'):
        assert kept in text
    assert 'name="capacity"' in text
    assert not await enrolment.said()


async def test_the_same_in_french(enrolment: Hearing) -> None:
    async with at_a_browser(enrolment, BOB, "fr-FR,fr;q=0.9") as bob:
        page = await shown(bob, "/enrolment/programmes/digital")
        assert 'lang="fr"' in page
        assert "ici, un mentor est au plus au niveau" in page
        answer = await sends(bob, "/enrolment/programmes/digital/enrol?role=mentee", **{**FORM, "topic-ai": "0", "from-mon": ""})
        text = unescape(answer.text)
        assert "Choisissez de 1 à 8 sujets" in text
        assert "Lundi\u00a0: il faut les deux heures" in text
        mine = await enrols(bob, "mentee")
        assert "avant tout" in await shown(bob, mine)


async def test_two_windows_that_changed_the_form_are_told_so_and_the_later_one_decides(enrolment: Hearing) -> None:
    async with at_a_browser(enrolment) as lea:
        mine = await enrols(lea)
        page = await shown(lea, f"{mine}/edit")
        assert 'name="from-mon" value="09:00"' in page
        first = {**FORM, "secret": secret_in(page), "version": "1"}
        assert (await lea.post(f"{mine}/edit", data={**first, "topic-data": "2"})).headers["location"] == mine
        stale = await lea.post(f"{mine}/edit", data={**first, "topic-data": "1"})
        text = unescape(stale.text)
        assert stale.status_code == 409
        assert "changed meanwhile" in text
        assert 'name="version" value="2"' in text
        assert (await lea.post(f"{mine}/edit", data={**first, "topic-data": "1", "version": "2"})).status_code == 303
        assert (await lea.post(f"{mine}/edit", data={**first, "topic-ai": "0", "version": "3"})).status_code == 422
    (held,) = (await enrolment.look(Employee, LEA)).enrolments
    assert held.form.topics == {"ai": 3, "data": 1}


async def test_a_new_charter_is_shown_and_signed_by_the_edition_that_was_read(enrolment: Hearing) -> None:
    async with group(enrolment) as boss:
        good(await boss.put(f"{API}/programmes/digital/charter", json={"texts": {"en": "Be kind.", "fr": "Soyons bons."}}))
    async with at_a_browser(enrolment) as lea:
        mine = await enrols(lea)
        assert "edition 1 of the charter" in await shown(lea, mine)
        async with group(enrolment) as boss:
            good(
                await boss.put(
                    f"{API}/programmes/digital/charter",
                    json={"texts": {"en": "Be <b>kinder</b>."}, "why": "kinder"},
                    headers={"If-Match": '"1"'},
                )
            )
        assert "a new charter to accept" in await shown(lea, "/enrolment/")
        raw = (await lea.get(mine)).text
        assert "Be &lt;b&gt;kinder&lt;/b&gt;." in raw
        await lea.post(f"{mine}/sign", data={"secret": secret_in(raw), "edition": "1"})
        assert "I accept it" in await shown(lea, mine)
        await sends(lea, f"{mine}/sign", mine)
        page = await shown(lea, mine)
        assert "edition 2 of the charter" in page
        assert "I accept it" not in page


async def test_who_read_an_older_charter_while_enrolling_is_shown_the_new_one(enrolment: Hearing) -> None:
    async with group(enrolment) as boss:
        good(await boss.put(f"{API}/programmes/digital/charter", json={"texts": {"en": "Be kind."}}))
    async with at_a_browser(enrolment) as lea:
        answer = await sends(lea, "/enrolment/programmes/digital/enrol?role=mentor", **FORM, edition="0")
        assert answer.status_code == 422
        assert "version 1 of the charter is the current one" in unescape(answer.text).lower()
        assert not (await enrolment.look(Employee, LEA)).enrolments


async def test_a_line_for_a_seat_is_shown(enrolment: Hearing) -> None:
    await enrolment.given(programme(id="few", policy=Policy(mentor_seats=1)))
    await enrolment.hears(recorded("kim"), recorded("ann"))
    for name, says in {"lea": "Enrolled", "kim": "number 1 in the line", "ann": "number 2 in the line"}.items():
        async with at_a_browser(enrolment, f"fr:{name}") as client:
            mine = await enrols(client, programme="few")
            assert "is being looked at" in await shown(client, mine)
            for _ in range(4):  # asked, granted, admitted, seen to be taken
                await enrolment.passes(timedelta(seconds=1))
            assert says in await shown(client, mine)


async def test_sending_it_twice_enrols_once(enrolment: Hearing) -> None:
    async with at_a_browser(enrolment) as lea:
        where = "/enrolment/programmes/digital/enrol?role=mentor"
        secret = secret_in(await shown(lea, where))
        answers = [await lea.post(where, data={**FORM, "secret": secret, "edition": "0"}) for _ in range(2)]
        assert [one.status_code for one in answers] == [303, 303]
        assert answers[0].headers["location"] == answers[1].headers["location"]
        assert (await lea.get(where)).headers["location"] == "/enrolment/programmes/digital"
        assert "You are in it as mentor" in await shown(lea, "/enrolment/programmes/digital")
    assert len(await enrolment.said()) == 1


async def test_what_a_second_window_entered_for_the_same_seat_is_not_dropped_without_a_word(enrolment: Hearing) -> None:
    async with at_a_browser(enrolment) as lea:
        where = "/enrolment/programmes/digital/enrol?role=mentor"
        body = {**FORM, "secret": secret_in(await shown(lea, where)), "edition": "0"}
        mine = (await lea.post(where, data=body)).headers["location"]
        other = await lea.post(where, data={**body, "topic-data": "2"})
        assert other.headers["location"] == f"{mine}?said=already"
        assert "was not saved" in await shown(lea, other.headers["location"])
        await shown(lea, f"{mine}?said=<b>", 404)


async def test_what_is_somebody_else_s_is_not_there(enrolment: Hearing) -> None:
    await enrolment.hears(recorded("kim"))
    async with at_a_browser(enrolment) as lea, at_a_browser(enrolment, "fr:kim") as kim, at_a_browser(enrolment, "es:eva") as eva:
        mine = await enrols(lea)
        secret = secret_in(await shown(kim, "/enrolment/"))
        for path in (mine, f"{mine}/edit", f"{mine}/withdraw"):
            await shown(kim, path, 404)
        for path in (f"{mine}/edit", f"{mine}/sign", f"{mine}/withdraw"):
            assert (await kim.post(path, data={**FORM, "secret": secret, "version": "1"})).status_code == 404
        await shown(eva, "/enrolment/programmes/digital", 404)
        assert "has not told us about you" in await shown(eva, "/enrolment/")
    (held,) = (await enrolment.look(Employee, LEA)).enrolments
    assert (held.status, held.version) == (EnrolmentStatus.ENROLLED, 1)


async def test_a_coordinator_at_a_browser_is_a_person_like_others(enrolment: Hearing) -> None:
    async with at_a_browser(enrolment) as lea:
        mine = await enrols(lea)
    async with at_a_browser(enrolment, "fr:coord") as coord:
        await shown(coord, mine, 404)
    async with coordinator(enrolment) as api:
        assert (await api.get(f"{API}/enrolments/{mine.rpartition('/')[2]}")).status_code == 200


@pytest.mark.parametrize(
    "path", ["", "programmes/digital", "programmes/digital/enrol?role=mentor", "enrolments/e1", "enrolments/e1/withdraw"]
)
async def test_who_is_not_signed_in_signs_in_first_and_comes_back(enrolment: Hearing, path: str) -> None:
    async with at_a_browser(enrolment) as client:
        client.cookies.clear()
        there = (await client.get(f"/enrolment/{path}")).headers["location"]
        assert httpx.URL(there).params["then"] == f"/enrolment/{path}"


@pytest.mark.parametrize(
    "path", ["programmes/nothing", "programmes/digital/enrol?role=boss", "programmes/digital/enrol", "nothing", "enrolments/'--"]
)
async def test_what_is_not_there_is_a_page_that_says_so(enrolment: Hearing, path: str) -> None:
    async with at_a_browser(enrolment, language="fr") as lea:
        text = await shown(lea, f"/enrolment/{path}", 404)
    assert "n\u2019existe pas" in text


async def test_a_store_that_does_not_answer_is_a_page_and_a_matter_of_seconds(enrolment: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("away")

    async with at_a_browser(enrolment) as lea:
        monkeypatch.setattr(enrolment.service.unit, "run_with", away)
        answer = await lea.get("/enrolment/")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert int(answer.headers["Retry-After"]) > 0


async def test_a_closed_programme_is_shown_and_takes_nobody(enrolment: Hearing) -> None:
    async with at_a_browser(enrolment) as lea:
        mine = await enrols(lea)
        async with group(enrolment) as boss:
            good(await boss.post(f"{API}/programmes/digital/close", json={"why": "over"}))
        page = await shown(lea, mine)
        assert "Enrol again" not in page
        assert "Change" not in page
        assert (await lea.get(f"{mine}/edit")).headers["location"] == mine
        sent = await lea.post(f"{mine}/edit", data={**FORM, "secret": secret_in(page), "version": "1"})
        assert sent.headers["location"] == f"{mine}?said=over"
        assert "cannot be changed any more" in await shown(lea, f"{mine}?said=over")
        assert "closed" in await shown(lea, "/enrolment/programmes/digital")
        assert "digital" in (await shown(lea, "/enrolment/")).lower()


async def test_whatever_is_over_a_form_s_page_leads_back_to_where_it_stands(enrolment: Hearing) -> None:
    async with at_a_browser(enrolment) as lea:
        mine = await enrols(lea)
        page = await shown(lea, f"{mine}/edit")
        await sends(lea, f"{mine}/withdraw", reason="x" * 5_000)
        (held,) = (await enrolment.look(Employee, LEA)).enrolments
        assert held.private_reason == "x" * 2_000
        for path in ("edit", "withdraw"):
            assert (await lea.get(f"{mine}/{path}")).headers["location"] == mine
        for path, said in {"edit": "?said=over", "sign": ""}.items():
            late = await lea.post(f"{mine}/{path}", data={**FORM, "secret": secret_in(page), "version": "1", "edition": "1"})
            assert late.headers["location"] == f"{mine}{said}"
        assert (await lea.get(f"{mine}/sign")).headers["location"] == mine
        assert "withdrawn" in (await shown(lea, mine)).lower()
        assert "Enrol again" in await shown(lea, mine)
        assert await enrols(lea) == mine


async def test_of_very_many_programmes_the_open_ones_are_shown(enrolment: Hearing) -> None:
    for number in range(201):
        await enrolment.given(programme(id=f"a{number:03}", name=f"Old {number}", status=ProgrammeStatus.CLOSED))
    async with at_a_browser(enrolment) as lea:
        await enrols(lea)
        page = await shown(lea, "/enrolment/")
    assert "Digital, as mentor" in page
    assert 'href="/enrolment/programmes/digital"' in page
    assert "Old" not in page


async def test_who_is_invited_before_the_hr_system_spoke_of_them_is_told_why(enrolment: Hearing) -> None:
    async with at_a_browser(enrolment, "fr:new") as new:
        assert "has not told us about you" in await shown(new, "/enrolment/programmes/digital")


@pytest.mark.parametrize("field", ["languages", "language", "capacity", "from-mon", "topic-" + "x" * 64, "topic-ai", "meeting", "edition"])
async def test_a_field_as_long_as_a_body_may_be_is_not_said_back(enrolment: Hearing, field: str) -> None:
    long = " ".join(f"en-{number}" for number in range(90_000))
    async with at_a_browser(enrolment) as lea:
        mine = await enrols(lea)
        secret = secret_in(await shown(lea, mine))
        for path in (f"{mine}/edit", "/enrolment/programmes/digital/enrol?role=mentor"):
            answer = await lea.post(path, data={**FORM, "secret": secret, "version": "1", field: long})
            assert answer.status_code in {303, 422}
            assert len(answer.content) < 60_000


async def test_many_fields_are_no_more_than_a_page_holds(enrolment: Hearing) -> None:
    async with at_a_browser(enrolment) as lea:
        mine = await enrols(lea)
        body: dict[str, Any] = {**FORM, "secret": secret_in(await shown(lea, mine)), "version": "1"}
        many = {
            **body,
            "language": [f"x{number}" for number in range(300)],
            "from-tue": ["09:00"] * 300,
            "to-tue": ["10:00"] * 300,
            **{f"topic-{number}": "3" for number in range(80)},
        }
        answer = await lea.post(f"{mine}/edit", data=many)
        assert (answer.status_code, len(answer.content) < 200_000) == (422, True)
        assert (await lea.post(f"{mine}/edit", data={**body, **{f"x{number}": "1" for number in range(2_000)}})).status_code == 400


NAMES = st.sampled_from(
    [*FORM, "languages", "capacity", "edition", "version", "topic-", "topic-x", "from-sun", "to-sun", "reason", "from-", "é"]
)
FIELDS = st.lists(st.tuples(NAMES, st.text(max_size=40) | st.sampled_from(["3", "00:00", "24:00", "09:00", "-1", "9" * 30])), max_size=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(fields=FIELDS, where=st.sampled_from(["programmes/digital/enrol?role=mentor", "edit", "sign", "withdraw"]))
@example(fields=[("from-mon", "09:00")], where="edit")
@example(fields=[("topic-" + "x" * 100, "\u00b2")], where="edit")
async def test_whatever_a_form_holds_it_is_taken_or_told(enrolment: Hearing, fields: list[tuple[str, str]], where: str) -> None:
    async with at_a_browser(enrolment) as lea:
        body: dict[str, Any] = {"secret": secret_in(await shown(lea, "/enrolment/"))}
        enrol = "/enrolment/programmes/digital/enrol?role=mentor"
        mine = (await lea.post(enrol, data={**FORM, **body, "edition": "0"})).headers["location"]
        for name, value in fields:
            body.setdefault(name, []).append(value)
        answer = await lea.post(enrol if where.startswith("programmes") else f"{mine}/{where}", data=body)
        assert answer.status_code in {303, 409, 422}, answer.text
        assert answer.status_code == 303 or answer.headers["content-type"].startswith("text/html")
        await shown(lea, mine)


@given(
    st.lists(
        st.tuples(st.sampled_from(DAYS), st.integers(0, 46), st.integers(1, 48)).filter(lambda one: one[1] < one[2]),
        max_size=12,
    )
)
def test_what_was_entered_before_comes_back_as_it_was(windows: list[tuple[str, int, int]]) -> None:
    texts = tuple(f"{day} {start // 2:02}:{start % 2 * 30:02}-{end // 2:02}:{end % 2 * 30:02}" for day, start, end in windows)
    ordered = tuple(sorted(texts, key=lambda one: DAYS.index(one[:3])))
    entries = Entries.of(Form(topics={"ai": 3}, languages=("fr",), availability=ordered))
    rows = [(day, one) for day, of_day in entries.rows() for one in of_day if any(one)]
    assert Entries(topics={}, languages=(), windows=rows).form().availability == ordered
    assert all(parse_window(text) for text in ordered)


def test_every_word_of_the_pages_is_there_in_both_languages_and_every_one_is_used() -> None:
    folder = Path(__file__).parents[3] / "services/enrolment/src/amont/enrolment"
    text = "".join(
        one.read_text(encoding="utf-8")
        for one in [*folder.glob("templates/*.html"), *folder.glob("pages/*.py")]
        if one.name != "page_words.py"
    )
    made = {
        *(f"{kind}.{role}" for kind in ("role", "as", "enrol", "topics") for role in Role),
        *(f"level.{role}.{level}" for role in Role for level in (1, 2, 3)),
        *(f"status.{one}" for one in EnrolmentStatus),
        *(f"programme.{one}" for one in ProgrammeStatus),
        *(f"meeting.{one}" for one in Meeting),
        *("signed", "accepted", "save", "send", "said.already", "said.over"),
    }
    named = set(re.findall(r'(?:\bt|words)\("([a-z.\-]+)"[,)]', text)) | made
    named |= {key for key in CATALOGUE if f'"{key}"' in text}
    assert named == set(CATALOGUE)
    for english, french in CATALOGUE.values():
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", french))
        assert english.strip()
        assert french.strip()


def test_days_and_languages_have_names() -> None:
    assert list(day_names("fr").values()) == ["Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche"]
    assert [language_name(tag, "fr") for tag in ("de", "pt-BR", "qqq")] == ["allemand", "portugais (BR)", "qqq"]
