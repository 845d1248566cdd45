"""Sizes of what the overlay draws, and where its cue stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

import numpy as np

from formcheck import shots
from formcheck.landmarks import side_landmark
from formcheck.types import FloatArray, Side, Track

FEET = [side_landmark(side, name) for side in Side for name in ("ankle", "heel", "foot_index")]
CUE_STRIP_SHARE = 0.2  # of the frame's height: what the cue's band may cover
HIDDEN_SHARE = 0.05  # of the clip's foot landmarks; fewer may be covered


class Edge(StrEnum):
    """An edge of the frame."""

    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes in pixels, and what counts as seen.

    Attributes
    ----------
    margin, line, joint, arc : int
        Distance of the panels from the frame's edge, width of the strong lines, radius of the joint dots, largest
        radius of the angle arcs.
    label, title, cue, smallest_cue : int
        Font sizes; a long cue shrinks from `cue` down to `smallest_cue` before it is cut off.
    min_visibility : float
        Landmarks less visible than this (0 to 1) are not drawn.
    cue_edge : Edge or None
        Where the cue stands; None takes the bottom, unless the cue would hide a foot there. Where feet
        swing through that strip, set it once for the clip so that the cue does not jump.
    """

    margin: int
    line: int
    joint: int
    arc: int
    label: int
    title: int
    cue: int
    smallest_cue: int
    min_visibility: float = 0.3
    cue_edge: Edge | None = None

    def for_feet(self, image_px: FloatArray, height: int) -> Self:
        """Return this style with the cue on the edge where it hides no foot for most of a clip.

        Parameters
        ----------
        image_px : ndarray, shape (n, 33, 2)
            Landmarks of the whole clip, pixels; NaN where unseen.
        height : int
            Of the frame.
        """
        lowest = image_px[:, FEET, 1]
        known = lowest[np.isfinite(lowest)]
        low = known.size > 0 and float((known > (1.0 - CUE_STRIP_SHARE) * height).mean()) > HIDDEN_SHARE
        return replace(self, cue_edge=Edge.TOP if low else Edge.BOTTOM)

    @classmethod
    def for_clip(cls, track: Track, width: int, height: int) -> Self:
        """Return the style of a clip's frames, with the cue where it hides no foot for most of the clip."""
        pieces = shots.spread(track, (0, len(track)))
        return cls.for_size(width, height).for_feet(np.concatenate([piece.image_px for piece in pieces]), height)

    @classmethod
    def for_size(cls, width: int, height: int) -> Self:
        """Return the default style of a frame: every size a share of its shorter side."""
        short = min(width, height)

        def share(part: float, least: int) -> int:
            return max(least, round(part * short))

        return cls(
            margin=share(0.025, 1),
            line=share(0.009, 1),
            joint=share(0.0105, 1),
            arc=share(0.075, 3),
            label=share(0.042, 7),
            title=share(0.042, 6),
            cue=share(0.062, 7),
            smallest_cue=share(0.047, 7),
        )
