"""The stretch is pulsed instead of held.

What it checks
    Whether the body goes in and out of the stretch while it should be held.

Why it matters
    Each bounce is answered by the muscle tightening, and the stretch never gets time to ease.

How it is measured
    How often the angle that makes the hold turns back by more than 5 degrees between reaching the hold and leaving it.

What to do
    Go in slowly, stop where it pulls a little, breathe and stay.

Evidence
    coaching: Holding still is what the guidance on static stretching describes; a bounce of 5 degrees is a choice
    above what the camera may err.
"""

import numpy as np

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Count the turns of the hold's own angle."""
    frames = np.flatnonzero(window.turn & np.isfinite(window.values["range_deg"]))
    if frames.size == 0:
        return None
    angle, least = window.values["range_deg"][frames], limits.parameters["size_deg"]
    turns, way, extreme, last = 0, 0.0, float(angle[0]), int(frames[0])
    for frame, value in zip(frames.tolist(), angle.tolist(), strict=True):
        if way * (value - extreme) > 0 or (way == 0 and abs(value - extreme) < least):
            extreme = value if way else extreme
        elif abs(value - extreme) >= least:
            turns, last = turns + (way != 0), frame
            way, extreme = (1.0 if value > extreme else -1.0), value
    start_s, end_s = float(window.time_s[frames[0]]), float(window.time_s[frames[-1]])
    return Finding(float(turns), float(window.time_s[last]), start_s, end_s)


RULE = Rule(
    id="bouncing",
    title="Bouncing",
    scopes=frozenset({Scope.HOLD}),
    metric="reversals",
    needs=("range_deg",),
    unit="turns",
    direction=Direction.ABOVE,
    limits=Limits(caution=3.0, fault=None, parameters={"size_deg": 5.0}),
    strength=Strength.COACHING,
    message="The stretch was bounced.",
    cue="Stay still in the stretch.",
    check=check,
    documentation=__doc__,
)
