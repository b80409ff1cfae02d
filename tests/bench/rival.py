"""One peer on one matrix of weights, in an environment that has nothing of ours: prints seconds, the most memory it held, and the total it found."""

import json
import sys
import time
from pathlib import Path

import numpy as np


def main(name: str, path: str) -> None:
    weights = np.load(path)
    cost = (weights.max() - weights).astype(np.float64)
    begun = time.perf_counter()
    if name == "lapx":
        import lap

        _, columns, _ = lap.lapjv(cost, extend_cost=True)
        rows = np.arange(len(columns))
    else:
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(cost)
    seconds = time.perf_counter() - begun
    kept = columns >= 0
    peak = next(line for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"seconds": seconds, "kb": int(peak.split()[1]), "total": int(weights[rows[kept], columns[kept]].sum())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
