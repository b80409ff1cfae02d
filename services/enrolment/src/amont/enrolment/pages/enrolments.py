"""One's enrolment: where it stands, changing the form, signing a new charter, withdrawing."""

import contextlib
from collections.abc import Sequence

from fastapi import Response

from amont.common.errors import Stale
from amont.common.web.people import Language, PageRun, Sent, SignedIn, page_router
from amont.enrolment import commands
from amont.enrolment.domain.eligibility import NotEligible
from amont.enrolment.domain.enrolment import EnrolmentOver
from amont.enrolment.domain.reasons import Reason
from amont.enrolment.pages.form import Entries, number
from amont.enrolment.pages.showing import Page, Said, charter_text, show_form, shown, to_enrolment

MAX_REASON = 2_000

router = page_router()


@router.get("/enrolments/{enrolment_id}")
async def enrolment(enrolment_id: str, visitor: SignedIn, run: PageRun, language: Language, said: Said = "") -> Response:
    """Where it stands, and what can be done; `said` is why what was sent just now was not taken."""
    held = await run(commands.enrolment, enrolment_id, visitor.actor)
    found, _ = await run(commands.programme, held.enrolment.programme, visitor.actor)
    charter = charter_text(await run(commands.charter, found.id, visitor.actor), language) if held.to_sign else None
    page = Page(visitor, language)
    title = page.words("enrolment", programme=found.name, role=page.words(f"role.{held.enrolment.role}"))
    entries = Entries.of(held.enrolment.form)
    return shown(page, "enrolment", title, held=held, programme=found, charter=charter, entries=entries, said=said)


@router.get("/enrolments/{enrolment_id}/edit")
async def form(enrolment_id: str, visitor: SignedIn, run: PageRun, language: Language) -> Response:
    """The form as one has filled it in."""
    held = await run(commands.enrolment, enrolment_id, visitor.actor)
    found, _ = await run(commands.programme, held.enrolment.programme, visitor.actor)
    if not (held.enrolment.open and found.takes_people):
        return to_enrolment(enrolment_id)
    return await show_form(run, Page(visitor, language), found, held.enrolment.role, Entries.of(held.enrolment.form), held=held)


@router.post("/enrolments/{enrolment_id}/edit")
async def edit(enrolment_id: str, visitor: SignedIn, run: PageRun, language: Language, sent: Sent) -> Response:
    """Change it; who has changed it elsewhere meanwhile is shown what they entered and asked again."""
    entries = Entries.sent(sent)
    form = entries.form()
    change = commands.FormEdit(form.topics, form.languages, form.availability, form.meeting, form.capacity)
    reasons: Sequence[Reason] = ()
    stale = False
    try:
        await run(commands.edit_enrolment, enrolment_id, visitor.actor, change, number(str(sent.get("version"))))
    except NotEligible as refused:
        reasons = refused.reasons
    except Stale:
        stale = True
    except EnrolmentOver:
        return to_enrolment(enrolment_id, "over")
    else:
        return to_enrolment(enrolment_id)
    held = await run(commands.enrolment, enrolment_id, visitor.actor)
    found, _ = await run(commands.programme, held.enrolment.programme, visitor.actor)
    if not (held.enrolment.open and found.takes_people):
        return to_enrolment(enrolment_id, "over")
    return await show_form(run, Page(visitor, language), found, held.enrolment.role, entries, reasons, held=held, stale=stale)


@router.get("/enrolments/{enrolment_id}/sign")
async def to_sign(enrolment_id: str) -> Response:
    """Where who had to sign in meanwhile comes back to: the page that shows the charter."""
    return to_enrolment(enrolment_id)


@router.post("/enrolments/{enrolment_id}/sign")
async def sign(enrolment_id: str, visitor: SignedIn, run: PageRun, sent: Sent) -> Response:
    """Accept the edition that the page showed; when there is a newer one by now, the page shows that."""
    with contextlib.suppress(NotEligible, EnrolmentOver):
        await run(commands.sign_charter, enrolment_id, visitor.actor, number(str(sent.get("edition"))))
    return to_enrolment(enrolment_id)


@router.get("/enrolments/{enrolment_id}/withdraw")
async def ask(enrolment_id: str, visitor: SignedIn, run: PageRun, language: Language) -> Response:
    """Where a mail's link leads: one button, and a reason for who wants to give one."""
    held = await run(commands.enrolment, enrolment_id, visitor.actor)
    if not held.enrolment.open:
        return to_enrolment(enrolment_id)
    found, _ = await run(commands.programme, held.enrolment.programme, visitor.actor)
    page = Page(visitor, language)
    return shown(page, "withdraw", page.words("withdraw.title", programme=found.name), held=held, most=MAX_REASON)


@router.post("/enrolments/{enrolment_id}/withdraw")
async def withdraw(enrolment_id: str, visitor: SignedIn, run: PageRun, sent: Sent) -> Response:
    """Take part no more."""
    reason = str(sent.get("reason", "")).strip()[:MAX_REASON] or None
    await run(commands.withdraw, enrolment_id, visitor.actor, reason)
    return to_enrolment(enrolment_id)
