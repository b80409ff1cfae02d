"""`make chaos ARGS=--help`: every figure of a campaign is an option, and every option says what it is."""

from dataclasses import fields

from tests.chaos.__main__ import parser
from tests.chaos.size import FULL, Size


def test_every_option_has_a_help_text() -> None:
    said = {option: action.help or "" for action in parser()._actions for option in action.option_strings}
    assert [option for option, text in said.items() if len(text.split()) < 3] == []
    for one in fields(Size):
        assert said[f"--{one.name.replace('_', '-')}"] == f"{one.metadata['what']}; {getattr(FULL, one.name)} by default"
