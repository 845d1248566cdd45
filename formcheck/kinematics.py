"""From a raw pose track to the angles of every frame: clean, name the near side, measure.

`over_window` serves the verdicts: it sees the whole finished stretch and filters it with zero phase. `CausalKinematics`
serves the live screen: it sees only what came before. Both measure with `formcheck.metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy

from formcheck import bias, bias_features, leg_swaps, metrics, smoothing, view
from formcheck.bias import BiasModel
from formcheck.geometry import length
from formcheck.landmarks import side_landmark
from formcheck.types import LANDMARK_COUNT, BoolArray, FloatArray, Measurement, MeasurementTable, Pose, PoseTrack, Side

CUTOFF_HZ = 6.0  # zero-phase Butterworth on coordinates; usual in movement analysis
OUTLIER_WINDOW_S = 0.35
MAX_GAP_S = 0.25  # longer gaps stay empty: a leg can move a lot in a quarter of a second
MAX_ERROR_GAP_S = 1.0  # the landmarks' systematic error changes with posture, slower than the angles
ERROR_CUTOFF_HZ = 3.0  # ... and what is faster in its estimate is the picture's noise
MIN_VISIBILITY = 0.5  # MediaPipe's own default for "more likely seen than not"
EDGE_SHARE = 0.01  # of the picture's shorter side: the network squeezes what lies outside into this margin
YAW_WINDOW_S = 1.0
# What a leg's landmarks must look like in the picture to be one. Shank in thigh lengths: 99 % of the frames of all the
# rendered clips within 35 deg of side-on have 0.85 or more, people filmed from the side 0.82; behind a bar's plate 0.6.
SHORTEST_SHANK = 0.75
SHORTEST_LEG = 0.65  # of the person's own usual length of thigh and shank, in trunk lengths; behind a plate it is 0.5
OBLIQUE_DEG = 40.0  # from here on the picture's angle gives way to the angle in space when repetitions are counted
COUNTED_FROM_SPACE = frozenset({"knee_flexion_deg", "hip_flexion_deg"})


@dataclass(frozen=True, slots=True)
class Kinematics:
    """Everything measured over one window (n = frames).

    Attributes
    ----------
    track : PoseTrack
        Cleaned and smoothed.
    near_sign : ndarray, shape (n,)
        1 right side near, -1 left, 0 unknown.
    yaw_deg : ndarray, shape (n,)
    columns : mapping of str to ndarray of shape (n,)
        See `formcheck.metrics.COLUMNS`.
    seen : mapping of str to ndarray of bool, shape (n,)
        For each column, whether its landmarks were in the picture and not hidden.
    """

    track: PoseTrack
    near_sign: FloatArray
    yaw_deg: FloatArray
    columns: Mapping[str, FloatArray]
    seen: Mapping[str, BoolArray]

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
        if metric not in COUNTED_FROM_SPACE:
            return self.columns[metrics.column_name(metric, side)]
        weight = np.clip((self.yaw_deg - OBLIQUE_DEG) / (view.FRONT_VIEW_DEG - OBLIQUE_DEG), 0.0, 1.0)
        picture = self.columns[metrics.column_name(metric, side)]
        picture = np.where(weight == 1.0, 0.0, picture)  # not asked there; elsewhere a gap is a gap, not a straight leg
        return (1.0 - weight) * picture + weight * metrics.world_flexion(self.track, metric, side)

    def table(self) -> MeasurementTable:
        """The measurements that were seen, as `angles.csv` holds them."""
        near = tuple(view.side_of(float(sign)) for sign in self.near_sign)
        columns = {name: np.where(self.seen[name], column, np.nan) for name, column in self.columns.items()}
        return MeasurementTable(self.track.time_s, near, columns)


def over_window(raw: PoseTrack, model: BiasModel | None = None) -> Kinematics:
    """Measure a finished track with zero-phase smoothing.

    Parameters
    ----------
    raw : PoseTrack
        As estimated, NaN where nobody was found.
    model : BiasModel or None
        The landmarks' systematic error, to be removed; None removes nothing.
    """
    raw = leg_swaps.repair(raw)
    near_sign = view.near_side_per_frame(raw)
    flat = raw.image_px.reshape(len(raw), 2 * LANDMARK_COUNT)
    flat = smoothing.hampel(raw.time_s, flat, OUTLIER_WINDOW_S)
    flat = smoothing.fill_gaps(raw.time_s, flat, MAX_GAP_S)
    flat = smoothing.zero_phase(raw.time_s, flat, CUTOFF_HZ)
    track = replace(raw, image_px=flat.reshape(raw.image_px.shape))
    yaw = view.yaw_per_frame(raw)
    columns = metrics.measure(track, near_sign)
    if model is not None and len(track):
        errors = smoothing.zero_phase(raw.time_s, landmark_errors(track, near_sign, model), ERROR_CUTOFF_HZ)
        columns = bias.corrected(columns, near_sign, errors)
        yaw = bias.corrected_yaw(yaw, errors)
    yaw = _smooth_yaw(raw.time_s, yaw)
    front = yaw > view.FRONT_VIEW_DEG  # no sagittal angle from the front or the back
    near_sign = np.where(front, 0.0, near_sign)
    columns = {name: np.where(front, np.nan, column) for name, column in columns.items()}
    return Kinematics(track, near_sign, yaw, columns, seen_columns(track, near_sign))


def landmark_errors(track: PoseTrack, near_sign: FloatArray, model: BiasModel) -> FloatArray:
    """True minus measured of `bias.CORRECTED` and the yaw, shape (n, 5); NaN where nothing can be told.

    Short gaps are bridged: a landmark or a view of the foot that is missing for a moment must not switch the correction
    off and on, or angles would jump. Where the picture is missing for longer, the landmarks decide alone.
    """
    features = bias_features.of_landmarks(track, near_sign)
    errors = smoothing.fill_gaps(track.time_s, model.predict(features), MAX_ERROR_GAP_S)
    patches = bias_features.of_picture(track, near_sign)
    if patches is None:
        return errors
    seen = smoothing.fill_gaps(track.time_s, model.predict(features, patches), MAX_ERROR_GAP_S)
    return np.where(np.isfinite(seen), seen, errors)


def _smooth_yaw(time_s: FloatArray, yaw: FloatArray) -> FloatArray:
    known = np.isfinite(yaw)
    interval = smoothing.sample_interval_s(time_s)
    if known.sum() < 2 or not np.isfinite(interval) or interval <= 0:
        return yaw
    filled = np.interp(time_s, time_s[known], yaw[known])
    smooth = scipy.ndimage.uniform_filter1d(filled, max(1, round(YAW_WINDOW_S / interval)), mode="nearest")
    return np.where(known, smooth, np.nan)


def seen_columns(track: PoseTrack, near_sign: FloatArray) -> dict[str, BoolArray]:
    """For each metric column, the frames whose landmarks lie in the picture and are likely visible."""
    width, height = track.size_px
    x, y = track.image_px[..., 0], track.image_px[..., 1]
    edge = EDGE_SHARE * min(width, height)
    inside = (x >= edge) & (x < width - edge) & (y >= edge) & (y < height - edge)
    visible = inside & (np.nan_to_num(track.visibility) >= MIN_VISIBILITY)
    plausible = {side: plausible_leg(track, side) for side in Side}
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


class CausalKinematics:
    """Angles of the newest frame from the frames so far, for the live screen."""

    __slots__ = ("_filter", "_model", "_near_vote")

    def __init__(self, model: BiasModel | None = None) -> None:
        self._model = model
        self._filter = smoothing.OneEuro()
        self._near_vote = 0.0

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
            columns = bias.corrected(columns, near_sign, landmark_errors(track, near_sign, self._model))
        seen = seen_columns(track, near_sign)
        values = {name: float(column[0]) if seen[name][0] else float("nan") for name, column in columns.items()}
        return Measurement(pose.time_s, view.side_of(float(near_sign[0])), values, pose.found), smooth
