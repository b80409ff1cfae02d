"""The charter of a programme over HTTP: its editions, in the languages that it has."""

from datetime import datetime
from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from amont.common.errors import Invalid, Stale
from amont.common.web import Body, CurrentActor, CurrentRun, IfMatch, api_router, responses
from amont.enrolment import commands
from amont.enrolment.api.programmes import ProgrammeSlug, Why
from amont.enrolment.api.signed import Known
from amont.enrolment.api.tags import tag
from amont.enrolment.domain.charter import Edition
from amont.enrolment.domain.programme import ProgrammeClosed

router = api_router("enrolment")

_TEXTS: JsonDict = {"fr": "La participation est volontaire.", "en": "Taking part is voluntary."}


class CharterBody(Body):
    """The whole text, by language. The first language is the one that others fall back on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"texts": _TEXTS, "why": "as agreed with the works council"}]})

    texts: dict[str, str]
    why: Why = None


class CharterView(BaseModel):
    """An edition of a charter, with the text in the language that was asked for or fits best."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "programme": "digital-2027",
                    "version": 1,
                    "current": True,
                    "language": "fr",
                    "text": "La participation est volontaire.",
                    "texts": _TEXTS,
                    "by": "fr:coord",
                    "at": "2027-01-04T08:00:00Z",
                    "why": None,
                }
            ]
        }
    )

    programme: str
    version: int
    current: bool
    language: str
    text: str
    texts: dict[str, str]
    by: Known
    at: datetime
    why: Known

    @classmethod
    def of(cls, programme: str, edition: Edition, language: str | None, *, current: bool) -> "CharterView":
        chosen, text = edition.text(language)
        return cls(
            programme=programme,
            version=edition.version,
            current=current,
            language=chosen,
            text=text,
            texts=dict(edition.texts),
            by=edition.by,
            at=edition.at,
            why=edition.why,
        )


@router.get("/programmes/{programme_id}/charter", responses=responses())
async def get_charter(
    programme_id: ProgrammeSlug,
    actor: CurrentActor,
    run: CurrentRun,
    response: Response,
    language: Annotated[
        str | None, Query(max_length=40, description="a BCP 47 tag; the charter's first language where it has no such text")
    ] = None,
    version: Annotated[int | None, Query(ge=1, le=1_000_000, description="the current one when left out")] = None,
) -> CharterView:
    """Read the charter that one signs by enrolling, or an earlier edition of it; 404 for a programme that has none."""
    found = await run(commands.charter, programme_id, actor)
    edition = found.edition(version)
    return tag(response, CharterView.of(programme_id, edition, language, current=edition.version == found.version))


@router.put("/programmes/{programme_id}/charter", responses=responses(Stale, ProgrammeClosed, Invalid))
async def put_charter(
    programme_id: ProgrammeSlug, body: CharterBody, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response
) -> CharterView:
    """Publish a charter, or its next edition; the same text changes nothing. Whoever has signed an earlier one goes on and is asked to sign again."""
    found = await run(commands.publish_charter, programme_id, actor, body.texts, if_match, body.why)
    return tag(response, CharterView.of(programme_id, found.edition(None), None, current=True))
