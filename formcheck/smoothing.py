"""Filters over signals sampled at real, possibly uneven, times. All settings are in seconds or hertz.

Window filters (zero phase) serve the verdicts; the causal filter serves the live screen. Both treat NaN as a gap:
short gaps may be filled by `fill_gaps`, long ones stay empty and split the signal.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import scipy  # its parts come when they are first used, so that what only shows a page starts without them

from formcheck.types import BoolArray, FloatArray

HAMPEL_SCALE = 1.4826  # median absolute deviation to standard deviation, for a normal distribution
BUTTERWORTH_ORDER = 2  # run forwards and backwards: fourth order overall, the usual choice in gait analysis


def sample_interval_s(time_s: FloatArray) -> float:
    """Median time between samples, seconds; NaN for fewer than two."""
    return float(np.median(np.diff(time_s))) if len(time_s) > 1 else float("nan")


def fill_gaps(time_s: FloatArray, values: FloatArray, max_gap_s: float, course: FloatArray | None = None) -> FloatArray:
    """Fill gaps of at most `max_gap_s` seconds by straight lines.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
    values : ndarray, shape (n,) or (n, k)
        Each column is filled on its own.
    max_gap_s : float
        Time from the last value before to the first value after a gap.
    course : ndarray, shape (n,), or None
        What the lines are straight in, never falling; None is the time.

    Returns
    -------
    ndarray, same shape
        Longer gaps, and gaps at either end, stay NaN.
    """
    columns = _as_columns(values)
    along = time_s if course is None else course
    for column in columns.T:
        seen = np.flatnonzero(np.isfinite(column))
        if seen.size < 2 or seen.size == column.size:
            continue
        gaps = np.flatnonzero(~np.isfinite(column[seen[0] : seen[-1]])) + seen[0]
        after = np.searchsorted(seen, gaps)
        gaps = gaps[time_s[seen[after]] - time_s[seen[after - 1]] <= max_gap_s]
        column[gaps] = np.interp(along[gaps], along[seen], column[seen])
    return columns.reshape(values.shape)


def hampel(time_s: FloatArray, values: FloatArray, window_s: float, threshold: float = 3.0) -> FloatArray:
    """Set samples to NaN that lie far from the median of their neighbours (Hampel 1974).

    Parameters
    ----------
    time_s : ndarray, shape (n,)
    values : ndarray, shape (n,) or (n, k)
    window_s : float
        Full width of the neighbourhood.
    threshold : float
        In robust standard deviations of the neighbourhood; 3 is the usual choice.

    Returns
    -------
    ndarray, same shape
    """
    interval = sample_interval_s(time_s)
    if not np.isfinite(interval) or interval <= 0:
        return values.copy()
    width = 2 * max(1, round(window_s / interval / 2)) + 1
    columns = _as_columns(values)
    for column in columns.T:
        seen = np.isfinite(column)
        if seen.sum() < width:
            continue
        known = column[seen]
        centre = scipy.ndimage.median_filter(known, width, mode="nearest")
        deviation = np.abs(known - centre)
        spread = HAMPEL_SCALE * scipy.ndimage.median_filter(deviation, width, mode="nearest")
        # a floor keeps a perfectly still signal from calling its first movement an outlier
        floor = HAMPEL_SCALE * float(np.median(deviation))
        # where the median itself travels, a sample may lie as far off it as it travels: that is movement, no outlier
        travel = scipy.ndimage.maximum_filter1d(centre, width) - scipy.ndimage.minimum_filter1d(centre, width)
        known[deviation > threshold * np.maximum(spread, floor) + travel + 1e-9] = np.nan
        column[seen] = known
    return columns.reshape(values.shape)


def zero_phase(time_s: FloatArray, values: FloatArray, cutoff_hz: float) -> FloatArray:
    """Low-pass filter without delay (Butterworth, forwards and backwards), over uneven sample times.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
    values : ndarray, shape (n,) or (n, k)
    cutoff_hz : float
        Where the single pass has lost 3 dB. 6 Hz is usual for marker coordinates in movement analysis.

    Returns
    -------
    ndarray, same shape
        Stretches between NaN are filtered on their own; stretches too short to filter are returned as they are.
    """
    columns = _as_columns(values)
    alike: dict[bytes, list[int]] = {}  # columns with the same gaps, which for landmarks are nearly all: one call each
    for number, seen in enumerate(np.isfinite(columns).T):
        alike.setdefault(seen.tobytes(), []).append(number)
    for gaps, numbers in alike.items():
        for stretch in stretches(np.frombuffer(gaps, dtype=bool)):
            columns[stretch, numbers] = _filter_stretch(time_s[stretch], columns[stretch, numbers], cutoff_hz)
    return columns.reshape(values.shape)


def _filter_stretch(time_s: FloatArray, values: FloatArray, cutoff_hz: float) -> FloatArray:
    """Filter values of shape (n, columns) without gaps."""
    interval = sample_interval_s(time_s)
    if not np.isfinite(interval) or cutoff_hz * interval >= 0.5:
        return values  # sampled too slowly for this cut-off to mean anything
    even_s = np.arange(time_s[0], time_s[-1] + interval / 2, interval)
    sections = _butterworth(cutoff_hz * 2 * interval)
    padding = min(len(even_s) - 1, round(1.0 / (cutoff_hz * interval)))
    if padding < 3:
        return values
    even = np.stack([np.interp(even_s, time_s, column) for column in values.T], axis=1)
    smooth = scipy.signal.sosfiltfilt(sections, even, axis=0, padlen=padding)
    return np.stack([np.interp(time_s, even_s, column) for column in smooth.T], axis=1)


@cache
def _butterworth(cutoff_share: float) -> FloatArray:
    """Second-order sections for a cut-off given as a share of half the sampling rate."""
    return np.asarray(scipy.signal.butter(BUTTERWORTH_ORDER, cutoff_share, output="sos"))


def derivative(time_s: FloatArray, values: FloatArray, window_s: float = 0.2) -> FloatArray:
    """Rate of change per second (Savitzky-Golay, second order); NaN where the value is NaN.

    Parameters
    ----------
    time_s, values : ndarray, shape (n,)
    window_s : float
        Full width of the fitted parabola.
    """
    rate = np.full(values.shape, np.nan)
    for stretch in stretches(np.isfinite(values)):
        times, known = time_s[stretch], values[stretch]
        interval = sample_interval_s(times)
        if not np.isfinite(interval):
            continue
        width = 2 * max(1, round(window_s / interval / 2)) + 1
        if len(known) < max(width, 3):
            rate[stretch] = np.gradient(known, times)
            continue
        even_s = np.arange(times[0], times[-1] + interval / 2, interval)
        if len(even_s) < width:
            rate[stretch] = np.gradient(known, times)
            continue
        even = np.interp(even_s, times, known)
        slope = scipy.signal.savgol_filter(even, width, polyorder=2, deriv=1, delta=interval)
        rate[stretch] = np.interp(times, even_s, slope)
    return rate


def _as_columns(values: FloatArray) -> FloatArray:
    """A copy with shape (n, columns); also for n = 0, where `reshape(0, -1)` is not defined."""
    return values.reshape(len(values), math.prod(values.shape[1:])).copy()


def stretches(seen: BoolArray) -> list[slice]:
    """Where a mask is True without a break."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], seen.astype(np.int8), [0]))))
    return [slice(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)]


