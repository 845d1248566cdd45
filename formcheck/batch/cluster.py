"""A batch on a Dask cluster: each clip is a task, and each thread of a Dask worker holds one of our worker processes.

A Dask worker fetches the clip, commits the result and can be killed at any time: Dask gives its clips to another one.
The analysis runs in a process of its own below it, as it does on one machine, so that a clip that crashes or hangs
takes no Dask worker with it.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import queue
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from formcheck.batch import storage
from formcheck.batch.attempt import attempt
from formcheck.batch.clips import Clip
from formcheck.batch.job import BatchStopped, ClipResult, End, Job, tools_here
from formcheck.batch.store import Store
from formcheck.batch.supervisor import Worker
from formcheck.errors import ConfigError, FormcheckError

CONNECT_S = 15.0
WAIT_FOR_WORKERS_S = 60.0
LOOK_S = 2.0  # between two looks at whether the scheduler is still there
AHEAD = 3  # tasks given out for each thread of the cluster: enough to keep it busy, few to take back

_local = threading.local()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A Dask worker will not take part, and why."""

    worker: str
    reason: str


def connect(address: str) -> Any:
    """Return a client of the scheduler at an address like ``tcp://10.0.0.5:8786``.

    Raises
    ------
    ConfigError
        When Dask is not installed, or no scheduler answers.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise ConfigError('--cluster needs Dask: pip install "formcheck[cluster]"') from error
    for name in ("distributed", "distributed.client"):  # a lost worker is no news: its clips are done by another one
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # TimeoutError is an OSError
        raise ConfigError(
            f"{address}: no Dask scheduler answers there ({storage.one_line(error)}); start one with: dask scheduler"
        ) from error


def examine(job: Job, out: str, batch_id: str) -> str:
    """Return why this machine cannot take part in a batch, or nothing. Runs in a Dask worker."""
    try:
        difference = job.tools.difference(tools_here(job.model))
        if difference:
            return f"its versions differ: {difference}; install the same formcheck and model there"
        Store(out).check_id(batch_id)
    except FormcheckError as error:
        return str(error)
    return ""


def work(job: Job, clip: Clip, out: str, batch_id: str) -> ClipResult | Refusal:
    """Bring one clip to its end. Runs in a thread of a Dask worker."""
    import distributed

    if getattr(_local, "batch_id", None) != batch_id:
        reason = examine(job, out, batch_id)
        if reason:
            return Refusal(distributed.get_worker().address, reason)
        if hasattr(_local, "worker"):
            _local.worker.close()
        _local.worker, _local.store, _local.batch_id = Worker(job), Store(out), batch_id
    _local.worker.job = job
    return attempt(job, clip, _local.store, _local.worker, None)


def run_cluster(
    job: Job, clips: Sequence[Clip], store: Store, batch_id: str, client: Any
) -> Generator[ClipResult, None, None]:
    """Bring all clips to their end on a cluster, and yield each result as it comes.

    Leaving the iterator early takes back what was not begun; clips under way are finished by their workers.

    Parameters
    ----------
    job : Job
    clips : sequence of Clip
    store : Store
        At a place that all workers see.
    batch_id : str
        See `Store.claim`.
    client : distributed.Client

    Raises
    ------
    BatchStopped
        When there are no workers, none that may take part, or the batch cannot go on.
    """
    _examine_all(job, store.address, batch_id, client)
    waiting = iter(clips)
    refused: set[str] = set()
    ended: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def submit(clip: Clip) -> None:
        good = [worker for worker in _workers(client) if worker not in refused]
        if refused and not good:
            raise BatchStopped("no worker of the cluster is left that may take part; see the reasons above")
        only = good if refused else None
        future = client.submit(work, job, clip, store.address, batch_id, pure=False, workers=only)
        running[future] = clip
        future.add_done_callback(ended.put)

    running: dict[Any, Clip] = {}
    try:
        for _, clip in zip(range(AHEAD * max(sum(_workers(client).values()), 1)), waiting, strict=False):
            submit(clip)
        while running:
            future = _next(ended, client)
            clip = running.pop(future)
            result = _result(future, clip)
            if isinstance(result, Refusal):  # one that joined later
                refused.add(result.worker)
                submit(clip)
                continue
            following = next(waiting, None)
            if following is not None:
                submit(following)
            yield result
    finally:
        with contextlib.suppress(Exception):  # the scheduler may be gone, which is then the error that counts
            client.cancel(list(running))


def _next(ended: queue.SimpleQueue[Any], client: Any) -> Any:
    """Wait for a task to end, and notice when the scheduler is gone for good."""
    while True:
        try:
            return ended.get(timeout=LOOK_S)
        except queue.Empty:
            if client.status not in {"running", "connecting"}:
                raise BatchStopped("the connection to the cluster was lost") from None


def _result(future: Any, clip: Clip) -> ClipResult | Refusal:
    from distributed.scheduler import KilledWorker

    try:
        result: ClipResult | Refusal = future.result()
    except KilledWorker:
        return ClipResult(
            clip, End.CRASHED, f"{clip.address}: the Dask workers that it was given to were lost each time"
        )
    except FormcheckError:
        raise
    except Exception as error:
        if type(error).__name__ in {"CancelledError", "FutureCancelledError", "CommClosedError"}:
            raise BatchStopped(f"the connection to the cluster was lost ({storage.one_line(error)})") from error
        what = f"{type(error).__name__}: {storage.one_line(error)}"
        return ClipResult(clip, End.FAILED, f"{clip.address}: internal error ({what}); please report it")
    return result


def _workers(client: Any) -> dict[str, int]:
    """Return address -> threads of the cluster's workers."""
    return {address: int(info["nthreads"]) for address, info in client.scheduler_info(n_workers=-1)["workers"].items()}


def _examine_all(job: Job, out: str, batch_id: str, client: Any) -> None:
    import distributed

    try:
        client.wait_for_workers(1, timeout=WAIT_FOR_WORKERS_S)
    except distributed.TimeoutError as error:
        where = client.scheduler.address
        raise BatchStopped(f"{where}: the cluster has no workers; start some with: dask worker {where}") from error
    answers = client.run(examine, job, out, batch_id, on_error="return")
    for worker, answer in answers.items():
        if isinstance(answer, BaseException):
            missing = isinstance(answer, ImportError)
            advice = "install formcheck[cluster] there" if missing else "look at its log"
            raise BatchStopped(f"worker {worker}: cannot take part ({storage.one_line(answer)}); {advice}")
        if answer:
            raise BatchStopped(f"worker {worker}: {answer}")
