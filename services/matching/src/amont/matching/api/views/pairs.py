"""Pairs as they go over the wire. A private reason is taken and never given back; nobody is scored."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from fastapi import Response
from pydantic import BaseModel

from amont.common.events.values import EndReason, SuspendReason
from amont.common.identity import Actor
from amont.common.web import Body
from amont.matching import commands
from amont.matching.api.views.shared import Text, example, points_of
from amont.matching.domain.pair import Pair

SAYABLE: Mapping[EndReason | SuspendReason, str] = MappingProxyType(
    {
        EndReason.COMPLETED: "completed",
        EndReason.DECLINED: "declined",
        EndReason.EXPIRED: "expired",
        EndReason.LINE_CONFLICT: "line-of-management",
        SuspendReason.LINE_CONFLICT: "line-of-management",
        SuspendReason.ON_LEAVE: "leave",
    },
)
"""What the two of a pair are told of a reason, the same as in their mails; `other` for the rest."""


class DeclineBody(Body):
    """A private reason: it stays in matching, nobody else sees it."""

    model_config = example({"reason": "We know each other too well."})

    reason: Text | None = None


class PairView(BaseModel):
    """A pair, for the two and their coordinators. `points` say why the two were brought together; nobody is scored.

    The two are not told why a pair rests or ended beyond `completed`, `declined`, `expired`, `line-of-management`, `leave` and `other`, nor who had
    said yes to one that is over.
    """

    model_config = example(
        {
            "id": "5a2f3a52-7f3b-5a0e-9a53-a3f0a3a4b7c1",
            "version": 1,
            "programme": "digital-2027",
            "round": "0193f1f0-7a10-7000-8000-000000000001",
            "mentee": "fr:e42",
            "mentor": "de:e5",
            "status": "proposed",
            "waits_for": "mentee",
            "accepted_by": [],
            "topics": ["ai"],
            "points": {"topics": 450, "function": 120, "hours": 52, "grade_gap": 80, "meeting": 80},
            "proposed_at": "2027-01-04T08:00:00Z",
            "expires_at": "2027-01-11T08:00:00Z",
            "suspended": None,
            "rests_until": None,
            "ended": None,
            "ended_at": None,
        },
    )

    id: str
    version: int
    programme: str
    round: str
    mentee: str
    mentor: str
    status: str
    waits_for: str | None
    accepted_by: list[str]
    topics: list[str]
    points: dict[str, int]
    proposed_at: datetime
    expires_at: datetime | None
    suspended: str | None
    rests_until: datetime | None
    ended: str | None
    ended_at: datetime | None

    @classmethod
    def of(cls, pair: Pair, version: int, actor: Actor) -> "PairView":
        whole = commands.coordinates(actor)
        return cls(
            id=pair.id,
            version=version,
            programme=pair.programme,
            round=pair.round,
            mentee=pair.mentee,
            mentor=pair.mentor,
            status=pair.status,
            waits_for=pair.waits_for,
            accepted_by=list(pair.accepted_by) if whole or pair.live else [],
            topics=list(pair.topics),
            points=points_of(pair.points),
            proposed_at=pair.proposed_at,
            expires_at=pair.expires_at,
            suspended=pair.suspended if whole else _said(pair.suspended),
            rests_until=pair.rests_until,
            ended=pair.ended if whole else _said(pair.ended),
            ended_at=pair.ended_at,
        )

    @classmethod
    def read(cls, found: tuple[Pair, int], actor: Actor, response: Response) -> "PairView":
        response.headers["ETag"] = f'"{found[1]}"'
        return cls.of(*found, actor)


def _said(reason: EndReason | SuspendReason | None) -> str | None:
    return None if reason is None else SAYABLE.get(reason, "other")
