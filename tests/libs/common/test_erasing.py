"""What the services have in common when they erase somebody: ids are replaced wherever they stand, and letters about somebody are known as such."""

import base64
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.libs.common.shell import START, TALLIES, Shell, Tally

from amont.common.aggregate import Aggregate
from amont.common.documents.collection import Collection
from amont.common.erasing import Look, letters_about, letters_of, renamed
from amont.common.events import ProgrammeChanged
from amont.common.log import Received
from amont.common.service.letters.letter import LETTERS, Content, DeadLetter, letter_id
from amont.common.service.letters.naming import instead
from amont.common.work import Work
from amont.common.work.asking import holds_any

PERSON = 'fr:Éloïse "Z"'
NAMES = {"fr:e1": "fr:erased-1", "enrolment-1": "made-up-1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper(Aggregate):
    """Holds ids in every way an aggregate can."""

    said: str = ""
    lines: tuple[str, ...] = ()
    by_person: dict[str, int] = field(default_factory=dict)
    nested: tuple[dict[str, Any], ...] = ()


PAPERS = Collection(Paper, "papers")
TEXTS = st.one_of(st.sampled_from([*NAMES, "fr:e12", 'a line with "fr:e1" in it', '{"id": "enrolment-1"}']), st.text(max_size=8))
VALUES = st.recursive(
    TEXTS | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


@given(
    st.builds(
        Paper,
        id=st.just("p"),
        said=TEXTS,
        lines=st.lists(TEXTS).map(tuple),
        nested=st.lists(st.dictionaries(TEXTS, VALUES, max_size=3)).map(tuple),
    )
)
def test_after_renaming_none_of_the_ids_stands_anywhere_and_nothing_else_has_changed(paper: Paper) -> None:
    after = renamed(PAPERS, paper, NAMES)
    assert not holds_any(PAPERS.dump(after), frozenset(NAMES))
    if not holds_any(PAPERS.dump(paper), frozenset(NAMES)):
        assert after == paper
    back = renamed(PAPERS, after, {new: old for old, new in NAMES.items()})
    assert renamed(PAPERS, back, NAMES) == after


def test_an_id_that_only_begins_alike_stays() -> None:
    paper = Paper(id="p", said="fr:e12", lines=('{"id":"fr:e12"}', '{"id":"fr:e1"}'), by_person={"fr:e1": 3})
    assert renamed(PAPERS, paper, NAMES) == Paper(
        id="p", said="fr:e12", lines=('{"id":"fr:e12"}', '{"id":"fr:erased-1"}'), by_person={"fr:erased-1": 3}
    )


def record(value: bytes, *, key: str = "p1", headers: tuple[tuple[str, bytes], ...] = ()) -> Received:
    return Received(topic="matching-pairs", partition=0, offset=len(value), key=key.encode(), value=value, headers=headers)


@pytest.mark.parametrize(
    "about",
    [
        record(b"{", key=PERSON),
        record(json.dumps({"mentee": PERSON}).encode()),
        record(json.dumps({"pairs": [{"mentor": PERSON}]}, ensure_ascii=False).encode()),
        record(json.dumps({"tenant": "fr", "employee_id": PERSON.removeprefix("fr:")}).encode(), key="wrong"),
        record(b"\xff\x00", headers=(("ce_subject", PERSON.encode()),)),
    ],
    ids=["by its key", "by what it says", "deep inside", "as an HR system names them", "in a header"],
)
async def test_a_dead_letter_is_about_somebody(shell: Shell, about: Received) -> None:
    await keep(shell, about)
    assert await found(shell, PERSON) == 1


@pytest.mark.parametrize(
    "other", [record(b"{"), record(b"\xff"), record(json.dumps({"mentee": PERSON + "1"}).encode()), record(b"[1]"), record(b"null")]
)
async def test_a_dead_letter_is_about_somebody_else(shell: Shell, other: Received) -> None:
    await keep(shell, other)
    assert await found(shell, PERSON) == 0


PLAIN = PERSON.removeprefix("fr:")
NOBODY = "fr:erased-1"


def hr(**fields: Any) -> bytes:
    return json.dumps({"tenant": "fr", "employee_id": "other", "grade": "unheard-of", **fields}).encode()


def structured(**data: Any) -> bytes:
    """A CloudEvent in structured mode."""
    return json.dumps({"specversion": "1.0", "type": "staff", "id": "1", "source": "/hris", **data}).encode()


@pytest.mark.parametrize(
    "other",
    [
        hr(manager_id=PERSON),
        hr(manager_id=PLAIN),
        hr(dotted_manager_ids=["e9", PLAIN]),
        hr(former_id=PERSON),
        json.dumps({"mentee": PERSON, "mentor": "de:e1", "lines": [f'{{"id": {json.dumps(PERSON)}}}']}).encode(),
        json.dumps({"employee_id": "other", "manager_id": PLAIN}).encode(),
        hr(manager={"employee_id": PLAIN}),
        structured(data=json.loads(hr(manager_id=PLAIN))),
        structured(data=hr(manager_id=PLAIN).decode()),
    ],
    ids=[
        "in full",
        "plainly",
        "in a dotted line",
        "as a former id",
        "as a partner",
        "in a record that does not say whose it is",
        "as a manager who is an object",
        "in the data of a CloudEvent",
        "in the data of a CloudEvent, as text",
    ],
)
async def test_a_letter_of_somebody_else_stays_and_names_nobody_who_was_erased(shell: Shell, other: bytes) -> None:
    received = record(other, headers=(("ce_seen_by", PERSON.encode()), ("ce_tenant", b"fr")))
    letter = DeadLetter.of(received, reason="a test", detail=f"of {PLAIN!r} or 'e9'", blocked_by=None, ordered=True, now=START)
    letter = replace(letter, original=letter.content)
    await shell.given(letter, DeadLetter.of(record(hr(manager_id="e9")), reason="b", detail="", blocked_by=None, ordered=True, now=START))
    untouched = await shell.store.get("dead_letters", [letter_id(record(hr(manager_id="e9")))])
    assert (await looked(shell)).changed == {"dead_letters": 1}
    assert not (await looked(shell)).touched
    (after,) = [one for one in await letters(shell) if one.id == letter.id]
    assert after.original is not None
    for content in (after.content, after.original):
        assert dict(content.raw_headers)["ce_seen_by"] == NOBODY.encode()
        assert NOBODY.encode() in (content.raw_value or b"")
        assert not any(
            one.encode() in (content.raw_value or b"")
            for one in (PLAIN, json.dumps(PLAIN)[1:-1], json.dumps(PLAIN, ensure_ascii=False)[1:-1])
        )
    assert (after.detail, after.history[-1].what) == (f"of {NOBODY!r} or 'e9'", "redacted")
    assert await shell.store.get("dead_letters", list(untouched)) == untouched


@pytest.mark.parametrize(
    ("key", "unread"),
    [
        ("", hr(manager_id=PLAIN)[:-1]),
        ("", b"\xff" + json.dumps(PERSON, ensure_ascii=False).encode()),
        ("", hr(employee_id=PLAIN, given_name="Zoe", email="zoe@example.org")[:-1]),
        ("fr:other", json.dumps({"employee_id": PLAIN, "given_name": "Zoe"}).encode()[:-2]),
        ("", (json.dumps({"tenant": "fr", "employee_id": PLAIN, "given_name": "Zoé"}, ensure_ascii=False)).encode("cp1252")),
        ("de:7", json.dumps({"tenant": "de", "manager_id": PERSON}).encode()[:-1]),
        ("fr:other", json.dumps({"employee_id": PLAIN}, ensure_ascii=False).encode("utf-16")[:-2]),
        ("", b"[" + hr(employee_id=PLAIN) + b"]"),
        ("", b'{"tenant": "fr", "employee_id": ' + json.dumps(PLAIN).encode() + b', "employee_id": "other"}'),
        ("", hr(manager_id=PLAIN)[:-1] + b', "manager_id": "e7"}'),
        ("", json.dumps({"employees": [json.loads(hr()), json.loads(hr(employee_id=PLAIN))]}).encode()),
        ("", structured(data=[json.loads(hr(employee_id=PLAIN))])),
        ("", structured(subject="fr:other", data_base64=base64.b64encode(hr(manager_id=PLAIN)).decode())),
    ],
    ids=[
        "a manager",
        "no text",
        "cut off",
        "cut off, by the key's tenant",
        "windows-1252",
        "of another subsidiary, in full",
        "UTF-16",
        "a list",
        "said twice, and the last is another",
        "a manager twice, and the last is another",
        "a list inside",
        "a CloudEvent of several",
        "packed",
    ],
)
async def test_what_nobody_can_read_and_has_their_id_in_it_is_removed_whole(shell: Shell, key: str, unread: bytes) -> None:
    await keep(shell, record(unread, key=key))
    assert await found(shell, PERSON) == 1
    assert (await looked(shell)).removed == {"dead_letters": 1}
    assert await letters(shell) == []


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("de:7", json.dumps({"tenant": "de", "employee_id": "7", "manager_id": PLAIN}).encode()[:-1]),
        ("de:7", json.dumps({"employee_id": "7", "manager_id": PLAIN}).encode()[:-1]),
        ("de:7", json.dumps({"tenant": "de", "employee_id": PLAIN}).encode()),
        ("fr:7", json.dumps({"tenant": "fr", "employee_id": "7", "grade": PLAIN + "0"}).encode()[:-1]),
    ],
    ids=["cut off", "cut off, by the key's tenant", "in JSON", "an id that begins alike"],
)
async def test_the_same_plain_id_in_another_subsidiary_is_another_person(shell: Shell, key: str, other: bytes) -> None:
    await keep(shell, record(other, key=key))
    assert not (await looked(shell)).touched
    assert [one.content.raw_value for one in await letters(shell)] == [other]


