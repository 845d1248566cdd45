"""The coach beside a live set: what to change before it begins, what to think of during it, and what is said aloud.

Everything here is decided from poses and verdicts alone: no camera, no clock, no sound. `setup` brings the person into
the right place, `cues` says one thing at a time during the set, `voice` has the words.
"""

from formcheck.coach.cues import Coaching, CueCoach, HoldTimer
from formcheck.coach.setup import Problem, SetupCoach, SetupState, Stage
from formcheck.coach.sight import CLEAR, Sight
from formcheck.coach.voice import Saying, Tone

__all__ = [
    "CLEAR",
    "Coaching",
    "CueCoach",
    "HoldTimer",
    "Problem",
    "Saying",
    "SetupCoach",
    "SetupState",
    "Sight",
    "Stage",
    "Tone",
]
