"""mediapipe's log lines kept off stderr: its C library writes past `sys.stderr`, and no setting silences it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

# Lines that the C library writes while it starts and stops: absl's and TensorFlow's log lines, and stack traces.
_NOISE = re.compile(
    rb"[IWE]\d{4} |\s*INFO: |WARNING: (Logging|All log)|\s*$|Stack trace:|\s+@ |=== Source|third_party/|Calculator"
)

# One thread at a time may turn file descriptor 2 aside; the same thread may do so again within.
stderr_lock = threading.RLock()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep the C library's log lines off stderr; what anything else writes meanwhile is written afterwards.

    File descriptor 2 belongs to the whole process, so other threads that want the same wait for this one.
    """
    with stderr_lock:
        try:
            saved = os.dup(2)
        except OSError:  # a program without stderr
            yield
            return
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, saved)
            caught = stack.enter_context(tempfile.TemporaryFile())
            _flush_stderr()
            os.dup2(caught.fileno(), 2)
            try:
                yield
            finally:
                _flush_stderr()
                os.dup2(saved, 2)
                caught.seek(0)
                rest = b"".join(line for line in caught if not _NOISE.match(line))
                if rest:
                    os.write(2, rest)


def _flush_stderr() -> None:
    if sys.stderr is not None and not sys.stderr.closed:
        sys.stderr.flush()
