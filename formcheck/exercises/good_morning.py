"""With a bar or the hands behind the shoulders, the trunk is tipped forwards from the hips and raised again.

The weight sits at the far end of the trunk, so the lower back works hard: keep its shape, keep the knees softly bent
at one angle, and go only as deep as the hamstrings allow.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="good-morning",
    title="Good morning",
    aliases=("goodmorning", "barbell good morning"),
    position=Position.STANDING,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("hip_flexion_deg", enter_deg=25.0, leave_deg=15.0, min_s=0.5),
    outward=Phase.LOWERING,
    back=Phase.LIFTING,
    rules=(
        RuleUse("locked-knees"),
        RuleUse("rounded-lower-back"),
        RuleUse("knees-bending"),
        RuleUse("hinge-from-hips"),
        RuleUse("ankle-not-neutral"),
        RuleUse("neck-flexion"),
        RuleUse("fast-lowering"),
        RuleUse("short-range", caution=55.0, cue="Push your hips further back."),
        RuleUse("fatigue"),
        RuleUse("reduce-the-load"),
    ),
    setup=(
        "Put the camera side-on at the height of your hips.",
        "Keep the whole body in the picture, with the feet and the bar.",
        "Stand tall and still for two seconds before the first repetition.",
    ),
    documentation=__doc__,
)
