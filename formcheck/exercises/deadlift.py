"""A weight is lowered towards the floor with the hips going back and the knees bending, and lifted until standing.

Knees and hips straighten together: when the knees are straight first, the back lifts alone; when they bend too much, it
becomes a squat. A repetition begins and ends standing, so picking the weight up and setting it down do not count.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="deadlift",
    title="Deadlift",
    aliases=("conventional deadlift", "barbell deadlift", "kettlebell deadlift", "dumbbell deadlift"),
    position=Position.STANDING,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("hip_flexion_deg", enter_deg=30.0, leave_deg=18.0, min_s=0.5),
    outward=Phase.LOWERING,
    back=Phase.LIFTING,
    rules=(
        RuleUse("locked-knees"),
        # Trained lifters move the lumbar spine by 25 to 27 deg here (Schellenberg 2013): less is no matter for a word.
        RuleUse("rounded-lower-back", caution=30.0, fault=40.0),
        RuleUse("knees-bending", caution=85.0, parameters={"leaning_deg": 40.0}),
        RuleUse("hinge-from-hips", caution=40.0),  # those 27 deg are half of a trunk that leans 50 to 60 deg
        RuleUse("hips-rise-first"),
        RuleUse("short-range", caution=65.0, cue="Push your hips further back on the way down."),
        RuleUse("fatigue"),
        RuleUse("reduce-the-load"),
    ),
    setup=(
        "Put the camera side-on at the height of your hips.",
        "Keep the whole body in the picture, with the feet and the weight.",
        "Stand tall and still with the weight for two seconds before the first repetition.",
    ),
    documentation=__doc__,
)
