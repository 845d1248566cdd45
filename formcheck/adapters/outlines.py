"""The outline of the trunk for poses that are already estimated, from a landmarker of its own that gives masks.

A mask in every frame would cost much time, the more the larger the picture, because mediapipe makes it as large. So
masks come from a second landmarker, which sees only a small square around the person, and only a few times a second: a
back changes its shape slowly, and `formcheck.silhouette` fills in between. The landmarks stay those of the first
landmarker.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from formcheck.geometry import length
from formcheck.landmarks import Landmark
from formcheck.silhouette import outline
from formcheck.types import OUTLINE_POINTS, FloatArray, Frame, Pose, PoseTrack
from formcheck.view import yaw_per_frame

EVERY_S = 0.25  # a landmarker run each. Every 0.05 s tells the lower back no better
MAX_YAW_DEG = 45.0  # one frame's own estimate; from further round the outline is not that of the back
SQUARE_PX = 320  # the network itself works on 256
MARGIN = 1.15  # of the distance from mid-hip to the landmark that is furthest from it
MIN_REACH_PX = 24.0
MAX_APART = 0.3  # trunk lines between the hips (and shoulders) of the two landmarkers: beyond, it is somebody else
GREY = (128, 128, 128)

_SHOULDERS = [Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER]
_HIPS = [Landmark.LEFT_HIP, Landmark.RIGHT_HIP]


class MaskBackend(Protocol):
    """A pose backend whose poses have masks."""

    def detect(self, frame: Frame) -> Pose:
        """Return the pose in the next frame."""

    def close(self) -> None:
        """Free what it holds."""


class Outliner:
    """Adds the outline of the trunk to the poses of one person, every `EVERY_S`.

    Parameters
    ----------
    open_backend : callable
        Opens the backend that gives masks, once the first outline is due.
    """

    def __init__(self, open_backend: Callable[[], MaskBackend]) -> None:
        self._open_backend = open_backend
        self._backend: MaskBackend | None = None
        self._last_s = -math.inf

    def add(self, frame: Frame, pose: Pose) -> Pose:
        """The pose, with its outline where one is due; NaN in it where it could not be told."""
        if not pose.found or 0 <= frame.time_s - self._last_s < EVERY_S or not _from_the_side(pose):
            return pose
        self._last_s = frame.time_s
        if self._backend is None:
            self._backend = self._open_backend()
        square, origin, scale = around(frame, pose)
        seen = self._backend.detect(square)
        points = (pose.image_px - origin) * scale
        if seen.mask is None or not _same_person(points, seen.image_px):
            return replace(pose, outline_px=np.full((2, OUTLINE_POINTS, 2), np.nan))
        return replace(pose, outline_px=outline(seen.mask, points) / scale + origin)

    def close(self) -> None:
        """Free the backend. Closing twice is allowed."""
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()


def around(frame: Frame, pose: Pose) -> tuple[Frame, FloatArray, float]:
    """A small square picture of a person with mid-hip in its middle, grey where it leaves the frame.

    Returns
    -------
    square : Frame
        `SQUARE_PX` wide and high.
    origin : ndarray, shape (2,)
        Its upper left corner in pixels of the frame.
    scale : float
        Its pixels per pixel of the frame.
    """
    import cv2  # late: importing the backend must cost nothing

    hip = (pose.image_px[Landmark.LEFT_HIP] + pose.image_px[Landmark.RIGHT_HIP]) / 2
    reach = max(MARGIN * float(np.nanmax(length(pose.image_px - hip))), MIN_REACH_PX)
    origin, scale = hip - reach, SQUARE_PX / (2 * reach)
    # cv2 counts from the middle of the first pixel, landmarks from its corner
    shift = scale * (0.5 - origin) - 0.5
    matrix = np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])
    image = cv2.warpAffine(
        frame.image,
        matrix,
        (SQUARE_PX, SQUARE_PX),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=GREY,
    )
    return replace(frame, image=np.asarray(image, dtype=np.uint8)), origin, scale


def _from_the_side(pose: Pose) -> bool:
    return bool(yaw_per_frame(PoseTrack.from_poses([pose]))[0] <= MAX_YAW_DEG)  # False for NaN


def _same_person(first_px: FloatArray, second_px: FloatArray) -> bool:
    """Whether two sets of landmarks in one picture have their trunks in the same place."""
    shoulder, other_shoulder = (points[_SHOULDERS].mean(axis=0) for points in (first_px, second_px))
    hip, other_hip = (points[_HIPS].mean(axis=0) for points in (first_px, second_px))
    apart = max(float(length(shoulder - other_shoulder)), float(length(hip - other_hip)))
    return apart <= MAX_APART * float(length(shoulder - hip))
