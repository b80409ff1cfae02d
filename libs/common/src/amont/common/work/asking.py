"""Queries answered from what a work holds in memory, by the store port's rules."""

from collections.abc import Mapping
from typing import Any

from amont.common.documents import AnyOf, AtMost, Document
from amont.common.documents.collection import Query
from amont.common.work.entry import Entry


def holds_any(value: Any, texts: frozenset[str]) -> bool:
    """Whether one of the texts is a value in a JSON value, the name of one, or quoted inside a longer text (a line of JSON in a file that is kept)."""
    match value:
        case str():
            return value in texts or ('"' in value and any(f'"{one}"' in value for one in texts))
        case Mapping():
            return any(name in texts or holds_any(one, texts) for name, one in value.items())
        case list():
            return any(holds_any(one, texts) for one in value)
        case _:
            return False


def meets(entry: Entry, conditions: Mapping[str, Any]) -> bool:
    """Whether an aggregate held in memory meets a query, by the store port's rules."""
    document = entry.collection.dump(entry.aggregate)
    return all(_holds(document.get(name), wanted) for name, wanted in conditions.items())


def _holds(value: Any, wanted: Any) -> bool:
    match wanted:
        case AnyOf(values):
            return any(_holds(value, one) for one in values)
        case AtMost(limit):
            return any(one <= limit for one in (value if isinstance(value, list) else [value]) if one is not None)
        case _ if isinstance(value, list):
            return wanted in value
        case _:
            return bool(value == wanted)


def place(document: Document, sort: str | None) -> tuple[Any, ...]:
    """Where a document stands in the order of a query, by the store port's rules."""
    if sort is None:
        return (document["_id"],)
    value = document.get(sort)
    return (value is not None, value, document["_id"])


def question(query: Query[Any]) -> tuple[str, ...]:
    """A query as something that can be remembered."""
    return (query.collection.name, *(f"{name}={value!r}" for name, value in sorted(query.conditions.items())))
