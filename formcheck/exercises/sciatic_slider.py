"""Sitting, the knee is straightened while the head is raised, and bent again while the head goes down.

One end of the nerve is let loose while the other is drawn, so it slides without being stretched. Keep it gentle and
moving, never held at its end. Tingling or pain that stays is a reason to stop and to ask a physiotherapist or a doctor.
"""

from formcheck.exercises.base import Exercise, RepSignal, RuleUse
from formcheck.types import Kind, Phase, Position

EXERCISE = Exercise(
    id="sciatic-slider",
    title="Sciatic nerve slider",
    aliases=("nerve glide", "sciatic nerve glide", "nerve flossing", "sciatic glide"),
    position=Position.SEATED,
    kind=Kind.REPS,
    max_yaw_deg=35.0,
    signal=RepSignal("knee_flexion_deg", enter_deg=25.0, leave_deg=15.0, min_s=0.5, rising=False),
    outward=Phase.LIFTING,
    back=Phase.LOWERING,
    rules=(
        RuleUse("held-not-moving"),
        RuleUse("short-range", caution=40.0, cue="Straighten your knee as far as it stays easy."),
        RuleUse("left-right-difference"),
    ),
    setup=(
        "Put the camera side-on at the height of the seat.",
        "Move the leg that is nearer to the camera, and keep head and foot in the picture.",
        "Sit still with the knee bent for two seconds first.",
    ),
    documentation=__doc__,
)
