"""One leg goes further than the other.

What it checks
    Whether the range differs between the legs, where a clip shows both, or two clips are compared
    (formcheck compare LEFT RIGHT).

Why it matters
    A difference shows which side to train or stretch first, and whether it gets smaller over the weeks. Small
    differences between the legs are usual and no fault.

How it is measured
    Range is how far the working joint goes in a repetition or hold. The median of each leg's repetitions is taken, and
    the difference is given in percent of the larger one. Each leg is seen from its own side, so the errors of the two
    do not cancel: a difference that is not larger than the limit by more than both errors together is not told.

What to do
    Begin with the leg that goes less far, and let the other one do no more than that. Film both legs from the same
    place, turning around in between, before you believe a difference.

Evidence
    some: Methods to tell the legs apart disagree with one another; the 10 % of this limit are a common choice.
    What is certain is only whether the difference is larger than the error of the measurement.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from formcheck.rules.base import Direction, Finding, Limits, Rule, WholeSet, Window, only_of_sets, spread_of
from formcheck.types import Scope, Side, Strength


def difference(first: Sequence[float], second: Sequence[float], errors: tuple[float, float]) -> tuple[float, float]:
    """Compare the ranges of two legs.

    Parameters
    ----------
    first, second : sequence of float
        Range of each repetition, degrees, above 0.
    errors : (float, float)
        Standard error of one range of each leg, degrees.

    Returns
    -------
    (float, float)
        Difference in percent of the larger median, positive when `first` goes less far; and its standard error, in
        percent. Errors are taken as the same in every repetition of a leg: most of them is a constant offset.
    """
    low, high = float(np.median(first)), float(np.median(second))
    larger = max(low, high)
    return 100.0 * (high - low) / larger, 100.0 * math.hypot(*errors) / larger


def check_set(whole: WholeSet, limits: Limits) -> Finding | None:
    """Difference of the legs' ranges, in percent, told of the leg that goes less far; None when one was not seen."""
    del limits
    of_leg: dict[Side, list[tuple[float, Window]]] = {side: [] for side in Side}
    for window in whole.windows:
        size = spread_of(window.values["range_deg"])
        if size > 0:
            of_leg[window.rep.side].append((size, window))
    if not all(of_leg.values()):
        return None
    left, right = ([size for size, _ in of_leg[side]] for side in (Side.LEFT, Side.RIGHT))
    measured, sigma = difference(left, right, (whole.range_sigma_deg, whole.range_sigma_deg))
    weaker = Side.LEFT if measured > 0 else Side.RIGHT
    worst = min(of_leg[weaker], key=lambda item: item[0])[1].rep.turn_s
    start_s, end_s = whole.windows[0].rep.start_s, whole.windows[-1].rep.end_s
    return Finding(abs(measured), worst, start_s, end_s, sigma=sigma)


RULE = Rule(
    id="left-right-difference",
    title="One leg goes further",
    scopes=frozenset({Scope.SET}),
    metric="left_right_difference",
    needs=("range_deg",),
    unit="%",
    direction=Direction.ABOVE,
    limits=Limits(caution=10.0, fault=None, parameters={"min_reps": 2.0}),
    strength=Strength.SOME,
    message="This leg went less far than the other one.",
    cue="Begin with this leg; match it with the other.",
    check=only_of_sets,
    documentation=__doc__,
    check_set=check_set,
    both_legs=True,
)
