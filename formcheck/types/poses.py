"""What is seen and measured: frames, poses, and the angles of one moment or of many."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from formcheck.types.basics import (
    LANDMARK_COUNT,
    OUTLINE_SHAPE,
    PATCHES_SHAPE,
    BoolArray,
    FloatArray,
    ImageArray,
    PatchArray,
    Side,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded video frame, upright.

    Attributes
    ----------
    index : int
        Position in the clip, from 0.
    time_s : float
        Presentation time, seconds from the first frame.
    image : ndarray of uint8, shape (height, width, 3)
        RGB, C-contiguous.
    """

    index: int
    time_s: float
    image: ImageArray


@dataclass(frozen=True, slots=True)
class Pose:
    """The landmarks of one person in one frame; all NaN when nobody was found.

    Attributes
    ----------
    index, time_s : int, float
        Of the frame.
    size_px : (int, int)
        Width and height of the frame.
    image_px : ndarray, shape (33, 2)
        Landmarks in pixels of the frame. May lie outside it.
    world_m : ndarray, shape (33, 3)
        Landmarks in metres around the mid-hip.
    visibility : ndarray, shape (33,)
        Probability, 0 to 1, that the landmark is in the frame and not hidden.
    mask : ndarray of float32, shape (height, width), or None
        Probability that a pixel belongs to the person, where it was asked for.
    patches : ndarray of uint8, shape PATCHES_SHAPE, or None
        What the picture shows at the legs: see `formcheck.adapters.patches`. All
        zero where there is nothing to see; None where there was no picture.
    estimated : bool
        False when the frame was not sent to the network and its landmarks lie between those of its neighbours.
    outline_px : ndarray, shape OUTLINE_SHAPE, or None
        Outline of the trunk on both sides of the line from mid-hip to mid-shoulder, and that line, as the look at the
        outline saw it (`formcheck.silhouette.outline`), in pixels of the frame, NaN where it could not be told; None in
        frames in which it was not looked for.
    """

    index: int
    time_s: float
    size_px: tuple[int, int]
    image_px: FloatArray
    world_m: FloatArray
    visibility: FloatArray
    mask: NDArray[np.float32] | None = None
    patches: PatchArray | None = None
    estimated: bool = True
    outline_px: FloatArray | None = None

    @property
    def found(self) -> bool:
        """True when a person was found in the frame."""
        return bool(np.isfinite(self.image_px).any())

    @classmethod
    def missing(cls, index: int, time_s: float, size_px: tuple[int, int]) -> Pose:
        """The pose of a frame in which nobody was found."""
        return cls(
            index=index,
            time_s=time_s,
            size_px=size_px,
            image_px=np.full((LANDMARK_COUNT, 2), np.nan),
            world_m=np.full((LANDMARK_COUNT, 3), np.nan),
            visibility=np.full(LANDMARK_COUNT, np.nan),
        )


class Track(Protocol):
    """The poses of one person over consecutive frames: a `PoseTrack`, or of a long clip a `formcheck.poselog.PoseLog`.

    Both have their times in memory, so that frames can be chosen by them.
    """

    @property
    def time_s(self) -> FloatArray:
        """Of every frame."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the frames."""

    def __len__(self) -> int: ...

    def part(self, rows: slice) -> PoseTrack:
        """Some of the frames."""


@dataclass(frozen=True, slots=True)
class PoseTrack:
    """The poses of one person over consecutive frames, as arrays (n = frames).

    Attributes
    ----------
    time_s : ndarray, shape (n,)
        Strictly increasing.
    size_px : (int, int)
    image_px : ndarray, shape (n, 33, 2)
    world_m : ndarray, shape (n, 33, 3)
    visibility : ndarray, shape (n, 33)
    patches : ndarray of uint8, shape (n, *PATCHES_SHAPE), or None
        As in `Pose`; None where no frame had a picture.
    outline_px : ndarray, shape (n, *OUTLINE_SHAPE), or None
        NaN in frames without one; None when no frame has one.
    brightness : float
        Mean level of the pictures of the whole clip or session, 0 (black) to 255; NaN when it is not known.
    """

    time_s: FloatArray
    size_px: tuple[int, int]
    image_px: FloatArray
    world_m: FloatArray
    visibility: FloatArray
    patches: PatchArray | None = None
    outline_px: FloatArray | None = None
    brightness: float = math.nan

    def __len__(self) -> int:
        return len(self.time_s)

    def part(self, rows: slice) -> PoseTrack:
        """Some of the frames."""
        return replace(
            self,
            time_s=self.time_s[rows],
            image_px=self.image_px[rows],
            world_m=self.world_m[rows],
            visibility=self.visibility[rows],
            patches=None if self.patches is None else self.patches[rows],
            outline_px=None if self.outline_px is None else self.outline_px[rows],
        )

    @classmethod
    def from_poses(cls, poses: Sequence[Pose]) -> PoseTrack:
        """Stack poses of frames of one size; an empty sequence gives an empty track."""
        if not poses:
            empty = np.zeros((0, LANDMARK_COUNT))
            return cls(np.zeros(0), (0, 0), np.zeros((0, LANDMARK_COUNT, 2)), np.zeros((0, LANDMARK_COUNT, 3)), empty)
        return cls(
            time_s=np.array([pose.time_s for pose in poses], dtype=np.float64),
            size_px=poses[0].size_px,
            image_px=np.stack([pose.image_px for pose in poses]).astype(np.float64),
            world_m=np.stack([pose.world_m for pose in poses]).astype(np.float64),
            visibility=np.stack([pose.visibility for pose in poses]).astype(np.float64),
            patches=_stacked_patches(poses),
            outline_px=_stacked_outlines(poses),
        )


