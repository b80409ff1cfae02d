"""The simulator: the four services with their real reactions, commands, unit of work, relay, sweeper and consumers, in a world that a seed decides.

The loop's time is virtual and its order drawn (`loop`); store and log are in memory, reached by lines on which anything may happen (`storm`); a process
may die at any await (`process`); the group may be split and the clock may jump (`world`); people go on with their lives (`people`). When the storm is
over and everything is quiet, every promise must have been kept (`run`, `amont.common.testing.promises`).

    python -m amont.common.testing.simulation --seed 7 --trace
"""

from amont.common.testing.simulation.run import Outcome, simulate

__all__ = ["Outcome", "simulate"]
