"""Leaning towards a wall with the back leg straight and its heel down, the upper calf is stretched.

The gastrocnemius crosses the knee, so it is long only when the knee is straight. A heel that lifts lets it slip away.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="gastrocnemius-wall-stretch",
    title="Gastrocnemius wall stretch",
    aliases=("straight knee calf stretch", "gastroc stretch", "gastrocnemius stretch", "calf stretch"),
    position=Position.STANDING,
    kind=Kind.HOLD,
    max_yaw_deg=35.0,
    signal=RepSignal("shank_inclination_deg", enter_deg=5.0, leave_deg=3.0, min_s=1.0),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("knee-not-straight"),
        RuleUse("heel-lift"),
        RuleUse("short-hold"),
    ),
    setup=(
        "Put the camera side-on, low, at the height of your knees.",
        "Stretch the leg that is nearer to the camera, and keep its foot in the picture.",
        "Stand still in front of the wall for two seconds before you lean in.",
    ),
    documentation=__doc__,
)
