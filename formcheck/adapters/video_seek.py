"""Single stretches of a clip that was read through before, without decoding all that lies between them.

A file's index leads to the same frames as reading through where the clock runs on, nothing is damaged, and what it
leads to is a key frame: some decoders make up what a frame without one hangs on. Times alone do not show it: in joined
recordings another part's frames lie on the same grid of times.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from formcheck.adapters.video import ClipReader, DecodedFrame
from formcheck.types import FloatArray

# Sought is a key frame so long before: some files index them by when they are decoded. Others know of no key frames,
# and the first one that comes may be too late: then from further before.
_BEFORE_S: Final = (0.5, 5.0)
_WORTH_SEEKING_S: Final = 1.0  # from the end of one stretch to the next
_SAME_TIME_S: Final = 1e-6


def decoded_around(
    path: str | Path,
    spans: Sequence[tuple[float, float]],
    times_s: FloatArray,
    *,
    by_index: bool,
    one_thread: bool = False,
) -> Generator[DecodedFrame]:
    """The frames of some stretches as reading through the whole clip gives them, and others before each.

    Every frame that is decoded is given, so that whoever reads them can tell how far it is, and stop. Where the index
    leads astray, frames that were given before are given again.

    Parameters
    ----------
    path : str or Path
    spans : sequence of (float, float)
        Seconds from which and until which, in order of time, none overlapping another.
    times_s : ndarray, shape (n,)
        Of all the clip's frames, as they were when it was read through.
    by_index : bool
        Skip by the file's index; only for clips that gave no warning when they were read through. Where it leads to no
        key frame, or to times that were not there before, the rest is read through all the same.
    one_thread : bool
        As of `ClipReader`.

    Raises
    ------
    ClipError
        As `ClipReader`.
    """
    for start_s, end_s in _together(spans) if by_index else ():
        for item in _by_index(path, start_s, times_s, one_thread):
            if item is None:
                by_index = False
                break
            yield item
            if item.time_s > end_s:
                break
        if not by_index:
            break
    if not by_index:
        with ClipReader(path, one_thread=one_thread) as reader:
            for item in reader.decoded():
                yield item
                if item.time_s > spans[-1][1]:
                    return


def _together(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The stretches, those in one piece between which seeking saves little."""
    pieces = [spans[0]]
    for start_s, end_s in spans[1:]:
        if start_s - pieces[-1][1] < _WORTH_SEEKING_S + _BEFORE_S[0]:
            pieces[-1] = (pieces[-1][0], end_s)
        else:
            pieces.append((start_s, end_s))
    return pieces


def _by_index(
    path: str | Path, start_s: float, times_s: FloatArray, one_thread: bool
) -> Generator[DecodedFrame | None]:
    """Frames from a key frame before a moment up to the clip's end; None and no more where one is not as it was."""
    for before_s in _BEFORE_S:
        last: int | None = None
        with ClipReader(path, one_thread=one_thread) as reader:
            if start_s > before_s and not reader.skip_to(start_s - before_s):
                break
            for item in reader.decoded():
                index = _nearest(times_s, item.time_s)
                follows = item.key_frame and item.time_s <= start_s if last is None else index == last + 1
                if not follows or abs(times_s[index] - item.time_s) > _SAME_TIME_S or reader.warnings:
                    break
                item.index = last = index
                yield item
            else:
                if last == len(times_s) - 1:
                    return
        if last is not None:
            break
    yield None


def _nearest(times_s: FloatArray, time_s: float) -> int:
    """Index of the time that is nearest."""
    after = min(int(np.searchsorted(times_s, time_s)), len(times_s) - 1)
    return after - (after > 0 and time_s - times_s[after - 1] < times_s[after] - time_s)
