"""A clip from its file to its report: poses are read, judged by the engine, and drawn into the overlay video.

Everything that analyses recorded video (the command line, the app's upload page, the batch) comes through
`analyze_clip`. The overlay is drawn in a second pass over the clip, when the verdicts are known, so that memory stays
constant however long the clip is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from formcheck import __version__, bias, lumbar
from formcheck.adapters.landmarkers import close_waiting, reused_landmarkers
from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.pose import BackendInfo, PoseBackend
from formcheck.adapters.release import give_back
from formcheck.adapters.video import ClipReader, VideoInfo
from formcheck.adapters.video_writer import OverlayWriter
from formcheck.config import Settings
from formcheck.doubts import BACK_METRIC, MOST_ROUNDS, Span, fits, in_doubt, needs_outlines, spans_to_read
from formcheck.engine import Analyzer, replay
from formcheck.errors import NotRecognisedError
from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.overlay import Style, draw
from formcheck.people import Person
from formcheck.poselog import PoseLog
from formcheck.reading import Progress, Reading, read_poses
from formcheck.recognise import recognise
from formcheck.rules.base import AppliedRule
from formcheck.shots import LONGEST
from formcheck.sparse import read_again
from formcheck.types import Analysis, ClipInfo, Pose, Rate, Side, ToolInfo


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
    exercise: Exercise | None = None,
    side: Side | None = None,
    settings: Settings | None = None,
    model: str | Path | None = None,
    backend: PoseBackend | None = None,
    person: Person | None = None,
    rate: Rate | str = Rate.FULL,
    beside: bool = True,
    on_progress: Progress | None = None,
) -> Analysis:
    """Analyse one recorded clip.

    Parameters
    ----------
    path : str or Path
    exercise : Exercise or None
        What the clip shows; None recognises it.
    side : Side or None
        The leg to judge; None judges the near one.
    settings : Settings or None
        None changes nothing.
    model : str, Path or None
        A model file or variant; None is the full model that comes with formcheck.
    backend : PoseBackend or None
        A pose source to use instead of the model (recorded landmarks, a test's own); the caller closes it.
    person : Person or None
        Whom to judge where several people are in the picture; None judges the one who moves through the exercise.
    rate : Rate or str
        ``"auto"`` estimates only as many frames as the movement asks for: about twice as quick for most clips. Read
        again more closely are stretches in which another verdict is so near that poses between two frames may decide,
        what was lost in one repetition only, and the edges of a clip that seem to cut a repetition off; at the full
        rate the whole of a clip in which that does not come out, in which the lower back only just makes a fault, of
        one that has to be turned, and of one without a repetition. The lower back is measured only where a rule judges
        it, several people are in the picture, it has to be turned, or the exercise was not named.
    beside : bool
        Decode, and look closer at the picture, on another core than the network's. A program that has a process for
        every core is quicker without. The answer is the same.
    on_progress : callable or None

    Raises
    ------
    ClipError
        When no frame of the clip can be read, the person asked for is not in it, or the exercise was not named and is
        not recognised for sure.
    ModelError
        When the pose model cannot be started.
    ValueError
        When the rate is neither of the two.
    """
    settings = settings or Settings()
    outlines = Rate(rate) is Rate.FULL or exercise is None or _judges_the_back(exercise, settings)

    def read(rate: Rate | str) -> Reading:
        reading = read_poses(
            path,
            model=model,
            backend=backend,
            person=person,
            rate=rate,
            beside=beside,
            outlines=outlines,
            on_progress=on_progress,
        )
        _make_room(reading.poses)
        return reading

    def read_stretches(reading: Reading, spans: Sequence[Span], outlined: bool) -> PoseLog:
        opened = (
            MediaPipeBackend.open(model, outlines=outlines and outlined) if backend is None else nullcontext(backend)
        )
        with opened as source:
            again = read_again(
                path, source, reading.poses, spans, on_progress, by_index=not reading.warnings, beside=beside
            )
        _make_room(again)
        return again

    def analyze(reading: Reading) -> Analysis:
        return analyze_reading(path, reading, exercise=exercise, side=side, settings=settings)

    with reused_landmarkers():
        analysis = _closely_enough(read(rate), settings, read_stretches, analyze)
        return analyze(read(Rate.FULL)) if analysis is None else analysis


def _make_room(poses: Sequence[Pose]) -> None:
    """Give back what reading a long clip left: it would add to the memory that measuring takes."""
    if len(poses) > LONGEST:
        close_waiting()
        give_back()


def _judges_the_back(exercise: Exercise, settings: Settings) -> bool:
    return any(BACK_METRIC in item.rule.needs for item in applied_rules(exercise, settings))


def _closely_enough(
    reading: Reading,
    settings: Settings,
    read_stretches: Callable[[Reading, Sequence[Span], bool], PoseLog],
    analyze: Callable[[Reading], Analysis],
) -> Analysis | None:
    """What comes of a clip, once stretches in doubt of a sparse reading were read again; None to read all of it.

    Of a long clip there is never more than one analysis in memory.
    """
    analysis = analyze(reading)
    report = analysis.report
    if report.clip.frames_estimated is None:
        return analysis
    passed_by = report.view.usable and not report.reps  # perhaps a repetition
    applied = applied_rules(EXERCISES[report.exercise.name], settings)
    known: tuple[Span, ...] = ()
    duration_s = report.clip.duration_s
    for _ in range(MOST_ROUNDS):
        doubtful = in_doubt(report.outcomes, applied, duration_s, known)
        if not doubtful and not passed_by:
            return analysis
        del analysis
        spans = spans_to_read(doubtful, applied, duration_s, known)
        # of several people, whoever is followed from the middle of a clip may be somebody else
        if passed_by or spans is None or reading.several:
            return None
        reading = replace(reading, poses=read_stretches(reading, spans, needs_outlines(doubtful)))
        before = report
        try:
            analysis = analyze(reading)
        except NotRecognisedError:
            return None
        report = analysis.report
        fit = fits(doubtful, before.outcomes, report.outcomes, applied)
        if before.exercise.name != report.exercise.name or not fit:
            return None
        known += spans
    return None if in_doubt(report.outcomes, applied, duration_s, known) else analysis


def analyze_reading(
    path: str | Path,
    reading: Reading,
    *,
    exercise: Exercise | None = None,
    side: Side | None = None,
    settings: Settings | None = None,
) -> Analysis:
    """Analyse what was read from a clip, once or again under another exercise; parameters as for `analyze_clip`.

    The clip itself is not opened: `path` is only what the report and errors call it.

    Raises
    ------
    NotRecognisedError
        When the exercise was not named and is not recognised for sure.
    """
    given, confidence = exercise is not None, 1.0
    if exercise is None:
        exercise, confidence = recognised(path, reading)
    applied = applied_rules(exercise, settings or Settings())
    analyzer = Analyzer(exercise, applied, side, given, confidence, model=bias.load())
    for cut_s in reading.cuts_s:
        analyzer.cut(cut_s)
    poses = PoseLog.of(reading.poses, reading.brightness)
    analyzer.adopt(poses)
    last_s = poses[-1].time_s if poses else 0.0
    warnings = reading.warnings
    if not applied:
        warnings = (*warnings, f"under these settings no rule is left to check in {exercise.id}")
    analysis = analyzer.finish(clip_info(path, reading.video, last_s), tool_info(reading.estimator), warnings)
    return analysis.marked(poses.estimated)


def recognised(path: str | Path, reading: Reading) -> tuple[Exercise, float]:
    """The exercise that a clip shows, and how sure that is (0 to 1).

    Raises
    ------
    NotRecognisedError
        When it is not sure; the text names what it may be, and how to say so.
    """
    found = recognise(PoseLog.of(reading.poses), bias.load(), reading.cuts_s)
    if found.exercise_id is not None:
        return EXERCISES[found.exercise_id], found.confidence
    candidates = tuple(item.exercise_id for item in found.candidates)
    if found.reason:
        looks, advice = found.reason, "if you know what it shows, name it with --exercise"
    elif candidates:
        looks = f"this looks like {' or '.join(candidates)}, but it is not sure"
        advice = "name it with --exercise"
    else:
        looks = "this looks like none of the exercises that formcheck knows"
        advice = "if it is one of them (formcheck exercises lists them), name it with --exercise"
    raise NotRecognisedError(f"{path}: {looks}; {advice}", looks, candidates)


def analyze_poses(
    poses: Sequence[Pose],
    clip: ClipInfo,
    info: BackendInfo,
    *,
    exercise: Exercise,
    side: Side | None = None,
    settings: Settings | None = None,
    left_out_body: str | None = None,
) -> Analysis:
    """Analyse poses that were estimated before, with the engine that `analyze_clip` uses.

    `left_out_body` leaves one rendered body out of what the landmarks' errors and the lower back were learnt from: for
    validation.
    """
    model, back = bias.load(left_out_body), lumbar.load(left_out_body)
    analyzer = Analyzer(exercise, applied_rules(exercise, settings or Settings()), side, model=model, back=back)
    for pose in poses:
        analyzer.add(pose)
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
        style = Style.for_clip(analysis.track, info.width, info.height)
        with OverlayWriter(target, info.width, info.height, info.average_fps) as writer:
            for frame, update in zip(reader, updates, strict=False):
                image = draw(frame.image, update, exercise_title=exercise.title, kind=exercise.kind, style=style)
                writer.write(image, frame.time_s)
                if on_progress is not None:
                    on_progress(frame.time_s, info.duration_s)
