"""The smallest change of their own that would open candidates to somebody in no pair: what it is, as data and in words.

Values only. Which change is the smallest is the engine's work; never is it a change to who somebody is.
"""

from dataclasses import dataclass
from typing import Literal

from babel import Locale

from amont.matching.domain.hours import DAYS

_NUMBERS = {
    "en": ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    "fr": ("zéro", "une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """More time, or one more language.

    Attributes:
        kind: `hours` or `language`.
        opens: how many candidates become allowed by it alone; at least 1.
        half_hours: for `hours`, how many half-hours in one stretch, none of them free so far; else 0.
        window: for `hours`, that stretch as the pool writes it, in the person's local time; else empty.
        language: for `language`, its tag; else empty.
    """

    kind: Literal["hours", "language"]
    opens: int
    half_hours: int = 0
    window: str = ""
    language: str = ""

    def in_english(self) -> str:
        """As in: two more hours on Tuesday, from 14:00 to 16:00, would open 12 candidates."""
        opened = f"would open {self.opens:,} candidate{'s' if self.opens != 1 else ''}"
        if self.kind == "language":
            return f"speaking {_language(self.language, 'en')} {opened}"
        day, start, end = _parts(self.window)
        hours, half = divmod(self.half_hours, 2)
        if not hours:
            amount = "half an hour more"
        elif not half:
            amount = f"{_number(hours, 'en')} more hour{'s' if hours > 1 else ''}"
        else:
            amount = f"{_number(hours, 'en')} and a half more hours"
        return f"{amount} on {_day(day, 'en')}, from {start} to {end}, {opened}"

    def in_french(self) -> str:
        """As in: deux heures de plus le mardi, de 14:00 à 16:00, donneraient 12 candidats."""
        opened = f"{self.opens} candidat{'s' if self.opens > 1 else ''}"
        if self.kind == "language":
            return f"parler {_language(self.language, 'fr')} donnerait {opened}"
        day, start, end = _parts(self.window)
        hours, half = divmod(self.half_hours, 2)
        amount = f"{_number(hours, 'fr')} heure{'s' if hours > 1 else ''}" + (" et demie" if half else "") if hours else "une demi-heure"
        verb = "donneraient" if hours > 1 else "donnerait"
        return f"{amount} de plus le {_day(day, 'fr')}, de {start} à {end}, {verb} {opened}"


def _parts(window: str) -> tuple[int, str, str]:
    day, times = window.split(" ")
    start, end = times.split("-")
    return DAYS.index(day), start, end


def _number(count: int, tongue: str) -> str:
    words = _NUMBERS[tongue]
    return words[count] if count < len(words) else str(count)


def _day(day: int, tongue: str) -> str:
    return str(Locale(tongue).days["stand-alone"]["wide"][day])


def _language(tag: str, tongue: str) -> str:
    """The language's name; its tag where it has none."""
    return str(Locale(tongue).languages.get(tag, tag))
