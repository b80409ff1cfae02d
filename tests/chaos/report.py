"""The report of a campaign: one line per promise with its figure, kept or broken, for people and as JSON."""

import json
from dataclasses import dataclass, field
from typing import Any

NOT_SHOWN = "not shown"


@dataclass(frozen=True, slots=True)
class Line:
    """What came of one promise. `kept` is None where this run could not show it."""

    promise: str
    says: str
    figure: str
    kept: bool | None
    faults: tuple[str, ...] = ()

    def text(self) -> str:
        verdict = {True: "kept", False: "BROKEN", None: NOT_SHOWN}[self.kept]
        return "\n".join([f"{self.promise}  {verdict:<9}  {self.says}: {self.figure}", *(f"      {fault}" for fault in self.faults)])


@dataclass(slots=True)
class Report:
    """See the module."""

    seed: str
    footing: str
    lines: list[Line] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each stage did and saw."""

    @property
    def kept(self) -> bool:
        return all(line.kept is not False for line in self.lines)

    @property
    def broken(self) -> list[str]:
        return [line.text() for line in self.lines if line.kept is False]

    def text(self) -> str:
        stages = [f"{name}: {', '.join(f'{what} {count}' for what, count in seen.items())}" for name, seen in self.stages.items()]
        figures = ", ".join(f"{what} {count}" for what, count in self.figures.items())
        return "\n".join([f"seed {self.seed} on {self.footing}", *stages, figures, "", *(line.text() for line in self.lines)])

    def json(self) -> str:
        lines = [
            {"promise": one.promise, "says": one.says, "figure": one.figure, "kept": one.kept, "faults": one.faults} for one in self.lines
        ]
        whole = {
            "seed": self.seed,
            "footing": self.footing,
            "kept": self.kept,
            "promises": lines,
            "figures": self.figures,
            "stages": self.stages,
        }
        return json.dumps(whole, indent=1)
