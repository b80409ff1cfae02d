"""The compatibility gate: every breaking change is seen, with event and field; what it lets pass can be read both ways; golden messages stay readable.

The oracle is the `jsonschema` library, which knows nothing of the gate: messages are made from one schema and validated against the other.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from amont.common.cli import root
from amont.common.errors import Conflict
from amont.common.events import corpus, schemas
from amont.common.events.compatibility import Breach, Breaks, breaches
from amont.common.events.envelope import Event
from amont.common.events.topics import TYPES
from amont.common.log import Received
from amont.common.service.reading import read

Schema = dict[str, Any]
PAIR, STAFF, PROGRAMME, SESSION, ENROLMENT = "PairAccepted", "StaffRecorded", "ProgrammeChanged", "SessionScheduled", "EmployeeEnrolled"


def schema_of(name: str) -> Schema:
    (kind,) = [one for one in TYPES.values() if one.__name__ == name]
    return schemas.schema_of(kind)


def at(schema: Schema, path: str) -> Schema:
    """The part of a schema that a path of keywords leads to."""
    for part in path.split():
        schema = schema[int(part) if isinstance(schema, list) else part]
    return schema


def drop(path: str, key: str) -> Callable[[Schema], object]:
    return lambda schema: at(schema, path).pop(key)


def put(path: str, key: str, value: Any) -> Callable[[Schema], object]:
    return lambda schema: at(schema, path).__setitem__(key, value)


def unlist(path: str, value: str) -> Callable[[Schema], object]:
    return lambda schema: at(schema, path).remove(value)


def enlist(path: str, value: str) -> Callable[[Schema], object]:
    return lambda schema: at(schema, path).append(value)


def gone(field: str) -> Callable[[Schema], object]:
    def mutate(schema: Schema) -> None:
        del schema["properties"][field]
        if field in schema["required"]:
            schema["required"].remove(field)

    return mutate


def renamed(before: str, after: str) -> Callable[[Schema], object]:
    def mutate(schema: Schema) -> None:
        schema["properties"][after] = schema["properties"].pop(before)
        schema["required"] = [after if name == before else name for name in schema["required"]]

    return mutate


def both(*changes: Callable[[Schema], object]) -> Callable[[Schema], object]:
    def mutate(schema: Schema) -> None:
        for change in changes:
            change(schema)

    return mutate


MUTANTS = {
    "a required field is removed": (PAIR, gone("score"), "/score", Breaks.OLD_READERS),
    "an optional field is removed": (STAFF, gone("job_title"), "/job_title", Breaks.MEANING),
    "a field is renamed": (PAIR, renamed("score", "points"), "/score", Breaks.OLD_READERS),
    "a required field is added": (
        PAIR,
        both(put("properties", "why", {"type": "string"}), enlist("required", "why")),
        "/why",
        Breaks.OLD_MESSAGES,
    ),
    "an optional field becomes required": (STAFF, enlist("required", "email"), "/email", Breaks.OLD_MESSAGES),
    "a required field becomes optional": (STAFF, unlist("required", "grade"), "/grade", Breaks.OLD_READERS),
    "another type": (PAIR, put("properties score", "type", "string"), "/score", Breaks.BOTH),
    "a wider type": (PAIR, put("properties score", "type", "number"), "/score", Breaks.BOTH),
    "an enum value is removed": (PAIR, unlist("$defs PairStatus enum", "ended"), "/status", Breaks.OLD_MESSAGES),
    "an enum value is added": (PAIR, enlist("$defs PairStatus enum", "paused"), "/status", Breaks.OLD_READERS),
    "an enum in a list gets a value": (PAIR, enlist("$defs Role enum", "buddy"), "/accepted_by/*", Breaks.OLD_READERS),
    "an enum becomes any text": (PAIR, drop("$defs Role", "enum"), "/by", Breaks.OLD_READERS),
    "any text becomes an enum": (PAIR, put("properties round", "enum", ["r1"]), "/round", Breaks.OLD_MESSAGES),
    "null is allowed": (
        PAIR,
        put("properties", "score", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        "/score",
        Breaks.OLD_READERS,
    ),
    "null is allowed no more": (
        PAIR,
        put("properties", "expires_at", {"type": "string", "format": "date-time"}),
        "/expires_at",
        Breaks.OLD_MESSAGES,
    ),
    "another pattern": (PAIR, put("properties mentee", "pattern", "^x"), "/mentee", Breaks.BOTH),
    "no pattern": (PAIR, drop("properties mentee", "pattern"), "/mentee", Breaks.BOTH),
    "another format": (STAFF, put("properties occurred_at", "format", "date"), "/occurred_at", Breaks.BOTH),
    "a shorter text": (STAFF, put("properties grade", "maxLength", 20), "/grade", Breaks.OLD_MESSAGES),
    "a longer text": (STAFF, put("properties grade", "maxLength", 900), "/grade", Breaks.OLD_READERS),
    "a text that must have something": (STAFF, put("properties grade", "minLength", 1), "/grade", Breaks.OLD_MESSAGES),
    "a higher floor": (STAFF, put("properties seq", "minimum", 1), "/seq", Breaks.OLD_MESSAGES),
    "a lower floor": (STAFF, put("properties seq", "minimum", -1), "/seq", Breaks.OLD_READERS),
    "no ceiling": (STAFF, drop("properties seq", "exclusiveMaximum"), "/seq", Breaks.OLD_READERS),
    "a lower ceiling in a nested object": (
        PROGRAMME,
        put("$defs Policy properties sessions", "maximum", 12),
        "/policy/sessions",
        Breaks.OLD_MESSAGES,
    ),
    "fewer elements": (STAFF, put("properties dotted_manager_ids", "maxItems", 5), "/dotted_manager_ids", Breaks.OLD_MESSAGES),
    "no limit to elements": (STAFF, drop("properties languages", "maxItems"), "/languages", Breaks.OLD_READERS),
    "other elements": (PAIR, put("properties topics items", "type", "integer"), "/topics/*", Breaks.BOTH),
    "elements of any kind": (PAIR, drop("properties topics", "items"), "/topics", Breaks.BOTH),
    "other values by key": (ENROLMENT, put("properties topics additionalProperties", "maximum", 5), "/topics/*", Breaks.OLD_READERS),
    "a field of a nested object is removed": (
        SESSION,
        both(drop("$defs Slot properties", "ends_at"), unlist("$defs Slot required", "ends_at")),
        "/options/*/ends_at",
        Breaks.OLD_READERS,
    ),
    "another default": (STAFF, put("properties status", "default", "on_leave"), "/status", Breaks.MEANING),
    "no default": (STAFF, drop("properties job_title", "default"), "/job_title", Breaks.MEANING),
    "a keyword that nobody knows": (STAFF, put("properties grade", "not", {"const": ""}), "/grade", Breaks.BOTH),
}


@pytest.mark.parametrize("what", MUTANTS)
def test_a_change_that_breaks_is_seen_with_its_event_and_field(what: str) -> None:
    event, change, field, breaks = MUTANTS[what]
    old = schema_of(event)
    new = copy.deepcopy(old)
    change(new)
    found = breaches(event, old, new)
    assert (event, field, breaks) in {(one.event, one.field, one.breaks) for one in found}, found
    assert all(event in str(one) and one.field in str(one) for one in found)
    mirrored = {Breaks.OLD_MESSAGES: Breaks.OLD_READERS, Breaks.OLD_READERS: Breaks.OLD_MESSAGES}
    if breaks in mirrored and field in {one.field for one in breaches(event, new, old)}:
        back = {one.breaks for one in breaches(event, new, old) if one.field == field}
        assert back & {mirrored[breaks], Breaks.BOTH, Breaks.MEANING}


@pytest.mark.parametrize(
    "change",
    [
        put("properties", "nickname", {"type": "string", "default": ""}),
        put("properties", "note", {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}),
        put("properties grade", "description", "another sentence"),
        put("properties grade", "title", "Code"),
        lambda schema: schema["required"].reverse(),
        lambda schema: at(schema, "properties email anyOf").reverse(),
    ],
    ids=["a field with a default", "a field that may be null", "a description", "a title", "the order of required", "the order of forms"],
)
def test_what_breaks_nobody_passes(change: Callable[[Schema], object]) -> None:
    old = schema_of(STAFF)
    new = copy.deepcopy(old)
    change(new)
    assert breaches(STAFF, old, new) == []


# The law, with an oracle that knows nothing of the gate.


def tolerant(schema: Any) -> Any:
    """As readers read: fields that they do not know are ignored."""
    if isinstance(schema, dict):
        return {
            key: tolerant(value)
            for key, value in schema.items()
            if not (key == "additionalProperties" and value is False) and key != "default"
        }
    return [tolerant(one) for one in schema] if isinstance(schema, list) else schema


def values_of(schema: Schema, shapes: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    """Values that a schema allows."""
    if "$ref" in schema:
        return values_of({**shapes[schema["$ref"].rpartition("/")[2]], **{k: v for k, v in schema.items() if k != "$ref"}}, shapes)
    if "anyOf" in schema:
        return st.one_of([values_of(one, shapes) for one in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    makers = {"object": objects_of, "array": lists_of, "integer": integers_of, "string": texts_of}
    if schema.get("type") in makers:
        return makers[schema["type"]](schema, shapes)
    return {"null": st.none(), "boolean": st.booleans(), "number": st.floats(0, 9)}.get(str(schema.get("type")), st.text(max_size=3))


def objects_of(schema: Schema, shapes: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        return st.dictionaries(st.text(min_size=1, max_size=5), values_of(schema.get("additionalProperties", {}), shapes), max_size=3)
    required = set(schema.get("required", ()))
    fields = {name: values_of(one, shapes) for name, one in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: one for name, one in fields.items() if name in required},
        optional={name: one for name, one in fields.items() if name not in required},
    )


def lists_of(schema: Schema, shapes: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    return st.lists(values_of(schema.get("items", {}), shapes), max_size=min(4, schema.get("maxItems", 4)))


def integers_of(schema: Schema, _: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    return st.integers(schema.get("minimum", -100), schema.get("maximum", schema.get("exclusiveMaximum", 10**6) - 1))


def texts_of(schema: Schema, _: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].removesuffix("$") + r"\Z")
    if schema.get("format") == "date":
        return st.dates().map(lambda day: day.isoformat())
    if schema.get("format") == "date-time":
        return st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    return st.text(min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 30), 1000))


def accepted(schema: Schema, value: Any) -> bool:
    return bool(Draft202012Validator(tolerant(schema)).is_valid(value))


CHANGES = [change for _, change, _, _ in MUTANTS.values()]
HARMLESS = [
    put("properties", "nickname", {"type": "string", "default": ""}),
    put("properties", "tags", {"type": "array", "items": {"type": "string"}, "default": []}),
    put("properties seq", "description", "counted"),
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data())
def test_what_the_gate_lets_pass_is_read_both_ways(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(kind.__name__ for kind in TYPES.values())))
    old = schema_of(name)
    new = copy.deepcopy(old)
    for change in data.draw(st.lists(st.sampled_from([*HARMLESS, *CHANGES]), max_size=3)):
        try:
            change(new)
        except (KeyError, ValueError, IndexError):  # that event has no such field
            continue
    if breaches(name, old, new):
        return
    assert accepted(new, data.draw(values_of(old, old.get("$defs", {}))))
    assert accepted(old, data.draw(values_of(new, new.get("$defs", {}))))


@pytest.mark.parametrize(
    "what", [what for what, (*_, breaks) in MUTANTS.items() if breaks in {Breaks.OLD_MESSAGES, Breaks.OLD_READERS} and "nobody" not in what]
)
def test_what_the_gate_refuses_is_refused_by_a_reader_that_is_not_ours(what: str) -> None:
    """No false alarm: some message of one side is refused by the other."""
    event, change, _, breaks = MUTANTS[what]
    old = schema_of(event)
    new = copy.deepcopy(old)
    change(new)
    writer, reader = (old, new) if breaks is Breaks.OLD_MESSAGES else (new, old)
    edges = [value for value in _edges(event, writer) if accepted(writer, value)]
    assert edges
    assert any(not accepted(reader, value) for value in edges)


def _edges(event: str, schema: Schema) -> Iterator[Any]:
    from amont.common.events.samples import _Maker

    maker = _Maker(schema.get("$defs", {}))
    whole = maker.of(schema, "")
    yield from whole
    yield {**whole[0], "seq": 2**53}
    yield {**whole[0], "languages": ["fr"] * 21}
    yield {name: value for name, value in whole[0].items() if name in schema["required"]}


# The corpus.

WHERE = corpus.folder()
RELEASED = [(release, event) for release in corpus.releases(WHERE) for event in corpus.released_schemas(WHERE, release)]


def test_there_is_a_release_and_this_library_is_it_or_comes_after_it(tmp_path: Path) -> None:
    newest = corpus.releases(WHERE)[-1]
    for name in (newest, corpus.present()):
        (tmp_path / name).mkdir(exist_ok=True)
    assert corpus.releases(tmp_path)[-1] == corpus.present()


def test_today_s_events_live_with_every_release() -> None:
    assert corpus.breaches_since(WHERE, corpus.schemas_now()) == []


def still_says(said: Any, meant: Any) -> bool:
    """Whether everything that was meant is said; what has been added since, inside of it too, may have its default."""
    if isinstance(meant, dict) and isinstance(said, dict):
        return all(name in said and still_says(said[name], value) for name, value in meant.items())
    return bool(said == meant)


def test_every_golden_message_of_every_release_is_read_as_what_it_was() -> None:
    count = 0
    for release in corpus.releases(WHERE):
        for golden in corpus.golden_messages(WHERE, release):
            topic = golden.headers["ce_type"].split(".")[1]
            headers = tuple((name, text.encode()) for name, text in golden.headers.items())
            heard = read(Received(topic=topic, partition=0, offset=0, key=golden.key.encode(), value=golden.value, headers=headers), topic)
            assert heard is not None, golden
            assert heard.event.type_name() == golden.headers["ce_type"]
            said, meant = json.loads(heard.event.encode()), json.loads(golden.value)
            same = {name for name, value in meant.items() if still_says(said[name], value)}
            assert meant.keys() - same <= {
                "effective_at",
                "occurred_at",
                "at",
                "expires_at",
                "starts_at",
                "slot",
                "options",
                "published_at",
            }
            count += 1
    assert count > 500


@pytest.mark.parametrize("event", [pytest.param(event, id=event.split(".")[2]) for _, event in RELEASED])
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_generated_messages_are_read_in_both_directions(event: str, data: st.DataObject) -> None:
    """What a release may have written is read by today's class; what today's class writes is taken by every release's schema, tolerantly."""
    kind = TYPES[event]
    for release in corpus.releases(WHERE):
        released = corpus.released_schemas(WHERE, release)[event]
        value = data.draw(_of_whole_weights(values_of(dict(released), released.get("$defs", {}))))
        newer = {**value, "a_field_of_the_future": {"x": 1}}
        read_now = kind.decode(json.dumps(newer).encode())
        assert isinstance(read_now, Event)
        assert accepted(dict(released), json.loads(read_now.encode()))


