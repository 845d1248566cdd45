"""Ends a worker process when the one that started it has ended, however that came about and whatever it is doing.

Imports nothing but the standard library, so that it is in force before anything slow is imported.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1  # of Linux's prctl(2)


def hold(descriptor: int, parent: int) -> None:
    """Tie this process to its parent.

    Parameters
    ----------
    descriptor : int
        The reading end of a pipe whose writing end the parent alone has, and never writes to.
    parent : int
        Its process id.
    """
    if sys.platform == "linux":
        import ctypes

        # The kernel's own way: also when this process hangs in a library that never lets Python run again.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(0)
    threading.Thread(target=_wait, args=(descriptor,), daemon=True).start()


def _wait(descriptor: int) -> None:
    os.read(descriptor, 1)  # returns when the writing end is closed
    os._exit(0)
