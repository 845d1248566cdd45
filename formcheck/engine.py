"""The engine as people meet it, behind the live session, the uploaded video and the batch: poses in, verdicts out.

`Analyzer.update` takes one pose and returns what the screen shows at that moment, from causal filters. Verdicts are
never taken from those: each finished repetition is judged by `formcheck.verdicts` over its window of the raw track,
by the same code that `finish` runs over the whole recording. That window holds the repetition, what came shortly before
it and the quiet start, so that judging costs the same after an hour as after a minute. Nothing here reads or writes
anything.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace

import numpy as np

from formcheck import metrics, reps, sections, shots, silhouette
from formcheck.bias import BiasModel
from formcheck.exercises.base import Exercise, phase_at
from formcheck.kinematics import CausalKinematics
from formcheck.lumbar import LumbarModel
from formcheck.poselog import PoseLog
from formcheck.rules.base import AppliedRule
from formcheck.sections import CONTEXT_S, OPENING_S, Request
from formcheck.types import (
    Analysis,
    ClipInfo,
    Cue,
    ExerciseInfo,
    FloatArray,
    Measurement,
    Outcome,
    Pose,
    PoseTrack,
    Rep,
    Report,
    Side,
    Status,
    ToolInfo,
    Track,
    Update,
)
from formcheck.verdicts import Verdict, judge

SETTLE_S = 0.5  # frames after a repetition's end that its zero-phase smoothing wants to see
REPLAYED = 512  # frames that are read back at a time
CUE_SHOWN_S = 3.0  # long enough to read at a glance from three metres

QUIET_S = 1.0  # of rest before the first repetition of what is judged live of a long session, where there is so much


class Analyzer:
    """Analyse one person doing one exercise.

    Parameters
    ----------
    exercise : Exercise
    applied : sequence of AppliedRule
        The rules to check, with the limits that hold.
    side : Side or None
        The leg to judge; None judges the near one.
    given : bool
        True when the person named the exercise.
    confidence : float
        How sure the exercise is, 0 to 1.
    model : BiasModel or None
        The landmarks' systematic error, to be removed; None removes nothing.
    compact : bool
        Keep poses in half the memory, rounded to a ten-thousandth of a pixel: for long live sessions.
    background : Executor or None
        Where `update` has repetitions judged, so that it returns at once; None judges them before it returns. The
        owner shuts it down.
    back : LumbarModel or None
        From the outline of the back to lumbar flexion; None takes the shipped one.
    """

    def __init__(
        self,
        exercise: Exercise,
        applied: Sequence[AppliedRule],
        side: Side | None = None,
        given: bool = True,
        confidence: float = 1.0,
        model: BiasModel | None = None,
        *,
        compact: bool = False,
        background: Executor | None = None,
        back: LumbarModel | None = None,
    ) -> None:
        self._exercise = exercise
        self._applied = tuple(applied)
        self._side = side
        self._info = ExerciseInfo(exercise.id, given, confidence)
        self._poses = PoseLog(compact=compact)
        self._start_s = math.nan
        self._cuts_s: list[float] = []
        self._model = model
        self._back = back
        self._causal = CausalKinematics(model)
        signal = exercise.signal
        self._counter = reps.RepCounter(
            signal.enter_deg, signal.leave_deg, signal.min_s, exercise.outward, exercise.back
        )
        self._background = background
        self._pending: Future[Verdict] | None = None
        self._left_out = (-math.inf, -math.inf)  # seconds between which the pending judgement does not look
        self._turns_s: list[float] = []  # of every repetition that a judgement has found
        self._told_until_s = -math.inf
        self._judged = 0  # spans of the counter
        self._due_s = math.inf
        self._cues: tuple[Cue, ...] = ()
        self._cues_until_s = -math.inf

    def add(self, pose: Pose) -> None:
        """Take the next pose, in order of time, for the verdicts only: what a recorded clip needs."""
        if not len(self._poses):
            self._start_s = pose.time_s
        self._poses.append(pose)

    def adopt(self, poses: PoseLog) -> None:
        """Take over the poses of a whole recording at once, without a copy of them."""
        self._poses = poses
        self._start_s = poses[0].time_s if poses else math.nan

    def update(self, pose: Pose) -> Update:
        """Take the next pose, in order of time, and say what is known now: what a live session needs."""
        self.add(pose)
        measurement, smooth = self._causal.update(pose)
        side = self._side or measurement.near_side or Side.RIGHT
        signal = self._exercise.signal
        angle = np.array(measurement.values[metrics.column_name(signal.metric, side)])
        if self._counter.update(pose.time_s, float(signal.towards_turn(angle))):
            self._due_s = pose.time_s + SETTLE_S
        if self._pending is None and pose.time_s >= self._due_s:
            self._due_s = math.inf
            self._judge_recent()
        told, new = self._tell()
        if pose.time_s > self._cues_until_s:
            self._cues = ()
        if new:
            self._cues, self._cues_until_s = cues_of(new), pose.time_s + CUE_SHOWN_S
        return Update(smooth, measurement, self._counter.phase, self._counter.count, self._cues, new, told)

    def cut(self, time_s: float) -> None:
        """Note a hard cut: the pose at this time is the first of another shot. Nothing is judged across it."""
        self._cuts_s.append(time_s)

    @property
    def track(self) -> PoseTrack:
        """Every pose so far, as it came."""
        return self._poses.track()

    @property
    def poses(self) -> PoseLog:
        """Every pose so far, as it is kept."""
        return self._poses

    def _judge(self, track: PoseTrack) -> Verdict:
        return judge(track, self._exercise, self._applied, self._side, self._cuts_s, self._model, self._back)

    def _judge_recent(self) -> None:
        """Have the newest repetitions judged, over a stretch whose length does not grow with the session."""
        spans = self._counter.spans
        context_s = spans[self._judged].began_s - CONTEXT_S
        first = max((number for number in range(self._judged) if spans[number].began_s <= context_s), default=0)
        recent_s = spans[first].began_s - (QUIET_S if first else CONTEXT_S)
        if first:
            recent_s = max(recent_s, spans[first - 1].ended_s)
        opening_s = min(spans[0].began_s, self._start_s + OPENING_S)
        self._judged = len(spans)
        self._left_out = (opening_s, max(opening_s, recent_s))
        track = self._poses.excerpt(*self._left_out)
        if self._background is not None:
            self._pending = self._background.submit(self._judge, track)
        else:
            self._pending = Future()
            self._pending.set_result(self._judge(track))

    def _tell(self) -> tuple[tuple[Rep, ...], tuple[Outcome, ...]]:
        """The whole repetitions that a finished judgement has found for the first time, with their outcomes."""
        if self._pending is None or not self._pending.done():
            return (), ()
        verdict, self._pending = self._pending.result(), None
        start_s, end_s = self._left_out
        before = [turn_s for turn_s in self._turns_s if start_s <= turn_s < end_s]
        self._turns_s = sorted([*before, *(rep.turn_s for rep in verdict.reps)])
        number = {rep.number: bisect_right(self._turns_s, rep.turn_s) for rep in verdict.reps}
        # the next repetition may be under way already
        told = [rep for rep in verdict.reps if rep.complete and rep.turn_s > self._told_until_s]
        fresh = {rep.number for rep in told}
        outcomes = [replace(outcome, rep=number[outcome.rep]) for outcome in verdict.outcomes if outcome.rep in fresh]
        self._told_until_s = max([self._told_until_s, *(rep.end_s for rep in told)])
        return tuple(replace(rep, number=number[rep.number]) for rep in told), tuple(outcomes)

    def finish(self, clip: ClipInfo, tool: ToolInfo, warnings: Sequence[str] = ()) -> Analysis:
        """Judge everything that was seen."""
        if len(self._poses) <= shots.LONGEST:
            verdict = self._judge(self.track)
        else:
            request = Request(self._exercise, self._applied, self._side, self._model, self._back)
            verdict = sections.judge(self._poses, request, self._cuts_s)
        found = self._poses.found / max(len(self._poses), 1)
        report = Report(
            tool=tool,
            clip=replace(clip, frames=len(self._poses), pose_fraction=found),
            exercise=self._info,
            view=verdict.view,
            reps=verdict.reps,
            outcomes=verdict.outcomes,
            warnings=(*warnings, *verdict.warnings),
            neutral=verdict.neutral,
        )
        return Analysis(report, verdict.table, verdict.track)


def cues_of(outcomes: Sequence[Outcome]) -> tuple[Cue, ...]:
    """The cues of a repetition's findings, most serious first."""
    order = (Status.FAULT, Status.CAUTION)
    speaking = [outcome for outcome in outcomes if outcome.status in order]
    speaking.sort(key=lambda outcome: order.index(outcome.status))
    return tuple(Cue(outcome.cue, outcome.rule, outcome.status) for outcome in speaking)


