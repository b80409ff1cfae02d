"""The store port's contract, on every adapter: memory, SQLite, and a MongoDB-wire server through motor and through PyMongo Async."""

import asyncio
import json
import sqlite3
import time
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from amont.common.documents import LARGEST_DOCUMENT, AnyOf, AtMost, Clear, CollectionSpec, Find, Index, Put, Remove, Store, store_from
from amont.common.documents.mongo import MongoStore
from amont.common.documents.sqlite import SqliteStore
from amont.common.errors import Unacceptable, Unavailable
from amont.common.sqlite import NewerFormat, connect
from amont.common.testing.memory import Database, MemoryStore
from amont.common.testing.waiting import until
from amont.native.servers import Store as StoreServer
from amont.native.stack import available, speed_up

THINGS = CollectionSpec(
    "things",
    (Index(("kind",)), Index(("kind", "due_at")), Index(("due_at",)), Index(("people",), many=True), Index(("people", "kind"), many=True)),
)
OTHERS = CollectionSpec("others")
STRANGE = [
    "acme:j.o'brien",
    'with "quotes"',
    "back\\slash",
    "a.b.c",
    "$where",
    "$",
    ".",
    "",
    " ",
    "%_*?",
    "{'$gt': ''}",
    "naïve",
    unicodedata.normalize("NFD", "naïve"),
    "\u202emirrored",
    "漢字",
    "🙂",
    "1",
    "01",
    "1.0",
    "null",
    "a/b\\c\n\td",
]

Opens = Callable[[], Store]


