"""A batch on this machine: one thread for each worker process, all taking clips from one queue."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Generator, Sequence

from formcheck.batch.attempt import attempt
from formcheck.batch.clips import Clip
from formcheck.batch.job import BatchStopped, ClipResult, End, Job
from formcheck.batch.store import Store
from formcheck.batch.supervisor import Worker

OnShare = Callable[[Clip, float], None]
"""Called with a clip and the share of it, 0 to 1, that is done; from several threads."""

_JOIN_S = 30.0  # a thread that is just committing a result needs less


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_local(
    job: Job, clips: Sequence[Clip], store: Store, *, jobs: int, on_share: OnShare | None = None
) -> Generator[ClipResult, None, None]:
    """Bring all clips to their end, and yield each result as it comes.

    Leaving the iterator early (Ctrl-C, an exception, `close`) stops the workers in the middle of their clips, which
    loses nothing that is finished.

    Parameters
    ----------
    job : Job
    clips : sequence of Clip
    store : Store
    jobs : int
        Worker processes.
    on_share : callable, optional

    Raises
    ------
    BatchStopped
        When the batch cannot go on.
    """
    waiting: queue.SimpleQueue[Clip] = queue.SimpleQueue()
    for clip in clips:
        waiting.put(clip)
    ended: queue.SimpleQueue[ClipResult | BaseException] = queue.SimpleQueue()
    workers = [Worker(job) for _ in range(min(jobs, len(clips)))]
    threads = [
        threading.Thread(target=_work, args=(job, store, worker, waiting, ended, on_share), daemon=True)
        for worker in workers
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in clips:
            result = ended.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(_JOIN_S)


def _work(
    job: Job,
    store: Store,
    worker: Worker,
    waiting: queue.SimpleQueue[Clip],
    ended: queue.SimpleQueue[ClipResult | BaseException],
    on_share: OnShare | None,
) -> None:
    with worker:
        while True:
            try:
                clip = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                result = attempt(job, clip, store, worker, store.staging, _share(clip, on_share))
            except BaseException as error:  # the main thread decides; a thread that dies silently would hang it
                if not isinstance(error, BatchStopped):
                    error.add_note(f"while working on {clip.address}")
                ended.put(error)
                return
            if result.end is End.STOPPED:
                return
            ended.put(result)


def _share(clip: Clip, on_share: OnShare | None) -> Callable[[float, float], None] | None:
    if on_share is None:
        return None

    def tell(done: float, total: float) -> None:
        if total > 0:  # NaN is not
            on_share(clip, min(done / total, 1.0))

    return tell
