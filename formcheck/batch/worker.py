"""The worker process: takes tasks over a socket, one at a time, and dies with the process that started it.

It is a fresh interpreter, never a fork: the pose library's threads do not survive one.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from formcheck.batch.job import Answer, End, Job, Task

PROGRESS_S = 0.5  # between two words on how far a clip is


def serve(descriptor: int) -> None:
    """Answer tasks until the other end of the socket is closed."""
    connection = Connection(descriptor)
    inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
    # A thread of its own listens, so that the end of the parent is noticed in the middle of a clip too.
    threading.Thread(target=_listen, args=(connection, inbox), daemon=True).start()
    job = inbox.get()
    assert isinstance(job, Job)

    from formcheck.adapters.landmarkers import reused_landmarkers
    from formcheck.adapters.process import prepare_process
    from formcheck.batch import task as work

    prepare_process()
    problem = work.prepare(job)
    connection.send(Answer(End.BROKEN, problem) if problem else Answer(End.DONE))
    with reused_landmarkers():
        while True:
            task = inbox.get()
            assert isinstance(task, Task)
            answer = work.run(job, task, _Progress(connection))
            connection.send(Answer(answer.end, answer.reason, *memory_mb()))


def _listen(connection: Connection, inbox: queue.SimpleQueue[object]) -> None:
    try:
        while True:
            inbox.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)  # nobody is left to work for; results are only ever committed by the parent


class _Progress:
    """Tells the parent how far a clip is, now and then."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._next_s = 0.0

    def __call__(self, done: float, total: float) -> None:
        now = time.monotonic()
        if now >= self._next_s:
            self._next_s = now + PROGRESS_S
            self._connection.send((done, total))


def memory_mb() -> tuple[float, float]:
    """Return this process's resident memory now and at its peak, in MB."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux: the peak stands for both
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
        return peak, peak
    # Not ru_maxrss: on Linux a new process begins with the peak of the one that started it.
    values = {key: rest for key, _, rest in (line.partition(":") for line in lines)}
    return tuple(int(values[name].split()[0]) / 1e3 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]
