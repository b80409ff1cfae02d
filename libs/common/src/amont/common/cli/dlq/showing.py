"""Dead letters on a terminal, and as data."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json, to_json
from rich.json import JSON
from rich.text import Text

from amont.common.cli import out, table, visible
from amont.common.events.values import instant_text
from amont.common.service.letters.commands import shown
from amont.common.service.letters.letter import Content, DeadLetter


def line(service: str, letter: DeadLetter) -> dict[str, Any]:
    """A letter as data, ids only."""
    names = (
        "id topic partition offset key tenant type event_id reason detail blocked_by status attempts truncated_from".split()  # noqa: SIM905
    )
    return {"service": service, **{name: getattr(letter, name) for name in names}, "parked_at": instant_text(letter.parked_at)}


def whole(service: str, letter: DeadLetter) -> dict[str, Any]:
    """The same with what it says and what happened to it."""
    return {
        **line(service, letter),
        "content": _content(letter.content),
        "original": _content(letter.original) if letter.original else None,
        "history": [
            {"at": instant_text(note.at), "who": note.who, "what": note.what, "why": note.why, "fields": list(note.fields)}
            for note in letter.history
        ],
    }


def print_list(listed: Sequence[tuple[str, DeadLetter]]) -> None:
    """One line each, and what they come to."""
    if not listed:
        out.print("No dead letters.")
        return
    columns = ("service", "letter", "key", "reason", "status", "tries", "parked at")
    rows = [
        (name, one.id, one.key, one.reason, one.status.value, one.attempts, f"{one.parked_at:%Y-%m-%d %H:%M:%S}Z") for name, one in listed
    ]
    out.print(table(columns, rows))
    reasons = Counter(one.reason for _, one in listed)
    out.print(f"\n{len(listed)} shown: " + ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()))


def print_whole(service: str, letter: DeadLetter) -> None:
    """Everything about one."""
    facts = {
        "letter": letter.id,
        "service": service,
        "record": f"{letter.topic}, partition {letter.partition}, offset {letter.offset}",
        "key": letter.key,
        "event": f"{letter.event_id or 'no id'} ({letter.type or 'no type'})",
        "status": f"{letter.status.value}, tried {letter.attempts} time{'' if letter.attempts == 1 else 's'}",
        "reason": letter.reason,
        "detail": letter.detail,
        **({"kept": f"a part; {letter.truncated_from:,} bytes came"} if letter.truncated_from else {}),
    }
    about = table(("", ""), facts.items())
    about.show_header = False
    out.print(about)
    for title, content in (("says", letter.content), ("came as", letter.original)):
        if content is not None:
            out.print(Text(f"\n{title}", style="bold"))
            out.print(table(("header", "value"), [(name, _plain(value)) for name, value in content.raw_headers]))
            _print_value(content)
    out.print(Text("\nhistory", style="bold"))
    rows = [(f"{one.at:%Y-%m-%d %H:%M:%S}Z", one.who, one.what, ", ".join(one.fields), one.why or "") for one in letter.history]
    out.print(table(("at", "who", "what", "changed", "why"), rows))


def _print_value(content: Content) -> None:
    value = content.raw_value
    try:
        out.print(JSON(to_json(from_json(value or b"")).decode()))
    except ValueError:
        out.print(Text(visible(shown(content)) or "(no value)"))


def _content(content: Content) -> dict[str, Any]:
    return {"value": shown(content), "value_base64": content.value, "headers": {name: _plain(value) for name, value in content.raw_headers}}


def _plain(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "backslashreplace")
