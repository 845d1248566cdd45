"""From the repetitions of one set to what the rules of sets say of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from formcheck import accuracy, judging, metrics
from formcheck.exercises.base import Exercise
from formcheck.judging import Evidence
from formcheck.rules.base import AppliedRule, CheckSet, Finding, Limits, Rule, WholeSet
from formcheck.types import Outcome, Side, Status


@dataclass(frozen=True, slots=True)
class Judged:
    """One repetition of a set, with what the rules of repetitions said of it."""

    evidence: Evidence
    outcomes: tuple[Outcome, ...] = ()

    @property
    def side(self) -> Side:
        """The leg that was judged."""
        return self.evidence.window.rep.side

    def for_sets(self, applied: Sequence[AppliedRule]) -> Judged:
        """The same with only what the rules of sets look at: what a long clip keeps of its repetitions."""
        wanted = {metric for item in applied if item.rule.check_set is not None for metric in item.rule.needs}
        window = self.evidence.window
        values = {metric: window.values[metric] for metric in sorted(wanted)}
        return replace(self, evidence=replace(self.evidence, window=replace(window, values=values)))

    def statuses(self) -> Mapping[str, Status]:
        """Status by rule; a finding within its error says too little about a set."""
        return {
            item.rule: Status.NOT_JUDGED if item.reason == judging.WITHIN_ERROR else item.status
            for item in self.outcomes
        }


def judge_set(judged: Sequence[Judged], exercise: Exercise, applied: Sequence[AppliedRule]) -> tuple[Outcome, ...]:
    """Apply every rule of sets to the repetitions of one set, in order of time.

    Where a set has fewer repetitions than a rule asks for, the rule has nothing to say, not even that it was not
    judged; a rule that compares the legs has nothing to say where one was filmed. Where both were, every other rule
    judges the one with more repetitions.
    """
    sides = [item.side for item in judged]
    if not sides:
        return ()
    usual = max(Side, key=sides.count)
    found = []
    for item in applied:
        if item.rule.check_set is None:
            continue
        chosen = [one for one in judged if item.rule.both_legs or one.side is usual]
        enough = len(chosen) >= item.limits.parameters["min_reps"]
        if enough and (not item.rule.both_legs or len(set(sides)) == len(Side)):
            found.append(_judge_set(chosen, exercise, item, item.rule.check_set))
    return tuple(found)


def _judge_set(judged: Sequence[Judged], exercise: Exercise, applied: AppliedRule, check: CheckSet) -> Outcome:
    rule, limits = applied.rule, applied.limits
    first, last = judged[0].evidence.window.rep, judged[-1].evidence.window.rep
    side = None if rule.both_legs else first.side
    nothing = replace(judging.unjudged(applied, exercise, ""), side=side, start_s=first.start_s, end_s=last.end_s)
    reasons = [judging.unjudgeable(item.evidence, exercise, rule) for item in judged]
    usable = [item for item, reason in zip(judged, reasons, strict=True) if not reason]
    one_leg_left = rule.both_legs and len({item.side for item in usable}) < len(Side)
    if len(usable) < limits.parameters["min_reps"] or one_leg_left:
        why = Counter(reason for reason in reasons if reason).most_common(1)[0][0]
        return replace(nothing, reason=f"too few repetitions of the set could be judged: {why}")
    finding = check(_whole(usable, exercise), limits)
    if finding is None or finding.sigma is None:
        return replace(nothing, reason="could not be measured")
    status = certain(finding.measured, finding.sigma, limits, rule)
    reason = judging.WITHIN_ERROR if status is Status.NOT_JUDGED else ""
    worst = _of_moment(usable, finding)
    return replace(judging.outcome_of(worst, applied, rule.metric, finding.sigma, finding, status, reason), rep=None)


def _whole(judged: Sequence[Judged], exercise: Exercise) -> WholeSet:
    yaws = [item.evidence.yaw_deg for item in judged]
    yaw = math.nan if any(map(math.isnan, yaws)) else max(yaws)  # the worst view: its error holds for all
    light = judged[0].evidence.brightness
    return WholeSet(
        tuple(item.evidence.window for item in judged),
        accuracy.sigma(metrics.change_of(exercise.signal.metric), exercise.position, yaw, light),
        accuracy.sigma("lifting_s", exercise.position, yaw, light),
        tuple(item.statuses() for item in judged),
    )


def _of_moment(judged: Sequence[Judged], finding: Finding) -> Evidence:
    """The repetition that the finding's worst moment lies in: its leg is the one that the finding is about."""
    reps = ((item.evidence, item.evidence.window.rep) for item in judged)
    inside = (item for item, rep in reps if rep.start_s <= finding.worst_s <= rep.end_s)
    return next(inside, judged[-1].evidence)


def certain(measured: float, sigma: float, limits: Limits, rule: Rule) -> Status:
    """As `judging.grade`, but a finding must be past its limit by more than sigma: comparing repetitions is noisy."""
    status = judging.grade(measured, sigma, limits, rule)
    first = limits.caution if limits.caution is not None else limits.fault
    if status is Status.CAUTION and first is not None and rule.direction.excess(measured, first) <= sigma:
        return Status.NOT_JUDGED
    return status
