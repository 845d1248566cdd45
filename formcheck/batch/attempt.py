"""One clip from beginning to end: is it finished already, fetch it, have it analysed, commit what came of it.

Runs in a thread of the batch's own process, or of a Dask worker's; the analysis itself runs in a `Worker`.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from formcheck.batch import storage
from formcheck.batch.clips import Clip
from formcheck.batch.job import Answer, BatchStopped, ClipResult, End, Job, Task
from formcheck.batch.store import Marker, Store
from formcheck.batch.supervisor import OnProgress, Worker
from formcheck.errors import FormcheckError, OutputError

TRIES = 2  # of a clip whose worker died: somebody else's memory hunger may have been the reason


def attempt(
    job: Job, clip: Clip, store: Store, worker: Worker, staging: Path | None, on_progress: OnProgress | None = None
) -> ClipResult:
    """Bring one clip to its end.

    Parameters
    ----------
    job : Job
    clip : Clip
    store : Store
    worker : Worker
    staging : Path or None
        A folder for files in the making; None takes the system's for temporary files.
    on_progress : callable, optional
        As for `analyze_clip`.

    Raises
    ------
    BatchStopped
        When results cannot be written or the worker cannot analyse anything: no other clip would fare better.
    """
    try:
        before = storage.stamp(clip.address)
        wanted = Marker(clip.address, "", before, job.fingerprint(clip))
        marker = store.marker(clip.name)
        if marker is not None and before and (marker.stamp, marker.fingerprint) == (before, wanted.fingerprint):
            return _kept(clip, marker)
        with _folder(staging) as folder:
            return _analyse(job, clip, store, worker, folder, wanted, marker, on_progress)
    except OutputError as error:
        raise BatchStopped(str(error)) from error
    except BatchStopped:
        raise
    except FormcheckError as error:  # the clip is missing, or its storage does not answer
        return ClipResult(clip, End.FAILED, str(error))


class _folder:  # noqa: N801  (used as a function)
    """A new folder that is removed with all that is in it."""

    def __init__(self, staging: Path | None) -> None:
        self._staging = staging

    def __enter__(self) -> Path:
        try:
            if self._staging is not None:
                self._staging.mkdir(exist_ok=True)
            self._path = Path(tempfile.mkdtemp(prefix="formcheck-", dir=self._staging))
        except OSError as error:
            raise OutputError(f"{error.filename}: cannot write there ({error.strerror})") from error
        return self._path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)


def _analyse(
    job: Job,
    clip: Clip,
    store: Store,
    worker: Worker,
    folder: Path,
    wanted: Marker,
    marker: Marker | None,
    on_progress: OnProgress | None,
) -> ClipResult:
    path = storage.fetch(clip.address, folder)
    wanted = replace(wanted, content_sha256=storage.sha256_of(path))
    if marker is not None and _same(marker, wanted):
        store.write_marker(clip.name, replace(marker, stamp=wanted.stamp))
        return _kept(clip, marker)
    results = folder / "results"
    for _ in range(TRIES):
        shutil.rmtree(results, ignore_errors=True)
        results.mkdir()
        answer = worker.run(Task(path, clip, results), on_progress)
        if answer.end is not End.CRASHED:
            break
    if answer.end in {End.NO_SPACE, End.BROKEN}:
        raise BatchStopped(answer.reason)
    if answer.end in {End.DONE, End.UNREADABLE}:
        if storage.stamp(clip.address) != wanted.stamp:
            return ClipResult(clip, End.FAILED, f"{clip.address}: it changed while it was read; add --resume later")
        _commit(clip, store, results, replace(wanted, reason=answer.reason), answer)
    return ClipResult(clip, answer.end, answer.reason, answer.peak_mb)


def _commit(clip: Clip, store: Store, results: Path, marker: Marker, answer: Answer) -> None:
    if answer.end is End.UNREADABLE:  # whatever was written before it failed is no result
        shutil.rmtree(results)
        results.mkdir()
    store.commit(clip.name, results, marker)


def _same(marker: Marker, wanted: Marker) -> bool:
    return (marker.content_sha256, marker.fingerprint) == (wanted.content_sha256, wanted.fingerprint)


def _kept(clip: Clip, marker: Marker) -> ClipResult:
    return ClipResult(clip, End.UNREADABLE if marker.reason else End.KEPT, marker.reason)
