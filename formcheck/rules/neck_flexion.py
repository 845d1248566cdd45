"""The head is dropped towards the chest.

What it checks
    Whether the head hangs forwards from the trunk while the hamstrings are stretched.

Why it matters
    A dropped head draws the spinal cord and the sciatic nerve tight from above, so that a stretch may be felt as a
    nerve rather than as a muscle.

How it is measured
    Head against trunk, from the ear and the shoulder, as change from the person's own upright posture; the largest
    that was held for half a second at the turn or in the hold.

What to do
    Let the head follow the line of the back; look at a place on the floor in front of you.

Evidence
    some: In healthy people neck flexion takes away knee extension in the slump position (PubMed 9402567): a normal
    response, never a diagnosis.
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Largest drop of the head that was held."""
    return sustained_extreme(
        window.time_s, window.values["neck_flexion_deg"], window.turn, limits.parameters["held_s"], Direction.ABOVE
    )


RULE = Rule(
    id="neck-flexion",
    title="Head dropped",
    scopes=frozenset({Scope.REP, Scope.HOLD}),
    metric="neck_flexion_deg",
    needs=("neck_flexion_deg",),
    unit="deg",
    direction=Direction.ABOVE,
    limits=Limits(caution=30.0, fault=None, parameters={"held_s": 0.5}),
    strength=Strength.SOME,
    message="The head hung forwards.",
    cue="Keep your head in line with your back.",
    check=check,
    documentation=__doc__,
)
