"""Kneeling with the heels held, the straight body is lowered forwards as slowly as the hamstrings allow.

Shoulders, hips and knees stay in one line: a body that folds at the hips makes the lever shorter and takes the load off
the hamstrings. The way down is the exercise; hands may help on the way back.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="nordic-curl",
    title="Nordic curl",
    aliases=("nordic hamstring curl", "nordic", "russian curl"),
    position=Position.KNEELING,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("knee_flexion_deg", enter_deg=15.0, leave_deg=10.0, min_s=0.5, rising=False),
    outward=Phase.LOWERING,
    back=Phase.LIFTING,
    rules=(
        RuleUse("hips-hinging"),
        RuleUse("fast-lowering"),
        RuleUse("short-range", caution=45.0, cue="Lower a little further before the catch."),
    ),
    setup=(
        "Put the camera side-on at the height of your knees.",
        "Keep the whole body in the picture, also when you are at your lowest.",
        "Kneel tall and still for two seconds before the first repetition.",
    ),
    documentation=__doc__,
)
