"""Which moments of a clip are worth a still: the worst one of each finding, and rest against deepest for the back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from formcheck.reports.findings import findings_by_rule, moment_s
from formcheck.types import Outcome, Rep, Report

BACK_RULE = "rounded-lower-back"
MAX_STILLS = 12  # of findings; the file stays small enough to be sent by mail
MAX_OF_RULE = 3
REST_BEFORE_S = 0.3  # a repetition begins when the rest position has been left, so rest is a little earlier


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment to picture: the worst one of a finding; `outcome` is None for one that is there to compare with.

    `first` marks the one that stands for all findings of its rule, and is shown larger.
    """

    time_s: float
    outcome: Outcome | None
    first: bool = False


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of a moment: JPEG, its size in pixels, and the time of its frame."""

    moment: Moment
    time_s: float
    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class BackPair:
    """One repetition's moments for looking at the lower back: at rest before it, and at its deepest."""

    rep: Rep
    rest: Moment
    deepest: Moment


def moments(report: Report) -> tuple[Moment, ...]:
    """The moments to picture, at most `MAX_STILLS` of findings and two for the lower back; one where there is neither.

    Every rule gets its worst moment first; then further ones in turn, as long as there is room.
    """
    by_rule: list[list[Outcome]] = []
    for finding in findings_by_rule(report):
        others = [outcome for outcome in finding.outcomes if outcome is not finding.worst]
        shown = [finding.worst, *others][:MAX_OF_RULE]
        by_rule.append([outcome for outcome in shown if math.isfinite(moment_s(outcome))])
    in_turn = [outcome for round_ in zip_longest(*by_rule) for outcome in round_ if outcome is not None]
    firsts = {id(of_rule[0]) for of_rule in by_rule if of_rule}
    chosen = [Moment(moment_s(outcome), outcome, id(outcome) in firsts) for outcome in in_turn[:MAX_STILLS]]
    pair = back_pair(report)
    if pair is not None:
        return (*chosen, pair.rest, pair.deepest)
    return tuple(chosen) if chosen else tuple(turn_to_check(report))


def turn_to_check(report: Report) -> list[Moment]:
    """The turn of the first repetition, for a clip that has no other picture: are the lines on the body at all?"""
    return [Moment(rep.turn_s, None, first=True) for rep in report.reps[:1]]


def back_pair(report: Report) -> BackPair | None:
    """What to compare for the lower back, from the repetition that was roundest; None where it was not looked at.

    Also shown where the rounding could not be judged by the camera alone: the person can look for themselves.
    """
    looked_at = {outcome.rep: outcome for outcome in report.outcomes if outcome.rule == BACK_RULE}
    reps = [rep for rep in report.reps if rep.complete and rep.number in looked_at]
    if not reps or not report.view.usable:
        return None

    def roundness(rep: Rep) -> float:
        measured = looked_at[rep.number].measured
        return -math.inf if math.isnan(measured) else measured

    rep = max(reps, key=roundness)
    return BackPair(rep, Moment(_rest_s(report.reps, rep), None), Moment(rep.turn_s, None))


def _rest_s(reps: Sequence[Rep], rep: Rep) -> float:
    """A moment of rest before a repetition, after the one before it."""
    ended = [other.end_s for other in reps if other.end_s <= rep.start_s]
    return max([0.0, rep.start_s - REST_BEFORE_S, *((last + rep.start_s) / 2 for last in ended[-1:])])
