"""What mails say and how they are put together: every kind in every language, and nothing that a header or a page could trip over."""

# ruff: noqa: RUF001 - periods are written with an en dash, and that is tested

import email
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError, meta

from amont.notifications.mails import (
    LANGUAGES,
    Address,
    BadAddress,
    EndReason,
    Facts,
    MailKind,
    MissingFacts,
    Partner,
    Role,
    Session,
    Slot,
    SuspensionReason,
    compose,
    spoken,
)
from amont.notifications.mails.compose import INVITATIONS
from amont.notifications.mails.facts import ALWAYS, NEEDS, one_line
from amont.notifications.mails.words import TEMPLATES, environment, write_instant, write_period

NOON = datetime(2027, 1, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SENDER = Address("mentorat@example.com", "L'équipe du mentorat inversé")
CAMILLE = Address("camille@example.com", "Camille Durand")
TIMED = {kind for kind, names in NEEDS.items() if "zone" in names}
every_kind = pytest.mark.parametrize("kind", MailKind)
every_language = pytest.mark.parametrize("language", LANGUAGES)


def facts(**changes: Any) -> Facts:
    """Facts enough for any kind."""
    known: dict[str, Any] = {
        "given_name": "Camille",
        "programme": "Digital 2027",
        "page_url": "https://amont.example.com/page",
        "role": Role.MENTEE,
        "zone": "Europe/Paris",
        "partner": Partner(name="Inès Le Goff", email="ines@example.com", function="Data analyst", topics=("IA", "Réseaux sociaux")),
        "expires_at": NOON,
        "accept_url": "https://amont.example.com/accept",
        "decline_url": "https://amont.example.com/decline",
        "withdraw_url": "https://amont.example.com/withdraw",
        "mute_url": "https://amont.example.com/preferences",
        "suspension": SuspensionReason.LEAVE,
        "ending": EndReason.COMPLETED,
        "slots": (Slot(starts_at=NOON, ends_at=NOON + HOUR, choose_url="https://amont.example.com/slots/1"),),
        "session": Session(uid="session-1@example.com", sequence=0, number=2, starts_at=NOON, ends_at=NOON + HOUR, place="Salle 4"),
    }
    return Facts(**(known | changes))


def mail(
    kind: MailKind, language: str = "en", *, message_id: str = "<1@amont.example.com>", to: Address = CAMILLE, **changes: Any
) -> EmailMessage:
    """The mail as a reader's program sees it: composed, written to bytes and parsed back."""
    composed = compose(kind, to=to, language=language, facts=facts(**changes), message_id=message_id, date=NOON, sender=SENDER)
    return email.message_from_bytes(bytes(composed), policy=default)


def body(message: EmailMessage, subtype: str = "plain") -> str:
    part = message.get_body((subtype,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


@every_language
@every_kind
def test_every_kind_says_something_in_every_language(kind: MailKind, language: str) -> None:
    message = mail(kind, language)
    assert message.defects == []
    assert "Digital 2027" in message["Subject"] or "Inès Le Goff" in message["Subject"]
    assert "Camille," in body(message)
    assert f'<html lang="{language}">' in body(message, "html")
    assert message["Content-Language"] == language


@every_kind
def test_a_template_uses_the_same_facts_in_every_language(kind: MailKind) -> None:
    used = {language: variables(f"{language}/{kind}.j2") for language in LANGUAGES}
    assert len(set(map(frozenset, used.values()))) == 1, used


@every_language
@every_kind
def test_a_template_uses_all_the_facts_it_asks_for_and_no_others(kind: MailKind, language: str) -> None:
    asked = set(NEEDS[kind]) - {"zone"}
    used = variables(f"{language}/{kind}.j2") - set(ALWAYS)
    assert used - {"when", "deadline"} == asked
    assert bool(used & {"when", "deadline"}) == (kind in TIMED)


def test_each_language_has_the_same_templates_and_no_strays() -> None:
    expected = {f"{kind}.j2" for kind in MailKind} | {"words.j2", "invitation.j2"}
    assert {language: {file.name for file in (TEMPLATES / language).iterdir()} for language in LANGUAGES} == dict.fromkeys(
        LANGUAGES, expected
    )


def test_french_never_leaves_its_punctuation_at_the_start_of_a_line() -> None:
    for template in (TEMPLATES / "fr").iterdir():
        words = re.sub(r"\{%.*?%\}|\{\{(?! link).*?\}\}", "", template.read_text(encoding="utf-8"))
        assert not re.search(r" [?!:;»]|« ", words), template.name


@every_language
@pytest.mark.parametrize("kind", [kind for kind in MailKind if NEEDS[kind]])
def test_a_missing_fact_is_named(kind: MailKind, language: str) -> None:
    for name in NEEDS[kind]:
        with pytest.raises(MissingFacts, match=name):
            mail(kind, language, **{name: None})


def test_a_name_that_no_template_was_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment("text").from_string("{{ salary }}").render()


@every_language
@every_kind
def test_a_name_cannot_become_markup(kind: MailKind, language: str) -> None:
    nasty = "<script>alert(1)</script>"
    page = body(
        mail(kind, language, given_name=nasty, programme=nasty, partner=Partner(name=nasty, function=nasty, topics=(nasty,))), "html"
    )
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@every_language
@every_kind
def test_a_page_is_well_formed_loads_nothing_and_announces_its_layout_tables(kind: MailKind, language: str) -> None:
    page = Page.read(body(mail(kind, language, unsubscribe_url="https://amont.example.com/unsubscribe"), "html"))
    assert page.open == []
    assert page.tags.isdisjoint({"img", "script", "link", "iframe", "object", "form"})
    assert all(attributes.get("role") == "presentation" for attributes in page.tables)
    assert "url(" not in page.source


@every_language
@every_kind
def test_text_and_page_say_the_same(kind: MailKind, language: str) -> None:
    message = mail(kind, language)
    seen = "".join(Page.read(body(message, "html")).words.split())
    for line in body(message).splitlines():
        said = "".join(re.sub(r"https?://\S+|^\s*\d\. |^--$", "", line).split(" – ")[-1].split())
        assert said in seen, line


@every_language
@every_kind
def test_text_lines_are_short_enough_to_read(kind: MailKind, language: str) -> None:
    assert all(len(line) <= 72 or line.startswith("https://") for line in body(mail(kind, language)).splitlines())


@pytest.mark.parametrize(
    ("asked", "answered"), [("fr", "fr"), ("fr-CA", "fr"), ("FR_fr", "fr"), ("en-US", "en"), ("de", "en"), ("fro", "en"), ("", "en")]
)
def test_a_language_that_we_do_not_speak_is_answered_in_english(asked: str, answered: str) -> None:
    assert spoken(asked) == answered


@every_language
def test_a_proposal_offers_both_answers_and_a_deadline(language: str) -> None:
    text = body(mail(MailKind.PROPOSAL, language))
    for expected in ("Inès Le Goff", "Data analyst", "IA, Réseaux sociaux", "/accept", "/decline", "13:00 (Paris)"):
        assert expected in text


@every_language
def test_a_proposal_speaks_to_the_side_it_is_sent_to(language: str) -> None:
    assert body(mail(MailKind.PROPOSAL, language, role=Role.MENTOR)) != body(mail(MailKind.PROPOSAL, language, role=Role.MENTEE))


@every_language
def test_an_unknown_function_or_no_common_topic_leaves_no_empty_line_in_the_card(language: str) -> None:
    text = body(mail(MailKind.PROPOSAL, language, partner=Partner(name="Inès Le Goff")))
    assert len([line for line in text.splitlines() if line.startswith("  ")]) == 1


@every_language
@pytest.mark.parametrize("kind", [MailKind.PAIR_DECLINED, MailKind.PAIR_EXPIRED, MailKind.WITHDRAWN])
def test_whoever_declined_let_lapse_or_was_left_is_never_named(kind: MailKind, language: str) -> None:
    message = mail(kind, language)
    assert all("Inès" not in part for part in (message["Subject"], body(message), body(message, "html")))


@every_language
def test_a_reason_that_we_have_no_words_for_is_not_said(language: str) -> None:
    private = SuspensionReason("they cannot stand each other")
    assert private is SuspensionReason.OTHER
    assert EndReason("withdrawn") is EndReason.OTHER
    assert "stand" not in body(mail(MailKind.PAIR_SUSPENDED, language, suspension=private))


@every_language
def test_every_reason_has_its_own_words(language: str) -> None:
    assert len({body(mail(MailKind.PAIR_SUSPENDED, language, suspension=reason)) for reason in SuspensionReason}) == len(SuspensionReason)
    assert len({body(mail(MailKind.PAIR_ENDED, language, ending=reason)) for reason in EndReason}) == len(EndReason)


def test_three_slots_are_offered_each_with_its_link() -> None:
    days = [timedelta(days=day) for day in range(3)]
    slots = tuple(Slot(starts_at=NOON + day, ends_at=NOON + day + HOUR, choose_url=f"https://amont.example.com/{day.days}") for day in days)
    text = body(mail(MailKind.SESSION_PROPOSED, "fr", slots=slots))
    for day, number in (("jeudi 14", 0), ("vendredi 15", 1), ("samedi 16", 2)):
        assert f"{day} janvier 2027, 13:00–14:00 (Paris)\nChoisir ce créneau\nhttps://amont.example.com/{number}\n" in text


@pytest.mark.parametrize(
    ("zone", "language", "written"),
    [
        ("Europe/Paris", "fr", "jeudi 14 janvier 2027, 13:00–14:00 (Paris)"),
        ("Europe/London", "fr", "jeudi 14 janvier 2027, 12:00–13:00 (Londres)"),
        ("America/New_York", "en", "Thursday 14 January 2027, 07:00–08:00 (New York)"),
        ("America/Argentina/Buenos_Aires", "en", "Thursday 14 January 2027, 09:00–10:00 (Buenos Aires)"),
        ("Asia/Kolkata", "en", "Thursday 14 January 2027, 17:30–18:30 (Kolkata)"),
        ("Pacific/Auckland", "en", "Friday 15 January 2027, 01:00–02:00 (Auckland)"),
        ("Pacific/Honolulu", "fr", "jeudi 14 janvier 2027, 02:00–03:00 (Honolulu)"),
        ("UTC", "en", "Thursday 14 January 2027, 12:00–13:00 (UTC)"),
    ],
)
def test_a_period_is_written_on_the_reader_s_clock(zone: str, language: str, written: str) -> None:
    assert write_period(facts().session, zone=zone, language=language) == written  # type: ignore[arg-type]


def test_a_period_over_midnight_names_both_days_and_the_first_of_a_month_is_french() -> None:
    late = Slot(
        starts_at=datetime(2026, 12, 31, 22, 30, tzinfo=UTC),
        ends_at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC),
        choose_url="https://a.example",
    )
    assert (
        write_period(late, zone="Europe/Paris", language="fr") == "jeudi 31 décembre 2026, 23:30 – vendredi 1er janvier 2027, 00:30 (Paris)"
    )


def test_an_instant_is_written_on_the_reader_s_clock() -> None:
    assert write_instant(NOON, zone="Europe/Paris", language="fr") == "jeudi 14 janvier 2027, 13:00 (Paris)"


@every_kind
def test_the_same_facts_give_the_same_bytes(kind: MailKind) -> None:
    once, again = (
        compose(kind, to=CAMILLE, language="fr", facts=facts(), message_id="<1@a.example>", date=NOON, sender=SENDER) for _ in range(2)
    )
    assert bytes(once) == bytes(again)


def test_headers_say_who_what_and_that_nobody_should_answer() -> None:
    message = mail(MailKind.ENROLLED, "fr", to=Address("zoe@example.com", "Zoë “Z”, Šimková"))
    assert message["Message-ID"] == "<1@amont.example.com>"
    assert message["Date"].datetime == NOON
    assert message["From"].addresses[0].display_name == "L'équipe du mentorat inversé"
    assert message["To"].addresses[0].display_name == "Zoë “Z”, Šimková"
    assert message["To"].addresses[0].addr_spec == "zoe@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None


@every_kind
def test_the_wire_is_ascii_with_short_lines_and_crlf(kind: MailKind) -> None:
    composed = bytes(compose(kind, to=CAMILLE, language="fr", facts=facts(), message_id="<1@a.example>", date=NOON, sender=SENDER))
    assert composed.isascii()
    assert b"\n" not in composed.replace(b"\r\n", b"")
    assert max(map(len, composed.split(b"\r\n"))) <= 100
    assert b":\r\n" not in composed.partition(b"\r\n\r\n")[0]


def test_one_click_unsubscribe_needs_https_and_keeps_a_long_link_whole() -> None:
    link = f"https://amont.example.com/unsubscribe?token={'aB3-_.' * 60}"
    composed = compose(
        MailKind.PAIR_RESUMED,
        to=CAMILLE,
        language="en",
        facts=facts(unsubscribe_url=link),
        message_id=f"<{'x' * 120}@a.example>",
        date=NOON,
        sender=SENDER,
    )
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in bytes(composed)
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in bytes(composed)
    assert f"\r\nMessage-ID: <{'x' * 120}@a.example>\r\n".encode() in bytes(composed)
    assert f"List-Unsubscribe: <{link}>\r\n" in composed.as_string()
    assert link in body(email.message_from_bytes(bytes(composed), policy=default))
    plain = mail(MailKind.PAIR_RESUMED, unsubscribe_url="http://localhost:8080/unsubscribe")
    assert plain["List-Unsubscribe"] == "<http://localhost:8080/unsubscribe>"
    assert plain["List-Unsubscribe-Post"] is None


@pytest.mark.parametrize(
    "nasty",
    ["Eve\r\nBcc: all@example.com", "Eve\nBcc: all@example.com", "Eve\u2028Bcc: all@example.com", "Eve\x85Bcc: x", "Eve\x00\x0bBcc: x"],
)
def test_a_name_cannot_add_a_header(nasty: str) -> None:
    message = mail(
        MailKind.SESSION_SCHEDULED,
        to=Address("eve@example.com", nasty),
        programme=nasty,
        partner=Partner(name=nasty, email="p@example.com"),
    )
    assert message["Bcc"] is None
    assert message.keys().count("Subject") == 1
    assert message["To"].addresses[0].display_name.startswith("Eve Bcc: ")


@settings(deadline=None, max_examples=50)  # the first example compiles the templates
@given(name=st.text(max_size=60))
def test_any_name_survives_the_headers(name: str) -> None:
    message = mail(MailKind.SESSION_PROPOSED, to=Address("eve@example.com", name), partner=Partner(name=f"x{name}"))
    assert "".join(message["To"].addresses[0].display_name.split()) == "".join(one_line(name).split())
    assert message["Bcc"] is None
    assert message.keys() == mail(MailKind.SESSION_PROPOSED).keys()


def test_a_name_cannot_turn_the_reading_direction() -> None:
    assert one_line(" Eve\u202egnp.exe \u2066x ") == "Evegnp.exe x"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "nobody",
        "a@b@c.example",
        "a b@c.example",
        "a@c.example\r\nBcc: d@e.example",
        "é@c.example",
        ".a@c.example",
        "<a@c.example>",
        "a@-c.example",
        "a" * 250 + "@c.example",
    ],
)
def test_a_bad_address_is_refused_without_being_repeated(bad: str) -> None:
    with pytest.raises(BadAddress) as refused:
        Address(bad)
    assert not bad or bad not in str(refused.value)


