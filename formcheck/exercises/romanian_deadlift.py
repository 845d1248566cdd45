"""Standing, the hips are pushed back with a soft knee and a long back until the hamstrings stop the movement.

The bend belongs to the hips: the knees stay softly bent at the same angle, the lower back keeps its shape, and the
ankle stays near neutral with the weight over the middle of the foot.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="romanian-deadlift",
    title="Romanian deadlift",
    aliases=("rdl", "stiff-leg deadlift", "hip hinge"),
    position=Position.STANDING,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("hip_flexion_deg", enter_deg=25.0, leave_deg=15.0, min_s=0.5),
    outward=Phase.LOWERING,
    back=Phase.LIFTING,
    rules=(
        RuleUse("locked-knees"),
        RuleUse("rounded-lower-back"),
        RuleUse("excessive-dorsiflexion", fault=25.0, cue="Keep your shins nearly upright."),
        RuleUse("knees-bending"),
        RuleUse("hinge-from-hips"),
        RuleUse("ankle-not-neutral"),
        RuleUse("neck-flexion"),
        RuleUse("fast-lowering"),
        RuleUse("short-range", caution=60.0, cue="Push your hips further back."),
        RuleUse("fatigue"),
        RuleUse("reduce-the-load"),
    ),
    setup=(
        "Put the camera side-on at the height of your hips.",
        "Keep the whole body in the picture, with the feet.",
        "Stand tall and still for two seconds before the first repetition.",
    ),
    documentation=__doc__,
)
