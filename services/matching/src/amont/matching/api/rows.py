"""Paging through rows that never change: `after` is how many came before, which nobody but we need to know."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Depends

from amont.common.errors import Fault, Invalid
from amont.common.web import Listing, Page

R = TypeVar("R")
V = TypeVar("V")


class RowQuery:
    """`?after=…&limit=…` over the rows of an answer."""

    def __init__(self, listing: Listing) -> None:
        """Raises Invalid."""
        self._listing, self.limit = listing, listing.limit
        after = listing.after[0] if listing.after else "0"
        if not after.isascii() or not after.isdigit() or len(after) > 9:
            raise Invalid("This is no page of the list.", [Fault("query:/after", "take it from `next` or the Link header")])
        self.start = int(after)

    def of(self, rows: Sequence[R], view: Callable[[R], V]) -> Page[V]:
        """The page, with its Link header when another one follows."""
        return self._listing.of([view(row) for row in rows], lambda _: str(self.start + len(rows)))


RowListing = Annotated[RowQuery, Depends()]
