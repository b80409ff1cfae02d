"""The promises, shown on a small programme that keeps them all, and on what is left of it after somebody has tampered with it: each is noticed."""

import email
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from email import policy
from importlib import import_module
from typing import Any

import pytest
from tests.support.programme import GRADES, GROUP, PROGRAMME, ZONES, staff
from tests.support.together import Together, together

from amont.common import hosting
from amont.common.documents import Find
from amont.common.events import EmployeeLeft, NotificationFailed
from amont.common.events.topics import SERVICES, TOPICS, dead_letters_of
from amont.common.log import Received
from amont.common.testing.promises import OWN, OWNERS, PROJECTIONS, Evidence, Place, Poison, broken, figures
from amont.common.testing.promises.telling import KINDS
from amont.common.testing.promises.telling import TOPICS as TELLING_TOPICS
from amont.common.testing.replay import replay
from amont.notifications.sending import FolderSender, MailSender

COORDINATOR = "|".join(GROUP)


async def a_small_programme(house: Together) -> None:
    """Two pairs from the first staff record to both having said yes."""
    for tenant in ("fr", "de"):
        body = {"name": tenant, "zone": ZONES[tenant], "languages": ["en"], "grades": GRADES}
        await house.done("PUT", f"/enrolment/subsidiaries/{tenant}", COORDINATOR, body)
    await house.hears([*(staff("de", n, grade="D") for n in (1, 2)), *(staff("fr", n) for n in (1, 2)), staff("fr", 9, grade="none")])
    programme = {"programme": PROGRAMME, "name": "Digital", "tenants": ["fr", "de"], "topics": ["ai"], "policy": {"sessions": 1}}
    await house.done("POST", "/enrolment/programmes", COORDINATOR, programme)
    await house.done("POST", f"/enrolment/programmes/{PROGRAMME}/open", COORDINATOR, {})
    form = {"programme": PROGRAMME, "topics": {"ai": 3}, "availability": ["mon 09:00-12:00"], "charter_accepted": True}
    for number in (1, 2):
        await house.done("POST", "/enrolment/enrolments", f"de:e{number}", {**form, "role": "mentee"})
        await house.done("POST", "/enrolment/enrolments", f"fr:e{number}", {**form, "role": "mentor"})
    await house.settle()
    round_ = await house.done("POST", f"/matching/programmes/{PROGRAMME}/rounds", COORDINATOR, {"seed": "small"})
    await house.settle()
    await house.done("POST", f"/matching/rounds/{round_['id']}/publish", COORDINATOR, {})
    for _ in range(3):
        await house.passes(timedelta(seconds=2))  # the clock writes the pairs, says that the round is published, and lets go of the pool
    for side in ("mentee", "mentor"):
        for pair in await house.every(f"/matching/pairs?programme={PROGRAMME}", COORDINATOR):
            await house.done("POST", f"/matching/pairs/{pair['id']}/accept", pair[side])
        await house.settle()


