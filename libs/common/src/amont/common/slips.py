"""What somebody may have meant who has written a name that there is not: a setting, a field of a body or of a file."""

import difflib
from collections.abc import Iterable

ALIKE = 0.8


def meant(name: str, known: Iterable[str]) -> str | None:
    """The name that is most like it; None when none is."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=ALIKE)), None)


def or_meant(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that there is not; nothing when no other is like it."""
    found = meant(name, known)
    return f"; did you mean {found!r}?" if found else ""
