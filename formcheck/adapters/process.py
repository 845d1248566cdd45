"""Settings for a whole process, for processes that formcheck owns: its commands, its workers and its app."""

from __future__ import annotations

import os
import sys

_OPENCV_THREADS = "OPENCV_FOR_THREADS_NUM"


def prepare_process() -> None:
    """No connections from C libraries, and OpenCV in one thread; call it before threads start.

    OpenCV divides even small pictures among its threads, and formcheck gives it hardly others: waking the threads costs
    more than they do, about a third of the time for a pose's patches. What OpenCV computes stays the same. It reads the
    variable when it is loaded, as does the one inside mediapipe; a value that is there already is kept.
    """
    if _OPENCV_THREADS not in os.environ:
        os.environ[_OPENCV_THREADS] = "1"
        if (loaded := sys.modules.get("cv2")) is not None:
            loaded.setNumThreads(1)
    from formcheck.adapters.mediapipe import block_connections  # late: it loads OpenCV

    block_connections()
