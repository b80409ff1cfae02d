"""Whose dead letter it is, and who else is named in it: for erasing somebody from letters that are other people's. Pure.

A record names people as `tenant:employee_id`; an HR system's record names itself and its managers by their plain ids, too, in the tenant that it says or, if
it says none, in that of the letter; and it may stand inside of something else, as in a CloudEvent in structured mode. What cannot be read as JSON, or says
one thing twice, is searched as bytes for the id in quotes: nobody can tell what else of the person is in it,
so with the id in it, it is treated as theirs and removed whole, even where it may be somebody else's that only names them. What is not here: a name or an
address in somebody else's record, which no machine tells from any other text.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from amont.common.events.values import tenant_of
from amont.common.events.words import person_id
from amont.common.service.letters.letter import Content, DeadLetter

PLAIN = ("manager_id", "dotted_manager_ids", "employee_id")
"""Where an HR system's record may name somebody by their plain id: others, and inside of what it says of others, those themselves."""
Names = Mapping[str, str]
"""What takes the place of each id."""
_OPENS = ("{", "[")
"""What JSON begins with that can name anybody."""
_TENANT = re.compile(rb'"tenant"\s*:\s*"([a-z0-9-]{1,32})"')


def is_of(letter: DeadLetter, person: str, enrolments: tuple[str, ...] = ()) -> bool:
    """Whether the record that was set aside is about the person alone: by its key, its subject, or who it says that it is about."""
    owned = {person, *(f"{tenant_of(person)}:{one}" for one in enrolments)}
    return letter.key in owned or any(_is_about(one, person, letter.home) for one in _contents(letter))


def goes_with(letter: DeadLetter, person: str, enrolments: tuple[str, ...] = ()) -> bool:
    """Whether nothing of it may be kept when the person is erased: it is theirs, or nobody can read whose it is and it has their id in it."""
    return is_of(letter, person, enrolments) or any(_may_be_about(one, person, letter.home) for one in _contents(letter))


def names(letter: DeadLetter, *ids: str) -> bool:
    """Whether one of these is named anywhere in it."""
    return instead(letter, dict.fromkeys(ids, "")) is not letter


def instead(letter: DeadLetter, others: Names) -> DeadLetter:
    """The letter with other ids in the place of these; the very same one when none is in it. What was wrong with the record stays wrong."""
    content = _content(letter.content, others, letter.home)
    original = _content(letter.original, others, letter.home) if letter.original is not None else None
    detail = _quoted(letter.detail, _spoken(others, letter.home))
    if (content, original, detail) == (letter.content, letter.original, letter.detail):
        return letter
    return replace(letter, content=content, original=original, detail=detail)


def _contents(letter: DeadLetter) -> list[Content]:
    return [one for one in (letter.content, letter.original) if one is not None]


def _is_about(content: Content, person: str, tenant: str | None) -> bool:
    if any(name.lower() == "ce_subject" and value == person.encode() for name, value in content.raw_headers):
        return True
    said = _read(content.raw_value)
    return _says(said, person, tenant) or (isinstance(said, Mapping) and any(_says(one, person, tenant) for one in _data(said)))


def _says(said: Any, person: str, tenant: str | None) -> bool:
    if not isinstance(said, Mapping):
        return False
    id_ = str(said.get("employee_id")).strip()
    return person in (said.get("person"), id_, f"{_tenant(said) or tenant}:{id_}")


def _data(event: Mapping[str, Any]) -> Iterator[Any]:
    """What a CloudEvent in structured mode carries, as JSON, as text or as bytes (its JSON format, sections 2.4 and 3.1)."""
    data = event.get("data")
    yield _read(data.encode()) if isinstance(data, str) else data
    yield _read(_unpacked(event.get("data_base64")))


