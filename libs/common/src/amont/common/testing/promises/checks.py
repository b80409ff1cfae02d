"""Each promise as a function that says in words where it was not kept."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from amont.common.documents import Document
from amont.common.events.topics import TOPICS, TYPES
from amont.common.events.values import DeliveryStatus, PairStatus
from amont.common.testing.promises.evidence import Evidence
from amont.common.testing.promises.parked import Parked, told_by
from amont.common.testing.promises.tables import LISTENERS, OWNERS, PROJECTIONS
from amont.common.testing.promises.telling import astray, delivery_of, unexcused, untold

_GIVEN_UP = frozenset({DeliveryStatus.SUPPRESSED, DeliveryStatus.FAILED})
NAMED = 3
"""How many culprits a sentence names."""


class _Said(NamedTuple):
    """An event as the log has it."""

    id: str
    type: str
    value: bytes
    key: bytes
    owner: str
    seq: int


def broken(evidence: Evidence) -> list[str]:
    """Every promise that was not kept, in words; empty when all were."""
    return [
        *_one_thing_each(evidence),
        *_in_order(evidence),
        *_newest_comes_last(evidence),
        *_whole(evidence),
        *_outboxes_are_empty(evidence),
        *_nobody_above_capacity(evidence),
        *_projections_equal_a_replay(evidence),
        *_what_is_held_waits_for_somebody(evidence),
        *_only_what_was_ruled_out_is_left_out(evidence),
        *_facts_took_effect(evidence),
        *_nothing_older_took_effect(evidence),
        *_only_poison_is_parked(evidence),
        *_everybody_was_told(evidence),
        *_as_little_twice_as_promised(evidence),
    ]


def figures(evidence: Evidence) -> dict[str, int]:
    """What was seen: a run in which nothing was repeated has shown nothing."""
    events = [one for topic in OWNERS for one in _said(evidence, topic)]
    people = _documents(evidence, "enrolment", "employees")
    letters = [(service, one.place) for service in evidence.documents for one in told_by(evidence, service)]
    return {
        "records": sum(len(records) for records in evidence.log.values()),
        "events": len({one.id for one in events}),
        "repeated on the log": len(events) - len({one.id for one in events}),
        "dead letters": len(set(letters)),
        "parked again": len(letters) - len(set(letters)),
        "mails": len(evidence.mails),
        "mails again": sum(evidence.mails.values()) - len(evidence.mails),
        "given up": sum(one["status"] in _GIVEN_UP for one in _documents(evidence, "notifications", "deliveries")),
        "moved": sum((one.get("move") or {}).get("arrived", False) for one in people),
        "let go of": sum(one.get("released") is not None for one in people),
        "crashes": sum(evidence.crashes.values()),
    }


def _said(evidence: Evidence, topic: str) -> list[_Said]:
    field_name, said = OWNERS[topic].field, []
    for record in evidence.log.get(topic, ()):
        headers, body = dict(record.headers), json.loads(record.value or b"{}")
        id_, kind = _text(headers["ce_id"]), _text(headers["ce_type"])
        said.append(_Said(id_, kind, record.value or b"", record.key, str(body[field_name]), body["seq"]))
    return said


def _first(said: Iterable[_Said]) -> list[_Said]:
    """Without repetitions: what comes again under the same id is the same event."""
    found: dict[str, _Said] = {}
    for one in said:
        found.setdefault(one.id, one)
    return list(found.values())


def _one_thing_each(evidence: Evidence) -> Iterator[str]:
    """An event's id stands for one content, however often it is on the log."""
    for topic in OWNERS:
        contents: dict[str, set[tuple[str, bytes]]] = defaultdict(set)
        for one in _said(evidence, topic):
            contents[one.id].add((one.type, one.value))
        yield from _wrong(f"{topic}: says two things under one id", (id_ for id_, said in contents.items() if len(said) > 1))
        yield from _wrong(f"{topic}: has a type that is not its own", (one.id for one in _said(evidence, topic) if one.type not in TYPES))


def _in_order(evidence: Evidence) -> Iterator[str]:
    """Within a topic and a key, each aggregate's events appear for the first time in the order of their `seq`."""
    for topic in OWNERS:
        numbers: dict[tuple[bytes, str], list[int]] = defaultdict(list)
        for one in _first(_said(evidence, topic)):
            numbers[one.key, one.owner].append(one.seq)
        wrong = (f"{owner} {seqs}" for (_, owner), seqs in numbers.items() if seqs != sorted(set(seqs)))
        yield from _wrong(f"{topic}: out of order", wrong)


