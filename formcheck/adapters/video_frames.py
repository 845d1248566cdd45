"""From decoded frames to the frames that formcheck uses: strictly increasing times, upright RGB of one size."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import hypot
from typing import Final, cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter

from formcheck.adapters import cuts
from formcheck.types import FloatArray, ImageArray, IntArray

_JUMP_BACK_S: Final = 0.5  # a larger step back is a restarted clock (joined clips), a smaller one a misplaced frame
_MAX_DROPPED_RUN: Final = 2  # more frames in a row without a later time mean that the clock stands still
_UNTAGGED: Final = 2  # AVCOL_SPC_UNSPECIFIED


class FrameClock:
    """Seconds from the first frame, strictly increasing, whatever the file's time stamps do.

    Parameters
    ----------
    period_s : float
        Time between frames where the file gives none.
    note : callable
        Called as ``note(kind, time_s)`` for each repair: ``no_time``, ``dropped`` or ``clock``.
    """

    def __init__(self, period_s: float, note: Callable[[str, float], None]) -> None:
        self.period_s = period_s
        self._note = note
        self._origin: Fraction | None = None
        self._shift_s = 0.0  # added to the file's times after its clock restarted
        self._last_s = -period_s  # so that the first frame is expected at exactly 0
        self._dropped_run = 0

    def at(self, pts: int | None, time_base: Fraction | None) -> float:
        """Seconds from the first frame of a time stamp; of the latest frame when there is no stamp."""
        if pts is None or not time_base:
            return max(0.0, self._last_s)
        return 0.0 if self._origin is None else max(0.0, self._since_origin(pts * time_base))

    def begin(self, pts: int | None, time_base: Fraction | None) -> None:
        """Count from this stamp, of the first frame, where nothing is counted yet."""
        if self._origin is None and pts is not None and time_base:
            self._origin = pts * time_base - Fraction(self._last_s + self.period_s)

    def stamp_at(self, time_s: float, time_base: Fraction | None) -> int | None:
        """The time stamp of a moment, `at` the other way round; None where the first frame had no stamp."""
        if self._origin is None or not time_base:
            return None
        return round((self._origin + Fraction(time_s)) / time_base)

    def next(self, pts: int | None, time_base: Fraction | None) -> float | None:
        """Time of the next frame in seconds; None when the frame is to be dropped."""
        expected_s = self._last_s + self.period_s
        if pts is None or not time_base:
            self._note("no_time", expected_s)
            return self._accept(expected_s)
        stamp = pts * time_base
        self.begin(pts, time_base)
        time_s = self._since_origin(stamp)
        if time_s > self._last_s:
            self._dropped_run = 0
            return self._accept(time_s)
        if self._last_s - time_s >= _JUMP_BACK_S:
            self._note("clock", expected_s)
            self._shift_s += expected_s - time_s
            return self._accept(expected_s)
        self._dropped_run += 1
        if self._dropped_run <= _MAX_DROPPED_RUN:
            # A second frame at one time adds nothing, and a nudged one would show a movement at absurd speed.
            self._note("dropped", self._last_s)
            return None
        self._note("clock", expected_s)
        return self._accept(expected_s)

    def _since_origin(self, stamp: Fraction) -> float:
        assert self._origin is not None
        return float(stamp - self._origin) + self._shift_s  # exact up to here, however large the stamps are

    def _accept(self, time_s: float) -> float:
        self._last_s = time_s
        return time_s


class FrameShaper:
    """Turns decoded frames into upright, contiguous RGB of the first frame's size.

    Parameters
    ----------
    first : VideoFrame
        Its size and display matrix hold for the whole clip.
    pixel_aspect : Fraction or None
        Width of a stored pixel over its height; angles are only right on square pixels.
    max_side : int or None
        Longest side of the result in pixels.

    Attributes
    ----------
    size_px, source_size_px : (int, int)
        Upright width and height of the result, and of the picture as stored.
    rotation_deg : int
        Clockwise turn that is applied: 0, 90, 180 or 270.
    """

    def __init__(self, first: VideoFrame, pixel_aspect: Fraction | None, max_side: int | None) -> None:
        self._reformatter = VideoReformatter()
        self._places: tuple[int, IntArray, tuple[IntArray, IntArray]] | None = None
        self._aspect = float(pixel_aspect) if pixel_aspect and 0.25 <= pixel_aspect <= 4 else 1.0
        self._stored = (first.width, first.height)
        width, height = first.width * self._aspect, float(first.height)
        scale = min(1.0, max_side / max(width, height)) if max_side else 1.0
        self._size = (max(1, round(width * scale)), max(1, round(height * scale)))
        self._transposed, self._flip_x, self._flip_y, self.rotation_deg = _orientation(first)
        turn = slice(None, None, -1) if self._transposed else slice(None)
        self.size_px: tuple[int, int] = self._size[turn]  # type: ignore[assignment]
        self.source_size_px: tuple[int, int] = self._stored[turn]  # type: ignore[assignment]

    def is_first_size(self, frame: VideoFrame) -> bool:
        """True while the stored picture has the size that the clip began with."""
        return (frame.width, frame.height) == self._stored

    def image(self, frame: VideoFrame) -> ImageArray:
        """Convert one frame; shape (height, width, 3) as `size_px`, uint8, C-contiguous."""
        if self.is_first_size(frame):
            return self._upright(self._rgb(frame, self._size))
        # Stretching would change every angle: keep the shape and leave the rest black.
        width, height = frame.width * self._aspect, float(frame.height)
        scale = min(self._size[0] / width, self._size[1] / height)
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        left, top = (self._size[0] - inner[0]) // 2, (self._size[1] - inner[1]) // 2
        canvas = np.zeros((self._size[1], self._size[0], 3), dtype=np.uint8)
        canvas[top : top + inner[1], left : left + inner[0]] = self._rgb(frame, inner)
        return self._upright(canvas)

    def thumbnail(self, frame: VideoFrame) -> FloatArray:
        """The green of the upright picture on the coarse grid of `cuts.thumbnail`, from the planes as they are stored.

        Formats other than 8-bit 4:2:0, which nearly every clip has, are converted first.
        """
        if frame.format.name not in {"yuv420p", "yuvj420p", "nv12"} or not self.is_first_size(frame):
            return cuts.thumbnail(self.image(frame))
        luma, *chroma = (np.frombuffer(plane, dtype=np.uint8) for plane in frame.planes)  # type: ignore[call-overload]
        places, (rows, columns) = self._stored_places(frame.planes[0].line_size)
        y = luma[places].sum(axis=0, dtype=np.uint16) / float(len(places))
        line = frame.planes[1].line_size
        if frame.format.name == "nv12":
            u, v = (chroma[0][rows * line + 2 * columns + part] for part in (0, 1))
        else:
            u, v = (plane[rows * line + columns] for plane in chroma)
        hd = frame.width >= 1280 or frame.height > 576
        blue, red = (0.213, 0.533) if hd else (0.392, 0.813)  # BT.709 or BT.601, of the limited range
        offset, scale = (0.0, 1.0) if frame.format.name == "yuvj420p" else (16.0, 1.164)
        share = scale / 1.164
        green = scale * (y - offset) - share * (blue * (u - 128.0) + red * (v - 128.0))
        return np.asarray(np.clip(green, 0.0, 255.0).reshape(cuts.THUMBNAIL_SHAPE))

    def _stored_places(self, line_size: int) -> tuple[IntArray, tuple[IntArray, IntArray]]:
        """Where the upright thumbnail has its samples in the luma plane, and the middles of its cells in chroma."""
        if self._places is None or self._places[0] != line_size:
            width, height = self.source_size_px
            rows, columns = cuts.sample_grid(height, width)
            rows = height - 1 - rows if self._flip_y else rows
            columns = width - 1 - columns if self._flip_x else columns
            rows, columns = (columns, rows) if self._transposed else (rows, columns)
            middle = len(rows) // 2
            places = np.ascontiguousarray(rows * line_size + columns)
            self._places = (line_size, places, (rows[middle] // 2, columns[middle] // 2))
        return self._places[1:]

    def _rgb(self, frame: VideoFrame, size: tuple[int, int]) -> ImageArray:
        # Players take untagged HD video for BT.709, where the converter's own guess is BT.601.
        is_hd = frame.width >= 1280 or frame.height > 576
        colours = Colorspace.ITU709 if is_hd and frame.colorspace == _UNTAGGED and not frame.format.is_rgb else None
        converted = self._reformatter.reformat(frame, *size, format="rgb24", src_colorspace=colours)
        return np.asarray(converted.to_ndarray(), dtype=np.uint8)

    def _upright(self, image: ImageArray) -> ImageArray:
        if not (self._transposed or self._flip_x or self._flip_y):
            return np.ascontiguousarray(image)
        # One element per pixel: numpy then copies whole pixels, twice as fast as single bytes.
        pixels = np.ascontiguousarray(image).view("V3")[..., 0]
        pixels = pixels.T if self._transposed else pixels
        pixels = pixels[:: -1 if self._flip_y else 1, :: -1 if self._flip_x else 1]
        height, width = pixels.shape
        return np.ascontiguousarray(pixels).view(np.uint8).reshape(height, width, 3)


def _orientation(frame: VideoFrame) -> tuple[bool, bool, bool, int]:
    """Return (transpose first, then flip columns, then flip rows, clockwise degrees) of the display matrix.

    The matrix maps a stored point (x, y; y down) to the shown (a x + c y, b x + d y), ISO 14496-12 section 8.3.2.
    PyAV's `frame.rotation` is the same turn counted counter-clockwise, and knows nothing of mirrored pictures.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return False, False, False, 0
    a, b, _, c, d = np.frombuffer(cast(bytes, data), dtype=np.int32)[:5].astype(float)
    if hypot(a, d) >= hypot(b, c):
        return False, bool(a < 0), bool(d < 0), 180 if d < 0 else 0
    return True, bool(c < 0), bool(b < 0), 90 if b > 0 else 270
