"""Documents that this release cannot read: a newer one may have written them while both are at work. They are passed over and stay as they are."""

import structlog

from amont.common import metrics

_logger = structlog.get_logger(__name__)


def unreadable(service: str, collection: str, id_: str, error: Exception) -> None:
    """Count one and say which. What the error says may hold what the document holds, so its kind is all that is told."""
    metrics.DOCUMENTS_UNREADABLE.labels(service, collection).inc()
    _logger.error("document_unreadable", service=service, collection=collection, id=id_, reason=type(error.__cause__ or error).__name__)
