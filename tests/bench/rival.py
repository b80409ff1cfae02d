"""One solver on one job, in a process of its own: prints seconds of the job alone, processor seconds and the most memory of the process, and what it found.

Runs in the peers' environment, which has nothing of ours, but for `amont` and `worth`, which are our own in ours. So every import stands where it is needed.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Told = dict[str, Any]


def dense(solver: str, path: str) -> Told:
    """The heaviest assignment of a matrix of int16 weights, 0 where nothing is allowed; read in parts, so that the peer's own matrix is the only whole one.

    A solver that takes longer than `BENCH_PATIENCE` seconds is cut off: SIGALRM ends the process.
    """
    import numpy as np

    head = np.load(path, mmap_mode="r")
    rows, columns = head.shape

    def parts() -> Iterator[tuple[int, Any]]:
        with Path(path).open("rb") as file:
            file.seek(head.offset)
            for first in range(0, rows, 512):
                yield first, np.fromfile(file, np.int16, min(512, rows - first) * columns).reshape(-1, columns)

    top = max(int(part.max()) for _, part in parts())
    square = solver.startswith("lapx")
    cost = np.full((columns if square else rows, columns), top, np.float32 if solver == "lapx lapjvs" else np.float64)
    for first, part in parts():
        cost[first : first + len(part)] -= part
    solve = _solver(solver)
    signal.alarm(int(os.environ["BENCH_PATIENCE"]))
    begun = time.perf_counter()
    where = solve(cost)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "total": sum(top - int(cost[row, where[row]]) for row in range(rows))}


def _solver(name: str) -> Callable[[Any], Any]:
    """From costs to the column of each row, its library loaded."""
    if name.startswith("lapx"):
        import lap

        if name == "lapx lapjv":
            return lambda cost: lap.lapjv(cost, extend_cost=False)[1]
        return lambda cost: lap.lapjvs(cost, extend_cost=False, jvx_like=False)[1]
    if name == "munkres":
        from munkres import Munkres

        return lambda cost: [column for _, column in sorted(Munkres().compute(cost.tolist()))]
    from scipy.optimize import linear_sum_assignment

    return lambda cost: linear_sum_assignment(cost)[1]


def flow(path: str) -> Told:
    """The heaviest assignment with capacities on a sparse graph, as a flow of least cost: OR-tools SimpleMinCostFlow. Seconds of `solve` alone."""
    import numpy as np
    from ortools.graph.python import min_cost_flow

    graph = np.load(path)
    row, column, weight, places = (graph[name].astype(np.int64) for name in ("row", "column", "weight", "places"))
    rows, columns = int(graph["rows"]), len(places)
    source, sink = rows + columns, rows + columns + 1
    mentees, mentors = np.arange(rows), rows + np.arange(columns)
    network = min_cost_flow.SimpleMinCostFlow()
    pairs = network.add_arcs_with_capacity_and_unit_cost(row, rows + column, np.ones(len(row), np.int64), -weight)
    network.add_arcs_with_capacity_and_unit_cost(np.full(rows, source), mentees, np.ones(rows, np.int64), np.zeros(rows, np.int64))
    network.add_arcs_with_capacity_and_unit_cost(mentors, np.full(columns, sink), places, np.zeros(columns, np.int64))
    network.add_arcs_with_capacity_and_unit_cost(mentees, np.full(rows, sink), np.ones(rows, np.int64), np.zeros(rows, np.int64))
    network.set_nodes_supplies(np.array([source, sink]), np.array([rows, -rows]))
    begun = time.perf_counter()
    status = network.solve()
    seconds = time.perf_counter() - begun
    assert status == network.OPTIMAL, status
    return {"seconds": seconds, "total": -network.optimal_cost(), "pairs": int(network.flows(pairs).sum())}


def amont(path: str) -> Told:
    """The same graph by our sparse solver, from a list of pairs to the assignment and the prices that prove it."""
    import numpy as np

    from amont.matching.domain.engine import warm
    from amont.matching.domain.engine.assignment import graph_of, nothing_yet, scratch, settle
    from amont.matching.domain.engine.generation import PATIENCE

    warm()
    graph = np.load(path)
    row, column, weight, places, rows = (graph[name] for name in ("row", "column", "weight", "places", "rows"))
    begun = time.perf_counter()
    state = nothing_yet(int(rows), places)
    waiting = np.arange(int(rows), dtype=np.int32)
    known = graph_of(int(rows), len(places), row, column, weight)
    settle(known, state, 0, scratch(len(places), len(row)), waiting, PATIENCE * len(waiting) + 64, 0)
    seconds = time.perf_counter() - begun
    assert (state.profit[row] + state.price[column] >= weight).all(), "no proof"
    total = int(weight[state.mate[row] == column].sum())
    assert total == state.profit.sum() + (state.price * places).sum(), "no proof"
    return {"seconds": seconds, "total": total, "pairs": int((state.mate >= 0).sum())}


def worth(pool: str) -> Told:
    """What each pair of a pool file's optimum is worth to the total, by our engine; seconds of that alone."""
    import numpy as np

    from amont.matching.domain.engine import warm
    from amont.matching.domain.engine.bothways import worth_of_pairs
    from amont.matching.domain.engine.columns import compact
    from amont.matching.domain.engine.optimum import optimise
    from amont.matching.domain.engine.plain import scanner
    from amont.matching.domain.policy import Policy
    from amont.matching.domain.progress import Lasting, unseen
    from amont.matching.files import read_pool

    warm()
    threads, nobody = len(os.sched_getaffinity(0)), np.empty((2, 0), np.int32)
    whole = compact(read_pool(Path(pool).read_bytes(), Policy()), Policy())
    market = optimise(whole.table, scanner(whole.table, threads), Policy(), nobody, lambda *_: None).market
    rows = np.flatnonzero(market.state.mate >= 0).astype(np.int32)
    begun, before = time.perf_counter(), time.process_time()
    found = worth_of_pairs(whole, whole.table, Policy(), market, nobody, rows, threads, Lasting(unseen))
    return {
        "seconds": time.perf_counter() - begun,
        "spent": time.process_time() - before,
        "irreplaceable": sum(one is None for one in found),
    }


