"""Every dataclass and enum that crosses from one stage to the next.

Conventions, for all of them:

- Times are seconds (`_s`) of the clip's own presentation clock, as `float`.
- Image positions are pixels (`_px`) of the upright (rotation applied) frame, x to the right, y down.
- World positions are metres (`_m`) around the mid-hip, MediaPipe's axes: x to the image's right, y down,
  z away from the camera.
- Angles are degrees (`_deg`), clinical and signed: 0 is anatomical neutral (see `formcheck.metrics`).
- A missing number is NaN, never 0.
- Left and right are the person's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int_]
ImageArray = NDArray[np.uint8]

LANDMARK_COUNT = 33  # of MediaPipe's (BlazePose's) body model


class Side(StrEnum):
    """A side of the person's own body."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class Status(StrEnum):
    """How one rule ended on one repetition, hold or set."""

    OK = "ok"
    CAUTION = "caution"
    FAULT = "fault"
    NOT_JUDGED = "not_judged"


class Scope(StrEnum):
    """What one check of a rule looks at."""

    REP = "rep"
    HOLD = "hold"
    SET = "set"


class Strength(StrEnum):
    """How strong the evidence behind a rule is (EVIDENCE: strong, some, coaching)."""

    STRONG = "strong"
    SOME = "some"
    COACHING = "coaching"


class Position(StrEnum):
    """How the body is placed during an exercise."""

    STANDING = "standing"
    SEATED = "seated"
    LONG_SITTING = "long-sitting"
    KNEELING = "kneeling"
    PRONE = "prone"
    SUPINE = "supine"
    ALL_FOURS = "all-fours"


class Kind(StrEnum):
    """Whether an exercise is counted in repetitions or held."""

    REPS = "reps"
    HOLD = "hold"


