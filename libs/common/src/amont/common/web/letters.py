"""Dead letters over HTTP, for operations: the same commands as `amont dlq`. Every service has these routes.

A list shows where letters stand and why, a single one also what it says: that may be names and addresses, so it is for the role *ops* alone, is not
to be stored on the way, and is never logged.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic_core import to_json

from amont.common.errors import Conflict, Fault, Invalid, NotFound, Stale, VersionNeeded
from amont.common.events.values import in_utc
from amont.common.identity import Action, Actor, Resource, authorize, reach_of
from amont.common.service.letters import commands
from amont.common.service.letters.commands import Chosen, Found
from amont.common.service.letters.letter import UNRESOLVED, Status
from amont.common.web import AnyVersion, CurrentActor, CurrentRun, IfMatch, Listing, Page, api_router, responses
from amont.common.web.letter_views import (
    AskedView,
    DropBody,
    EditBody,
    LetterView,
    ManyBody,
    NotDoneView,
    ReplayBody,
    TakenBackView,
    WholeLetterView,
)

Since = Annotated[datetime | None, Query(description="parked at or after")]
Until = Annotated[datetime | None, Query(description="parked at or before")]


def letters_router(service: str) -> APIRouter:
    """The routes of one service."""
    router = api_router(service)
    _of_many(router)
    _of_one(router)
    return router


def _of_many(router: APIRouter) -> None:
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
        reach_of(actor, Action.OPERATE)
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
        return page.of([LetterView.of(one) for one in found], lambda view: orders[view.id], cut=commands.large(found))

    @router.post("/dead-letters/replay", status_code=202, responses=responses(Invalid))
    async def replay_dead_letters(body: ManyBody, actor: CurrentActor, run: CurrentRun) -> AskedView:
        """Have many replayed, each key in its original order. The service does it in the background: list them to see how far it is."""
        reach_of(actor, Action.OPERATE)
        chosen = body.chosen()
        asked = await run(commands.replay_chosen, chosen, actor.person, body.why, None)
        while asked.last is not None:
            asked += await run(commands.replay_chosen, chosen, actor.person, body.why, asked.last)
        return AskedView(replaying=asked.replaying, waiting=asked.waiting, in_part=asked.in_part)

    @router.post("/dead-letters/take-back", responses=responses(Invalid))
    async def take_back_dead_letters(body: ManyBody, actor: CurrentActor, run: CurrentRun) -> TakenBackView:
        """Have those replayed no more that are still to be: they are open again. Says which were settled before they could be taken back."""
        reach_of(actor, Action.OPERATE)
        chosen, taken, after = body.chosen().to_take_back, 0, None
        not_done: list[NotDoneView] = []
        while found := await run(commands.page, chosen, after):
            for letter, _ in found:
                try:
                    await run(commands.take_back, letter.id, actor.person, body.why)
                except (Conflict, NotFound) as error:
                    not_done.append(NotDoneView(id=letter.id, why=str(error)))
                else:
                    taken += 1
            after = found[-1][0].order
        return TakenBackView(taken_back=taken, not_done=not_done)


def _of_one(router: APIRouter) -> None:
    @router.get("/dead-letters/{letter_id}", responses=responses())
    async def read_dead_letter(letter_id: str, actor: CurrentActor, run: CurrentRun, response: Response) -> WholeLetterView:
        """Read one with what it says: it may hold personal data."""
        _operate(actor, letter_id)
        return _whole(response, await run(commands.one, letter_id))

    @router.patch("/dead-letters/{letter_id}", responses=responses(Conflict, Stale, Invalid, VersionNeeded))
    async def edit_dead_letter(
        letter_id: str,
        body: EditBody,
        actor: CurrentActor,
        run: CurrentRun,
        if_match: IfMatch,
        any_version: AnyVersion,
        response: Response,
    ) -> WholeLetterView:
        """Have an open letter say something else; a new value is one of the version that If-Match names.

        It must be readable then, and the same event as before; what came is kept beside it.
        """
        _operate(actor, letter_id)
        if body.value is not None and if_match is None and not any_version:
            raise VersionNeeded("dead letter", letter_id, current=(await run(commands.one, letter_id))[1])
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

    @router.post("/dead-letters/{letter_id}/take-back", responses=responses(Conflict, Stale))
    async def take_back_dead_letter(
        letter_id: str, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, body: ReplayBody | None = None
    ) -> LetterView:
        """Have one replayed no more: it is open again. One that the service is taking at that moment takes effect all the same, and is replayed."""
        _operate(actor, letter_id)
        return LetterView.of(await run(commands.take_back, letter_id, actor.person, body.why if body else None, if_match))

    @router.post("/dead-letters/{letter_id}/drop", responses=responses(Conflict, Stale, Invalid))
    async def drop_dead_letter(letter_id: str, body: DropBody, actor: CurrentActor, run: CurrentRun, if_match: IfMatch) -> LetterView:
        """Give an open letter up. What waits behind it goes on."""
        _operate(actor, letter_id)
        return LetterView.of(await run(commands.drop, letter_id, actor.person, body.why, if_match))


def _operate(actor: Actor, id_: str) -> None:
    """Raises NotFound, NotAllowed."""
    authorize(actor, Action.OPERATE, Resource("dead letter", id_))


def _whole(response: Response, found: Found) -> WholeLetterView:
    response.headers["ETag"] = f'"{found[1]}"'
    response.headers["Cache-Control"] = "no-store"
    return WholeLetterView.of(found)


def _aware(at: datetime | None, name: str) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise Invalid("The instant has no offset.", [Fault(f"query:/{name}", "send RFC 3339 with Z or an offset")])
    try:
        return at and in_utc(at)
    except ValueError as error:
        raise Invalid("The instant cannot be used.", [Fault(f"query:/{name}", f"is {error}")]) from None


def _encoded(value: dict[str, Any]) -> bytes:
    try:
        return to_json(value)
    except ValueError:
        raise Invalid("The value cannot be written.", [Fault("/value", "it is nested too deeply")]) from None
