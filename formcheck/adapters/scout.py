"""What is in a clip, from a few of its frames: one person or several, and which way round the picture is.

The scout looks while the clip is read for one person, at what is left when that one is covered, so that an ordinary
clip costs a few more detections and no second reading. What it finds decides whether the clip is read again: with a
follower for each person, or turned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.people import BACKGROUND, Searcher
from formcheck.adapters.turned import TURNS, turn_frame
from formcheck.people import CORE, SAME_PERSON, body_size_px, distance
from formcheck.types import Frame, Pose

FIRST_LOOK_S: Final = 0.2
LOOK_EVERY_S: Final = 2.0  # a look takes 12 ms, the 60 frames between two of them about 1.1 s
LOOK_SOON_S: Final = 0.5  # after a look that saw something odd
CONFIRMED: Final = 2  # looks that agree
MAX_TURNED_LOOKS: Final = 4
COVER_MARGIN: Final = 0.12  # body sizes; landmarks end at wrists and toes, the body a little later

# On the rendered clips, each of one person, one look in 540 finds a second one by these (a machine); faces in the
# thumbnails of a screen recording reach 0.62, a helper beside an athlete of the same size 0.8 to 1.0.
MIN_SECOND_SIZE: Final = 0.65  # of the first person
MIN_SECOND_VISIBILITY: Final = 0.6
MIN_SECOND_INSIDE: Final = 0.75  # of shoulders, hips, knees and ankles


class Scout:
    """Looks at a frame now and then.

    Parameters
    ----------
    open_searcher : callable
        Opens what finds people, at the first look; closed with the scout.
    """

    def __init__(self, open_searcher: Callable[[], Searcher]) -> None:
        self._open_searcher = open_searcher
        self._searcher: Searcher | None = None
        self._next_s = FIRST_LOOK_S
        self._empty = 0
        self._upright = 0
        self._seconds = 0
        self._turned = dict.fromkeys(TURNS, 0)

    @classmethod
    def open(cls, model: Path | str | None = None) -> Self:
        """A scout that searches with mediapipe; `watch` raises `ModelError` as `MediaPipeBackend.open`."""
        return cls(lambda: MediaPipeBackend.open(model, search=2))

    @property
    def several(self) -> bool:
        """Whether two or more people were seen often enough to be believed."""
        return self._seconds >= CONFIRMED

    @property
    def turn_deg(self) -> int:
        """Turn with which people are found who are not found without it."""
        best = max(TURNS, key=lambda turn: self._turned[turn])
        return best if self._turned[best] >= CONFIRMED and self._turned[best] > 2 * self._upright else 0

    def watch(self, frame: Frame, pose: Pose) -> None:
        """Take the next frame and the pose found in it; most are passed over."""
        if frame.time_s < self._next_s:
            return
        self._next_s = frame.time_s + LOOK_EVERY_S
        found = self._search(cover(frame, pose) if pose.found else frame)
        if not pose.found:
            self._upright += bool(found)
            if not found:
                self._look_turned(frame)
            self._next_s = frame.time_s + LOOK_SOON_S
            return
        self._upright += 1
        if any(is_second(other, pose) for other in found):
            self._seconds += 1
            self._next_s = frame.time_s + LOOK_SOON_S

    def _look_turned(self, frame: Frame) -> None:
        self._empty += 1
        if self._empty > MAX_TURNED_LOOKS:
            return  # an empty room stays one
        for turn in TURNS:
            if self._search(turn_frame(frame, turn)):
                self._turned[turn] += 1

    def _search(self, frame: Frame) -> tuple[Pose, ...]:
        if self._searcher is None:
            self._searcher = self._open_searcher()
        return self._searcher.detect_all(frame)

    def close(self) -> None:
        """Free the search. Closing twice is allowed."""
        searcher, self._searcher = self._searcher, None
        if searcher is not None:
            searcher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def cover(frame: Frame, pose: Pose) -> Frame:
    """The frame with a grey box over a person: limbs left sticking out would be taken for another one."""
    height, width = frame.image.shape[:2]
    margin = COVER_MARGIN * body_size_px(pose)
    low = np.clip(pose.image_px.min(axis=0) - margin, 0, (width, height)).astype(int)
    high = np.clip(pose.image_px.max(axis=0) + margin, 0, (width, height)).astype(int)
    image = frame.image.copy()
    image[low[1] : high[1], low[0] : high[0]] = BACKGROUND
    return replace(frame, image=image)


def is_second(other: Pose, first: Pose) -> bool:
    """Whether a find is a person who may be meant: not far off, not cut by the edge, not the first one again."""
    return (
        body_size_px(other) >= MIN_SECOND_SIZE * body_size_px(first)
        and float(other.visibility[list(CORE)].mean()) >= MIN_SECOND_VISIBILITY
        and _inside_share(other) >= MIN_SECOND_INSIDE
        and distance(other, first) > SAME_PERSON
    )


def _inside_share(pose: Pose) -> float:
    core = pose.image_px[list(CORE)]
    return float(((core >= 0) & (core < np.array(pose.size_px))).all(axis=1).mean())
