"""Employees over HTTP: one's own record, and a subsidiary's for its coordinators."""

from datetime import date, datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict

from amont.common.events.values import EmployeeStatus
from amont.common.web import CurrentActor, CurrentRun, Listing, Page, api_router, responses
from amont.enrolment import commands
from amont.enrolment.domain.employee import Employee

router = api_router("enrolment")


class ProfileView(BaseModel):
    """What the HR system says of somebody who works in the group."""

    given_name: str
    family_name: str
    email: str | None
    preferred_language: str | None
    band: int
    job_title: str
    function: str
    business_unit: str
    team: str
    site: str
    zone: str
    languages: list[str]
    managers: list[str]
    joined_on: date | None


class EmployeeView(BaseModel):
    """An employee as of now. A leaver has no profile; `changes_at` is when the next known change becomes true."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "person": "fr:1042",
                    "tenant": "fr",
                    "status": "active",
                    "profile": {
                        "given_name": "Lea",
                        "family_name": "Martin",
                        "email": "lea.martin@example.org",
                        "preferred_language": "fr",
                        "band": 5,
                        "job_title": "Data analyst",
                        "function": "data",
                        "business_unit": "retail",
                        "team": "pricing",
                        "site": "Paris",
                        "zone": "Europe/Paris",
                        "languages": ["fr", "en"],
                        "managers": ["fr:7"],
                        "joined_on": "2025-09-01",
                    },
                    "effective_at": "2026-01-01T00:00:00Z",
                    "changes_at": None,
                    "enrolments": ["5f0c3c2e-6c1b-5d8e-8f0e-0d9a3b1f1c11"],
                }
            ]
        }
    )

    person: str
    tenant: str
    status: EmployeeStatus | None
    profile: ProfileView | None
    effective_at: datetime | None
    changes_at: datetime | None
    enrolments: list[str]

    @classmethod
    def of(cls, one: Employee) -> "EmployeeView":
        return cls(
            person=one.id,
            tenant=one.tenant,
            status=one.status,
            profile=ProfileView(**one.profile.facts()) if one.profile else None,
            effective_at=one.last.position.effective_at if one.last else None,
            changes_at=one.future[0].position.effective_at if one.future else None,
            enrolments=[enrolment.id for enrolment in one.enrolments],
        )


@router.get("/employees/{person:path}", responses=responses())
async def get_employee(
    person: Annotated[str, Path(description="`tenant:employee_id`", examples=["fr:1042"])], actor: CurrentActor, run: CurrentRun
) -> EmployeeView:
    """Read one employee: oneself, or somebody of the coordinator's subsidiary."""
    return EmployeeView.of(await run(commands.employee, person, actor))


@router.get("/employees", responses=responses())
async def list_employees(
    actor: CurrentActor,
    run: CurrentRun,
    page: Listing,
    tenant: Annotated[str | None, Query(max_length=32, description="the asker's own when left out")] = None,
    status: Annotated[EmployeeStatus | None, Query(description="active and on leave when left out")] = None,
) -> Page[EmployeeView]:
    """List a subsidiary's people, for its coordinators and the group's."""
    found = await run(commands.employees, tenant or actor.tenant, actor, status, page.after, page.limit)
    return page.of([EmployeeView.of(one) for one in found], lambda view: view.person)
