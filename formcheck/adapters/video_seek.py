"""Single stretches of a clip that was read through before, without decoding all that lies between them."""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path
from typing import Final

import av
import numpy as np

from formcheck.adapters.video import ClipReader, DecodedFrame
from formcheck.types import FloatArray

_BEFORE_S: Final = 0.5  # sought is a key frame so long before: some files index them by when they are decoded
_SAME_TIME_S: Final = 0.001


def decoded_within(
    path: str | Path, span: tuple[float, float], times_s: FloatArray, *, one_thread: bool = False
) -> Generator[DecodedFrame]:
    """The frames of a stretch, as reading through the whole clip gives them.

    Decoding begins at a key frame before the stretch. Where the file's index leads to frames that do not follow one
    another as they did in the whole clip (damaged files, clocks that jump), the clip is read through instead.

    Parameters
    ----------
    path : str or Path
    span : (float, float)
        Seconds from which and until which.
    times_s : ndarray, shape (n,)
        Of all the clip's frames, as they were when it was read through.
    one_thread : bool
        As of `ClipReader`.

    Raises
    ------
    ClipError
        As `ClipReader`.
    """
    start_s, end_s = span
    after_s = -math.inf
    if start_s > _BEFORE_S:
        for item in _by_index(path, start_s - _BEFORE_S, times_s, one_thread):
            if item is None:
                break
            if item.time_s > end_s:
                return
            if item.time_s >= start_s:
                after_s = item.time_s
                yield item
        else:
            return
    with ClipReader(path, one_thread=one_thread) as reader:
        for item in reader.decoded():
            if item.time_s > end_s:
                return
            if item.time_s >= start_s and item.time_s > after_s:
                yield item


def _by_index(path: str | Path, from_s: float, times_s: FloatArray, one_thread: bool) -> Generator[DecodedFrame | None]:
    """Frames from a key frame before a moment on, up to the clip's end; None and no more where one is not as it was."""
    before: int | None = None
    with ClipReader(path, one_thread=one_thread) as reader:
        try:
            reader.skip_to(from_s)
        except av.FFmpegError:  # a file without an index
            yield None
            return
        for item in reader.decoded():
            index = int(np.searchsorted(times_s, item.time_s - _SAME_TIME_S))
            known = index < len(times_s) and abs(times_s[index] - item.time_s) <= _SAME_TIME_S
            follows = item.time_s <= from_s if before is None else index == before + 1
            if not (known and follows):
                yield None
                return
            item.index = before = index
            yield item
    if before != len(times_s) - 1:
        yield None
