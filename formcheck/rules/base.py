"""What a rule is, what it is given, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from formcheck.types import BoolArray, FloatArray, Rep, Scope, Status, Strength


class Direction(StrEnum):
    """On which side of its limits a measured value becomes a problem."""

    ABOVE = "above"
    BELOW = "below"

    def excess(self, value: float, limit: float) -> float:
        """How far `value` lies past `limit`, in the problem's direction; negative on the good side."""
        return value - limit if self is Direction.ABOVE else limit - value


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a rule starts to speak.

    Attributes
    ----------
    caution, fault : float or None
        In the rule's unit; None when the rule never gives that status.
    parameters : mapping of str to float
        Further numbers of the rule, each with its unit in its name (``held_s``).
    """

    caution: float | None
    fault: float | None
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """One finished repetition or hold, as a rule sees it (n = frames).

    Attributes
    ----------
    rep : Rep
    time_s : ndarray, shape (n,)
    values : mapping of str to ndarray of shape (n,)
        Metrics of the judged side without the side in their names (``knee_flexion_deg``), smoothed with zero
        phase; NaN where unseen.
    neutral : mapping of str to float
        The person's own value of a metric at rest, NaN where no rest was seen.
    lifting, turn, lowering : ndarray of bool, shape (n,)
        The phases (concentric, deepest part or hold, eccentric).
    deep : ndarray of bool, shape (n,)
        Frames past half of the repetition's range: where a hinge or stretch loads the hamstrings.
    """

    rep: Rep
    time_s: FloatArray
    values: Mapping[str, FloatArray]
    neutral: Mapping[str, float]
    lifting: BoolArray
    turn: BoolArray
    lowering: BoolArray
    deep: BoolArray


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule measured in one window; the engine turns it into an `Outcome`.

    Attributes
    ----------
    measured : float
        In the rule's unit.
    worst_s, start_s, end_s : float
        The worst moment, and the stretch of time over which the value was taken.
    excused : bool
        True when a second condition of the rule was not met, so that the value does no harm whatever it is.
    sigma : float or None
        Standard error of `measured`; None takes that of the rule's metric.
    """

    measured: float
    worst_s: float
    start_s: float
    end_s: float
    excused: bool = False
    sigma: float | None = None


@dataclass(frozen=True, slots=True)
class WholeSet:
    """The repetitions of a set, as a rule of sets sees them.

    Attributes
    ----------
    windows : tuple of Window
        Those that can be judged, in order of time; of one leg, unless the rule compares both.
    range_sigma_deg, lifting_sigma_s : float
        Standard errors of one repetition's range and of the seconds of its lifting phase.
    statuses : tuple of mapping of str to Status
        What the rules of repetitions said of each window, by rule id; a finding within its error counts as not judged.
    """

    windows: tuple[Window, ...]
    range_sigma_deg: float
    lifting_sigma_s: float
    statuses: tuple[Mapping[str, Status], ...] = ()


