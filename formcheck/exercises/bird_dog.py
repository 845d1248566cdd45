"""On hands and knees, one leg and the opposite arm are stretched out level with the back, and held.

The back stays as it was: a leg that is lifted too high arches the lower back instead of working the hip.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="bird-dog",
    title="Bird-dog",
    aliases=("bird dog", "quadruped reach"),
    position=Position.ALL_FOURS,
    kind=Kind.HOLD,
    max_yaw_deg=35.0,
    signal=RepSignal("hip_flexion_deg", enter_deg=25.0, leave_deg=15.0, min_s=0.5, rising=False),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("arched-lower-back"),
        RuleUse("short-hold", caution=2.0, cue="Stay for a breath with your leg long."),
        RuleUse("short-range", caution=55.0, cue="Reach your leg back in line with your trunk."),
        RuleUse("left-right-difference"),
    ),
    setup=(
        "Put the camera side-on at the height of your back.",
        "Reach back with the leg that is nearer to the camera.",
        "Keep the whole body in the picture and stay still on all fours for two seconds first.",
    ),
    documentation=__doc__,
)
