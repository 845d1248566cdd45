"""The ankle is far from neutral in a hinge or a glute-ham raise.

What it checks
    Whether the foot is pointed or pulled up by more than 15 degrees while the hamstrings work at the hip.

Why it matters
    A pointed or a pulled-up foot changes how much the calf muscle helps and where the pull is felt.

How it is measured
    The larger of dorsiflexion and plantarflexion of the near ankle, held for half a second in the deep half of the
    movement. A flat foot on the floor is excused: there the ankle only follows the lean of the shank.

What to do
    Keep the whole foot on the floor or the plate, the weight over its middle.

Evidence
    coaching: A neutral ankle in hinges and glute-ham raises is what coaches advise; nothing was found that measures
    its effect.
"""

from dataclasses import replace

import numpy as np

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Largest ankle angle either way that was held, excused while the sole lies flat."""
    off = np.abs(window.values["ankle_dorsiflexion_deg"])
    found = sustained_extreme(window.time_s, off, window.deep, limits.parameters["held_s"], Direction.ABOVE)
    pitch = np.abs(window.values["sole_pitch_deg"][window.deep])
    known = pitch[np.isfinite(pitch)]
    if found is None or not known.size:
        return None
    return replace(found, excused=bool(np.median(known) <= limits.parameters["flat_deg"]))


RULE = Rule(
    id="ankle-not-neutral",
    title="Ankle away from neutral",
    scopes=frozenset({Scope.REP}),
    metric="ankle_from_neutral_deg",
    needs=("ankle_dorsiflexion_deg", "sole_pitch_deg"),
    unit="deg",
    direction=Direction.ABOVE,
    limits=Limits(caution=15.0, fault=None, parameters={"held_s": 0.5, "flat_deg": 10.0}),
    strength=Strength.COACHING,
    message="The ankle was far from neutral.",
    cue="Keep your ankle neutral, foot flat.",
    check=check,
    documentation=__doc__,
    excuse="the foot lies flat",
    max_error=10.0,  # an error near the limit itself would find fault with every ankle
)
