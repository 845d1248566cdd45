"""The names of MediaPipe's (BlazePose's) 33 body landmarks that formcheck uses."""

from __future__ import annotations

from enum import IntEnum

from formcheck.types import Side


class Landmark(IntEnum):
    """Index of a landmark in `Pose.image_px`, `Pose.world_m` and `Pose.visibility`."""

    NOSE = 0
    LEFT_EAR = 7
    RIGHT_EAR = 8
    LEFT_SHOULDER = 11
    RIGHT_SHOULDER = 12
    LEFT_ELBOW = 13
    RIGHT_ELBOW = 14
    LEFT_WRIST = 15
    RIGHT_WRIST = 16
    LEFT_HIP = 23
    RIGHT_HIP = 24
    LEFT_KNEE = 25
    RIGHT_KNEE = 26
    LEFT_ANKLE = 27
    RIGHT_ANKLE = 28
    LEFT_HEEL = 29
    RIGHT_HEEL = 30
    LEFT_FOOT_INDEX = 31
    RIGHT_FOOT_INDEX = 32


def side_landmark(side: Side, name: str) -> Landmark:
    """Return the landmark `name` ("hip", "foot_index", ...) of one side."""
    return Landmark[f"{side.value}_{name}".upper()]
