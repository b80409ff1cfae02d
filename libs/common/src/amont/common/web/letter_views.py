"""What dead letters look like over HTTP, and what may be said about them. The routes are in `letters`."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError, from_json

from amont.common.errors import Fault, Invalid
from amont.common.events.values import Instant
from amont.common.service.letters.commands import Chosen, Found
from amont.common.service.letters.letter import Content, Status
from amont.common.web import Body


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
    trace_id: str | None
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


def _says_something(why: str) -> str:
    if not why.strip():
        raise PydanticCustomError("blank", "say why, in a few words: it stays with the letter")
    return why.strip()


Why = Annotated[str, Field(max_length=500), AfterValidator(_says_something)]


class ReplayBody(Body):
    """Why, if there is something to say."""

    why: Why | None = None


class DropBody(Body):
    """Why nobody needs the record any more."""

    why: Why


class EditBody(Body):
    """What it is to say from now on. `value` is the event's fields; of `headers`, null takes one away."""

    why: Why
    value: dict[str, Any] | None = None
    headers: dict[str, str | None] = Field(default_factory=dict)


class ManyBody(Body):
    """Which letters are meant: all conditions must hold, and at least one must be given; `everything` says that all are meant."""

    reason: str | None = None
    tenant: str | None = None
    key: str | None = None
    topic: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    everything: bool = False
    why: Why | None = None

    def chosen(self) -> Chosen:
        """Raises Invalid when it says nothing, or everything and something."""
        conditions = self.model_dump(exclude={"everything", "why"}, exclude_none=True)
        if bool(conditions) == self.everything:
            raise Invalid("Say which letters are meant.", [Fault("/everything", "give conditions, or true for all; not both")])
        return Chosen(**conditions)


class AskedView(BaseModel):
    """How many will be replayed; how many wait behind another letter and follow by themselves; how many are not kept whole and cannot be."""

    replaying: int
    waiting: int
    in_part: int


class NotDoneView(BaseModel):
    """A letter that somebody, or its service, was faster with."""

    id: str
    why: str


class TakenBackView(BaseModel):
    """How many are replayed no more, and which could not be taken back."""

    taken_back: int
    not_done: list[NotDoneView]


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
