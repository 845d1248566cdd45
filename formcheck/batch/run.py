"""A whole batch: claim the folder, bring every clip to its end, write the tables and the page."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from formcheck.batch import storage
from formcheck.batch.clips import Clip
from formcheck.batch.index import index_html
from formcheck.batch.job import BatchStopped, ClipResult, End, Job
from formcheck.batch.local import cores, run_local
from formcheck.batch.progress import BatchState, Meter
from formcheck.batch.store import Store
from formcheck.batch.summary import INDEX, OUTPUTS, clip_rows, write_tables
from formcheck.errors import ConfigError, OutputError
from formcheck.types import Status

Show = Callable[[BatchState], None]
Tell = Callable[[ClipResult], None]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How a batch ended.

    Attributes
    ----------
    results : tuple of ClipResult
        In the order of the clips.
    statuses : mapping
        Status of a clip (see `ClipRow.status`) -> number of clips.
    found : frozenset of Status
        Every status that any outcome has.
    """

    results: tuple[ClipResult, ...]
    statuses: dict[str, int]
    found: frozenset[Status]

    @property
    def failed(self) -> int:
        """How many clips have no report."""
        return sum(result.failed for result in self.results)


class Interrupted(BatchStopped):
    """Ctrl-C came; `ended` of `total` clips are finished."""

    def __init__(self, ended: int, total: int) -> None:
        super().__init__(f"{ended} of {total} clips are finished and kept; go on with --resume")


def run_batch(
    clips: Sequence[Clip],
    out: str | Path,
    job: Job,
    *,
    jobs: int | None = None,
    resume: bool = False,
    cluster: str | None = None,
    on_state: Show | None = None,
    on_result: Tell | None = None,
) -> BatchResult:
    """Analyse many clips and write each one's results, the tables and the page into a folder.

    A clip that cannot be analysed becomes a row with its reason, and the others go on.

    Parameters
    ----------
    clips : sequence of Clip
        See `formcheck.batch.clips`.
    out : str or Path
        A folder, or an address that fsspec knows.
    job : Job
    jobs : int, optional
        Worker processes on this machine; by itself, one for each core.
    resume : bool
        Go on in a folder that holds results: a finished clip whose content, settings and versions are the same is kept.
    cluster : str, optional
        Address of a Dask scheduler whose workers do the work.
    on_state, on_result : callable, optional
        Told how far the batch is, and how each clip ended.

    Raises
    ------
    ConfigError
        When the folder holds results and `resume` is False, or another batch is at work in it; when no scheduler
        answers.
    OutputError
        When the folder cannot be written to.
    BatchStopped
        When the batch cannot go on, as on a full disk. What is finished is kept.
    Interrupted
        When Ctrl-C came.
    """
    address = storage.canonical(out)
    if cluster is not None and address.startswith("memory://"):
        raise ConfigError(f"{address}: other machines do not see this memory; use a shared folder or s3://")
    store = Store(address)
    meter = Meter({clip: float(storage.size_bytes(clip.address)) for clip in clips})

    def show() -> None:
        if on_state is not None:
            on_state(meter.state())

    def share(clip: Clip, done: float) -> None:
        meter.share(clip, done)
        show()

    ended: dict[Clip, ClipResult] = {}
    with store.claim(resume=resume) as batch_id:
        show()
        try:
            with _results(job, clips, store, jobs or cores(), cluster, batch_id, share) as results:
                for result in results:
                    ended[result.clip] = result
                    meter.end(result)
                    show()
                    if on_result is not None:
                        on_result(result)
        except KeyboardInterrupt as error:
            raise Interrupted(_finished(ended), len(clips)) from error
        except BatchStopped as error:
            kept = f"{_finished(ended)} of {len(clips)} clips are finished and kept"
            raise BatchStopped(f"{error}; {kept}; put it right and run again with --resume") from error
        return _summarise(store, [ended[clip] for clip in clips])


def _finished(ended: dict[Clip, ClipResult]) -> int:
    return sum(result.end in {End.DONE, End.KEPT, End.UNREADABLE} for result in ended.values())


@contextmanager
def _results(
    job: Job,
    clips: Sequence[Clip],
    store: Store,
    jobs: int,
    cluster: str | None,
    batch_id: str,
    share: Callable[[Clip, float], None],
) -> Iterator[Iterator[ClipResult]]:
    if cluster is None:
        with closing(run_local(job, clips, store, jobs=jobs, on_share=share)) as results:
            yield results
        return
    from formcheck.batch.cluster import connect, run_cluster

    client: Any = connect(cluster)
    try:
        with closing(run_cluster(job, clips, store, batch_id, client)) as results:
            yield results
    finally:
        client.close()


def _summarise(store: Store, results: Sequence[ClipResult]) -> BatchResult:
    """Write tables and page from what lies in the folder, and count what they say."""
    statuses: dict[str, int] = {}
    found: set[Status] = set()
    metrics: dict[str, None] = {}

    def watched() -> Iterator[Any]:
        for row in clip_rows(store, results):
            statuses[row.status] = statuses.get(row.status, 0) + 1
            if row.report is not None:
                found.update(outcome.status for outcome in row.report.outcomes)
                for rep in row.report.reps:
                    metrics.update(dict.fromkeys(rep.metrics))
            yield row

    page = index_html(watched())
    staging = store.staging
    try:
        if staging is not None:
            staging.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="formcheck-", dir=staging) as folder:
            write_tables(Path(folder), clip_rows(store, results), list(metrics))
            (Path(folder) / INDEX).write_text(page, encoding="utf-8")
            for name in OUTPUTS:
                store.files.put(Path(folder) / name, name)
    except OSError as error:
        raise OutputError(
            f"{store.address}: the tables cannot be written ({storage.one_line(error)}); "
            "every clip is finished and kept; put it right and run again with --resume"
        ) from error
    return BatchResult(tuple(results), statuses, frozenset(found))
