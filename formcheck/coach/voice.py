"""What is said aloud, for somebody who lies face down and cannot see the screen: few words, plain, and kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """A short sound; how it sounds is the player's business."""

    REP = "rep"  # a repetition is over
    CUE = "cue"  # listen: something to change
    GOOD = "good"  # ready, or better than before
    START = "start"
    TICK = "tick"  # the countdown


@dataclass(frozen=True, slots=True)
class Saying:
    """Something to say at one moment.

    Attributes
    ----------
    text : str
        Empty for a tone alone.
    tone : Tone or None
        Sounds first.
    urgent : bool
        Stops what is being said. Without it, it may be left out when something else is still being said.
    """

    text: str = ""
    tone: Tone | None = None
    urgent: bool = False


def seconds_left(seconds: int) -> str:
    """How a hold's remaining time is announced."""
    return f"{seconds} seconds left."


def hold_done(seconds: int) -> str:
    """What is said when a hold has lasted as long as it should."""
    return f"{seconds} seconds. That is long enough; come back slowly."


def held(seconds: int) -> str:
    """How the time of a hold without a goal is announced."""
    return f"{seconds} seconds."
