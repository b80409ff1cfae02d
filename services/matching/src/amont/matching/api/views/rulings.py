"""What was decided about two people before any round, as it goes over the wire."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Response
from pydantic import BaseModel, Field, model_validator

from amont.common.events.values import PersonId
from amont.common.web import Body
from amont.matching.api.views.shared import Text, example
from amont.matching.domain.ruling import Ruling, RulingKind, Said


class RuleBody(Body):
    """Pin two people, with a reason, or forbid them to each other: a conflict that somebody declares needs none."""

    model_config = example({"kind": "pinned", "mentee": "fr:e42", "mentor": "de:e5", "reason": "Both asked for it.", "override": False})

    kind: Literal["pinned", "forbidden"]
    mentee: PersonId
    mentor: PersonId
    reason: Text | None = None
    override: Annotated[bool, Field(description="a pin that is to hold against the rules, too; the round says which it breaks")] = False

    @model_validator(mode="after")
    def _reasoned(self) -> "RuleBody":
        if self.kind == "pinned" and self.reason is None:
            raise ValueError("a pin needs a reason")
        if self.kind == "forbidden" and self.override:
            raise ValueError("only a pin can override rules")
        return self


class ReleaseBody(Body):
    """Why a ruling is taken back."""

    model_config = example({"reason": "She has another mentor by now."})

    reason: Text | None = None


class SaidView(BaseModel):
    """One decision: what, about whom, by whom, when and why."""

    kind: RulingKind
    mentee: str
    mentor: str
    override: bool
    by: Annotated[str | None, Field(description="null once it is a year ago")]
    at: datetime
    reason: str | None

    @classmethod
    def of(cls, said: Said) -> "SaidView":
        return cls(
            kind=said.kind, mentee=said.mentee, mentor=said.mentor, override=said.override, by=said.by, at=said.at, reason=said.reason
        )


class RulingView(SaidView):
    """What holds for two people now, and what was decided before."""

    id: str
    version: int
    programme: str
    earlier: list[SaidView]

    @classmethod
    def about(cls, ruling: Ruling, version: int) -> "RulingView":
        now = SaidView.of(ruling.now).model_dump()
        earlier = [SaidView.of(one) for one in ruling.earlier]
        return cls(**now, id=ruling.id, version=version, programme=ruling.programme, earlier=earlier)

    @classmethod
    def read(cls, found: tuple[Ruling, int], response: Response) -> "RulingView":
        response.headers["ETag"] = f'"{found[1]}"'
        return cls.about(*found)