class OneEuro:
    """Causal low-pass filter that follows fast movement and calms slow movement (Casiez 2012).

    Parameters
    ----------
    cutoff_hz : float
        Cut-off while still. 1 Hz is the authors' starting point; landmarks need a little more to keep up with a curl.
    beta : float
        How much the cut-off rises per unit of speed (of the filtered values' own unit per second).
    speed_cutoff_hz : float
        Cut-off of the speed estimate; 1 Hz in the paper.
    """

    __slots__ = ("_beta", "_cutoff_hz", "_speed", "_speed_cutoff_hz", "_time_s", "_value")

    def __init__(self, cutoff_hz: float = 1.5, beta: float = 0.03, speed_cutoff_hz: float = 1.0) -> None:
        self._cutoff_hz = cutoff_hz
        self._beta = beta
        self._speed_cutoff_hz = speed_cutoff_hz
        self._time_s: float | None = None
        self._value: FloatArray = np.empty(0)
        self._speed: FloatArray = np.empty(0)

    def __call__(self, time_s: float, value: FloatArray) -> FloatArray:
        """Filter one sample of any fixed shape; a NaN element restarts with its next finite value."""
        if self._time_s is None:
            self._time_s, self._value, self._speed = time_s, value.copy(), np.zeros(value.shape)
            return value
        elapsed = time_s - self._time_s
        if elapsed <= 0:
            return self._value
        restart = ~np.isfinite(self._value)
        speed = np.where(restart, 0.0, (value - self._value) / elapsed)
        speed_weight = _weight(np.full(value.shape, self._speed_cutoff_hz), elapsed)
        speed = np.where(np.isfinite(speed), self._speed + speed_weight * (speed - self._speed), self._speed)
        weight = _weight(self._cutoff_hz + self._beta * np.abs(speed), elapsed)
        filtered = np.where(restart, value, self._value + weight * (value - self._value))
        self._time_s, self._value, self._speed = time_s, filtered, speed
        return filtered


def _weight(cutoff_hz: FloatArray, elapsed_s: float) -> FloatArray:
    turn = 2 * np.pi * cutoff_hz * elapsed_s
    return np.asarray(turn / (turn + 1))
