"""The outline of the trunk for poses that are already estimated, from a landmarker of its own that gives masks.

A mask in every frame would cost much time, the more the larger the picture, because mediapipe makes it as large. So
masks come from a second landmarker, which sees only a small square around the person, each on its own, and only a few
times a second: a back changes its shape slowly, and `formcheck.silhouette` fills in between. The landmarks stay those
of the first landmarker.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from formcheck.adapters.square import MIN_REACH_PX, Square, coarse, reach_of, trunk_of, trunks_apart
from formcheck.geometry import angle_from_vertical, length, signed_angle
from formcheck.silhouette import HEIGHTS, outline
from formcheck.slots import LOOK_SLOT_S, time_slot
from formcheck.types import OUTLINE_SHAPE, BoolArray, FloatArray, Frame, Pose, PoseTrack
from formcheck.view import near_side_votes, yaw_per_frame

# An outline is taken in the first frame of a slot of time (`LOOK_SLOT_S`), or not in that slot, and as a rule in slots
# whose number is a multiple of `EVERY`: `--rate auto` sends those frames too, so it has nearly the outlines of the full
# rate, and what one rate saw more hardly moves those after it. By other frames, a back reads 1 to 4 deg otherwise.
# Every 0.05 s tells it no better than every 0.8 s, if moments next to the turn are among them.
EVERY = 4  # slots from one outline to the next, a landmarker run each
AT_TURN = 1  # slots in a row that have one because the trunk slows down: where a hinge turns round
LITTLE_SEEN = 0.3  # of the outline's points, of which those along the front are often behind an arm
MOST_SOON = 2  # slots in a row that have one because the last showed little: an arm is out of the way soon
# While the picture around the trunk stays what it was, so does the outline: the last one is given again.
AGAIN_SLOTS = 2 * EVERY  # from the last look, at most
TRUNK_RESTS = 0.04  # trunk lines that its ends may have gone since
CELLS = 48  # in the square's side; the trunk is seven to eleven long
CHANGED_CELLS = 5  # those that changed most
NEAR_TRUNK = 0.5  # trunk lines from its axis
SAME_SHARE = 0.15  # of the contrast along the outline: a part of it that moves by 3 % of the trunk makes more
DULLEST = 25.0  # percentile over the outline's points: a bright wall behind the legs must not stand for the back
SLOWED = 0.7  # of the fastest in this movement
MOVING = 0.15  # trunk lines a second; slower is no movement that could slow down
MAX_YAW_DEG = 45.0  # one frame's own estimate; from further round the outline is not that of the back
SUPINE_DEG = -60.0  # leaning back further, the body lies on its back: `formcheck.lumbar` tells nothing from -45
CLEAR_VOTE = 0.5  # of the cues for the side that is seen, in one frame
# The square lies on a coarse grid of places, sizes and turns: the two rates, whose landmarks are a pixel apart, cut out
# the same picture, and see the same outline. By another cut, a back reads up to 3 deg otherwise. Where in it the person
# is, the look searches for itself, so the grid may be coarse.
SQUARE_PX = 384  # the network itself works on 256, of the person
MARGIN = 1.15  # of the distance from mid-hip to the landmark that is furthest from it
SIZE_STEP = 1.4
PLACES = 3  # in the square's half
TURN_STEP_DEG = 30.0
MAX_APART = 0.3  # trunk lines between the hips (and shoulders) of the two landmarkers: beyond, it is somebody else
MAX_TURNED_DEG = 10.0  # between the trunks of the two: beyond, one of them has misread it
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
        self._look: _Look | None = None

    def add(self, frame: Frame, pose: Pose) -> Pose:
        """The pose, with its outline where one is due; NaN in it where it could not be told."""
        if not pose.found or not self._clock.due(pose) or not _shows_back(pose):
            return pose
        look = self._look
        found = look.points if look is not None and look.still_shows(frame, pose) else self._look_at(frame, pose)
        self._clock.saw(pose, found)
        return replace(pose, outline_px=found)

    def _look_at(self, frame: Frame, pose: Pose) -> FloatArray:
        if self._backend is None:
            self._backend = self._open_backend()
        square = around(pose)
        picture = square.cut_out(frame, GREY)
        seen = self._backend.detect(picture)
        if seen.mask is None or not _same_trunk(square.inside(pose.image_px), seen.image_px):
            found = np.full(OUTLINE_SHAPE, np.nan)
        else:
            found = square.outside(outline(seen.mask, seen.image_px))
        self._look = None if _shows_little(found) else _Look.of(picture, square, pose, found)
        return found

    def close(self) -> None:
        """Free the backend. Closing twice is allowed."""
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()


class _Clock:
    """Tells when an outline is due."""

    def __init__(self) -> None:
        self._slot: int | None = None
        self._before: tuple[float, FloatArray] | None = None  # time and trunk of the last slot's first pose
        self._fastest = 0.0  # trunk lines a second, in this movement
        self._slow = 0  # slots in a row
        self._last: int | None = None  # slot of the last outline
        self._little_seen = 0  # looks in a row

    def due(self, pose: Pose) -> bool:
        """Whether this pose, the next one, should have its outline taken."""
        slot = time_slot(pose.time_s, LOOK_SLOT_S)
        if slot == self._slot:
            return False
        self._slot = slot
        self._watch(pose.time_s, trunk_of(pose.image_px))
        if slot % EVERY == 0 or (self._last is not None and not 0 <= slot - self._last < EVERY):
            return True
        return 0 < self._slow <= AT_TURN or 0 < self._little_seen <= MOST_SOON

    def saw(self, pose: Pose, points: FloatArray) -> None:
        """Take an outline."""
        self._last = time_slot(pose.time_s, LOOK_SLOT_S)
        self._little_seen = self._little_seen + 1 if _shows_little(points) else 0

    def _watch(self, time_s: float, trunk: FloatArray) -> None:
        """Notice how fast the trunk is and whether it slows down."""
        before, self._before = self._before, (time_s, trunk)
        speed = 0.0 if before is None else trunks_apart(trunk, before[1]) / max(time_s - before[0], 1e-3)
        slows = self._fastest > MOVING and speed < SLOWED * self._fastest
        self._slow = self._slow + 1 if slows else 0
        # after the turn, or at rest, another movement begins
        self._fastest = speed if self._slow > AT_TURN else max(self._fastest, speed)


@dataclass(frozen=True, slots=True)
class _Look:
    """The last look, and what the picture around the trunk was then.

    Attributes
    ----------
    pose : Pose
    points : ndarray
        The outline.
    square : Square
    near : ndarray of bool, shape (CELLS, CELLS)
        Cells of the square that lie near the trunk.
    cells : ndarray, shape (cells near the trunk, 3)
        Their levels.
    contrast : float
        Levels from inside to outside of the outline.
    """

    pose: Pose
    points: FloatArray
    square: Square
    near: BoolArray
    cells: FloatArray
    contrast: float

    @classmethod
    def of(cls, picture: Frame, square: Square, pose: Pose, points: FloatArray) -> _Look:
        """A look at a square that was cut out."""
        shoulder, hip = square.inside(trunk_of(pose.image_px)) * CELLS / SQUARE_PX
        along = shoulder - hip
        middles = np.stack(np.meshgrid(*[np.arange(CELLS) + 0.5] * 2), axis=-1) - hip
        size = float(length(along))
        share = np.clip(middles @ along / size**2, HEIGHTS[0], HEIGHTS[-1])
        near = length(middles - share[..., None] * along) < NEAR_TRUNK * size
        levels = coarse(picture.image, CELLS)
        contrast = _contrast(levels, square.inside(points) * CELLS / SQUARE_PX)
        return cls(pose, points, square, near, levels[near], contrast)

    def still_shows(self, frame: Frame, pose: Pose) -> bool:
        """Whether this pose's outline is that of the look; not without contrast, which would show a change."""
        slots = time_slot(pose.time_s, LOOK_SLOT_S) - time_slot(self.pose.time_s, LOOK_SLOT_S)
        apart = trunks_apart(trunk_of(self.pose.image_px), trunk_of(pose.image_px))
        if not (0 <= slots <= AGAIN_SLOTS and apart <= TRUNK_RESTS):
            return False
        cells = coarse(self.square.cut_out(frame, GREY).image, CELLS)[self.near]
        change = np.sort(np.abs(cells - self.cells).max(axis=1))[-CHANGED_CELLS:].mean()
        return bool(change < SAME_SHARE * self.contrast)


