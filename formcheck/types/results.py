"""What is concluded: repetitions, outcomes, the view, the report, and what the screen shows at one frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from formcheck.types.basics import BoolArray, Phase, Side, Status
from formcheck.types.poses import Measurement, MeasurementTable, Pose, Track

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Rep:
    """One repetition or hold.

    Attributes
    ----------
    number : int
        From 1.
    side : Side
        The leg that was judged.
    start_s, turn_s, end_s : float
        Leaving the rest position, the deepest point, back at rest.
    turn_start_s, turn_end_s : float
        The pause around the deepest point (for a stretch: the hold).
    complete : bool
        False when the clip begins or ends inside it.
    metrics : mapping of str to float
        Summary numbers, named ``<metric>_<statistic>_<unit>``.
    """

    number: int
    side: Side
    start_s: float
    turn_s: float
    end_s: float
    turn_start_s: float
    turn_end_s: float
    complete: bool = True
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule says of one repetition, hold or set.

    `measured`, `sigma` and `limit` share `unit`; NaN (with a `reason`) when nothing could be measured.
    `rep` is None for a set. `message` says what was seen, `cue` what to do; both are plain sentences.
    """

    rule: str
    rep: int | None
    side: Side | None
    status: Status
    start_s: float
    end_s: float
    worst_s: float
    metric: str
    measured: float
    sigma: float
    limit: float
    unit: str
    message: str
    cue: str
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """How the camera saw the person.

    Attributes
    ----------
    yaw_deg : float
        Turn of the camera away from the pure side view, 0 to 90 (90 = front or back); NaN when unknown.
    near_side : Side or None
        The side that faces the camera, where there is one.
    lying : bool
        True when the trunk is nearer to horizontal than to vertical at rest.
    usable : bool
        True when sagittal angles can be judged from here.
    reason : str
        Why not, and what to do; empty when usable.
    roll_deg, roll_sigma_deg : float
        By how much the picture shows the world turned clockwise, because the camera leans, and the standard error of
        that; NaN when it is not known (`formcheck.roll`). A lean that is certain has been taken out of the angles.
    brightness : float
        Mean level of the pictures, 0 (black) to 255; NaN when it is not known. Angles from dark pictures are less exact
        (`formcheck.accuracy`).
    """

    yaw_deg: float
    near_side: Side | None
    lying: bool
    usable: bool
    reason: str = ""
    roll_deg: float = math.nan
    roll_sigma_deg: float = math.nan
    brightness: float = math.nan


@dataclass(frozen=True, slots=True)
class NeutralPose:
    """The quiet moment at rest that a leg's angles were checked by (`formcheck.neutral`).

    Attributes
    ----------
    side : Side
    start_s, end_s : float
        Of the moment; NaN when there was none.
    seen : mapping of metric name to float
        What each joint showed, degrees: knee and hip off straight, the ankle off the lean of the shank.
    offsets : mapping of metric name to float
        What was removed from that joint's angle through the clip, degrees; a joint that is not here was left alone.
    reason : str
        Why nothing was removed; empty otherwise.
    """

    side: Side
    start_s: float = math.nan
    end_s: float = math.nan
    seen: Mapping[str, float] = field(default_factory=dict)
    offsets: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """What produced a report."""

    version: str
    mediapipe: str
    model: str
    model_sha256: str


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """The clip that a report is about.

    `pose_fraction` is the share of frames in which a person was found, `frames_estimated` how many frames the pose
    network saw; None stands for all of them.
    """

    path: str
    duration_s: float
    frames: int
    width: int
    height: int
    rotation_deg: int
    pose_fraction: float
    frames_estimated: int | None = None


@dataclass(frozen=True, slots=True)
class ExerciseInfo:
    """The exercise that was judged; `given` when the person named it, else recognised with `confidence`."""

    name: str
    given: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything formcheck says about one clip or live set (`formcheck.report/1`).

    `neutral` is None where nobody was measured, and in reports from before it was written.
    """

    tool: ToolInfo
    clip: ClipInfo
    exercise: ExerciseInfo
    view: View
    reps: tuple[Rep, ...]
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...] = ()
    neutral: NeutralPose | None = None

    def worst(self) -> Status | None:
        """The most serious status among the judged outcomes; None when nothing could be judged."""
        for status in (Status.FAULT, Status.CAUTION, Status.OK):
            if any(outcome.status is status for outcome in self.outcomes):
                return status
        return None

    def to_dataframe(self) -> pd.DataFrame:
        """One row per outcome: what a rule said of one repetition, hold or set.

        Returns
        -------
        DataFrame
            Columns ``clip``, ``exercise`` and the fields of `Outcome`. ``rep`` is a nullable integer (missing for a
            set), ``side`` and ``status`` are categories, times are seconds, ``measured``, ``sigma`` and ``limit`` are
            in the row's ``unit``; NaN where nothing was measured. The same columns without any row when there is no
            outcome, so tables of many clips can be put together by `pandas.concat`.
        """
        from formcheck.types.tables import outcome_table

        return outcome_table(self)

    def reps_to_dataframe(self) -> pd.DataFrame:
        """One row per repetition or hold.

        Returns
        -------
        DataFrame
            Columns ``clip``, ``exercise``, ``rep``, ``side``, ``complete``, the times in seconds (``start_s``,
            ``turn_start_s``, ``turn_s``, ``turn_end_s``, ``end_s``) and one column per entry of `Rep.metrics`
            (degrees or seconds by its name; how long the turn takes is ``turn_duration_s``); NaN where unseen.
        """
        from formcheck.types.tables import rep_table

        return rep_table(self)


@dataclass(frozen=True, slots=True)
class Cue:
    """One short instruction on the screen, with the rule and status behind it."""

    text: str
    rule: str
    status: Status


@dataclass(frozen=True, slots=True)
class Update:
    """What is known at one frame: what the live screen and the overlay draw.

    Attributes
    ----------
    pose : Pose
        The frame's landmarks, for drawing.
    measurement : Measurement
    phase : Phase
    rep_count : int
        Repetitions or holds finished so far.
    cues : tuple of Cue
        Most important first; empty when there is nothing to say.
    new_outcomes : tuple of Outcome
        Verdicts of a repetition that has just ended.
    new_reps : tuple of Rep
        The repetitions or holds that those verdicts are about.
    """

    pose: Pose
    measurement: Measurement
    phase: Phase
    rep_count: int
    cues: tuple[Cue, ...] = ()
    new_outcomes: tuple[Outcome, ...] = ()
    new_reps: tuple[Rep, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result of analysing one clip: the report, what was measured on every frame, and the smoothed poses.

    Of a long clip the poses are kept out of memory and the angles in half of it (see `formcheck.sections`).
    """

    report: Report
    table: MeasurementTable
    track: Track

    def marked(self, estimated: Sequence[bool] | BoolArray) -> Analysis:
        """The same with a mark of the frames whose pose was estimated (n = frames); unchanged when all were."""
        marks = np.asarray(estimated, dtype=np.bool_)
        if marks.all():
            return self
        clip = replace(self.report.clip, frames_estimated=int(marks.sum()))
        return replace(self, report=replace(self.report, clip=clip), table=replace(self.table, estimated=marks))
