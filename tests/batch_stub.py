"""A stand-in for the pose model in tests and benchmarks of the batch: clips that are a line of text, done in no time.

`write` makes such a clip, `analyze` takes the place of `formcheck.pipeline.analyze_clip` (see
`formcheck.batch.job.ANALYZE`) and does what the clip says:

    reps=3 faults=1           a report with these
    sleep=0.05                takes so many seconds
    error=TEXT                cannot be read, for this reason
    bug=1                     a mistake of the program
    die=9                     the worker process kills itself with this signal
    die_once=FILE             the same, as long as FILE is not there (it is made)
    hang=1                    never comes back
    grow=200                  the worker keeps so many megabytes
    full=1                    the disk is full while the results are written
"""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

import numpy as np

from formcheck.batch import task
from formcheck.errors import ClipError, OutputError
from formcheck.exercises import EXERCISES
from formcheck.reports.csv import ANGLE_COLUMNS
from formcheck.types import (
    Analysis,
    ClipInfo,
    ExerciseInfo,
    MeasurementTable,
    Outcome,
    PoseTrack,
    Rep,
    Report,
    Side,
    Status,
    ToolInfo,
    View,
)

ANALYZE = "batch_stub:analyze"
_kept: list[bytes] = []


def write(path: Path, **what: object) -> Path:
    """Make a clip that `analyze` understands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(" ".join(f"{key}={value}" for key, value in what.items()) + "\n", encoding="utf-8")
    return path


def analyze(
    path,
    *,
    exercise=None,
    side=None,
    settings=None,
    model=None,
    person=None,
    rate="full",
    beside=True,
    on_progress=None,
):
    """Stand in for `pipeline.analyze_clip`, with its parameters."""
    del settings, model, beside
    what = dict(word.split("=", 1) for word in Path(path).read_text(encoding="utf-8").split())
    _misbehave(path, what)
    seconds = float(what.get("sleep", 0))
    for step in range(4):
        time.sleep(seconds / 4)
        on_progress(step + 1.0, 4.0)
    exercise = exercise or EXERCISES["romanian-deadlift"]
    reps, faults = int(what.get("reps", 2)), int(what.get("faults", 0))
    return _analysis(str(path), exercise, side or Side.LEFT, reps, faults, person)


def _misbehave(path, what):
    if "error" in what:
        raise ClipError(f"{path}: {what['error']}; copy it again")
    if "bug" in what:
        raise ZeroDivisionError("division by zero")
    if "die" in what:
        os.kill(os.getpid(), int(what["die"]))
    if "die_once" in what and not Path(what["die_once"]).exists():
        Path(what["die_once"]).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if "hang" in what:
        time.sleep(3600)
    if "grow" in what:
        _kept.append(os.urandom(int(what["grow"]) * 1_000_000))
    if "full" in what:
        task.write_angles = _full


def _full(target, table):
    error = OSError(errno.ENOSPC, "No space left on device")
    raise OutputError(f"{target}: cannot write it: {error.strerror}") from error


def _analysis(path, exercise, side, count, faults, person):
    frames = 10 * count + 10
    time_s = np.arange(frames) / 30
    reps = tuple(
        Rep(
            n + 1,
            side,
            n + 0.1,
            n + 0.5,
            n + 0.9,
            n + 0.4,
            n + 0.6,
            True,
            {"turn_s": 0.2, "knee_flexion_max_deg": 12.5},
        )
        for n in range(count)
    )
    outcomes = tuple(_outcome(rep, exercise, n < faults) for n, rep in enumerate(reps))
    report = Report(
        tool=ToolInfo("0", "0", "stub", "0"),
        clip=ClipInfo(path, frames / 30, frames, 64, 48, 0, 1.0),
        exercise=ExerciseInfo(exercise.id, True, 1.0),
        view=View(5.0, side, False, True),
        reps=reps,
        outcomes=outcomes,
        warnings=() if person is None else (f"person {person.number}",),
    )
    columns = {name: np.linspace(0.0, 30.0, frames) for name in ANGLE_COLUMNS}
    empty = np.zeros((0, 33))
    track = PoseTrack(np.zeros(0), (64, 48), np.zeros((0, 33, 2)), np.zeros((0, 33, 3)), empty)
    return Analysis(report, MeasurementTable(time_s, (side,) * frames, columns), track)


def _outcome(rep, exercise, fault):
    return Outcome(
        rule=exercise.rules[0].rule,
        rep=rep.number,
        side=rep.side,
        status=Status.FAULT if fault else Status.OK,
        start_s=rep.start_s,
        end_s=rep.end_s,
        worst_s=rep.turn_s,
        metric="knee_flexion_deg",
        measured=-6.0 if fault else 9.0,
        sigma=2.0,
        limit=-3.0,
        unit="deg",
        message="The knee was held straight." if fault else "",
        cue="Soften your knees a little." if fault else "",
        reason="",
    )
