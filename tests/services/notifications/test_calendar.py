"""Invitations as a calendar reads them: parsed back from the mail, and from the zone rules they carry."""

# ruff: noqa: RUF001 - periods are written with an en dash, and that is tested

import email
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from icalendar import Calendar, Event

from amont.notifications.mails import Address, Facts, MailKind, Partner, Session, compose
from amont.notifications.mails.calendar import Method, describe_zone, invitation

STAMP = datetime(2027, 1, 8, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
ORGANISER = Address("mentorat@example.com", 'Mentorat; "inversé", 2027')
CAMILLE = Address("camille@example.com", "Camille Durand")
ZONES = [
    "Europe/Paris",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Nuuk",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Asia/Jerusalem",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Pacific/Auckland",
    "Etc/GMT+3",
]


def session(starts_at: datetime = datetime(2027, 1, 14, 9, tzinfo=UTC), **changes: Any) -> Session:
    return Session(
        **({"uid": "session-1@example.com", "sequence": 0, "number": 2, "starts_at": starts_at, "ends_at": starts_at + HOUR} | changes)
    )


def mail(
    kind: MailKind, meeting: Session, *, to: Address = CAMILLE, partner: Partner | None = None, zone: str = "Europe/Paris"
) -> EmailMessage:
    facts = Facts(
        given_name="Camille",
        programme="Digital 2027",
        page_url="https://amont.example.com/sessions/1",
        zone=zone,
        partner=partner or Partner(name="Inès Le Goff", email="ines@example.com"),
        session=meeting,
    )
    composed = compose(kind, to=to, language="fr", facts=facts, message_id="<1@a.example>", date=STAMP, sender=ORGANISER)
    return email.message_from_bytes(bytes(composed), policy=default)


def calendar_part(message: EmailMessage) -> EmailMessage:
    *_, last = message.iter_parts()
    assert last.get_content_type() == "text/calendar"
    assert isinstance(last, EmailMessage)
    return last


def calendar_of(message: EmailMessage) -> Calendar:
    parsed = Calendar.from_ical(calendar_part(message).get_payload(decode=True))
    assert isinstance(parsed, Calendar)
    return parsed


def event_of(message: EmailMessage) -> Event:
    [event] = calendar_of(message).events
    return event


@pytest.mark.parametrize(
    ("kind", "method", "status"),
    [
        (MailKind.SESSION_SCHEDULED, "REQUEST", "CONFIRMED"),
        (MailKind.SESSION_RESCHEDULED, "REQUEST", "CONFIRMED"),
        (MailKind.SESSION_CANCELLED, "CANCEL", "CANCELLED"),
    ],
)
def test_the_method_is_the_same_in_the_part_and_in_the_calendar(kind: MailKind, method: str, status: str) -> None:
    message = mail(kind, session(sequence=3))
    assert calendar_part(message).get_param("method") == method
    assert calendar_part(message).get_content_charset() == "utf-8"
    assert calendar_of(message)["METHOD"] == method
    assert event_of(message)["STATUS"] == status
    assert event_of(message)["SEQUENCE"] == 3


def test_a_session_keeps_its_uid_from_invitation_to_cancellation() -> None:
    life = [(MailKind.SESSION_SCHEDULED, 0), (MailKind.SESSION_RESCHEDULED, 1), (MailKind.SESSION_CANCELLED, 2)]
    events = [event_of(mail(kind, session(sequence=sequence))) for kind, sequence in life]
    assert [str(event["UID"]) for event in events] == ["session-1@example.com"] * 3
    assert [event["SEQUENCE"] for event in events] == [0, 1, 2]


def test_the_programme_invites_and_both_people_attend() -> None:
    event = event_of(mail(MailKind.SESSION_SCHEDULED, session(place="Salle 4, « Seine »; 2e étage")))
    assert event["ORGANIZER"] == "mailto:mentorat@example.com"
    assert [str(attendee) for attendee in event["ATTENDEE"]] == ["mailto:camille@example.com", "mailto:ines@example.com"]
    assert [attendee.params["CN"] for attendee in event["ATTENDEE"]] == ["Camille Durand", "Inès Le Goff"]
    assert event["LOCATION"] == "Salle 4, « Seine »; 2e étage"
    assert event["DTSTAMP"].dt == STAMP


def test_a_partner_without_a_mailbox_is_not_an_attendee() -> None:
    event = event_of(mail(MailKind.SESSION_SCHEDULED, session(), partner=Partner(name="Inès Le Goff")))
    assert str(event["ATTENDEE"]) == "mailto:camille@example.com"


def test_summary_and_description_name_nobody() -> None:
    event = event_of(mail(MailKind.SESSION_SCHEDULED, session()))
    assert event["SUMMARY"] == "Mentorat inversé – séance 2 (Digital 2027)"
    assert "https://amont.example.com/sessions/1" in event["DESCRIPTION"]
    assert not any(name in event["SUMMARY"] + event["DESCRIPTION"] for name in ("Camille", "Durand", "Inès", "Goff"))


def test_lines_are_folded_at_75_octets_and_end_in_crlf() -> None:
    written = calendar_part(mail(MailKind.SESSION_SCHEDULED, session(place="é" * 200))).get_payload(decode=True)
    assert isinstance(written, bytes)
    assert b"\n" not in written.replace(b"\r\n", b"")
    assert max(map(len, written.split(b"\r\n"))) <= 75
    assert event_of(mail(MailKind.SESSION_SCHEDULED, session(place="é" * 200)))["LOCATION"] == "é" * 200


def test_a_place_cannot_add_a_property() -> None:
    event = event_of(mail(MailKind.SESSION_SCHEDULED, session(place="Salle 4\r\nATTENDEE:mailto:eve@example.com")))
    assert len(event["ATTENDEE"]) == 2
    assert event["LOCATION"] == "Salle 4 ATTENDEE:mailto:eve@example.com"


@pytest.mark.parametrize(
    ("starts_at", "paris", "new_york"),
    [
        (datetime(2027, 3, 12, 15, tzinfo=UTC), "16:00–17:00 (Paris)", "10:00–11:00 (New York)"),  # both on winter time
        (datetime(2027, 3, 19, 15, tzinfo=UTC), "16:00–17:00 (Paris)", "11:00–12:00 (New York)"),  # New York has moved its clocks
        (datetime(2027, 4, 2, 15, tzinfo=UTC), "17:00–18:00 (Paris)", "11:00–12:00 (New York)"),  # so has Paris
    ],
)
def test_each_reader_sees_their_own_clock_while_the_clocks_change(starts_at: datetime, paris: str, new_york: str) -> None:
    for zone, written in (("Europe/Paris", paris), ("America/New_York", new_york)):
        message = mail(MailKind.SESSION_SCHEDULED, session(starts_at), zone=zone)
        text = message.get_body(("plain",))
        assert text is not None
        assert written in text.get_content()
        start = event_of(message)["DTSTART"]
        assert start.params["TZID"] == zone
        assert start.dt == starts_at
        assert start.dt.strftime("%H:%M") == written[:5]


def test_utc_needs_no_zone() -> None:
    calendar = calendar_of(mail(MailKind.SESSION_SCHEDULED, session(), zone="UTC"))
    assert calendar.timezones == []
    assert b"DTSTART:20270114T090000Z" in calendar.to_ical()


@pytest.mark.parametrize("zone", ZONES)
def test_the_zone_rules_give_the_right_instant_to_a_calendar_that_knows_no_zones(zone: str) -> None:
    for days in range(0, 365, 5):
        meeting = session(datetime(2027, 1, 2, 13, 30, tzinfo=UTC) + timedelta(days=days))
        assert start_read_by_rules_alone(meeting, zone) == meeting.starts_at, meeting.starts_at


@pytest.mark.parametrize(("zone", "spring", "autumn"), [("Europe/Paris", (3, 28), (10, 31)), ("America/New_York", (3, 14), (11, 7))])
def test_the_zone_rules_hold_within_hours_of_a_change(zone: str, spring: tuple[int, int], autumn: tuple[int, int]) -> None:
    for month, day in (spring, autumn):
        for hour in (0, 1, 4, 5, 12):
            local = datetime(2027, month, day, hour, tzinfo=ZoneInfo(zone))
            assert start_read_by_rules_alone(session(local), zone) == local.astimezone(UTC)


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Sydney"])
def test_a_zone_with_yearly_rules_is_described_as_outlook_reads_it(zone: str) -> None:
    described = describe_zone(ZoneInfo(zone), datetime(2027, 6, 1, tzinfo=ZoneInfo(zone))).to_ical().decode()
    assert described.count("RRULE:FREQ=YEARLY;") == 2
    assert "RDATE" not in described


def test_paris_is_described_by_the_book() -> None:
    described = (
        describe_zone(ZoneInfo("Europe/Paris"), datetime(2027, 1, 14, 10, tzinfo=ZoneInfo("Europe/Paris"))).to_ical().decode().split("\r\n")
    )
    for line in (
        "DTSTART:20260329T020000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
        "DTSTART:20261025T030000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
    ):
        assert line in described


def test_a_zone_without_yearly_rules_is_described_by_the_offset_of_the_day() -> None:
    described = describe_zone(ZoneInfo("Africa/Casablanca"), datetime(2027, 6, 1, tzinfo=ZoneInfo("Africa/Casablanca"))).to_ical().decode()
    assert "RRULE" not in described
    assert described.count("BEGIN:STANDARD") == 1
    assert "BEGIN:DAYLIGHT" not in described


def start_read_by_rules_alone(meeting: Session, zone: str) -> datetime:
    """Where a calendar that trusts only the VTIMEZONE puts the session. The zone gets a made-up name, so that nobody looks it up."""
    written = invitation(
        Method.REQUEST, meeting, zone=zone, organiser=ORGANISER, attendees=[CAMILLE], summary="s", description="d", stamp=STAMP
    )
    lines = written.replace("\r\n ", "").split("\r\n")
    rules = lines[lines.index("BEGIN:VTIMEZONE") : lines.index("END:VTIMEZONE") + 1]
    [start] = [line.rpartition(":")[2] for line in lines[lines.index("BEGIN:VEVENT") :] if line.startswith("DTSTART")]
    read = tzical(StringIO("\r\n".join(rules))).get(zone)
    return datetime.strptime(start, "%Y%m%dT%H%M%S").replace(tzinfo=read).astimezone(UTC)
