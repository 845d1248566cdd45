"""The lower back sags or arches too much.

What it checks
    Whether the lower back hollows past the person's own neutral while the hip extends.

Why it matters
    When the hip has no more extension to give, the back takes over, and the seat and the hamstrings do less.

How it is measured
    From the outline of the back as for the rounded back, below 0 where it is hollower than at rest. The outline shows
    about half of a back that hollows, so nothing is judged while it shows no hollow at all, and its larger error is
    stated with each value. Of someone lying on the back (glute bridge) the outline cannot be seen, so it is not judged.

What to do
    Draw the belly in a little and stop the leg or the hips where the back would start to move.

Evidence
    coaching: A neutral back in bird-dogs and bridges is what coaches and physiotherapists teach; no limit was found
    that is more than a choice.
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, around, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Deepest hollow that was held at the turn; None when the outline shows none."""
    back, held_s = window.values["lumbar_flexion_deg"], limits.parameters["held_s"]
    turn = around(window.time_s, window.turn, held_s)
    found = sustained_extreme(window.time_s, back, turn, held_s, Direction.BELOW)
    return found if found is not None and found.measured < 0 else None


RULE = Rule(
    id="arched-lower-back",
    title="Arched lower back",
    scopes=frozenset({Scope.REP, Scope.HOLD}),
    metric="lumbar_arch_deg",
    needs=("lumbar_flexion_deg",),
    unit="deg",
    direction=Direction.BELOW,
    limits=Limits(caution=-15.0, fault=None, parameters={"held_s": 0.2}),
    strength=Strength.COACHING,
    message="The lower back arched.",
    cue="Keep your back level.",
    check=check,
    documentation=__doc__,
    max_error=10.0,  # two thirds of the limit: of no use beyond
)
