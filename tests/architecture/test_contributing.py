"""CONTRIBUTING's worked example, run as it stands: its Python blocks in order make one module, and its last one is a test that must pass."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from amont.common.aggregate import Aggregate, Decision
from amont.common.documents.collection import Collection
from amont.common.errors import Conflict
from amont.common.events import Event, topics
from amont.common.events.values import PersonId
from amont.common.service import Parts, Service
from amont.common.service import reading as shell
from amont.common.testing import hearing as testing
from amont.common.testing.hearing import Hearing, hearing
from amont.common.work import Reactions, Work

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Aggregate):
    """What the example's reader keeps."""

    thanks: int = 0


def example() -> dict[str, Any]:
    """The names that the page's blocks define."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    given = {
        one.__name__: one
        for one in (Aggregate, Any, ClassVar, Conflict, Decision, Event, Heard, Hearing, Mapping, Work, dataclass)
        if hasattr(one, "__name__")
    }
    names: dict[str, Any] = {**given, "Any": Any, "ClassVar": ClassVar, "PersonId": PersonId, "Reactions": Reactions, "__name__": "example"}
    exec(compile("\n\n".join(blocks), str(PAGE), "exec"), names)
    return names


async def test_the_seven_steps_work_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = example()
    event, thanks = names["MentorThanked"], names["Thanks"]
    known = {**topics.TYPES, event.type_name(): event}
    for module in (topics, shell, testing):
        monkeypatch.setattr(module, "TYPES", known)

    def scheduling(parts: Parts) -> Service:
        return Service("scheduling", parts, consumes={}, publishes=names["PUBLISHES"], keeps=[Collection(thanks, "thanks")])

    def notifications(parts: Parts) -> Service:
        return Service("notifications", parts, consumes=names["CONSUMES"], publishes=(), keeps=[Collection(Heard, "heard")])

    async with hearing(scheduling, tmp_path / "one") as one, hearing(notifications, tmp_path / "two") as two:
        await names["test_thanks_are_heard_once"](one, two)
        with pytest.raises(Conflict):
            await one.asked(names["thank"], "p1", "s1")
