"""The hips move while the knee curls.

What it checks
    Whether the hip angle stays as it was during a leg curl.

Why it matters
    Hips that leave the bench, or a thigh that drifts, shorten the way that the hamstrings have to work and move strain
    to the lower back.

How it is measured
    Largest change of the hip angle of the near leg against the start of the repetition, either way, held for 0.2
    seconds.

What to do
    Press the hips into the bench (standing: keep the thigh beside the other one), and take less weight if they still
    move.

Evidence
    coaching: A still hip is how leg curls are taught; the limit of 15 degrees is a choice.
"""

import numpy as np

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, change_from_start, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Largest change of the hip angle that was held on the way up and at the turn."""
    moved = np.abs(change_from_start(window.values["hip_flexion_deg"]))
    chosen = window.lifting | window.turn
    return sustained_extreme(window.time_s, moved, chosen, limits.parameters["held_s"], Direction.ABOVE)


RULE = Rule(
    id="hips-lifting",
    title="Hips lifting",
    scopes=frozenset({Scope.REP}),
    metric="hip_flexion_change_deg",
    needs=("hip_flexion_deg",),
    unit="deg",
    direction=Direction.ABOVE,
    limits=Limits(caution=15.0, fault=None, parameters={"held_s": 0.2}),
    strength=Strength.COACHING,
    message="The hips moved while the knee curled.",
    cue="Keep your hips still.",
    check=check,
    documentation=__doc__,
)
