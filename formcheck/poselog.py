"""The poses of a session, kept in little memory: packed arrays in blocks, however long it goes on.

An hour at 25 frames a second takes 72 MB with 32 bits a number (the pose network's own precision) and twice that with
64, and 69 MB more for what the pictures show (`Pose.patches`). A block is filled before the next is made, so nothing is
ever copied to make room. Outlines of the trunk, which come with some of the poses, are kept beside them: 8 MB an hour
with 32 bits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from formcheck.types import LANDMARK_COUNT, OUTLINE_POINTS, PATCHES_SHAPE, FloatArray, PatchArray, Pose, PoseTrack

BLOCK = 1024  # poses: about 40 s
NUMBERS = 6  # of each landmark: two in the picture, three in space, one visibility

Block = NDArray[np.floating[Any]]
Number = TypeVar("Number", bound=np.generic)


class PoseLog(Sequence[Pose]):
    """Poses in order of time.

    Parameters
    ----------
    compact : bool
        Keep 32 bits of each number instead of 64: an error of less than a ten-thousandth of a pixel.
    """

    __slots__ = (
        "_blocks",
        "_dtype",
        "_estimated",
        "_found",
        "_outlined",
        "_outlines",
        "_patches",
        "_size_px",
        "_time_s",
    )

    def __init__(self, *, compact: bool = False) -> None:
        self._dtype = np.float32 if compact else np.float64
        self._blocks: list[Block] = []
        self._patches: list[PatchArray] | None = None  # blocks as above, once a pose comes with patches
        self._time_s: list[float] = []
        self._estimated = bytearray()
        self._size_px = (0, 0)
        self._found = 0
        self._outlined: list[int] = []  # rows
        self._outlines: list[Block] = []

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
        numbers = self._blocks[row // BLOCK][row % BLOCK].astype(np.float64)
        return Pose(
            row,
            self._time_s[row],
            self._size_px,
            numbers[:, :2].copy(),
            numbers[:, 2:5].copy(),
            numbers[:, 5].copy(),
            patches=None if self._patches is None else self._patches[row // BLOCK][row % BLOCK],
            outline_px=self._outline(row),
            estimated=bool(self._estimated[row]),
        )

    def _outline(self, row: int) -> FloatArray | None:
        place = bisect_left(self._outlined, row)
        if place == len(self._outlined) or self._outlined[place] != row:
            return None
        return self._outlines[place].astype(np.float64)

    @property
    def found(self) -> int:
        """How many of the poses are of a person."""
        return self._found

    def append(self, pose: Pose) -> None:
        """Keep a pose, without its mask."""
        row = len(self._time_s) % BLOCK
        if row == 0:
            self._blocks.append(np.empty((BLOCK, LANDMARK_COUNT, NUMBERS), dtype=self._dtype))
            if self._patches is not None:
                self._patches.append(_no_patches(BLOCK))
        if not self._time_s:
            self._size_px = pose.size_px
        block = self._blocks[-1]
        block[row, :, :2], block[row, :, 2:5], block[row, :, 5] = pose.image_px, pose.world_m, pose.visibility
        if pose.patches is not None:
            if self._patches is None:
                self._patches = [_no_patches(BLOCK) for _ in self._blocks]
            self._patches[-1][row] = pose.patches
        if pose.outline_px is not None:
            self._outlined.append(len(self._time_s))
            self._outlines.append(pose.outline_px.astype(self._dtype))
        self._time_s.append(pose.time_s)
        self._estimated.append(pose.estimated)
        self._found += pose.found

    def track(self) -> PoseTrack:
        """All poses."""
        return self._tracks([(0, len(self))])

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
        return self._tracks([(0, first), (second, len(self))] if first else [(second, len(self))])

    def _tracks(self, spans: Sequence[tuple[int, int]]) -> PoseTrack:
        """Put stretches of rows together; between two of them goes one row of NaN at the time in their middle."""
        times: list[float] = []
        parts: list[Block] = []
        seen: list[PatchArray] = []
        outlines: dict[int, Block] = {}
        for start, stop in spans:
            shift = len(times) + bool(times) - start
            first, last = bisect_left(self._outlined, start), bisect_left(self._outlined, stop)
            for row, edge in zip(self._outlined[first:last], self._outlines[first:last], strict=True):
                outlines[row + shift] = edge
            if times:
                times.append((times[-1] + self._time_s[start]) / 2)
                parts.append(np.full((1, LANDMARK_COUNT, NUMBERS), np.nan))
                seen.append(_no_patches(1))
            times += self._time_s[start:stop]
            parts += _slices(self._blocks, start, stop)
            seen += [] if self._patches is None else _slices(self._patches, start, stop)
        # each array is filled by itself: one with all numbers in it would double the memory of a long session
        count = len(times)
        image, world = np.empty((count, LANDMARK_COUNT, 2)), np.empty((count, LANDMARK_COUNT, 3))
        visibility = np.empty((count, LANDMARK_COUNT))
        for array, numbers in ((image, slice(0, 2)), (world, slice(2, 5)), (visibility, 5)):
            if parts:
                np.concatenate([part[..., numbers] for part in parts], out=array)
        patches = np.concatenate(seen) if self._patches is not None else None
        edges = None
        if outlines:
            edges = np.full((count, 2, OUTLINE_POINTS, 2), np.nan)
            edges[list(outlines)] = list(outlines.values())
        return PoseTrack(np.array(times, dtype=np.float64), self._size_px, image, world, visibility, patches, edges)


def _no_patches(count: int) -> PatchArray:
    return np.zeros((count, *PATCHES_SHAPE), dtype=np.uint8)


def _slices(blocks: Sequence[NDArray[Number]], start: int, stop: int) -> list[NDArray[Number]]:
    """Some of the rows that are kept in blocks, in pieces."""
    parts = []
    while start < stop:
        block, row = divmod(start, BLOCK)
        end = min(BLOCK, row + stop - start)
        parts.append(blocks[block][row:end])
        start += end - row
    return parts
