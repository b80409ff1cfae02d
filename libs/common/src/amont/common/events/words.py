"""What an address, a person's id, a time zone and a grade table are, wherever a staff record is looked at.

Enrolment decides by these, and the contract kit says the same before anything is sent: hence one definition, beside the contracts. Zones come from
the `tzdata` package, languages from CLDR (by Babel), and neither from anywhere else: an answer must not depend on what the operating system has
installed.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources

from amont.common.slips import meant

_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f<>()\[\],;:\\\"]{1,64}@[^@\s\x00-\x1f\x7f<>()\[\],;:\\\"]+\.[^@\s\x00-\x1f\x7f<>()\[\],;:\\\".]+")
_TENANT = re.compile(r"[a-z0-9-]{1,32}")
_PERSON = re.compile(r"[a-z0-9-]{1,32}:[^\x00-\x1f\x7f-\x9f]{1,64}")
BANDS = range(1, 21)
"""The group's grade bands, from the most junior to the most senior."""
MOST_GRADES = 2_000
"""Codes of one subsidiary's grade table."""
SHORT = 3
"""Letters of a word that is a code, or next to nothing."""
_PARTS = re.compile(r"[-_]")
_PLACE = re.compile(r"[A-Za-z]{2}|[A-Za-z]{4}|[0-9]{3}")
"""A country or a script behind a language."""
_NOT_PLACES = {"Factory", "localtime"}


def is_address(text: str) -> bool:
    """Something a mail server could take: one @, a domain with a dot, nothing that ends a header or begins another recipient."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def person_id(text: str, tenant: str) -> str | None:
    """The person an HR system means: `tenant:employee_id` as it is, a plain id in `tenant`; None when it is neither."""
    found = text if _PERSON.fullmatch(text) else f"{tenant}:{text}"
    return found if _PERSON.fullmatch(found) else None


def is_tenant(text: str) -> bool:
    """What a subsidiary's id can be."""
    return _TENANT.fullmatch(text) is not None


def is_person(text: str) -> bool:
    """`tenant:employee_id`."""
    return _PERSON.fullmatch(text) is not None


@cache
def zone_names() -> frozenset[str]:
    """Every time zone that there is, by its name in the tz database."""
    names = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(names) - _NOT_PLACES


def is_zone(name: str) -> bool:
    """Whether the tz database has a place of that name."""
    return name in zone_names()


@lru_cache(maxsize=4096)
def is_spoken(tag: str) -> bool:
    """Whether the language that a BCP 47 tag begins with is one. A code of three letters is believed, unless a shorter one stands for it: of the thousands
    that ISO 639-3 has, CLDR names few.
    """
    first = tag.partition("-")[0]
    return first in _languages() or (len(first) == 3 and first not in _by_name())


@lru_cache(maxsize=4096)
def language_meant(text: str) -> str | None:
    """The BCP 47 tag that somebody may have meant by a code in capitals, with an underscore or longer than it need be, or by a language's name in English,
    French, German or Spanish; None when none is like it. Nothing is like a word of two or three letters but itself.
    """
    first, *rest = _PARTS.split(text.strip())
    if (code := first.casefold()) in _languages():
        return "-".join([code, *(one for one in rest if _PLACE.fullmatch(one))][:2])
    names, whole, short = _by_name(), text.strip().casefold(), text.partition("(")[0].strip().casefold()
    if found := names.get(whole) or names.get(short) or names.get(code):
        return found
    near = (meant(name, (one for one in names if len(one) > SHORT)) for name in (short, code) if len(name) > SHORT)
    return next((names[name] for name in near if name), None)


@cache
def _languages() -> frozenset[str]:
    from babel import Locale  # noqa: PLC0415 - read when a language is looked up, which most commands never do

    return frozenset(Locale("en").languages)


@cache
def _by_name() -> Mapping[str, str]:
    """The tags of codes that have a shorter one, and of names in four languages."""
    from babel import Locale  # noqa: PLC0415 - as above
    from babel.core import get_global  # noqa: PLC0415

    known = _languages()
    longer = {code: other for code, other in get_global("language_aliases").items() if other in known and code not in known}
    names = {name.casefold(): code for locale in ("es", "de", "fr", "en") for code, name in Locale(locale).languages.items()}
    return {name: code.replace("_", "-") for name, code in {**names, **longer}.items()}
