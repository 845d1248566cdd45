"""What an exercise declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from formcheck.types import Kind, Phase, Position


@dataclass(frozen=True, slots=True)
class RepSignal:
    """What makes a repetition or hold: one joint angle that leaves its rest level, turns, and comes back.

    Attributes
    ----------
    metric : str
        Metric of the judged side, without side: ``knee_flexion_deg``. It grows towards the turn.
    enter_deg, leave_deg : float
        Degrees above the rest level at which a repetition is taken to have begun, and to have ended.
    min_s : float
        Shorter excursions are not repetitions.
    """

    metric: str
    enter_deg: float
    leave_deg: float
    min_s: float


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