@pytest.fixture(scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What is left of a programme in which nothing went wrong but one record that nobody can take."""
    folder = tmp_path_factory.mktemp("promises")
    async with together(folder) as house:
        await a_small_programme(house)
        log = {topic: await house.log.read("observer", topic, 1_000_000) for topic in TOPICS}
        documents = {
            name: {kept.name: await service._store.find(Find(collection=kept.name, limit=1_000_000)) for kept in service._keeps}
            for name, service in house.services.items()
        }
    mails = [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in house.mails.glob("*.eml")]
    bad = staff("fr", 9, grade="none")
    return Evidence(
        documents=documents,
        log=log,
        mails={mail["Message-ID"]: 1 for mail in mails},
        addressed={mail["Message-ID"]: {one.addr_spec for one in mail["To"].addresses} for mail in mails},
        replayed=await replay(log, hosting.service_builders(), given=documents, tools={MailSender: FolderSender(folder)}),
        poison={"enrolment": [Poison(bad.key.encode(), bad.value, "unknown-grade")]},
    )


def test_a_programme_in_which_nothing_went_wrong_keeps_every_promise(kept: Evidence) -> None:
    assert broken(kept) == []
    seen = figures(kept)
    assert seen["mails"] > 8
    assert seen | {"events": 0, "records": 0, "mails": 0} == {
        "records": 0, "events": 0, "repeated on the log": 0, "dead letters": 1, "parked again": 0, "mails": 0, "mails again": 0, "given up": 0, "moved": 0,
        "let go of": 0, "crashes": 0,
    }  # fmt: skip


Tamper = Callable[[Evidence], Evidence]


def on_log(topic: str, change: Callable[[list[Received]], list[Received]]) -> Tamper:
    return lambda kept: replace(kept, log={**kept.log, topic: change(list(kept.log[topic]))})


def older_last(log: list[Received]) -> list[Received]:
    """A subsidiary that was changed once more, and then its first state comes again."""
    first = next(one for one in log if one.key == b"fr")
    second = (first.value or b"").replace(b'"seq":1', b'"seq":2')
    headers = tuple((name, b"another" if name == "ce_id" else value) for name, value in first.headers)
    return [*log, replace(first, value=second, headers=headers), first]


def in_store(service: str, collection: str, change: Callable[[list[Any]], list[Any]]) -> Tamper:
    def tamper(kept: Evidence) -> Evidence:
        documents = {name: dict(held) for name, held in kept.documents.items()}
        documents[service][collection] = change(list(documents[service][collection]))
        return replace(kept, documents=documents)

    return tamper


def mails(change: Callable[[Mapping[str, int]], Mapping[str, int]]) -> Tamper:
    return lambda kept: replace(kept, mails=change(kept.mails))


def given_up(status: str, reason: str, *, after: timedelta | None = None, **also: Any) -> Tamper:
    """The first delivery came to nothing, for this reason; `after` so long it was said to have failed."""

    def tamper(kept: Evidence) -> Evidence:
        first = {**kept.documents["notifications"]["deliveries"][0], **also, "status": status, "reason": reason}
        told = next(one for one in kept.log["notifications-deliveries"] if json.loads(one.value or b"{}")["delivery"] == first["_id"])
        if after is not None:
            at = (datetime.fromisoformat(first["planned_at"]) + after).isoformat().encode()
            headers = {**dict(told.headers), "ce_type": NotificationFailed.type_name().encode(), "ce_time": at}
            told = replace(told, headers=tuple(headers.items()))
        log = [
            told if one.offset == told.offset and one.partition == told.partition else one for one in kept.log["notifications-deliveries"]
        ]
        kept = in_store("notifications", "deliveries", lambda all_of_them: [first, *all_of_them[1:]])(kept)
        return on_log("notifications-deliveries", lambda _: log)(kept)

    return tamper


def nobody_plans(kind: str) -> Tamper:
    """Nothing of one kind is in hand, and a replay agrees."""

    def tamper(kept: Evidence) -> Evidence:
        there = {name: dict(held) for name, held in (kept.replayed or {}).items()}
        there["notifications"]["deliveries"] = [one for one in there["notifications"]["deliveries"] if one["kind"] != kind]
        kept = replace(kept, replayed=there)
        return in_store("notifications", "deliveries", lambda told: [one for one in told if one["kind"] != kind])(kept)

    return tamper


def one_more_pair(pairs: list[Any]) -> list[Any]:
    mentor = pairs[1]
    return [*pairs, {**pairs[0], "_id": "another", "seq": 0, "mentor": mentor["mentor"], "mentor_enrolment": mentor["mentor_enrolment"]}]


@pytest.mark.parametrize(
    ("tamper", "complaint"),
    [
        (on_log("matching-pairs", lambda log: log[:-1]), "matching/pairs: what was saved is not what was said"),
        (
            in_store("enrolment", "employees", lambda people: [{**people[0], "held": [{"why": "leavers"}]}, *people[1:]]),
            r"enrolment: held, and nobody is asked: \S+ \(leavers\)",
        ),
        (
            in_store("enrolment", "employees", lambda people: [{**people[0], "dropped": [{"effective_at": "2024-01-01"}]}, *people[1:]]),
            "enrolment: left out, and nobody said so",
        ),
        (
            in_store("enrolment", "employees", lambda people: [{**people[0], "last": None}, *people[1:]]),
            r"enrolment/employees: is not what a replay of the log gives: .*\(last\)",
        ),
        (in_store("scheduling", "plans", lambda plans: plans[1:]), "scheduling/plans: what was saved is not what was said"),
        (on_log("matching-pairs", lambda log: log[::-1]), "matching-pairs: out of order"),
        (on_log("enrolment-subsidiaries", older_last), "enrolment-subsidiaries: an older state comes last: fr"),
        (
            on_log("enrolment-employees", lambda log: [*log, replace(log[0], value=log[1].value)]),
            "enrolment-employees: says two things under one id",
        ),
        (in_store("matching", "pairs", lambda pairs: [{**pairs[0], "_out": [{}]}, *pairs[1:]]), "matching/pairs: holds events"),
        (in_store("matching", "pairs", one_more_pair), "matching: above capacity"),
        (in_store("matching", "people", lambda people: people[1:]), "matching/people: is not what a replay of the log gives"),
        (
            in_store("notifications", "recipients", lambda people: [{**people[0], "function": "x"}, *people[1:]]),
            r"notifications/recipients: is not what a replay of the log gives: .*\(function\)",
        ),
        (in_store("notifications", "deliveries", lambda told: told[1:]), "notifications/deliveries: is not what a replay of the log gives"),
        (on_log(dead_letters_of("enrolment"), lambda _: []), "enrolment: poison that nobody parked"),
        (
            lambda kept: replace(kept, heard_again={"matching": ["people/fr:e1 (enrolment-employees/fr:e1 1 after 2)"]}),
            "matching: an older event took effect behind a newer one: people/fr:e1",
        ),
        (lambda kept: replace(kept, poison={}), "enrolment: parked, and no poison"),
        (mails(lambda mails: dict(list(mails.items())[1:])), "notifications: said to be sent, never received"),
        (mails(lambda mails: {**mails, "<x@y>": 1}), "notifications: received, and nobody meant to send it"),
        (mails(lambda mails: dict.fromkeys(mails, 2)), "notifications: came again without having been cut off"),
        (
            in_store("notifications", "deliveries", lambda told: [{**told[0], "status": "sending"}, *told[1:]]),
            "notifications: deliveries without an outcome",
        ),
        (nobody_plans("pair-confirmed"), "notifications: what is to be told is not what is in hand: .*pair-confirmed"),
        (
            in_store("notifications", "deliveries", lambda told: [*told, {**told[0], "_id": "x", "about": "nothing"}]),
            r"notifications: what is to be told is not what is in hand: .*\(nothing asks for it\)",
        ),
        *(
            (given_up("suppressed", reason), rf"notifications: given up without cause: .* \(suppressed: {reason}\)")
            for reason in ("left", "no-address", "partner-left", "tired")
        ),
        (given_up("failed", "unknown-recipient"), "notifications: given up without cause"),
        (given_up("failed", "unknown-recipient", after=timedelta(hours=23)), "notifications: given up without cause"),
        (given_up("failed", "unavailable", after=timedelta(hours=25), attempts=25), "notifications: given up without cause"),
        (given_up("failed", "unavailable", after=timedelta(hours=22), attempts=26), "notifications: given up without cause"),
        (given_up("failed", "refused-550", after=timedelta(0)), "notifications: given up without cause"),
        (
            lambda kept: replace(kept, addressed={**kept.addressed, next(iter(kept.addressed)): {"somebody@else.example"}}),
            "notifications: went to somebody else",
        ),
        (
            in_store("enrolment", "programmes", lambda campaigns: [{**one, "_seen": {}} for one in campaigns]),
            "enrolment/programmes: has not heard of matching-rounds: digital-2027",
        ),
        (
            in_store("scheduling", "plans", lambda plans: [{**one, "_seen": {}} for one in plans]),
            "scheduling/plans: has not heard of matching-pairs",
        ),
        (in_store("notifications", "deliveries", lambda told: [*told, {**told[0], "_id": "x"}]), "notifications: intended twice"),
    ],
)
def test_what_was_tampered_with_is_noticed(kept: Evidence, tamper: Tamper, complaint: str) -> None:
    found = broken(tamper(kept))
    assert any(re.match(complaint, one) for one in found), found


def test_a_mail_that_was_cut_off_may_come_once_more_and_no_other_may(kept: Evidence) -> None:
    first, second, *_ = kept.mails
    once_more = {**kept.mails, first: 2}
    assert broken(replace(kept, mails=once_more, cut_off={first: 1})) == []
    for mails, cut_off in (({**once_more, first: 3}, {first: 1}), (once_more, {second: 1}), ({**once_more, second: 2}, {first: 2})):
        (fault,) = broken(replace(kept, mails=mails, crashes={"notifications": 9}, cut_off=cut_off))
        assert "came again without having been cut off" in fault


def test_what_could_not_be_delivered_was_not_lost(kept: Evidence) -> None:
    first = kept.documents["notifications"]["deliveries"][0]
    of_the_first = {message_id: 550 for message_id in kept.mails if first["_id"] in message_id}
    assert of_the_first
    for excused in (
        given_up("failed", "unknown-recipient", after=timedelta(hours=24)),
        given_up("failed", "unavailable", after=timedelta(hours=24), attempts=26),
        lambda kept: replace(given_up("failed", "refused-550", after=timedelta(0))(kept), refused=of_the_first),
    ):
        assert not [one for one in broken(excused(kept)) if "without cause" in one]


def test_whoever_has_left_or_has_no_address_need_not_be_written_to(kept: Evidence) -> None:
    person = kept.documents["notifications"]["deliveries"][0]["person"]
    last = next(one for one in kept.log["enrolment-employees"] if one.key.decode() == person)
    gone = replace(last, headers=tuple({**dict(last.headers), "ce_id": b"gone", "ce_type": EmployeeLeft.type_name().encode()}.items()))
    body = json.dumps({**json.loads(last.value or b"{}"), "email": None}).encode()
    silent = replace(last, value=body, headers=tuple({**dict(last.headers), "ce_id": b"silent"}.items()))
    for reason, fact in (("left", gone), ("no-address", silent)):
        found = broken(on_log("enrolment-employees", lambda log, fact=fact: [*log, fact])(given_up("suppressed", reason)(kept)))
        assert not [one for one in found if "without cause" in one]


def test_an_event_that_comes_again_after_a_later_one_is_in_order(kept: Evidence) -> None:
    doubled = on_log("matching-pairs", lambda log: [*log, *log])(kept)
    assert broken(doubled) == []
    assert figures(doubled)["repeated on the log"] == len(kept.log["matching-pairs"])


LETTERS = dead_letters_of("enrolment")


def told_again(letter: Received, **why: str) -> Received:
    """A dead letter once more, with some of its reasons another."""
    headers = {**dict(letter.headers), **{f"amont_dlq_{name}": value.encode() for name, value in why.items()}}
    return replace(letter, offset=letter.offset + 1, headers=tuple(headers.items()))


def test_what_follows_a_parked_record_may_be_parked_and_nothing_else_may(kept: Evidence) -> None:
    first = kept.log[LETTERS][0]
    offset = int(dict(first.headers)["amont_dlq_offset"] or b"")
    behind = replace(told_again(first, reason="blocked-by", offset=f"{offset + 1}"), value=b"later")
    assert broken(on_log(LETTERS, lambda log: [*log, behind])(kept)) == []
    for nothing in (replace(behind, key=b"fr:e1"), told_again(behind, offset=f"{offset - 1}"), told_again(behind, topic="matching-pairs")):
        (fault,) = broken(on_log(LETTERS, lambda log, nothing=nothing: [*log, nothing])(kept))
        assert fault == f"enrolment: parked behind nothing: {nothing.key!r}"


def test_a_record_is_parked_as_often_as_it_was_handed_over_and_no_more(kept: Evidence) -> None:
    first = kept.log[LETTERS][0]
    why = {name: (value or b"").decode() for name, value in first.headers if name.startswith("amont_dlq_")}
    place = Place(why["amont_dlq_topic"], int(why["amont_dlq_partition"]), int(why["amont_dlq_offset"]))
    twice = on_log(LETTERS, lambda log: [*log, told_again(first)])(kept)
    assert figures(twice)["parked again"] == 1
    assert broken(replace(twice, may_be_parked={"enrolment": {place: 2}})) == []
    (fault,) = broken(replace(twice, may_be_parked={"enrolment": {place: 1}}))
    assert fault == f"enrolment: parked more often than it was handed over: {place} (2 times, 1 may be)"


def test_poison_that_was_sent_twice_is_parked_twice(kept: Evidence) -> None:
    first = kept.log[LETTERS][0]
    sent = next(one for one in kept.log["hris-staff"] if one.key == first.key)
    again = on_log("hris-staff", lambda log: [*log, replace(sent, offset=sent.offset + 1000)])(kept)
    assert f"enrolment: poison that nobody parked: {sent.key!r} at hris-staff {sent.partition}:{sent.offset + 1000}" in broken(again)


def test_what_is_parked_has_its_letter_until_it_is_forgotten(kept: Evidence) -> None:
    (letter,) = kept.documents["enrolment"]["dead_letters"]
    without = in_store("enrolment", "dead_letters", lambda _: [])(kept)
    parked_at = datetime.fromisoformat(letter["parked_at"])
    (fault,) = broken(replace(without, ended_at=parked_at + timedelta(days=29)))
    assert fault.startswith("enrolment: parked poison without its letter: hris-staff ")
    assert broken(replace(without, ended_at=parked_at + timedelta(days=31))) == []
    (fault,) = broken(in_store("enrolment", "dead_letters", lambda held: [*held, {**held[0], "offset": 7_000}])(kept))
    assert fault.startswith("enrolment: letters about what was never parked: hris-staff ")


def test_every_event_that_tells_somebody_something_is_declared() -> None:
    tells = import_module("amont.notifications.domain.notices").KINDS
    assert {kind.__name__: as_what for kind, as_what in tells.items()} == KINDS
    assert {kind.topic for kind in tells} == set(TELLING_TOPICS)


def test_every_topic_with_a_seq_has_an_owner_and_every_collection_is_declared() -> None:
    assert set(OWNERS) == {topic.name for topic in TOPICS.values() if topic.types and topic.name != "hris-staff"}
    kept = {(name, one.name) for name in SERVICES for one in import_module(f"amont.{name}.documents").COLLECTIONS}
    assert kept - {(name, "dead_letters") for name in SERVICES} == set(PROJECTIONS) | set(OWN)
    assert not set(PROJECTIONS) & set(OWN)
    assert {(owner.service, owner.collection) for owner in OWNERS.values()} <= kept
