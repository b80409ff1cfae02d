"""Erasure leaves nothing: somebody is planted, uses everything there is, is erased, and then every store, log and folder is searched byte by byte."""

import asyncio
import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.privacy.planted import (
    BOSS,
    COORDINATOR,
    EMPLOYEE_ID,
    ERASED_BEFORE,
    GROUP,
    NAMES,
    PERSON,
    REPORT,
    Story,
    files_under,
    herself,
    hits,
    lived,
)
from tests.support.programme import staff
from tests.support.rewriting import a_day_goes_by
from tests.support.together import Together, together

from amont.common.documents import Find
from amont.common.erasing import FORGOTTEN_AFTER
from amont.common.events.values import instant_text
from amont.common.kept import DECISIONS_KEPT
from amont.common.sqlite import connect
from amont.enrolment.domain.erasure import digest_of

DAY = timedelta(days=1)
KINDS_THAT_NAME_HER = {
    "enrolment/dead_letters",
    "enrolment/employees",
    "enrolment/erasures",
    "enrolment/feeds",
    "enrolment/invitations",
    "enrolment/programmes",
    "enrolment/scim_users",
    "enrolment/seats",
    "enrolment/subsidiaries",
    "matching/enrolments",
    "matching/pairs",
    "matching/people",
    "matching/round_pages",
    "matching/rulings",
    "notifications/deliveries",
    "notifications/recipients",
    "scheduling/enrolments",
    "scheduling/people",
    "scheduling/plans",
}
"""Where she must have been for the search to show anything."""


