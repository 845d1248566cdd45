"""What an exercise declares."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from formcheck.types import FloatArray, Kind, Phase, Position, Rep


@dataclass(frozen=True, slots=True)
class RepSignal:
    """What makes a repetition or hold: one joint angle that leaves its rest level, turns, and comes back.

    Attributes
    ----------
    metric : str
        Metric of the judged side, without side: ``knee_flexion_deg``.
    enter_deg, leave_deg : float
        Degrees away from the rest level at which a repetition is taken to have begun, and to have ended.
    min_s : float
        Shorter excursions are not repetitions.
    rising : bool
        Whether the metric grows towards the turn (a curl bends the knee) or falls (a bridge opens the hip).
    """

    metric: str
    enter_deg: float
    leave_deg: float
    min_s: float
    rising: bool = True

    def towards_turn(self, angle: FloatArray) -> FloatArray:
        """The angle with the sign that makes it grow from rest to the turn, any shape."""
        return angle if self.rising else -angle


@dataclass(frozen=True, slots=True)
class RuleUse:
    """A rule as one exercise applies it; a value given here replaces the rule's default limit."""

    rule: str
    caution: float | None = None
    fault: float | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    cue: str | None = None


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise or stretch; `documentation` is its module's docstring.

    Attributes
    ----------
    id, title : str
    aliases : tuple of str
        Other names it is known by, lower case.
    position : Position
    kind : Kind
    max_yaw_deg : float
        How far the camera may be turned out of the pure side view.
    signal : RepSignal
    outward, back : Phase
        Whether the way to the turn is the lifting or the lowering phase, and the way back.
    rules : tuple of RuleUse
    setup : tuple of str
        How to place camera and body, one plain sentence each.
    documentation : str
    """

    id: str
    title: str
    aliases: tuple[str, ...]
    position: Position
    kind: Kind
    max_yaw_deg: float
    signal: RepSignal
    outward: Phase
    back: Phase
    rules: tuple[RuleUse, ...]
    setup: tuple[str, ...]
    documentation: str

    def rule_use(self, rule: str) -> RuleUse | None:
        """How this exercise applies `rule`; None when it does not."""
        return next((use for use in self.rules if use.rule == rule), None)


def phase_at(finished: Sequence[Rep], time_s: float, exercise: Exercise) -> Phase:
    """The phase in which a moment lies; `finished` is in order of time."""
    place = bisect_left(finished, time_s, key=lambda rep: rep.end_s)  # the first one that is not over by then
    if place == len(finished) or time_s < finished[place].start_s:
        return Phase.REST
    rep = finished[place]
    if time_s < rep.turn_start_s:
        return exercise.outward
    return Phase.TURN if time_s <= rep.turn_end_s else exercise.back
