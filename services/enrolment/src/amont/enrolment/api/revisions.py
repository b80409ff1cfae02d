"""What became of a programme, over HTTP: each change with who, when and why, and the policy as it was in each of its versions."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, ConfigDict

from amont.common.events import Policy
from amont.common.web import CurrentActor, CurrentRun, api_router, responses
from amont.enrolment import commands
from amont.enrolment.api.programmes import ProgrammeSlug
from amont.enrolment.api.signed import Known
from amont.enrolment.domain.history import Revision

router = api_router("enrolment")


class ChangeView(BaseModel):
    """A field before and after; null where there was nothing."""

    before: Any
    after: Any


class RevisionView(BaseModel):
    """One change of a programme. `changed` is by JSON pointer, a policy field by field; `policy_version` is the one that holds from here on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 3,
                    "at": "2027-02-01T08:00:00Z",
                    "by": "fr:coord",
                    "why": "the works council asked for a larger gap",
                    "policy_version": 2,
                    "changed": {"/policy/min_grade_gap": {"before": 2, "after": 3}},
                }
            ]
        }
    )

    number: int
    at: datetime
    by: Known
    why: Known
    policy_version: int
    changed: dict[str, ChangeView]

    @classmethod
    def of(cls, one: Revision) -> "RevisionView":
        changed = {pointer: ChangeView(before=change.before, after=change.after) for pointer, change in one.changed.items()}
        return cls(number=one.number, at=one.at, by=one.by, why=one.why, policy_version=one.policy_version, changed=changed)


class PolicyView(BaseModel):
    """A version of a programme's policy: all of it, and the change that made it where that is known."""

    programme: str
    policy_version: int
    policy: Policy
    revision: RevisionView | None


@router.get("/programmes/{programme_id}/history", responses=responses())
async def get_history(programme_id: ProgrammeSlug, actor: CurrentActor, run: CurrentRun) -> list[RevisionView]:
    """Read every change of a programme, the oldest first: who, when, why, and what was changed from what."""
    found, _ = await run(commands.programme, programme_id, actor)
    return [RevisionView.of(one) for one in found.history]


@router.get("/programmes/{programme_id}/policies/{policy_version}", responses=responses())
async def get_policy(
    programme_id: ProgrammeSlug,
    policy_version: Annotated[int, Path(ge=1, le=1_000_000, examples=[1])],
    actor: CurrentActor,
    run: CurrentRun,
) -> PolicyView:
    """Read the policy as it was in one of its versions, and who made it so."""
    found, _ = await run(commands.programme, programme_id, actor)
    made = next((one for one in found.history if one.policy_version == policy_version), None)
    return PolicyView(
        programme=programme_id,
        policy_version=policy_version,
        policy=found.policy_of(policy_version),
        revision=RevisionView.of(made) if made else None,
    )
