"""The heel leaves the floor in a calf stretch.

What it checks
    Whether the heel of the stretched leg comes up while leaning in.

Why it matters
    A lifted heel gives back the length that the lean has taken: the calf is hardly stretched at all.

How it is measured
    How much the line from heel to toe of the near foot tilts against the start of the hold, kept up for 0.3 seconds.

What to do
    Stand a little closer to the wall and press the heel down before you lean.

Evidence
    coaching: Both calf stretches are taught with the heel down; the limit of 10 degrees stands above what the camera
    may err.
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, change_from_start, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Largest rise of the heel against the start that was held at the deep part."""
    pitch = change_from_start(window.values["sole_pitch_deg"])
    return sustained_extreme(window.time_s, pitch, window.turn, limits.parameters["held_s"], Direction.ABOVE)


RULE = Rule(
    id="heel-lift",
    title="Heel lifted",
    scopes=frozenset({Scope.HOLD}),
    metric="sole_pitch_change_deg",
    needs=("sole_pitch_deg",),
    unit="deg",
    direction=Direction.ABOVE,
    limits=Limits(caution=10.0, fault=None, parameters={"held_s": 0.3}),
    strength=Strength.COACHING,
    message="The heel came off the floor.",
    cue="Press your heel down.",
    check=check,
    documentation=__doc__,
)
