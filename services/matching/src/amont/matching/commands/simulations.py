"""What a coordinator may ask of simulations: request one, read it. Computing it is a job (`solving`)."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from amont.common.errors import Fault, Invalid
from amont.common.events import Policy
from amont.common.events.wording import detail
from amont.common.identity import Action, Actor, authorize
from amont.common.work import Work
from amont.matching import documents
from amont.matching.commands.listing import readable
from amont.matching.commands.looking import SOON
from amont.matching.commands.rounds import must_be_allowed
from amont.matching.commands.solving import Desk, Seats, seats_of
from amont.matching.domain.comparing import Comparison, compare
from amont.matching.domain.forbidding import Abiding
from amont.matching.domain.pooling import core_policy, unknown_rules
from amont.matching.domain.programme import Programme
from amont.matching.domain.progress import Progress
from amont.matching.domain.simulation import Simulation
from amont.matching.domain.solver import Solver


@dataclass(frozen=True, slots=True)
class SimulationRead:
    """A simulation, and the version readers know it by."""

    simulation: Simulation
    version: int


async def request_simulation(
    work: Work,
    programme_id: str,
    actor: Actor,
    *,
    policy: dict[str, Any] | None,
    against: dict[str, Any] | None,
    rules: bool,
    seed: str | None,
) -> SimulationRead:
    """Ask what `policy` would reach beside `against`; what either leaves out, and `against` as a whole, is the programme's own. Without `policy`, that alone.

    Raises NotFound, NotAllowed, Invalid.
    """
    programme = await work.get(Programme, programme_id)
    authorize(actor, Action.RUN_ROUND, programme.resource)
    id_ = work.new_id("simulation", programme.id)
    simulation = await work.peek(Simulation, id_)
    if simulation is None:
        named = {"against": against or {}, **({} if policy is None else {"policy": policy})}
        wanted = Simulation(
            id=id_,
            programme=programme.id,
            tenants=programme.tenants,
            seed=seed or id_,
            policies=tuple(_changed(programme.policy, changes, name) for name, changes in named.items()),
            rules=rules,
            requested_by=actor.person,
            requested_at=work.now,
            due_at=work.now,
        )
        simulation = work.save(wanted.becomes())
    return SimulationRead(simulation, work.version_of(simulation))


async def read_simulation(work: Work, simulation_id: str, actor: Actor) -> SimulationRead:
    """Raises NotFound, NotAllowed."""
    simulation = await work.get(Simulation, simulation_id)
    await must_be_allowed(work, actor, Action.READ_ROUND, simulation)
    return SimulationRead(simulation, work.version_of(simulation))


async def list_simulations(work: Work, programme_id: str, actor: Actor, after: tuple[str] | None, limit: int) -> list[Simulation]:
    """Those of a programme that the actor may read one by one. Raises NotFound, NotAllowed."""
    programme = await work.get(Programme, programme_id)
    authorize(actor, Action.READ_ROUND, programme.resource)
    return await readable(work, documents.simulations_of(programme_id), actor, after=after, limit=limit)


async def wake_simulation(simulation: Simulation, work: Work) -> None:
    """It is to be computed, or has been kept long enough."""
    if not simulation.waits:
        work.remove(simulation)
        return
    taken = work.save(simulation.take_up(work.now))
    if taken.attempt != simulation.attempt:
        work.afterwards(partial(work.tool(Desk).take, Simulation, taken.id, taken.attempt, solve_simulation))


async def solve_simulation(desk: Desk, simulation_id: str, attempt: int) -> None:
    """Compare the policies on the seats that are free now. Raises BrokenOff."""
    found = await desk.hold(Simulation, simulation_id, attempt, partial(desk.run, gather_for, simulation_id, attempt))
    if found is None:
        return
    compared = await desk.compute(Simulation, simulation_id, attempt, partial(_compared, desk.solver, *found))
    await desk.run(record_compared, simulation_id, attempt, *compared)


def _compared(solver: Solver, simulation: Simulation, seats: Seats, progress: Progress) -> tuple[Comparison, int, frozenset[str]]:
    """What the policies reach, for how many people, and of which tenants."""
    gathered = seats()
    pool = gathered.pool
    policies = [core_policy(policy) for policy in simulation.policies]
    comparison = compare(Abiding(solver, gathered.ruled_out), pool, policies, pins=gathered.pins, rules=simulation.rules, progress=progress)
    return comparison, len({person.id for person in pool.people}), gathered.tenants


async def gather_for(work: Work, simulation_id: str, attempt: int, progress: Progress) -> tuple[Simulation, Seats] | None:
    """What a simulation is computed from; None when the claim does not hold, or pairs are just being written."""
    simulation = await work.get(Simulation, simulation_id)
    if not simulation.holds(attempt):
        return None
    programme = await work.get(Programme, simulation.programme)
    if programme.publishing is not None:
        work.save(simulation.put_back(work.now + SOON))
        return None
    return simulation, await seats_of(work, programme, simulation.seed, progress)


async def record_compared(
    work: Work, simulation_id: str, attempt: int, comparison: Comparison, people: int, tenants: frozenset[str]
) -> None:
    """The simulation has its answer, unless the claim was lost."""
    simulation = await work.get(Simulation, simulation_id)
    if simulation.holds(attempt):
        work.save(simulation.solve(comparison, people, tenants, work.now))


def _changed(own: Policy, changes: dict[str, Any], name: str) -> Policy:
    """The programme's policy with these changes. Raises Invalid."""
    try:
        policy = Policy.model_validate({**own.model_dump(), **changes})
    except ValidationError as error:
        faults = [Fault("/".join(("", name, *map(str, fault["loc"]))), detail(fault, Policy, fault["loc"])) for fault in error.errors()]
        raise Invalid(f"{name} is no policy.", faults) from None
    unknown = unknown_rules(policy) if "off" in changes else ()
    if unknown:
        faults = [Fault(f"/{name}/off", f"{rule!r} is no rule that can be switched off") for rule in unknown]
        raise Invalid(f"{name} switches off what is no rule.", faults)
    return policy
