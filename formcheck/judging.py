"""From measured angles to outcomes: one window per repetition, every rule on it, three possible results.

The rule measures; this module decides. With `sigma` the standard error of the measured value:

- ``fault``: past the fault limit by more than sigma.
- ``caution``: past the caution limit (or past the fault limit, but within sigma of it).
- ``not_judged``: on the good side of the first limit, but nearer to it than sigma; or not measurable, with the reason.
- ``ok``: on the good side of the first limit by more than sigma; or past it, but excused by the rule, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from formcheck import accuracy, metrics
from formcheck.exercises.base import Exercise
from formcheck.kinematics import Kinematics
from formcheck.lumbar import Reading
from formcheck.rules.base import AppliedRule, Finding, Limits, Rule, Window
from formcheck.types import BoolArray, FloatArray, Kind, Outcome, Phase, Rep, Scope, Side, Status
from formcheck.view import FRONT_VIEW_DEG

MIN_SEEN_SHARE = 0.7  # of a window's frames; below this a value would speak for moments nobody saw
WITHIN_ERROR = "within measurement error of the limit"
CUT_OFF = "the repetition is cut off by the clip"
UNSEEN = "the {} was hidden or out of the picture"
FOOT, LEG = "foot", "leg or trunk"
OF_THE_FOOT = frozenset({"ankle_dorsiflexion_deg", "sole_pitch_deg"})
RANGE_METRIC = "range_deg"  # how far the exercise's own signal goes, under a name that rules can share


@dataclass(frozen=True, slots=True)
class Evidence:
    """A window with what decides whether it can be judged.

    `near` when the judged leg is the one facing the camera; `why_not` has the reason for metrics that could not be told
    although their landmarks were seen. `brightness` as in `PoseTrack`.
    """

    window: Window
    seen_share: Mapping[str, float]
    yaw_deg: float
    near: bool = True
    why_not: Mapping[str, str] = field(default_factory=dict)
    brightness: float = math.nan


def metric_names(side: Side) -> dict[str, str]:
    """Metric without side -> column of the judged side."""
    names = (*metrics.SIDED_METRICS, *metrics.MIDLINE_METRICS)
    return {metric: metrics.column_name(metric, side) for metric in names}


def gather(
    kinematics: Kinematics,
    rep: Rep,
    exercise: Exercise,
    columns: Mapping[str, FloatArray],
    neutral: Mapping[str, float],
    back: Reading | None = None,
) -> Evidence:
    """Cut one repetition out of the measured columns.

    Parameters
    ----------
    kinematics : Kinematics
        Source of times, visibility and yaw.
    rep : Rep
    exercise : Exercise
    columns : mapping of column name to ndarray
        Measured columns, with those that need a neutral filled in.
    neutral : mapping of metric name to float
        The person's own values at rest.
    back : Reading or None
        The lower back, which says itself why it could not be told.
    """
    time_s = kinematics.track.time_s
    inside = (time_s >= rep.start_s) & (time_s <= rep.end_s)
    times = time_s[inside]
    values, share = {}, {}
    turn = (times >= rep.turn_start_s) & (times <= rep.turn_end_s)
    for metric, column in metric_names(rep.side).items():
        seen = kinematics.seen[column][inside]
        values[metric] = np.where(seen, columns[column][inside], np.nan)
        share[metric] = min(_share(seen), _share(seen[turn]) if turn.any() else 1.0)
    share[RANGE_METRIC] = share[exercise.signal.metric]
    window = cut(times, values, rep, exercise, neutral)
    yaw = kinematics.yaw_deg[inside]
    known = yaw[np.isfinite(yaw)]
    facing = kinematics.facing(rep.start_s, rep.end_s)
    why_not = {}
    if back is not None:
        at_turn = (time_s >= rep.turn_start_s) & (time_s <= rep.turn_end_s)
        why_not = {"lumbar_flexion_deg": back.reason(at_turn)}
    yaw_deg = float(np.median(known)) if known.size else math.nan
    return Evidence(window, share, yaw_deg, facing in (None, rep.side), why_not, kinematics.track.brightness)


def cut(
    times: FloatArray,
    values: Mapping[str, FloatArray],
    rep: Rep,
    exercise: Exercise,
    neutral: Mapping[str, float],
) -> Window:
    """The window that rules see, from the frames of one repetition.

    Parameters
    ----------
    times : ndarray, shape (n,)
    values : mapping of metric name, without side, to ndarray of shape (n,)
        NaN where unseen.
    rep, exercise, neutral
        As for `gather`.
    """
    signal = _range(values[exercise.signal.metric], exercise)
    known = signal[np.isfinite(signal)]
    halfway = (known.min() + known.max()) / 2 if known.size else math.inf
    before, after = times < rep.turn_start_s, times > rep.turn_end_s
    outward_lifts = exercise.outward is Phase.LIFTING
    return Window(
        rep=rep,
        time_s=times,
        values={**values, RANGE_METRIC: signal},
        neutral=neutral,
        lifting=before if outward_lifts else after,
        turn=~before & ~after,
        deep=np.nan_to_num(signal, nan=-math.inf) >= halfway,
        lowering=after if outward_lifts else before,
    )


def _range(angle: FloatArray, exercise: Exercise) -> FloatArray:
    """The signal of a rising exercise; how far it has come from the start where it falls (a knee that straightens)."""
    if exercise.signal.rising:
        return angle
    known = angle[np.isfinite(angle)]
    return known[0] - angle if known.size else angle


def _share(seen: BoolArray) -> float:
    return float(seen.mean()) if seen.size else 0.0


def judge_rep(evidence: Evidence, exercise: Exercise, applied: Sequence[AppliedRule]) -> tuple[Outcome, ...]:
    """Apply every rule of an exercise to one repetition or hold."""
    scope = Scope.HOLD if exercise.kind is Kind.HOLD else Scope.REP
    return tuple(_judge(evidence, exercise, item) for item in applied if scope in item.rule.scopes)


def _judge(evidence: Evidence, exercise: Exercise, applied: AppliedRule) -> Outcome:
    rule, limits = applied.rule, applied.limits
    metric = metric_of(rule, exercise)
    sigma = accuracy.sigma(metric, exercise.position, evidence.yaw_deg, evidence.brightness)
    reason = unjudgeable(evidence, exercise, rule)
    finding = None if reason else rule.check(evidence.window, limits)
    if finding is None:
        return outcome_of(evidence, applied, metric, sigma, None, Status.NOT_JUDGED, reason or "could not be measured")
    if rule.max_error is not None and sigma > rule.max_error:
        # The number goes along all the same: the error itself is measured from numbers like it.
        reason = f"the measurement error here, {sigma:.0f} {rule.unit}, is too large to judge it"
        return outcome_of(evidence, applied, metric, sigma, finding, Status.NOT_JUDGED, reason)
    first = limits.caution if limits.caution is not None else limits.fault
    if finding.excused:
        past = first is not None and rule.direction.excess(finding.measured, first) >= 0
        return outcome_of(evidence, applied, metric, sigma, finding, Status.OK, rule.excuse if past else "")
    status = grade(finding.measured, sigma, limits, rule)
    near = first is not None and abs(finding.measured - first) < sigma and status in (Status.CAUTION, Status.NOT_JUDGED)
    return outcome_of(evidence, applied, metric, sigma, finding, status, WITHIN_ERROR if near else "")


def metric_of(rule: Rule, exercise: Exercise) -> str:
    """What a rule measures in this exercise, by its name in `angles.csv` without side."""
    if rule.metric != RANGE_METRIC:
        return rule.metric
    return exercise.signal.metric if exercise.signal.rising else metrics.change_of(exercise.signal.metric)


def grade(measured: float, sigma: float, limits: Limits, rule: Rule) -> Status:
    """Compare a measured value with its limits, as the module's docstring says."""
    excess = rule.direction.excess
    if limits.fault is not None and excess(measured, limits.fault) > sigma:
        return Status.FAULT
    first = limits.caution if limits.caution is not None else limits.fault
    if first is None:
        return Status.OK
    past = excess(measured, first)
    if past >= 0:
        return Status.CAUTION
    return Status.OK if -past > sigma else Status.NOT_JUDGED