@pytest.fixture(params=["memory", "sqlite", "motor", "pymongo"])
async def opens(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> AsyncIterator[Opens]:
    """Makes stores of one adapter on one fresh database."""
    made: list[Store] = []
    held = Database()
    if request.param == "memory":
        yield lambda: MemoryStore(held)
        return
    if request.param == "sqlite":
        url, driver = f"sqlite://{tmp_path}?sync=normal", "motor"
    else:
        url, driver = request.getfixturevalue("servers").store_url, request.param
        await asyncio.to_thread(speed_up, url, database, ["things", "others"])

    def make() -> Store:
        made.append(store_from(url, database=database, driver=driver))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.fixture
async def store(opens: Opens) -> Store:
    return await opened(opens)


async def opened(opens: Opens) -> Store:
    store = opens()
    await store.open([THINGS, OTHERS])
    return store


def thing(id_: str, v: int = 1, **fields: Any) -> dict[str, Any]:
    return {"_id": id_, "v": v, **fields}


def new(id_: str, collection: str = "things", **fields: Any) -> Put:
    return Put(collection, thing(id_, **fields), None)


def change(id_: str, expected: int, collection: str = "things", **fields: Any) -> Put:
    return Put(collection, thing(id_, expected + 1, **fields), expected)


async def held(store: Store, id_: str, collection: str = "things") -> Mapping[str, Any] | None:
    return (await store.get(collection, [id_])).get(id_)


async def ids(store: Store, where: Mapping[str, Any], **more: Any) -> list[str]:
    return [document["_id"] for document in await store.find(Find(collection="things", where=where, **more))]


# --- one document -------------------------------------------------------------------------------------------------------------------


async def test_a_new_document_is_put_once(store: Store) -> None:
    assert await store.commit([new("a", n=1)]) == frozenset()
    assert await store.commit([new("a", n=2)]) == {("things", "a")}
    assert await held(store, "a") == thing("a", n=1)


async def test_a_document_is_replaced_as_a_whole_at_the_version_it_has(store: Store) -> None:
    await store.commit([new("a", old=1)])
    assert await store.commit([change("a", 1, fresh=2)]) == frozenset()
    assert await held(store, "a") == thing("a", 2, fresh=2)


@pytest.mark.parametrize("expected", [0, 2, 7])
async def test_a_write_that_expects_another_version_loses_and_changes_nothing(store: Store, expected: int) -> None:
    await store.commit([new("a", n=1)])
    assert await store.commit([change("a", expected, n=2)]) == {("things", "a")}
    assert await held(store, "a") == thing("a", n=1)


async def test_a_write_that_expects_a_version_of_nothing_loses_and_makes_nothing(store: Store) -> None:
    assert await store.commit([change("a", 1)]) == {("things", "a")}
    assert await held(store, "a") is None


async def test_a_clear_at_the_version_takes_the_fields_and_leaves_the_version(store: Store) -> None:
    await store.commit([new("a", _out=[{"id": "e"}], _out_at="2027", n=1)])
    assert await store.commit([Clear("things", "a", 1, ("_out", "_out_at", "not_there"))]) == frozenset()
    assert await held(store, "a") == thing("a", n=1)
    assert await store.commit([change("a", 1)]) == frozenset()


async def test_a_clear_that_does_not_match_does_nothing_and_is_not_reported(store: Store) -> None:
    await store.commit([new("a", n=1)])
    assert await store.commit([Clear("things", "a", 2, ("n",)), Clear("things", "absent", 1, ("n",))]) == frozenset()
    assert await held(store, "a") == thing("a", n=1)
    assert await held(store, "absent") is None


async def test_a_cleared_list_is_no_longer_found_by(store: Store) -> None:
    await store.commit([new("a", people=["ada"]), new("b", people=["ada"])])
    await store.commit([Clear("things", "a", 1, ("people",)), Clear("things", "b", 9, ("people",))])
    assert await ids(store, {"people": "ada"}) == ["b"]


async def test_a_document_is_removed_only_at_its_version(store: Store) -> None:
    await store.commit([new("a", people=["ada"])])
    assert await store.commit([Remove("things", "a", 2)]) == {("things", "a")}
    assert await held(store, "a") == thing("a", people=["ada"])
    assert await ids(store, {"people": "ada"}) == ["a"]
    assert await store.commit([Remove("things", "a", 1)]) == frozenset()
    assert await held(store, "a") is None
    assert await ids(store, {"people": "ada"}) == []
    assert await store.commit([new("a")]) == frozenset()


async def test_removing_what_is_not_there_is_what_was_wanted(store: Store) -> None:
    assert await store.commit([Remove("things", "a", 1)]) == frozenset()


# --- bulks --------------------------------------------------------------------------------------------------------------------------


async def test_nothing_to_do_is_nothing_lost(store: Store) -> None:
    assert await store.commit([]) == frozenset()
    assert await store.get("things", []) == {}


@pytest.mark.parametrize("losers", [{25}, {0, 17, 18, 49}, set(range(50))])
async def test_a_bulk_does_everything_but_the_losers_and_reports_exactly_those(store: Store, losers: set[int]) -> None:
    await store.commit([new(f"{n}", n=0) for n in range(50)])
    await store.commit([change(f"{n}", 1, n=-1) for n in sorted(losers)])
    assert await store.commit([change(f"{n}", 1, n=1) for n in range(50)]) == {("things", f"{n}") for n in losers}
    left = await store.get("things", [f"{n}" for n in range(50)])
    assert {id_: document["n"] for id_, document in left.items()} == {f"{n}": -1 if n in losers else 1 for n in range(50)}


async def test_an_insert_that_exists_loses_alone(store: Store) -> None:
    await store.commit([new("1", n=0)])
    assert await store.commit([new(f"{n}", n=1) for n in range(4)]) == {("things", "1")}
    assert {id_: one["n"] for id_, one in (await store.get("things", list("0123"))).items()} == {"0": 1, "1": 0, "2": 1, "3": 1}


async def test_a_document_that_is_no_json_is_a_value_error_and_harms_nothing_that_comes_later(store: Store) -> None:
    with pytest.raises(ValueError, match=r"JSON|serialize"):
        await store.commit([new("a"), new("b", x=object()), new("c")])
    if isinstance(store, SqliteStore | MemoryStore):
        assert await store.get("things", ["a", "b", "c"]) == {}
    assert await store.commit([new("d")]) == frozenset()
    assert await held(store, "d") == thing("d")


async def test_a_document_that_is_too_large_is_refused_by_name_and_what_was_there_stays(store: Store) -> None:
    await store.commit([Put("things", {"_id": "a", "v": 1, "n": 1}, None)])
    huge = {"_id": "a", "v": 2, "text": "x" * (LARGEST_DOCUMENT + 1)}
    with pytest.raises(Unacceptable, match=r"things 'a' would have 16,7\d\d,\d\d\d bytes"):
        await store.commit([Put("things", huge, 1)])
    with pytest.raises(Unacceptable):
        await store.commit([Put("things", {"_id": "b", "v": 1}, None), Put("things", huge, 1)])
    assert (await store.get("things", ["a"]))["a"] == {"_id": "a", "v": 1, "n": 1}
    assert not await store.commit([Put("things", {"_id": "a", "v": 2, "n": 2}, 1)])


@pytest.mark.parametrize("moved", [False, True])
async def test_writes_of_every_kind_across_two_collections_win_and_lose_each_for_itself(store: Store, *, moved: bool) -> None:
    both = ("things", "others")
    await store.commit([new(id_, name, x=1) for name in both for id_ in ("changed", "cleared", "removed")])
    if moved:
        await store.commit([change(id_, 1, "things", x=9) for id_ in ("changed", "cleared", "removed")])
        await store.commit([new("made", "things", x=9)])
    lost = await store.commit(
        [
            write
            for name in both
            for write in (
                new("made", name, x=2),
                change("changed", 1, name, x=2),
                Clear(name, "cleared", 1, ("x",)),
                Remove(name, "removed", 1),
            )
        ]
    )
    assert lost == ({("things", "made"), ("things", "changed"), ("things", "removed")} if moved else frozenset())
    after = {"made": thing("made", x=2), "changed": thing("changed", 2, x=2), "cleared": thing("cleared")}
    stayed = {"made": thing("made", x=9), **{id_: thing(id_, 2, x=9) for id_ in ("changed", "cleared", "removed")}}
    assert await store.get("others", [*stayed]) == after
    assert await store.get("things", [*stayed]) == (stayed if moved else after)


async def test_clears_that_do_not_match_make_no_loser_of_anybody(store: Store) -> None:
    await store.commit([new(f"{n}") for n in range(4)])
    writes = [change("0", 1), Clear("things", "1", 7, ("x",)), Remove("things", "2", 1), new("4"), Clear("things", "absent", 1, ("x",))]
    assert await store.commit(writes) == frozenset()


# --- races --------------------------------------------------------------------------------------------------------------------------


async def increment(store: Store, id_: str, *beside: Clear) -> None:
    while True:
        document = await held(store, id_)
        assert document is not None
        if not await store.commit([change(id_, document["v"], n=document["n"] + 1), *beside]):
            return


async def test_fifty_tasks_on_two_stores_count_exactly(store: Store, opens: Opens) -> None:
    other = await opened(opens)
    await store.commit([new("counter", n=0)])
    await asyncio.gather(*(increment(one, "counter") for one in [store, other] * 25))
    assert await held(store, "counter") == thing("counter", 51, n=50)


async def test_a_clear_that_fails_beside_it_never_makes_a_write_that_won_a_loser(store: Store) -> None:
    """A command that is told that it lost is done again: twice, if it had won."""
    await store.commit([new("counter", n=0), new("other", x=1)])
    await asyncio.gather(*(increment(store, "counter", Clear("things", "other", 9, ("x",))) for _ in range(30)))
    assert await held(store, "counter") == thing("counter", 31, n=30)


async def test_one_of_many_makes_a_document(store: Store, opens: Opens) -> None:
    other = await opened(opens)
    outcomes = await asyncio.gather(*(one.commit([new("a", by=n)]) for n, one in enumerate([store, other] * 10)))
    winners = [n for n, lost in enumerate(outcomes) if not lost]
    assert len(winners) == 1
    assert await held(store, "a") == thing("a", by=winners[0])


async def test_bulks_that_race_lose_no_update_that_was_acknowledged(store: Store, opens: Opens) -> None:
    other = await opened(opens)
    names = [f"{n}" for n in range(10)]
    await store.commit([new(id_, n=0) for id_ in names])
    acknowledged = dict.fromkeys(names, 0)

    async def raise_all(one: Store) -> None:
        for _ in range(5):
            documents = await one.get("things", names)
            lost = await one.commit([change(id_, document["v"], n=document["n"] + 1) for id_, document in documents.items()])
            for id_ in set(names) - {id_ for _, id_ in lost}:
                acknowledged[id_] += 1

    await asyncio.gather(*(raise_all(one) for one in [store, other] * 4))
    documents = await store.get("things", names)
    assert all(document["n"] == document["v"] - 1 for document in documents.values())
    assert all(documents[id_]["n"] >= acknowledged[id_] > 0 for id_ in names)
    if isinstance(
        store, SqliteStore
    ):  # elsewhere the documents are looked at after the bulk, and a winner may have been overwritten by then
        assert all(documents[id_]["n"] == acknowledged[id_] for id_ in names)


# --- reading ------------------------------------------------------------------------------------------------------------------------


async def test_many_are_got_at_once_and_absent_ones_are_left_out(store: Store) -> None:
    await store.commit([new("a", n=1), new("b", n=2)])
    assert await store.get("things", ["b", "x", "a", "b"]) == {"a": thing("a", n=1), "b": thing("b", n=2)}
    assert await store.get("things", ["x"]) == {}
    assert await store.get("things", ["x", "y"]) == {}


async def test_strange_ids_and_values_are_nothing_but_text(store: Store) -> None:
    await store.commit([new(id_, kind=id_, people=[id_]) for id_ in STRANGE])
    assert await store.get("things", STRANGE) == {id_: thing(id_, kind=id_, people=[id_]) for id_ in STRANGE}
    for id_ in STRANGE:
        assert (await held(store, id_) or {}).get("_id") == id_
        assert await ids(store, {"_id": id_}) == await ids(store, {"kind": id_}) == await ids(store, {"people": id_}) == [id_]
    assert await store.count_by("things", "kind", {}) == dict.fromkeys(STRANGE, 1)
    assert await store.commit([change(id_, 1) for id_ in STRANGE]) == frozenset()
    assert await store.commit([Remove("things", id_, 2) for id_ in STRANGE]) == frozenset()
    assert await store.get("things", STRANGE) == {}


async def test_nested_keys_may_be_anything(store: Store) -> None:
    nested = {id_: n for n, id_ in enumerate(STRANGE) if id_}
    document = thing("a", topics={"a.b": 1, "$x": 2}, _seen={"enrolment-employees/acme:j.doe": 3}, deep=[{"x": nested}])
    assert await store.commit([Put("things", document, None)]) == frozenset()
    assert await held(store, "a") == document
    again = {**document, "v": 2, "topics": {"$set": {"v": 9}, "": 0}}
    assert await store.commit([Put("things", again, 1)]) == frozenset()
    assert await held(store, "a") == again
    assert await store.find(Find(collection="things")) == [again]


def types_of(value: Any) -> Any:
    """The value's shape in Python's own types, so that a driver's subclass shows."""
    match value:
        case dict():
            return dict, {key: types_of(one) for key, one in value.items()}
        case list():
            return list, [types_of(one) for one in value]
        case _:
            return type(value)


async def test_a_document_comes_back_as_it_was_put(store: Store) -> None:
    document = {
        "_id": "a",
        "v": 1,
        "ints": [0, 1, -1, 2**31 - 1, 2**31, -(2**31), 2**53, -(2**53), 1_700_000_000_000],
        "floats": [0.0, 1.0, -1.5, 0.1 + 0.2, 1e300, 5e-324],
        "booleans": [True, False],
        "nothing": None,
        "empty": {"list": [], "mapping": {}, "text": ""},
        "nested": {"a": {"b": [{"c": [None, [], {}, [1, [2.5]]]}]}},
        "texts": ["2027-01-04T08:00:00.000000Z", "65f0c0ffee65f0c0ffee65f0", *STRANGE],
        "long": "x" * 100_000,
    }
    await store.commit([Put("things", document, None)])
    [found] = await store.find(Find(collection="things"))
    for back in (await held(store, "a"), found):
        assert back == document
        assert types_of(back) == types_of(document)
    assert {type(n) for n in (await store.count_by("things", "v", {})).values()} == {int}


# --- finding ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def shelf(store: Store) -> Store:
    await store.commit(
        [
            new("a", kind="x", due_at="2027-01-01", people=["ada", "bob"]),
            new("b", kind="x", due_at="2027-01-02", people=["bob"]),
            new("c", kind="y", due_at="2027-01-03", people=[]),
            new("d", kind="y", due_at=None, people=["ada"]),
            new("e", due_at="2027-01-02", people=["cyd", "ada"]),
            new("f", kind="z"),
        ]
    )
    await store.commit([new("a", "others", kind="x")])
    return store


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({}, "abcdef"),
        ({"kind": "x"}, "ab"),
        ({"kind": "nobody"}, ""),
        ({"kind": None}, "e"),
        ({"_id": "c"}, "c"),
        ({"_id": AnyOf(("c", "a", "q"))}, "ac"),
        ({"v": 1}, "abcdef"),
        ({"v": "1"}, ""),
        ({"kind": AnyOf(())}, ""),
        ({"kind": AnyOf(("y", "x", "y", "q"))}, "abcd"),
        ({"kind": AnyOf(("z", None))}, "ef"),
        ({"due_at": AtMost("2027-01-02")}, "abe"),
        ({"due_at": AtMost("2026")}, ""),
        ({"due_at": None}, "df"),
        ({"people": "ada"}, "ade"),
        ({"people": AnyOf(("bob", "cyd"))}, "abe"),
        ({"people": AnyOf(())}, ""),
        ({"people": None}, "f"),
        ({"people": "ada", "kind": "x"}, "a"),
        ({"kind": "x", "due_at": AtMost("2027-01-01")}, "a"),
        ({"people": AnyOf(("ada",)), "due_at": AtMost("2027-01-02"), "kind": None}, "e"),
    ],
)
async def test_find_gives_what_meets_every_condition_in_order_of_id(shelf: Store, where: dict[str, Any], found: str) -> None:
    assert await ids(shelf, where) == list(found)


