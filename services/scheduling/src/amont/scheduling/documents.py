"""What scheduling keeps: plans, and copies of others' facts; and the questions that are asked of them. What they mean lives in `domain`."""

from amont.common import erasing, exporting
from amont.common.documents import AnyOf, Index
from amont.common.documents.collection import Collection, Query
from amont.scheduling.domain.plan import Plan
from amont.scheduling.domain.projections import Enrolment, Person, Programme

PLANS = Collection(
    Plan,
    "plans",
    indexes=[Index(("people",), many=True), Index(("tenants", "programme"), many=True), Index(("programme",))],
    keys=lambda plan: {"people": list(plan.people), "tenants": sorted(plan.tenants)},
    due=True,
)
PEOPLE = Collection(Person, "people")
ENROLMENTS = Collection(Enrolment, "enrolments")
PROGRAMMES = Collection(Programme, "programmes")

COLLECTIONS = (PLANS, PEOPLE, ENROLMENTS, PROGRAMMES, *erasing.COLLECTIONS, exporting.ANSWERS)


def plans(**conditions: str) -> Query[Plan]:
    """The plans of a `people` member, of one of the `tenants`, of a `programme`; together or alone."""
    return PLANS.where(**conditions)


def plans_of_either(people: tuple[str, str]) -> Query[Plan]:
    """The plans in which one of two people has a part."""
    return PLANS.where(people=AnyOf(people))