class Phase(StrEnum):
    """Where in a repetition or hold a moment lies."""

    REST = "rest"
    LIFTING = "lifting"  # concentric: the muscles shorten and raise the load
    TURN = "turn"  # the pause at the far end; for a stretch, the hold
    LOWERING = "lowering"  # eccentric: the muscles lengthen under the load


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded video frame, upright.

    Attributes
    ----------
    index : int
        Position in the clip, from 0.
    time_s : float
        Presentation time, seconds from the first frame.
    image : ndarray of uint8, shape (height, width, 3)
        RGB, C-contiguous.
    """

    index: int
    time_s: float
    image: ImageArray


@dataclass(frozen=True, slots=True)
class Pose:
    """The landmarks of one person in one frame; all NaN when nobody was found.

    Attributes
    ----------
    index, time_s : int, float
        Of the frame.
    size_px : (int, int)
        Width and height of the frame.
    image_px : ndarray, shape (33, 2)
        Landmarks in pixels of the frame. May lie outside it.
    world_m : ndarray, shape (33, 3)
        Landmarks in metres around the mid-hip.
    visibility : ndarray, shape (33,)
        Probability, 0 to 1, that the landmark is in the frame and not hidden.
    mask : ndarray of float32, shape (height, width), or None
        Probability that a pixel belongs to the person, where it was asked for.
    """

    index: int
    time_s: float
    size_px: tuple[int, int]
    image_px: FloatArray
    world_m: FloatArray
    visibility: FloatArray
    mask: NDArray[np.float32] | None = None

    @property
    def found(self) -> bool:
        """True when a person was found in the frame."""
        return bool(np.isfinite(self.image_px).any())

    @classmethod
    def missing(cls, index: int, time_s: float, size_px: tuple[int, int]) -> Pose:
        """The pose of a frame in which nobody was found."""
        return cls(
            index=index,
            time_s=time_s,
            size_px=size_px,
            image_px=np.full((LANDMARK_COUNT, 2), np.nan),
            world_m=np.full((LANDMARK_COUNT, 3), np.nan),
            visibility=np.full(LANDMARK_COUNT, np.nan),
        )


@dataclass(frozen=True, slots=True)
class PoseTrack:
    """The poses of one person over consecutive frames, as arrays (n = frames).

    Attributes
    ----------
    time_s : ndarray, shape (n,)
        Strictly increasing.
    size_px : (int, int)
    image_px : ndarray, shape (n, 33, 2)
    world_m : ndarray, shape (n, 33, 3)
    visibility : ndarray, shape (n, 33)
    """

    time_s: FloatArray
    size_px: tuple[int, int]
    image_px: FloatArray
    world_m: FloatArray
    visibility: FloatArray

    def __len__(self) -> int:
        return len(self.time_s)

    @classmethod
    def from_poses(cls, poses: Sequence[Pose]) -> PoseTrack:
        """Stack poses of frames of one size; an empty sequence gives an empty track."""
        if not poses:
            empty = np.zeros((0, LANDMARK_COUNT))
            return cls(np.zeros(0), (0, 0), np.zeros((0, LANDMARK_COUNT, 2)), np.zeros((0, LANDMARK_COUNT, 3)), empty)
        return cls(
            time_s=np.array([pose.time_s for pose in poses], dtype=np.float64),
            size_px=poses[0].size_px,
            image_px=np.stack([pose.image_px for pose in poses]).astype(np.float64),
            world_m=np.stack([pose.world_m for pose in poses]).astype(np.float64),
            visibility=np.stack([pose.visibility for pose in poses]).astype(np.float64),
        )


@dataclass(frozen=True, slots=True)
class Measurement:
    """The angles of one moment.

    Attributes
    ----------
    time_s : float
    near_side : Side or None
        The side of the body that faces the camera; None while it is unknown.
    values : mapping of str to float
        Column name of `angles.csv` (for example ``left_knee_flexion_deg``) to value; NaN where unseen.
    visible : bool
        True when a person was found.
    """

    time_s: float
    near_side: Side | None
    values: Mapping[str, float]
    visible: bool


@dataclass(frozen=True, slots=True)
class MeasurementTable:
    """The angles of consecutive frames, one array per column (n = frames).

    Attributes
    ----------
    time_s : ndarray, shape (n,)
    near_side : tuple of (Side or None), length n
    columns : mapping of str to ndarray of shape (n,)
        Same names as `Measurement.values`; NaN where unseen.
    """

    time_s: FloatArray
    near_side: tuple[Side | None, ...]
    columns: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.time_s)

    def at(self, row: int) -> Measurement:
        """The measurement of one row."""
        values = {name: float(column[row]) for name, column in self.columns.items()}
        visible = any(not math.isnan(value) for value in values.values())
        return Measurement(float(self.time_s[row]), self.near_side[row], values, visible)


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
    """

    yaw_deg: float
    near_side: Side | None
    lying: bool
    usable: bool
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
    """The clip that a report is about. `pose_fraction` = share of frames in which a person was found."""

    path: str
    duration_s: float
    frames: int
    width: int
    height: int
    rotation_deg: int
    pose_fraction: float


@dataclass(frozen=True, slots=True)
class ExerciseInfo:
    """The exercise that was judged; `given` when the person named it, else recognised with `confidence`."""

    name: str
    given: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything formcheck says about one clip or live set (`formcheck.report/1`)."""

    tool: ToolInfo
    clip: ClipInfo
    exercise: ExerciseInfo
    view: View
    reps: tuple[Rep, ...]
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...] = ()

    def worst(self) -> Status | None:
        """The most serious status among the judged outcomes; None when nothing could be judged."""
        for status in (Status.FAULT, Status.CAUTION, Status.OK):
            if any(outcome.status is status for outcome in self.outcomes):
                return status
        return None


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
    """

    pose: Pose
    measurement: Measurement
    phase: Phase
    rep_count: int
    cues: tuple[Cue, ...] = ()
    new_outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result of analysing one clip: the report, what was measured on every frame, and the smoothed poses."""

    report: Report
    table: MeasurementTable
    track: PoseTrack
