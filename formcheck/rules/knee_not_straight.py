"""The knee is bent in the calf stretch that needs it straight.

What it checks
    Whether the knee of the back leg stays straight in the gastrocnemius stretch.

Why it matters
    The gastrocnemius crosses the knee. With a bent knee it is slack, and the stretch goes to the soleus below it.

How it is measured
    Knee flexion of the near leg, the largest that was held for half a second during the hold.

What to do
    Straighten the back knee first, then lean in until the upper calf pulls.

Evidence
    coaching: Which muscle crosses which joint is anatomy; the limit of 10 degrees is a choice.
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Largest knee bend that was held."""
    return sustained_extreme(
        window.time_s, window.values["knee_flexion_deg"], window.turn, limits.parameters["held_s"], Direction.ABOVE
    )


RULE = Rule(
    id="knee-not-straight",
    title="Knee bent in the straight-knee stretch",
    scopes=frozenset({Scope.HOLD}),
    metric="knee_flexion_deg",
    needs=("knee_flexion_deg",),
    unit="deg",
    direction=Direction.ABOVE,
    limits=Limits(caution=10.0, fault=None, parameters={"held_s": 0.5}),
    strength=Strength.COACHING,
    message="The knee of the back leg was bent.",
    cue="Straighten your back knee.",
    check=check,
    documentation=__doc__,
)
