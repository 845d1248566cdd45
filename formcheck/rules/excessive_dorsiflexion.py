"""The toes are pulled hard towards the shin.

What it checks
    Whether the ankle is bent up (dorsiflexed) during a hamstring stretch.

Why it matters
    Pulling the toes back tightens the calf and adds strain to the sciatic nerve, not to the hamstrings. The
    stretch is then felt in the calf, or as tingling.

How it is measured
    Ankle angle of the near leg between shank and sole (heel to toe): 0 is a right angle, positive is toes towards
    the shin. The value is the largest that was held for half a second during the hold.

What to do
    Let the foot rest: ankle neutral, or the toes pointed a little.

Evidence
    some: In the straight-leg raise, dorsiflexion adds strain to the sciatic nerve at 0 to 90 degrees of hip flexion,
    and none to the biceps femoris (Bueno-Gracia 2019; Coppieters 2006).
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Largest dorsiflexion that was held at the deep part."""
    return sustained_extreme(
        window.time_s,
        window.values["ankle_dorsiflexion_deg"],
        window.turn,
        limits.parameters["held_s"],
        Direction.ABOVE,
    )


RULE = Rule(
    id="excessive-dorsiflexion",
    title="Toes pulled back",
    scopes=frozenset({Scope.REP, Scope.HOLD}),
    metric="ankle_dorsiflexion_deg",
    needs=("ankle_dorsiflexion_deg",),
    unit="deg",
    direction=Direction.ABOVE,
    limits=Limits(caution=10.0, fault=15.0, parameters={"held_s": 0.5}),
    strength=Strength.SOME,
    message="The toes were pulled hard towards the shin.",
    cue="Let your foot relax.",
    check=check,
    documentation=__doc__,
)
