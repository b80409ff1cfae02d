"""Store and log in memory, for the simulator and for replays: the same ports, nothing on disk, no thread, no socket, no clock but the loop's.

They keep the weak points of the real ones: a commit writes each document for itself, a call may be cut off in the middle, who has lost its partitions
goes on with the batch in hand and finds out at its commit. The ports' contract suites hold them to the rest.
"""

from amont.common.testing.memory.broker import Broker
from amont.common.testing.memory.log import MemoryLog
from amont.common.testing.memory.store import Database, MemoryStore

__all__ = ["Broker", "Database", "MemoryLog", "MemoryStore"]
