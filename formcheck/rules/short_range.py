"""The repetition stops short of the exercise's range.

What it checks
    Whether the working joint reaches the range that the exercise asks for.

Why it matters
    A partial repetition leaves out the part in which the hamstrings are longest or shortest. Partial repetitions can
    be a choice; unnoticed ones are often a sign of too much load or of tiring.

How it is measured
    The angle of the joint that makes the repetitions (knee in curls, hip in hinges) at the deepest point. Where the
    joint straightens on the way out (Nordic curl, bridge), how far it has come from the start.

What to do
    Lighten the load until you can reach the whole range under control.

Evidence
    coaching: How deep a repetition should go is agreed between coach and lifter; the limits here are the common ones.
"""

import numpy as np

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Largest value of the working joint around the turn."""
    del limits
    signal = window.values["range_deg"]
    if not np.isfinite(signal).any():
        return None
    deepest = int(np.nanargmax(signal))
    turn_s = float(window.time_s[deepest])
    return Finding(float(signal[deepest]), turn_s, window.rep.start_s, window.rep.end_s)


RULE = Rule(
    id="short-range",
    title="Short range",
    scopes=frozenset({Scope.REP, Scope.HOLD}),
    metric="range_deg",
    needs=("range_deg",),
    unit="deg",
    direction=Direction.BELOW,
    limits=Limits(caution=None, fault=None),
    strength=Strength.COACHING,
    message="The repetition stopped short.",
    cue="Go through your whole range.",
    check=check,
    documentation=__doc__,
)
