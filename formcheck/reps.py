"""Repetitions and holds: one joint angle that leaves rest, turns, and comes back.

`RepCounter` follows the angle sample by sample with hysteresis relative to the person's own rest level and to the size
of the movement, so a drifting rest, a pause or a small bounce at the turn makes no extra repetition. Live sessions
feed it a causally smoothed angle; `segment` runs the same counter over a finished, zero-phase smoothed angle and then
places start, turn and end to the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from formcheck.smoothing import derivative
from formcheck.types import FloatArray, Phase

# Shares of one movement's own size (turn minus rest).
TURNED_SHARE = 0.25  # come back this far from the deepest point: the way back has begun
RETURNED_SHARE = 0.20  # this near to rest: over
SPLIT_SHARE = 0.5  # turned again after coming back at least this far: a new repetition, else still the same
PLATEAU_SHARE = 0.04  # this near to the deepest value counts as the turn (the pause, the hold)
PLATEAU_MIN_DEG = 3.0  # but never less than landmark noise
DEEPEST_DEG = 3.0  # as near to the deepest value as landmark noise is the deepest: in a hold the rest is drift
ONSET_SPEED_SHARE = 0.06  # of the fastest moment on the way: slower than this is rest
CUT_SPEED_SHARE = 0.25  # ... and faster than this at the clip's first or last frame: the clip cuts the movement off
# A joint that differs by more between two moments with the same angle makes them different movements. The repetitions
# of one person differ by at most 36 deg (all the rendered clips, one set with toes up in some repetitions only), half
# of them by less than 1; a bent leg differs from one that is still to be drawn up by 90.
OTHER_MOVEMENT_DEG = 60.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Times of one repetition or hold, seconds, and its values at rest and at the turn, degrees.

    `turn_s` is the first moment that is as deep as the deepest, `turn_start_s` to `turn_end_s` the pause around it.
    `complete` is False when the clip begins or ends while it still moves: its times and its rest level are then not its
    own.
    """

    start_s: float
    turn_start_s: float
    turn_s: float
    turn_end_s: float
    end_s: float
    rest_deg: float
    turn_deg: float
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """Rough times of one repetition as the counter sees them, and the rest level that it left."""

    began_s: float
    ended_s: float
    rest_deg: float


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What `segment` found.

    `cut_off_s` are the times at which an unfinished repetition is cut by the clip's end; `begun_until_s` is the time at
    which a movement is over that was under way when the clip began, None when there was none; `under_way_s` is roughly
    when the movement began that the clip's end finds under way, listed or not.
    """

    bounds: tuple[Bounds, ...]
    cut_off_s: tuple[float, ...] = ()
    begun_until_s: float | None = None
    under_way_s: float | None = None


class RepCounter:
    """Counts repetitions in a stream of angles.

    Parameters
    ----------
    enter_deg : float
        Rise above the rest level that begins a repetition.
    leave_deg : float
        Rise above the rest level below which it is over.
    min_s : float
        Shorter ones are dropped.
    outward, back : Phase
        Names of the way to the turn and of the way back.
    """

    __slots__ = (
        "_began_s",
        "_last_s",
        "_lowest",
        "_lowest_s",
        "_outward_back",
        "_peak",
        "_rest",
        "_settings",
        "_state",
        "spans",
    )

    def __init__(
        self,
        enter_deg: float,
        leave_deg: float,
        min_s: float,
        outward: Phase = Phase.LIFTING,
        back: Phase = Phase.LOWERING,
    ) -> None:
        self._settings = (enter_deg, leave_deg, min_s)
        self._outward_back = (outward, back)
        self._state = Phase.REST
        self._rest = self._peak = self._lowest = float("nan")
        self._began_s = self._last_s = self._lowest_s = float("nan")
        self.spans: list[Span] = []

    def fresh(self) -> RepCounter:
        """A counter with the same settings that has seen nothing."""
        return RepCounter(*self._settings, *self._outward_back)

    @property
    def count(self) -> int:
        """Finished repetitions so far."""
        return len(self.spans)

    @property
    def phase(self) -> Phase:
        """Where the last sample lies."""
        return self._state

    @property
    def unfinished(self) -> Span | None:
        """The repetition under way, ending at its last sample; None at rest."""
        return None if self._state is Phase.REST else Span(self._began_s, self._last_s, self._rest)

    @property
    def returned_share(self) -> float:
        """How much of the unfinished repetition's way back is done, 0 to 1; 0 at rest or on the way out."""
        size = self._peak - self._rest
        return (self._peak - self._lowest) / size if self._state is self._outward_back[1] and size > 0 else 0.0

    def update(self, time_s: float, value: float) -> bool:
        """Take one sample; True when it finishes a repetition. NaN changes nothing."""
        if np.isnan(value):
            return False
        self._last_s = time_s
        enter, leave, _ = self._settings
        outward, back = self._outward_back
        if self._state is Phase.REST:
            if not value >= self._rest:  # also true for the first sample, when rest is NaN
                self._rest, self._lowest_s = value, time_s
            if value > self._rest + enter:
                self._state, self._began_s = outward, self._lowest_s
                self._peak = value
            elif value < self._rest + leave / 2:
                self._lowest_s = time_s
            return False
        if self._state is outward:
            self._peak = max(self._peak, value)
        size = self._peak - self._rest  # on the way back still that of the way out, however high the next one goes
        if self._state is outward:
            if value < self._peak - max(leave / 2, TURNED_SHARE * size):
                self._state, self._lowest, self._lowest_s = back, value, time_s
            return False
        if value < self._lowest:
            self._lowest, self._lowest_s = value, time_s
        if value <= self._rest + max(leave, RETURNED_SHARE * size):
            return self._finish(time_s, Phase.REST, value)
        if value > self._lowest + max(enter, TURNED_SHARE * size):  # turned again before reaching rest
            if self._peak - self._lowest >= SPLIT_SHARE * size:
                finished = self._finish(self._lowest_s, outward, self._lowest)
                self._began_s, self._peak = self._lowest_s, value
                return finished
            self._state = outward
        return False

    def _finish(self, time_s: float, state: Phase, rest: float) -> bool:
        finished = time_s - self._began_s >= self._settings[2]
        if finished:
            self.spans.append(Span(self._began_s, time_s, self._rest))
        self._state, self._rest, self._lowest_s = state, rest, time_s
        return finished


