"""The knee is straight, or bent backwards, and held there.

What it checks
    Whether the knee stays straight or goes past straight while the hamstrings are stretched or loaded.

Why it matters
    With a locked knee the calf muscle (gastrocnemius, which crosses the knee and the ankle) and the sciatic nerve
    reach their end before the hamstrings do, so the pull is felt behind the knee and in the calf instead.

How it is measured
    Signed knee flexion of the near leg from hip, knee and ankle: 0 is straight, below 0 is bent backwards. The value
    is the straightest that the knee was held for half a second in the deep half of the movement: where the hips are
    bent past half of that repetition's or hold's own range, going down, at the turn, or coming back.

What to do
    Keep a soft knee: a few degrees of bend, the same from start to finish.

Evidence
    some: Trained lifters' good mornings peak at 5.3 +- 6.7 degrees of knee flexion, so "straight" spans about 0 to 12
    degrees (Schellenberg 2013, PMC3878967). Hyperextension is usually called from 5 to 10 degrees past straight. The
    advice of a softly bent knee is coaching.
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Straightest knee that was held, over the deep half of the movement."""
    return sustained_extreme(
        window.time_s,
        window.values["knee_flexion_deg"],
        window.deep,
        limits.parameters["held_s"],
        Direction.BELOW,
    )


RULE = Rule(
    id="locked-knees",
    title="Locked knees",
    scopes=frozenset({Scope.REP, Scope.HOLD}),
    metric="knee_flexion_deg",
    needs=("knee_flexion_deg",),
    unit="deg",
    direction=Direction.BELOW,
    limits=Limits(caution=3.0, fault=-3.0, parameters={"held_s": 0.5}),
    strength=Strength.SOME,
    message="The knee was held straight.",
    cue="Soften your knees a little.",
    check=check,
    documentation=__doc__,
)