async def test_what_nobody_can_read_is_not_given_to_the_person_since_it_may_be_of_others(shell: Shell) -> None:
    async def read(work: Work) -> list[DeadLetter]:
        return await letters_of(work, PERSON)

    await keep(shell, record(hr(manager_id=PLAIN)[:-1]))
    assert await shell.unit.run(read) == []


@pytest.mark.parametrize(
    "of_theirs",
    [
        record(hr(employee_id=PLAIN)),
        record(hr(employee_id=PERSON)),
        record(hr(employee_id=f" {PLAIN} ")),
        record(json.dumps({"employee_id": PLAIN}).encode(), key="fr:wrong"),
        record(json.dumps({"person": PERSON}).encode()),
        record(b"{", key="fr:enrolment-1"),
        record(structured(data=json.loads(hr(employee_id=PLAIN)))),
        record(structured(data=hr(employee_id=PLAIN).decode())),
        record(structured(data_base64=base64.b64encode(hr(employee_id=PLAIN)).decode())),
    ],
    ids=[
        "by the record",
        "in full",
        "with blanks",
        "by the key's tenant",
        "by what it is about",
        "by an enrolment's key",
        "by the data of a CloudEvent",
        "by its data as text",
        "by its data as bytes",
    ],
)
async def test_a_letter_of_theirs_is_removed_whole(shell: Shell, of_theirs: Received) -> None:
    await keep(shell, of_theirs)
    assert (await looked(shell)).removed == {"dead_letters": 1}
    assert await letters(shell) == []


