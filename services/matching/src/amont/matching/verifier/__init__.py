"""Doubts a result: looks at every pair of its pool again and checks all that the result claims, without a line of the solver's code.

What it uses of the rest: the readers of files, and the definition (rules, points, hours, lines). For large pools both are written anew in
plain numpy, and the tests hold that against the definition. It says everything that is wrong and where.
"""

from amont.matching.verifier.findings import Report
from amont.matching.verifier.verifying import verify

__all__ = ["Report", "verify"]
