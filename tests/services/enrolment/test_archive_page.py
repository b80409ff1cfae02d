"""The page of an export: what it says of itself, and the names of what is held, are never taken for one another."""

from datetime import UTC, datetime
from html import unescape

import pytest

from amont.enrolment.commands.archive import SERVICES, page
from amont.enrolment.commands.archive.words import WORDS

AT = datetime(2027, 1, 4, 8, tzinfo=UTC)


@pytest.mark.parametrize("language", sorted(WORDS))
def test_a_field_is_never_labelled_with_the_pages_own_words(language: str) -> None:
    own = {key.partition(": ")[2]: text for key, text in WORDS[language].items() if ": " in key}
    assert {"about", "title", *SERVICES} <= own.keys()
    held = {"messages": [{name: f"<{name}>" for name in own}]}
    html = unescape(page("fr:ada", {"notifications": held}, language=language, private=True, at=AT))
    assert html.count(own["about"]) == 1
    assert html.count(f">{own['enrolment']}<") == 2  # in the list of contents, and above what it holds
    assert html.count("<dt>") == len(own)