def segment(time_s: FloatArray, signal: FloatArray, enter_deg: float, leave_deg: float, min_s: float) -> Segmentation:
    """Find every repetition or hold in a finished signal.

    Parameters
    ----------
    time_s, signal : ndarray, shape (n,)
        The signal is smoothed with zero phase; NaN where unseen.
    enter_deg, leave_deg, min_s : float
        As for `RepCounter`.

    Returns
    -------
    Segmentation
        In order of time. A repetition that the clip cuts off is listed only once most of its way back was seen, and
        is not complete.
    """
    counter = RepCounter(enter_deg, leave_deg, min_s)
    for moment, value in zip(time_s.tolist(), signal.tolist(), strict=True):
        counter.update(moment, value)
    spans = list(counter.spans)
    cut_off: list[float] = []
    if counter.unfinished is not None:
        if counter.returned_share >= SPLIT_SHARE:
            spans.append(counter.unfinished)
        else:
            cut_off.append(counter.unfinished.ended_s)
    speed = derivative(time_s, signal)
    placed: list[Bounds] = []
    for number, span in enumerate(spans):
        earliest = placed[-1].end_s if placed else float(time_s[0])
        latest = spans[number + 1].began_s if number + 1 < len(spans) else float(time_s[-1])
        near_rest = max(leave_deg, RETURNED_SHARE * _size(time_s, signal, span))
        placed.append(_place(time_s, signal, speed, span, near_rest, earliest, max(latest, span.ended_s)))
    begun_until_s = _begun_until_s(time_s, signal, counter, placed)
    under_way_s = None if counter.unfinished is None else counter.unfinished.began_s
    return Segmentation(tuple(placed), tuple(cut_off), begun_until_s, under_way_s)


def _begun_until_s(time_s: FloatArray, signal: FloatArray, counter: RepCounter, placed: list[Bounds]) -> float | None:
    """When a movement is over that was under way at the first sample and is not among those found.

    Seen backwards, such a movement leaves rest and never comes back: the same counter finds it.
    """
    backwards = counter.fresh()
    for moment, value in zip((-time_s[::-1]).tolist(), signal[::-1].tolist(), strict=True):
        backwards.update(moment, value)
    if backwards.unfinished is None:
        return None
    until_s = -backwards.unfinished.began_s
    return None if any(bounds.start_s < until_s for bounds in placed) else until_s


def without_getting_into_place(
    found: Segmentation, time_s: FloatArray, signal: FloatArray, others: Sequence[FloatArray]
) -> Segmentation:
    """Take back `begun_until_s` where what was under way at first was no repetition: someone who got into place.

    Parameters
    ----------
    found : Segmentation
        Of this signal.
    time_s, signal : ndarray, shape (n,)
    others : sequence of ndarray, shape (n,)
        Other joint angles, degrees. At the signal's value with which the clip begins, on the way to or from the turn
        of some repetition found, each has to be about what it was there. Where none can be compared nothing changes.
    """
    if found.begun_until_s is None or not found.bounds:
        return found
    early = np.flatnonzero((time_s <= found.begun_until_s) & np.isfinite(signal))
    first = early[np.argmax(signal[early])]
    unlike = [_unlike(time_s, signal, others, int(first), bounds) for bounds in found.bounds]
    known = [difference for difference in unlike if np.isfinite(difference)]
    if known and min(known) > OTHER_MOVEMENT_DEG:
        return replace(found, begun_until_s=None)
    return found


