"""JSON over HTTP: what became of deliveries (status, kind and channel; no address and no text), and what one wants no messages about."""

from typing import Annotated, Literal

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict

from amont.common.events.values import DeliveryStatus, Instant, PersonId
from amont.common.web import Body, CurrentActor, CurrentRun, Listing, Page, api_router, responses
from amont.notifications import commands
from amont.notifications.domain.delivery import Channel, Delivery, Kind
from amont.notifications.domain.people import Recipient

router = api_router("notifications")


class DeliveryView(BaseModel):
    """One message to one person by one channel."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "5f3ff9cf-2f43-5c0e-a4b3-6a1c7f8f0d11",
                    "person": "fr:e-0042",
                    "kind": "session-scheduled",
                    "channel": "mail",
                    "about": "0e1bd8c5-7a36-5a0b-8f53-2b8a6d2f3c4e",
                    "happened_at": "2027-01-04T08:00:00.000000Z",
                    "status": "sent",
                    "reason": None,
                    "attempts": 1,
                    "version": 3,
                },
            ],
        },
    )

    id: str
    person: PersonId
    kind: Kind
    channel: Channel
    about: str
    """The event that the message is about."""
    happened_at: Instant
    status: DeliveryStatus
    reason: str | None
    """Why it failed or was suppressed."""
    attempts: int
    version: int

    @classmethod
    def of(cls, delivery: Delivery, version: int) -> "DeliveryView":
        shown = ("id", "person", "kind", "channel", "about", "happened_at", "status", "reason", "attempts")
        return cls(**{name: getattr(delivery, name) for name in shown}, version=version)


@router.get("/deliveries", responses=responses())
async def list_deliveries(
    page: Listing,
    actor: CurrentActor,
    run: CurrentRun,
    person: Annotated[PersonId | None, Query(description="whose; one's own when absent, everybody's for operations")] = None,
) -> Page[DeliveryView]:
    """What somebody was or is to be told."""
    found = await run(commands.list_deliveries, actor, person, page.after, page.limit)
    return page.of([DeliveryView.of(delivery, version) for delivery, version in found], lambda view: view.id)


@router.get("/deliveries/{delivery_id}", responses=responses())
async def read_delivery(delivery_id: str, actor: CurrentActor, run: CurrentRun, response: Response) -> DeliveryView:
    """What became of one delivery."""
    delivery, version = await run(commands.read_delivery, actor, delivery_id)
    response.headers["ETag"] = f'"{version}"'
    return DeliveryView.of(delivery, version)


class Preferences(Body):
    """What one wants no messages about. All else is about something that one takes part in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"muted": ["invitations"]}]})

    muted: list[Literal["invitations"]]


class PreferencesView(BaseModel):
    """The same, with whose it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"person": "fr:e-0042", "muted": ["invitations"]}]})

    person: PersonId
    muted: list[str]

    @classmethod
    def of(cls, recipient: Recipient) -> "PreferencesView":
        return cls(person=recipient.id, muted=list(recipient.muted))


@router.get("/preferences", responses=responses())
async def get_preferences(actor: CurrentActor, run: CurrentRun) -> PreferencesView:
    """Read what one wants no messages about; one's own only."""
    return PreferencesView.of(await run(commands.preferences, actor))


@router.put("/preferences", responses=responses(commands.NotKnownYet))
async def put_preferences(body: Preferences, actor: CurrentActor, run: CurrentRun) -> PreferencesView:
    """Say what one wants no messages about; what is left out comes again."""
    return PreferencesView.of(await run(commands.set_preferences, actor, body.muted))
