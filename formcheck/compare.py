"""Two reports of one exercise, one of each leg: does one leg go less far than the other?

The same comparison that the rule `left-right-difference` makes within a clip, between two clips.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from formcheck import accuracy, metrics
from formcheck.errors import ConfigError
from formcheck.exercises import find_exercise
from formcheck.exercises.base import Exercise
from formcheck.judging import WITHIN_ERROR
from formcheck.judging_sets import certain
from formcheck.rules.base import AppliedRule
from formcheck.rules.left_right_difference import difference
from formcheck.types import Report, Side, Status

MOST_YAW_DIFFERENCE_DEG = 15.0  # beyond it the two clips were filmed from different places (EVIDENCE.md: same place)


@dataclass(frozen=True, slots=True)
class Leg:
    """What one clip says of one leg: the range of each repetition or hold, and the error of one range, in degrees."""

    side: Side
    ranges_deg: tuple[float, ...]
    sigma_deg: float
    yaw_deg: float

    @property
    def median_deg(self) -> float:
        """The leg's usual range."""
        return float(np.median(self.ranges_deg))


@dataclass(frozen=True, slots=True)
class LegComparison:
    """One leg against the other.

    Attributes
    ----------
    exercise : str
    left, right : Leg
    status : Status
        CAUTION when one leg goes less far, beyond limit and error; OK; or NOT_JUDGED with `reason`.
    measured, sigma, limit : float
        Percent of the larger range; `measured` is never negative.
    weaker : Side or None
        The leg that goes less far; None unless `status` is CAUTION.
    message, cue, reason : str
    """

    exercise: str
    left: Leg
    right: Leg
    status: Status
    measured: float
    sigma: float
    limit: float
    weaker: Side | None
    message: str
    cue: str
    reason: str


def compare_legs(first: Report, second: Report, applied: AppliedRule) -> LegComparison:
    """Compare two clips of the same exercise, one of each leg, in either order.

    Parameters
    ----------
    first, second : Report
    applied : AppliedRule
        The rule `left-right-difference` with the limits that hold.

    Raises
    ------
    ConfigError
        When the clips show different exercises or the same leg, or one of them has nothing to compare.
    """
    if first.exercise.name != second.exercise.name:
        raise ConfigError(
            f"{first.clip.path} shows {first.exercise.name}, {second.clip.path} shows {second.exercise.name}: "
            "only clips of the same exercise can be compared"
        )
    exercise = find_exercise(first.exercise.name)
    legs = {leg.side: leg for leg in (_leg(report, exercise) for report in (first, second))}
    if len(legs) < len(Side):
        side = next(iter(legs))
        raise ConfigError(
            f"{first.clip.path} and {second.clip.path} both show the {side} leg; film the other one too, or name the "
            "legs in the clips apart with --side"
        )
    left, right = legs[Side.LEFT], legs[Side.RIGHT]
    measured, sigma = difference(left.ranges_deg, right.ranges_deg, (left.sigma_deg, right.sigma_deg))
    status = certain(abs(measured), sigma, applied.limits, applied.rule)
    reason = WITHIN_ERROR if status is Status.NOT_JUDGED else ""
    apart = abs(left.yaw_deg - right.yaw_deg)
    if apart > MOST_YAW_DIFFERENCE_DEG:
        status = Status.NOT_JUDGED
        reason = f"the cameras stood {apart:.0f} deg apart; film both legs from the same place"
    speaks = status is Status.CAUTION
    return LegComparison(
        exercise=exercise.id,
        left=left,
        right=right,
        status=status,
        measured=abs(measured),
        sigma=sigma,
        limit=applied.limits.caution if applied.limits.caution is not None else math.nan,
        weaker=(Side.LEFT if measured > 0 else Side.RIGHT) if speaks else None,
        message=applied.rule.message if speaks else "",
        cue=applied.cue if speaks else "",
        reason=reason,
    )


def _leg(report: Report, exercise: Exercise) -> Leg:
    """The leg that most repetitions of a clip show."""
    sides = [rep.side for rep in report.reps]
    if not sides or not report.view.usable:
        why = report.view.reason or "no repetition or hold was seen in it"
        raise ConfigError(f"{report.clip.path}: {why}; it cannot be compared")
    side = max(Side, key=sides.count)
    ranges = _ranges([rep.metrics.get("range_deg", math.nan) for rep in report.reps if rep.side is side])
    if not ranges:
        raise ConfigError(f"{report.clip.path}: its report holds no range; analyse the clip again, then compare")
    seen_as = report.view.yaw_deg, report.view.brightness
    sigma = accuracy.sigma(metrics.change_of(exercise.signal.metric), exercise.position, *seen_as)
    return Leg(side, ranges, sigma, report.view.yaw_deg)


def _ranges(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(value for value in values if math.isfinite(value) and value > 0)