Documents = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What there was before, right after she was erased, and after her id went, too; and the files that are left when everything has stopped."""

    story: Story
    before: Documents
    cleared: Documents
    forgotten: Documents
    mails: dict[str, bytes]
    files: dict[str, bytes]
    certificate: dict[str, Any]
    logged: str


async def everything(all_four: Together) -> Documents:
    """Every document of every store."""
    found = {}
    for name, service in all_four.services.items():
        house = service.unit.house
        for collection in house.collections.values():
            for one in await house.store.find(Find(collection=collection.name, limit=10_000)):
                found[f"{name}/{collection.name}/{one['_id']}"] = one
    return found


def as_bytes(documents: Documents) -> dict[str, bytes]:
    return {where: json.dumps(one, ensure_ascii=False).encode() for where, one in documents.items()}


def kinds(found: list[tuple[str, str]]) -> set[str]:
    return {"/".join(where.split("/")[:2]) for where, _ in found}


async def ordered(all_four: Together) -> str:
    """Her erasure, as far as it gets at once: its reference."""
    answer = await all_four.done("POST", f"/enrolment/employees/{PERSON}/erase", COORDINATOR, {"reason": NAMES[6]})
    for _ in range(12):
        await all_four.passes(timedelta(seconds=10))
    return str(answer["reference"])


async def time_goes_by(all_four: Together) -> None:
    """Until the ids go, too."""
    for time_passed in (timedelta(hours=2), DAY, FORGOTTEN_AFTER - DAY, *[timedelta(hours=1), timedelta(seconds=10)] * 3):
        await all_four.passes(time_passed)


async def sent_again(all_four: Together) -> None:
    """The HR system goes on sending her, and her report with her as the manager."""
    again = {"occurred_at": "2027-03-01T08:00:00Z", "effective_at": "2027-02-01"}
    await all_four.hears([herself(**again), staff("fr", 2, manager_id=EMPLOYEE_ID, function="c", **again)])


async def written_anew(folder: Path) -> None:
    """Each file, as whoever opens it a day later does."""
    for path in await asyncio.to_thread(lambda: list(folder.rglob("*.sqlite"))):
        a_day_goes_by(path)
        connect(path, sync="full").close()


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("erasure")
    with capture_logs() as lines:
        async with together(folder) as all_four:
            story = await lived(all_four)
            before, mails = await everything(all_four), files_under(all_four.mails)
            reference = await ordered(all_four)
            await sent_again(all_four)
            cleared = await everything(all_four)
            await time_goes_by(all_four)
            await sent_again(all_four)
            forgotten = await everything(all_four)
            certificate = await all_four.done("GET", f"/enrolment/erasures/{reference}", GROUP)
            await all_four.log.tidy(time.time() + timedelta(days=31).total_seconds())
        await written_anew(folder)
    return Scene(
        story=story,
        before=before,
        cleared=cleared,
        forgotten=forgotten,
        mails=mails,
        files=files_under(folder),
        certificate=certificate,
        logged=json.dumps(lines, default=str, ensure_ascii=False),
    )


def test_she_was_everywhere_before(scene: Scene) -> None:
    assert kinds(hits(as_bytes(scene.before), [PERSON])) >= KINDS_THAT_NAME_HER
    assert hits(scene.mails, [NAMES[0]])
    assert hits(scene.mails, [NAMES[2]])


def test_names_and_what_she_said_are_gone_at_once_and_her_bare_id_stays_only_where_it_keeps_older_facts_out(scene: Scene) -> None:
    assert hits(as_bytes(scene.cleared), [*NAMES[:3], *NAMES[4:6]]) == []
    assert kinds(hits(as_bytes(scene.cleared), [PERSON])) == {
        "enrolment/employees",
        "enrolment/erasures",
        "matching/clearings",
        "matching/people",
        "notifications/clearings",
        "notifications/recipients",
        "scheduling/clearings",
        "scheduling/people",
    }


def test_after_eight_days_not_even_her_id_is_in_any_store_though_the_hr_system_goes_on_sending_it(scene: Scene) -> None:
    assert hits(as_bytes(scene.forgotten), [*NAMES, PERSON]) == []


def test_no_file_holds_anything_of_her_once_the_topics_have_let_go_of_what_they_held(scene: Scene) -> None:
    assert {"log.sqlite", "enrolment.sqlite", "matching.sqlite", "scheduling.sqlite", "notifications.sqlite"} <= scene.files.keys()
    assert hits(scene.files, [*NAMES, EMPLOYEE_ID]) == []


def test_the_logs_never_held_her_name_or_address(scene: Scene) -> None:
    assert scene.logged
    assert hits({"log": scene.logged.encode()}, [*NAMES[:3], *NAMES[4:]]) == []


def test_what_is_of_others_alone_is_as_it_was(scene: Scene) -> None:
    of_her = {where for where, _ in hits(as_bytes(scene.before), [PERSON, EMPLOYEE_ID])}
    erased_before = {
        where for where, content in as_bytes(scene.before).items() if ERASED_BEFORE.encode() in content or digest_of(ERASED_BEFORE) in where
    }
    of_others = scene.before.keys() - of_her - erased_before
    assert len(of_others) > 20
    changed = [where for where in sorted(of_others) if _state(scene.before[where]) != _state(scene.forgotten[where])]
    waited = "enrolment/employees/de:e3"  # for the seat that is free now
    assert changed == ["enrolment/doors/fr", waited, f"matching/rounds/{scene.story.round}"]


def test_a_round_that_had_her_in_its_pool_keeps_that_no_longer_and_everything_else_it_says(scene: Scene) -> None:
    before, after = (_state(one[f"matching/rounds/{scene.story.round}"]) for one in (scene.before, scene.forgotten))
    next_clock = instant_text(datetime.fromisoformat(before["published_at"]) + DECISIONS_KEPT)
    assert after == {**before, "due_at": next_clock, "answer": {**before["answer"], "passed": True, "policy_file": None}}
    assert not [where for where in scene.forgotten if where.startswith("matching/round_pages/") and "/pool/" in where]


def _state(document: dict[str, Any]) -> dict[str, Any]:
    """Without what the shell keeps beside it: how often it was written, what it has heard."""
    return {name: value for name, value in document.items() if name not in {"v", "_seen"}}


def test_the_pair_and_its_sessions_stay_for_the_partner_with_an_id_that_names_nobody(scene: Scene) -> None:
    before, after = (one[f"matching/pairs/{scene.story.pair}"] for one in (scene.before, scene.forgotten))
    assert (before["mentee"], after["mentee"][:10]) == (PERSON, "fr:erased-")
    assert (after["mentor"], after["score"], after["topics"], after["status"], after["ended"]) == (
        before["mentor"],
        before["score"],
        before["topics"],
        "ended",
        "left",
    )
    plans = [one[f"scheduling/plans/{scene.story.pair}"] for one in (scene.before, scene.forgotten)]
    assert [session["number"] for session in plans[1]["sessions"]] == [session["number"] for session in plans[0]["sessions"]]
    assert plans[1]["sessions"][0] == plans[0]["sessions"][0]


def test_her_report_reports_to_her_manager_from_then_on(scene: Scene) -> None:
    assert scene.before[f"enrolment/employees/{REPORT}"]["last"]["profile"]["managers"] == [PERSON]
    for documents in (scene.cleared, scene.forgotten):
        assert documents[f"enrolment/employees/{REPORT}"]["last"]["profile"]["managers"] == [BOSS]
        assert documents[f"matching/people/{REPORT}"]["managers"] == [BOSS]


def test_the_dead_letter_of_her_report_stays_without_her(scene: Scene) -> None:
    before, after = ({where for where in one if where.startswith("enrolment/dead_letters")} for one in (scene.before, scene.cleared))
    assert (len(before), len(after)) == (2, 1)
    (letter,) = (scene.cleared[where] for where in after)
    assert (letter["key"], letter["history"][-1]["what"]) == (REPORT, "redacted")


def test_the_certificate_says_what_was_erased_where_and_when_and_names_nobody(scene: Scene) -> None:
    certificate = scene.certificate
    assert certificate["stage"] == "forgotten"
    assert certificate["services"].keys() == {"enrolment", "matching", "scheduling", "notifications"}
    assert all(part["forgotten_at"] for part in certificate["services"].values())
    assert certificate["services"]["matching"]["changed"]["pairs"] == 1
    assert certificate["services"]["notifications"]["removed"] == {"recipients": 1}
    assert hits({"certificate": json.dumps(certificate).encode()}, [*NAMES, PERSON, COORDINATOR]) == []


def test_mails_to_her_are_gone_from_the_folder_and_those_of_others_that_do_not_name_her_stay(scene: Scene) -> None:
    of_hers = {where for where, _ in hits(scene.mails, NAMES[:3])}
    left = {where.removeprefix("mails/") for where in scene.files}
    assert of_hers
    assert not of_hers & left
    assert scene.mails.keys() - of_hers <= left
