"""The posture stretches the sciatic nerve along with the muscle.

What it checks
    Whether the hip is bent, the knee straight, the ankle pulled up and the head dropped, all at once.

Why it matters
    Each of the four draws the nerve a little; together they can bring tingling or a pull down the leg that no muscle
    stretch eases. This is information, not a fault.

How it is measured
    How far the least of the four is past its mark: hip flexion over 70, knee flexion under 10, dorsiflexion over 5,
    neck flexion over 20 degrees; the largest value that was held for half a second.

What to do
    Let one of the four go: soften the knee, rest the foot or lift the head. Burning, numbness or tingling that stays
    is a reason to see a physiotherapist or a doctor.

Evidence
    some: Neck flexion and dorsiflexion each take away knee extension in the slump position in healthy people (PubMed
    9402567); dorsiflexion strains the sciatic nerve and not the biceps femoris (Bueno-Gracia 2019). A normal response,
    never a diagnosis.
"""

import numpy as np

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """How far all four components together are past their marks."""
    marks, values = limits.parameters, window.values
    least = np.minimum.reduce(
        [
            values["hip_flexion_deg"] - marks["hip_deg"],
            marks["knee_deg"] - values["knee_flexion_deg"],
            values["ankle_dorsiflexion_deg"] - marks["ankle_deg"],
            values["neck_flexion_deg"] - marks["neck_deg"],
        ]
    )
    return sustained_extreme(window.time_s, least, window.turn, marks["held_s"], Direction.ABOVE)


RULE = Rule(
    id="neural-load",
    title="Nerve stretched along",
    scopes=frozenset({Scope.HOLD}),
    metric="neural_load_deg",
    needs=("hip_flexion_deg", "knee_flexion_deg", "ankle_dorsiflexion_deg", "neck_flexion_deg"),
    unit="deg",
    direction=Direction.ABOVE,
    limits=Limits(
        caution=0.0,
        fault=None,
        parameters={"hip_deg": 70.0, "knee_deg": 10.0, "ankle_deg": 5.0, "neck_deg": 20.0, "held_s": 0.5},
    ),
    strength=Strength.SOME,
    message="Hip, knee, foot and head together also stretch the nerve.",
    cue="If it tingles, rest your foot or lift your head.",
    check=check,
    documentation=__doc__,
)
