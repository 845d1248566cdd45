"""Leaning towards a wall with the knee bent and the heel down, the lower calf is stretched.

Bending the knee takes the gastrocnemius out, so that the soleus below it gets the stretch. The heel stays down.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="soleus-wall-stretch",
    title="Soleus wall stretch",
    aliases=("bent knee calf stretch", "soleus stretch"),
    position=Position.STANDING,
    kind=Kind.HOLD,
    max_yaw_deg=35.0,
    signal=RepSignal("shank_inclination_deg", enter_deg=5.0, leave_deg=3.0, min_s=1.0),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("knee-not-bent"),
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
