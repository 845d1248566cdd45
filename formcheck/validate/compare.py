"""One analysed clip against its truth: angle errors, repetitions, planted faults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from formcheck import metrics
from formcheck.config import Settings
from formcheck.exercises import EXERCISES
from formcheck.geometry import wrap_degrees
from formcheck.judging import cut, metric_of
from formcheck.pipeline import applied_rules
from formcheck.types import Analysis, FloatArray, Outcome, Rep, Status
from formcheck.validate.truth import RULE_OF_FAULT, PlantedFault, TruthClip

SAME_FRAME_S = 0.02  # frames of the clip and rows of the truth are the same moments


@dataclass(frozen=True, slots=True)
class FaultResult:
    """What became of one planted fault: the status of the rule's outcome on that repetition."""

    planted: PlantedFault
    rule: str
    status: Status | None  # None: the repetition itself was not found


@dataclass(frozen=True, slots=True)
class ClipComparison:
    """One clip's result.

    Attributes
    ----------
    truth : TruthClip
    errors : mapping of metric name to ndarray
        Measured minus true, degrees, near leg, one value per frame in which it was seen.
    covered : mapping of metric name to float
        Share of frames in which it was seen.
    further : mapping of metric name to ndarray
        Measured minus true of what rules make out of the angles (changes since the start of a repetition, times,
        shares), one value per repetition, each by its own name and unit.
    reps_found, reps_true : int
    planted : tuple of FaultResult
        Faults that formcheck has a rule for in this exercise.
    unplanned : tuple of Outcome
        Faults and cautions where none was planted.
    judged, not_judged : int
        Outcomes over all repetitions and rules.
    """

    truth: TruthClip
    errors: Mapping[str, FloatArray]
    covered: Mapping[str, float]
    further: Mapping[str, FloatArray]
    reps_found: int
    reps_true: int
    planted: tuple[FaultResult, ...]
    unplanned: tuple[Outcome, ...]
    judged: int
    not_judged: int


def compare(analysis: Analysis, truth: TruthClip) -> ClipComparison:
    """Compare one analysis with the truth of its clip."""
    outcomes = analysis.report.outcomes
    rep_of = _match_reps(analysis, truth)
    planted = _planted(outcomes, truth, rep_of)
    wanted = {(result.rule, rep_of.get(result.planted.rep)) for result in planted}
    speaking = [outcome for outcome in outcomes if outcome.status in (Status.FAULT, Status.CAUTION)]
    unplanned = tuple(outcome for outcome in speaking if (outcome.rule, outcome.rep) not in wanted)
    errors, covered = _errors(analysis, truth)
    not_judged = sum(outcome.status is Status.NOT_JUDGED for outcome in outcomes)
    return ClipComparison(
        truth=truth,
        errors=errors,
        covered=covered,
        further=_by_rule(analysis, truth, rep_of),
        reps_found=len(analysis.report.reps),
        reps_true=len(truth.reps),
        planted=planted,
        unplanned=unplanned,
        judged=len(outcomes) - not_judged,
        not_judged=not_judged,
    )


def _match_reps(analysis: Analysis, truth: TruthClip) -> dict[int, int]:
    """True repetition number -> number of the found repetition that overlaps it most."""
    matched = {}
    for true in truth.reps:
        overlaps = [
            (min(true.end_s, rep.end_s) - max(true.start_s, rep.start_s), rep.number) for rep in analysis.report.reps
        ]
        best = max(overlaps, default=(0.0, 0))
        if best[0] > 0:
            matched[true.number] = best[1]
    return matched


def _planted(outcomes: tuple[Outcome, ...], truth: TruthClip, rep_of: Mapping[int, int]) -> tuple[FaultResult, ...]:
    status = {(outcome.rule, outcome.rep): outcome.status for outcome in outcomes}
    checked = {outcome.rule for outcome in outcomes}
    results = []
    for fault in truth.faults:
        rule = RULE_OF_FAULT.get(fault.fault)
        if rule is None or rule not in checked or not fault.visible or fault.leg not in (None, truth.near_side):
            continue
        results.append(FaultResult(fault, rule, status.get((rule, rep_of.get(fault.rep)))))
    return tuple(results)


def _errors(analysis: Analysis, truth: TruthClip) -> tuple[dict[str, FloatArray], dict[str, float]]:
    table, true = analysis.table, true_metrics(truth)
    rows, true_rows = _same_frames(table.time_s, truth.time_s)
    errors, covered = {}, {}
    for metric in (*metrics.SIDED_METRICS, *metrics.MIDLINE_METRICS):
        measured = table.columns[metrics.column_name(metric, truth.near_side)][rows]
        error = wrap_degrees(measured - true[metric][true_rows])
        known = np.isfinite(error)
        errors[metric] = error[known]
        covered[metric] = float(known.mean()) if known.size else 0.0
    return errors, covered


def _by_rule(analysis: Analysis, truth: TruthClip, rep_of: Mapping[int, int]) -> dict[str, FloatArray]:
    """Errors of values that only a rule makes (changes, times, shares): measured less what it finds in the truth."""
    exercise, true = EXERCISES[truth.exercise], true_metrics(truth)
    measured = {(outcome.rule, outcome.rep): outcome.measured for outcome in analysis.report.outcomes}
    errors: dict[str, list[float]] = {}
    for item in applied_rules(exercise, Settings()):
        metric = metric_of(item.rule, exercise)
        if metric in true or item.rule.check_set is not None:
            continue
        for rep in truth.reps:
            inside = (truth.time_s >= rep.start_s) & (truth.time_s <= rep.end_s)
            turn_s = (rep.turn_start_s + rep.turn_end_s) / 2
            whole = Rep(rep.number, truth.near_side, rep.start_s, turn_s, rep.end_s, rep.turn_start_s, rep.turn_end_s)
            values = {name: column[inside] for name, column in true.items()}
            finding = item.rule.check(cut(truth.time_s[inside], values, whole, exercise, {}), item.limits)
            found = measured.get((item.rule.id, rep_of.get(rep.number)), math.nan)
            if finding is not None and math.isfinite(found):
                errors.setdefault(metric, []).append(found - finding.measured)
    return {metric: np.array(values) for metric, values in errors.items()}


def true_metrics(truth: TruthClip) -> dict[str, FloatArray]:
    """The truth by metric without side; lower back and neck as change from the person's own neutral."""
    columns = {}
    outside = np.ones(len(truth.time_s), dtype=bool)
    for rep in truth.reps:
        outside &= (truth.time_s < rep.start_s) | (truth.time_s > rep.end_s)
    for metric in (*metrics.SIDED_METRICS, *metrics.MIDLINE_METRICS):
        columns[metric] = truth.columns[metrics.column_name(metric, truth.near_side)]
        if metric in {"lumbar_flexion_deg", "neck_flexion_deg"} and outside.any():
            columns[metric] = columns[metric] - np.median(columns[metric][outside])
    return columns


def _same_frames(measured_s: FloatArray, true_s: FloatArray) -> tuple[np.ndarray, np.ndarray]:
    if not len(measured_s):
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    nearest = np.clip(np.searchsorted(measured_s, true_s), 1, len(measured_s) - 1) if len(measured_s) > 1 else None
    if nearest is None:
        rows = np.zeros(len(true_s), dtype=int)
    else:
        closer_before = true_s - measured_s[nearest - 1] < measured_s[nearest] - true_s
        rows = np.where(closer_before, nearest - 1, nearest)
    same = np.abs(measured_s[rows] - true_s) <= SAME_FRAME_S
    return rows[same], np.flatnonzero(same)
