"""A pose backend that sees the picture turned, for people whom the model finds only that way up.

The bundled model finds lying and even upside-down people in clear pictures as they are; poor light is where a turn can
help. Landmarks are turned back, so that nothing else knows of it.
"""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Final, Self

import numpy as np

from formcheck.adapters.pose import BackendInfo, PoseBackend
from formcheck.types import FloatArray, Frame, Pose

TURNS: Final = (90, 270, 180)  # degrees clockwise, likeliest first


def turn_frame(frame: Frame, turn_deg: int) -> Frame:
    """Turn a frame's picture clockwise by a multiple of 90 degrees; contiguous."""
    return replace(frame, image=np.ascontiguousarray(np.rot90(frame.image, -turn_deg // 90)))


def turn_back(pose: Pose, turn_deg: int, size_px: tuple[int, int]) -> Pose:
    """The pose in the picture as it was before `turn_frame`, of width and height `size_px`; any mask is left out."""
    width, height = size_px
    origin = {90: (0, height), 180: (width, height), 270: (width, 0)}[turn_deg]
    world = np.column_stack([_vectors_back(pose.world_m[:, :2], turn_deg), pose.world_m[:, 2]])
    image = _vectors_back(pose.image_px, turn_deg) + np.array(origin, dtype=np.float64)
    edge = pose.outline_px
    if edge is not None:
        edge = _vectors_back(edge, turn_deg) + np.array(origin, dtype=np.float64)
    return replace(pose, size_px=size_px, image_px=image, world_m=world, mask=None, outline_px=edge)


def _vectors_back(vectors: FloatArray, turn_deg: int) -> FloatArray:
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack({90: (y, -x), 180: (-x, -y), 270: (-y, x)}[turn_deg], axis=-1)


class TurnedBackend:
    """Estimates poses on pictures turned clockwise by `turn_deg` (90, 180 or 270); closes the backend it wraps."""

    def __init__(self, backend: PoseBackend, turn_deg: int) -> None:
        self._backend = backend
        self._turn_deg = turn_deg

    @property
    def info(self) -> BackendInfo:
        """Of the wrapped backend."""
        return self._backend.info

    def detect(self, frame: Frame) -> Pose:
        """The pose in a frame, in the coordinates of the frame as given."""
        height, width = frame.image.shape[:2]
        pose = self._backend.detect(turn_frame(frame, self._turn_deg))
        return turn_back(pose, self._turn_deg, (width, height))

    def close(self) -> None:
        """Close the wrapped backend."""
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
