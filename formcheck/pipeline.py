"""The one clip loop: frames from a clip, poses from a backend, verdicts from the engine, and the overlay video.

Everything that analyses recorded video (the command line, the app's upload page, the batch) comes through
`analyze_clip`. The overlay is drawn in a second pass over the clip, when the verdicts are known, so that memory stays
constant however long the clip is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from formcheck import __version__
from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.pose import BackendInfo, PoseBackend
from formcheck.adapters.video import ClipReader, VideoInfo
from formcheck.adapters.video_writer import OverlayWriter
from formcheck.config import Settings
from formcheck.engine import Analyzer, replay
from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.overlay import draw
from formcheck.rules.base import AppliedRule
from formcheck.types import Analysis, ClipInfo, Pose, Side, ToolInfo

Progress = Callable[[float, float], None]
"""Called with seconds of the clip done and in total (NaN when the file does not say)."""


def applied_rules(exercise: Exercise, settings: Settings) -> tuple[AppliedRule, ...]:
    """The rules of an exercise with the limits and cues that hold under these settings."""
    applied = []
    for rule in settings.active_rules(exercise):
        use = exercise.rule_use(rule.id)
        cue = use.cue if use is not None and use.cue else rule.cue
        applied.append(AppliedRule(rule, settings.limits(exercise, rule), cue))
    return tuple(applied)


def analyze_clip(
    path: str | Path,
    *,
    exercise: Exercise,
    given: bool = True,
    side: Side | None = None,
    settings: Settings | None = None,
    model: str | Path | None = None,
    backend: PoseBackend | None = None,
    on_progress: Progress | None = None,
) -> Analysis:
    """Analyse one recorded clip.

    Parameters
    ----------
    path : str or Path
    exercise : Exercise
    given : bool
        True when the person named the exercise.
    side : Side or None
        The leg to judge; None judges the near one.
    settings : Settings or None
        None changes nothing.
    model : str, Path or None
        A model file or variant; None is the full model that comes with formcheck.
    backend : PoseBackend or None
        A pose source to use instead of the model (recorded landmarks, a test's own); the caller closes it.
    on_progress : callable or None

    Raises
    ------
    ClipError
        When no frame of the clip can be read.
    ModelError
        When the pose model cannot be started.
    """
    analyzer = Analyzer(exercise, applied_rules(exercise, settings or Settings()), side, given)
    with ExitStack() as stack:
        reader = stack.enter_context(ClipReader(path))
        poses = backend or stack.enter_context(MediaPipeBackend.open(model))
        last_s = 0.0
        for pose in estimate_poses(reader, poses, on_progress):
            analyzer.update(pose)
            last_s = pose.time_s
        clip = clip_info(path, reader.info, last_s)
        return analyzer.finish(clip, tool_info(poses.info), reader.warnings)


def estimate_poses(reader: ClipReader, backend: PoseBackend, on_progress: Progress | None = None) -> Iterator[Pose]:
    """The one clip loop: a pose for every frame of a clip, one frame in memory at a time."""
    for frame in reader:
        yield backend.detect(frame)
        if on_progress is not None:
            on_progress(frame.time_s, reader.info.duration_s)


def analyze_poses(
    poses: Sequence[Pose],
    clip: ClipInfo,
    info: BackendInfo,
    *,
    exercise: Exercise,
    side: Side | None = None,
    settings: Settings | None = None,
) -> Analysis:
    """Analyse poses that were estimated before, with the engine that `analyze_clip` uses."""
    analyzer = Analyzer(exercise, applied_rules(exercise, settings or Settings()), side)
    for pose in poses:
        analyzer.update(pose)
    return analyzer.finish(clip, tool_info(info))


def clip_info(path: str | Path, info: VideoInfo, last_s: float) -> ClipInfo:
    """Describe a clip for its report; `last_s` is the time of its last decoded frame."""
    frame_s = 1.0 / info.average_fps if math.isfinite(info.average_fps) and info.average_fps > 0 else 0.0
    return ClipInfo(
        path=str(path),
        duration_s=last_s + frame_s,
        frames=0,
        width=info.width,
        height=info.height,
        rotation_deg=info.rotation_deg,
        pose_fraction=0.0,
    )


def tool_info(info: BackendInfo) -> ToolInfo:
    """Name formcheck and what estimated the poses."""
    return ToolInfo(__version__, info.library_version, info.model, info.model_sha256)


def render_overlay(
    path: str | Path, analysis: Analysis, target: str | Path, *, on_progress: Progress | None = None
) -> None:
    """Write the clip again with skeleton, angles, count and cues drawn into it.

    Raises
    ------
    ClipError
        When the clip cannot be read any more.
    OutputError
        When the video cannot be written; nothing half written is left.
    """
    exercise = EXERCISES[analysis.report.exercise.name]
    updates = replay(analysis, exercise)
    with ClipReader(path) as reader:
        info = reader.info
        with OverlayWriter(target, info.width, info.height, info.average_fps) as writer:
            for frame, update in zip(reader, updates, strict=False):
                writer.write(draw(frame.image, update, exercise_title=exercise.title), frame.time_s)
                if on_progress is not None:
                    on_progress(frame.time_s, info.duration_s)