def _unpacked(text: Any) -> bytes | None:
    try:
        return base64.b64decode(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _may_be_about(content: Content, person: str, tenant: str | None) -> bool:
    """What cannot be read as the record of one person: no JSON, several of them, or packed."""
    said, value = _read(content.raw_value), content.raw_value
    if said is not None:
        return any((_says(one, person, tenant) and not _is_one_record(said)) or _in_packed(one, person, tenant) for one in _within(said))
    return value is not None and _in_bytes(value, {person: ""}, tenant) != value


def _is_one_record(said: Any) -> bool:
    """Whether it says whom it is about, who is then somebody else."""
    return isinstance(said, Mapping) and any(
        isinstance(one, Mapping) and not one.keys().isdisjoint(("employee_id", "person")) for one in (said, *_data(said))
    )


def _within(said: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of it, and of JSON that stands in its texts."""
    match said:
        case Mapping():
            yield said
            for one in said.values():
                yield from _within(one)
        case list():
            for one in said:
                yield from _within(one)
        case str() if said.lstrip().startswith(_OPENS):
            yield from _within(_read(said.encode()))


def _in_packed(event: Mapping[str, Any], person: str, tenant: str | None) -> bool:
    packed = _unpacked(event.get("data_base64"))
    return packed is not None and _in_bytes(packed, {person: ""}, _tenant(event) or tenant) != packed


def _content(content: Content, others: Names, tenant: str | None) -> Content:
    """Untouched, byte by byte, when nobody is named."""
    headers = tuple((name, _bytes_instead(value, others)) for name, value in content.raw_headers)
    value = content.raw_value
    said = _read(value)
    if said is not None:
        after = _said(said, others, None, tenant)
        value = value if after == said else json.dumps(after, ensure_ascii=False).encode()
    elif value is not None:
        value = _in_bytes(value, others, tenant)
    return content if (value, headers) == (content.raw_value, content.raw_headers) else Content.of(value, headers)


def _tenant(said: Mapping[str, Any]) -> str | None:
    tenant = said.get("tenant")
    return tenant if isinstance(tenant, str) else None


def _read(value: bytes | None) -> Any:
    """None for what is no JSON, too, and for what says one thing twice: whoever reads it keeps the last of them, and the first stands in the bytes."""
    try:
        return json.loads(value or b"null", object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) < len(pairs):
        raise ValueError("a name stands there twice")
    return said


def _said(value: Any, others: Names, plainly: str | None, tenant: str | None) -> Any:
    """`plainly` is the tenant whose people may be named by their plain ids here; `tenant` that of a record which does not say its own."""
    match value:
        case str() if value.lstrip().startswith(_OPENS) and (inner := _read(value.encode())) is not None:
            after = _said(inner, others, None, tenant)
            return value if after == inner else json.dumps(after, ensure_ascii=False)
        case str():
            named = (person_id(value, plainly) if plainly else None) or value
            return others[named] if named in others else _quoted(value, others)
        case int() if plainly:
            return others.get(f"{plainly}:{value}", value)
        case Mapping():
            owner = _tenant(value) or tenant
            return {others.get(name, name): _said(one, others, owner if name in PLAIN else None, owner) for name, one in value.items()}
        case list():
            return [_said(one, others, plainly, tenant) for one in value]
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


def _in_bytes(value: bytes, others: Names, tenant: str | None) -> bytes:
    """What is no JSON: the id in quotes, plain or with its subsidiary, as text or as JSON escapes it. The plain id may be somebody else's who is of the same
    subsidiary, or no id at all: of what nobody can read it is rather too much than too little. In another subsidiary it is another person.
    """
    said = _TENANT.search(value)
    owner = said[1].decode() if said else tenant
    for old, new in others.items():
        plain = old.partition(":")[2]
        for one in {old, plain} if plain and tenant_of(old) == owner else {old}:
            for spelled in _spellings(one):
                value = value.replace(spelled, json.dumps(new).encode())
    return value


def _spellings(id_: str) -> set[bytes]:
    """In quotes, as JSON escapes it, in UTF-8 and UTF-16, and in what an old HR system writes, where that has the letters."""
    text = json.dumps(id_, ensure_ascii=False)
    old = text.encode("cp1252", "ignore")
    return {
        json.dumps(id_).encode(),
        *map(text.encode, ("utf-8", "utf-16-le", "utf-16-be")),
        *([old] if old.decode("cp1252") == text else []),
    }


def _bytes_instead(value: bytes | None, others: Names) -> bytes | None:
    for old, new in others.items():
        if value == old.encode():
            return new.encode()
    return value
