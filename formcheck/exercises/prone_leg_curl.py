"""Lying face down, the heels are curled towards the seat and lowered again.

The hamstrings bend the knee here; so does the calf muscle. Point the toes, keep the hips on the bench, curl without a
swing and lower slower than you lift.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="prone-leg-curl",
    title="Prone leg curl",
    aliases=("leg curl", "lying leg curl", "hamstring curl"),
    position=Position.PRONE,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("knee_flexion_deg", enter_deg=20.0, leave_deg=12.0, min_s=0.6),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("missing-plantarflexion"),
        RuleUse("hips-lifting"),
        RuleUse("momentum"),
        RuleUse("fast-lowering"),
        RuleUse("short-range", caution=85.0, cue="Curl your heels closer to your seat."),
        RuleUse("fatigue"),
        RuleUse("left-right-difference"),
        RuleUse("reduce-the-load"),
    ),
    setup=(
        "Put the camera side-on at the height of the bench.",
        "Keep the whole body in the picture, from the head to the toes of the bent leg.",
        "Start with the legs almost straight and lie still for two seconds.",
    ),
    documentation=__doc__,
)
