"""Who may enrol, and with what: one rule, one function, each with its reason. All reasons are given at once, never only the first.

The reversal is checked here by grade bands: the mentor is the junior. It is checked again by matching for each pair, because what matters between
two people is not known here. What is not here: the seat itself (`employee`), of which there is one per role.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from amont.common.errors import Fault, Invalid
from amont.common.events.values import EmployeeStatus, Role
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import Enrolment, Form
from amont.enrolment.domain.hours import minutes_in, parse_window
from amont.enrolment.domain.programme import Programme
from amont.enrolment.domain.seats import MAX_WAITING
from amont.enrolment.domain.words import is_language
from amont.enrolment.domain.zones import local_day

MAX_TOPICS = 8
MAX_WINDOWS = 70
MAX_LANGUAGES = 20
LEVELS = range(1, 4)


@dataclass(frozen=True, slots=True)
class Reason(Fault):
    """Why not: a fault with a stable code that a page can translate."""

    code: str


class NotEligible(Invalid):
    """One or more rules of the programme stand against it."""

    code = "not-eligible"
    title = "Not eligible"

    def __init__(self, programme: str, role: Role, reasons: Sequence[Reason]) -> None:
        super().__init__(f"Enrolling in {programme!r} as {role} is not possible: {len(reasons)} reason(s), each with its place.", reasons)
        self.reasons = tuple(reasons)

    def extra(self) -> dict[str, Any]:
        return {"errors": [{"code": one.code, "pointer": one.pointer, "detail": one.detail} for one in self.reasons]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the rules about a person look at."""

    employee: Employee
    programme: Programme
    role: Role
    now: datetime


def programme_takes_people(case: Case) -> Iterator[Reason]:
    if not case.programme.takes_people:
        yield Reason(
            "/programme", f"the programme is {case.programme.status}; people enrol while it is open or running", "programme-not-open"
        )


def subsidiary_takes_part(case: Case) -> Iterator[Reason]:
    if case.employee.tenant not in case.programme.tenants:
        yield Reason(
            "/programme", f"subsidiary {case.employee.tenant!r} does not take part in this programme", "subsidiary-not-in-programme"
        )


def employee_is_active(case: Case) -> Iterator[Reason]:
    if case.employee.status is EmployeeStatus.ON_LEAVE:
        yield Reason("/person", "the person is on leave; enrol on return", "on-leave")
    elif case.employee.status is not EmployeeStatus.ACTIVE:
        yield Reason("/person", "the person does not work in the group now", "not-active")


def mentor_is_junior(case: Case) -> Iterator[Reason]:
    limit, profile = case.programme.policy.mentor_max_band, case.employee.profile
    if case.role is Role.MENTOR and profile is not None and profile.band > limit:
        yield Reason("/role", f"a mentor here is at most in band {limit}, the person is in band {profile.band}", "band-too-high")


def mentee_is_senior(case: Case) -> Iterator[Reason]:
    limit, profile = case.programme.policy.mentee_min_band, case.employee.profile
    if case.role is Role.MENTEE and profile is not None and profile.band < limit:
        yield Reason("/role", f"a mentee here is at least in band {limit}, the person is in band {profile.band}", "band-too-low")


def mentor_knows_the_group(case: Case) -> Iterator[Reason]:
    """An unknown first day counts as long enough."""
    months, profile = case.programme.policy.mentor_min_months, case.employee.profile
    if case.role is not Role.MENTOR or profile is None or profile.joined_on is None:
        return
    if _months_between(profile.joined_on, local_day(case.now, profile.zone)) < months:
        yield Reason("/role", f"a mentor here has been in the group for at least {months} months", "joined-too-recently")


def one_role_unless_both_are_allowed(case: Case) -> Iterator[Reason]:
    other = Role.MENTEE if case.role is Role.MENTOR else Role.MENTOR
    seat = case.employee.seat(case.programme.id, other)
    if seat is not None and seat.open and not case.programme.policy.both_roles:
        yield Reason("/role", f"the person is enrolled as {other} already and this programme allows one role", "other-role-taken")


RULES = (
    programme_takes_people,
    subsidiary_takes_part,
    employee_is_active,
    mentor_is_junior,
    mentee_is_senior,
    mentor_knows_the_group,
    one_role_unless_both_are_allowed,
)


def reasons_against(case: Case) -> list[Reason]:
    """Every reason for which this person may not enrol in this role, whatever they fill in."""
    return [reason for rule in RULES for reason in rule(case)]