async def test_find_sorts_by_a_field_then_by_id_and_those_without_it_come_first(shelf: Store) -> None:
    assert await ids(shelf, {}, sort="due_at") == ["d", "f", "a", "b", "e", "c"]
    assert await ids(shelf, {"due_at": AtMost("2027-01-02")}, sort="due_at") == ["a", "b", "e"]


async def test_find_gives_no_more_than_was_asked_for(shelf: Store) -> None:
    assert await ids(shelf, {}, limit=2) == ["a", "b"]
    assert await ids(shelf, {}, sort="due_at", after=("2027-01-02", "b"), limit=1) == ["e"]
    assert await ids(shelf, {}, after=("d",), limit=5) == ["e", "f"]


async def test_a_list_is_found_by_what_it_holds_now(shelf: Store) -> None:
    await shelf.commit([change("a", 1, people=["cyd", "cyd"]), change("b", 7, people=["cyd"])])
    assert await ids(shelf, {"people": "ada"}) == ["d", "e"]
    assert await ids(shelf, {"people": "cyd"}) == ["a", "e"]


async def test_documents_are_counted_by_the_values_of_a_field(shelf: Store) -> None:
    assert await shelf.count_by("things", "kind", {}) == {"x": 2, "y": 2, "z": 1, None: 1}
    assert await shelf.count_by("things", "kind", {"people": "ada"}) == {"x": 1, "y": 1, None: 1}
    assert await shelf.count_by("things", "kind", {"due_at": AtMost("2020")}) == {}


