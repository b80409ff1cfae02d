"""The promises about delivery, written down once: pure functions on plain evidence, shared by the simulator, the kill tests and the campaign.

`evidence` is what is left when all is quiet: every document, every record on the log, what the mail server took, how often processes were cut off.
`checks` says in words what was not kept (`broken`), and counts (`figures`); `telling` works out
who had to be told what, `parked` counts dead letters. `tables` declares which collections copy others' facts. How evidence is
collected, and how a run is made to hurt, is not here; what the log alone would give on empty stores is computed in `amont.common.testing.replay`.
"""

from amont.common.testing.promises.checks import broken, figures
from amont.common.testing.promises.evidence import Documents, Evidence, Place, Poison
from amont.common.testing.promises.tables import LISTENERS, OWN, OWNERS, PROJECTIONS, Listener, Owner, Projection

__all__ = [
    "LISTENERS",
    "OWN",
    "OWNERS",
    "PROJECTIONS",
    "Documents",
    "Evidence",
    "Listener",
    "Owner",
    "Place",
    "Poison",
    "Projection",
    "broken",
    "figures",
]
