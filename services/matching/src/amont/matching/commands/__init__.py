"""One verb per thing that a person (`rounds`, `rulings`, `pairs`) or the clock (`clock`) may ask of matching, and what matching says because of it."""

from amont.common.events import (
    ErasedFromMatching,
    ExportedFromMatching,
    PairAccepted,
    PairConfirmed,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairProposed,
    PairResumed,
    PairSuspended,
    RoundPublished,
)
from amont.matching.commands.clock import DUE, JOBS
from amont.matching.commands.cycles import list_cycles
from amont.matching.commands.pairs import accept_pair, coordinates, decline_pair, end_pair, list_pairs, read_pair
from amont.matching.commands.rounds import (
    RoundRead,
    discard_round,
    list_rounds,
    publish_round,
    read_result,
    read_round,
    read_rows,
    read_source,
    request_round,
    rows,
)
from amont.matching.commands.rulings import list_rulings, read_ruling, release, rule
from amont.matching.commands.simulations import SimulationRead, list_simulations, read_simulation, request_simulation
from amont.matching.commands.solving import Desk

__all__ = [
    "DUE",
    "JOBS",
    "PUBLISHES",
    "Desk",
    "RoundRead",
    "SimulationRead",
    "accept_pair",
    "coordinates",
    "decline_pair",
    "discard_round",
    "end_pair",
    "list_cycles",
    "list_pairs",
    "list_rounds",
    "list_rulings",
    "list_simulations",
    "publish_round",
    "read_pair",
    "read_result",
    "read_round",
    "read_rows",
    "read_ruling",
    "read_simulation",
    "read_source",
    "release",
    "request_round",
    "request_simulation",
    "rows",
    "rule",
]

PUBLISHES = (
    ErasedFromMatching,
    ExportedFromMatching,
    RoundPublished,
    PairProposed,
    PairAccepted,
    PairConfirmed,
    PairDeclined,
    PairExpired,
    PairSuspended,
    PairResumed,
    PairEnded,
)
