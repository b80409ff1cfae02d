"""In which language words come back: `?language=` before `Accept-Language` (RFC 9110, section 12.5.4), English when neither is one we speak."""

from typing import Annotated

from fastapi import Depends, Header, Query, Response

from amont.matching.domain.words import FALLBACK, LANGUAGES, Language, spoken


def _language(
    response: Response,
    language: Annotated[Language | None, Query(description="of the words; otherwise as Accept-Language says")] = None,
    accept_language: Annotated[str | None, Header(max_length=500)] = None,
) -> Language:
    chosen = language or _preferred(accept_language or "")
    response.headers["Content-Language"], response.headers["Vary"] = chosen, "Accept-Language"
    return chosen


def _preferred(header: str) -> Language:
    """The language that is liked best of those we speak; of equals the first."""
    liked: dict[Language, float] = {}
    for choice in header.split(","):
        tag, _, quality = choice.partition(";")
        primary = tag.strip().lower().partition("-")[0]
        if primary in LANGUAGES:
            liked.setdefault(spoken(primary), _quality(quality))
    best = max(liked, key=lambda one: liked[one], default=FALLBACK)
    return best if liked.get(best, 1.0) > 0 else FALLBACK


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0


Words = Annotated[Language, Depends(_language)]


def _any_language(
    language: Annotated[Language | None, Query(description="taken as elsewhere, without effect: there are no words here")] = None,
) -> None:
    """Figures and ids are the same in each."""


InAnyLanguage = Depends(_any_language)
"""For a route that answers in no words, beside others that do: a reader asks all of them alike."""