def _contrast(levels: FloatArray, points: FloatArray) -> float:
    """Levels from one cell inside an outline to one cell outside, where they are least; 0 where none is told."""
    edges, axis = points[:2], points[2]
    outwards = (edges - axis) / np.maximum(length(edges - axis), 1e-6)[..., None]
    ends = np.stack([edges - outwards, edges + outwards]).reshape(2, -1, 2)
    ends = ends[:, ((ends >= 0) & (ends < len(levels))).all(axis=(0, 2))].astype(int)  # not where one is NaN
    inside, outside = levels[ends[..., 1], ends[..., 0]]
    steps = np.abs(outside - inside).max(axis=1)
    return float(np.percentile(steps, DULLEST)) if steps.size else 0.0


def _shows_little(points: FloatArray) -> bool:
    return bool(np.isfinite(points[:2]).mean() < LITTLE_SEEN)


def around(pose: Pose) -> Square:
    """The square whose mask is taken."""
    shoulder, hip = trunk_of(pose.image_px)
    reach = MARGIN * max(reach_of(pose.image_px), MIN_REACH_PX)
    reach = SIZE_STEP ** math.ceil(math.log(reach, SIZE_STEP))
    place = np.round(hip * PLACES / reach) * reach / PLACES
    step = math.radians(TURN_STEP_DEG)
    turn = round(math.atan2(*(shoulder - hip)) / step) * step
    return Square.upright(np.stack([place + np.array([math.sin(turn), math.cos(turn)]), place]), reach, SQUARE_PX)


def _shows_back(pose: Pose) -> bool:
    """Whether the camera is at the person's side, who does not lie on the back."""
    alone = PoseTrack.from_poses([pose])
    if not yaw_per_frame(alone)[0] <= MAX_YAW_DEG:  # also for NaN
        return False
    vote = float(near_side_votes(alone)[0])
    shoulder, hip = trunk_of(pose.image_px)
    lean_deg = float(np.sign(vote) * angle_from_vertical(shoulder - hip))
    return not (abs(vote) >= CLEAR_VOTE and lean_deg < SUPINE_DEG)


def _same_trunk(first_px: FloatArray, second_px: FloatArray) -> bool:
    """Whether two sets of landmarks in one picture have their trunks in the same place, pointing the same way."""
    first, second = trunk_of(first_px), trunk_of(second_px)
    turned = signed_angle(first[0] - first[1], second[0] - second[1])
    return trunks_apart(first, second) <= MAX_APART and bool(np.abs(turned) <= MAX_TURNED_DEG)
