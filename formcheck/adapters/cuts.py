"""Hard cuts in a clip, and its brightness. A cut: the picture and the person change from one frame to the next.

A cut changes a good part of the picture at once, while the frames before and after it are calm by comparison, and the
landmarks jump with it. Both are needed: a lamp that is switched on changes the picture only, and a slip of the pose
model the landmarks only. Fades are not noticed.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from formcheck.people import distance
from formcheck.types import FloatArray, Frame, ImageArray, IntArray, Pose

# On all clips with known content: cuts change at least 11 % of the picture by 36 times what the frames around them do;
# without a cut it is at most 6 % (handheld and shaken: 23 %, but 20 times) or 14 times.
CHANGED_LEVELS: Final = 25  # of 255
CHANGED_SHARE: Final = 0.08
CHANGE_RATIO: Final = 22.0
QUIET_CHANGE: Final = 0.3  # levels; the least that counts as change between frames, coding noise
AROUND: Final = 9  # frames before and after
JUMP_RATIO: Final = 3.0  # of the landmarks, against their usual way in as many frames
JUMP_SIZES: Final = 0.03  # body sizes; less is no jump
SETTLE_FRAMES: Final = 2  # the pose model takes as long to follow a cut

# A real clip darkened to a level of 17 has half of its angles off by more than two standard errors; one of 85 is fine.
DARK_LEVEL = 35.0
DARK_WARNING = (
    "the picture is dark (brightness {:.0f} of 255): the angles are less exact, as their ± says; film with more light"
)

_COLUMNS, _ROWS, _SAMPLES = 64, 36, 3
THUMBNAIL_SHAPE: Final = (_ROWS, _COLUMNS)


class CutDetector:
    """Watches the frames of a clip as they pass; `times_s` names the cuts afterwards."""

    def __init__(self) -> None:
        self._last: FloatArray | None = None
        self._change = array("d")
        self._share = array("d")
        self._brightness = array("d")

    @property
    def brightness(self) -> float:
        """Mean level of the usual frame, 0 (black) to 255; NaN before the first frame."""
        return float(np.median(self._brightness)) if self._brightness else math.nan

    @property
    def warnings(self) -> tuple[str, ...]:
        """That the picture is dark, when it is."""
        return (DARK_WARNING.format(self.brightness),) if self.brightness < DARK_LEVEL else ()

    def watch(self, frame: Frame) -> None:
        """Take the next frame."""
        self.watch_thumbnail(thumbnail(frame.image))

    def watch_thumbnail(self, small: FloatArray) -> None:
        """Take the next frame as its `thumbnail`."""
        self._brightness.append(float(small.mean()))
        if self._last is not None:
            difference = np.abs(small - self._last)
            self._change.append(float(difference.mean()))
            self._share.append(float((difference > CHANGED_LEVELS).mean()))
        self._last = small

    def times_s(self, poses: Sequence[Pose]) -> tuple[float, ...]:
        """Times of the first frame after each cut.

        Parameters
        ----------
        poses : sequence of Pose
            One for every frame that was watched.
        """
        change, share = np.array(self._change), np.array(self._share)
        times = []
        for step in np.flatnonzero(share >= CHANGED_SHARE).tolist():
            around = np.r_[change[max(0, step - AROUND) : step], change[step + 1 : step + 1 + AROUND]]
            usual = max(float(np.median(around)) if around.size else 0.0, QUIET_CHANGE)
            if change[step] >= CHANGE_RATIO * usual and _jumps(poses, step + 1):
                times.append(poses[step + 1].time_s)
        return tuple(times)


def thumbnail(image: ImageArray) -> FloatArray:
    """The green of a picture on a coarse grid, shape (36, 64), each the mean of 9 samples: cheap at any size."""
    samples = image.reshape(-1)[_sample_places(*image.shape[:2])]
    return np.asarray(samples.sum(axis=0, dtype=np.uint16).reshape(_ROWS, _COLUMNS) / float(_SAMPLES**2))


@lru_cache(maxsize=4)
def _sample_places(height: int, width: int) -> IntArray:
    """Where the samples of each cell lie in a flat RGB picture, shape (samples, cells): one sum per row is quicker."""
    rows, columns = sample_grid(height, width)
    return np.ascontiguousarray((rows * width + columns) * 3 + 1)


def sample_grid(height: int, width: int) -> tuple[IntArray, IntArray]:
    """Rows and columns of the samples of each of the thumbnail's cells, both of shape (samples, cells)."""
    rows = ((np.arange(_ROWS * _SAMPLES) + 0.5) * height / (_ROWS * _SAMPLES)).astype(int)
    columns = ((np.arange(_COLUMNS * _SAMPLES) + 0.5) * width / (_COLUMNS * _SAMPLES)).astype(int)
    both = []
    for places in np.broadcast_arrays(rows[:, None], columns[None]):
        cells = places.reshape(_ROWS, _SAMPLES, _COLUMNS, _SAMPLES).transpose(1, 3, 0, 2)
        both.append(np.ascontiguousarray(cells.reshape(_SAMPLES**2, _ROWS * _COLUMNS)))
    return both[0], both[1]


def _jumps(poses: Sequence[Pose], after: int) -> bool:
    """Whether the landmarks jump into the frame `after`, against how they move in the frames around it."""
    before, settled = poses[after - 1], poses[min(after + SETTLE_FRAMES, len(poses) - 1)]
    if not (before.found and settled.found):
        return True
    lag = SETTLE_FRAMES + 1
    starts = [*range(max(0, after - 1 - AROUND), after - lag), *range(after + lag, after + lag + AROUND)]
    usual = [distance(poses[start], poses[start + lag]) for start in starts if start + lag < len(poses)]
    known = [moved for moved in usual if np.isfinite(moved)]
    limit = JUMP_RATIO * float(np.median(known)) if known else 0.0
    return distance(before, settled) >= max(limit, JUMP_SIZES)
