"""Sitting on the floor with the legs out, the trunk is tipped forward from the hips and held.

Tip the pelvis, keep the back long, let the knees stay soft and the feet rest. The pull belongs in the back of the
thigh; in the calf or behind the knee it comes from locked knees or from toes that are pulled back.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="seated-hamstring-stretch",
    title="Seated hamstring stretch",
    aliases=("long sit stretch", "sit and reach", "seated forward fold"),
    position=Position.LONG_SITTING,
    kind=Kind.HOLD,
    max_yaw_deg=35.0,
    signal=RepSignal("hip_flexion_deg", enter_deg=12.0, leave_deg=8.0, min_s=1.0),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("locked-knees"),
        RuleUse("excessive-dorsiflexion"),
        RuleUse("rounded-lower-back"),
        RuleUse("neck-flexion"),
        RuleUse("bouncing"),
        RuleUse("short-hold"),
        RuleUse("neural-load"),
        RuleUse("left-right-difference"),
    ),
    setup=(
        "Put the camera side-on, a little above the floor.",
        "Keep the whole body in the picture, from the head to the toes.",
        "Sit tall and still for two seconds before you lean forward.",
    ),
    documentation=__doc__,
)