def newly_against(employee: Employee, enrolment: Enrolment, before: Programme, after: Programme, now: datetime) -> list[Reason]:
    """Every reason that would stand against an enrolment under the changed programme, if one of them does not stand against it now; else none."""

    def against(programme: Programme) -> list[Reason]:
        case = Case(employee=employee, programme=programme, role=enrolment.role, now=now)
        return [*reasons_against(case), *faults_in_form(enrolment.form, programme, enrolment.role)]

    known = {(one.code, one.pointer) for one in against(before)}
    then = against(after)
    return then if any((one.code, one.pointer) not in known for one in then) else []


def faults_in_form(form: Form, programme: Programme, role: Role) -> list[Reason]:
    """Everything in a form that the programme does not allow."""
    return [
        *_topics(form, programme),
        *_capacity(form, programme, role),
        *_languages(form.languages),
        *_availability(form, programme),
    ]


def charter_faults(accepted: bool, read: int | None, current: int) -> list[Reason]:  # noqa: FBT001 - the form's own field
    """Without the charter nobody takes part. `read` is the edition that the person was shown, None for the current one."""
    if not accepted:
        return [Reason("/charter_accepted", "the charter must be accepted to take part", "charter-not-accepted")]
    if read is not None and read != current:
        return [
            Reason("/charter_version", f"version {current} of the charter is the current one; read it, then accept it", "charter-outdated")
        ]
    return []


def line_faults(waiting: int) -> list[Reason]:
    """A line that nobody comes to the end of is not joined."""
    return [] if waiting < MAX_WAITING else [Reason("/role", f"{waiting:,} people wait for a seat already", "line-too-long")]


def _topics(form: Form, programme: Programme) -> Iterator[Reason]:
    if not 1 <= len(form.topics) <= MAX_TOPICS:
        yield Reason("/topics", f"choose 1 to {MAX_TOPICS} topics", "topics-count")
    for topic, level in form.topics.items():
        pointer = f"/topics/{topic[:64].replace('~', '~0').replace('/', '~1')}"
        if topic not in programme.topics:
            yield Reason(pointer, f"not a topic of this programme; it has {', '.join(programme.topics[:20])}", "unknown-topic")
        if level not in LEVELS:
            yield Reason(pointer, "the level is 1, 2 or 3", "level-out-of-range")


def _capacity(form: Form, programme: Programme, role: Role) -> Iterator[Reason]:
    most = programme.policy.mentor_max_capacity if role is Role.MENTOR else 1
    if not 1 <= form.capacity <= most:
        yield Reason("/capacity", f"a {role} here takes 1 to {most} partners" if most > 1 else f"a {role} here takes 1 partner", "capacity")


def _languages(languages: Sequence[str]) -> Iterator[Reason]:
    if not 1 <= len(languages) <= MAX_LANGUAGES:
        yield Reason("/languages", f"name 1 to {MAX_LANGUAGES} languages; a pair needs one in common", "languages-count")
    for at, language in enumerate(languages):
        if not is_language(language):
            yield Reason(f"/languages/{at}", f"{language[:40]!r} is not a BCP 47 tag, as in 'fr' or 'pt-BR'", "language")


def _availability(form: Form, programme: Programme) -> Iterator[Reason]:
    needed = programme.policy.min_common_hours
    if len(form.availability) > MAX_WINDOWS:
        yield Reason("/availability", f"at most {MAX_WINDOWS} windows", "availability-count")
        return
    windows, broken = _read(form.availability)
    yield from broken
    if not broken and minutes_in(windows) < needed * 60:
        yield Reason("/availability", f"the windows must hold at least {needed} hours a week in all", "too-few-hours")


def _read(texts: Iterable[str]) -> tuple[list[tuple[int, int]], list[Reason]]:
    windows, broken = [], []
    for at, text in enumerate(texts):
        try:
            windows.append(parse_window(text))
        except ValueError as error:
            broken.append(Reason(f"/availability/{at}", str(error), "window"))
    return windows, broken


def _months_between(first: date, last: date) -> int:
    """Whole months from one day to a later one; a day that the last month does not have counts as its end."""
    months = (last.year - first.year) * 12 + last.month - first.month
    end_of_month = (date(last.year + last.month // 12, last.month % 12 + 1, 1) - date(last.year, last.month, 1)).days
    return months if last.day >= min(first.day, end_of_month) else months - 1
