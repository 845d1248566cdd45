"""With the feet held on a bench, the straight body is raised by bending the knees, and lowered again.

From shoulder to knee the body stays one line. Folding at the hips makes it easier and hands the work to the back; the
ankle stays near neutral against the plate so that the calf does not take over.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="glute-ham-raise",
    title="Glute-ham raise",
    aliases=("ghr", "glute ham developer raise", "ghd raise"),
    position=Position.PRONE,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("knee_flexion_deg", enter_deg=20.0, leave_deg=12.0, min_s=0.5),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("hips-hinging"),
        RuleUse("ankle-not-neutral", cue="Press the whole foot against the plate."),
        RuleUse("fast-lowering"),
        RuleUse("short-range", caution=65.0, cue="Bend your knees until your trunk is upright."),
    ),
    setup=(
        "Put the camera side-on at the height of the pad.",
        "Keep the whole body in the picture, from the head to the toes.",
        "Hold the straight start position still for two seconds.",
    ),
    documentation=__doc__,
)
