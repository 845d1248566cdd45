"""What `accuracy_report.py` reports: clips with known angles, analysed with and without the landmark error model.

Each clip is analysed with what was learnt from every body but its own, as `formcheck validate` does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import numpy as np

from formcheck import accuracy, metrics
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.video import probe
from formcheck.config import Settings
from formcheck.engine import Analyzer
from formcheck.errors import ClipError
from formcheck.exercises import EXERCISES
from formcheck.landmarks import side_landmark
from formcheck.pipeline import analyze_poses, applied_rules, clip_info, tool_info
from formcheck.types import Analysis, FloatArray, MeasurementTable, Pose, Position
from formcheck.validate import Validation, cached_poses
from formcheck.validate.compare import SAME_FRAME_S, ClipComparison, compare
from formcheck.validate.tables import SIDE_VIEW_DEG
from formcheck.validate.truth import TruthClip, exercise_of, load_truth

JOINTS: Mapping[str, str] = {
    "knee_flexion_deg": "knee",
    "hip_flexion_deg": "hip",
    "ankle_dorsiflexion_deg": "ankle",
}
PHASES = ("at rest", "moving", "at the turn")


@dataclass(frozen=True, slots=True)
class Angles:
    """One joint of the near leg over the frames of one clip, degrees, NaN where not seen; shapes (n,)."""

    true: FloatArray
    measured: FloatArray
    bare: FloatArray
    other_leg: FloatArray  # the far leg's true angle
    phase: np.ndarray  # index into PHASES
    visibility: FloatArray  # the network's own, of the joint's least visible landmark

    def errors(self, bare: bool = False) -> FloatArray:
        """Measured minus true, where it was measured."""
        error = (self.bare if bare else self.measured) - self.true
        return error[np.isfinite(error)]


@dataclass(frozen=True, slots=True)
class Timing:
    """Found minus true, seconds, of one repetition; `turn_s` is 0 inside the true pause at the far end."""

    start_s: float
    turn_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class MeasuredClip:
    """One clip: as formcheck measures it, and from the bare landmarks."""

    truth: TruthClip
    comparison: ClipComparison
    bare: ClipComparison
    yaw_deg: float  # as formcheck estimated it
    angles: Mapping[str, Angles]
    timings: tuple[Timing, ...]

    @property
    def position(self) -> Position:
        return EXERCISES[self.truth.exercise].position

    @property
    def is_side_view(self) -> bool:
        return self.truth.yaw_deg <= SIDE_VIEW_DEG


@dataclass(frozen=True, slots=True)
class Measured:
    """Every clip that formcheck knows the exercise of, and the estimator that saw them."""

    clips: tuple[MeasuredClip, ...]
    left_out: tuple[tuple[str, str], ...]
    estimator: BackendInfo


def measure(paths: Sequence[Path], cache: Path) -> Measured:
    """Analyse clips that have their truth beside them; estimated poses are kept in the folder `cache`.

    Raises
    ------
    ClipError
        When formcheck knows no clip's exercise.
    """
    clips: list[MeasuredClip] = []
    left_out: list[tuple[str, str]] = []
    estimator: BackendInfo | None = None
    for path in paths:
        exercise = exercise_of(path)
        if exercise not in EXERCISES:
            left_out.append((path.stem, f"formcheck does not know {exercise}"))
            continue
        print(path.name, file=sys.stderr)
        clip, estimator = _measure_clip(path, cache)
        clips.append(clip)
    if estimator is None:
        raise ClipError("formcheck knows no exercise of these clips; give a folder with others")
    return Measured(tuple(clips), tuple(left_out), estimator)


def _measure_clip(path: Path, cache: Path) -> tuple[MeasuredClip, BackendInfo]:
    truth = load_truth(path)
    exercise = EXERCISES[truth.exercise]
    poses, info = cached_poses(path, None, cache)
    seen = clip_info(path, probe(path), poses[-1].time_s)
    analysis = analyze_poses(poses, seen, info, exercise=exercise, left_out_body=truth.body)
    analyzer = Analyzer(exercise, applied_rules(exercise, Settings()), model=None)
    for pose in poses:
        analyzer.add(pose)
    bare = analyzer.finish(seen, tool_info(info))
    measured = MeasuredClip(
        truth,
        compare(analysis, truth),
        compare(bare, truth),
        analysis.report.view.yaw_deg,
        {metric: _angles(metric, poses, analysis.table, bare.table, truth) for metric in JOINTS},
        _timings(analysis, truth),
    )
    return measured, info


def _angles(
    metric: str, poses: Sequence[Pose], table: MeasurementTable, bare: MeasurementTable, truth: TruthClip
) -> Angles:
    """Frames and rows of the truth that are the same moments, side by side."""
    landmarks = [side_landmark(truth.near_side, name) for name in metrics.METRIC_LANDMARKS[metric]]
    visibility = np.array([pose.visibility[landmarks].min() for pose in poses])
    near = metrics.column_name(metric, truth.near_side)
    far = metrics.column_name(metric, truth.near_side.other)
    rows = np.abs(table.time_s[:, None] - truth.time_s[None]).argmin(axis=0)
    same = np.abs(table.time_s[rows] - truth.time_s) <= SAME_FRAME_S
    rows = rows[same]
    phase = np.zeros(len(truth.time_s), dtype=int)
    for rep in truth.reps:
        phase[(truth.time_s > rep.start_s) & (truth.time_s < rep.end_s)] = 1
        phase[(truth.time_s >= rep.turn_start_s) & (truth.time_s <= rep.turn_end_s)] = 2
    return Angles(
        truth.columns[near][same],
        table.columns[near][rows],
        bare.columns[near][rows],
        truth.columns[far][same],
        phase[same],
        visibility[rows],
    )


def _timings(analysis: Analysis, truth: TruthClip) -> tuple[Timing, ...]:
    """Timing errors of the repetitions that were found, each beside the true one that it overlaps most."""
    timings = []
    for true in truth.reps:
        overlap = {
            rep.number: min(true.end_s, rep.end_s) - max(true.start_s, rep.start_s) for rep in analysis.report.reps
        }
        rep = max(analysis.report.reps, key=lambda rep: overlap[rep.number], default=None)
        if rep is None or overlap[rep.number] <= 0:
            continue
        turn_s = min(rep.turn_s - true.turn_start_s, 0.0) + max(rep.turn_s - true.turn_end_s, 0.0)
        timings.append(Timing(rep.start_s - true.start_s, turn_s, rep.end_s - true.end_s))
    return tuple(timings)


def per_clip(
    clips: Sequence[MeasuredClip], metric: str, figure: Callable[[FloatArray], float], bare: bool = False
) -> float:
    """A figure of each clip's errors, averaged: every clip counts the same, however long it is. NaN without any."""
    found = [(clip.bare if bare else clip.comparison).errors[metric] for clip in clips]
    values = [figure(errors) for errors in found if errors.size]
    return float(np.mean(values)) if values else float("nan")


