"""The toes are not pointed while the leg curls.

What it checks
    Whether the ankle is pointed (plantarflexed) during the lifting phase of a leg curl.

Why it matters
    The calf muscle (gastrocnemius) also bends the knee. Pointing the toes shortens it, so that it helps less and
    is less likely to cramp; pulling the toes up lets it take over.

How it is measured
    Ankle angle of the near leg between shank and sole (heel to toe), averaged over the lifting phase and the turn
    while the knee is bent more than 30 degrees: negative is pointed, positive is pulled up.

What to do
    Point the toes a little before the curl starts and keep them there.

Evidence
    coaching: Mixed. Dorsiflexion raises the total knee-flexion moment because the gastrocnemius helps (Gallucci and
    Challis 2002; Marchetti 2021), but a 10-week within-person trial found no effect of the ankle on hamstring activity
    or growth (10.1080/17461391.2023.2214794). Pointing the toes reduces the calf's share; it does not train the
    hamstrings better. It is a matter of style and of where you feel it.
"""

import numpy as np

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Mean ankle angle through the bent part of the lifting phase and the turn."""
    ankle = window.values["ankle_dorsiflexion_deg"]
    bent = window.values["knee_flexion_deg"] > limits.parameters["knee_bent_deg"]
    frames = np.flatnonzero((window.lifting | window.turn) & bent & np.isfinite(ankle))
    if frames.size == 0:
        return None
    worst = frames[np.argmax(ankle[frames])]
    times = window.time_s
    return Finding(float(ankle[frames].mean()), float(times[worst]), float(times[frames[0]]), float(times[frames[-1]]))


RULE = Rule(
    id="missing-plantarflexion",
    title="Toes not pointed",
    scopes=frozenset({Scope.REP}),
    metric="ankle_dorsiflexion_deg",
    needs=("ankle_dorsiflexion_deg", "knee_flexion_deg"),
    unit="deg",
    direction=Direction.ABOVE,
    limits=Limits(caution=-10.0, fault=0.0, parameters={"knee_bent_deg": 30.0}),
    strength=Strength.COACHING,
    message="The toes were not pointed while the leg curled.",
    cue="Point your toes a little.",
    check=check,
    documentation=__doc__,
    max_error=15.0,  # what lies between well pointed toes and the limit
)
