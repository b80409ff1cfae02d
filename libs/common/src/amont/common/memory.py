"""How the process collects cyclic garbage, said once when it starts: the shell frees nearly everything by itself, and searching costs.

A service keeps some hundred thousand objects for good (its modules, what it wrote last). Python's defaults search through them again and again
under load, which takes a quarter of the time of a batch. What lives for ever is set aside, and the young are looked at in larger groups.
"""

import gc

YOUNG, MIDDLE, OLD = 50_000, 20, 20
"""When each generation is searched: after so many new objects, and after so many searches of the one before."""


def settle() -> None:
    """Call it once everything is imported and built."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
