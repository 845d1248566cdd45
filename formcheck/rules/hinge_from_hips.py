"""Too little of the forward bend comes from the hips.

What it checks
    Which share of the trunk's lean the hips do; the lower back does the rest.

Why it matters
    Only the bend at the hips lengthens the hamstrings. A trunk that gets low by rounding looks deep and trains little.

How it is measured
    The trunk's lean at the deepest point less the bend of the lower back, in percent of the lean. The bend of the
    lower back comes from the outline of the back, as the rule about the rounded back describes.

What to do
    Push the hips back, as if to close a door behind you, and stop when they stop.

Evidence
    some: Even trained lifters bend the lumbar spine by about 17 degrees in good mornings and by 25 to 27 in deadlifts
    (Schellenberg 2013), a quarter to a third of the lean.
"""

import numpy as np

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Share of the trunk's lean that is not the lower back's, median over the turn."""
    lean, back = window.values["trunk_inclination_deg"], window.values["lumbar_flexion_deg"]
    known = np.isfinite(lean) & np.isfinite(back)
    frames = np.flatnonzero(window.turn & known & (lean >= limits.parameters["lean_deg"]))
    if frames.size == 0:
        return None
    share = 100.0 * (1.0 - back[frames] / lean[frames])
    times, worst = window.time_s, frames[np.argmin(share)]
    return Finding(float(np.median(share)), float(times[worst]), float(times[frames[0]]), float(times[frames[-1]]))


RULE = Rule(
    id="hinge-from-hips",
    title="Too little bend from the hips",
    scopes=frozenset({Scope.REP, Scope.HOLD}),
    metric="hip_share_percent",
    needs=("trunk_inclination_deg", "lumbar_flexion_deg"),
    unit="%",
    direction=Direction.BELOW,
    limits=Limits(caution=70.0, fault=None, parameters={"lean_deg": 30.0}),
    strength=Strength.SOME,
    message="The back bent more than the hips should let it.",
    cue="Hinge from your hips.",
    check=check,
    documentation=__doc__,
    max_error=15.0,  # half of the way from a bend all of the hips to the limit
)
