"""The person's own neutral pose: found in the clip, told, and used where physics says what it must be.

A quiet standing moment shows every joint near zero. How far from zero is part posture, part error of the landmarks:
people stand with knees and hips some degrees bent or overstretched, by more than formcheck errs there, so what is seen
at knee and hip is told and not removed (`benchmarks/neutral.py` has the figures of each way that was tried).

The ankle is different. Whoever stands has the sole flat on the floor, so the ankle is bent by as much as the shank
leans, whatever the person's habits. What the ankle shows beyond that comes from the landmarks of heel and toe, which
lie on the shoe. It stays much the same through the clip, and most of it is removed. Most, not all: the shank's lean and
the level of floor and camera are not exact either.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from formcheck import metrics, smoothing
from formcheck.geometry import wrap_degrees
from formcheck.kinematics import Kinematics
from formcheck.types import BoolArray, FloatArray, NeutralPose, Side

ANKLE = "ankle_dorsiflexion_deg"
JOINTS = ("knee_flexion_deg", "hip_flexion_deg", ANKLE)

# A pose that can be told from a working posture. Judgements: a quiet stand of the rendered people has a knee of -4 to
# 14 deg and a hip of -2 to 19; who stands in front of a wall or holds a weight leans a little.
MOST_DEG: Mapping[str, float] = {"knee_flexion_deg": 20.0, "hip_flexion_deg": 25.0, "trunk_inclination_deg": 25.0}
FLAT_SOLE_DEG = 10.0  # heel and toe landmarks lie on the shoe, whose line is not exactly level on a level floor
# From further round the line from heel to toe comes towards the camera, and perspective tilts it.
MAX_YAW_DEG = 20.0
QUIET_DEG_PER_S = 10.0  # slower than any movement that is judged, faster than sway and the landmarks' noise
QUIET_WINDOW_S = 0.4  # over which a speed is taken, so that a landmark's jitter is none
MIN_QUIET_S = 0.4
MAX_QUIET_S = 2.0  # as long as the set-up asks for; a longer rest may hold other postures
# Share of the ankle's offset that is an error of the foot's landmarks; the rest is the shank's. In level pictures 0.6
# does best; half is gentler where a camera leans a degree or two unnoticed (`benchmarks/neutral.py`).
ANKLE_SHARE = 0.5
MAX_OFFSET_DEG = 10.0  # more than this is no systematic error: a landmark has left the foot

NO_REST = "no quiet moment of {:.1f} s was seen at rest"
NOT_STANDING = "the quiet moment is no standing pose with the legs nearly straight and the soles flat"
OBLIQUE = "the camera was more than {:.0f} deg off side-on"
TOO_FAR = "the foot was not seen clearly in the quiet moment"


def find(measured: Kinematics, side: Side, at_rest: BoolArray) -> NeutralPose:
    """The first quiet moment at rest, what the near leg's joints show in it, and what of that is to be removed.

    The first one, because it is the same whether a live set is judged half way or at its end; there, it is the two
    seconds that the set-up asks for.

    Parameters
    ----------
    measured : Kinematics
    side : Side
        The leg that faces the camera.
    at_rest : ndarray of bool, shape (n,)
        Frames outside of repetitions.

    Returns
    -------
    NeutralPose
        Without offsets, and with the reason, where nothing is to be removed.
    """
    names = {name: metrics.column_name(name, side) for name in (*metrics.SIDED_METRICS, "trunk_inclination_deg")}
    columns = {
        name: np.where(measured.seen[column], measured.columns[column], np.nan) for name, column in names.items()
    }
    facing = measured.near_sign == (1.0 if side is Side.RIGHT else -1.0)
    moment = _first_stretch(measured.track.time_s, at_rest & facing & quiet(measured.track.time_s, columns))
    if moment is None:
        return NeutralPose(side, reason=NO_REST.format(MIN_QUIET_S))
    start_s, end_s = (float(value) for value in measured.track.time_s[moment][[0, -1]])
    pose = {name: float(np.median(column[moment])) for name, column in columns.items()}
    seen = {name: pose[name] for name in JOINTS} | {ANKLE: float(wrap_degrees(np.array(_beyond_shank(pose))))}
    reason = _why_not(pose, seen[ANKLE], float(np.median(measured.yaw_deg[moment])))
    offsets = {} if reason else {ANKLE: ANKLE_SHARE * seen[ANKLE]}
    return NeutralPose(side, start_s, end_s, seen, offsets, reason)


def quiet(time_s: FloatArray, columns: Mapping[str, FloatArray]) -> BoolArray:
    """Frames in which knee, hip and trunk hold still, shape (n,); False where one of them was not seen."""
    speeds = [np.abs(smoothing.derivative(time_s, columns[name], QUIET_WINDOW_S)) for name in MOST_DEG]
    return np.asarray(np.max(speeds, axis=0) < QUIET_DEG_PER_S)


def removed(columns: Mapping[str, FloatArray], pose: NeutralPose, near_sign: FloatArray) -> dict[str, FloatArray]:
    """Columns with a neutral pose's offsets taken off, where the side that it is of faces the camera."""
    changed = dict(columns)
    facing = near_sign == (1.0 if pose.side is Side.RIGHT else -1.0)
    for metric, offset in pose.offsets.items():
        name = metrics.column_name(metric, pose.side)
        changed[name] = columns[name] - np.where(facing, offset, 0.0)
    return changed


def _beyond_shank(pose: Mapping[str, float]) -> float:
    """How far the ankle is bent beyond the lean of the shank: 0 with the sole flat on a level floor."""
    return pose[ANKLE] - pose["shank_inclination_deg"]


def _why_not(pose: Mapping[str, float], offset_deg: float, yaw_deg: float) -> str:
    """Why nothing is to be removed; empty when it is. Written so that an unknown angle never passes."""
    if not all(abs(pose[name]) <= most for name, most in MOST_DEG.items()):
        return NOT_STANDING
    if not abs(pose["sole_pitch_deg"]) <= FLAT_SOLE_DEG:
        return NOT_STANDING
    if not yaw_deg <= MAX_YAW_DEG:
        return OBLIQUE.format(MAX_YAW_DEG)
    return "" if abs(offset_deg) <= MAX_OFFSET_DEG else TOO_FAR


def _first_stretch(time_s: FloatArray, wanted: BoolArray) -> slice | None:
    """Frames of the first run that lasts for `MIN_QUIET_S`, at most `MAX_QUIET_S` of it."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], wanted.astype(np.int8), [0]))))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if time_s[end - 1] - time_s[start] >= MIN_QUIET_S:
            last = int(np.searchsorted(time_s, time_s[start] + MAX_QUIET_S, side="right"))
            return slice(start, min(end, last))
    return None
