"""The engine as people meet it, behind the live session, the uploaded video and the batch: poses in, verdicts out.

`Analyzer.update` takes one pose and returns what the screen shows at that moment, from causal filters. Verdicts are
never taken from those: each finished repetition is judged by `formcheck.verdicts` over its window of the raw track,
by the same code that `finish` runs over the whole recording. Nothing here reads or writes anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from formcheck import metrics, reps
from formcheck.bias import BiasModel
from formcheck.exercises.base import Exercise
from formcheck.kinematics import CausalKinematics
from formcheck.rules.base import AppliedRule
from formcheck.types import (
    Analysis,
    ClipInfo,
    Cue,
    ExerciseInfo,
    Outcome,
    Phase,
    Pose,
    PoseTrack,
    Rep,
    Report,
    Side,
    Status,
    ToolInfo,
    Update,
)
from formcheck.verdicts import Verdict, judge

SETTLE_S = 0.5  # frames after a repetition's end that its zero-phase smoothing wants to see
CUE_SHOWN_S = 3.0  # long enough to read at a glance from three metres


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
    """

    def __init__(
        self,
        exercise: Exercise,
        applied: Sequence[AppliedRule],
        side: Side | None = None,
        given: bool = True,
        confidence: float = 1.0,
        model: BiasModel | None = None,
    ) -> None:
        self._exercise = exercise
        self._applied = tuple(applied)
        self._side = side
        self._info = ExerciseInfo(exercise.id, given, confidence)
        self._poses: list[Pose] = []
        self._cuts_s: list[float] = []
        self._model = model
        self._causal = CausalKinematics(model)
        signal = exercise.signal
        self._counter = reps.RepCounter(
            signal.enter_deg, signal.leave_deg, signal.min_s, exercise.outward, exercise.back
        )
        self._told = 0
        self._due_s = math.inf
        self._cues: tuple[Cue, ...] = ()
        self._cues_until_s = -math.inf

    def add(self, pose: Pose) -> None:
        """Take the next pose, in order of time, for the verdicts only: what a recorded clip needs."""
        self._poses.append(replace(pose, mask=None))

    def update(self, pose: Pose) -> Update:
        """Take the next pose, in order of time, and say what is known now: what a live session needs."""
        self.add(pose)
        measurement, smooth = self._causal.update(pose)
        side = self._side or measurement.near_side or Side.RIGHT
        signal = self._exercise.signal
        angle = np.array(measurement.values[metrics.column_name(signal.metric, side)])
        if self._counter.update(pose.time_s, float(signal.towards_turn(angle))):
            self._due_s = pose.time_s + SETTLE_S
        new: tuple[Outcome, ...] = ()
        if pose.time_s >= self._due_s:
            self._due_s = math.inf
            new = self._judge_finished()
        if pose.time_s > self._cues_until_s:
            self._cues = ()
        if new:
            self._cues, self._cues_until_s = cues_of(new), pose.time_s + CUE_SHOWN_S
        return Update(smooth, measurement, self._counter.phase, self._counter.count, self._cues, new)

    def cut(self, time_s: float) -> None:
        """Note a hard cut: the pose at this time is the first of another shot. Nothing is judged across it."""
        self._cuts_s.append(time_s)

    def _judge(self) -> Verdict:
        track = PoseTrack.from_poses(self._poses)
        return judge(track, self._exercise, self._applied, self._side, self._cuts_s, self._model)

    def _judge_finished(self) -> tuple[Outcome, ...]:
        verdict = self._judge()
        whole = [rep.number for rep in verdict.reps if rep.complete]  # the next one may be under way already
        fresh = [outcome for outcome in verdict.outcomes if outcome.rep in whole and outcome.rep > self._told]
        self._told = max([self._told, *whole])
        return tuple(fresh)

    def finish(self, clip: ClipInfo, tool: ToolInfo, warnings: Sequence[str] = ()) -> Analysis:
        """Judge everything that was seen."""
        verdict = self._judge()
        found = sum(pose.found for pose in self._poses) / max(len(self._poses), 1)
        report = Report(
            tool=tool,
            clip=replace(clip, frames=len(self._poses), pose_fraction=found),
            exercise=self._info,
            view=verdict.view,
            reps=verdict.reps,
            outcomes=verdict.outcomes,
            warnings=(*warnings, *verdict.warnings),
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
    report, track = analysis.report, analysis.track
    for row, time_s in enumerate(track.time_s.tolist()):
        pose = Pose(row, time_s, track.size_px, track.image_px[row], track.world_m[row], track.visibility[row])
        count = sum(rep.end_s <= time_s for rep in report.reps)
        shown = [
            outcome
            for outcome in report.outcomes
            if outcome.start_s <= time_s <= max(outcome.end_s, outcome.start_s + CUE_SHOWN_S)
        ]
        yield Update(pose, analysis.table.at(row), phase_at(report.reps, time_s, exercise), count, cues_of(shown))


def phase_at(finished: Sequence[Rep], time_s: float, exercise: Exercise) -> Phase:
    """The phase in which a moment lies."""
    for rep in finished:
        if rep.start_s <= time_s <= rep.end_s:
            if time_s < rep.turn_start_s:
                return exercise.outward
            return Phase.TURN if time_s <= rep.turn_end_s else exercise.back
    return Phase.REST