def mentor_match(path: str) -> Told:
    """mentor-match's own job: people with grade, organisation and profession, rules as its manual writes them, one round. Seconds of `process_data` alone."""
    from matching.mentee import Mentee
    from matching.mentor import Mentor
    from matching.process import process_data
    from matching.rules.rule import Disqualify, Generic, Rule

    job = json.loads(Path(path).read_text(encoding="utf-8"))
    mentors, mentees = ([kind(**one) for one in job[name]] for kind, name in ((Mentor, "mentors"), (Mentee, "mentees")))

    def gap(match: Any) -> int:
        return match.mentee.grade - match.mentor.grade

    class Gap(Rule):
        def apply(self, match: Any) -> int:
            return self.results.get(gap(match), 0)

    rules = [  # the last one is asked first
        Gap({int(wanted): points for wanted, points in job["gap_points"].items()}),
        Generic({True: job["function"], False: 0}, lambda match: match.mentee.profession != match.mentor.profession),
        Disqualify(lambda match: match.mentee.organisation == match.mentor.organisation),
        Disqualify(lambda match: gap(match) < job["least_gap"]),
    ]
    begun = time.perf_counter()
    process_data(mentors, mentees, [rules])
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "made": [[one.email, one.mentors[0].email] for one in mentees if one.mentors]}


def main(name: str, *arguments: str) -> None:
    jobs = {"flow": flow, "amont": amont, "worth": worth, "mentor-match": mentor_match}
    told = jobs[name](*arguments) if name in jobs else dense(name, *arguments)
    peak = next(line.split()[1] for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    print(json.dumps({**told, "processor": time.process_time(), "kb": int(peak)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
