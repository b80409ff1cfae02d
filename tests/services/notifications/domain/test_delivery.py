"""A delivery's life by itself: claims, pauses, giving up; and that no order of outcomes, late ones included, breaks it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amont.common.events import NotificationFailed, NotificationSent
from amont.common.events.values import DeliveryStatus, EmployeeStatus, Role
from amont.common.testing.hearing import START
from amont.notifications.domain.delivery import (
    LEASE,
    LOOK_AGAIN,
    MOST_ATTEMPTS,
    PATIENCE,
    PAUSES,
    START_WITHIN,
    Channel,
    Delivery,
    Kind,
    Matter,
    Notice,
)
from amont.notifications.domain.people import Known, Programme, Recipient
from amont.notifications.mails import MailKind

SECOND = timedelta(seconds=1)
READER = Recipient(id="fr:e-1", given_name="A", email="a@example.com", language="fr")
PARTNER = Recipient(id="us:e-2", given_name="B", email="b@example.com", language="en")
KNOWN = Known(recipient=READER, partner=PARTNER, programme=Programme(id="p", name="P"), subsidiary=None)
PLANNED = Delivery.plan(
    "delivery-1",
    Notice(person=READER.id, kind=Kind.PAIR_RESUMED, matter=Matter(programme="p", role=Role.MENTEE, pair="pair-1", partner=PARTNER.id)),
    channel=Channel.MAIL,
    about="event-1",
    happened_at=START,
    now=START,
).state
CLAIMED = PLANNED.take_up(KNOWN, START).state


def test_everything_that_can_be_told_has_its_mail() -> None:
    assert {kind.value for kind in Kind} == {kind.value for kind in MailKind}


def test_a_plan_is_due_at_once_and_a_claim_when_its_lease_is_over() -> None:
    assert (PLANNED.status, PLANNED.due_at) == (DeliveryStatus.PENDING, START)
    assert (CLAIMED.status, CLAIMED.due_at, CLAIMED.attempts) == (DeliveryStatus.SENDING, START + LEASE, 1)


def test_a_claim_can_be_used_early_in_its_lease_and_by_its_own_attempt_only() -> None:
    assert CLAIMED.is_held(1, START + START_WITHIN)
    assert not CLAIMED.is_held(1, START + START_WITHIN + SECOND)
    assert not CLAIMED.is_held(2, START)
    assert not PLANNED.is_held(0, START)


def test_a_claim_given_back_counts_for_nothing() -> None:
    back = CLAIMED.give_back(1, START + LEASE).state
    assert (back.status, back.attempts, back.due_at) == (DeliveryStatus.PENDING, 0, START + LEASE)


def test_pauses_grow_and_end_within_a_day() -> None:
    assert list(PAUSES) == sorted(PAUSES)
    assert PAUSES[:4] == (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
    assert timedelta(hours=23) < sum(PAUSES, timedelta()) <= timedelta(hours=24)


def test_a_message_that_kills_every_process_is_given_up() -> None:
    delivery = PLANNED
    for number in range(MOST_ATTEMPTS):
        delivery = delivery.take_up(KNOWN, START + number * LEASE).state
        assert delivery.attempts == number + 1
    decision = delivery.take_up(KNOWN, START + MOST_ATTEMPTS * LEASE)
    assert (decision.state.status, decision.state.reason) == (DeliveryStatus.FAILED, "unavailable")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"recipient": None}, "unknown-recipient"),
        ({"partner": None}, "unknown-partner"),
        ({"programme": None}, "unknown-programme"),
        ({"recipient": replace(READER, language=None)}, "unknown-subsidiary"),
    ],
)
def test_what_is_unknown_is_looked_for_each_minute_for_a_day(change: dict[str, Recipient | None], reason: str) -> None:
    known = replace(KNOWN, **change)
    waiting = PLANNED.take_up(known, START).state
    assert waiting == replace(PLANNED, due_at=START + LOOK_AGAIN)
    nearly = replace(waiting, due_at=START + PATIENCE - SECOND)
    assert nearly.take_up(known, START + PATIENCE - SECOND).state.status is DeliveryStatus.PENDING
    assert nearly.take_up(known, START + PATIENCE).state.reason == reason


def test_a_message_that_names_no_partner_waits_for_none() -> None:
    alone = replace(PLANNED, matter=replace(PLANNED.matter, partner=None))
    assert alone.take_up(replace(KNOWN, partner=None), START).state.status is DeliveryStatus.SENDING


@pytest.mark.parametrize(
    ("recipient", "reason"), [(replace(READER, email=None), "no-address"), (replace(READER, status=EmployeeStatus.LEFT), "left")]
)
@pytest.mark.parametrize("delivery", [PLANNED, CLAIMED])
def test_with_nobody_to_write_to_it_is_suppressed_without_a_word(delivery: Delivery, recipient: Recipient, reason: str) -> None:
    decision = delivery.take_up(replace(KNOWN, recipient=recipient, programme=None), START)
    suppressed = decision.state
    assert (suppressed.status, suppressed.reason, suppressed.due_at) == (DeliveryStatus.SUPPRESSED, reason, suppressed.kept_until)
    assert decision.events == ()


def test_who_is_on_leave_is_written_to() -> None:
    known = replace(KNOWN, recipient=replace(READER, status=EmployeeStatus.ON_LEAVE))
    assert PLANNED.take_up(known, START).state.status is DeliveryStatus.SENDING


def test_events_carry_the_outcome_and_nothing_about_the_reader_but_their_id() -> None:
    common = {"delivery": "delivery-1", "person": "fr:e-1", "channel": "mail", "kind": "pair-resumed", "about": "event-1", "at": START}
    assert CLAIMED.hand_over(START).events == (NotificationSent(seq=1, status=DeliveryStatus.SENT, **common),)
    refused = CLAIMED.refuse(1, "refused-550", START)
    assert refused.events == (NotificationFailed(seq=1, status=DeliveryStatus.FAILED, reason="refused-550", **common),)


STEPS = st.tuples(
    st.sampled_from(["take_up", "hand_over", "refuse", "postpone", "give_back"]),
    st.integers(1, 4),
    st.integers(0, 400).map(lambda m: m * SECOND * 60),
)


@given(st.lists(STEPS, max_size=60))
def test_whatever_comes_in_whatever_order_an_end_is_an_end_and_is_said_once(steps: list[tuple[str, int, timedelta]]) -> None:
    delivery, now, said = PLANNED, START, []
    for verb, attempt, pause in steps:
        now += pause
        before = delivery
        if verb == "take_up":
            if delivery.is_over or delivery.due_at is None or delivery.due_at > now:
                continue
            decision = delivery.take_up(KNOWN, now)
        elif verb == "hand_over":
            decision = delivery.hand_over(now)
        elif verb == "refuse":
            decision = delivery.refuse(attempt, "refused-550", now)
        else:
            decision = getattr(delivery, verb)(attempt, now)
        delivery = decision.state
        said += decision.events
        assert not before.is_over or delivery == before
        assert delivery.is_over == (delivery.due_at == delivery.kept_until)
        assert 0 <= delivery.attempts <= MOST_ATTEMPTS
    assert len(said) == (delivery.status in {DeliveryStatus.SENT, DeliveryStatus.FAILED})