def unjudgeable(evidence: Evidence, exercise: Exercise, rule: Rule) -> str:
    """Why a rule cannot be judged in this window; empty when it can."""
    return _wrong_view(evidence, exercise, rule) or _too_little_seen(evidence, rule)


def _wrong_view(evidence: Evidence, exercise: Exercise, rule: Rule) -> str:
    yaw = evidence.yaw_deg
    if yaw > FRONT_VIEW_DEG:
        return "the camera sees the front or the back; turn side-on to it"
    if rule.any_view:
        return ""
    if yaw > exercise.max_yaw_deg:
        return f"the camera is {yaw:.0f} deg off side-on; place it at your side"
    return "" if evidence.near else "this is the far leg, behind the near one; film from the other side to judge it"


def _too_little_seen(evidence: Evidence, rule: Rule) -> str:
    if not evidence.window.rep.complete:
        return CUT_OFF
    for metric in rule.needs:
        if evidence.seen_share[metric] < MIN_SEEN_SHARE:
            part = FOOT if metric in OF_THE_FOOT else LEG
            return UNSEEN.format(part)
        if reason := evidence.why_not.get(metric):
            return reason
    if any(not np.isfinite(evidence.window.values[metric]).any() for metric in rule.needs):
        return "no quiet start position to compare with; begin each clip with two seconds of standing or sitting still"
    return ""


def unjudged(applied: AppliedRule, exercise: Exercise, reason: str) -> Outcome:
    """The outcome of a rule on a clip that has nothing to judge."""
    rule, nan = applied.rule, math.nan
    return Outcome(
        rule=rule.id,
        rep=None,
        side=None,
        status=Status.NOT_JUDGED,
        start_s=nan,
        end_s=nan,
        worst_s=nan,
        metric=metric_of(rule, exercise),
        measured=nan,
        sigma=nan,
        limit=nan,
        unit=rule.unit,
        message="",
        cue="",
        reason=reason,
    )


def outcome_of(
    evidence: Evidence,
    applied: AppliedRule,
    metric: str,
    sigma: float,
    finding: Finding | None,
    status: Status,
    reason: str,
) -> Outcome:
    """What a rule says of a window, put together; without a finding all numbers are NaN."""
    rule, limits, rep = applied.rule, applied.limits, evidence.window.rep
    speaks = status in (Status.CAUTION, Status.FAULT)
    limit = limits.fault if status is Status.FAULT else limits.caution
    if limit is None:
        limit = limits.fault
    return Outcome(
        rule=rule.id,
        rep=rep.number,
        side=rep.side,
        status=status,
        start_s=finding.start_s if finding else rep.start_s,
        end_s=finding.end_s if finding else rep.end_s,
        worst_s=finding.worst_s if finding else math.nan,
        metric=metric,
        measured=finding.measured if finding else math.nan,
        sigma=sigma if finding else math.nan,
        limit=math.nan if limit is None else limit,
        unit=rule.unit,
        message=rule.message if speaks else "",
        cue=applied.cue if speaks else "",
        reason=reason,
    )
