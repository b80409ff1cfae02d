"""Who decided something, and why, as it goes over the wire: nobody knows any more once the audit's year is over."""

from typing import Annotated

from pydantic import Field

Known = Annotated[str | None, Field(description="null once it is a year ago")]