async def walk(store: Store, where: Mapping[str, Any], sort: str | None, limit: int, meanwhile: Any = None) -> list[str]:
    walked: list[str] = []
    after = None
    while page := await store.find(Find(collection="things", where=where, sort=sort, after=after, limit=limit)):
        walked += [document["_id"] for document in page]
        last = page[-1]
        after = (last.get(sort), last["_id"]) if sort else (last["_id"],)
        if meanwhile:
            await meanwhile(last)
    return walked


@pytest.mark.parametrize("sort", [None, "kind", "due_at", "n"])
@pytest.mark.parametrize("where", [{}, {"people": "ada"}])
async def test_paging_walks_everything_exactly_once(store: Store, sort: str | None, where: dict[str, Any]) -> None:
    """With ties on purpose, and with documents that lack the field that is sorted by."""
    made = [new(f"{n:02}", kind="xyz"[n % 3], n=n % 4, people=["ada"], **({"due_at": f"{n % 2}"} if n % 5 else {})) for n in range(30)]
    await store.commit(made)
    assert await walk(store, where, sort, 4) == await ids(store, where, sort=sort)
    assert sorted(await walk(store, where, sort, 7)) == [write.id for write in made]


@pytest.mark.parametrize("sort", [None, "n"])
async def test_paging_meets_nothing_twice_while_documents_are_inserted_behind_and_ahead(store: Store, sort: str | None) -> None:
    await store.commit([new(f"{n:02}", n=n // 10) for n in range(30)])
    ahead: list[str] = []

    async def insert(last: Mapping[str, Any]) -> None:
        number = int(last["_id"][:2])
        ahead.append(f"{number:02}z")
        await store.commit([new(f"{number - 1:02}y", n=last["n"]), new(ahead[-1], n=last["n"])])

    walked = await walk(store, {}, sort, 4, insert)
    assert [id_ for id_ in walked if len(id_) == 2] == [f"{n:02}" for n in range(30)]
    assert len(set(walked)) == len(walked)
    assert set(ahead) <= set(walked)


# --- opening and closing ------------------------------------------------------------------------------------------------------------


async def test_everything_is_there_after_opening_again(store: Store, opens: Opens) -> None:
    await store.commit([new("a", people=["ada"])])
    await store.open([THINGS, OTHERS])
    await store.close()
    again = await opened(opens)
    await again.ping()
    assert await held(again, "a") == thing("a", people=["ada"])
    assert await ids(again, {"people": "ada"}) == ["a"]


async def test_a_store_that_was_closed_answers_no_more(opens: Opens) -> None:
    """What was cut off by a stop must not go on behind it."""
    store = await opened(opens)
    await store.close()
    for call in (store.ping, lambda: store.get("things", ["a"]), lambda: store.commit([new("a")])):
        with pytest.raises(Unavailable):
            await call()
    assert await held(await opened(opens), "a") is None


async def test_an_index_that_is_new_knows_the_documents_that_are_old(opens: Opens) -> None:
    before = opens()
    await before.open([CollectionSpec("things")])
    await before.commit([new("a", people=["ada", "bob", "ada"], kind="x"), new("b", people=[]), new("c", people=None), new("d")])
    await before.close()
    after = await opened(opens)
    assert await ids(after, {"people": "ada"}) == ["a"]
    assert await ids(after, {"kind": "x"}) == ["a"]
    assert await after.commit([change("a", 1, people=["cyd"])]) == frozenset()
    assert await ids(after, {"people": "ada"}) == []


async def test_two_stores_see_each_other(store: Store, opens: Opens) -> None:
    other = await opened(opens)
    await store.commit([new("a")])
    assert await other.commit([change("a", 1, n=2)]) == frozenset()
    assert await store.commit([change("a", 1, n=3)]) == {("things", "a")}
    assert await held(store, "a") == thing("a", 2, n=2)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "things",
        "sqlite://",
        "mysql://host/db",
        "mongodb://",
        "mongodb://host:port",
        "sqlite:///folder?sync=no",
        "sqlite:///folder?snyc=full",
    ],
)
def test_a_url_that_names_no_store_is_refused_with_what_is_accepted(url: str) -> None:
    with pytest.raises(ValueError, match=r"AMONT_STORE_URL .*(mongodb://host:port or sqlite:///folder)|sync=full or sync=normal"):
        store_from(url, database="d")


def test_a_url_that_is_refused_keeps_its_password() -> None:
    with pytest.raises(ValueError, match="AMONT_STORE_URL") as raised:
        store_from("mongo://amont:s3cret@host", database="d")
    assert "s3cret" not in str(raised.value)


def test_an_unknown_driver_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="AMONT_STORE_DRIVER is 'odbc'; write motor or pymongo"):
        store_from("mongodb://localhost", database="d", driver="odbc")


