"""The hinge turns into a squat.

What it checks
    How far the knees are bent at the deepest point of a hinge.

Why it matters
    Bent knees let the hamstrings go slack at their lower end and move the work to the front of the thighs.

How it is measured
    Knee flexion of the near leg, held for 0.2 seconds at the turn. A deadlift and a swing bend the knees more than a
    Romanian deadlift does, and have their own limits. A low handle needs still more knee, so a deadlift whose trunk
    leans by more than 40 degrees is excused: it is the upright trunk that tells a squat.

What to do
    Push the hips back as if to close a door behind you; the shins stay nearly upright.

Evidence
    coaching: How much knee belongs to a hinge is a matter of teaching: 15 to 25 degrees is the usual advice for a
    Romanian deadlift.
"""

from dataclasses import replace

import numpy as np

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Largest knee bend that was held at the turn, excused while the trunk leans as in a hinge."""
    knee, lean = window.values["knee_flexion_deg"], window.values["trunk_inclination_deg"][window.turn]
    found = sustained_extreme(window.time_s, knee, window.turn, limits.parameters["held_s"], Direction.ABOVE)
    known = lean[np.isfinite(lean)]
    if found is None or not known.size:
        return None
    return replace(found, excused=bool(np.median(known) > limits.parameters["leaning_deg"]))


RULE = Rule(
    id="knees-bending",
    title="Squatting the hinge",
    scopes=frozenset({Scope.REP}),
    metric="knee_flexion_deg",
    needs=("knee_flexion_deg", "trunk_inclination_deg"),
    unit="deg",
    direction=Direction.ABOVE,
    limits=Limits(caution=35.0, fault=None, parameters={"held_s": 0.2, "leaning_deg": 180.0}),
    strength=Strength.COACHING,
    message="The knees bent as in a squat.",
    cue="Hips back, bend your knees less.",
    check=check,
    documentation=__doc__,
    excuse="the trunk leans as in a hinge",
)
