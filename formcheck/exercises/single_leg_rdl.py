"""Standing on one leg, the trunk tips forwards while the free leg goes back, and both come up again.

Trunk and free leg move as one board over the standing hip. The standing knee stays softly bent, the lower back keeps
its shape. Film both legs from the same place to compare them.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="single-leg-rdl",
    title="Single-leg Romanian deadlift",
    aliases=("one leg rdl", "single leg romanian deadlift", "single leg deadlift"),
    position=Position.ONE_LEG,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("trunk_inclination_deg", enter_deg=20.0, leave_deg=12.0, min_s=0.5),
    outward=Phase.LOWERING,
    back=Phase.LIFTING,
    rules=(
        RuleUse("rounded-lower-back"),
        RuleUse("knees-bending"),
        RuleUse("hinge-from-hips"),
        RuleUse("neck-flexion"),
        RuleUse("fast-lowering"),
        RuleUse("short-range", caution=50.0, cue="Push your hips further back."),
        RuleUse("left-right-difference"),
        RuleUse("reduce-the-load"),
    ),
    setup=(
        "Put the camera side-on at the height of your hips.",
        "Stand on the leg that is nearer to the camera, and turn around for the other one.",
        "Keep both feet in the picture and stand still for two seconds first.",
    ),
    documentation=__doc__,
)
