"""The poses of a session or clip, kept in little memory however long it goes on.

An hour at 25 frames a second takes 72 MB with 32 bits a number (the pose network's own precision) and twice that with
64, 69 MB more for what the pictures show (`Pose.patches`), and 8 MB for the outlines of the trunk, which come with some
of the poses. With a shelf only the last minutes of it are in memory.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from formcheck.blocks import BLOCK, Rows, Shelf
from formcheck.types import (
    LANDMARK_COUNT,
    OUTLINE_SHAPE,
    PATCHES_SHAPE,
    BoolArray,
    FloatArray,
    Pose,
    PoseTrack,
)

__all__ = ["BLOCK", "PoseLog"]

NUMBERS = 6  # of each landmark: two in the picture, three in space, one visibility


class PoseLog(Sequence[Pose]):
    """Poses in order of time.

    Parameters
    ----------
    compact : bool
        Keep 32 bits of each number instead of 64: an error of less than a ten-thousandth of a pixel.
    shelf : Shelf or None
        Where all but the newest poses are kept; None keeps all of them in memory.

    Attributes
    ----------
    brightness : float
        Of the pictures that the poses were estimated from, as in `PoseTrack`; whoever sees them sets it.
    """

    __slots__ = (
        "_dtype",
        "_estimated",
        "_found",
        "_numbers",
        "_outlined",
        "_outlines",
        "_patches",
        "_shelf",
        "_size_px",
        "_time_s",
        "brightness",
    )

    def __init__(self, *, compact: bool = False, shelf: Shelf | None = None) -> None:
        self._dtype = np.float32 if compact else np.float64
        self._shelf = shelf
        self._numbers: Rows[np.floating[Any]] = Rows((LANDMARK_COUNT, NUMBERS), self._dtype, np.nan, shelf)
        self._patches: Rows[np.uint8] | None = None  # once a pose comes with patches
        self._time_s = array("d")
        self._estimated = bytearray()
        self._size_px = (0, 0)
        self._found = 0
        self.brightness = math.nan
        self._outlined = array("q")  # rows
        self._outlines: Rows[np.floating[Any]] = Rows(OUTLINE_SHAPE, self._dtype, np.nan, shelf)

    @classmethod
    def of(cls, poses: Sequence[Pose], brightness: float = math.nan) -> PoseLog:
        """The poses as a log, themselves where they are one, with their pictures' brightness where it is known."""
        log = poses if isinstance(poses, PoseLog) else cls()
        if log is not poses:
            for pose in poses:
                log.append(pose)
        if not math.isnan(brightness):
            log.brightness = brightness
        return log

    def empty(self) -> PoseLog:
        """A log without poses that keeps them in the same way and place."""
        return PoseLog(compact=self.compact, shelf=self._shelf)

    @property
    def compact(self) -> bool:
        """Whether numbers are kept with 32 bits."""
        return self._dtype is np.float32

    def __len__(self) -> int:
        return len(self._time_s)

    @overload
    def __getitem__(self, index: int) -> Pose: ...

    @overload
    def __getitem__(self, index: slice) -> list[Pose]: ...

    def __getitem__(self, index: int | slice) -> Pose | list[Pose]:
        if isinstance(index, slice):
            return [self[row] for row in range(len(self))[index]]
        row = range(len(self))[index]
        numbers = self._numbers.row(row).astype(np.float64)
        return Pose(
            row,
            self._time_s[row],
            self._size_px,
            numbers[:, :2].copy(),
            numbers[:, 2:5].copy(),
            numbers[:, 5].copy(),
            patches=None if self._patches is None else self._patches.row(row),
            outline_px=self._outline(row),
            estimated=bool(self._estimated[row]),
        )

    def _outline(self, row: int) -> FloatArray | None:
        place = bisect_left(self._outlined, row)
        if place == len(self._outlined) or self._outlined[place] != row:
            return None
        return self._outlines.row(place).astype(np.float64)

    @property
    def found(self) -> int:
        """How many of the poses are of a person."""
        return self._found

    @property
    def time_s(self) -> FloatArray:
        """Of every pose, shape (n,)."""
        return np.array(self._time_s, dtype=np.float64)

    @property
    def size_px(self) -> tuple[int, int]:
        """Of the pictures."""
        return self._size_px

    @property
    def estimated(self) -> BoolArray:
        """Which poses were estimated, shape (n,); the others lie between them."""
        return np.frombuffer(bytes(self._estimated), dtype=np.bool_)

    def append(self, pose: Pose) -> None:
        """Keep a pose, without its mask.

        Raises
        ------
        OutputError
            When the shelf cannot take what is to leave the memory.
        """
        self._add(pose.time_s, pose.size_px, pose.image_px, pose.world_m, pose.visibility, pose.outline_px)
        if pose.patches is not None:
            if self._patches is None:
                self._patches = Rows(PATCHES_SHAPE, np.uint8, 0, self._shelf)
            self._patches.place(len(self) - 1)[...] = pose.patches
        self._estimated.append(pose.estimated)
        self._found += pose.found

    def extend(self, track: PoseTrack) -> None:
        """Keep the poses of a track, without what its pictures show; errors as for `append`."""
        outlines = track.outline_px
        for row, time_s in enumerate(track.time_s.tolist()):
            edge = None if outlines is None or np.isnan(outlines[row]).all() else outlines[row]
            self._add(time_s, track.size_px, track.image_px[row], track.world_m[row], track.visibility[row], edge)
            self._estimated.append(True)
        self._found += int(np.isfinite(track.image_px).any(axis=(1, 2)).sum())

    def _add(
        self,
        time_s: float,
        size_px: tuple[int, int],
        image_px: FloatArray,
        world_m: FloatArray,
        visibility: FloatArray,
        outline_px: FloatArray | None,
    ) -> None:
        row = len(self)
        if not row:
            self._size_px = size_px
        numbers = self._numbers.place(row)
        numbers[:, :2], numbers[:, 2:5], numbers[:, 5] = image_px, world_m, visibility
        if outline_px is not None:
            self._outlines.place(len(self._outlined))[...] = outline_px
            self._outlined.append(row)
        self._time_s.append(time_s)

    def track(self) -> PoseTrack:
        """All poses."""
        return self.part(slice(None))

    def part(self, rows: slice) -> PoseTrack:
        """Poses that follow one another."""
        start, stop, _ = rows.indices(len(self))
        return self.parts([(start, max(start, stop))])

    def excerpt(self, opening_s: float, recent_s: float) -> PoseTrack:
        """The poses before one time and from another on, with a frame without a person where they are joined.

        Parameters
        ----------
        opening_s, recent_s : float
            Seconds of the poses' clock. The joint keeps filters from running across what was left out.
        """
        first, second = bisect_left(self._time_s, opening_s), bisect_left(self._time_s, recent_s)
        if second <= first:
            return self.track()
        return self.parts([(0, first), (second, len(self))] if first else [(second, len(self))])

    def parts(self, spans: Sequence[tuple[int, int]]) -> PoseTrack:
        """Stretches of rows, from the first to the one after the last, as `shots.apart` puts them together.

        They are read a block at a time into what is given back, so that no second copy of them is in memory.
        """
        count = sum(stop - start for start, stop in spans) + len(spans) - 1
        time_s = np.empty(count)
        image, world = np.full((count, LANDMARK_COUNT, 2), np.nan), np.full((count, LANDMARK_COUNT, 3), np.nan)
        visibility = np.full((count, LANDMARK_COUNT), np.nan)
        patches = None if self._patches is None else np.zeros((count, *PATCHES_SHAPE), dtype=np.uint8)
        outlined: dict[int, int] = {}  # place in what is given back -> place among the outlines
        to = 0
        for start, stop in spans:
            if to:
                time_s[to] = (time_s[to - 1] + self._time_s[start]) / 2
                to += 1
            time_s[to : to + stop - start] = self._time_s[start:stop]
            first, last = bisect_left(self._outlined, start), bisect_left(self._outlined, stop)
            outlined |= {self._outlined[place] - start + to: place for place in range(first, last)}
            for low in range(start, stop, BLOCK):
                high = min(low + BLOCK, stop)
                here = slice(to + low - start, to + high - start)
                packed = self._numbers.read(low, high)
                image[here], world[here], visibility[here] = packed[..., :2], packed[..., 2:5], packed[..., 5]
                if patches is not None and self._patches is not None:
                    patches[here] = self._patches.read(low, high)
            to += stop - start
        edges = None
        if outlined:
            edges = np.full((count, *OUTLINE_SHAPE), np.nan)
            for place, kept in outlined.items():
                edges[place] = self._outlines.row(kept)
        return PoseTrack(time_s, self._size_px, image, world, visibility, patches, edges, self.brightness)
