"""The body folds at the hips instead of staying in one line.

What it checks
    Whether the hips bend during a Nordic curl or a glute-ham raise.

Why it matters
    Folding brings the weight closer to the knees, so the hamstrings carry less of it, and they get shorter at the hip.

How it is measured
    Hip flexion of the near leg, thigh against the line from hip to shoulder: 0 is one line. The value is the largest
    that was held for 0.3 seconds in the deep half of the repetition.

What to do
    Squeeze the seat and keep shoulders, hips and knees in one line. Go less far rather than fold.

Evidence
    coaching: A straight line from knee to shoulder is how the Nordic curl is taught and tested; the limit of 25
    degrees is a choice.
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Largest hip bend that was held in the deep half."""
    return sustained_extreme(
        window.time_s, window.values["hip_flexion_deg"], window.deep, limits.parameters["held_s"], Direction.ABOVE
    )


RULE = Rule(
    id="hips-hinging",
    title="Folding at the hips",
    scopes=frozenset({Scope.REP}),
    metric="hip_flexion_deg",
    needs=("hip_flexion_deg",),
    unit="deg",
    direction=Direction.ABOVE,
    limits=Limits(caution=25.0, fault=None, parameters={"held_s": 0.3}),
    strength=Strength.COACHING,
    message="The body folded at the hips.",
    cue="Keep your body in one line.",
    check=check,
    documentation=__doc__,
)
