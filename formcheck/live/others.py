"""Somebody else in the picture during a set: what to show and say, and what the report says of it.

The landmarks follow one body, and may go over to another one that comes near. Two things tell: a look at the whole
picture (`lookout`), and landmarks that leap further than a body can move.
"""

from __future__ import annotations

import math
from typing import Final

from formcheck.coach import Saying, Sight, Tone
from formcheck.people import body_size_px, distance
from formcheck.types import Pose

# The landmarks of one person in the rendered clips move by at most 0.12 body sizes in 0.1 s and 0.27 in 0.4 s; two
# people side by side are about half a body size apart.
LEAP: Final = 0.35
LEAP_WITHIN_S: Final = 0.5
SIZE_RATIO: Final = 2.5  # as in following several people: nobody grows or shrinks like that
STAYS_S: Final = 0.4  # at the new place; shorter is a slip of the landmarks
SHOWN_S: Final = 7.0

PRESENT: Final = "Somebody else is in the picture. What is counted may be theirs."
LEAPT: Final = "I may be following somebody else. Please be alone in the picture."
SAID: Final = "Somebody else is in the picture."


class Others:
    """Keeps what is known of other people during one set. Times are seconds of the set."""

    def __init__(self) -> None:
        self.leaps_s: list[float] = []
        self._spans_s: list[tuple[float, float]] = []
        self._present = False
        self._told_s = -math.inf  # of the last leap
        self._news: tuple[Saying, ...] = ()
        self._last: Pose | None = None
        self._before: Pose | None = None  # where the person was when a leap began
        self._leap_s = math.nan

    def follow(self, pose: Pose) -> float | None:
        """Take the next pose of the set; the time of a leap to another body, once it is sure."""
        if not pose.found:
            return None
        last, self._last = self._last, pose
        if self._before is None:
            if last is not None and pose.time_s - last.time_s <= LEAP_WITHIN_S and _elsewhere(last, pose):
                self._before, self._leap_s = last, pose.time_s
            return None
        if not _elsewhere(self._before, pose):
            self._before = None  # it was a slip
            return None
        if pose.time_s - self._leap_s < STAYS_S:
            return None
        self._before = None
        self.leaps_s.append(self._leap_s)
        self._told_s = pose.time_s
        self._news = (Saying(LEAPT, Tone.CUE),)
        return self._leap_s

    def see(self, sight: Sight, zero_s: float) -> tuple[Saying, ...]:
        """Take what the looks agree on; what to say of it.

        Parameters
        ----------
        sight : Sight
            On a clock on which the set began at `zero_s`.
        zero_s : float
        """
        news, self._news = self._news, ()
        was, self._present = self._present, False
        if sight.others_s is None or sight.others_s[1] < zero_s:
            return news
        self._present = True
        first_s, last_s = (time_s - zero_s for time_s in sight.others_s)
        if was:
            self._spans_s.pop()
        self._spans_s.append((max(0.0, first_s), last_s))
        # Whoever was there before the set has been spoken of then.
        return news if was or news or first_s <= 0.0 else (Saying(SAID, Tone.CUE),)

    def notice(self, now_s: float) -> str:
        """What to show at this moment; empty when there is nobody else."""
        if now_s - self._told_s < SHOWN_S:
            return LEAPT
        return PRESENT if self._present else ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the report has to say of it."""
        warnings = []
        if self._spans_s:
            spans = ", ".join(_span(*span_s) for span_s in self._spans_s)
            warnings.append(f"someone else was in the picture at {spans}; repetitions then may be theirs")
        if self.leaps_s:
            times = ", ".join(_clock(time_s) for time_s in self.leaps_s)
            warnings.append(f"the landmarks went over to another body at {times}; nothing was judged across that")
        return tuple(warnings)


def _elsewhere(one: Pose, other: Pose) -> bool:
    """Whether two poses, shortly after one another, are of two people."""
    sizes = body_size_px(one), body_size_px(other)
    return distance(one, other) > LEAP or max(sizes) > SIZE_RATIO * max(min(sizes), 1.0)


def _span(first_s: float, last_s: float) -> str:
    first, last = _clock(first_s), _clock(last_s)
    return first if first == last else f"{first}-{last}"


def _clock(time_s: float) -> str:
    return f"{int(time_s) // 60}:{int(time_s) % 60:02d}"
