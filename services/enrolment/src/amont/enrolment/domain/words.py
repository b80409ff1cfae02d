"""Small words that several rules share: what a slug, a language tag, an address and a clean line of text are."""

import re

MAX_NAME = 200
_SLUG = re.compile(r"[a-z0-9-]+")
_LANGUAGE = re.compile(r"[a-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f<>()\[\],;:\\\"]{1,64}@[^@\s\x00-\x1f\x7f<>()\[\],;:\\\"]+\.[^@\s\x00-\x1f\x7f<>()\[\],;:\\\".]+")
_PERSON = re.compile(r"[a-z0-9-]{1,32}:[^\x00-\x1f\x7f-\x9f]{1,64}")


def is_slug(text: str, length: int = 64) -> bool:
    """Lower-case letters, digits and hyphens, at most `length` of them."""
    return len(text) <= length and _SLUG.fullmatch(text) is not None


def is_language(text: str) -> bool:
    """A BCP 47 tag as the contracts write it."""
    return _LANGUAGE.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Something a mail server could take: one @, a domain with a dot, nothing that ends a header or begins another recipient."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def person_id(text: str, tenant: str) -> str | None:
    """The person an HR system means: `tenant:employee_id` as it is, a plain id in `tenant`; None when it is neither."""
    found = text if _PERSON.fullmatch(text) else f"{tenant}:{text}"
    return found if _PERSON.fullmatch(found) else None


def one_line(text: str) -> str:
    """The text without what a line of print cannot hold, and without white space around it."""
    return (text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)).strip()