def _unlike(time_s: FloatArray, signal: FloatArray, others: Sequence[FloatArray], first: int, bounds: Bounds) -> float:
    """Largest difference of another joint to where a repetition passes this moment's value; NaN when none is known."""
    differences = []
    for start_s, end_s in ((bounds.start_s, bounds.turn_s), (bounds.turn_s, bounds.end_s)):
        way = np.flatnonzero((time_s >= start_s) & (time_s <= end_s) & np.isfinite(signal))
        passing = way[np.argmin(np.abs(signal[way] - signal[first]))]
        apart = [abs(float(other[passing] - other[first])) for other in others]
        known = [value for value in apart if np.isfinite(value)]
        if known:
            differences.append(max(known))
    return min(differences, default=float("nan"))


def _size(time_s: FloatArray, signal: FloatArray, span: Span) -> float:
    inside = signal[(time_s >= span.began_s) & (time_s <= span.ended_s)]
    return float(np.nanmax(inside)) - span.rest_deg


def _place(
    time_s: FloatArray,
    signal: FloatArray,
    speed: FloatArray,
    span: Span,
    near_rest_deg: float,
    earliest_s: float,
    latest_s: float,
) -> Bounds:
    """Move the counter's rough times to where the movement begins, turns and ends."""
    rest = span.rest_deg
    inside = np.flatnonzero((time_s >= span.began_s) & (time_s <= span.ended_s) & np.isfinite(signal))
    top = int(inside[np.argmax(signal[inside])])
    peak = float(signal[top])
    plateau = peak - max(PLATEAU_MIN_DEG, PLATEAU_SHARE * (peak - rest))
    high = inside[signal[inside] >= plateau]
    first_high, last_high = int(high[0]), int(high[-1])
    first = int(np.searchsorted(time_s, earliest_s, side="left"))
    last = int(np.searchsorted(time_s, latest_s, side="right")) - 1
    # only this repetition's own way: beyond it may lie a gap, whose edges are no movement
    fastest_out, fastest_in = _fastest(speed[inside[0] : first_high + 1]), _fastest(speed[last_high : inside[-1] + 1])
    outward, inward = fastest_out * ONSET_SPEED_SHARE, fastest_in * ONSET_SPEED_SHARE
    # a neighbour that came back only part of the way leaves its own turning point as the rest level here
    low_before = max(rest + near_rest_deg, _lowest(signal[first : first_high + 1]) + near_rest_deg)
    low_after = max(rest + near_rest_deg, _lowest(signal[last_high : last + 1]) + near_rest_deg)
    start = first_high
    while start > first and not (signal[start] < low_before and speed[start] <= outward):
        start -= 1
    end = last_high
    while end < last and not (signal[end] < low_after and speed[end] >= -inward):
        end += 1
    # the last degrees of the way out and the first of the way back are still movement, and part of the tempo
    turned, leaving = first_high, last_high
    while turned < top and not speed[turned] <= outward:
        turned += 1
    while leaving > top and not speed[leaving] >= -inward:
        leaving -= 1
    opening, closing = np.flatnonzero(np.isfinite(signal))[[0, -1]]
    begun_before = start <= opening and speed[opening] > CUT_SPEED_SHARE * fastest_out
    goes_on = end >= closing and speed[closing] < -CUT_SPEED_SHARE * fastest_in
    return Bounds(
        start_s=float(time_s[start]),
        turn_start_s=float(time_s[turned]),
        turn_s=float(time_s[max(turned, _first_at(signal, inside, peak))]),
        turn_end_s=float(time_s[leaving]),
        end_s=float(time_s[end]),
        rest_deg=rest,
        turn_deg=peak,
        complete=not (begun_before or goes_on),
    )


def _first_at(signal: FloatArray, inside: NDArray[np.intp], peak: float) -> int:
    return int(inside[np.argmax(signal[inside] >= peak - DEEPEST_DEG)])


def _fastest(speed: FloatArray) -> float:
    known = np.abs(speed[np.isfinite(speed)])
    return float(known.max()) if known.size else 0.0


def _lowest(signal: FloatArray) -> float:
    known = signal[np.isfinite(signal)]
    return float(known.min()) if known.size else float("nan")
