"""From an event to a mail: who gets which, once, and what happens when something is missing, refused, away or killed."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from icalendar import Calendar
from tests.services.notifications.two_people import (
    BOTH,
    MENTEE,
    MENTOR,
    NAMES,
    PERSONAL,
    TELLING,
    Postman,
    employee,
    enrolment,
    everybody,
    mail_to,
    mails,
    notifications,
    pair,
    programme,
    recipient,
    session,
    subsidiary,
    text,
)

from amont.common.clock import FixedClock
from amont.common.documents import Document
from amont.common.documents.mongo import ANSWER_WITHIN_SECONDS
from amont.common.events import (
    EmployeeChanged,
    EmployeeErased,
    EmployeeLeft,
    Event,
    ExportRequested,
    NotificationFailed,
    NotificationSent,
    PairEnded,
    ProgrammeChanged,
    SessionCancelled,
    SessionRescheduled,
    SubsidiaryChanged,
    SubsidiaryRemoved,
)
from amont.common.events.values import DeliveryStatus, EndReason
from amont.common.kept import HISTORY_KEPT
from amont.common.metrics import DELIVERIES
from amont.common.testing.hearing import START, Hearing, record_of
from amont.notifications.commands import Letterhead
from amont.notifications.commands import deliveries as verbs
from amont.notifications.domain.delivery import LEASE, PAUSES, START_WITHIN, Channel, Delivery
from amont.notifications.domain.notices import of_pair
from amont.notifications.domain.people import Recipient
from amont.notifications.mails import Address
from amont.notifications.reactions import CONSUMES
from amont.notifications.sending import FolderSender, MailRefused, MailSender, MailUnavailable

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Hearing]:
    async with notifications(tmp_path) as hearing:
        yield hearing


async def deliveries(h: Hearing) -> list[Delivery]:
    async def read(work: verbs.Work) -> list[Delivery]:
        return [one async for one in work.find(verbs.deliveries_to(None))]

    found: list[Delivery] = await h.asked(read)
    return found


async def the_delivery(h: Hearing) -> Delivery:
    [found] = await deliveries(h)
    return found


def test_every_event_that_is_read_is_remembered_or_told() -> None:
    remembered = {SubsidiaryChanged, SubsidiaryRemoved, ProgrammeChanged, EmployeeChanged, EmployeeLeft}
    assert set(TELLING) == set(CONSUMES) - remembered - {EmployeeErased, ExportRequested}  # which are answered


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_every_event_is_told_to_whom_it_concerns_in_their_language(language: str, h: Hearing, tmp_path: Path) -> None:
    await h.hears(*everybody(language))
    known: set[str] = set()
    for event, told in TELLING.values():
        await h.hears(event)
        new = {f"<{one.id}@localhost>": one for one in await deliveries(h) if one.id not in known}
        known |= {one.id for one in new.values()}
        assert {(one.person, one.kind) for one in new.values()} == told
        assert {(said.person, said.kind, said.delivery) for said in await sent(h)} == {
            (one.person, one.kind, one.id) for one in new.values()
        }
    assert await h.parked() == []
    planned = {f"<{one.id}@localhost>": one.person for one in await deliveries(h)}
    left = mails(tmp_path)
    assert {mail["Message-ID"]: recipient(mail) for mail in left} == planned
    assert {mail["Content-Language"] for mail in left} == {language}
    assert all(NAMES[recipient(mail)][0] in text(mail) for mail in left)


async def test_many_events_are_planned_with_one_look_at_what_is_planned_already(h: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    store = h.service.unit.house.store
    get, looked = store.get, []

    async def counted(collection: str, ids: Sequence[str]) -> dict[str, Document]:
        looked.append(collection)
        return await get(collection, ids)

    monkeypatch.setattr(store, "get", counted)
    await h.hears(*(enrolment(enrolment=f"enrolment-{number}") for number in range(20)))
    assert len(await deliveries(h)) == 20
    assert looked.count("deliveries") == 1


async def sent(h: Hearing) -> list[NotificationSent]:
    said = await h.said()
    return [one for one in said if isinstance(one, NotificationSent)]


async def test_the_same_fact_again_is_not_told_again(h: Hearing, tmp_path: Path) -> None:
    events = [event for event, _ in TELLING.values()]
    in_all = sum(len(told) for _, told in TELLING.values())
    await h.hears(*everybody(), *events, *events)
    before = await deliveries(h)
    assert len(await sent(h)) == len(mails(tmp_path)) == in_all
    await h.hears(*reversed(events))
    await h.passes(timedelta(hours=1))
    assert await deliveries(h) == before
    assert await h.said() == []
    assert len(mails(tmp_path)) == in_all


async def test_an_event_without_a_sequence_is_told_once_too(h: Hearing, tmp_path: Path) -> None:
    await h.hears(*everybody(), pair(seq=0))
    (tmp_path / "mails").rename(tmp_path / "read")
    await h.passes(MINUTE)
    await h.hears(pair(seq=0))
    assert mails(tmp_path) == []


async def test_a_mail_bears_the_delivery_s_id_the_time_of_the_event_and_links_to_the_pages(h: Hearing, tmp_path: Path) -> None:
    happened = datetime(2027, 1, 3, 17, 30, tzinfo=UTC)
    await h.hears(*everybody(), record_of(pair(), time=happened))
    delivery, mail = await the_delivery(h), mail_to(tmp_path, MENTEE)
    assert mail["Message-ID"] == f"<{delivery.id}@localhost>"
    assert mail["Date"].datetime == happened
    for end in ("", "/accept", "/decline"):
        assert f"http://127.0.0.1:8000/matching/pairs/pair-1{end}\n" in text(mail)
    assert "Zebulon Wojciechowski" in text(mail)
    assert "Archiviste en chef" in text(mail)


async def test_each_option_of_a_session_has_its_own_link(h: Hearing, tmp_path: Path) -> None:
    event, _ = next(one for one in TELLING.values() if one[1] >= {(MENTEE, "session-proposed")})
    await h.hears(*everybody(), event)
    base = "http://127.0.0.1:8000/scheduling/sessions/session-1/choose?starts_at=2027-01-"
    for day in (14, 15):
        assert f"{base}{day}T14%3A00%3A00.000000Z\n" in text(mail_to(tmp_path, MENTOR))


@pytest.mark.parametrize(
    ("event", "method", "sequence", "day"),
    [
        (session(), "REQUEST", 0, 14),
        (TELLING[SessionRescheduled][0], "REQUEST", 1, 15),
        (TELLING[SessionCancelled][0], "CANCEL", 2, 15),
    ],
)
async def test_the_invitation_goes_to_both_with_the_right_local_time(
    event: Event, method: str, sequence: int, day: int, h: Hearing, tmp_path: Path
) -> None:
    await h.hears(*everybody(), event)
    for person, zone, hour in ((MENTEE, "Europe/Paris", 15), (MENTOR, "America/New_York", 9)):
        mail = mail_to(tmp_path, person)
        [part] = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
        calendar = Calendar.from_ical(part.get_payload(decode=True))
        [entry] = calendar.walk("VEVENT")
        starts_at = entry["DTSTART"].dt
        assert (calendar["METHOD"], part.get_param("method")) == (method, method)
        assert (entry["UID"], entry["SEQUENCE"]) == ("session-1", sequence)
        assert (starts_at.replace(tzinfo=None), str(starts_at.tzinfo)) == (datetime(2027, 1, day, hour), zone)  # noqa: DTZ001 - wall time
        assert {str(attendee).lower() for attendee in entry["ATTENDEE"]} == {
            "mailto:c.quatrefages@example.com",
            "mailto:z.wojciechowski@example.com",
        }
        assert f"{hour:02}:00\N{EN DASH}{hour + 1:02}:00" in text(mail)


async def test_a_session_that_never_had_a_time_cancels_nothing(h: Hearing) -> None:
    await h.hears(*everybody(), session(SessionCancelled, slot=None, by=None))
    assert await deliveries(h) == []


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 4, 0, 3, 1)])
async def test_a_message_waits_for_the_facts_it_needs(order: tuple[int, ...], h: Hearing, tmp_path: Path) -> None:
    people = [employee(person, preferred_language=None, languages=()) for person in (MENTEE, MENTOR)]
    facts = [subsidiary("fr"), subsidiary("us"), programme(), *people]
    await h.hears(TELLING[PairEnded][0])
    for number in order:
        await h.passes(MINUTE)
        assert len(mails(tmp_path)) < 2
        await h.hears(facts[number])
    await h.passes(MINUTE)
    assert len(mails(tmp_path)) == 2
    assert {one.attempts for one in await deliveries(h)} == {1}


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ([programme(), employee(MENTOR)], "unknown-recipient"),
        ([programme(), employee(MENTEE)], "unknown-partner"),
        ([employee(MENTEE), employee(MENTOR)], "unknown-programme"),
        ([programme(), employee(MENTEE, preferred_language=None, languages=()), employee(MENTOR)], "unknown-subsidiary"),
    ],
)
async def test_what_stays_unknown_for_a_day_fails_and_says_so(known: list[Event], reason: str, h: Hearing) -> None:
    await h.hears(*known, pair())
    for pause in (timedelta(hours=23), 59 * MINUTE, MINUTE):
        assert (await the_delivery(h)).status is DeliveryStatus.PENDING
        await h.passes(pause)
    delivery = await the_delivery(h)
    assert (delivery.status, delivery.reason) == (DeliveryStatus.FAILED, reason)
    assert await failures(h) == [(delivery.id, reason)]


async def test_after_a_long_stop_the_facts_get_time_to_arrive(h: Hearing, tmp_path: Path) -> None:
    await h.hears(pair())
    await h.passes(timedelta(days=3))
    assert (await the_delivery(h)).status is DeliveryStatus.PENDING
    await h.hears(*everybody())
    await h.passes(MINUTE)
    assert len(mails(tmp_path)) == 1


async def test_without_an_address_nothing_is_sent(h: Hearing, tmp_path: Path) -> None:
    await h.hears(*everybody(), employee(MENTEE, seq=2, email=None), TELLING[PairEnded][0])
    outcomes = {one.person: (one.status, one.reason, one.due_at) for one in await deliveries(h)}
    assert outcomes[MENTEE] == (DeliveryStatus.SUPPRESSED, "no-address", START + HISTORY_KEPT)
    assert outcomes[MENTOR] == (DeliveryStatus.SENT, None, START + HISTORY_KEPT)
    assert [recipient(mail) for mail in mails(tmp_path)] == [MENTOR]
    assert [said.person for said in await h.said()] == [MENTOR]


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_who_has_left_is_forgotten_not_written_to_and_not_named(language: str, h: Hearing, tmp_path: Path) -> None:
    left = EmployeeLeft(seq=2, person=MENTOR, effective_at=START)
    await h.hears(
        *everybody(language), left, pair(PairEnded, seq=9, accepted_by=BOTH, reason=EndReason.LEFT), session(SessionCancelled, by=None)
    )
    forgotten = await h.look(Recipient, MENTOR)
    assert forgotten == Recipient(id=MENTOR, status=forgotten.status)
    assert forgotten.has_left
    assert {(one.person, one.reason) for one in await deliveries(h)} == {(MENTEE, None), (MENTOR, "left")}
    for mail in mails(tmp_path):
        assert recipient(mail) == MENTEE
        assert {"fr": "votre mentor", "en": "your mentor"}[language] in text(mail)
        assert "Zebulon" not in text(mail)
    assert len(mails(tmp_path)) == 2


async def test_nobody_is_asked_about_a_partner_who_has_left(h: Hearing) -> None:
    await h.hears(*everybody(), EmployeeLeft(seq=2, person=MENTOR, effective_at=START), pair())
    delivery = await the_delivery(h)
    assert (delivery.status, delivery.reason) == (DeliveryStatus.SUPPRESSED, "partner-left")


async def test_who_comes_back_is_written_to_again(h: Hearing) -> None:
    await h.hears(*everybody(), EmployeeLeft(seq=2, person=MENTEE, effective_at=START), employee(seq=3), enrolment())
    assert (await the_delivery(h)).status is DeliveryStatus.SENT


@pytest.mark.parametrize(
    ("own", "subsidiary_s", "spoken"),
    [
        ({"preferred_language": "en", "languages": ("fr",)}, ("fr",), "en"),
        ({"preferred_language": None, "languages": ("fr", "en")}, ("en",), "fr"),
        ({"preferred_language": None, "languages": ()}, ("fr", "en"), "fr"),
        ({"preferred_language": None, "languages": ()}, (), "en"),
        ({"preferred_language": "fr-CA", "languages": ()}, ("en",), "fr"),
    ],
)
async def test_the_language_is_the_person_s_then_the_subsidiary_s_then_english(
    own: dict[str, object], subsidiary_s: tuple[str, ...], spoken: str, h: Hearing, tmp_path: Path
) -> None:
    await h.hears(subsidiary(languages=subsidiary_s), programme(), employee(**own), enrolment())
    assert mail_to(tmp_path, MENTEE)["Content-Language"] == spoken


@pytest.mark.parametrize(
    ("given_name", "family_name", "greeting"), [("", "Quatrefages", "Bonjour Quatrefages,"), ("", "", "Bonjour à vous,")]
)
async def test_a_missing_name_stops_no_mail(given_name: str, family_name: str, greeting: str, h: Hearing, tmp_path: Path) -> None:
    await h.hears(programme(), employee(given_name=given_name, family_name=family_name), enrolment())
    assert greeting in text(mail_to(tmp_path, MENTEE))


async def test_an_address_that_cannot_be_written_to_fails_and_is_not_repeated(h: Hearing) -> None:
    await h.hears(*everybody(), employee(seq=2, email="not an address"), enrolment())
    delivery = await the_delivery(h)
    assert await failures(h) == [(delivery.id, "bad-address")]
    assert delivery.reason == "bad-address"


async def test_a_partner_s_bad_address_does_not_cost_the_reader_their_invitation(h: Hearing, tmp_path: Path) -> None:
    await h.hears(*everybody(), employee(MENTOR, seq=2, email="not an address"), session())
    assert "Zebulon" in text(mail_to(tmp_path, MENTEE))


async def test_a_zone_that_does_not_exist_fails_for_good(h: Hearing) -> None:
    await h.hears(*everybody(), session(mentee_zone="Europe/Pari"))
    assert {one.person: one.reason for one in await deliveries(h)} == {MENTEE: "cannot-compose", MENTOR: None}


async def test_a_refused_mail_fails_with_the_server_s_code(tmp_path: Path) -> None:
    postman = Postman(tmp_path / "mails", MailRefused(550, "recipient", "5.1.1"))
    async with notifications(tmp_path, postman) as h:
        await h.hears(*everybody(), pair())
        delivery = await the_delivery(h)
        assert (delivery.status, delivery.due_at) == (DeliveryStatus.FAILED, START + HISTORY_KEPT)
        assert await failures(h) == [(delivery.id, "refused-550")]
        await h.passes(timedelta(days=2))
        assert len(postman.handed) == 1


async def test_a_server_that_is_away_is_asked_again_with_growing_pauses(tmp_path: Path) -> None:
    postman = Postman(tmp_path / "mails", *(MailUnavailable("away") for _ in range(4)))
    async with notifications(tmp_path, postman) as h:
        await h.hears(*everybody(), pair())
        for attempts, minutes in ((1, 1), (2, 5), (3, 15), (4, 60)):
            delivery = await the_delivery(h)
            assert (delivery.status, delivery.attempts) == (DeliveryStatus.PENDING, attempts)
            await h.passes(minutes * MINUTE - timedelta(seconds=1))
            assert len(postman.handed) == attempts
            await h.passes(timedelta(seconds=1))
        assert (await the_delivery(h)).status is DeliveryStatus.SENT
        assert len(set(postman.handed)) == 1
        assert len(mails(tmp_path)) == 1


async def test_a_server_that_is_away_for_a_day_fails_the_delivery(tmp_path: Path) -> None:
    postman = Postman(tmp_path / "mails", *(MailUnavailable("away") for _ in range(1000)))
    async with notifications(tmp_path, postman) as h:
        await h.hears(*everybody(), pair())
        for pause in PAUSES:
            assert (await the_delivery(h)).status is DeliveryStatus.PENDING
            await h.passes(pause)
        delivery = await the_delivery(h)
        assert await failures(h) == [(delivery.id, "unavailable")]
        assert timedelta(hours=23) < h.clock.now() - START <= timedelta(hours=24)


class Crash(BaseException):
    """The process ends here."""


class Dying:
    """A sender in a process that is killed: before the server has the message, or just after it has said 250."""

    def __init__(self, server: MailSender | None) -> None:
        self._server = server

    async def send(self, message: EmailMessage) -> None:
        if self._server:
            await self._server.send(message)
        raise Crash


@pytest.mark.parametrize("server_has_it", [False, True])
async def test_a_claim_outlives_a_crash_and_the_mail_goes_out_under_the_same_id(server_has_it: bool, tmp_path: Path) -> None:  # noqa: FBT001
    server = Postman(tmp_path / "mails")
    async with notifications(tmp_path, Dying(server if server_has_it else None)) as h:
        with pytest.raises(Crash):
            await h.hears(*everybody(), pair())
        claimed = await the_delivery(h)
        assert claimed.status is DeliveryStatus.SENDING
    async with notifications(tmp_path, server) as again:
        await again.passes(LEASE - MINUTE)
        assert len(server.handed) == server_has_it
        await again.passes(MINUTE)
        delivery = await the_delivery(again)
        assert (delivery.status, delivery.attempts) == (DeliveryStatus.SENT, 2)
        assert server.handed == [f"<{claimed.id}@localhost>"] * (1 + server_has_it)
        assert len(mails(tmp_path)) == 1
        assert len(await sent(again)) == 1


async def test_a_claim_whose_effect_never_ran_is_taken_up_when_its_lease_is_over(h: Hearing, tmp_path: Path) -> None:
    await h.hears(*everybody())
    await h.given(a_claim())
    await h.passes(LEASE - timedelta(seconds=1))
    assert mails(tmp_path) == []
    await h.passes(timedelta(seconds=1))
    assert mail_to(tmp_path, MENTEE)["Message-ID"] == "<delivery-1@localhost>"


class Slow:
    """A server so slow that whoever comes after the first finds most of the lease gone."""

    def __init__(self, folder: Path) -> None:
        self.handed: list[str] = []
        self.clock: FixedClock | None = None
        self._folder = FolderSender(folder)

    async def send(self, message: EmailMessage) -> None:
        if self.clock and not self.handed:
            self.clock.advance(3 * MINUTE)
        self.handed.append(message["Message-ID"])
        await self._folder.send(message)


async def test_a_claim_that_waited_too_long_is_given_back_and_counts_for_nothing(tmp_path: Path) -> None:
    slow = Slow(tmp_path / "mails")
    async with notifications(tmp_path, slow) as h:
        slow.clock = h.clock
        people = [f"fr:e-{number}" for number in range(100, 120)]
        enrolments = [enrolment(person=person, enrolment=f"of-{person}") for person in people]
        await h.hears(programme(), *(employee(person) for person in people), *enrolments)
        assert {(one.status, one.attempts) for one in await deliveries(h)} == {(DeliveryStatus.SENT, 1)}
        assert len(slow.handed) == len(set(slow.handed)) == 20


LETTERHEAD = Letterhead(sender=Address("amont@localhost"), public_url="http://127.0.0.1:8000", domain="localhost")


@pytest.mark.parametrize(
    ("minutes", "attempt", "status", "attempts"),
    [(3, 1, DeliveryStatus.PENDING, 0), (1, 2, DeliveryStatus.SENDING, 1), (3, 2, DeliveryStatus.SENDING, 1)],
)
async def test_a_message_is_written_for_a_claim_that_holds_and_for_no_other(
    minutes: int, attempt: int, status: DeliveryStatus, attempts: int, h: Hearing
) -> None:
    await h.hears(*everybody())
    claimed = await h.given(a_claim())
    assert await h.asked(verbs.write_message, claimed.id, 1, LETTERHEAD) is not None
    h.clock.advance(minutes * MINUTE)
    assert await h.asked(verbs.write_message, claimed.id, attempt, LETTERHEAD) is None
    left = await h.look(Delivery, claimed.id)
    assert (left.status, left.attempts) == (status, attempts)


async def test_who_leaves_between_claim_and_sending_is_not_written_to(h: Hearing) -> None:
    await h.hears(*everybody(), EmployeeLeft(seq=2, person=MENTEE, effective_at=START))
    claimed = await h.given(a_claim())
    assert await h.asked(verbs.write_message, claimed.id, 1, LETTERHEAD) is None
    left = await h.look(Delivery, claimed.id)
    assert (left.status, left.reason) == (DeliveryStatus.SUPPRESSED, "left")


class Silent:
    """A server that takes the connection and never says a word."""

    async def send(self, message: EmailMessage) -> None:
        del message
        await asyncio.Event().wait()


def test_the_latest_start_the_longest_hand_over_and_the_longest_noting_end_before_the_lease_does() -> None:
    """Or what has left, and is being noted, would be taken up once more."""
    looking_then_reading_then_writing = 3 * (3 * ANSWER_WITHIN_SECONDS)
    longest = verbs.HAND_OVER_SECONDS + verbs.NOTE_SECONDS + verbs.NOTE_PAUSE_SECONDS + looking_then_reading_then_writing
    assert START_WITHIN + timedelta(seconds=longest) <= LEASE


async def test_handing_over_ends_at_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "HAND_OVER_SECONDS", 0.01)
    async with notifications(tmp_path, Silent()) as h:
        await h.hears(*everybody(), pair())
        assert (await the_delivery(h)).status is DeliveryStatus.PENDING


async def test_names_are_only_where_recipients_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    postman = Postman(tmp_path / "mails", MailUnavailable("away"), MailRefused(550, "recipient"), ValueError("a defect"))
    async with notifications(tmp_path, postman) as h:
        await h.hears(*(event for event, _ in TELLING.values()))
        await h.hears(*everybody())
        await h.passes(10 * MINUTE)
        await h.hears(employee(MENTEE, seq=2, email="broken address"), enrolment(seq=9))
        await h.passes(timedelta(hours=1))
        assert {one.status for one in await deliveries(h)} == {DeliveryStatus.SENT, DeliveryStatus.FAILED}
    rows = [*everything_in(tmp_path / "store.sqlite", leaving_out="d_recipients"), *everything_in(tmp_path / "log.sqlite")]
    written = "\n".join(row for row in rows if "enrolment-employees" not in row) + "".join(capsys.readouterr())
    assert "NotificationSent" in written
    assert "effect_failed" in written
    assert [name for name in [*PERSONAL, "broken address", "Archiviste"] if name in written] == []
    assert any("Quatrefages" in row for row in rows)


def a_claim() -> Delivery:
    """A proposal to the mentee that somebody has claimed at the start of time, and no more."""
    [notice] = of_pair(pair())
    planned = Delivery.plan("delivery-1", notice, channel=Channel.MAIL, about="event-1", happened_at=START, now=START).state
    return replace(planned, status=DeliveryStatus.SENDING, attempts=1, due_at=START + LEASE)


async def failures(h: Hearing) -> list[tuple[str, str]]:
    """What was said, all of it failures: (delivery, reason)."""
    said = await h.said()
    assert all(isinstance(one, NotificationFailed) and one.status is DeliveryStatus.FAILED for one in said)
    return [(one.delivery, one.reason) for one in said if isinstance(one, NotificationFailed)]


def everything_in(file: Path, *, leaving_out: str = "") -> list[str]:
    """Every row of every table as text, bytes decoded."""
    connection = sqlite3.connect(file)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'") if name != leaving_out]
    rows = [row for table in tables for row in connection.execute(f"SELECT * FROM {table}")]
    connection.close()
    return [" ".join(value.decode() if isinstance(value, bytes) else str(value) for value in row) for row in rows]


async def test_two_years_after_an_event_nothing_says_whom_it_was_told_and_it_tells_nobody_any_more(h: Hearing, tmp_path: Path) -> None:
    """The mail in a folder goes, too: once the delivery is gone nothing would lead an erasure to it."""
    await h.hears(*everybody(), pair())
    await h.passes(HISTORY_KEPT - MINUTE)
    assert (len(await deliveries(h)), len(mails(tmp_path))) == (1, 1)
    await h.said()
    await h.passes(MINUTE)
    await h.hears(record_of(pair(), time=START, id="comes again"))
    assert (await deliveries(h), mails(tmp_path), await h.said()) == ([], [], [])


async def test_outcomes_are_counted_once_saved(tmp_path: Path) -> None:
    def counted(outcome: str) -> float:
        return DELIVERIES.labels("mail", outcome)._value.get()

    before = {outcome: counted(outcome) for outcome in ("sent", "failed", "suppressed", "postponed")}
    postman = Postman(tmp_path / "mails", MailUnavailable("away"), MailRefused(550, "recipient"))
    async with notifications(tmp_path, postman) as h:
        await h.hears(*everybody(), pair())
        await h.passes(MINUTE)
        await h.hears(enrolment())
        await h.hears(employee(seq=2, email=None))
        await h.hears(enrolment(enrolment="another"))
        assert {outcome: counted(outcome) - before[outcome] for outcome in before} == {
            "sent": 1,
            "failed": 1,
            "suppressed": 1,
            "postponed": 1,
        }
