"""How a process that plays seeds for another one begins. Apart from `__main__`, since a new process cannot find there what it is to begin with."""

import os
import signal
import threading
from multiprocessing import parent_process


def end_with_parent() -> None:
    """Nobody waits for a worker whose parent was killed; and Ctrl-C is for the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
