"""Sitting with the thighs supported, the heels are pulled down and back under the seat.

With the hips bent the hamstrings start long, so this curl loads them where they are stretched. Point the toes, keep
the thighs down and the back against its support, and let the weight come back slowly.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="seated-leg-curl",
    title="Seated leg curl",
    aliases=("machine leg curl", "sitting leg curl"),
    position=Position.SEATED,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("knee_flexion_deg", enter_deg=20.0, leave_deg=12.0, min_s=0.6),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("missing-plantarflexion"),
        RuleUse("momentum"),
        RuleUse("fast-lowering"),
        RuleUse("short-range", caution=75.0, cue="Pull your heels further under the seat."),
        RuleUse("fatigue"),
        RuleUse("left-right-difference"),
        RuleUse("reduce-the-load"),
    ),
    setup=(
        "Put the camera side-on at the height of the seat.",
        "Keep the whole body in the picture, from the head to the toes.",
        "Start with the legs almost straight and sit still for two seconds.",
    ),
    documentation=__doc__,
)
