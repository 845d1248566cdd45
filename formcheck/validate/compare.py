"""One analysed clip against its truth: angle errors, repetitions, planted faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from formcheck import metrics
from formcheck.types import Analysis, FloatArray, Outcome, Status
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
    table = analysis.table
    rows, true_rows = _same_frames(table.time_s, truth.time_s)
    errors, covered = {}, {}
    for metric in (*metrics.SIDED_METRICS, *metrics.MIDLINE_METRICS):
        column = metrics.column_name(metric, truth.near_side)
        measured, true = table.columns[column][rows], truth.columns[column][true_rows]
        if metric in {"lumbar_flexion_deg", "neck_flexion_deg"}:  # change from the person's own neutral
            outside = np.ones(len(true_rows), dtype=bool)
            for rep in truth.reps:
                outside &= (truth.time_s[true_rows] < rep.start_s) | (truth.time_s[true_rows] > rep.end_s)
            if outside.any():
                true = true - np.median(true[outside])
        error = measured - true
        known = np.isfinite(error)
        errors[metric] = error[known]
        covered[metric] = float(known.mean()) if known.size else 0.0
    return errors, covered


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
