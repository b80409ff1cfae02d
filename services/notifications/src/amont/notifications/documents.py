"""What notifications keeps: deliveries, and its copies of people, subsidiaries and programmes. `recipients` alone holds names and addresses."""

from collections.abc import Mapping
from typing import Any

from amont.common import erasing, exporting
from amont.common.documents import Index
from amont.common.documents.collection import Collection, Query
from amont.notifications.domain.delivery import Delivery
from amont.notifications.domain.people import Programme, Recipient, Subsidiary


def _keys_of(delivery: Delivery) -> Mapping[str, Any]:
    return {"partner": delivery.matter.partner}


DELIVERIES = Collection(Delivery, "deliveries", indexes=[Index(("person",)), Index(("partner",))], keys=_keys_of, due=True)
RECIPIENTS = Collection(Recipient, "recipients")
SUBSIDIARIES = Collection(Subsidiary, "subsidiaries")
PROGRAMMES = Collection(Programme, "programmes")
COLLECTIONS = (DELIVERIES, RECIPIENTS, SUBSIDIARIES, PROGRAMMES, *erasing.COLLECTIONS, exporting.ANSWERS)


def deliveries_to(person: str | None) -> Query[Delivery]:
    """Everything somebody was or is to be told; everybody's for None."""
    return DELIVERIES.where() if person is None else DELIVERIES.where(person=person)


def deliveries_about(person: str) -> Query[Delivery]:
    """What others were or are to be told that names the person as their partner."""
    return DELIVERIES.where(partner=person)
