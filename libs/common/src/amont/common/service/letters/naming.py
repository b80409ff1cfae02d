"""Whose dead letter it is, and who else is named in it: for erasing somebody from letters that are other people's. Pure.

A record names people as `tenant:employee_id`; an HR system's record names its managers by their plain ids, too. What cannot be read as JSON is searched as
bytes for the id in quotes. What is not here: a name or an address in somebody else's record, which no machine tells from any other text.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from amont.common.events.values import tenant_of
from amont.common.events.words import person_id
from amont.common.service.letters.letter import Content, DeadLetter

PLAIN = ("manager_id", "dotted_manager_ids")
"""Where an HR system's record may name somebody by their plain id."""
Names = Mapping[str, str]
"""What takes the place of each id."""


def is_of(letter: DeadLetter, person: str, enrolments: tuple[str, ...] = ()) -> bool:
    """Whether the record that was set aside is about the person alone: by its key, its subject, or who it says that it is about."""
    owned = {person, *(f"{tenant_of(person)}:{one}" for one in enrolments)}
    contents = [one for one in (letter.content, letter.original) if one is not None]
    return letter.key in owned or any(_is_about(one, person) for one in contents)


def names(letter: DeadLetter, *ids: str) -> bool:
    """Whether one of these is named anywhere in it."""
    return instead(letter, dict.fromkeys(ids, "")) is not letter


def instead(letter: DeadLetter, others: Names) -> DeadLetter:
    """The letter with other ids in the place of these; the very same one when none is in it. What was wrong with the record stays wrong."""
    content = _content(letter.content, others)
    original = _content(letter.original, others) if letter.original is not None else None
    detail = _quoted(letter.detail, _spoken(others, letter.tenant))
    if (content, original, detail) == (letter.content, letter.original, letter.detail):
        return letter
    return replace(letter, content=content, original=original, detail=detail)


def _is_about(content: Content, person: str) -> bool:
    if any(name.lower() == "ce_subject" and value == person.encode() for name, value in content.raw_headers):
        return True
    said = _read(content.raw_value)
    return isinstance(said, Mapping) and person in (said.get("person"), f"{said.get('tenant')}:{said.get('employee_id')}")


def _content(content: Content, others: Names) -> Content:
    """Untouched, byte by byte, when nobody is named."""
    headers = tuple((name, _bytes_instead(value, others)) for name, value in content.raw_headers)
    value = content.raw_value
    said = _read(value)
    if said is not None:
        after = _said(said, others, None)
        value = value if after == said else json.dumps(after, ensure_ascii=False).encode()
    elif value is not None:
        value = _in_bytes(value, others)
    return content if (value, headers) == (content.raw_value, content.raw_headers) else Content.of(value, headers)


def _read(value: bytes | None) -> Any:
    """None for what is no JSON, too."""
    try:
        return json.loads(value or b"null")
    except (ValueError, RecursionError):
        return None


def _said(value: Any, others: Names, tenant: str | None) -> Any:
    match value:
        case str():
            named = (person_id(value, tenant) if tenant else None) or value
            return others[named] if named in others else _quoted(value, others)
        case Mapping():
            owner = value.get("tenant") if isinstance(value.get("tenant"), str) else None
            return {others.get(name, name): _said(one, others, owner if name in PLAIN else None) for name, one in value.items()}
        case list():
            return [_said(one, others, tenant) for one in value]
        case _:
            return value


def _quoted(text: str, others: Names) -> str:
    """A longer text that quotes one: a line of JSON in it, or a message."""
    for old, new in others.items():
        for quote in ("'", '"'):
            text = text.replace(f"{quote}{old}{quote}", f"{quote}{new}{quote}")
    return text


def _spoken(others: Names, tenant: str | None) -> Names:
    """With the plain ids, as a record of that subsidiary says them."""
    plain = {old.partition(":")[2]: new for old, new in others.items() if ":" in old and tenant_of(old) == tenant}
    return {**others, **plain}


def _in_bytes(value: bytes, others: Names) -> bytes:
    """What is no JSON: the id in quotes, plain or with its subsidiary, as text or as JSON escapes it. The plain id may be somebody else's, or no id at all:
    of what nobody can read it is rather too much than too little.
    """
    for old, new in others.items():
        for one in {old, old.partition(":")[2] or old}:
            for spelled in {json.dumps(one), json.dumps(one, ensure_ascii=False)}:
                value = value.replace(spelled.encode(), json.dumps(new).encode())
    return value


def _bytes_instead(value: bytes | None, others: Names) -> bytes | None:
    for old, new in others.items():
        if value == old.encode():
            return new.encode()
    return value
