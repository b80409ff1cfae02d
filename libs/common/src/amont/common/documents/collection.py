"""A collection of aggregates: how a frozen value becomes a document and back, and the named queries over it.

A document is the aggregate's fields, `_id`, `v`, and what the shell keeps beside them: `_seen` (source stream → last seq applied), `_out`
(events not yet known to be on the log) and `_out_at` (since when, only while there are some).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from amont.common.aggregate import Aggregate
from amont.common.documents import CollectionSpec, Document, Find, Index

A = TypeVar("A", bound=Aggregate)

SHELL_INDEXES = (Index(("_out_at",), sparse=True),)
DUE_INDEX = Index(("due_at",), sparse=True)


def _no_keys(_: Any) -> Mapping[str, Any]:
    return {}


class Collection(Generic[A]):
    """The aggregates of one kind.

    `indexes` are the fields that queries filter by; `keys` derives fields that exist only to be found by (for instance the list of both people
    of a pair); `due` says that the kind has a `due_at` to be woken by.
    """

    def __init__(
        self,
        kind: type[A],
        name: str,
        *,
        indexes: Sequence[Index] = (),
        keys: Callable[[A], Mapping[str, Any]] = _no_keys,
        due: bool = False,
    ) -> None:
        self.kind = kind
        self.name = name
        self.spec = CollectionSpec(name, (*SHELL_INDEXES, *((DUE_INDEX,) if due else ()), *indexes))
        self._keys = keys
        self._adapter: TypeAdapter[A] = TypeAdapter(kind)

    def dump(self, aggregate: A) -> dict[str, Any]:
        """The aggregate's own part of its document."""
        document: dict[str, Any] = self._adapter.serializer.to_python(aggregate, mode="json")
        document["_id"] = document.pop("id")
        document.update(self._keys(aggregate))
        return document

    def load(self, document: Document) -> A:
        """The aggregate back from its document; what the shell keeps is ignored."""
        return self._adapter.validate_python({**document, "id": document["_id"]})

    def where(self, **conditions: Any) -> "Query[A]":
        """All aggregates whose fields (or derived keys) meet the conditions: a value, `AnyOf` or `AtMost`."""
        return Query(self, conditions)


@dataclass(frozen=True, slots=True)
class Query(Generic[A]):
    """A question with a name, built by a service's `documents` room."""

    collection: Collection[A]
    conditions: Mapping[str, Any] = field(default_factory=dict)
    sort: str | None = None

    def by(self, sort: str) -> "Query[A]":
        """The same in the order of a field."""
        return replace(self, sort=sort)

    def page(self, *, after: tuple[Any, ...] | None = None, limit: int = 200) -> Find:
        return Find(collection=self.collection.name, where=self.conditions, sort=self.sort, after=after, limit=limit)