# --- outages ------------------------------------------------------------------------------------------------------------------------


async def every_call_is_unavailable(store: Store, within: float) -> None:
    calls = (
        store.ping(),
        store.get("things", ["a"]),
        store.get("things", ["a", "b"]),
        store.find(Find(collection="things")),
        store.count_by("things", "kind", {}),
        store.commit([change("a", 1)]),
        store.open([THINGS]),
    )
    async with asyncio.timeout(within):
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * len(calls)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server that a test may pause and stop."""
    if reason := available():
        pytest.skip(reason)
    server = StoreServer(tmp_path_factory.mktemp("store"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def impatient(own_server: StoreServer, database: str) -> AsyncIterator[list[MongoStore]]:
    """A store of each driver on that server, which do not wait long."""
    stores = [MongoStore(own_server.url, database=database, driver=driver, answer_within=0.1) for driver in ("motor", "pymongo")]
    for store in stores:
        await until(lambda store=store: works(lambda: store.open([THINGS])))  # type: ignore[misc]
    yield stores
    for store in stores:
        await store.close()


async def all_work(stores: Sequence[Store], id_: str) -> None:
    for store in stores:
        await until(lambda store=store: works(lambda: store.commit([new(id_)])))  # type: ignore[misc]
        await until(lambda store=store: works(lambda: store.get("things", [id_])))  # type: ignore[misc]
        assert await held(store, id_) == thing(id_)


async def test_a_server_that_is_silent_is_unavailable_until_it_answers_again(own_server: StoreServer, impatient: list[MongoStore]) -> None:
    await all_work(impatient, "before")
    own_server.pause()
    try:
        await asyncio.gather(*(every_call_is_unavailable(store, within=10) for store in impatient))
    finally:
        own_server.resume()
    await all_work(impatient, "after")


async def test_a_server_that_is_gone_is_unavailable_until_it_is_back(own_server: StoreServer, impatient: list[MongoStore]) -> None:
    await asyncio.to_thread(own_server.stop)
    try:
        await asyncio.gather(*(every_call_is_unavailable(store, within=10) for store in impatient))
    finally:
        await asyncio.to_thread(own_server.start)
    await all_work(impatient, "after")


async def works(call: Callable[[], Awaitable[Any]]) -> bool:
    try:
        await call()
    except Unavailable:
        return False
    return True


# --- SQLite alone -------------------------------------------------------------------------------------------------------------------


async def test_a_locked_file_is_unavailable_until_it_is_free(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.sqlite", sync="normal", patience=0.1)
    await store.open([THINGS])
    locker = sqlite3.connect(tmp_path / "s.sqlite", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        await store.commit([new("a")])
    assert await store.get("things", ["a"]) == {}
    locker.execute("ROLLBACK")
    locker.close()
    assert await store.commit([new("a")]) == frozenset()
    await store.close()


async def test_a_file_of_a_newer_format_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite"
    store = SqliteStore(file)
    await store.open([THINGS])
    await store.close()
    with sqlite3.connect(file) as newer:
        newer.execute("PRAGMA user_version=99")
    newer.close()
    with pytest.raises(NewerFormat, match=r"s\.sqlite has format 99, this Amont knows up to 2\. Start it with the newer Amont"):
        await store.open([THINGS])
    with sqlite3.connect(file) as newer:
        assert newer.execute("PRAGMA user_version").fetchone() == (99,)
    newer.close()


async def test_a_file_of_before_is_taken_over_with_what_was_to_be_said(tmp_path: Path) -> None:
    """Until format 1 there was no column for what the shell keeps."""
    file = tmp_path / "s.sqlite"
    waits = thing("waits", 3, n=1, people=["a"], _seen={"log/x": 4}, _out=[{"id": "e"}], _out_at="2027")
    said = thing("said", 2, n=2)
    with sqlite3.connect(file) as before:
        before.execute("PRAGMA user_version=1")
        before.execute("CREATE TABLE d_things (id TEXT PRIMARY KEY, v INTEGER NOT NULL, body TEXT NOT NULL)")
        before.execute("CREATE INDEX d_things_by__out_at ON d_things (json_extract(body, '$._out_at'), id)")
        before.executemany("INSERT INTO d_things VALUES (?, ?, ?)", [(one["_id"], one["v"], json.dumps(one)) for one in (waits, said)])
    before.close()
    older = sqlite3.connect(file, isolation_level=None)
    store = SqliteStore(file)
    await store.open([CollectionSpec("things", (*THINGS.indexes, Index(("_out_at",), sparse=True)))])
    with pytest.raises(sqlite3.OperationalError, match="no such column: body"):  # an older process that has it open writes no more
        older.execute("UPDATE d_things SET v = ?, body = ? WHERE id = ? AND v = ?", (4, "{}", "waits", 3))
    older.close()
    assert await store.get("things", ["waits", "said"]) == {"waits": waits, "said": said}
    assert await store.find(Find(collection="things", where={"_out_at": AtMost("2028")}, sort="_out_at")) == [waits]
    assert await ids(store, {"people": "a"}) == ["waits"]
    assert await store.commit([Clear("things", "waits", 3, ("_out", "_out_at"))]) == frozenset()
    assert await held(store, "waits") == thing("waits", 3, n=1, people=["a"], _seen={"log/x": 4})
    await store.close()
    with sqlite3.connect(file) as after:
        assert after.execute("PRAGMA user_version").fetchone() == (2,)
        plan = "EXPLAIN QUERY PLAN SELECT id FROM d_things WHERE json_extract(shell, '$._out_at') <= '2028' ORDER BY json_extract(shell, '$._out_at'), id"
        assert "d_things_by__out_at" in after.execute(plan).fetchone()[3]
    after.close()


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite").write_text("a letter, and a long one at that: " * 100)
    store = SqliteStore(tmp_path / "s.sqlite")
    with pytest.raises(Unavailable, match="not a database"):
        await store.open([THINGS])
    await store.close()


async def test_two_processes_count_exactly(tmp_path: Path, child: Any) -> None:
    file = tmp_path / "s.sqlite"
    store = SqliteStore(file, sync="normal")
    await store.open([THINGS])
    await store.commit([new("counter", n=0)])
    others = [await child("increment", file, "150") for _ in range(2)]
    assert [await other.process.wait() for other in others] == [0, 0]
    assert await held(store, "counter") == thing("counter", 301, n=300)
    await store.close()


async def test_a_file_that_another_process_is_just_making_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself answers `locked` at once when asked for WAL while another connection writes in the old mode."""
    other = sqlite3.connect(tmp_path / "s.sqlite", isolation_level=None)
    other.execute("CREATE TABLE begun (x)")
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        connect(tmp_path / "s.sqlite", sync="full", patience=0.3)
    assert time.monotonic() - began >= 0.3
    connecting = asyncio.create_task(asyncio.to_thread(connect, tmp_path / "s.sqlite", sync="full"))
    other.execute("ROLLBACK")
    (await connecting).close()
    other.close()


@pytest.mark.parametrize("sync", ["full", "normal"])
async def test_every_write_that_was_acknowledged_survives_kill_9_and_none_is_half_there(tmp_path: Path, child: Any, sync: str) -> None:
    file = tmp_path / "s.sqlite"
    writer = await child("put", file, sync)
    acknowledged = [int(await writer.line()) for _ in range(50)]
    acknowledged += map(int, await writer.kill())
    store = SqliteStore(file)
    await store.open([THINGS])
    there = [document["_id"] for document in await store.find(Find(collection="things", limit=1_000_000))]
    numbers = [int(id_.partition("-")[0]) for id_ in there]
    assert set(acknowledged) <= set(numbers)
    assert len(numbers) == 2 * len(set(numbers))
    assert await ids(store, {"people": f"p{acknowledged[-1]}"}) == [f"{acknowledged[-1]}-left", f"{acknowledged[-1]}-right"]
    await store.close()
