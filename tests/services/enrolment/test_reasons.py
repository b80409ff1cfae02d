"""Every reason is said in both languages, with the same facts."""

import re
from string import Formatter

import pytest

from amont.common.events.values import ProgrammeStatus, Role
from amont.enrolment.domain.reasons import CATALOGUE, reason

FACTS = {
    "status": ProgrammeStatus.CLOSED,
    "role": Role.MENTEE,
    "tenant": "fr",
    "limit": 9,
    "band": 14,
    "months": 6,
    "current": 2,
    "waiting": 2000,
    "most": 8,
    "topics": "ai, data",
    "text": "golf",
    "meant": "fr",
    "fault": "'golf' is not a window",
    "needed": 2,
}


@pytest.mark.parametrize("which", CATALOGUE)
def test_a_reason_is_said_in_both_languages_with_the_same_facts(which: str) -> None:
    said = reason(which, "/role", **FACTS)
    assert said.words == {"en": said.detail, "fr": said.french}
    assert said.detail != said.french
    assert "{" not in said.detail + said.french
    english, french = ({name.removesuffix("_fr") for _, name, _, _ in Formatter().parse(text) if name} for text in CATALOGUE[which])
    assert french == english or (english, french) == ({"fault"}, {"text"})


@pytest.mark.parametrize("which", CATALOGUE)
def test_french_keeps_its_punctuation_with_the_word_before(which: str) -> None:
    assert not re.search(r" [?!:;»]|« ", CATALOGUE[which][1])


def test_what_stands_in_a_fact_is_no_placeholder() -> None:
    assert "{band}" in reason("language", "/languages/0", text="{band}").detail
