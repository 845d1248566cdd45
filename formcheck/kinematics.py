"""From a raw pose track to the angles of every frame: clean, name the near side, measure.

`over_window` serves the verdicts: it sees the whole finished stretch and filters it with zero phase. `CausalKinematics`
serves the live screen: it sees only what came before. Both measure with `formcheck.metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import scipy

from formcheck import bias, bias_features, feet, leg_swaps, metrics, roll, smoothing, view
from formcheck.bias import BiasModel
from formcheck.geometry import length
from formcheck.landmarks import side_landmark
from formcheck.slots import time_slot
from formcheck.types import (
    LANDMARK_COUNT,
    BoolArray,
    FloatArray,
    IntArray,
    Measurement,
    MeasurementTable,
    PatchArray,
    Pose,
    PoseTrack,
    Side,
)

CUTOFF_HZ = 6.0  # zero-phase Butterworth on coordinates; usual in movement analysis
OUTLIER_WINDOW_S = 0.35
MAX_GAP_S = 0.25  # longer gaps stay empty: a leg can move a lot in a quarter of a second
MAX_ERROR_GAP_S = 1.0  # the landmarks' systematic error changes with posture, slower than the angles
ERROR_CUTOFF_HZ = 3.0  # ... and what is faster in its estimate is the picture's noise
PICTURE_COUNTS_S = 0.5  # on the live screen, from one picture to the next
MIN_VISIBILITY = 0.5  # MediaPipe's own default for "more likely seen than not"
EDGE_SHARE = 0.01  # of the picture's shorter side: the network squeezes what lies outside into this margin
YAW_WINDOW_S = 1.0
# What a leg's landmarks must look like in the picture to be one. Shank in thigh lengths: 99 % of the frames of all the
# rendered clips within 35 deg of side-on have 0.85 or more, people filmed from the side 0.82; behind a bar's plate 0.6.
SHORTEST_SHANK = 0.75
SHORTEST_LEG = 0.65  # of the person's own usual length of thigh and shank, in trunk lengths; behind a plate it is 0.5
LONGEST_SLIP_S = 0.35  # a plate hides a shin for longer
COUNTED_ACROSS_S = 1.0  # a leg that is none for so long does not come up again in between
OBLIQUE_DEG = 40.0  # from here on the picture's angle gives way to the angle in space when repetitions are counted
COUNTED_FROM_SPACE = frozenset({"knee_flexion_deg", "hip_flexion_deg"})


@dataclass(frozen=True, slots=True)
class Kinematics:
    """Everything measured over one window (n = frames).

    Attributes
    ----------
    track : PoseTrack
        Cleaned and smoothed, as the picture shows it.
    near_sign : ndarray, shape (n,)
        1 right side near, -1 left, 0 unknown.
    yaw_deg : ndarray, shape (n,)
    columns : mapping of str to ndarray of shape (n,)
        See `formcheck.metrics.COLUMNS`.
    seen : mapping of str to ndarray of bool, shape (n,)
        For each column, whether its landmarks were in the picture and not hidden.
    roll_deg : float
        The camera's lean that was taken out of the columns (`formcheck.roll`).
    no_leg : mapping of Side to ndarray of bool, shape (n,)
        Frames in which a leg has no leg's proportions, so that its angles cannot be right.
    """

    track: PoseTrack
    near_sign: FloatArray
    yaw_deg: FloatArray
    columns: Mapping[str, FloatArray]
    seen: Mapping[str, BoolArray]
    roll_deg: float = 0.0
    no_leg: Mapping[Side, BoolArray] = field(default_factory=dict)

    @property
    def levelled(self) -> PoseTrack:
        """The track as a level camera would have seen it: for all that has to do with the vertical."""
        return roll.levelled(self.track, self.roll_deg)

    def facing(self, start_s: float, end_s: float) -> Side | None:
        """The side that faces the camera for most of a stretch; None in a front view or where nobody was seen."""
        inside = (self.track.time_s >= start_s) & (self.track.time_s <= end_s)
        return view.side_of(float(np.sign(self.near_sign[inside].sum())))

    def near_signal(self, metric: str, otherwise: Side) -> FloatArray:
        """As `signal`, of the side that faces the camera at each moment; `otherwise` where that is not known."""
        signals = {side: self.signal(metric, side) for side in Side}
        signal = np.where(self.near_sign > 0, signals[Side.RIGHT], signals[Side.LEFT])
        return np.where(self.near_sign == 0, signals[otherwise], signal)

    def signal(self, metric: str, side: Side) -> FloatArray:
        """The angle that makes repetitions, shape (n,): from the picture in a side view, from space in a front view.

        Only for counting: what is judged always comes from `columns`.
        """
        picture = self._across(metric, side)
        if metric not in COUNTED_FROM_SPACE:
            return picture
        weight = np.clip((self.yaw_deg - OBLIQUE_DEG) / (view.FRONT_VIEW_DEG - OBLIQUE_DEG), 0.0, 1.0)
        picture = np.where(weight == 1.0, 0.0, picture)  # not asked there; elsewhere a gap is a gap, not a straight leg
        return (1.0 - weight) * picture + weight * metrics.world_flexion(self.track, metric, side)

    def _across(self, metric: str, side: Side) -> FloatArray:
        """An angle of the picture, on a straight line across moments in which the leg was none."""
        angle = self.columns[metrics.column_name(metric, side)]
        none = self.no_leg.get(side)
        if none is None or not none.any() or "knee" not in metrics.METRIC_LANDMARKS[metric]:
            return angle
        filled = smoothing.fill_gaps(self.track.time_s, np.where(none, np.nan, angle), COUNTED_ACROSS_S)
        return np.where(none & np.isnan(filled), angle, filled)

    def table(self) -> MeasurementTable:
        """The measurements that were seen, as `angles.csv` holds them."""
        near = tuple(view.side_of(float(sign)) for sign in self.near_sign)
        columns = {name: np.where(self.seen[name], column, np.nan) for name, column in self.columns.items()}
        return MeasurementTable(self.track.time_s, near, columns)


def over_window(raw: PoseTrack, model: BiasModel | None = None, roll_deg: float = 0.0) -> Kinematics:
    """Measure a finished track with zero-phase smoothing.

    Parameters
    ----------
    raw : PoseTrack
        As estimated, NaN where nobody was found.
    model : BiasModel or None
        The landmarks' systematic error, to be removed; None removes nothing.
    roll_deg : float
        The camera's lean, to be taken out.
    """
    raw = leg_swaps.repair(raw)
    near_sign = view.near_side_per_frame(raw)
    flat = raw.image_px.reshape(len(raw), 2 * LANDMARK_COUNT)
    flat = smoothing.hampel(raw.time_s, flat, OUTLIER_WINDOW_S)
    flat = smoothing.fill_gaps(raw.time_s, flat, MAX_GAP_S)
    flat = feet.steadied(raw.time_s, flat.reshape(raw.image_px.shape)).reshape(flat.shape)
    flat = smoothing.zero_phase(raw.time_s, flat, CUTOFF_HZ)
    track = replace(raw, image_px=flat.reshape(raw.image_px.shape))
    yaw = view.yaw_per_frame(raw)
    level = roll.levelled(track, roll_deg)
    columns = metrics.measure(level, near_sign)
    if model is not None and len(track):
        errors = smoothing.zero_phase(raw.time_s, landmark_errors(level, near_sign, model), ERROR_CUTOFF_HZ)
        columns = bias.corrected(columns, near_sign, errors)
        yaw = bias.corrected_yaw(yaw, errors)
    yaw = _smooth_yaw(raw.time_s, yaw)
    front = yaw > view.FRONT_VIEW_DEG  # no sagittal angle from the front or the back
    near_sign = np.where(front, 0.0, near_sign)
    columns = {name: np.where(front, np.nan, column) for name, column in columns.items()}
    plausible = {side: plausible_leg(track, side) for side in Side}
    slipped = {side: _slips(raw.time_s, plausible[side]) for side in Side}
    columns = _without_slips(raw.time_s, columns, slipped)
    legs = {side: plausible[side] | slipped[side] for side in Side}
    no_leg = {side: ~legs[side] for side in Side}
    return Kinematics(track, near_sign, yaw, columns, seen_columns(track, near_sign, legs), roll_deg, no_leg)


def landmark_errors(track: PoseTrack, near_sign: FloatArray, model: BiasModel) -> FloatArray:
    """True minus measured of `bias.CORRECTED` and the yaw, shape (n, 5); NaN where nothing can be told.

    They are told a few times a second (`bias_features.TIME_SLOT_S`) and lie on straight lines between. Short gaps are
    bridged in the same way: a landmark or a view of the foot that is missing for a moment must not switch the
    correction off and on, or angles would jump. Where the picture is missing for longer, the landmarks decide alone.
    """
    features = bias_features.of_landmarks(track, near_sign)
    patches = bias_features.of_picture(track, near_sign)
    rows = _rows_to_tell(track.time_s, features, patches)
    alone = np.full((len(track), bias.ERRORS), np.nan)
    alone[rows] = model.predict(features[rows])
    alone = _between(track.time_s, alone)
    if patches is None:
        return alone
    seen = np.full_like(alone, np.nan)
    seen[rows] = model.predict(features[rows], patches[rows])
    seen = _between(track.time_s, seen)
    return np.where(np.isfinite(seen), seen, alone)


def _rows_to_tell(time_s: FloatArray, features: FloatArray, patches: PatchArray | None) -> IntArray:
    """A frame of each slot of time: one with a picture where there is one."""
    told: IntArray = np.isfinite(features).all(axis=1).astype(int)
    if patches is not None:
        told = told * (1 + (patches.max(axis=2) > 0).all(axis=1).astype(int))  # 2 with a picture
    slots = np.array([time_slot(moment, bias_features.TIME_SLOT_S) for moment in time_s.tolist()], dtype=int)
    order = np.lexsort((np.arange(len(slots)), -told, slots))
    first = np.r_[True, np.diff(slots[order]) != 0] if len(slots) else np.zeros(0, dtype=bool)
    rows = np.sort(order[first])
    return np.asarray(rows[told[rows] > 0])


def _between(time_s: FloatArray, values: FloatArray) -> FloatArray:
    """Fill short gaps by lines, and what is left of a slot of time before the first value and after the last one."""
    known = np.flatnonzero(np.isfinite(values).all(axis=1))
    filled = smoothing.fill_gaps(time_s, values, MAX_ERROR_GAP_S)
    for row, beyond in ((0, slice(None, known[0])), (-1, slice(known[-1] + 1, None))) if known.size else ():
        near = np.abs(time_s[beyond] - time_s[known[row]]) <= bias_features.TIME_SLOT_S
        filled[beyond][near] = values[known[row]]
    return filled


def _smooth_yaw(time_s: FloatArray, yaw: FloatArray) -> FloatArray:
    known = np.isfinite(yaw)
    interval = smoothing.sample_interval_s(time_s)
    if known.sum() < 2 or not np.isfinite(interval) or interval <= 0:
        return yaw
    filled = np.interp(time_s, time_s[known], yaw[known])
    smooth = scipy.ndimage.uniform_filter1d(filled, max(1, round(YAW_WINDOW_S / interval)), mode="nearest")
    return np.where(known, smooth, np.nan)


def seen_columns(
    track: PoseTrack, near_sign: FloatArray, legs: Mapping[Side, BoolArray] | None = None
) -> dict[str, BoolArray]:
    """For each metric column, the frames whose landmarks lie in the picture and are likely visible.

    Parameters
    ----------
    track : PoseTrack
    near_sign : ndarray, shape (n,)
    legs : mapping of Side to ndarray of bool, shape (n,), or None
        Frames in which a leg counts as one; None asks `plausible_leg`.
    """
    width, height = track.size_px
    x, y = track.image_px[..., 0], track.image_px[..., 1]
    edge = EDGE_SHARE * min(width, height)
    inside = (x >= edge) & (x < width - edge) & (y >= edge) & (y < height - edge)
    visible = inside & (np.nan_to_num(track.visibility) >= MIN_VISIBILITY)
    plausible = legs or {side: plausible_leg(track, side) for side in Side}
    seen: dict[str, BoolArray] = {}
    for metric, names in metrics.METRIC_LANDMARKS.items():
        by_side = {
            side: np.all([visible[:, side_landmark(side, name)] for name in names], axis=0).astype(bool)
            & (plausible[side] | ("knee" not in names))
            for side in Side
        }
        if metric in metrics.SIDED_METRICS:
            for side in Side:
                seen[metrics.column_name(metric, side)] = by_side[side]
        else:
            seen[metric] = np.where(near_sign > 0, by_side[Side.RIGHT], by_side[Side.LEFT])
    return seen


def plausible_leg(track: PoseTrack, side: Side) -> BoolArray:
    """Frames in which a leg has a leg's proportions, shape (n,).

    The network can be sure of a knee that a bar's plate hides. Where a length is not known, nothing speaks against it;
    nor is there anything to compare with in a single frame.
    """
    names = ("shoulder", "hip", "knee", "ankle")
    shoulder, hip, knee, ankle = (track.image_px[:, side_landmark(side, name)] for name in names)
    trunk, thigh, shank = length(shoulder - hip), length(knee - hip), length(ankle - knee)
    with np.errstate(divide="ignore", invalid="ignore"):
        leg = (thigh + shank) / trunk
    known = leg[np.isfinite(leg)]
    usual = float(np.median(known)) if known.size else np.nan
    return np.asarray(~((shank < SHORTEST_SHANK * thigh) | (leg < SHORTEST_LEG * usual)))


def _slips(time_s: FloatArray, plausible: BoolArray) -> BoolArray:
    """Frames in which a leg has no leg's proportions for a moment only: the network slipped, nothing hides it."""
    slipped = np.zeros(len(time_s), dtype=bool)
    for stretch in smoothing.stretches(~plausible):
        inside = stretch.start > 0 and stretch.stop < len(time_s)
        if inside and time_s[stretch.stop] - time_s[stretch.start - 1] <= LONGEST_SLIP_S:
            slipped[stretch] = True
    return slipped


