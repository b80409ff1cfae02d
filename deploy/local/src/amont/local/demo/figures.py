"""What a run came to, in numbers: from the log, from the HTTP API, and what only the demo knows (refusals). Nothing here names anybody."""

from dataclasses import asdict
from typing import Any

from amont.common.events import EmployeeEnrolled
from amont.common.events.matching import PairFact
from amont.common.events.values import PairStatus
from amont.common.identity import Privilege
from amont.local.demo.folder import Folder
from amont.local.demo.play import COORDINATOR, GROUP, START, Played
from amont.local.demo.world import World
from amont.local.group import PROGRAMME, Group
from amont.local.history import History, tally


async def figures(world: World, group: Group, played: Played, history: History, folder: Folder) -> dict[str, Any]:
    """All of them. The same seed gives the same ones."""
    await history.read_on()
    pairs = await world.every(COORDINATOR, f"/api/matching/v1/pairs?programme={PROGRAMME}&limit=200", GROUP)
    deliveries = await world.every("fr:operations", "/api/notifications/v1/deliveries?limit=200", Privilege.OPS)
    return {
        "days": (world.now - START).days,
        "people": {"made_up": len(group.people), "known": len(history.people), "by_subsidiary": _by_tenant(history)},
        "staff_records": {"sent": history.staff_records, "dead_letters": _dead_letters(history)},
        "enrolments": {
            "asked": len(group.wishes),
            "enrolled": history.counts[EmployeeEnrolled.__name__],
            "refused": len(played.refused),
            "refused_because": tally(code for one in played.refused for code, _ in one.reasons),
            "by_status": tally(one.status for one in history.enrolments.values()),
        },
        "round": {**played.round["answer"]["objective"], "unmatched": len(played.round["unmatched"])},
        "pairs": {
            "proposed": len(pairs),
            "by_state": tally(_state(history.pairs[pair["id"]]) for pair in pairs),
            "ever_confirmed": len({pair["id"] for pair in pairs if _ever_confirmed(history, pair["id"])}),
            "replacements": sum(pair["round"] != played.round["id"] for pair in pairs),
        },
        "sessions": {
            "by_state": tally(one.status for one in history.sessions.values()),
            "moved": history.counts["SessionRescheduled"],
        },
        "deliveries": tally(one["status"] for one in deliveries),
        "mails": {
            "files": sum(1 for _ in folder.mails.glob("*.eml")),
            "by_kind": tally(one["kind"] for one in deliveries if one["status"] == "sent"),
        },
        "refused_in_passing": dict(sorted(played.told_no.items())),
        "events": dict(sorted(history.counts.items())),
    }


def what_only_the_demo_knows(played: Played) -> dict[str, Any]:
    """What the overview cannot read from log or API."""
    return {"refused": [asdict(one) for one in played.refused], "round": played.round["id"], "incidents": played.incidents}


def _by_tenant(history: History) -> dict[str, int]:
    return tally(person.owner for person in history.people.values())


def _dead_letters(history: History) -> dict[str, int]:
    return tally(letter.reason for letter in history.dead_letters)


def _state(pair: PairFact) -> str:
    """`confirmed`, `completed`, `declined`: an ended pair is in the state of its end."""
    reason = getattr(pair, "reason", None)
    if pair.status is not PairStatus.ENDED:
        return str(pair.status)
    return str(reason) if reason else type(pair).__name__.removeprefix("Pair").lower()


def _ever_confirmed(history: History, pair: str) -> bool:
    return any(type(told.event).__name__ == "PairConfirmed" for told in history.story_of(pair))
