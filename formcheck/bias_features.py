"""What the landmarks' error is learnt from: numbers that stay when the picture is moved, scaled or mirrored.

Each describes the leg that faces the camera, in a picture mirrored so that this is the right one.
"""

from __future__ import annotations

import numpy as np

from formcheck.geometry import angle_between, length, signed_angle
from formcheck.landmarks import Landmark, side_landmark
from formcheck.types import PATCH_BINS, PATCH_CELLS, PATCH_SIZE, FloatArray, PatchArray, PoseTrack, Side
from formcheck.view import middle

PLACES = 2  # the first ones of a leg's patches: its knee and its foot
FOOT_FEATURES = 11  # the last ones of `of_landmarks`
FOOT_ANGLE_COLUMNS = slice(-FOOT_FEATURES, -FOOT_FEATURES + 3)  # of these: the foot's direction, and the ankle
TIME_SLOT_S = 0.1  # the error changes with posture, slower than the angles: it is told once in each such slot of time


def of_picture(track: PoseTrack, near_sign: FloatArray) -> PatchArray | None:
    """Patches of the near leg (`formcheck.adapters.patches`).

    Returns
    -------
    ndarray of uint8, shape (n, 2, PATCH_SIZE), or None
        By place (knee, foot); all zero where nothing is known. None when the track has no patches.
    """
    if track.patches is None:
        return None
    left, right = track.patches[:, 0, :PLACES], track.patches[:, 1, :PLACES]
    sign = near_sign[:, None, None]
    return np.where(sign > 0, right, np.where(sign < 0, mirrored(left), np.zeros_like(left)))


def mirrored(patches: PatchArray) -> PatchArray:
    """Patches, shape (..., PATCH_SIZE), as the mirrored picture would show them."""
    cells = patches.reshape(*patches.shape[:-1], PATCH_CELLS, PATCH_CELLS, PATCH_BINS)
    bins = -np.arange(PATCH_BINS) % PATCH_BINS  # a direction t becomes half a turn less t
    return np.ascontiguousarray(cells[..., ::-1, :][..., bins]).reshape(*patches.shape[:-1], PATCH_SIZE)


def of_landmarks(track: PoseTrack, near_sign: FloatArray) -> FloatArray:
    """Features of the pose, shape (n, f); NaN where a landmark or the near side is unknown.

    Directions and lengths of the body's segments, lengths in units of trunk plus leg, joint angles of both legs, and
    the same bends and the turn of shoulders and hips from the world landmarks. What describes the foot comes last
    (`FOOT_FEATURES`).
    """
    sign = np.where(near_sign == 0, np.nan, near_sign)
    near = _side_points(track.image_px, near_sign)
    far = _side_points(track.image_px, -near_sign)
    space = _side_points(track.world_m, near_sign)
    mirror = np.stack([sign, np.ones_like(sign)], axis=1)
    shoulders, hips = middle(track, "SHOULDER"), middle(track, "HIP")
    trunk, thigh, shank = shoulders - hips, near["knee"] - near["hip"], near["ankle"] - near["knee"]
    foot = near["foot_index"] - near["heel"]
    size = (length(trunk) + length(thigh) + length(shank)) / 3
    size = np.where(size > 0, size, np.nan)
    columns: list[FloatArray] = []
    for segment in (trunk, thigh, shank):
        columns.extend(_direction(segment * mirror))
    columns += [
        sign * signed_angle(thigh, shank) / 90,
        -sign * signed_angle(-trunk, thigh) / 90,
        sign * signed_angle(far["knee"] - far["hip"], far["ankle"] - far["knee"]) / 90,
        -sign * signed_angle(-trunk, far["knee"] - far["hip"]) / 90,
    ]
    across = [near[part] - far[part] for part in ("hip", "shoulder", "knee", "ankle")]
    columns += [length(part) / size for part in (thigh, shank, trunk, *across[:2])]
    for part in (*across, near["ear"] - shoulders, near["elbow"] - near["shoulder"]):
        columns.extend((part * mirror / size[:, None]).T)
    columns += _space_features(track, space)
    heel, toe = near["heel"] - near["ankle"], near["foot_index"] - near["ankle"]
    feet = [*_direction(foot * mirror), 1 - sign * signed_angle(-shank, foot) / 90]
    feet += [length(part) / size for part in (foot, heel, toe)]
    for part in (heel, toe):
        feet.extend((part * mirror / size[:, None]).T)
    feet.append(1 - angle_between(space["knee"] - space["ankle"], space["foot_index"] - space["heel"]) / 90)
    return np.stack([*columns, *feet], axis=1)


def _direction(segment: FloatArray) -> list[FloatArray]:
    size = length(segment)
    return list((segment / np.where(size > 0, size, np.nan)[:, None]).T)


def _space_features(track: PoseTrack, space: dict[str, FloatArray]) -> list[FloatArray]:
    world = track.world_m
    trunk = (
        world[:, Landmark.LEFT_SHOULDER]
        + world[:, Landmark.RIGHT_SHOULDER]
        - world[:, Landmark.LEFT_HIP]
        - world[:, Landmark.RIGHT_HIP]
    )
    thigh, shank = space["knee"] - space["hip"], space["ankle"] - space["knee"]
    turned = []
    for name in ("SHOULDER", "HIP"):
        across = world[:, Landmark[f"LEFT_{name}"]] - world[:, Landmark[f"RIGHT_{name}"]]
        turned.append(np.degrees(np.arctan2(length(across[:, :2]), np.abs(across[:, 2]))) / 45)
    return [
        angle_between(thigh, shank) / 90,
        angle_between(-trunk, thigh) / 90,
        *turned,
    ]


def _side_points(points: FloatArray, side_sign: FloatArray) -> dict[str, FloatArray]:
    """Landmarks of the side that `side_sign` names in each frame (1 right, -1 left)."""
    right = (side_sign > 0)[:, None]
    return {
        name: np.where(right, points[:, side_landmark(Side.RIGHT, name)], points[:, side_landmark(Side.LEFT, name)])
        for name in ("ear", "shoulder", "elbow", "hip", "knee", "ankle", "heel", "foot_index")
    }