def _without_slips(
    time_s: FloatArray, columns: Mapping[str, FloatArray], slipped: Mapping[Side, BoolArray]
) -> dict[str, FloatArray]:
    """Angles of the leg on straight lines across moments in which the network slipped."""
    filled = dict(columns)
    for side in Side:
        if not slipped[side].any():
            continue
        for metric in metrics.SIDED_METRICS:
            if "knee" in metrics.METRIC_LANDMARKS[metric]:
                name = metrics.column_name(metric, side)
                column = np.where(slipped[side], np.nan, columns[name])
                filled[name] = smoothing.fill_gaps(time_s, column, LONGEST_SLIP_S)
    return filled


class CausalKinematics:
    """Angles of the newest frame from the frames so far, for the live screen."""

    __slots__ = ("_filter", "_model", "_near_vote", "_picture", "_picture_s")

    def __init__(self, model: BiasModel | None = None) -> None:
        self._model = model
        self._filter = smoothing.OneEuro()
        self._near_vote = 0.0
        self._picture = np.zeros((1, bias.ERRORS))  # what the last picture added to what the landmarks tell
        self._picture_s = -np.inf

    def update(self, pose: Pose) -> tuple[Measurement, Pose]:
        """Measure one pose; returns the measurement and the pose with its landmarks smoothed for drawing."""
        single = PoseTrack.from_poses([pose])
        vote = float(view.near_side_votes(single)[0])
        self._near_vote += 0.05 * (vote - self._near_vote)  # at 20 to 30 frames a second: about a second of memory
        near_sign = np.sign(np.array([self._near_vote]))
        smooth = replace(pose, image_px=self._filter(pose.time_s, pose.image_px))
        track = replace(single, image_px=smooth.image_px[None])
        columns = metrics.measure(track, near_sign)
        if self._model is not None:
            columns = bias.corrected(columns, near_sign, self._errors(track, near_sign, self._model))
        seen = seen_columns(track, near_sign)
        values = {name: float(column[0]) if seen[name][0] else float("nan") for name, column in columns.items()}
        return Measurement(pose.time_s, view.side_of(float(near_sign[0])), values, pose.found), smooth

    def _errors(self, track: PoseTrack, near_sign: FloatArray, model: BiasModel) -> FloatArray:
        """As `landmark_errors` of one frame; the picture, which does not come with every frame, counts on."""
        alone = landmark_errors(replace(track, patches=None), near_sign, model)
        now = float(track.time_s[0])
        if track.patches is not None:
            seen = model.predict(
                bias_features.of_landmarks(track, near_sign), bias_features.of_picture(track, near_sign)
            )
            if np.isfinite(seen).all():
                self._picture, self._picture_s = seen - alone, now
        return alone + self._picture if now - self._picture_s <= PICTURE_COUNTS_S else alone