def mae(clips: Sequence[MeasuredClip], metric: str, bare: bool = False) -> float:
    return per_clip(clips, metric, lambda errors: float(np.abs(errors).mean()), bare)


def mean_error(clips: Sequence[MeasuredClip], metric: str, bare: bool = False) -> float:
    return per_clip(clips, metric, lambda errors: float(errors.mean()), bare)


def rmse(clips: Sequence[MeasuredClip], metric: str, bare: bool = False) -> float:
    return float(np.sqrt(per_clip(clips, metric, lambda errors: float((errors**2).mean()), bare)))


def percentile_95(clips: Sequence[MeasuredClip], metric: str, bare: bool = False) -> float:
    """95 % of the absolute errors are below this; every clip counts the same."""
    found = [np.abs((clip.bare if bare else clip.comparison).errors[metric]) for clip in clips]
    found = [errors for errors in found if errors.size]
    if not found:
        return float("nan")
    values = np.concatenate(found)
    weight = np.concatenate([np.full(errors.size, 1.0 / errors.size) for errors in found])
    order = values.argsort()
    share = weight[order].cumsum() / weight.sum()
    return float(values[order][min(np.searchsorted(share, 0.95), values.size - 1)])


def covered(clips: Sequence[MeasuredClip], metric: str) -> float:
    """Share of frames in which the angle was seen."""
    return float(np.mean([clip.comparison.covered[metric] for clip in clips])) if clips else float("nan")


Sigmas = Mapping[tuple[str, str], float]
"""Standard error by clip (stem) and metric, degrees."""


def sigmas(clips: Sequence[MeasuredClip], held_out: bool) -> Sigmas:
    """The standard error that formcheck states for each clip and joint.

    `held_out` takes it from an error table made without the clip's own body, in place of the shipped one; a body that
    no other can stand for has none.
    """
    if not held_out:
        return {key: value for clip in clips for key, value in _stated(clip).items()}
    found: dict[tuple[str, str], float] = {}
    for body in sorted({clip.truth.body for clip in clips}):
        others = tuple(clip.comparison for clip in clips if clip.truth.body != body)
        if others:
            with _error_table(Validation(others, ()).error_table()):
                for clip in clips:
                    found |= _stated(clip) if clip.truth.body == body else {}
    return found


def _stated(clip: MeasuredClip) -> dict[tuple[str, str], float]:
    return {(clip.truth.path.stem, metric): accuracy.sigma(metric, clip.position, clip.yaw_deg) for metric in JOINTS}


@contextmanager
def _error_table(text: str) -> Iterator[None]:
    """Make `formcheck.accuracy` read another error table, for as long as this is open."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / accuracy.TABLE_FILE
        path.write_text(text, encoding="utf-8")
        with mock.patch.object(accuracy, "TABLE_FILE", str(path)):  # an absolute path wins over the package's folder
            accuracy.error_rows.cache_clear()
            try:
                yield
            finally:
                accuracy.error_rows.cache_clear()


def within(clips: Sequence[MeasuredClip], metric: str, stated: Sigmas, times: float) -> float:
    """Share of errors no larger than `times` the stated standard error; every clip counts the same."""
    shares = []
    for clip in clips:
        errors, sigma = clip.comparison.errors[metric], stated.get((clip.truth.path.stem, metric))
        if errors.size and sigma is not None:
            shares.append(float((np.abs(errors) <= times * sigma).mean()))
    return float(np.mean(shares)) if shares else float("nan")
