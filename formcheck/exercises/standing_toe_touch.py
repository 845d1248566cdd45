"""Standing, the trunk is folded forwards from the hips and held.

Bend at the hips first and let the hands hang where they come to: reaching the floor with a round back stretches the
back, and locked knees move the pull to the calf and behind the knee.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="standing-toe-touch",
    title="Standing toe touch",
    aliases=("toe touch", "standing forward fold", "standing hamstring stretch"),
    position=Position.STANDING,
    kind=Kind.HOLD,
    max_yaw_deg=35.0,
    signal=RepSignal("hip_flexion_deg", enter_deg=25.0, leave_deg=15.0, min_s=1.0),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("locked-knees"),
        RuleUse("rounded-lower-back"),
        RuleUse("hinge-from-hips"),
        RuleUse("neck-flexion"),
        RuleUse("bouncing"),
        RuleUse("short-hold"),
        RuleUse("neural-load"),
    ),
    setup=(
        "Put the camera side-on at the height of your hips.",
        "Keep the whole body in the picture, from the head to the toes.",
        "Stand tall and still for two seconds before you bend forwards.",
    ),
    documentation=__doc__,
)
