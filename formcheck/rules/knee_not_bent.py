"""The knee is too straight in the calf stretch that needs it bent.

What it checks
    Whether the knee is bent during the soleus stretch.

Why it matters
    Bending the knee takes the gastrocnemius out of the stretch. With a straight knee it stops the movement before the
    soleus is long.

How it is measured
    Knee flexion of the near leg, the smallest that was held for half a second during the hold.

What to do
    Bend the knee towards the wall while the heel stays down.

Evidence
    coaching: Which muscle crosses which joint is anatomy; the limit of 20 degrees is a choice.
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Straightest knee that was held."""
    return sustained_extreme(
        window.time_s, window.values["knee_flexion_deg"], window.turn, limits.parameters["held_s"], Direction.BELOW
    )


RULE = Rule(
    id="knee-not-bent",
    title="Knee straight in the bent-knee stretch",
    scopes=frozenset({Scope.HOLD}),
    metric="knee_flexion_deg",
    needs=("knee_flexion_deg",),
    unit="deg",
    direction=Direction.BELOW,
    limits=Limits(caution=20.0, fault=None, parameters={"held_s": 0.5}),
    strength=Strength.COACHING,
    message="The knee stayed nearly straight.",
    cue="Bend your knee a little more.",
    check=check,
    documentation=__doc__,
)