def _newest_comes_last(evidence: Evidence) -> Iterator[str]:
    """On a compacted topic, where the last record of a key is all that is left in the end, it is the aggregate's newest."""
    for topic in (name for name in OWNERS if TOPICS[name].compacted):
        last: dict[tuple[bytes, str], int] = {}
        newest: dict[tuple[bytes, str], int] = defaultdict(int)
        for one in _said(evidence, topic):
            last[one.key, one.owner] = one.seq
            newest[one.key, one.owner] = max(newest[one.key, one.owner], one.seq)
        wrong = (f"{owner} ({last[key, owner]} after {seq})" for (key, owner), seq in newest.items() if last[key, owner] != seq)
        yield from _wrong(f"{topic}: an older state comes last", wrong)


def _whole(evidence: Evidence) -> Iterator[str]:
    """Each aggregate's events are numbered 1, 2, 3, … up to the `seq` of its document: no committed decision without its event, none invented."""
    said: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for topic, owner in OWNERS.items():
        for one in _first(_said(evidence, topic)):
            said[owner.service, owner.collection][one.owner].append(one.seq)
    for service, collection in dict.fromkeys((owner.service, owner.collection) for owner in OWNERS.values()):
        saved = {one["_id"]: one["seq"] for one in _documents(evidence, service, collection) if one["seq"]}
        here = said[service, collection]
        wrong = (
            f"{id_} (saved up to {saved.get(id_, 0)}, said {sorted(here.get(id_, ()))})"
            for id_ in sorted(saved.keys() | here.keys())
            if sorted(here.get(id_, ())) != list(range(1, saved.get(id_, 0) + 1))
        )
        yield from _wrong(f"{service}/{collection}: what was saved is not what was said", wrong)


def _outboxes_are_empty(evidence: Evidence) -> Iterator[str]:
    for service, collections in evidence.documents.items():
        for collection, documents in collections.items():
            left = (one["_id"] for one in documents if one.get("_out") or one.get("_out_at"))
            yield from _wrong(f"{service}/{collection}: holds events that were never published", left)


def _nobody_above_capacity(evidence: Evidence) -> Iterator[str]:
    """No enrolment has more living pairs than the seats it ever had, and the same two are not a living pair twice."""
    seats: dict[str, int] = defaultdict(int)
    for record in evidence.log.get("enrolment-enrolments", ()):
        body = json.loads(record.value or b"{}")
        seats[body["enrolment"]] = max(seats[body["enrolment"]], body["capacity"])
    living = [pair for pair in _documents(evidence, "matching", "pairs") if pair["status"] != PairStatus.ENDED]
    taken = Counter(pair[side] for pair in living for side in ("mentee_enrolment", "mentor_enrolment"))
    above = (f"{enrolment} ({count} pairs, {seats[enrolment]} seats)" for enrolment, count in taken.items() if count > seats[enrolment])
    yield from _wrong("matching: above capacity", above)
    couples = Counter((pair["programme"], pair["mentee"], pair["mentor"]) for pair in living)
    yield from _wrong("matching: the same two are a pair twice", (" ".join(couple) for couple, count in couples.items() if count > 1))


def _projections_equal_a_replay(evidence: Evidence) -> Iterator[str]:
    """Every copy of others' facts, and everything that is to be told because of them, is what the log alone gives on an empty store."""
    if evidence.replayed is None:
        return
    for (service, collection), projection in PROJECTIONS.items():
        documents = _documents(evidence, service, collection)
        there = {one["_id"]: projection.of(one) for one in documents if projection.decides(one)}
        others = {one["_id"] for one in documents} - there.keys()
        replayed = evidence.replayed.get(service, {}).get(collection, ())
        again = {one["_id"]: projection.of(one) for one in replayed if one["_id"] not in others}
        differ = (id_ for id_ in sorted(there.keys() | again.keys()) if there.get(id_) != again.get(id_))
        wrong = (f"{id_} ({_difference(there.get(id_), again.get(id_))})" for id_ in differ)
        yield from _wrong(f"{service}/{collection}: is not what a replay of the log gives", wrong)


def _what_is_held_waits_for_somebody(evidence: Evidence) -> Iterator[str]:
    """A staff record is held while its subsidiary's feed is paused, a leaving while the breaker is open, and no longer."""
    pauses = {one["_id"]: one.get("pauses") for one in _documents(evidence, "enrolment", "subsidiaries")}
    waits = {
        "paused": {tenant for tenant, rulings in pauses.items() if rulings and rulings[-1]["verb"] == "pause"},
        "leavers": {one["_id"] for one in _documents(evidence, "enrolment", "feeds") if one.get("tripped_at")},
    }
    for person in _documents(evidence, "enrolment", "employees"):
        forgotten = sorted({held["why"] for held in person.get("held") or () if person["tenant"] not in waits[held["why"]]})
        yield from _wrong("enrolment: held, and nobody is asked", (f"{person['_id']} ({why})" for why in forgotten))


