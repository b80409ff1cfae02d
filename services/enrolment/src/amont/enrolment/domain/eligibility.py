"""Who may enrol, and with what: one rule, one function, each with its reason. All reasons are given at once, never only the first.

The reversal is checked here by grade bands: the mentor is the junior. It is checked again by matching for each pair, because what matters between
two people is not known here. What is not here: the seat itself (`employee`), of which there is one per role.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from amont.common.errors import Invalid
from amont.common.events.values import EmployeeStatus, Role
from amont.common.events.words import is_spoken, language_meant
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import Enrolment, Form
from amont.enrolment.domain.hours import minutes_in, parse_window
from amont.enrolment.domain.programme import Programme
from amont.enrolment.domain.reasons import Reason, reason
from amont.enrolment.domain.seats import MAX_WAITING
from amont.enrolment.domain.words import is_language
from amont.enrolment.domain.zones import local_day

MAX_TOPICS = 8
MAX_WINDOWS = 70
MAX_LANGUAGES = 20
MOST_TOLD = 200
"""As many topics as a programme may have: of more, not each is looked at."""
LEVELS = range(1, 4)


class NotEligible(Invalid):
    """One or more rules of the programme stand against it."""

    code = "not-eligible"
    title = "Not eligible"

    def __init__(self, programme: str, role: Role, reasons: Sequence[Reason]) -> None:
        super().__init__(f"Enrolling in {programme!r} as {role} is not possible: {len(reasons)} reason(s), each with its place.", reasons)
        self.reasons = tuple(reasons)

    def extra(self) -> dict[str, Any]:
        return {"errors": [{"code": one.code, "pointer": one.pointer, "detail": one.detail, "words": one.words} for one in self.reasons]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the rules about a person look at."""

    employee: Employee
    programme: Programme
    role: Role
    now: datetime


def programme_takes_people(case: Case) -> Iterator[Reason]:
    if not case.programme.takes_people:
        yield reason("programme-not-open", "/programme", status=case.programme.status)


def subsidiary_takes_part(case: Case) -> Iterator[Reason]:
    if case.employee.tenant not in case.programme.tenants:
        yield reason("subsidiary-not-in-programme", "/programme", tenant=case.employee.tenant)


def employee_is_active(case: Case) -> Iterator[Reason]:
    if case.employee.status is EmployeeStatus.ON_LEAVE:
        yield reason("on-leave", "/person")
    elif case.employee.status is not EmployeeStatus.ACTIVE:
        yield reason("not-active", "/person")


def mentor_is_junior(case: Case) -> Iterator[Reason]:
    limit, profile = case.programme.policy.mentor_max_band, case.employee.profile
    if case.role is Role.MENTOR and profile is not None and profile.band > limit:
        yield reason("band-too-high", "/role", limit=limit, band=profile.band)


def mentee_is_senior(case: Case) -> Iterator[Reason]:
    limit, profile = case.programme.policy.mentee_min_band, case.employee.profile
    if case.role is Role.MENTEE and profile is not None and profile.band < limit:
        yield reason("band-too-low", "/role", limit=limit, band=profile.band)


def mentor_knows_the_group(case: Case) -> Iterator[Reason]:
    """An unknown first day counts as long enough."""
    months, profile = case.programme.policy.mentor_min_months, case.employee.profile
    if case.role is not Role.MENTOR or profile is None or profile.joined_on is None:
        return
    if _months_between(profile.joined_on, local_day(case.now, profile.zone)) < months:
        yield reason("joined-too-recently", "/role", months=months)


def one_role_unless_both_are_allowed(case: Case) -> Iterator[Reason]:
    other = Role.MENTEE if case.role is Role.MENTOR else Role.MENTOR
    seat = case.employee.seat(case.programme.id, other)
    if seat is not None and seat.open and not case.programme.policy.both_roles:
        yield reason("other-role-taken", "/role", role=other)


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
    return [one for rule in RULES for one in rule(case)]


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
        return [reason("charter-not-accepted", "/charter_accepted")]
    if read is not None and read != current:
        return [reason("charter-outdated", "/charter_version", current=current)]
    return []


def line_faults(waiting: int) -> list[Reason]:
    """A line that nobody comes to the end of is not joined."""
    return [] if waiting < MAX_WAITING else [reason("line-too-long", "/role", waiting=waiting)]


def _topics(form: Form, programme: Programme) -> Iterator[Reason]:
    if not 1 <= len(form.topics) <= MAX_TOPICS:
        yield reason("topics-count", "/topics", most=MAX_TOPICS)
    if len(form.topics) > MOST_TOLD:
        return  # what is wrong with each of thousands helps nobody
    for topic, level in form.topics.items():
        pointer = f"/topics/{topic[:64].replace('~', '~0').replace('/', '~1')}"
        if topic not in programme.topics:
            yield reason("unknown-topic", pointer, topics=", ".join(programme.topics[:20]))
        if level not in LEVELS:
            yield reason("level-out-of-range", pointer)


def _capacity(form: Form, programme: Programme, role: Role) -> Iterator[Reason]:
    most = programme.policy.mentor_max_capacity if role is Role.MENTOR else 1
    if not 1 <= form.capacity <= most:
        yield reason("capacity" if most > 1 else "capacity.one", "/capacity", role=role, most=most)


def _languages(languages: Sequence[str]) -> Iterator[Reason]:
    if not 1 <= len(languages) <= MAX_LANGUAGES:
        yield reason("languages-count", "/languages", most=MAX_LANGUAGES)
        return  # what is wrong with each of thousands helps nobody
    for at, language in enumerate(languages):
        if not is_language(language) or not is_spoken(language):
            meant = language_meant(language)
            yield reason("language.meant" if meant else "language", f"/languages/{at}", text=language[:40], meant=meant)


def _availability(form: Form, programme: Programme) -> Iterator[Reason]:
    needed = programme.policy.min_common_hours
    if len(form.availability) > MAX_WINDOWS:
        yield reason("availability-count", "/availability", most=MAX_WINDOWS)
        return
    windows, broken = _read(form.availability)
    yield from broken
    if not broken and minutes_in(windows) < needed * 60:
        yield reason("too-few-hours", "/availability", needed=needed)


def _read(texts: Iterable[str]) -> tuple[list[tuple[int, int]], list[Reason]]:
    windows, broken = [], []
    for at, text in enumerate(texts):
        try:
            windows.append(parse_window(text))
        except ValueError as error:
            broken.append(reason("window", f"/availability/{at}", fault=str(error), text=text[:40]))
    return windows, broken


def _months_between(first: date, last: date) -> int:
    """Whole months from one day to a later one; a day that the last month does not have counts as its end."""
    months = (last.year - first.year) * 12 + last.month - first.month
    end_of_month = (date(last.year + last.month // 12, last.month % 12 + 1, 1) - date(last.year, last.month, 1)).days
    return months if last.day >= min(first.day, end_of_month) else months - 1
