"""How many live sessions may run at once: each needs nearly half of a processor core and some hundred megabytes."""

from __future__ import annotations

import os
import threading

from formcheck.errors import FormcheckError


class LiveError(FormcheckError):
    """A live session cannot begin or go on."""


class Places:
    """A number of places, taken and given back from any thread.

    Parameters
    ----------
    count : int
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def free(self) -> int:
        """How many are free at this moment."""
        with self._lock:
            return self.count - self._taken

    def take(self) -> None:
        """Take a place.

        Raises
        ------
        LiveError
            When none is free.
        """
        with self._lock:
            if self._taken >= self.count:
                raise LiveError(
                    f"{self.count} live sessions are running on this computer already, as many as it can follow at "
                    "once; please wait until one of them has stopped, then start again"
                )
            self._taken += 1

    def give_back(self) -> None:
        """Give a place back that was taken."""
        with self._lock:
            self._taken -= 1


PLACES = Places(max(2, os.cpu_count() or 1))