def _only_what_was_ruled_out_is_left_out(evidence: Evidence) -> Iterator[str]:
    """A leaving is passed over for good only where a coordinator has dropped what the breaker held: no replay can tell, since it is not on the log."""
    rulings = {one["_id"]: one.get("rulings") or () for one in _documents(evidence, "enrolment", "feeds")}
    dropping = {tenant for tenant, ruled in rulings.items() if any(ruling["verb"] == "drop" for ruling in ruled)}
    left_out = (
        one["_id"] for one in _documents(evidence, "enrolment", "employees") if one.get("dropped") and one["tenant"] not in dropping
    )
    yield from _wrong("enrolment: left out, and nobody said so", left_out)


def _facts_took_effect(evidence: Evidence) -> Iterator[str]:
    """What others' facts do to a service's own documents was done. A fact that was dropped, as if it had been heard before, leaves the guard behind."""
    for topic, listener in LISTENERS.items():
        there = {one["_id"]: one.get("_seen") or {} for one in _documents(evidence, listener.service, listener.collection)}
        missed: dict[str, None] = {}
        for record in evidence.log.get(topic, ()):
            body, headers = json.loads(record.value or b"{}"), dict(record.headers)
            concerned = _text(headers["ce_type"]).split(".")[-2] in listener.hears and (
                not listener.last or body["number"] == body["planned"]
            )
            seen = there.get(body[listener.field], {}).get(f"{topic}/{_text(headers['ce_subject'])}", 0)
            if concerned and body[listener.field] in there and seen < body["seq"]:
                missed[f"{body[listener.field]} (heard up to {seen}, said {body['seq']})"] = None
        yield from _wrong(f"{listener.service}/{listener.collection}: has not heard of {topic}", missed)


def _nothing_older_took_effect(evidence: Evidence) -> Iterator[str]:
    """No document was written because of an event older than one that it had heard: what follows on the log would mend it, and nobody see it later."""
    for service, writes in evidence.heard_again.items():
        yield from _wrong(f"{service}: an older event took effect behind a newer one", writes)


def _difference(there: Mapping[str, Any] | None, again: Mapping[str, Any] | None) -> str:
    if there is None or again is None:
        return "missing" if there is None else "not on the log"
    return ", ".join(sorted(name for name in there.keys() | again.keys() if there.get(name) != again.get(name)))


def _only_poison_is_parked(evidence: Evidence) -> Iterator[str]:
    """The dead letters are the poison, each with its reason, what followed a parked record of the same key, and nothing else."""
    for service in sorted({*evidence.documents, *evidence.poison}):
        for what, culprits in Parked(evidence, service).faults():
            yield from _wrong(f"{service}: {what}", culprits)


def _everybody_was_told(evidence: Evidence) -> Iterator[str]:
    """Whoever is to be told something is told it once: it is in hand and has its outcome, and who was not sent it could not be.

    What was sent was received, by the address of its reader; nothing was received that nobody meant to send.
    """
    deliveries = _documents(evidence, "notifications", "deliveries")
    open_ = (one["_id"] for one in deliveries if one["status"] in {DeliveryStatus.PENDING, DeliveryStatus.SENDING})
    yield from _wrong("notifications: deliveries without an outcome", open_)
    yield from _wrong("notifications: what is to be told is not what is in hand", untold(evidence, deliveries))
    yield from _wrong("notifications: given up without cause", unexcused(evidence, deliveries))
    yield from _wrong("notifications: went to somebody else", astray(evidence, deliveries))
    received = {delivery_of(message_id) for message_id in evidence.mails}
    sent = {one["_id"] for one in deliveries if one["status"] == DeliveryStatus.SENT}
    yield from _wrong("notifications: said to be sent, never received", sorted(sent - received))
    yield from _wrong("notifications: received, and nobody meant to send it", sorted(received - {one["_id"] for one in deliveries}))
    told = Counter((one["person"], one["kind"], one["about"], one["channel"]) for one in deliveries)
    yield from _wrong("notifications: intended twice", (" ".join(one) for one, count in told.items() if count > 1))


def _as_little_twice_as_promised(evidence: Evidence) -> Iterator[str]:
    """A mail comes again only when handing it over was cut off between the mail server's 250 and the note of it, and then once."""
    again = (
        f"{message_id} ({count} times, cut off {evidence.cut_off.get(message_id, 0)} times)"
        for message_id, count in sorted(evidence.mails.items())
        if count - 1 > evidence.cut_off.get(message_id, 0)
    )
    yield from _wrong("notifications: came again without having been cut off", again)


def _documents(evidence: Evidence, service: str, collection: str) -> Sequence[Document]:
    return evidence.documents.get(service, {}).get(collection, ())


def _text(value: bytes | None) -> str:
    return (value or b"").decode()


def _wrong(what: str, culprits: Iterable[str]) -> Iterator[str]:
    found = list(culprits)
    if found:
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        yield f"{what}: {'; '.join(found[:NAMED])}{more}"
