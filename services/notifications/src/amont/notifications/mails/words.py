"""From facts to sentences.

Each kind of mail is one template per language, which says what is said; two layouts (`html`, `text`) say what it looks like. So the plain
text and the HTML of one mail come from the same sentences and cannot differ. Dates, times and cities are written by Babel in the reader's
language and zone. Nothing here knows about headers or MIME.
"""

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, get_timezone_location
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from amont.notifications.mails.facts import Facts, MailKind, one_line, told

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGES = ("fr", "en")
FALLBACK = "en"
TEXT_WIDTH = 72
EN_DASH = "\u2013"

_LOCALES = {"fr": "fr_FR", "en": "en_GB"}
_HOURS = re.compile(rf"\d\d:\d\d{EN_DASH}\d\d:\d\d")
_SPACES = re.compile(r"[ \t\r\n]+")


class Period(Protocol):
    """Anything that has a beginning and an end."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Wording:
    """One mail in words."""

    subject: str
    text: str
    html: str


def spoken(language: str) -> str:
    """The language we answer in: the reader's (a BCP 47 tag, region ignored) when we speak it, English otherwise."""
    primary = re.split(r"[-_]", language.lower())[0]
    return primary if primary in LANGUAGES else FALLBACK


def word(kind: MailKind, language: str, facts: Facts, *, sender_name: str) -> Wording:
    """Say it in `language` (one of LANGUAGES), as plain text and as HTML. Raises MissingFacts."""
    context = _context(language, told(kind, facts)) | {"unsubscribe_url": facts.unsubscribe_url, "sender_name": sender_name}
    name = f"{language}/{kind}.j2"
    return Wording(
        subject=_block("subject", name, context),
        text=_tidy(environment("text").get_template(name).render(context)),
        html=environment("html").get_template(name).render(context),
    )


def word_invitation(kind: MailKind, language: str, facts: Facts) -> tuple[str, str]:
    """Summary and description of the calendar entry: programme and number of the session, nothing about a person."""
    context = _context(language, told(kind, facts))
    return _block("summary", f"{language}/invitation.j2", context), _block("description", f"{language}/invitation.j2", context)


def write_period(period: Period, *, zone: str, language: str) -> str:
    """A period on the reader's clock: "jeudi 14 janvier 2027, 10:00-11:00 (Paris)", with an en dash."""
    here = ZoneInfo(zone)
    start, end = period.starts_at.astimezone(here), period.ends_at.astimezone(here)
    day, clock = partial(_day, language=language), partial(_clock, language=language)
    until = clock(end) if start.date() == end.date() else f" {day(end)}, {clock(end)}"
    joint = EN_DASH if start.date() == end.date() else f" {EN_DASH}"
    return f"{day(start)}, {clock(start)}{joint}{until} ({_city(zone, language)})"


def write_instant(instant: datetime, *, zone: str, language: str) -> str:
    """An instant on the reader's clock: "Thursday 14 January 2027, 18:00 (London)"."""
    here = instant.astimezone(ZoneInfo(zone))
    return f"{_day(here, language=language)}, {_clock(here, language=language)} ({_city(zone, language)})"


@cache
def environment(layout: str) -> Environment:
    """Templates dressed as `html` (autoescaped) or as `text`. A name that nobody set is an error, never an empty place."""
    made = Environment(
        loader=FileSystemLoader([TEMPLATES / layout, TEMPLATES]),
        autoescape=layout == "html",  # noqa: S701 - plain text has nothing to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["wrap"] = _wrap
    made.filters["unbroken"] = _unbroken
    return made


def _context(language: str, known: dict[str, Any]) -> dict[str, Any]:
    zone = known.pop("zone", None)
    context = known | {"language": language}
    if zone is None:
        return context
    write_here = {"zone": zone, "language": language}
    return context | {"when": partial(write_period, **write_here), "deadline": partial(write_instant, **write_here)}


def _block(block: str, name: str, context: dict[str, Any]) -> str:
    template = environment("text").get_template(name)
    return one_line(_SPACES.sub(" ", "".join(template.blocks[block](template.new_context(context)))))


def _day(moment: datetime, *, language: str) -> str:
    day = format_datetime(moment, "EEEE d MMMM y", locale=_LOCALES[language])
    return day.replace(" 1 ", " 1er ") if language == "fr" else day


def _clock(moment: datetime, *, language: str) -> str:
    return format_datetime(moment, "HH:mm", locale=_LOCALES[language])


@cache
def _city(zone: str, language: str) -> str:
    return get_timezone_location(zone, locale=_LOCALES[language], return_city=True).rpartition("/")[2]


def _unbroken(text: str) -> Markup:
    """HTML in which the hours of a period stay on one line: browsers break after a dash, and have no mark against it that all can show."""
    return Markup(_HOURS.sub(r'<span style="white-space:nowrap;">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped one step earlier


def _wrap(text: str, first: str = "", rest: str = "") -> str:
    """Lines of at most TEXT_WIDTH characters; a link is never cut, a no-break space never broken."""
    words: Iterable[str] = _SPACES.split(text.strip())
    return textwrap.fill(
        " ".join(words), TEXT_WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
