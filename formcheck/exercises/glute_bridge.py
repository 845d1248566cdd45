"""Lying on the back with bent knees, the hips are lifted until thighs and trunk are in line, on two legs or on one.

The lift comes from the hips. When they stop, the lower back likes to arch in their place: stop there, pause, and lower
slowly. A good preparation for heavier hamstring work.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="glute-bridge",
    title="Glute bridge",
    aliases=("bridge", "hip bridge", "single leg glute bridge", "one leg bridge"),
    position=Position.SUPINE,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("hip_flexion_deg", enter_deg=15.0, leave_deg=10.0, min_s=0.4, rising=False),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("arched-lower-back"),
        RuleUse("fast-lowering"),
        RuleUse("short-range", caution=40.0, cue="Lift your hips into one line with your knees."),
        RuleUse("left-right-difference"),
    ),
    setup=(
        "Put the camera side-on, a little above the floor.",
        "Keep the whole body in the picture, from the head to the toes.",
        "On one leg, work with the one that is nearer to the camera.",
        "Lie still with the knees bent for two seconds before you lift.",
    ),
    documentation=__doc__,
)
