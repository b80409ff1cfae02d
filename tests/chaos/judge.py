"""From what was collected to one line per promise. Whether the evidence is right, `amont.common.testing.promises` says; here it is sorted by promise."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.chaos.evidence import changes_of, copies_behind
from tests.chaos.hands import Hands
from tests.chaos.latency import Latencies
from tests.chaos.letters import Replayed
from tests.chaos.outage import DRAINED_WITHIN, Outage
from tests.chaos.poison import refused_people
from tests.chaos.pulse import ENOUGH
from tests.chaos.report import Line
from tests.chaos.staff_load import person_id

from amont.common.testing.promises import Evidence, broken, figures

SLOWER_AT_MOST = 2.0
ENOUGH_ROLLS = 5
"""With so many rolling restarts some must fall on records that are in hand, or the run has shown nothing."""
TWICE = ("two things", "twice", "above capacity", "came again", "repeated")
ORDER = ("out of order", "comes last")
PARKED = ("parked",)


@dataclass(frozen=True, slots=True)
class Peace:
    """What came of the rolling restarts."""

    redelivered: int
    repeated: int
    """Events published again."""
    unclean: int
    """Processes that ended with another exit code than 0."""
    in_hand: int
    """Records that were being handled when their reader was told to stop."""
    uncommitted: int
    """Positions that their group did not take. Whoever is silent for longer than the session time-out is out of the group: then it is the machine."""
    late: int = 0
    """How often something was said late, because it had taken longer than some seconds."""
    share: float = 1.0
    """Of a core: how much of one the machine gave to whoever wanted it."""

    @property
    def starved(self) -> bool:
        """Whether limits of some seconds were reached on a machine that had no time to give."""
        return self.share < ENOUGH and bool(self.uncommitted or self.late)


@dataclass(slots=True)
class Noted:
    """What stages saw that the evidence at the end does not hold."""

    latencies: Latencies | None = None
    replayed: Replayed | None = None
    outages: list[Outage] = field(default_factory=list)
    in_peace: Peace | None = None
    redelivered: int = 0
    kafka_kills: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    """What a stage could not do, by stage."""


def lines(hands: Hands, evidence: Evidence, noted: Noted) -> list[Line]:
    """One line per promise, and one for every stage that failed."""
    late = refused_people(hands.staff.poison) if noted.replayed else {}
    sent = {person_id(person): f"f{count}" for person, count in enumerate(hands.staff.versions)} | late
    behind = copies_behind(evidence, sent)
    wrong = [*broken(evidence), *hands.staff.unheard(changes_of(evidence)), *(one for one in behind if not _about(one, late))]
    sorted_ = {promise: tuple(one for one in wrong if _promise(one) == promise) for promise in ("P1", "P2", "P3", "P4")}
    seen = figures(evidence)
    kills = sum(hands.crashes.values())
    found = [
        _line(
            "P1",
            "no committed command loses its event",
            sorted_["P1"],
            f"{hands.staff.sent} staff events, {seen['events']} events, {kills} cut off, {noted.kafka_kills} kills of Kafka",
        ),
        _twice(sorted_["P2"], noted, seen, hands.size.redeliveries, died=kills + noted.kafka_kills),
        _line("P3", "order per person and per pair", sorted_["P3"], f"{seen['events']} events"),
        _poison(sorted_["P4"], noted, seen),
        _replayed(noted.replayed, len(late), tuple(one for one in behind if _about(one, late))),
        _outages(noted),
        _rolling(noted, hands.size.rolls),
    ]
    return found + [
        Line("--", f"the stage {stage!r} came to its end", "it did not", kept=False, faults=(why,)) for stage, why in noted.failures.items()
    ]


def _promise(fault: str) -> str:
    for promise, words in (("P3", ORDER), ("P4", PARKED), ("P2", TWICE)):
        if any(word in fault for word in words):
            return promise
    return "P1"


def _line(promise: str, says: str, faults: tuple[str, ...], figure: str) -> Line:
    return Line(promise, says, f"{len(faults)} faults in {figure}", not faults, faults[:5])


def _twice(faults: tuple[str, ...], noted: Noted, seen: dict[str, int], needed: int, *, died: int) -> Line:
    """Nothing need come again where nobody died."""
    again = noted.redelivered + seen["repeated on the log"]
    on_log, mails = seen["repeated on the log"], f"{seen['mails again']} of {seen['mails']} mails again"
    figure = f"{noted.redelivered} redeliveries and {on_log} repetitions on the log seen, {mails}"
    if not faults and again <= needed:
        too_few = f"{figure}: too few to show anything, more than {needed} are needed"
        return Line("P2", "an event takes effect once per reader", too_few, kept=False if died else None)
    return _line("P2", "an event takes effect once per reader", faults, figure)


def _poison(faults: tuple[str, ...], noted: Noted, seen: dict[str, int]) -> Line:
    figure, slower = f"{seen['dead letters']} dead letters, {seen['parked again']} parked again", ()
    if noted.latencies is not None:
        figure += f", {noted.latencies.text()}"
        if noted.latencies.ratio >= SLOWER_AT_MOST:
            slower = (f"other keys are {noted.latencies.ratio:.2f} x slower at p99",)
    return _line("P4", "a poison event blocks nobody", (*faults, *slower), figure)


def _about(fault: str, people: Mapping[str, str]) -> bool:
    return any(f" {id_} " in fault for id_ in people)


def _replayed(replayed: Replayed | None, people: int, faults: tuple[str, ...]) -> Line:
    says = "replay of dead letters converges"
    if replayed is None:
        return Line("P5", says, "no replay in this run", None)
    figure = f"{replayed.asked} letters replayed after the fix, {replayed.left} refused again, {people} people known to all readers as they were sent"
    asked = () if replayed.asked >= people else (f"{people - replayed.asked} letters were not there",)
    left = (f"{replayed.left} letters were refused again or left",) if replayed.left or replayed.code else ()
    return _line("P5", says, (*faults, *asked, *left), figure)


def _outages(noted: Noted) -> Line:
    says = "survives minutes without Kafka, without the store"
    if not noted.outages:
        return Line("P6", says, "no outage in this run", None)
    late = [f"{one.of}: drained after {one.drained_after:.0f} s" for one in noted.outages if one.drained_after >= DRAINED_WITHIN]
    figure = "; ".join(
        f"{one.of}: drained {one.drained_after:.0f} s after its return, answered {one.answers.text()}" for one in noted.outages
    )
    return _line("P6", says, (*late, *(fault for one in noted.outages for fault in one.faults)), figure)


def _rolling(noted: Noted, rolls: int) -> Line:
    says = "a graceful deployment repeats nothing"
    if noted.in_peace is None:
        return Line("P7", says, "no rolling restart in this run", None)
    seen = noted.in_peace
    figure = (
        f"{seen.redelivered} redeliveries, {seen.repeated} repetitions on the log and {seen.unclean} unclean stops in {rolls} rolling restarts "
        f"under load, {seen.in_hand} records in hand when told to stop"
    )
    if not seen.in_hand and rolls >= ENOUGH_ROLLS:
        return Line("P7", says, f"{figure}: there was nothing to repeat", kept=False)
    if seen.uncommitted:
        figure += f"; {seen.uncommitted} positions not taken by their groups (commit_failed: a machine too slow for the session time-out?)"
    if seen.starved and (seen.redelivered or seen.repeated) and not seen.unclean:
        starved = f"{figure}; the machine gave {seen.share:.0%} of a core, and {seen.late} times something was said late: run it where there is time"
        return Line("P7", says, starved, None)
    return Line("P7", says, figure, not (seen.redelivered or seen.repeated or seen.unclean))
