"""The outline of the trunk for poses that are already estimated, from a landmarker of its own that gives masks.

A mask in every frame would cost much time, the more the larger the picture, because mediapipe makes it as large. So
masks come from a second landmarker, which sees only a small square around the person, and only once or twice a
second: a back changes its shape slowly, and `formcheck.silhouette` fills in between. The landmarks stay those of the
first landmarker.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from formcheck.geometry import length
from formcheck.landmarks import Landmark
from formcheck.silhouette import outline
from formcheck.types import OUTLINE_POINTS, FloatArray, Frame, Pose, PoseTrack
from formcheck.view import yaw_per_frame

# Seconds between two outlines, a landmarker run each. Every 0.05 s tells the lower back no better than every 0.5 s.
EVERY_S = 0.5
STILL_S = 0.75  # while the trunk is where it was at the last one
SOON_S = 0.25  # in fast movement, and where the last one shows little: an arm is out of the way soon
STILL = 0.02  # trunk lines that shoulders and hips have moved
FAST = 2.0  # trunk lines a second: a kettlebell swing; a hinge of 1.5 s comes to 1.3
LITTLE_SEEN = 0.3  # of the outline's points, of which those along the front are often behind an arm
SPEED_OVER_S = 0.1
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
    """Adds the outline of the trunk to some of the poses of one person.

    Parameters
    ----------
    open_backend : callable
        Opens the backend that gives masks, once the first outline is due.
    """

    def __init__(self, open_backend: Callable[[], MaskBackend]) -> None:
        self._open_backend = open_backend
        self._backend: MaskBackend | None = None
        self._clock = _Clock()

    def add(self, frame: Frame, pose: Pose) -> Pose:
        """The pose, with its outline where one is due; NaN in it where it could not be told."""
        if not pose.found or not self._clock.due(pose) or not _from_the_side(pose):
            return pose
        if self._backend is None:
            self._backend = self._open_backend()
        square = around(frame, pose)
        seen = self._backend.detect(square.frame)
        points = square.inside(pose.image_px)
        if seen.mask is None or not _same_person(points, seen.image_px):
            found = np.full((2, OUTLINE_POINTS, 2), np.nan)
        else:
            found = square.outside(outline(seen.mask, points))
        self._clock.saw(pose, found)
        return replace(pose, outline_px=found)

    def close(self) -> None:
        """Free the backend. Closing twice is allowed."""
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()


class _Clock:
    """Tells when an outline is due."""

    def __init__(self) -> None:
        self._last_s = -math.inf
        self._last: FloatArray | None = None
        self._little_seen = False
        self._recent: deque[tuple[float, FloatArray]] = deque()

    def due(self, pose: Pose) -> bool:
        """Whether this pose, the next one, should have its outline taken."""
        trunk = _trunk(pose)
        size = float(length(trunk[0] - trunk[1]))
        while len(self._recent) > 1 and self._recent[1][0] <= pose.time_s - SPEED_OVER_S:
            self._recent.popleft()
        self._recent.append((pose.time_s, trunk))
        elapsed_s = pose.time_s - self._last_s
        if self._last is None or not 0 <= elapsed_s < STILL_S:
            return True
        before_s, before = self._recent[0]
        speed = _moved(before, trunk, size) / max(pose.time_s - before_s, 1e-3)
        if speed > FAST or self._little_seen:
            return elapsed_s >= SOON_S
        return elapsed_s >= EVERY_S and _moved(self._last, trunk, size) > STILL

    def saw(self, pose: Pose, points: FloatArray) -> None:
        """Take an outline."""
        self._last_s, self._last = pose.time_s, _trunk(pose)
        self._little_seen = bool(np.isfinite(points).mean() < LITTLE_SEEN)


def _trunk(pose: Pose) -> FloatArray:
    """Middle of the shoulders and of the hips, shape (2, 2)."""
    return np.stack([pose.image_px[_SHOULDERS].mean(axis=0), pose.image_px[_HIPS].mean(axis=0)])


def _moved(one: FloatArray, other: FloatArray, size: float) -> float:
    """Way of the end of the trunk that moved further, in trunk lines."""
    return float(length(other - one).max()) / max(size, 1e-6)


@dataclass(frozen=True, slots=True)
class Square:
    """A small square picture of a person: mid-hip in its middle, the trunk upright.

    The network looks where the last pose was, and turned as that one was. Turned with the trunk, the person is always
    in the same place, however far a hinge has gone since the last look.

    Attributes
    ----------
    frame : Frame
        `SQUARE_PX` wide and high, grey where it leaves the picture that it was cut out of.
    turn : ndarray, shape (2, 2)
        Rotation and scale from that picture to this one.
    hip_px : ndarray, shape (2,)
        Mid-hip in that picture.
    """

    frame: Frame
    turn: FloatArray
    hip_px: FloatArray

    def inside(self, points: FloatArray) -> FloatArray:
        """Points of the large picture, shape (..., 2), in pixels of the square."""
        return np.asarray((points - self.hip_px) @ self.turn.T + SQUARE_PX / 2)

    def outside(self, points: FloatArray) -> FloatArray:
        """Points of the square, shape (..., 2), in pixels of the large picture."""
        return np.asarray((points - SQUARE_PX / 2) @ np.linalg.inv(self.turn).T + self.hip_px)


def around(frame: Frame, pose: Pose) -> Square:
    """Cut a person out of a frame."""
    import cv2  # late: importing the backend must cost nothing

    shoulder, hip = _trunk(pose)
    reach = max(MARGIN * float(np.nanmax(length(pose.image_px - hip))), MIN_REACH_PX)
    up = (shoulder - hip) / max(float(length(shoulder - hip)), 1e-6)
    scale = SQUARE_PX / (2 * reach)
    turn = scale * np.array([[-up[1], up[0]], [-up[0], -up[1]]])
    # cv2 counts from the middle of the first pixel, landmarks from its corner
    shift = turn @ (0.5 - hip) + SQUARE_PX / 2 - 0.5
    image = cv2.warpAffine(
        frame.image,
        np.column_stack([turn, shift]),
        (SQUARE_PX, SQUARE_PX),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=GREY,
    )
    return Square(replace(frame, image=np.asarray(image, dtype=np.uint8)), turn, hip)


def _from_the_side(pose: Pose) -> bool:
    return bool(yaw_per_frame(PoseTrack.from_poses([pose]))[0] <= MAX_YAW_DEG)  # False for NaN


def _same_person(first_px: FloatArray, second_px: FloatArray) -> bool:
    """Whether two sets of landmarks in one picture have their trunks in the same place."""
    shoulder, other_shoulder = (points[_SHOULDERS].mean(axis=0) for points in (first_px, second_px))
    hip, other_hip = (points[_HIPS].mean(axis=0) for points in (first_px, second_px))
    apart = max(float(length(shoulder - other_shoulder)), float(length(hip - other_hip)))
    return apart <= MAX_APART * float(length(shoulder - hip))
