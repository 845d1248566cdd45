"""The knees straighten while the trunk stays low.

What it checks
    Whether trunk and knees come up together when a weight is lifted from low down.

Why it matters
    When the knees are straight early, the lift ends as a hinge with the whole weight on back and hamstrings.

How it is measured
    How much of its rise the trunk has made, in percent, at the moment at which the knee has covered 70 percent of its
    own way to straight. Knees that hardly bend cannot be judged.

What to do
    Push the floor away and let chest and hips rise at the same speed; lighten the weight if they do not.

Evidence
    coaching: Rising together is how the deadlift is taught; the limits of 70 and 25 percent are a choice.
"""

import numpy as np

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, first_and_last
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Share of the trunk's rise at the moment at which the knee is nearly straight."""
    knee, trunk = window.values["knee_flexion_deg"], window.values["trunk_inclination_deg"]
    frames = np.flatnonzero(window.lifting & np.isfinite(knee) & np.isfinite(trunk))
    if frames.size < 2:
        return None
    bent, straight = first_and_last(knee[frames])
    low, upright = first_and_last(trunk[frames])
    if min(bent - straight, low - upright) < limits.parameters["way_deg"]:
        return None
    reached = bent - knee[frames] >= limits.parameters["knee_percent"] / 100.0 * (bent - straight)
    moment = frames[np.argmax(reached)]
    risen = 100.0 * (low - trunk[moment]) / (low - upright)
    times = window.time_s
    return Finding(float(risen), float(times[moment]), float(times[frames[0]]), float(times[frames[-1]]))


RULE = Rule(
    id="hips-rise-first",
    title="Hips rise first",
    scopes=frozenset({Scope.REP}),
    metric="trunk_rise_percent",
    needs=("knee_flexion_deg", "trunk_inclination_deg"),
    unit="%",
    direction=Direction.BELOW,
    limits=Limits(caution=25.0, fault=None, parameters={"knee_percent": 70.0, "way_deg": 15.0}),
    strength=Strength.COACHING,
    message="The hips rose before the chest.",
    cue="Let your chest and hips rise together.",
    check=check,
    documentation=__doc__,
)
