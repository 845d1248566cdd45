"""Poses to named angles: the one table of metrics.

All angles are sagittal, signed and clinical (0 = anatomical neutral), taken from image landmarks in pixels. In a side
view the sign of a turn on the screen means flexion or extension by the side that faces the camera alone, however the
body leans or lies (see `formcheck.view`).

- ``knee_flexion_deg``: shank against thigh; + bent, - hyperextended.
- ``hip_flexion_deg``: thigh against the line from mid-shoulder to mid-hip; + thigh towards the chest.
- ``ankle_dorsiflexion_deg``: 90 minus the angle between ankle-to-knee and heel-to-toe; + toes to the shin.
- ``shank_inclination_deg``: ankle to knee against the vertical; + knee forwards of the ankle.
- ``sole_pitch_deg``: heel to toe against the floor; + heel higher than the toes.
- ``trunk_inclination_deg``: mid-hip to mid-shoulder against the vertical; + forwards, about 90 lying face down.
- ``neck_flexion_deg``: shoulder to ear against the trunk; + chin to chest. Change from the person's own neutral once
  that is known.
- ``lumbar_flexion_deg``: change of the lower back from the person's own neutral; + rounded. From the outline of the
  back (`formcheck.lumbar`), NaN until a neutral is known.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from formcheck.geometry import angle_between, angle_from_vertical, length, signed_angle, wrap_degrees
from formcheck.landmarks import Landmark, side_landmark
from formcheck.types import FloatArray, PoseTrack, Side
from formcheck.view import middle

SIDED_METRICS = (
    "knee_flexion_deg",
    "hip_flexion_deg",
    "ankle_dorsiflexion_deg",
    "shank_inclination_deg",
    "sole_pitch_deg",
)
MIDLINE_METRICS = ("trunk_inclination_deg", "lumbar_flexion_deg", "neck_flexion_deg")
COLUMNS = (*(f"{side}_{metric}" for side in Side for metric in SIDED_METRICS), *MIDLINE_METRICS)

# Landmarks that a metric is made of; the least visible one decides whether it was seen.
METRIC_LANDMARKS: Mapping[str, tuple[str, ...]] = {
    "knee_flexion_deg": ("hip", "knee", "ankle"),
    "hip_flexion_deg": ("shoulder", "hip", "knee"),
    "ankle_dorsiflexion_deg": ("knee", "ankle", "heel", "foot_index"),
    "shank_inclination_deg": ("knee", "ankle"),
    "sole_pitch_deg": ("heel", "foot_index"),
    "trunk_inclination_deg": ("shoulder", "hip"),
    "lumbar_flexion_deg": ("shoulder", "hip"),
    "neck_flexion_deg": ("ear", "shoulder", "hip"),
}


def change_of(metric: str) -> str:
    """Name of a metric's change since the start of its repetition: ``hip_flexion_change_deg``.

    Its error is smaller than the angle's own, because what is constant in the error cancels.
    """
    return f"{metric.removesuffix('_deg')}_change_deg"


def column_name(metric: str, side: Side) -> str:
    """Name of a metric's column for one side; midline metrics have no side."""
    return f"{side.value}_{metric}" if metric in SIDED_METRICS else metric


def measure(track: PoseTrack, near_sign: FloatArray) -> dict[str, FloatArray]:
    """Every column of `COLUMNS` over a track.

    Parameters
    ----------
    track : PoseTrack
    near_sign : ndarray, shape (n,)
        1 where the right side faces the camera, -1 where the left does, 0 where unknown.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Degrees; NaN where a landmark is missing or the near side is unknown. ``lumbar_flexion_deg`` is all NaN
        (it needs a neutral), ``neck_flexion_deg`` is against the trunk line, not against a neutral.
    """
    sign = np.where(near_sign == 0, np.nan, near_sign)
    columns: dict[str, FloatArray] = {}
    trunk = middle(track, "SHOULDER") - middle(track, "HIP")
    for side in Side:
        hip, knee, ankle, heel, toe = (
            track.image_px[:, side_landmark(side, name)] for name in ("hip", "knee", "ankle", "heel", "foot_index")
        )
        columns[f"{side.value}_knee_flexion_deg"] = sign * signed_angle(knee - hip, ankle - knee)
        columns[f"{side.value}_hip_flexion_deg"] = -sign * signed_angle(-trunk, knee - hip)
        columns[f"{side.value}_ankle_dorsiflexion_deg"] = 90.0 - sign * signed_angle(knee - ankle, toe - heel)
        columns[f"{side.value}_shank_inclination_deg"] = sign * angle_from_vertical(knee - ankle)
        columns[f"{side.value}_sole_pitch_deg"] = sign * angle_from_vertical(toe - heel) - 90.0
    columns["trunk_inclination_deg"] = sign * angle_from_vertical(trunk)
    columns["lumbar_flexion_deg"] = np.full(len(track), np.nan)
    columns["neck_flexion_deg"] = sign * signed_angle(trunk, _near_ear(track, near_sign) - middle(track, "SHOULDER"))
    return {name: wrap_degrees(columns[name]) for name in COLUMNS}


def _near_ear(track: PoseTrack, near_sign: FloatArray) -> FloatArray:
    right, left = track.image_px[:, Landmark.RIGHT_EAR], track.image_px[:, Landmark.LEFT_EAR]
    return np.where((near_sign > 0)[:, None], right, left)


def world_flexion(track: PoseTrack, metric: str, side: Side) -> FloatArray:
    """Unsigned bend of a knee or hip in space, from the world landmarks, for counting repetitions from any view.

    Parameters
    ----------
    track : PoseTrack
    metric : str
        ``knee_flexion_deg`` or ``hip_flexion_deg``.
    side : Side

    Returns
    -------
    ndarray, shape (n,)
        Degrees, 0 to 180; NaN where unseen. Too coarse to judge by: the depth of a landmark is a guess.

    Raises
    ------
    ValueError
        For any other metric.
    """
    hip, knee, ankle = (track.world_m[:, side_landmark(side, name)] for name in ("hip", "knee", "ankle"))
    if metric == "knee_flexion_deg":
        return angle_between(knee - hip, ankle - knee)
    if metric == "hip_flexion_deg":
        hips = (track.world_m[:, Landmark.LEFT_HIP] + track.world_m[:, Landmark.RIGHT_HIP]) / 2
        shoulders = (track.world_m[:, Landmark.LEFT_SHOULDER] + track.world_m[:, Landmark.RIGHT_SHOULDER]) / 2
        return angle_between(hips - shoulders, knee - hip)
    raise ValueError(f"{metric} has no bend in space")


def trunk_length(track: PoseTrack) -> FloatArray:
    """Length of the line from mid-hip to mid-shoulder in pixels, shape (n,); NaN where unseen."""
    return length(middle(track, "SHOULDER") - middle(track, "HIP"))
