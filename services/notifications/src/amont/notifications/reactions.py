"""What notifications does when another's fact arrives: it remembers who people are, and plans a delivery for everyone who is to be told.

Planning looks nobody up. People, programmes and pairs travel on different topics and may come in any order; what is still unknown is waited for
when the delivery's time has come (`commands`).
"""

from collections.abc import Callable, Sequence
from typing import Any

from amont.common.erasing import Clearing, on_employee_erased
from amont.common.events import (
    EmployeeChanged,
    EmployeeEnrolled,
    EmployeeErased,
    EmployeeInvited,
    EmployeeLeft,
    EmployeeWaitlisted,
    EmployeeWithdrawn,
    Envelope,
    ExportRequested,
    PairAccepted,
    PairConfirmed,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairProposed,
    PairResumed,
    PairSuspended,
    ProgrammeChanged,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionProposed,
    SessionRescheduled,
    SessionScheduled,
    SubsidiaryChanged,
    SubsidiaryRemoved,
)
from amont.common.events.enrolment import EnrolmentFact
from amont.common.events.matching import PairFact
from amont.common.events.scheduling import SessionFact
from amont.common.exporting import Answer, on_export_requested
from amont.common.retention import is_history
from amont.common.work import Needs, Reaction, Reactions, Work, id_after
from amont.notifications.domain import notices
from amont.notifications.domain.delivery import Channel, Delivery, Notice
from amont.notifications.domain.people import Programme, Recipient, Subsidiary


async def on_subsidiary_changed(event: SubsidiaryChanged, work: Work) -> None:
    subsidiary = await work.get_or_new(Subsidiary, event.subsidiary)
    work.save(subsidiary.learn(event))


async def on_subsidiary_removed(event: SubsidiaryRemoved, work: Work) -> None:
    subsidiary = await work.get_or_new(Subsidiary, event.subsidiary)
    work.save(subsidiary.forget())


async def on_programme_changed(event: ProgrammeChanged, work: Work) -> None:
    programme = await work.get_or_new(Programme, event.programme)
    work.save(programme.learn(event))


async def on_employee_changed(event: EmployeeChanged, work: Work) -> None:
    recipient = await work.get_or_new(Recipient, event.person)
    work.save(recipient.learn(event))


async def on_employee_left(event: EmployeeLeft, work: Work) -> None:
    recipient = await work.get_or_new(Recipient, event.person)
    work.save(recipient.leave())


async def on_enrolment(event: EnrolmentFact | EmployeeWaitlisted, work: Work) -> None:
    await _plan(notices.of_enrolment(event), work)


async def on_employee_invited(event: EmployeeInvited, work: Work) -> None:
    await _plan(notices.of_invitation(event), work)


async def on_pair(event: PairFact, work: Work) -> None:
    await _plan(notices.of_pair(event), work)


async def on_session(event: SessionFact, work: Work) -> None:
    await _plan(notices.of_session(event), work)


async def _plan(told: Sequence[Notice], work: Work) -> None:
    """One delivery per event, channel, person and kind; one that is planned already is left as it is, whatever has become of it.

    Of what is as old as a delivery that is kept no longer nobody is told: they may have been.
    """
    if is_history(work):
        return
    cause = _cause(work)
    by_id = {_delivery(notice, cause): notice for notice in told}
    planned = await work.get_many(Delivery, list(by_id))
    for id_, notice in by_id.items():
        if id_ not in planned:
            work.save(Delivery.plan(id_, notice, channel=Channel.MAIL, about=cause.id, happened_at=cause.time, now=work.now))


def _delivery(notice: Notice, cause: Envelope) -> str:
    return id_after(cause, Channel.MAIL, notice.person, notice.kind)


def _planned(told: Callable[[Any], Sequence[Notice]]) -> Needs:
    """The deliveries that an event may have brought already."""
    return lambda event, cause: [(Delivery, _delivery(notice, cause)) for notice in told(event)]


def _cause(work: Work) -> Envelope:
    if work.cause is None:
        raise RuntimeError("A delivery is planned because of an event; there is none here.")
    return work.cause


CONSUMES: Reactions = {
    SubsidiaryChanged: Reaction(on_subsidiary_changed, needs=lambda e, _: [(Subsidiary, e.subsidiary)]),
    SubsidiaryRemoved: Reaction(on_subsidiary_removed, needs=lambda e, _: [(Subsidiary, e.subsidiary)]),
    ProgrammeChanged: Reaction(on_programme_changed, needs=lambda e, _: [(Programme, e.programme)]),
    EmployeeChanged: Reaction(on_employee_changed, needs=lambda e, _: [(Recipient, e.person)]),
    EmployeeLeft: Reaction(on_employee_left, needs=lambda e, _: [(Recipient, e.person)]),
    EmployeeErased: Reaction(on_employee_erased, needs=lambda e, _: [(Clearing, e.reference)]),
    ExportRequested: Reaction(on_export_requested, needs=lambda e, _: [(Answer, e.reference)]),
    EmployeeEnrolled: Reaction(on_enrolment, needs=_planned(notices.of_enrolment)),
    EmployeeWithdrawn: Reaction(on_enrolment, needs=_planned(notices.of_enrolment)),
    EmployeeWaitlisted: Reaction(on_enrolment, needs=_planned(notices.of_enrolment)),
    EmployeeInvited: Reaction(on_employee_invited, needs=_planned(notices.of_invitation)),
    PairProposed: Reaction(on_pair, needs=_planned(notices.of_pair)),
    PairAccepted: Reaction(on_pair, needs=_planned(notices.of_pair)),
    PairConfirmed: Reaction(on_pair, needs=_planned(notices.of_pair)),
    PairDeclined: Reaction(on_pair, needs=_planned(notices.of_pair)),
    PairExpired: Reaction(on_pair, needs=_planned(notices.of_pair)),
    PairSuspended: Reaction(on_pair, needs=_planned(notices.of_pair)),
    PairResumed: Reaction(on_pair, needs=_planned(notices.of_pair)),
    PairEnded: Reaction(on_pair, needs=_planned(notices.of_pair)),
    SessionProposed: Reaction(on_session, needs=_planned(notices.of_session)),
    SessionScheduled: Reaction(on_session, needs=_planned(notices.of_session)),
    SessionRescheduled: Reaction(on_session, needs=_planned(notices.of_session)),
    SessionCancelled: Reaction(on_session, needs=_planned(notices.of_session)),
    SessionCompleted: Reaction(on_session, needs=_planned(notices.of_session)),
    SessionMissed: Reaction(on_session, needs=_planned(notices.of_session)),
}
