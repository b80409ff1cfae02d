"""Dead letters over HTTP, for operations: the same commands as `amont dlq`. Every service has these routes.

A list shows where letters stand and why, a single one also what it says: that may be names and addresses, so it is for the role *ops* alone, is not
to be stored on the way, and is never logged.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json

from amont.common.errors import Conflict, Fault, Invalid, Stale
from amont.common.events.values import Instant
from amont.common.identity import Action, Actor, Resource, authorize
from amont.common.service.letters import commands
from amont.common.service.letters.commands import Chosen, Found
from amont.common.service.letters.letter import UNRESOLVED, Content, Status
from amont.common.web import Body, CurrentActor, CurrentRun, IfMatch, Listing, Page, api_router, responses


class NoteView(BaseModel):
    """One thing that happened to a letter."""

    at: Instant
    who: str
    what: str
    why: str | None
    fields: list[str]


class LetterView(BaseModel):
    """Where a letter stands and why; ids only."""

    id: str
    topic: str
    partition: int
    offset: int
    key: str
    tenant: str | None
    type: str | None
    event_id: str | None
    reason: str
    detail: str
    blocked_by: str | None
    status: Status
    parked_at: Instant
    attempts: int
    version: int

    @classmethod
    def fields_of(cls, found: Found) -> dict[str, Any]:
        letter, version = found
        shown = (name for name in LetterView.model_fields if name != "version")
        return {**{name: getattr(letter, name) for name in shown}, "version": version}

    @classmethod
    def of(cls, found: Found) -> "LetterView":
        return cls(**cls.fields_of(found))


class ContentView(BaseModel):
    """What a record says: its value as JSON where it is JSON, and both as base64, as it came."""

    value: Any
    value_base64: str | None
    headers: dict[str, str | None]
    headers_base64: list[tuple[str, str | None]]

    @classmethod
    def of(cls, content: Content) -> "ContentView":
        return cls(
            value=_json(content.raw_value),
            value_base64=content.value,
            headers={name: None if value is None else value.decode("utf-8", "replace") for name, value in content.raw_headers},
            headers_base64=list(content.headers),
        )


class WholeLetterView(LetterView):
    """A letter with what it says and everything that happened to it. It may hold personal data."""

    content: ContentView
    original: ContentView | None
    truncated_from: int | None
    history: list[NoteView]

    @classmethod
    def of(cls, found: Found) -> "WholeLetterView":
        letter, _ = found
        return cls(
            **cls.fields_of(found),
            content=ContentView.of(letter.content),
            original=ContentView.of(letter.original) if letter.original else None,
            truncated_from=letter.truncated_from,
            history=[NoteView(at=one.at, who=one.who, what=one.what, why=one.why, fields=list(one.fields)) for one in letter.history],
        )


class ReplayBody(Body):
    """Why, if there is something to say."""

    why: str | None = Field(default=None, max_length=500)


class DropBody(Body):
    """Why nobody needs the record any more."""

    why: str = Field(min_length=1, max_length=500)


class EditBody(Body):
    """What it is to say from now on. `value` is the event's fields; of `headers`, null takes one away."""

    why: str = Field(min_length=1, max_length=500)
    value: dict[str, Any] | None = None
    headers: dict[str, str | None] = Field(default_factory=dict)


class ReplayManyBody(Body):
    """Which open letters to replay: all conditions must hold, and at least one must be given; `everything` says that all are meant."""

    reason: str | None = None
    tenant: str | None = None
    key: str | None = None
    topic: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    everything: bool = False
    why: str | None = Field(default=None, max_length=500)


class AskedView(BaseModel):
    """How many will be replayed; how many wait behind another letter and follow by themselves; how many are not kept whole and cannot be."""

    replaying: int
    waiting: int
    in_part: int


Since = Annotated[datetime | None, Query(description="parked at or after")]
Until = Annotated[datetime | None, Query(description="parked at or before")]


