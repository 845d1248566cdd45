"""The outline of the trunk for poses that are already estimated, from a landmarker of its own that gives masks.

A mask in every frame would cost much time, the more the larger the picture, because mediapipe makes it as large. So
masks come from a second landmarker, which sees only a small square around the person, and only a few times a
second: a back changes its shape slowly, and `formcheck.silhouette` fills in between. The landmarks stay those of the
first landmarker.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from formcheck.adapters.square import Square, reach_of, trunk_of, trunks_apart
from formcheck.silhouette import outline
from formcheck.types import OUTLINE_POINTS, FloatArray, Frame, Pose, PoseTrack
from formcheck.view import yaw_per_frame

# Seconds between two outlines, a landmarker run each. Every 0.05 s tells the lower back no better than every 0.5 s, but
# a second apart, or fewer on the way from rest to the turn, leaves more repetitions that cannot be judged.
EVERY_S = 0.5
MOVED_S = 0.35  # ... once the trunk has moved on: the moments next to rest and next to the turn count most
STILL_S = 0.75  # while the trunk is where it was at the last one
SOON_S = 0.25  # in fast movement, and where the last one shows little: an arm is out of the way soon
STILL = 0.02  # trunk lines that shoulders and hips have moved
MOVED = 0.10
FAST = 2.0  # trunk lines a second: a kettlebell swing; a hinge of 1.5 s comes to 1.3
LITTLE_SEEN = 0.3  # of the outline's points, of which those along the front are often behind an arm
MOST_SOON = 2  # looks in a row that may come sooner because little was seen
SPEED_OVER_S = 0.1
# Where poses come further apart than this (`--rate auto`), the moment next to the turn is easily passed by: the trunk
# is looked at as soon as it is half as fast as it was.
SPARSE_S = 0.1
SLOWED = 0.5
SLOWED_S = 0.15  # since the last outline
FAST_FOR_S = 0.5  # a fast movement that turns round is slow for a moment, and that is the moment to see
MAX_YAW_DEG = 45.0  # one frame's own estimate; from further round the outline is not that of the back
SQUARE_PX = 320  # the network itself works on 256
MARGIN = 1.15  # of the distance from mid-hip to the landmark that is furthest from it
MAX_APART = 0.3  # trunk lines between the hips (and shoulders) of the two landmarkers: beyond, it is somebody else
GREY = (128, 128, 128)


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
        square = around(pose)
        seen = self._backend.detect(square.cut_out(frame, GREY))
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
        self._little_seen = 0  # looks in a row
        self._fast_s = -math.inf
        self._recent: deque[tuple[float, FloatArray]] = deque()
        self._fastest = 0.0  # trunk lines a second, since the last outline

    def due(self, pose: Pose) -> bool:
        """Whether this pose, the next one, should have its outline taken."""
        trunk = trunk_of(pose.image_px)
        while len(self._recent) > 1 and self._recent[1][0] <= pose.time_s - SPEED_OVER_S:
            self._recent.popleft()
        sparse = bool(self._recent) and pose.time_s - self._recent[-1][0] > SPARSE_S
        self._recent.append((pose.time_s, trunk))
        before_s, before = self._recent[0]
        speed = trunks_apart(trunk, before) / max(pose.time_s - before_s, 1e-3)
        self._fastest = max(self._fastest, speed)
        if speed > FAST:
            self._fast_s = pose.time_s
        elapsed_s = pose.time_s - self._last_s
        if self._last is None or not 0 <= elapsed_s < STILL_S:
            return True
        if pose.time_s - self._fast_s <= FAST_FOR_S or 0 < self._little_seen <= MOST_SOON:
            return elapsed_s >= SOON_S
        way = trunks_apart(trunk, self._last)
        if sparse and way > MOVED and speed < SLOWED * self._fastest:
            return elapsed_s > SLOWED_S
        return elapsed_s >= (MOVED_S if way > MOVED else EVERY_S) and way > STILL

    def saw(self, pose: Pose, points: FloatArray) -> None:
        """Take an outline."""
        self._last_s, self._last = pose.time_s, trunk_of(pose.image_px)
        self._fastest = 0.0
        self._little_seen = self._little_seen + 1 if np.isfinite(points).mean() < LITTLE_SEEN else 0


def around(pose: Pose) -> Square:
    """The square whose mask is taken."""
    return Square.upright(trunk_of(pose.image_px), MARGIN * reach_of(pose.image_px), SQUARE_PX)


def _from_the_side(pose: Pose) -> bool:
    return bool(yaw_per_frame(PoseTrack.from_poses([pose]))[0] <= MAX_YAW_DEG)  # False for NaN


def _same_person(first_px: FloatArray, second_px: FloatArray) -> bool:
    """Whether two sets of landmarks in one picture have their trunks in the same place."""
    return trunks_apart(trunk_of(first_px), trunk_of(second_px)) <= MAX_APART
