"""Dead letters on a terminal, and as data. What is to be copied, as an id, stands in one piece however narrow the terminal is."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import from_json, to_json
from rich.text import Text

from amont.common.cli import err, fits, out, say, say_facts, table, visible
from amont.common.events.values import instant_text
from amont.common.service.letters.commands import Found, shown
from amont.common.service.letters.letter import Content, DeadLetter, Note

SHOWN_CHARACTERS, SHOWN_LINES = 4_000, 100
"""How much of one value `show` prints unless all is asked for."""

ByReason = Mapping[str, Mapping[str, int]]
"""How many letters, by service and reason."""


def line(service: str, letter: DeadLetter) -> dict[str, Any]:
    """A letter as data, ids only."""
    names = (
        "id topic partition offset key tenant type event_id trace_id reason detail blocked_by status attempts truncated_from".split()  # noqa: SIM905
    )
    return {"service": service, **{name: getattr(letter, name) for name in names}, "parked_at": instant_text(letter.parked_at)}


def whole(service: str, found: Found) -> dict[str, Any]:
    """The same with what it says and what happened to it, and the version that an edit may name."""
    letter, version = found
    return {
        **line(service, letter),
        "version": version,
        "content": _content(letter.content),
        "original": _content(letter.original) if letter.original else None,
        "history": [
            {"at": instant_text(note.at), "who": note.who, "what": note.what, "why": note.why, "fields": list(note.fields)}
            for note in letter.history
        ],
    }


def by_reason(letters: Iterable[tuple[str, DeadLetter]]) -> dict[str, dict[str, int]]:
    """How many of these there are, by service and reason."""
    counts: dict[str, dict[str, int]] = {}
    for service, letter in letters:
        mine = counts.setdefault(service, {})
        mine[letter.reason] = mine.get(letter.reason, 0) + 1
    return counts


def counted(counts: ByReason) -> str:
    """`: enrolment 2 unknown-grade, 1 defect; matching 1 defect`; nothing where there is nothing."""
    parts = (f"{service} {', '.join(f'{count} {reason}' for reason, count in reasons.items())}" for service, reasons in counts.items())
    return ": " + "; ".join(parts) if counts else ""


def print_list(listed: Sequence[tuple[str, DeadLetter]], more: int, all_with: str, others: ByReason) -> None:
    """One line each, two on a narrow terminal, what they come to, and whether there are more; or what there is when none was asked for rightly."""
    if not listed:
        say(out, f"No dead letters like these. Unresolved there are{counted(others)}." if others else "No dead letters.")
        return
    columns = ("service", "letter", "key", "reason", "status", "tries", "parked at")
    rows = [
        (name, one.id, one.key, one.reason, one.status.value, one.attempts, f"{one.parked_at:%Y-%m-%d %H:%M:%S}Z") for name, one in listed
    ]
    if fits(out, columns, rows):
        out.print(table(columns, rows))
    else:
        for name, id_, key, reason, status, tries, at in rows:
            say(out, id_, style="bold")
            say(out, f"  {name}, key {key}, {reason}, {status}, {_tries(tries)}, {at}", indent="  ")
    reasons = Counter(one.reason for _, one in listed)
    out.print()
    say(out, f"{len(listed)} shown: " + ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()))
    if more:
        say(out, f"And {more} more: {all_with} shows all, and --service, --reason, --key, --since, … choose.")


def print_left(left: Sequence[tuple[str, DeadLetter]]) -> None:
    """Letters that were not taken, and what is wrong with each."""
    for name, one in left:
        say(err, one.id, style="bold")
        say(err, f"  {name}, {one.status.value}, {one.reason}: {one.detail}", indent="  ")


def print_whole(service: str, found: Found, *, full: bool) -> None:
    """Everything about one; of a long value only the beginning, unless it is to be `full`."""
    letter, version = found
    facts = {
        "letter": letter.id,
        "version": version,
        "service": service,
        "record": f"{letter.topic}, partition {letter.partition}, offset {letter.offset}",
        "key": letter.key,
        "event": f"{letter.event_id or 'no id'} ({letter.type or 'no type'})",
        "trace": letter.trace_id or "none",
        "status": f"{letter.status.value}, {_tries(letter.attempts)}",
        "reason": letter.reason,
        "detail": letter.detail,
        **({"kept": f"a part; {letter.truncated_from:,} bytes came"} if letter.truncated_from else {}),
    }
    say_facts(out, facts.items())
    for title, content in (("says", letter.content), ("came as", letter.original)):
        if content is not None:
            out.print(Text(f"\n{title}", style="bold"))
            say_facts(out, [(name, _begin(_plain(value), full=full)) for name, value in content.raw_headers])
            out.print()
            out.print(Text(_begin(_value(content), full=full)), soft_wrap=True)
    out.print(Text("\nhistory", style="bold"))
    for note in letter.history:
        say(out, _told(note), indent="  ")


def _tries(attempts: int) -> str:
    return f"tried {attempts} time{'' if attempts == 1 else 's'}"


def _told(note: Note) -> str:
    fields = f" ({', '.join(note.fields)})" if note.fields else ""
    return f"{note.at:%Y-%m-%d %H:%M:%S}Z  {note.what} by {note.who}{fields}{f': {note.why}' if note.why else ''}"


def _begin(text: str, *, full: bool) -> str:
    """What a terminal can take of it, and how to see the rest."""
    if full or (len(text) <= SHOWN_CHARACTERS and text.count("\n") < SHOWN_LINES):
        return text
    kept = "\n".join(text[:SHOWN_CHARACTERS].split("\n")[:SHOWN_LINES])
    return f"{kept}\n… {len(text) - len(kept):,} more characters: --full shows all, --json gives it as data."


def _value(content: Content) -> str:
    """The value as people read it: JSON a field a line, everything else as it is."""
    try:
        return visible(to_json(from_json(content.raw_value or b""), indent=2).decode())
    except ValueError:
        return visible(shown(content)) or "(no value)"


def _content(content: Content) -> dict[str, Any]:
    return {"value": shown(content), "value_base64": content.value, "headers": {name: _plain(value) for name, value in content.raw_headers}}


def _plain(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "backslashreplace")
