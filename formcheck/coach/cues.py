"""During the set: one cue at a time, the count, and the seconds of a hold.

A cue is shown as long as it takes to read and act on, and gives way early only to something more serious. It is said
aloud when it is new, and then only now and then while the fault goes on: a voice that nags at every repetition is soon
muted. When the person has put it right, that is said too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from formcheck import metrics
from formcheck.coach import voice
from formcheck.coach.voice import Saying, Tone
from formcheck.exercises.base import Exercise
from formcheck.rules.base import AppliedRule
from formcheck.types import Cue, Kind, Outcome, Phase, Rep, Scope, Side, Status, Update

LEAST_SHOWN_S = 3.0
SHOWN_S = 7.0
SAID_AGAIN_S = 15.0
SAID_AGAIN_REPS = 3  # repetitions with the fault between one time it is said and the next
BETTER = "Better."

HOLD_BEGINS_S = 1.0  # at the end of the way: from here on it is a hold
HOLD_DRIFT_DEG = 4.0  # going further by more than this begins it again
ANNOUNCED_S = (10, 5)  # seconds left
HELD_EVERY_S = 10  # announced where a hold has no goal

_SERIOUS = (Status.FAULT, Status.CAUTION)


@dataclass(frozen=True, slots=True)
class Coaching:
    """What to show and say at one frame of a set.

    Attributes
    ----------
    cue : Cue or None
        The one thing to change.
    hold_s : float
        Seconds that the present hold has lasted; NaN outside one.
    hold_goal_s : float
        How long it should last; NaN without a goal.
    lifting_s, lowering_s : float
        Tempo of the last repetition; NaN before the first.
    sayings : tuple of Saying
        New at this frame.
    """

    cue: Cue | None = None
    hold_s: float = math.nan
    hold_goal_s: float = math.nan
    lifting_s: float = math.nan
    lowering_s: float = math.nan
    sayings: tuple[Saying, ...] = ()


class HoldTimer:
    """How long the far end of a movement has been held, while it goes on."""

    __slots__ = ("_deepest", "_since_s")

    def __init__(self) -> None:
        self._deepest = self._since_s = math.nan

    def update(self, time_s: float, angle: float, phase: Phase, outward: Phase) -> float:
        """Take one moment; seconds held so far, NaN while moving.

        Parameters
        ----------
        time_s : float
        angle : float
            Of the exercise's signal, growing towards the turn; NaN where unseen, which does not end a hold.
        phase, outward : Phase
            Where the counter is, and its name for the way to the turn (in which it stays during the hold).
        """
        if phase is not outward:
            self._deepest = self._since_s = math.nan
            return math.nan
        if not math.isnan(angle) and not angle <= self._deepest + HOLD_DRIFT_DEG:  # also for the first
            self._deepest, self._since_s = angle, time_s
        held_s = time_s - self._since_s
        return held_s if held_s >= HOLD_BEGINS_S else math.nan


class CueCoach:
    """Chooses what to say of one set.

    Parameters
    ----------
    exercise : Exercise
    applied : sequence of AppliedRule
        Their order is the order of importance among equally serious findings.
    side : Side or None
        The leg that is judged; None is the near one.
    cues : bool
        False leaves out what to change, and keeps counts and times.
    """

    def __init__(
        self, exercise: Exercise, applied: Sequence[AppliedRule], side: Side | None = None, *, cues: bool = True
    ) -> None:
        self._exercise = exercise
        self._rank = {item.rule.id: number for number, item in enumerate(applied)}
        self._side = side
        self._cues = cues
        self._goal_s = _goal_s(applied) if exercise.kind is Kind.HOLD else math.nan
        self._hold = HoldTimer()
        self._announced: set[int] = set()
        self._count = 0
        self._cue: Cue | None = None
        self._cue_s = -math.inf
        self._said: dict[str, tuple[float, int]] = {}  # rule -> when it was last said, and how often seen since
        self._praised: set[str] = set()
        self._tempo = (math.nan, math.nan)

    def update(self, update: Update) -> Coaching:
        """Take what the engine says of the next frame."""
        now = update.measurement.time_s
        hold_s = self._hold_s(update, now)
        sayings = [*self._counted(update.rep_count), *self._held(hold_s)]
        for rep in update.new_reps:
            self._tempo = _tempo(rep)
        if self._cue is not None and now - self._cue_s > SHOWN_S:
            self._cue = None
        if update.new_outcomes and self._cues:
            sayings += self._cued(update.new_outcomes, now)
        return Coaching(self._cue, hold_s, self._goal_s, *self._tempo, sayings=tuple(sayings))

    def _counted(self, count: int) -> list[Saying]:
        if count <= self._count:
            return []
        self._count = count
        if self._exercise.kind is Kind.HOLD:
            return []  # its end has been heard: the seconds
        return [Saying(f"{count}", Tone.REP)]

    def _hold_s(self, update: Update, now: float) -> float:
        if self._exercise.kind is not Kind.HOLD:
            return math.nan
        side = self._side or update.measurement.near_side or Side.RIGHT
        signal = self._exercise.signal
        angle = update.measurement.values.get(metrics.column_name(signal.metric, side), math.nan)
        towards = angle if signal.rising else -angle
        return self._hold.update(now, towards, update.phase, self._exercise.outward)

    def _held(self, held_s: float) -> list[Saying]:
        """What to say of the seconds of a hold."""
        if math.isnan(held_s):
            self._announced.clear()
            return []
        if not self._announced:
            self._announced.add(0)
            return [Saying("Hold.", Tone.START)]
        if math.isnan(self._goal_s):
            due = int(held_s // HELD_EVERY_S) * HELD_EVERY_S
            return self._once(due, Saying(voice.held(due))) if due else []
        if held_s >= self._goal_s:
            goal = round(self._goal_s)
            return self._once(goal, Saying(voice.hold_done(goal), Tone.GOOD))
        for left in ANNOUNCED_S:
            if left < self._goal_s and 0 <= held_s - (self._goal_s - left) < 1:
                return self._once(-left, Saying(voice.seconds_left(left)))
        return []

    def _once(self, key: int, saying: Saying) -> list[Saying]:
        if key in self._announced:
            return []
        self._announced.add(key)
        return [saying]

    def _cued(self, outcomes: Sequence[Outcome], now: float) -> list[Saying]:
        """Take the verdicts of a repetition: choose the cue, and whether to say it."""
        speaking = sorted((outcome for outcome in outcomes if outcome.status in _SERIOUS), key=self._importance)
        good = {outcome.rule for outcome in outcomes if outcome.status is Status.OK}
        for outcome in speaking:
            when, often = self._said.get(outcome.rule, (-math.inf, SAID_AGAIN_REPS))
            self._said[outcome.rule] = (when, often + 1)
        if self._cue is not None and self._cue.rule in good:
            rule, self._cue = self._cue.rule, None
            if not speaking and rule not in self._praised:
                self._praised.add(rule)
                return [Saying(BETTER, Tone.GOOD)]
        if not speaking:
            return []
        worst = speaking[0]
        if self._cue is not None and now - self._cue_s < LEAST_SHOWN_S and not self._outranks(worst, self._cue):
            return []
        self._cue, self._cue_s = Cue(worst.cue, worst.rule, worst.status), now
        self._praised.discard(worst.rule)
        when, often = self._said[worst.rule]
        if often <= SAID_AGAIN_REPS or now - when < SAID_AGAIN_S:
            return []
        self._said[worst.rule] = (now, 0)
        return [Saying(worst.cue, Tone.CUE, urgent=worst.status is Status.FAULT)]

    def _importance(self, outcome: Outcome) -> tuple[int, int]:
        return _SERIOUS.index(outcome.status), self._rank.get(outcome.rule, len(self._rank))

    @staticmethod
    def _outranks(outcome: Outcome, cue: Cue) -> bool:
        return outcome.status is Status.FAULT and cue.status is not Status.FAULT


def _goal_s(applied: Sequence[AppliedRule]) -> float:
    """How long a hold should last: the limit of the rule about holds let go early; NaN without one."""
    for item in applied:
        if item.rule.id == "short-hold" and Scope.HOLD in item.rule.scopes and item.limits.caution is not None:
            return item.limits.caution
    return math.nan


def _tempo(rep: Rep) -> tuple[float, float]:
    return rep.metrics.get("lifting_s", math.nan), rep.metrics.get("lowering_s", math.nan)
