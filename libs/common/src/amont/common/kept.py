"""How long the services keep what they keep for a time and not for good, where several of them must mean the same. Pure: domains set their clocks by it.

What only one service keeps, and how long, is said there; dead letters and erasures have clocks of their own.
"""

from datetime import timedelta

HISTORY_KEPT = timedelta(days=730)
"""The history of pairs: a pair, its sessions and what the two were told, and who was in a round. Then counts are all that is left (24 months)."""
DECISIONS_KEPT = timedelta(days=365)
"""Who decided something, and why: the audit's year."""
