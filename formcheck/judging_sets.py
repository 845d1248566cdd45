"""From the repetitions of one set to what the rules of sets say of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from formcheck import accuracy, judging, metrics
from formcheck.exercises.base import Exercise
from formcheck.judging import Evidence
from formcheck.rules.base import AppliedRule, CheckSet, Limits, Rule, WholeSet
from formcheck.types import Outcome, Side, Status


def judge_set(evidence: Sequence[Evidence], exercise: Exercise, applied: Sequence[AppliedRule]) -> tuple[Outcome, ...]:
    """Apply every rule of sets to the repetitions of one set, in order of time.

    Where a set has fewer repetitions than a rule asks for, the rule has nothing to say, not even that it was not
    judged. Where both legs were filmed, the one with more repetitions is judged.
    """
    sides = [item.window.rep.side for item in evidence]
    if not sides:
        return ()
    side = max(Side, key=sides.count)
    of_side = [item for item in evidence if item.window.rep.side is side]
    found = []
    for item in applied:
        if item.rule.check_set is not None and len(of_side) >= item.limits.parameters["min_reps"]:
            found.append(_judge_set(of_side, exercise, item, item.rule.check_set))
    return tuple(found)


def _judge_set(evidence: Sequence[Evidence], exercise: Exercise, applied: AppliedRule, check: CheckSet) -> Outcome:
    rule, limits = applied.rule, applied.limits
    span = (evidence[0].window.rep.start_s, evidence[-1].window.rep.end_s)
    reasons = [judging.unjudgeable(item, exercise, rule) for item in evidence]
    judged = [item for item, reason in zip(evidence, reasons, strict=True) if not reason]
    nothing = replace(
        judging.unjudged(applied, exercise, ""), side=evidence[0].window.rep.side, start_s=span[0], end_s=span[1]
    )
    if len(judged) < limits.parameters["min_reps"]:
        why = Counter(reason for reason in reasons if reason).most_common(1)[0][0]
        return replace(nothing, reason=f"too few repetitions of the set could be judged: {why}")
    yaw = max((item.yaw_deg for item in judged), key=lambda value: math.inf if math.isnan(value) else value)
    whole = WholeSet(
        tuple(item.window for item in judged),
        accuracy.sigma(metrics.change_of(exercise.signal.metric), exercise.position, yaw),
        accuracy.sigma("lifting_s", exercise.position, yaw),
    )
    finding = check(whole, limits)
    if finding is None or finding.sigma is None:
        return replace(nothing, reason="could not be measured")
    status = certain(finding.measured, finding.sigma, limits, rule)
    reason = judging.WITHIN_ERROR if status is Status.NOT_JUDGED else ""
    return replace(
        judging.outcome_of(judged[-1], applied, rule.metric, finding.sigma, finding, status, reason), rep=None
    )


def certain(measured: float, sigma: float, limits: Limits, rule: Rule) -> Status:
    """As `judging.grade`, but a finding must be past its limit by more than sigma: comparing repetitions is noisy."""
    status = judging.grade(measured, sigma, limits, rule)
    first = limits.caution if limits.caution is not None else limits.fault
    if status is Status.CAUTION and first is not None and rule.direction.excess(measured, first) <= sigma:
        return Status.NOT_JUDGED
    return status