def replay(analysis: Analysis, exercise: Exercise) -> Iterator[Update]:
    """Update by update, what a finished analysis knows at each frame: for the overlay of a recorded clip.

    Unlike the live screen it shows final angles, counts each repetition when it ends, and flashes each finding from
    the moment that it was measured.
    """
    time_s, shown = analysis.track.time_s, _Shown(analysis.report.outcomes)
    for start in range(0, len(time_s), REPLAYED):
        stop = min(start + REPLAYED, len(time_s))
        first, track = _around(analysis.track, time_s, start, stop)
        table = analysis.table.part(slice(start, stop))
        for row in range(start, stop):
            pose = _pose(track, row - first, row)
            yield _update(analysis.report, exercise, pose, table.at(row - start), shown.at(pose.time_s))


def replay_frame(analysis: Analysis, exercise: Exercise, row: int, shown: Sequence[Outcome]) -> Update:
    """What a finished analysis knows at one frame, with the cues of the outcomes to be shown there."""
    first, track = _around(analysis.track, analysis.track.time_s, row, row + 1)
    measurement = analysis.table.part(slice(row, row + 1)).at(0)
    return _update(analysis.report, exercise, _pose(track, row - first, row), measurement, shown)


class _Shown:
    """Which outcomes are shown at a moment, asked for in order of time: only those near it are looked at."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self._outcomes = outcomes
        starts = [place for place, outcome in enumerate(outcomes) if not math.isnan(outcome.start_s)]
        self._waiting = deque(sorted(starts, key=lambda place: outcomes[place].start_s))
        self._shown: list[int] = []

    def at(self, time_s: float) -> list[Outcome]:
        while self._waiting and self._outcomes[self._waiting[0]].start_s <= time_s:
            insort(self._shown, self._waiting.popleft())
        self._shown = [place for place in self._shown if time_s <= _shown_until_s(self._outcomes[place])]
        return [self._outcomes[place] for place in self._shown]


def _shown_until_s(outcome: Outcome) -> float:
    return max(outcome.end_s, outcome.start_s + CUE_SHOWN_S)


def _around(track: Track, time_s: FloatArray, start: int, stop: int) -> tuple[int, PoseTrack]:
    """Some frames of a track with those before and after that outlines are drawn from, and the row of the first."""
    first = int(np.searchsorted(time_s, time_s[start] - silhouette.MAX_GAP_S))
    last = int(np.searchsorted(time_s, time_s[stop - 1] + silhouette.MAX_GAP_S, side="right"))
    return first, track.part(slice(first, last))


def _pose(track: PoseTrack, place: int, row: int) -> Pose:
    """The pose at a place of a track, which is frame `row` of the clip."""
    arrays = track.image_px[place], track.world_m[place], track.visibility[place]
    outline_px = silhouette.outline_at(track, place)
    return Pose(row, float(track.time_s[place]), track.size_px, *arrays, outline_px=outline_px)


def _update(
    report: Report, exercise: Exercise, pose: Pose, measurement: Measurement, shown: Sequence[Outcome]
) -> Update:
    count = bisect_right(report.reps, pose.time_s, key=lambda rep: rep.end_s)
    return Update(pose, measurement, phase_at(report.reps, pose.time_s, exercise), count, cues_of(shown))
