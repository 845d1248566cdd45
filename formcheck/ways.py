"""How far a person has moved between two poses, in trunk lengths, and whether the network has kept up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from formcheck.landmarks import side_landmark
from formcheck.types import FloatArray, Pose, Side

JOINTS: Final = tuple(
    int(side_landmark(side, name))
    for side in Side
    for name in ("shoulder", "hip", "knee", "ankle", "heel", "foot_index")
)
FEET: Final = tuple(int(side_landmark(side, name)) for side in Side for name in ("heel", "foot_index"))
TRUNK: Final = tuple(int(side_landmark(side, name)) for side in Side for name in ("shoulder", "hip"))

# The network looks at a region that it takes from the hips and the trunk of its last pose, and is slow to turn it
# after a body that moves: a hinge of 70 degrees a second read 5 degrees behind. Sent a second time, a frame is seen in
# its own region, and reads as it does when every frame is sent.
AGAIN: Final = 0.06  # trunk lengths since the last pose
AGAIN_GAP_S: Final = 0.07  # after a shorter time the region is as near as it ever is


def needs_again(last: Pose, pose: Pose) -> bool:
    """Whether the frame of this pose should be sent once more, because the trunk has moved since the last one."""
    return pose.time_s - last.time_s > AGAIN_GAP_S and moved(last, pose, TRUNK) > AGAIN


def moved(one: Pose, other: Pose, joints: Sequence[int] = JOINTS) -> float:
    """Way of the joint that moved furthest between two poses, in trunk lengths; inf when one is missing."""
    if not (one.found and other.found):
        return math.inf
    trunk = max(trunk_px(one), trunk_px(other))
    return furthest(one.image_px, other.image_px, joints) / trunk if trunk > 0 else math.inf


def furthest(one: FloatArray, other: FloatArray, joints: Sequence[int] = JOINTS) -> float:
    """Largest distance of a joint between two sets of landmarks, pixels."""
    return float(np.nanmax(distances(one, other, joints)))


def distances(one: FloatArray, other: FloatArray, joints: Sequence[int] = JOINTS) -> FloatArray:
    """Distance of each joint between two sets of landmarks, pixels, shape (joints,)."""
    return np.asarray(np.linalg.norm((one - other)[list(joints)], axis=1))


def trunk_px(pose: Pose) -> float:
    """Length of the longer side of the trunk, shoulder to hip, pixels."""
    sides = [
        pose.image_px[side_landmark(side, "shoulder")] - pose.image_px[side_landmark(side, "hip")] for side in Side
    ]
    return float(np.linalg.norm(sides, axis=1).max())
