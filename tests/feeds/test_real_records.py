"""The four real feeds through the inbound topic: nothing crashes, nothing is silently dropped, every record is applied or accounted for by reason."""

from collections import Counter
from pathlib import Path

import pytest
from tests.conftest import FEEDS
from tests.support import feeds as real

from amont.common import metrics
from amont.common.identity import Actor, Privilege
from amont.common.testing.hearing import hearing
from amont.enrolment import commands
from amont.enrolment.app import build

GROUP = Actor("group:coordinator", "group", frozenset({Privilege.GROUP_COORDINATOR}))


def outcomes() -> Counter[tuple[str, str]]:
    samples = [sample for metric in metrics.HRIS_RECORDS.collect() for sample in metric.samples if sample.name.endswith("_total")]
    return Counter({(sample.labels["tenant"], sample.labels["outcome"]): int(sample.value) for sample in samples})


@pytest.mark.parametrize("feed", FEEDS)
async def test_every_record_of_a_real_feed_is_applied_or_accounted_for(feed: str, feeds: Path, tmp_path: Path) -> None:
    async with hearing(build, tmp_path) as enrolment:
        for tenant, table in real.grades(feeds, feed).items():
            await enrolment.asked(
                commands.add_subsidiary, tenant, GROUP, name=tenant, zone="Europe/London", languages=("en",), grades=table
            )
        records = list(real.records(feeds, feed))
        before = outcomes()
        await enrolment.hears(*records)
        counted = outcomes() - before
        parked = await enrolment.parked()
    by_outcome: Counter[str] = Counter()
    for (_, outcome), count in counted.items():
        by_outcome[outcome] += count
    print(feed, len(records), dict(by_outcome), Counter(reason for reason, _ in parked))
    unreadable = len(parked) - by_outcome["refused"]
    assert unreadable >= 0
    assert sum(by_outcome.values()) + unreadable == len(records)
    assert all(detail for _, detail in parked)
    assert not [reason for reason, _ in parked if reason == "defect"]
