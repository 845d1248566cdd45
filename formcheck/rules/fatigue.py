"""The last repetitions of the set are shorter or slower than the best one.

What it checks
    Whether the range, or the speed of the lifting phase, falls towards the end of a set of four repetitions or more.

Why it matters
    Losing speed and range within a set shows that the muscles tire. That is part of training; beyond it the form goes
    too, and a set that ends a little earlier trains as well.

How it is measured
    Range is how far the working joint goes in a repetition, speed is that range over the seconds of the lifting phase.
    The mean of the last two repetitions is compared with the best one before them, each leg by itself. The error
    follows from those of the angle and of the time; where a fall is not larger than the limit by more than its error,
    nothing is said. In sets of fewer than four repetitions the question does not arise.

What to do
    End the set here, rest longer, or take a little less weight.

Evidence
    some: The loss of lifting speed within a set follows the fatigue that is measured after it (Sanchez-Medina 2011, in
    squats and bench presses). The limit of 20 % is a common choice; lifting more slowly on purpose looks the same.
"""

import math
from collections.abc import Sequence
from itertools import starmap

import numpy as np

from formcheck.rules.base import Direction, Finding, Limits, Rule, WholeSet, Window, only_of_sets, phase_seconds
from formcheck.types import Scope, Strength

LAST = 2  # repetitions whose mean stands for the end of the set: one alone may be a slip


def check_set(whole: WholeSet, limits: Limits) -> Finding | None:
    """Fall of range or of lifting speed, in percent, whichever is the more certain; None when it was not seen."""
    del limits
    windows = whole.windows
    ranges = [float(np.ptp(window.values["range_deg"][_seen(window)])) for window in windows if _seen(window).any()]
    lifts = [found.measured for window in windows if (found := phase_seconds(window, window.lifting)) is not None]
    if len(windows) <= LAST or min(len(ranges), len(lifts)) < len(windows) or min(*ranges, *lifts) <= 0:
        return None
    range_errors = [whole.range_sigma_deg / size for size in ranges]
    both = zip(range_errors, lifts, strict=True)
    speed_errors = list(starmap(lambda error, lift: math.hypot(error, whole.lifting_sigma_s / lift), both))
    speeds = [size / lift for size, lift in zip(ranges, lifts, strict=True)]
    falls = (_fall(ranges, range_errors), _fall(speeds, speed_errors))
    measured, sigma = max(falls, key=lambda fall: fall[0] - fall[1])
    last = windows[-LAST:]
    return Finding(measured, last[-1].rep.turn_s, last[0].rep.start_s, last[-1].rep.end_s, sigma=sigma)


def _seen(window: Window) -> np.ndarray:
    return np.isfinite(window.values["range_deg"])


def _fall(values: Sequence[float], errors: Sequence[float]) -> tuple[float, float]:
    """Percent by which the mean of the last values is below the best before them, and its standard error.

    `errors` are relative to the values.
    """
    best = int(np.argmax(values[:-LAST]))
    share = float(np.mean(values[-LAST:])) / values[best]
    of_last = math.hypot(*(value * error for value, error in zip(values[-LAST:], errors[-LAST:], strict=True))) / LAST
    return 100.0 * (1.0 - share), 100.0 * math.hypot(of_last / values[best], share * errors[best])


RULE = Rule(
    id="fatigue",
    title="Tired towards the end",
    scopes=frozenset({Scope.SET}),
    metric="fall_below_best",
    needs=("range_deg",),
    unit="%",
    direction=Direction.ABOVE,
    limits=Limits(caution=20.0, fault=None, parameters={"min_reps": 4.0}),
    strength=Strength.SOME,
    message="The last repetitions were shorter or slower than the best one.",
    cue="End the set here, or take a little less weight.",
    check=only_of_sets,
    documentation=__doc__,
    check_set=check_set,
)
