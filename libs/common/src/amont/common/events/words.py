"""What an address, a person's id, a time zone and a grade table are, wherever a staff record is looked at.

Enrolment decides by these, and the contract kit says the same before anything is sent: hence one definition, beside the contracts. Zones come from
the `tzdata` package and from nowhere else: an answer must not depend on what the operating system has installed.
"""

import re
from functools import cache
from importlib import resources

_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f<>()\[\],;:\\\"]{1,64}@[^@\s\x00-\x1f\x7f<>()\[\],;:\\\"]+\.[^@\s\x00-\x1f\x7f<>()\[\],;:\\\".]+")
_TENANT = re.compile(r"[a-z0-9-]{1,32}")
_PERSON = re.compile(r"[a-z0-9-]{1,32}:[^\x00-\x1f\x7f-\x9f]{1,64}")
BANDS = range(1, 21)
"""The group's grade bands, from the most junior to the most senior."""
MOST_GRADES = 2_000
"""Codes of one subsidiary's grade table."""
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
