"""The files of the matching engine: pools and policies from bytes to values with every fault listed, and back; results from values to bytes.

Pure: nothing here opens a file, knows the time or asks the network. What the values mean is the domain's; the formats are fixed to the digit
in the scoring contract, and told to integrators in docs/matching/files.md.
"""

from amont.matching.files.faults import Fault, Refused
from amont.matching.files.policies import NO_POLICY, read_policy, write_policy
from amont.matching.files.pools import Unwritable, pool_lines, read_pool, without_effect
from amont.matching.files.results import Block, Head, Origin, digest, result_file, write_result

__all__ = [
    "NO_POLICY",
    "Block",
    "Fault",
    "Head",
    "Origin",
    "Refused",
    "Unwritable",
    "digest",
    "pool_lines",
    "read_policy",
    "read_pool",
    "result_file",
    "without_effect",
    "write_policy",
    "write_result",
]
