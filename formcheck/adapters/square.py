"""A square picture of one person: mid-hip in its middle, the trunk upright, always the same size.

The pose network, once it follows somebody, looks where the last pose was, and turned as that one was. Between pictures
that are cut out like this the person stays in the same place, however much time lies between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from formcheck.geometry import length
from formcheck.landmarks import Landmark
from formcheck.types import FloatArray, Frame, ImageArray, Pose

MIN_REACH_PX = 24.0

_SHOULDERS = [Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER]
_HIPS = [Landmark.LEFT_HIP, Landmark.RIGHT_HIP]


@dataclass(frozen=True, slots=True)
class Square:
    """Where a square picture lies in a larger one.

    Attributes
    ----------
    turn : ndarray, shape (2, 2)
        Rotation and scale from the larger picture to this one.
    hip_px : ndarray, shape (2,)
        Mid-hip in the larger picture.
    side_px : int
        Width and height of the square.
    """

    turn: FloatArray
    hip_px: FloatArray
    side_px: int

    @classmethod
    def upright(cls, trunk: FloatArray, reach_px: float, side_px: int) -> Square:
        """Around a person with this `trunk_of`, as far as `reach_px` from mid-hip."""
        shoulder, hip = trunk
        up = (shoulder - hip) / max(float(length(shoulder - hip)), 1e-6)
        scale = side_px / (2 * max(reach_px, MIN_REACH_PX))
        return cls(scale * np.array([[-up[1], up[0]], [-up[0], -up[1]]]), hip, side_px)

    def inside(self, points: FloatArray) -> FloatArray:
        """Points of the larger picture, shape (..., 2), in pixels of the square."""
        return np.asarray((points - self.hip_px) @ self.turn.T + self.side_px / 2)

    def outside(self, points: FloatArray) -> FloatArray:
        """Points of the square, shape (..., 2), in pixels of the larger picture."""
        return np.asarray((points - self.side_px / 2) @ np.linalg.inv(self.turn).T + self.hip_px)

    def cut_out(self, frame: Frame, beyond: tuple[int, int, int]) -> Frame:
        """The square of a frame, in the colour `beyond` where it leaves it."""
        import cv2  # late: importing a backend must cost nothing

        # cv2 counts from the middle of the first pixel, landmarks from its corner
        shift = self.turn @ (0.5 - self.hip_px) + self.side_px / 2 - 0.5
        image = cv2.warpAffine(
            frame.image,
            np.column_stack([self.turn, shift]),
            (self.side_px, self.side_px),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=beyond,
        )
        return replace(frame, image=np.asarray(image, dtype=np.uint8))

    def pose_outside(self, pose: Pose, size_px: tuple[int, int]) -> Pose:
        """A pose found in the square, as one of the larger picture of that size."""
        rotation = self.turn / np.sqrt(np.linalg.det(self.turn))
        world = np.column_stack([pose.world_m[:, :2] @ rotation, pose.world_m[:, 2]])
        return replace(pose, size_px=size_px, image_px=self.outside(pose.image_px), world_m=world)


def coarse(image: ImageArray, cells: int) -> FloatArray:
    """The mean levels of a square picture on a grid, shape (cells, cells, 3)."""
    import cv2  # late: importing a backend must cost nothing

    return np.asarray(cv2.resize(image, (cells, cells), interpolation=cv2.INTER_AREA), dtype=np.float64)


def trunk_of(image_px: FloatArray) -> FloatArray:
    """Middle of the shoulders and of the hips of landmarks, shape (2, 2), pixels."""
    return np.stack([image_px[_SHOULDERS].mean(axis=0), image_px[_HIPS].mean(axis=0)])


def reach_of(image_px: FloatArray) -> float:
    """Distance from mid-hip to the landmark that is furthest from it, pixels."""
    return float(np.nanmax(length(image_px - trunk_of(image_px)[1])))


def trunks_apart(one: FloatArray, other: FloatArray) -> float:
    """Distance of the ends of two trunks that are further apart, in lengths of the first one."""
    return float(length(other - one).max()) / max(float(length(one[0] - one[1])), 1e-6)
