"""The hips fold back and snap straight, and the bell floats up from that.

A swing is a fast hinge: the hips go back while the shins stay nearly upright. A swing that sinks into the knees is a
squat with a raised arm, and the hamstrings miss their part.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="kettlebell-swing",
    title="Kettlebell swing",
    aliases=("kb swing", "swing", "russian swing"),
    position=Position.STANDING,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("hip_flexion_deg", enter_deg=30.0, leave_deg=20.0, min_s=0.4),
    outward=Phase.LOWERING,
    back=Phase.LIFTING,
    rules=(
        RuleUse("locked-knees"),
        RuleUse("rounded-lower-back"),
        RuleUse("knees-bending", caution=65.0),
        RuleUse("hinge-from-hips"),
        RuleUse("short-range", caution=60.0, cue="Let the bell swing further back."),
        RuleUse("reduce-the-load"),
    ),
    setup=(
        "Put the camera side-on at the height of your hips.",
        "Keep the whole body and the bell in the picture, also at the top.",
        "Stand tall and still with the bell for two seconds before the first swing.",
    ),
    documentation=__doc__,
)