def _stacked_patches(poses: Sequence[Pose]) -> PatchArray | None:
    if all(pose.patches is None for pose in poses):
        return None
    nothing = np.zeros(PATCHES_SHAPE, dtype=np.uint8)
    return np.stack([nothing if pose.patches is None else pose.patches for pose in poses])


def _stacked_outlines(poses: Sequence[Pose]) -> FloatArray | None:
    if all(pose.outline_px is None for pose in poses):
        return None
    none = np.full(OUTLINE_SHAPE, np.nan)
    return np.stack([none if pose.outline_px is None else pose.outline_px for pose in poses]).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The angles of one moment.

    Attributes
    ----------
    time_s : float
    near_side : Side or None
        The side of the body that faces the camera; None while it is unknown.
    values : mapping of str to float
        Column name of `angles.csv` (for example ``left_knee_flexion_deg``) to value; NaN where unseen.
    visible : bool
        True when a person was found.
    """

    time_s: float
    near_side: Side | None
    values: Mapping[str, float]
    visible: bool


class CompactColumns(Mapping[str, FloatArray]):
    """Columns of equal length in half the memory: kept with 32 bits a number, given with 64.

    Angles keep their first seven digits, which is a hundred times finer than any file holds them.
    """

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = {name: np.asarray(column, dtype=np.float32) for name, column in columns.items()}

    def __getitem__(self, name: str) -> FloatArray:
        return self._columns[name].astype(np.float64)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @classmethod
    def joined(cls, pieces: Sequence[CompactColumns]) -> CompactColumns:
        """The columns of consecutive stretches, at least one, put together."""
        whole = cls({})
        for name in list(pieces[0]):
            whole._columns[name] = np.concatenate([piece._columns.pop(name) for piece in pieces])
        return whole

    def part(self, rows: slice) -> dict[str, FloatArray]:
        """Some of the rows of every column."""
        return {name: column[rows].astype(np.float64) for name, column in self._columns.items()}


@dataclass(frozen=True, slots=True)
class MeasurementTable:
    """The angles of consecutive frames, one array per column (n = frames).

    Attributes
    ----------
    time_s : ndarray, shape (n,)
    near_side : tuple of (Side or None), length n
    columns : mapping of str to ndarray of shape (n,)
        Same names as `Measurement.values`; NaN where unseen.
    estimated : ndarray of bool, shape (n,), or None
        False for frames whose pose lies between those of others; None when every frame was estimated.
    """

    time_s: FloatArray
    near_side: tuple[Side | None, ...]
    columns: Mapping[str, FloatArray]
    estimated: BoolArray | None = None

    def __len__(self) -> int:
        return len(self.time_s)

    def part(self, rows: slice) -> MeasurementTable:
        """Some of the frames."""
        columns = self.columns
        cut = (
            columns.part(rows)
            if isinstance(columns, CompactColumns)
            else {name: column[rows] for name, column in columns.items()}
        )
        marks = None if self.estimated is None else self.estimated[rows]
        return MeasurementTable(self.time_s[rows], self.near_side[rows], cut, marks)

    def parts(self, rows: int) -> Iterator[MeasurementTable]:
        """The table in pieces of so many frames, so that little of it is spread out in memory at once."""
        for start in range(0, len(self), rows):
            yield self.part(slice(start, start + rows))

    def at(self, row: int) -> Measurement:
        """The measurement of one row."""
        values = {name: float(column[row]) for name, column in self.columns.items()}
        visible = any(not math.isnan(value) for value in values.values())
        return Measurement(float(self.time_s[row]), self.near_side[row], values, visible)