def _of_whole_weights(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A policy's weights sum to 1,000, and no schema says so."""

    def mend(value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("policy"), dict):
            value["policy"].pop("weights", None)
        return value

    return values.map(mend)


def test_a_release_is_written_once(tmp_path: Path) -> None:
    written = corpus.release(tmp_path)
    assert {path.name for path in (written / "schemas").iterdir()} == set(schemas.texts())
    with pytest.raises(Conflict, match="released before"):
        corpus.release(tmp_path)


def test_a_release_that_is_committed_is_what_its_version_s_classes_wrote(tmp_path: Path) -> None:
    """While the present version is the newest release: nobody has edited it by hand."""
    if corpus.present() not in corpus.releases(WHERE):
        pytest.skip(f"{corpus.present()} is not released yet")
    written = corpus.release(tmp_path)
    for part in ("schemas", "golden"):
        for path in (written / part).iterdir():
            assert path.read_bytes() == (WHERE / corpus.present() / part / path.name).read_bytes(), path.name


def test_releases_are_asked_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("0.10.0", "0.9.1", "1.0.0"):
        (tmp_path / name).mkdir()
    assert corpus.releases(tmp_path) == ["0.9.1", "0.10.0", "1.0.0"]


def test_the_command_names_event_field_and_release(tmp_path: Path) -> None:
    written = corpus.release(tmp_path)
    path = written / "schemas" / "PairProposed.v1.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    schema["properties"]["nickname"] = {"type": "string"}
    schema["required"].append("nickname")
    path.write_text(json.dumps(schema), encoding="utf-8")
    golden = written / "golden" / "StaffLeft.v1.jsonl"
    golden.write_text(golden.read_text(encoding="utf-8").replace('"key": "fr:e42"', '"key": "fr:e43"', 1), encoding="utf-8")
    done = CliRunner().invoke(root(), ["contracts", "compatible", "--corpus", str(tmp_path)])
    assert done.exit_code == 1
    assert f"{corpus.present()}: PairProposed /nickname: the field is gone" in done.stdout
    assert "golden message StaffLeft.v1.jsonl:1 is not readable" in done.stdout
    assert CliRunner().invoke(root(), ["contracts", "compatible"]).exit_code == 0
    assert CliRunner().invoke(root(), ["contracts", "compatible", "--corpus", str(tmp_path / "none")]).exit_code == 2


def test_an_event_that_is_gone_is_a_breach() -> None:
    now = {name: schema for name, schema in corpus.schemas_now().items() if "PairEnded" not in name}
    ((_, breach),) = corpus.breaches_since(WHERE, now)
    assert breach == Breach("PairEnded", "", "the type amont.matching-pairs.PairEnded.v1 is gone", Breaks.OLD_MESSAGES)
