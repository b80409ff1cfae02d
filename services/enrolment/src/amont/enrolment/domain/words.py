"""Small words that several rules share: what a slug, a language tag and a clean line of text are. Those of staff records are beside the contracts."""

import re

MAX_NAME = 200
_SLUG = re.compile(r"[a-z0-9-]+")
_LANGUAGE = re.compile(r"[a-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def is_slug(text: str, length: int = 64) -> bool:
    """Lower-case letters, digits and hyphens, at most `length` of them."""
    return len(text) <= length and _SLUG.fullmatch(text) is not None


def is_language(text: str) -> bool:
    """A BCP 47 tag as the contracts write it."""
    return _LANGUAGE.fullmatch(text) is not None


def one_line(text: str) -> str:
    """The text without what a line of print cannot hold, and without white space around it."""
    return (text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)).strip()
