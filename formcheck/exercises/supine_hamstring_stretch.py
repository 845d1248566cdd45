"""Lying on the back, one leg is raised with a soft knee, often with a strap, and held.

The floor keeps the back long, so the stretch stays in the thigh. A strap around the toes pulls the foot back and moves
the pull to calf and nerve: put it around the heel or the thigh.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="supine-hamstring-stretch",
    title="Supine hamstring stretch",
    aliases=("lying hamstring stretch", "straight leg raise stretch", "strap stretch"),
    position=Position.SUPINE,
    kind=Kind.HOLD,
    max_yaw_deg=35.0,
    signal=RepSignal("hip_flexion_deg", enter_deg=20.0, leave_deg=12.0, min_s=1.0),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("locked-knees"),
        RuleUse("excessive-dorsiflexion"),
        RuleUse("bouncing", parameters={"size_deg": 10.0}),
        RuleUse("short-hold"),
        RuleUse("left-right-difference"),
    ),
    setup=(
        "Put the camera side-on, a little above the floor.",
        "Stretch the leg that is nearer to the camera, and keep its foot in the picture at the top.",
        "Lie still with both legs down for two seconds first.",
    ),
    documentation=__doc__,
)
