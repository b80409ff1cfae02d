"""A cycle in the management graph, as JSON."""

from datetime import datetime

from pydantic import BaseModel, Field

from amont.common.ids import derived
from amont.matching.api.views.shared import example
from amont.matching.domain.cycle import Cycle


class IgnoredView(BaseModel):
    """A link that is ignored: `report` is said to report to `manager`."""

    report: str
    manager: str


class CycleView(BaseModel):
    """People each of whom is above every other one, by what their HR systems say."""

    model_config = example(
        {
            "id": "0f0c3c2e-6c1b-5d8e-8f0e-0d9a3b1f1c11",
            "members": ["de:17", "fr:1042"],
            "ignored": [{"report": "fr:1042", "manager": "de:17"}],
            "found_at": "2027-01-04T08:00:00Z",
        }
    )

    id: str
    members: list[str]
    ignored: list[IgnoredView] = Field(description="the newest link of each cycle: without them nobody is above themselves")
    found_at: datetime

    @classmethod
    def of(cls, one: Cycle) -> "CycleView":
        ignored = [IgnoredView(report=report, manager=manager) for report, manager in one.ignored]
        return cls(id=derived("cycle", *one.members), members=list(one.members), ignored=ignored, found_at=one.found_at)
