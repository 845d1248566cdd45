"""Standing on one leg, the heel of the other is curled towards the seat and lowered again.

The thigh of the curling leg stays beside the other one: when it drifts forwards the hip flexors help, when it swings
back the lower back does. Point the toes and lower slower than you lift.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="standing-leg-curl",
    title="Standing leg curl",
    aliases=("standing single leg curl", "standing hamstring curl", "one leg curl"),
    position=Position.ONE_LEG,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("knee_flexion_deg", enter_deg=20.0, leave_deg=12.0, min_s=0.6),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("missing-plantarflexion", fault=20.0),
        RuleUse("hips-lifting", cue="Keep your thigh still beside the other one."),
        RuleUse("momentum"),
        RuleUse("fast-lowering"),
        RuleUse("short-range", caution=80.0, cue="Curl your heel closer to your seat."),
        RuleUse("fatigue"),
        RuleUse("left-right-difference"),
        RuleUse("reduce-the-load"),
    ),
    setup=(
        "Put the camera side-on at the height of your hips.",
        "Curl the leg that is nearer to the camera, and turn around for the other one.",
        "Keep the whole body in the picture and stand still for two seconds first.",
    ),
    documentation=__doc__,
)
