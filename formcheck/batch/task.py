"""One clip's work: analyse it, and write the files that `check` writes into a folder. Runs in a worker process."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace

from formcheck.adapters import landmarkers
from formcheck.adapters.release import give_back
from formcheck.batch.job import Answer, End, Job, Task
from formcheck.errors import ClipError, ConfigError, FormcheckError, ModelError, OutputError
from formcheck.exercises import EXERCISES
from formcheck.reports.csv import write_angles
from formcheck.reports.export import write_exports
from formcheck.reports.files import write_text
from formcheck.reports.json import report_to_json
from formcheck.types import Analysis

OnProgress = Callable[[float, float], None]


def prepare(job: Job) -> str:
    """Start and close what analyses clips once; return why it does not start, or nothing."""
    from formcheck.adapters.mediapipe import MediaPipeBackend
    from formcheck.batch.job import ANALYZE

    try:
        analyzer(job)  # its imports are not to count as a clip's time
        if job.analyze == ANALYZE:
            MediaPipeBackend.open(job.model).close()
    except ModelError as error:
        return str(error)
    return ""


def analyzer(job: Job) -> Callable[..., Analysis]:
    """Return the function that `Job.analyze` names."""
    module, _, function = job.analyze.partition(":")
    found: Callable[..., Analysis] = getattr(importlib.import_module(module), function)
    return found


def run(job: Job, task: Task, on_progress: OnProgress) -> Answer:
    """Analyse one clip and write its results; whatever goes wrong becomes the answer's reason."""
    try:
        analysis = _analyse(job, task, on_progress)
        _write(job, task, analysis)
    except OutputError as error:
        return Answer(End.NO_SPACE, str(error))
    except (ClipError, ConfigError) as error:
        return Answer(End.UNREADABLE, _named(error, task))
    except FormcheckError as error:
        return Answer(End.FAILED, _named(error, task))
    except MemoryError:
        return Answer(End.FAILED, f"{task.clip.address}: not enough memory; use fewer --jobs")
    except Exception as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return Answer(End.FAILED, f"{task.clip.address}: internal error ({what}); please report it")
    return Answer(End.DONE)


def _analyse(job: Job, task: Task, on_progress: OnProgress) -> Analysis:
    clip, person = task.clip, None
    if clip.person is not None:
        from formcheck.people import Person  # brings scipy with it

        person = Person(number=clip.person)
    analysis = analyzer(job)(
        task.path,
        exercise=None if clip.exercise is None else EXERCISES[clip.exercise],
        side=clip.side,
        settings=job.settings,
        model=job.model,
        person=person,
        rate=job.rate,
        beside=False,  # there is a worker for every core
        on_progress=on_progress,
    )
    report = replace(analysis.report, clip=replace(analysis.report.clip, path=clip.address))
    return replace(analysis, report=report)


def _write(job: Job, task: Task, analysis: Analysis) -> None:
    """Write every result file of a clip; the place for further kinds of them."""
    folder, stem = task.folder, task.clip.stem
    if job.video or job.html:
        landmarkers.close_waiting()  # the next clip's are cheap beside these, whose memory adds to them
    give_back()
    write_text(folder / f"{stem}.report.json", report_to_json(analysis.report) + "\n")
    write_angles(folder / f"{stem}.angles.csv", analysis.table)
    write_exports(analysis, folder, stem, job.exports)
    if job.video:
        from formcheck.pipeline import render_overlay

        render_overlay(task.path, analysis, folder / f"{stem}.overlay.mp4")
    if job.html:
        from formcheck.stills import write_page

        write_text(folder / f"{stem}.report.html", write_page(task.path, analysis))


def _named(error: FormcheckError, task: Task) -> str:
    """Name the clip by its own address, not by the copy that was read."""
    return str(error).replace(str(task.path), task.clip.address)