CheckSet = Callable[[WholeSet, Limits], Finding | None]
Check = Callable[[Window, Limits], Finding | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One named check; `documentation` is its module's docstring, the only copy of its explanation.

    Attributes
    ----------
    id : str
        As on the command line: ``locked-knees``.
    title : str
        Few words, for headings.
    scopes : frozenset of Scope
    metric : str
        What `Finding.measured` is, without side: ``knee_flexion_deg``. Its error is looked up by this name.
    needs : tuple of str
        Every metric that must have been seen.
    unit : str
        ``deg``, ``s``, ``%`` ...
    direction : Direction
    limits : Limits
        The defaults; an exercise and the person's settings may change them.
    strength : Strength
        Of the evidence, as the documentation states it.
    message : str
        What was seen, when the rule speaks.
    cue : str
        What to do, in a few kind words.
    check : callable (Window, Limits) -> Finding or None
        Pure. None when it cannot be measured in this window. A finding is returned for good repetitions too,
        so that "ok" also carries its number.
    any_view : bool
        True for what can be told without a side view (times), as long as the camera does not see the front or back.
    check_set : callable (WholeSet, Limits) -> Finding or None
        What a rule of the scope `set` checks, once per set; such a rule has `only_of_sets` for its `check`, and
        the fewest repetitions that make a set in its parameter ``min_reps``. None in all other rules.
    both_legs : bool
        True for a rule of sets that compares the legs: it is asked where both were filmed.
    max_error : float or None
        Where the measurement error is larger than this (same unit), nothing is judged: the value says too little.
    excuse : str
        Why a value past the limit does no harm in a finding that is excused; empty for a rule that excuses nothing.
    """

    id: str
    title: str
    scopes: frozenset[Scope]
    metric: str
    needs: tuple[str, ...]
    unit: str
    direction: Direction
    limits: Limits
    strength: Strength
    message: str
    cue: str
    check: Check
    documentation: str
    any_view: bool = False
    max_error: float | None = None
    check_set: CheckSet | None = None
    both_legs: bool = False
    excuse: str = ""


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """A rule with the limits and the cue that hold for one exercise and one person's settings."""

    rule: Rule
    limits: Limits
    cue: str


def only_of_sets(window: Window, limits: Limits) -> Finding | None:
    """What a rule of sets finds in a single repetition: nothing can be told from it."""
    del window, limits
    return None


def sustained_extreme(
    time_s: FloatArray, value: FloatArray, chosen: BoolArray, held_s: float, direction: Direction
) -> Finding | None:
    """Most extreme value that was held for `held_s` seconds within the chosen frames.

    Parameters
    ----------
    time_s, value : ndarray, shape (n,)
    chosen : ndarray of bool, shape (n,)
        Frames to look at; frames with a NaN value are left out.
    held_s : float
        Seconds; when the chosen frames last less than that, all of them are one stretch.
    direction : Direction
        ABOVE looks for high values, BELOW for low ones.

    Returns
    -------
    Finding or None
        `measured` is the best value that the worst stretch never fell short of; None when nothing was seen.
    """
    frames = np.flatnonzero(chosen & np.isfinite(value))
    if frames.size == 0:
        return None
    times, seen = time_s[frames], value[frames]
    worst_first = seen if direction is Direction.BELOW else -seen
    held = min(held_s, float(times[-1] - times[0]))
    ends = np.searchsorted(times, times + held - 1e-9, side="left")
    starts = np.flatnonzero(ends < times.size)
    mildest = np.array([worst_first[start : ends[start] + 1].max() for start in starts])
    best = int(np.argmin(mildest))
    start, end = int(starts[best]), int(ends[starts[best]])
    worst = start + int(np.argmin(worst_first[start : end + 1]))
    measured = mildest[best] if direction is Direction.BELOW else -mildest[best]
    return Finding(float(measured), float(times[worst]), float(times[start]), float(times[end]))


def around(time_s: FloatArray, chosen: BoolArray, within_s: float) -> BoolArray:
    """The chosen frames and those that are at most so many seconds from one of them, shape (n,).

    For a value that changes while the body turns: a turn without a pause lasts a few frames, and which ones these are
    can hardly be told.
    """
    times = time_s[chosen]
    if not times.size:
        return chosen
    after = np.searchsorted(times, time_s)
    gaps = [np.abs(times[np.clip(after + step, 0, times.size - 1)] - time_s) for step in (-1, 0)]
    return np.asarray(np.min(gaps, axis=0) <= within_s + 1e-9)


def phase_seconds(window: Window, phase: BoolArray) -> Finding | None:
    """Duration of the way out or back, whichever `phase` is; None when the window holds none of it."""
    if not np.isfinite(window.values["range_deg"][phase]).any():
        return None
    rep = window.rep
    begin_s, end_s = (rep.start_s, rep.turn_start_s) if phase[0] else (rep.turn_end_s, rep.end_s)
    return Finding(end_s - begin_s, begin_s, begin_s, end_s)


def turn_seconds(window: Window) -> Finding | None:
    """Duration of the turn or hold; None when nothing was seen of it."""
    if not np.isfinite(window.values["range_deg"][window.turn]).any():
        return None
    rep = window.rep
    return Finding(rep.turn_end_s - rep.turn_start_s, rep.turn_s, rep.turn_start_s, rep.turn_end_s)


def change_from_start(value: FloatArray) -> FloatArray:
    """Change against the first value that was seen, shape (n,); all NaN when none was."""
    known = value[np.isfinite(value)]
    return value - known[0] if known.size else value


def spread_of(value: FloatArray, chosen: BoolArray | None = None) -> float:
    """Largest minus smallest value in the chosen frames, in all by default; 0 when nothing was seen."""
    known = value[np.isfinite(value) if chosen is None else chosen & np.isfinite(value)]
    return float(np.ptp(known)) if known.size else 0.0


def first_and_last(value: FloatArray) -> tuple[float, float]:
    """The first and the last of the values, which must not be empty."""
    return float(value[0]), float(value[-1])