def letters_router(service: str) -> APIRouter:
    """The routes of one service."""
    router = api_router(service)

    @router.get("/dead-letters", responses=responses(Invalid))
    async def list_dead_letters(
        page: Listing,
        actor: CurrentActor,
        run: CurrentRun,
        reason: str | None = None,
        tenant: str | None = None,
        key: str | None = None,
        topic: str | None = None,
        since: Since = None,
        until: Until = None,
        status: Annotated[list[Status] | None, Query(description="repeat for several; open and replaying when absent")] = None,
    ) -> Page[LetterView]:
        """List dead letters in the order in which they were parked. Ids only."""
        _operate(actor)
        chosen = Chosen(
            reason=reason,
            tenant=tenant,
            key=key,
            topic=topic,
            since=_aware(since, "since"),
            until=_aware(until, "until"),
            statuses=tuple(status) if status else UNRESOLVED,
        )
        found = await run(commands.page, chosen, page.after[0] if page.after else None, page.limit)
        orders = {letter.id: letter.order for letter, _ in found}
        return page.of([LetterView.of(one) for one in found], lambda view: orders[view.id])

    @router.post("/dead-letters/replay", status_code=202, responses=responses(Invalid))
    async def replay_dead_letters(body: ReplayManyBody, actor: CurrentActor, run: CurrentRun) -> AskedView:
        """Have many replayed, each key in its original order. The service does it in the background: list them to see how far it is."""
        _operate(actor)
        conditions = body.model_dump(exclude={"everything", "why"}, exclude_none=True)
        if bool(conditions) == body.everything:
            raise Invalid("Say which letters are meant.", [Fault("/everything", "give conditions, or true for all; not both")])
        asked = await run(commands.replay_chosen, Chosen(**conditions), actor.person, body.why, None)
        while asked.last is not None:
            asked += await run(commands.replay_chosen, Chosen(**conditions), actor.person, body.why, asked.last)
        return AskedView(replaying=asked.replaying, waiting=asked.waiting, in_part=asked.in_part)

    @router.get("/dead-letters/{letter_id}", responses=responses())
    async def read_dead_letter(letter_id: str, actor: CurrentActor, run: CurrentRun, response: Response) -> WholeLetterView:
        """Read one with what it says: it may hold personal data."""
        _operate(actor, letter_id)
        return _whole(response, await run(commands.one, letter_id))

    @router.patch("/dead-letters/{letter_id}", responses=responses(Conflict, Stale, Invalid))
    async def edit_dead_letter(
        letter_id: str, body: EditBody, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response
    ) -> WholeLetterView:
        """Have an open letter say something else. It must be readable then, and the same event as before; what came is kept beside it."""
        _operate(actor, letter_id)
        value = None if body.value is None else _encoded(body.value)
        edited = await run(commands.edit, letter_id, actor.person, body.why, value=value, headers=body.headers, version=if_match)
        return _whole(response, edited)

    @router.post("/dead-letters/{letter_id}/replay", status_code=202, responses=responses(Conflict, Stale))
    async def replay_dead_letter(
        letter_id: str, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, body: ReplayBody | None = None
    ) -> LetterView:
        """Have one replayed; the service does it in the background. One that is or was replayed is left as it is."""
        _operate(actor, letter_id)
        return LetterView.of(await run(commands.replay, letter_id, actor.person, body.why if body else None, if_match))

    @router.post("/dead-letters/{letter_id}/drop", responses=responses(Conflict, Stale, Invalid))
    async def drop_dead_letter(letter_id: str, body: DropBody, actor: CurrentActor, run: CurrentRun, if_match: IfMatch) -> LetterView:
        """Give an open letter up. What waits behind it goes on."""
        _operate(actor, letter_id)
        return LetterView.of(await run(commands.drop, letter_id, actor.person, body.why, if_match))

    return router


def _operate(actor: Actor, id_: str = "all") -> None:
    """Raises NotFound, NotAllowed."""
    authorize(actor, Action.OPERATE, Resource("dead letter", id_))


def _whole(response: Response, found: Found) -> WholeLetterView:
    response.headers["ETag"] = f'"{found[1]}"'
    response.headers["Cache-Control"] = "no-store"
    return WholeLetterView.of(found)


def _aware(at: datetime | None, name: str) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise Invalid("The instant has no offset.", [Fault(f"query:/{name}", "send RFC 3339 with Z or an offset")])
    return at


def _encoded(value: dict[str, Any]) -> bytes:
    try:
        return to_json(value)
    except ValueError:
        raise Invalid("The value cannot be written as UTF-8.", [Fault("/value", "half a surrogate pair stands alone")]) from None


def _json(value: bytes | None) -> Any:
    """The value as JSON, as text when it is none, None when it is neither."""
    try:
        return None if value is None else from_json(value)
    except ValueError:
        pass
    try:
        return value.decode("utf-8") if value is not None else None
    except UnicodeDecodeError:
        return None
