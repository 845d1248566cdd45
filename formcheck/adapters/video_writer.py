"""Writing the overlay clip: H.264 in an mp4 that plays in a browser, with the source clip's own frame times."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import secrets
from fractions import Fraction
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from formcheck.errors import OutputError
from formcheck.types import ImageArray

_CLOCK_HZ: Final = 90_000  # the usual video clock (ISO 13818-1): exact for 24, 25, 30, 50 and 60 frames a second
_FALLBACK_FPS: Final = 30.0
_BT709: Final = 1  # the number of BT.709 in each of the three colour tags (ITU-T H.273)
# 23 is x264's own default quality. Without B frames decoding order is showing order; with them the mp4 states too
# short a duration when the frame times are uneven, and players cut the end off.
_ENCODER: Final = {"preset": "veryfast", "crf": "23", "bf": "0"}


class OverlayWriter:
    """Writes one mp4 (H.264, yuv420p, index first); a context manager.

    The clip is written to a hidden file beside the target, which takes the target's name only when the block ends
    without an error. So an error or Ctrl-C leaves no half file and keeps an older result. An odd width or height,
    which yuv420p cannot hold, gets one more column or row that repeats the edge: cropping would lose picture.

    Parameters
    ----------
    path : str or path
        Name of the result, ending in ``.mp4``. An older file of that name is replaced.
    width, height : int
        Size in pixels of the images to come.
    average_fps : float
        Steers the encoder and the time that the last frame is shown; NaN when unknown. Frame times come from `write`.

    Raises
    ------
    OutputError
        On entering, writing or leaving: wrong name, missing or read-only folder, full disk, no H.264 encoder, or
        nothing was written.
    ValueError
        A size below 1.
    """

    def __init__(self, path: str | PathLike[str], width: int, height: int, average_fps: float) -> None:
        if width < 1 or height < 1:
            raise ValueError(f"width and height must be at least 1, not {width} x {height}")
        self._path = Path(path)
        self._size = (width, height)
        fps = average_fps if math.isfinite(average_fps) and 0 < average_fps <= 1000 else _FALLBACK_FPS
        self._fps = Fraction(fps).limit_denominator(10_000)
        self._temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}.part")
        self._reformatter = VideoReformatter()
        self._last_pts: int | None = None

    def __enter__(self) -> Self:
        self._claim_file()
        try:
            self._open_encoder()
        except BaseException as error:
            self._discard()
            if isinstance(error, (av.FFmpegError, av.codec.codec.UnknownCodecError)):
                raise self._output_error(error) from error
            raise
        return self

    def write(self, image: ImageArray, time_s: float) -> None:
        """Add one frame.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            RGB; it may be reused afterwards.
        time_s : float
            When it is shown, in seconds, at least 0 and later than the one before; kept to 1/90000 s.

        Raises
        ------
        OutputError
            The disk is full, or the file cannot be written to.
        ValueError
            The image has another size or type, or the time does not increase.
        """
        width, height = self._size
        if image.shape != (height, width, 3) or image.dtype != np.uint8:
            raise ValueError(f"expected a {height} x {width} x 3 uint8 image, not {image.shape} {image.dtype}")
        pts = round(time_s * _CLOCK_HZ)
        if pts < 0 or (self._last_pts is not None and pts <= self._last_pts):
            raise ValueError(f"frame times must be at least 0 and increase, but {time_s} s came next")
        self._last_pts = pts
        if width % 2 or height % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = self._reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts, frame.time_base, frame.duration = pts, Fraction(1, _CLOCK_HZ), round(_CLOCK_HZ / self._fps)
        self._encode(frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            if self._last_pts is None:
                raise OutputError(f"{self._path}: not written, because there was no frame to write")
            self._encode(None)
            self._container.close()
            self._temporary.replace(self._path)
        except BaseException as failure:
            self._discard()
            if isinstance(failure, (OSError, av.FFmpegError)):
                raise self._output_error(failure) from failure
            raise

    def _claim_file(self) -> None:
        if self._path.suffix.lower() != ".mp4":
            raise OutputError(f"{self._path}: the overlay clip is an mp4; use a name that ends in .mp4")
        if self._path.is_dir():
            raise OutputError(f"{self._path}: this is a folder; use another name or remove it")
        try:
            # Not by tempfile: its files are private to the user, and the result would stay so.
            os.close(os.open(self._temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError as error:
            raise self._output_error(error) from error

    def _open_encoder(self) -> None:
        width, height = self._size
        self._container = av.open(
            str(self._temporary.absolute()),
            "w",
            format="mp4",
            options={"movflags": "+faststart", "video_track_timescale": str(_CLOCK_HZ)},
        )
        stream = self._container.add_stream("libx264", rate=self._fps, options=dict(_ENCODER))
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, _CLOCK_HZ)
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = int(ColorRange.MPEG)
        self._stream = stream
        self._container.start_encoding()  # writes the header: a file that cannot be written fails here

    def _encode(self, frame: VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except av.FFmpegError as error:
            raise self._output_error(error) from error

    def _discard(self) -> None:
        if hasattr(self, "_container"):
            # The file is thrown away: that its end cannot be written either is no news.
            with contextlib.suppress(av.FFmpegError):
                self._container.close()
        self._temporary.unlink(missing_ok=True)

    def _output_error(self, error: Exception) -> OutputError:
        number = getattr(error, "errno", None)
        if number in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            advice = "the disk is full; make room or choose another folder with --out"
        elif number in {errno.ENOENT, errno.ENOTDIR}:
            advice = f"the folder {self._path.parent} does not exist; create it or choose another with --out"
        elif number in {errno.EACCES, errno.EPERM, errno.EROFS}:
            advice = f"no permission to write in {self._path.parent}; choose another folder with --out"
        elif isinstance(error, av.codec.codec.UnknownCodecError):
            advice = "this build of PyAV has no H.264 encoder (libx264); install the av package from PyPI"
        else:
            advice = (
                f"cannot be written ({getattr(error, 'strerror', None) or error}); choose another folder with --out"
            )
        return OutputError(f"{self._path}: {advice}")
