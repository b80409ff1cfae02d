"""What notifications keeps: deliveries, and its copies of people, subsidiaries and programmes. `recipients` alone holds names and addresses."""

from amont.common.documents import Index
from amont.common.documents.collection import Collection, Query
from amont.notifications.domain.delivery import Delivery
from amont.notifications.domain.people import Programme, Recipient, Subsidiary

DELIVERIES = Collection(Delivery, "deliveries", indexes=[Index(("person",))], due=True)
RECIPIENTS = Collection(Recipient, "recipients")
SUBSIDIARIES = Collection(Subsidiary, "subsidiaries")
PROGRAMMES = Collection(Programme, "programmes")
COLLECTIONS = (DELIVERIES, RECIPIENTS, SUBSIDIARIES, PROGRAMMES)


def deliveries_to(person: str | None) -> Query[Delivery]:
    """Everything somebody was or is to be told; everybody's for None."""
    return DELIVERIES.where() if person is None else DELIVERIES.where(person=person)
