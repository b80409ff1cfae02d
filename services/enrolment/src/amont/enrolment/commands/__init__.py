"""What a person may ask of enrolment: one verb each, and the table of what enrolment tells. The clock's own work is in `reactions`."""

from amont.common.events import (
    EmployeeChanged,
    EmployeeEnrolled,
    EmployeeLeft,
    EmployeeWithdrawn,
    EnrolmentChanged,
    EnrolmentResumed,
    EnrolmentSuspended,
    ProgrammeChanged,
    SubsidiaryChanged,
)
from amont.enrolment.commands.enrolments import (
    FormEdit,
    Held,
    edit_enrolment,
    eligibility,
    employee,
    employees,
    enrol,
    enrolment,
    enrolments_in,
    withdraw,
)
from amont.enrolment.commands.programmes import (
    Edit,
    close_programme,
    create_programme,
    edit_programme,
    open_programme,
    programme,
    programmes,
)
from amont.enrolment.commands.subsidiaries import Regraded, add_subsidiary, change_subsidiary, import_grades, subsidiaries, subsidiary

__all__ = [
    "PUBLISHES",
    "Edit",
    "FormEdit",
    "Held",
    "Regraded",
    "add_subsidiary",
    "change_subsidiary",
    "close_programme",
    "create_programme",
    "edit_enrolment",
    "edit_programme",
    "eligibility",
    "employee",
    "employees",
    "enrol",
    "enrolment",
    "enrolments_in",
    "import_grades",
    "open_programme",
    "programme",
    "programmes",
    "subsidiaries",
    "subsidiary",
    "withdraw",
]

PUBLISHES = (
    SubsidiaryChanged,
    EmployeeChanged,
    EmployeeLeft,
    ProgrammeChanged,
    EmployeeEnrolled,
    EnrolmentChanged,
    EnrolmentSuspended,
    EnrolmentResumed,
    EmployeeWithdrawn,
)
