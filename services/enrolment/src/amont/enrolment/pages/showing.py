"""What pages are made of: who reads in which language, and the form, which enrolling and changing share."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from babel.dates import format_date
from fastapi.responses import HTMLResponse, RedirectResponse

from amont.common.events.values import Meeting, Role, tenant_of
from amont.common.events.words import is_spoken
from amont.common.web import Runner
from amont.common.web.browsers import Visitor
from amont.common.web.people import Shown
from amont.enrolment import commands
from amont.enrolment.domain.charter import Charter
from amont.enrolment.domain.eligibility import MAX_TOPICS
from amont.enrolment.domain.programme import Programme
from amont.enrolment.domain.reasons import Reason
from amont.enrolment.domain.words import is_language
from amont.enrolment.pages.form import Entries, topic_name
from amont.enrolment.pages.page_words import Words, day_names, language_name, words_in

Said = Literal["", "already", "over"]
"""Why what was sent just now was not taken: the words of `said.…`; nothing when it was."""
_templates = Shown("enrolment")


class Page(NamedTuple):
    """Who reads, and in which language."""

    visitor: Visitor
    language: str

    @property
    def words(self) -> Words:
        return words_in(self.language)


class Text(NamedTuple):
    """An edition of a charter in one language."""

    version: int
    language: str
    text: str


def shown(page: Page, template: str, title: str, *, status: int = 200, **facts: Any) -> HTMLResponse:
    """A page of ours."""
    return _templates(
        template,
        page.visitor,
        title=title,
        language=page.language,
        status=status,
        t=page.words,
        days=day_names(page.language),
        language_name=lambda tag: language_name(tag, page.language),
        topic_name=topic_name,
        date=lambda at: format_date(at, "long", locale=page.language),
        **facts,
    )


def to_enrolment(enrolment_id: str, said: Said = "") -> RedirectResponse:
    """On to the page of an enrolment, as after every form of it."""
    return RedirectResponse(f"/enrolment/enrolments/{enrolment_id}{f'?said={said}' if said else ''}", 303)


def charter_text(charter: Charter, language: str) -> Text | None:
    """The current edition in the reader's language, or in the one that others fall back on; None where there is no text."""
    if not charter.version:
        return None
    edition = charter.edition(None)
    return Text(edition.version, *edition.text(language))


async def show_form(
    run: Runner,
    page: Page,
    programme: Programme,
    role: Role,
    entries: Entries | None,
    reasons: Sequence[Reason] = (),
    *,
    held: commands.Held | None = None,
    stale: bool = False,
) -> HTMLResponse:
    """The form: to enrol, or, where somebody is `held`, to change what they entered. With `reasons` it was not accepted (422)."""
    own, around = await _spoken(run, page)
    entries = entries or Entries.empty(own)
    words, most = page.words, programme.policy.mentor_max_capacity if role is Role.MENTOR else 1
    return shown(
        page,
        "form",
        words("edit.title") if held else words("enrolment", programme=programme.name, role=words(f"role.{role}")),
        status=422 if reasons else 409 if stale else 200,
        programme=programme,
        role=role,
        entries=entries,
        faults=entries.faults(reasons, page.language, words, day_names(page.language)),
        stale=stale,
        held=held,
        charter=None if held else charter_text(await run(commands.charter, programme.id, page.visitor.actor), page.language),
        on_offer=sorted({*own, *around, *(one for one in entries.languages if is_language(one) and is_spoken(one))}),
        meetings=list(Meeting),
        most=most,
        most_topics=MAX_TOPICS,
    )


async def _spoken(run: Runner, page: Page) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The person's languages, and those of their subsidiary."""
    someone = await run(commands.employee, page.visitor.person, page.visitor.actor)
    subsidiary, _ = await run(commands.subsidiary, tenant_of(page.visitor.person), page.visitor.actor)
    return someone.profile.languages if someone.profile else (), subsidiary.languages
