"""From what mediapipe gives to `Pose`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from formcheck.bias_features import TIME_SLOT_S
from formcheck.slots import time_slot
from formcheck.types import Frame, Pose


def is_rgb(image: object) -> bool:
    """Whether a picture is one that mediapipe's graph survives: RGB, 8 bits, not empty."""
    return isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.shape[2:] == (3,) and image.size > 0


def to_poses(result: Any, frame: Frame, *, masks: bool) -> tuple[Pose, ...]:
    """The poses of a PoseLandmarkerResult, with copies of the masks where they were asked for."""
    height, width = frame.image.shape[:2]
    poses = []
    for number, points in enumerate(result.pose_landmarks):
        world = result.pose_world_landmarks[number]
        mask: NDArray[np.float32] | None = None
        if masks and result.segmentation_masks:
            # a copy, because the view dangles once mediapipe's image is freed
            view = result.segmentation_masks[number].numpy_view()
            mask = view.reshape(height, width).astype(np.float32, copy=True)
        pose = Pose(
            index=frame.index,
            time_s=frame.time_s,
            size_px=(width, height),
            image_px=np.array([(point.x, point.y) for point in points], dtype=np.float64) * (width, height),
            world_m=np.array([(point.x, point.y, point.z) for point in world], dtype=np.float64),
            visibility=np.array([point.visibility for point in points], dtype=np.float64),
            mask=mask,
        )
        poses.append(pose)
    return tuple(poses)


class PatchTaker:
    """Adds what the picture shows at the knees and feet to poses, a few times a second.

    Frames are chosen by their own times and not by what came before, so that a part of a clip has the same ones.
    """

    def __init__(self) -> None:
        self._last_slot: int | None = None

    def add(self, frame: Frame, pose: Pose) -> Pose:
        """The pose, with patches where they are due."""
        slot = time_slot(frame.time_s, TIME_SLOT_S)
        if slot == self._last_slot:
            return pose
        self._last_slot = slot
        from formcheck.adapters.patches import describe  # late: it brings cv2

        return replace(pose, patches=describe(np.ascontiguousarray(frame.image), pose.image_px))
