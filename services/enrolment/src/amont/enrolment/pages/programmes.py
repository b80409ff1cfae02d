"""What there is to take part in: one's programmes at a glance, a programme with what stands against each role, and the form to enrol."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import RedirectResponse

from amont.common.errors import NotFound
from amont.common.events.values import Role
from amont.common.web import Runner
from amont.common.web.browsers import Visitor
from amont.common.web.people import Language, PageRun, Sent, SignedIn, page_router
from amont.enrolment import commands
from amont.enrolment.domain.eligibility import NotEligible
from amont.enrolment.domain.employee import Employee
from amont.enrolment.domain.enrolment import AlreadyEnrolled
from amont.enrolment.domain.programme import Programme
from amont.enrolment.pages.form import Entries, number
from amont.enrolment.pages.showing import Page, show_form, shown, to_enrolment

AT_ONCE = 200

router = page_router()


@router.get("/")
async def home(visitor: SignedIn, run: PageRun, language: Language) -> Response:
    """One's programmes."""
    page = Page(visitor, language)
    someone = await _known(run, visitor)
    if someone is None:
        return shown(page, "unknown", page.words("home"))
    there = {one.id: one async for one in _programmes(run, visitor)}
    mine = [
        (
            one,
            there[one.programme].name if one.programme in there else one.programme,
            one.open and (await run(commands.enrolment, one.id, visitor.actor)).to_sign is not None,
        )
        for one in someone.enrolments
    ]
    return shown(page, "home", page.words("home"), mine=mine, programmes=[one for one in there.values() if one.takes_people])


@router.get("/programmes/{programme_id}")
async def programme(programme_id: str, visitor: SignedIn, run: PageRun, language: Language) -> Response:
    """One programme, and whether one may take part as what."""
    found, _ = await run(commands.programme, programme_id, visitor.actor)
    someone = await _known(run, visitor)
    if someone is None:
        return shown(Page(visitor, language), "unknown", found.name)
    seats = {role: seat for role in Role if (seat := someone.seat(found.id, role)) is not None and seat.open}
    against = {role: await run(commands.eligibility, found.id, visitor.person, role, visitor.actor) for role in Role if role not in seats}
    return shown(Page(visitor, language), "programme", found.name, programme=found, seats=seats, against=against)


@router.get("/programmes/{programme_id}/enrol")
async def form(programme_id: str, role: Annotated[Role, Query()], visitor: SignedIn, run: PageRun, language: Language) -> Response:
    """The form to enrol, before anything was entered."""
    found, _ = await run(commands.programme, programme_id, visitor.actor)
    if await run(commands.eligibility, found.id, visitor.person, role, visitor.actor):
        return RedirectResponse(f"/enrolment/programmes/{found.id}", 303)
    return await show_form(run, Page(visitor, language), found, role, None)


@router.post("/programmes/{programme_id}/enrol")
async def enrol(
    programme_id: str, role: Annotated[Role, Query()], visitor: SignedIn, run: PageRun, language: Language, sent: Sent
) -> Response:
    """Enrol oneself; what stands against it comes back with the form, as it was filled in."""
    found, _ = await run(commands.programme, programme_id, visitor.actor)
    entries = Entries.sent(sent)
    try:
        held = await run(
            commands.enrol,
            visitor.person,
            found.id,
            role,
            visitor.actor,
            form=entries.form(),
            charter_accepted=entries.accepted,
            charter_version=number(str(sent.get("edition"))),
        )
    except AlreadyEnrolled:
        there = await run(commands.enrolment, commands.enrolment_id(found.id, visitor.person, role), visitor.actor)
        same = there.enrolment.form == entries.form()  # a form that was sent twice says nothing new
        return to_enrolment(there.enrolment.id, "" if same else "already")
    except NotEligible as refused:
        return await show_form(run, Page(visitor, language), found, role, entries, refused.reasons)
    return to_enrolment(held.enrolment.id)


async def _known(run: Runner, visitor: Visitor) -> Employee | None:
    """The person at the browser; None before the HR system has told us of them."""
    try:
        return await run(commands.employee, visitor.person, visitor.actor)
    except NotFound:
        return None


async def _programmes(run: Runner, visitor: Visitor) -> AsyncIterator[Programme]:
    """All in which the person's subsidiary takes part."""
    after: tuple[str] | None = None
    while found := await run(commands.programmes, visitor.actor, after, AT_ONCE):
        for one, _ in found:
            yield one
        if len(found) < AT_ONCE:
            return
        after = (found[-1][0].id,)
