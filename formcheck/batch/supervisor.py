"""The parent's hold on one worker process: starts it, hands it clips, stops it when a clip takes too long, and
replaces it when it has died or grown."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from formcheck.batch.job import Answer, End, Job, Task

# mediapipe does not give all its memory back: a worker has about 430 MB after a clip, 120 of them in landmarkers
# that wait for the next one, and some MB more with each (benchmarks/batch_many.py); long clips take up to 200 MB above
# that (benchmarks/memory.py). Renewed from here on, that makes just under 700 MB. The number of clips is for what grows
# without being seen.
RECYCLE_MB = 490.0
RECYCLE_CLIPS = 50
START_S = 180.0  # for a worker to start; a cold disk on a busy machine needs many seconds
_TICK_S = 0.5
_STOP_S = 5.0

# Each worker computes on one core; a pool of threads in each of them would only get in the others' way.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

OnProgress = Callable[[float, float], None]


@contextmanager
def closing_descriptor(descriptor: int) -> Iterator[None]:
    """Close a file descriptor when the block ends."""
    try:
        yield
    finally:
        os.close(descriptor)


class Worker:
    """A worker process that is started when it is first needed. Use it from one thread; `stop` is for any thread.

    Parameters
    ----------
    job : Job
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._life: int | None = None  # closed, by us or by our end, it ends the process
        self._clips = 0
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, task: Task, on_progress: OnProgress | None = None) -> Answer:
        """Let the worker do a task. However badly that ends, the answer says so and the next one finds a worker."""
        problem = self._start()
        if problem is None:
            answer = self._ask(task, on_progress)
            self._clips += 1
            grown = self._clips >= RECYCLE_CLIPS or answer.memory_mb >= RECYCLE_MB
            if answer.end in {End.CRASHED, End.TOO_LONG} or grown:
                self.close()
        else:
            answer = problem
            self.close()
        return Answer(End.STOPPED) if self._stopped.is_set() else answer

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            process, self._process = self._process, None
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if self._life is not None:
            os.close(self._life)
            self._life = None
        if process is not None:
            # Nothing is lost: a result counts only once the parent has committed it.
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End the process in the middle of its clip, and start no other."""
        self._stopped.set()
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _start(self) -> Answer | None:
        """Start a process where there is none; what stands in the way otherwise."""
        if self._process is not None:
            return None
        ours, theirs = socket.socketpair()
        life, self._life = os.pipe()
        # The folders that modules are found in are ours; a module that lies beside somebody's clips is not imported.
        code = (
            f"import sys; sys.path[:] = {json.dumps(sys.path)}; "
            f"from formcheck.batch.lifeline import hold; hold({life}, {os.getpid()}); "
            f"from formcheck.batch.worker import serve; serve({theirs.fileno()})"
        )
        with theirs, closing_descriptor(life), self._lock:
            if self._stopped.is_set():
                ours.close()
                return Answer(End.STOPPED)
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", code],
                pass_fds=(theirs.fileno(), life),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if os.environ.get("FORMCHECK_DEBUG") else subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is for the parent alone
                env={**dict.fromkeys(_ONE_THREAD, "1"), **os.environ},
            )
            self._connection = Connection(ours.detach())
        self._clips = 0
        return self._greet()

    def _greet(self) -> Answer | None:
        assert self._connection is not None
        try:
            self._connection.send(self.job)
            if self._connection.poll(START_S):
                answer = self._connection.recv()
                assert isinstance(answer, Answer)
                return None if answer.end is End.DONE else answer
            reason = f"a worker process did not start within {START_S:g} s"
        except (EOFError, OSError):
            reason = f"a worker process ended as it started ({self._how_it_died()})"
        return Answer(End.BROKEN, f"{reason}; FORMCHECK_DEBUG=1 shows more")

    def _ask(self, task: Task, on_progress: OnProgress | None) -> Answer:
        connection = self._connection
        assert connection is not None
        limit_s = self.job.time_limit_s or float("inf")
        end_s = time.monotonic() + limit_s
        try:
            connection.send(task)
            while True:
                left_s = end_s - time.monotonic()
                if left_s <= 0:
                    reason = f"{task.clip.address}: took longer than {limit_s:g} s and was stopped (see --time-limit)"
                    return Answer(End.TOO_LONG, reason)
                if connection.poll(min(left_s, _TICK_S)):
                    message = connection.recv()
                    if isinstance(message, Answer):
                        return message
                    if on_progress is not None:
                        on_progress(*message)
        except (EOFError, OSError):
            died = self._how_it_died()
            return Answer(End.CRASHED, f"{task.clip.address}: the process that analysed it ended ({died})")

    def _how_it_died(self) -> str:
        process = self._process
        if process is None:
            return "it was stopped"
        try:
            status = process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            return "it closed its connection"
        if status >= 0:
            return f"exit status {status}"
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        return f"{name}, perhaps for want of memory" if -status == signal.SIGKILL else name
