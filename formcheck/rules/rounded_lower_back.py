"""The bend comes from the lower back instead of the hips.

What it checks
    Whether the lower back rounds as the body bends forward, against the person's own neutral.

Why it matters
    Bend that the spine takes is not taken by the hamstrings: the stretch gets smaller although the hands get lower.

How it is measured
    From the outline of the back, which the person's silhouette gives: how far the lower back stands out from the line
    between hip and shoulder, and how far it bows out between seat and mid back, both against the person's own outline
    at rest, turned into degrees of lumbar flexion on rendered clips with known angles. The value is the largest that
    was held for 0.2 seconds, at the turn or within 0.2 seconds of it. Head and arms play no part. It is not judged
    where an arm, loose clothes or long hair hide the outline, or from further round than 25 degrees off side-on.

What to do
    Push the hips back and keep the chest long; stop where the back starts to round.

Evidence
    some: Even trained lifters move the lumbar spine about 17 degrees in good mornings and 25 to 27 in deadlifts
    (Schellenberg 2013). Low-quality evidence says that lumbar flexion when lifting is not a risk factor for back pain
    (Saraceni 2020, JOSPT 50(3):121): this rule is about where the stretch goes, not about injury.
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, around, sustained_extreme
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Largest change of the lower back from neutral that was held at the turn."""
    held_s = limits.parameters["held_s"]
    turn = around(window.time_s, window.turn, held_s)
    return sustained_extreme(window.time_s, window.values["lumbar_flexion_deg"], turn, held_s, Direction.ABOVE)


RULE = Rule(
    id="rounded-lower-back",
    title="Rounded lower back",
    scopes=frozenset({Scope.REP, Scope.HOLD}),
    metric="lumbar_rounding_deg",  # held at the turn, where the error is larger than over all frames
    needs=("lumbar_flexion_deg",),
    unit="deg",
    direction=Direction.ABOVE,
    limits=Limits(caution=20.0, fault=30.0, parameters={"held_s": 0.2}),
    strength=Strength.SOME,
    message="The lower back rounded.",
    cue="Hips back, chest long.",
    check=check,
    documentation=__doc__,
    max_error=10.0,  # half of the caution limit: of no use beyond
)