@pytest.mark.parametrize(
    "bad",
    [
        "javascript:alert(1)",
        "/relative",
        "https://",
        "https://a.example/a b",
        "https://a.example/>",
        "https://a.example/\r\nX: y",
        'https://a.example/"',
        "https://a.example/" + "x" * 900,
    ],
)
@pytest.mark.parametrize("name", ["page_url", "unsubscribe_url", "accept_url"])
def test_a_link_that_is_not_plain_http_is_refused(name: str, bad: str) -> None:
    with pytest.raises(ValueError, match=name):
        facts(**{name: bad})


@pytest.mark.parametrize(
    "bad", ["1@a.example", "<1>", "<1@a.example>\r\nBcc: b@c.example", "<a b@c.example>", "<é@c.example>", "<@c.example>"]
)
def test_a_bad_message_id_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="message_id"):
        mail(MailKind.ENROLLED, message_id=bad)


def test_a_time_without_an_offset_is_refused() -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="offset"):
        compose(MailKind.ENROLLED, to=CAMILLE, language="en", facts=facts(), message_id="<1@a.example>", date=naive, sender=SENDER)
    with pytest.raises(ValueError, match="offset"):
        facts(expires_at=naive)
    with pytest.raises(ValueError, match="offset"):
        replace(session(), starts_at=naive)