async def test_a_letter_is_of_the_same_people_whatever_tenant_an_edit_says_and_once_it_is_given_up(shell: Shell) -> None:
    async def of(person: str) -> list[str]:
        return [one.id for one in await shell.unit.run(letters_of, person)]

    came = DeadLetter.of(
        record(json.dumps({"employee_id": PLAIN}).encode(), key="fr:wrong"),
        reason="a test",
        detail=f"no {PLAIN!r}",
        blocked_by=None,
        ordered=True,
        now=START,
    )
    content = Content.of(came.content.raw_value, (("ce_tenant", b"de"),))
    edited = came.edit(content, ("ce_tenant",), "group:otto", "a slip", START).state
    await shell.given(edited)
    assert (await of(PERSON), await of(f"de:{PLAIN}")) == ([came.id], [])
    assert instead(edited.give_up(START).state, {PERSON: "fr:gone"}).detail == "no 'fr:gone'"


@given(VALUES)
def test_a_record_that_names_nobody_is_left_byte_by_byte(value: Any) -> None:
    received = record(json.dumps(value, indent=1).encode())
    letter = DeadLetter.of(received, reason="a test", detail="", blocked_by=None, ordered=True, now=START)
    after = instead(letter, NAMES)
    assert instead(after, NAMES) is after
    if not holds_any(value, frozenset(NAMES)):
        assert after is letter


