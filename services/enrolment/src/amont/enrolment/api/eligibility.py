"""Who may enrol in a programme, and whom a change of it would shut out: questions over HTTP that change nothing."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from amont.common.errors import Invalid
from amont.common.events.values import Role
from amont.common.web import CurrentActor, CurrentRun, Listing, Page, api_router, responses
from amont.enrolment import commands
from amont.enrolment.api.programmes import ProgrammePatch, ProgrammeSlug
from amont.enrolment.domain.programme import ProgrammeClosed
from amont.enrolment.domain.reasons import Reason

router = api_router("enrolment")

_REASON: JsonDict = {
    "code": "band-too-high",
    "pointer": "/role",
    "detail": "a mentor here is at most in band 9, the person is in band 14",
    "words": {
        "en": "a mentor here is at most in band 9, the person is in band 14",
        "fr": "ici, un mentor est au plus au niveau 9\u00a0; la personne est au niveau 14",
    },
}


class ReasonView(BaseModel):
    """Why not: a stable code, what part of an enrolment it is about, and a sentence, in English and by language."""

    code: str
    pointer: str
    detail: str
    words: dict[str, str]

    @classmethod
    def of(cls, reason: Reason) -> "ReasonView":
        return cls(code=reason.code, pointer=reason.pointer, detail=reason.detail, words=reason.words)


class EligibilityView(BaseModel):
    """Whether somebody may enrol in a role, as far as it does not depend on the form; every reason when not."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"programme": "digital-2027", "person": "fr:1042", "role": "mentor", "eligible": False, "reasons": [_REASON]}]
        }
    )

    programme: str
    person: str
    role: Role
    eligible: bool
    reasons: list[ReasonView]


class AffectedView(BaseModel):
    """An enrolment that the change would make ineligible, with every reason that would then stand against it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"enrolment": "5f0c3c2e-6c1b-5d8e-8f0e-0d9a3b1f1c11", "person": "fr:1042", "role": "mentor", "reasons": [_REASON]}]
        }
    )

    enrolment: str
    person: str
    role: Role
    reasons: list[ReasonView]

    @classmethod
    def of(cls, one: commands.Affected) -> "AffectedView":
        return cls(
            enrolment=one.enrolment.id,
            person=one.person,
            role=one.enrolment.role,
            reasons=[ReasonView.of(reason) for reason in one.reasons],
        )


@router.get("/programmes/{programme_id}/eligibility", responses=responses())
async def get_eligibility(
    programme_id: ProgrammeSlug,
    role: Annotated[Role, Query()],
    actor: CurrentActor,
    run: CurrentRun,
    person: Annotated[str | None, Query(description="`tenant:employee_id`; the asker when left out")] = None,
) -> EligibilityView:
    """Ask whether somebody may enrol, and get every reason when not; nothing is changed."""
    whom = person or actor.person
    reasons = await run(commands.eligibility, programme_id, whom, role, actor)
    views = [ReasonView.of(reason) for reason in reasons]
    return EligibilityView(programme=programme_id, person=whom, role=role, eligible=not views, reasons=views)


@router.post("/programmes/{programme_id}/preview", responses=responses(ProgrammeClosed, Invalid))
async def preview_programme(
    programme_id: ProgrammeSlug, body: ProgrammePatch, actor: CurrentActor, run: CurrentRun, page: Listing
) -> Page[AffectedView]:
    """See whom a change would make ineligible, before it is made; nothing is changed.

    Send what `PATCH` would take. Listed are the enrolments that the asker sees and against which a reason would stand that does not stand now. A
    page covers `limit` people with a seat, so it may hold fewer, or none, and be followed by others.
    """
    edit = commands.Edit(name=body.name, tenants=body.tenants, topics=body.topics, policy=body.policy)
    people, affected = await run(commands.preview, programme_id, actor, edit, page.after, page.limit)
    return Page(items=[AffectedView.of(one) for one in affected], next=page.of(people, lambda one: one.id).next)