@pytest.mark.parametrize("zone", ["Europe/Pari", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="IANA"):
        facts(zone=zone)


@pytest.mark.parametrize("changes", [{"uid": ""}, {"uid": "a\r\nb"}, {"sequence": -1}, {"ends_at": NOON}])
def test_a_session_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"uid|sequence|period"):
        replace(session(), **changes)


@every_kind
def test_only_what_belongs_in_a_calendar_brings_an_invitation(kind: MailKind) -> None:
    types = [part.get_content_type() for part in mail(kind).iter_parts()]
    assert types == ["text/plain", "text/html", *(["text/calendar"] if kind in INVITATIONS else [])]


def session() -> Session:
    found = facts().session
    assert found is not None
    return found


def variables(name: str) -> set[str]:
    source = (TEMPLATES / name).read_text(encoding="utf-8")
    macros = vars(environment("text").get_template("parts.j2").module)
    return set(meta.find_undeclared_variables(environment("text").parse(source))) - set(macros)


class Page(HTMLParser):
    """What an HTML part is made of."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.source, self.words = "", ""
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.tables: list[dict[str, str | None]] = []

    @classmethod
    def read(cls, source: str) -> "Page":
        page = cls()
        page.source = source
        page.feed(source)
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "table":
            self.tables.append(dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