async def looked(shell: Shell) -> Look:
    async def look(work: Work) -> Look:
        one = Look(work, PERSON, ("enrolment-1",), {PERSON: NOBODY, "enrolment-1": "made-up-1"}, last=False)
        await one.letters()
        return one

    return await shell.unit.run(look)


async def letters(shell: Shell) -> list[DeadLetter]:
    async def read(work: Work) -> list[DeadLetter]:
        return await work.page(LETTERS.where(), after=None, limit=10)

    return await shell.unit.run(read)


async def keep(shell: Shell, received: Received) -> None:
    await shell.given(DeadLetter.of(received, reason="a test", detail="", blocked_by=None, ordered=True, now=START))


async def found(shell: Shell, person: str) -> int:
    async def look(work: Work) -> int:
        return len([letter async for letter in letters_about(work, person)])

    return await shell.unit.run(look)


async def test_what_has_said_all_it_had_to_say_is_removed_when_somebody_counts_on(shell: Shell) -> None:
    await shell.unit.run(say_something)
    assert await shell.unit.run(remove)
    assert await shell.store.get("tallies", ["a"]) == {}


async def test_what_has_still_something_to_say_is_not_removed_whoever_counts_on(shell: Shell) -> None:
    shell.log.refuses = frozenset({"enrolment-programmes"})
    await shell.unit.run(say_something)
    with pytest.raises(ValueError, match="'a' has said something"):
        await shell.unit.run(remove)
    assert (await shell.tally("a")).seq == 1


async def remove(work: Work) -> bool:
    tally = await work.get(Tally, "a")
    all_said = work.all_said(tally)
    work.remove(tally, heard=True)
    return all_said


async def test_what_is_made_again_counts_its_versions_on_so_that_it_is_heard_by_who_knew_it(shell: Shell) -> None:
    async def make(work: Work) -> int:
        await work.peek(Tally, "a")
        work.counts_on(Tally, "a", 41)
        return work.version_of(work.save(Tally(id="a", seq=7).becomes(n=1)))

    assert await shell.unit.run(make) == 42
    assert (await shell.store.get("tallies", ["a"]))["a"]["v"] == 42
    assert await shell.unit.run(_again) == 43


async def _again(work: Work) -> int:
    tally = await work.get(Tally, "a")
    return work.version_of(work.save(tally.becomes(n=2)))


async def test_a_search_passes_over_what_the_same_work_has_saved(shell: Shell) -> None:
    await shell.given(Tally(id="a", team="fr:e1"), Tally(id="b", team="fr:e1"), Tally(id="c", team="fr:e2"))

    async def search(work: Work) -> list[str]:
        work.remove(await work.get(Tally, "a"))
        return [one.id async for one in work.holding(TALLIES.where(), ["fr:e1"])]

    assert await shell.unit.run(search) == ["b"]


async def say_something(work: Work) -> None:
    tally = await work.get_or_new(Tally, "a")
    work.save(tally.becomes(n=1).saying(ProgrammeChanged))
