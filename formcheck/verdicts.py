"""From a finished track of poses to repetitions, outcomes and warnings.

This is the only place where verdicts are made: over a whole recording, or, in a live session, over what was seen until
a repetition ended.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from formcheck import judging, judging_sets, kinematics, lumbar, metrics, muscles, reps, roll, shots, silhouette, view
from formcheck.bias import BiasModel
from formcheck.exercises.base import Exercise
from formcheck.geometry import wrap_degrees
from formcheck.kinematics import Kinematics
from formcheck.lumbar import LumbarModel, Reading
from formcheck.rules.base import AppliedRule, Window, spread_of
from formcheck.silhouette import Back
from formcheck.types import (
    BoolArray,
    FloatArray,
    Kind,
    MeasurementTable,
    Outcome,
    Phase,
    PoseTrack,
    Rep,
    Side,
    View,
)

MIN_SHARED_LEAN_DEG = 30.0  # a share of less is made of measurement error
MIN_FOUND_FRACTION = 0.9  # below this a clip has too little of the person to be trusted silently
LEANS = "the camera leans by {:.0f} deg; that has been taken out of the angles (set it upright next time)"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a finished stretch of poses says."""

    view: View
    reps: tuple[Rep, ...]
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...]
    table: MeasurementTable
    track: PoseTrack


def judge(
    track: PoseTrack,
    exercise: Exercise,
    applied: Sequence[AppliedRule],
    side: Side | None = None,
    cuts_s: Sequence[float] = (),
    model: BiasModel | None = None,
    back: LumbarModel | None = None,
) -> Verdict:
    """Find and judge every repetition or hold in a finished track.

    Parameters
    ----------
    track : PoseTrack
        Raw, as estimated.
    exercise : Exercise
    applied : sequence of AppliedRule
    side : Side or None
        The leg to judge; None judges the near one.
    cuts_s : sequence of float
        Times of the first frame after each hard cut. Each shot between them is judged on its own.
    model : BiasModel or None
        The landmarks' systematic error, to be removed; None removes nothing.
    back : LumbarModel or None
        From the outline of the back to lumbar flexion; None takes the shipped one.
    """
    parts = [judge_shot(shot, exercise, applied, side, model, back) for shot in shots.split(track, cuts_s)]
    return parts[0] if len(parts) == 1 else _join(parts)


def judge_shot(
    track: PoseTrack,
    exercise: Exercise,
    applied: Sequence[AppliedRule],
    side: Side | None = None,
    model: BiasModel | None = None,
    back: LumbarModel | None = None,
) -> Verdict:
    """Find and judge every repetition or hold in one shot; parameters as for `judge`."""
    measured = kinematics.over_window(track, model)
    if len(track) == 0 or not np.isfinite(track.image_px).any():
        nobody = "nobody was found in the clip; film the whole body in good light"
        empty = View(math.nan, None, False, False, nobody)
        return Verdict(empty, (), _all_unjudged(applied, exercise, nobody), (nobody,), measured.table(), measured.track)
    if reason := shots.unusable(track):
        refused = View(math.nan, None, False, False, reason)
        return Verdict(
            refused, (), _all_unjudged(applied, exercise, reason), (reason,), measured.table(), measured.track
        )
    usual, found, at_rest = _segment(measured, exercise, side)
    lean = roll.estimate(measured.track, measured.near_sign, measured.yaw_deg, at_rest, exercise.position)
    if lean.certain:
        measured = kinematics.over_window(track, model, lean.deg)
        usual, found, at_rest = _segment(measured, exercise, side)
    seen_from = view.assess(measured.levelled, measured.yaw_deg, at_rest, exercise.max_yaw_deg)
    seen_from = replace(seen_from, roll_deg=lean.deg, roll_sigma_deg=lean.sigma_deg)
    outline = silhouette.dorsal(measured.track, measured.near_sign)
    by_side = {leg: _with_neutral(measured, leg, at_rest, outline, back) for leg in Side}
    finished: list[Rep] = []
    outcomes: list[Outcome] = []
    judged: list[judging_sets.Judged] = []
    for number, bounds in enumerate(found.bounds, start=1):
        leg = side or measured.facing(bounds.start_s, bounds.end_s) or usual  # people turn around between repetitions
        columns, neutral, lower_back = by_side[leg]
        times = (bounds.start_s, bounds.turn_s, bounds.end_s, bounds.turn_start_s, bounds.turn_end_s)
        rep = Rep(number, leg, *times, complete=bounds.complete)
        evidence = judging.gather(measured, rep, exercise, columns, neutral, lower_back)
        inside = (track.time_s >= rep.start_s) & (track.time_s <= rep.end_s)
        numbers = {**summary(evidence.window, exercise), **_back_summary(evidence.window, lower_back, inside)}
        numbers |= muscles.at_turn(numbers)
        finished.append(replace(rep, metrics=numbers))
        judged.append(judging_sets.Judged(evidence, judging.judge_rep(evidence, exercise, applied)))
        outcomes.extend(judged[-1].outcomes)
    outcomes.extend(judging_sets.judge_set(judged, exercise, applied))
    warnings = _warnings(exercise, found, seen_from, track)
    if lean.certain:
        warnings = (*warnings, LEANS.format(abs(lean.deg)))
    if not found.bounds:
        begun = found.begun_until_s
        nothing = _none_found(exercise) if begun is None else _begun_before(exercise, begun)
        outcomes.extend(_all_unjudged(applied, exercise, seen_from.reason or nothing))
    table = replace(measured, columns=by_side[usual][0]).table()
    return Verdict(seen_from, tuple(finished), tuple(outcomes), warnings, table, measured.track)


def _segment(measured: Kinematics, exercise: Exercise, side: Side | None) -> tuple[Side, reps.Segmentation, BoolArray]:
    """The usual near side, the repetitions, and the frames outside them in which the person rests."""
    usual = side or view.side_of(float(np.sign(measured.near_sign.sum()))) or Side.RIGHT
    signal, time_s = exercise.signal, measured.track.time_s
    counted = measured.signal(signal.metric, side) if side else measured.near_signal(signal.metric, usual)
    angle = signal.towards_turn(counted)
    found = reps.segment(time_s, angle, signal.enter_deg, signal.leave_deg, signal.min_s)
    found = reps.without_getting_into_place(found, time_s, angle, _other_joints(measured, usual, signal.metric))
    return usual, found, _rest_frames(time_s, angle, found.bounds)


def _join(parts: Sequence[Verdict]) -> Verdict:
    """Put the verdicts of shots together: repetitions numbered through, what could not be judged with its time span."""
    any_rep = any(part.reps for part in parts)
    finished: list[Rep] = []
    outcomes: list[Outcome] = []
    cuts = [float(part.track.time_s[0]) for part in parts[1:]]
    warnings = [f"the clip has cuts, at {_seconds(cuts)}; each part between them was judged on its own"]
    if all(_duration_s(part) < shots.MIN_SHOT_S and not part.reps for part in parts):
        shown = [max(parts, key=_duration_s)]  # nothing but moments: that nothing was judged must still be said
    else:
        shown = [part for part in parts if part.reps or not _is_passed_over(part, any_rep)]
    warnings.extend(_warnings_of_parts(shown))
    for part in shown:
        start_s, end_s = float(part.track.time_s[0]), float(part.track.time_s[-1])
        for outcome in part.outcomes:
            number = None if outcome.rep is None else outcome.rep + len(finished)
            spanned = outcome if math.isfinite(outcome.start_s) else replace(outcome, start_s=start_s, end_s=end_s)
            outcomes.append(replace(spanned, rep=number))
        finished.extend([replace(rep, number=rep.number + len(finished)) for rep in part.reps])
    best = max(parts, key=lambda part: (len(part.reps), part.view.usable, len(part.track)))
    names = parts[0].table.columns
    table = MeasurementTable(
        np.concatenate([part.table.time_s for part in parts]),
        tuple(side for part in parts for side in part.table.near_side),
        {name: np.concatenate([part.table.columns[name] for part in parts]) for name in names},
    )
    track = shots.join([part.track for part in parts])
    return Verdict(best.view, tuple(finished), tuple(outcomes), tuple(warnings), table, track)


def _warnings_of_parts(parts: Sequence[Verdict]) -> list[str]:
    """Each warning once, with the time spans of all the parts that it holds for, in order of the first."""
    spans: dict[str, list[str]] = {}
    for part in parts:
        span = f"{float(part.track.time_s[0]):.1f} to {float(part.track.time_s[-1]):.1f}"
        for text in part.warnings:
            spans.setdefault(text, []).append(span)
    return [f"{', '.join(where)} s: {text}" for text, where in spans.items()]


def _duration_s(part: Verdict) -> float:
    return float(part.track.time_s[-1] - part.track.time_s[0])


def _is_passed_over(part: Verdict, any_rep: bool) -> bool:
    """Whether a shot without repetitions is a pause, or a moment between two cuts."""
    return _duration_s(part) < shots.MIN_SHOT_S or (part.view.usable and any_rep)


def _seconds(times: Sequence[float]) -> str:
    return ", ".join(f"{moment:.1f}" for moment in times) + " s"


def _what(exercise: Exercise) -> str:
    return "hold" if exercise.kind is Kind.HOLD else "repetition"


def _begun_before(exercise: Exercise, until_s: float) -> str:
    return (
        f"the clip begins in the middle of a {_what(exercise)}; what comes before {until_s:.1f} s is not counted "
        "(begin each clip with two seconds of rest)"
    )


def _none_found(exercise: Exercise) -> str:
    what = _what(exercise)
    return f"no {what} of {exercise.id} was seen; is it the right exercise, and is all of it in the clip?"


def _warnings(exercise: Exercise, found: reps.Segmentation, seen_from: View, track: PoseTrack) -> tuple[str, ...]:
    warnings = [seen_from.reason] if seen_from.reason else []
    if found.begun_until_s is not None:
        warnings.append(_begun_before(exercise, found.begun_until_s))
    elif not found.bounds:
        warnings.append(_none_found(exercise))
    warnings.extend(
        f"the clip ends inside a repetition at {moment:.1f} s; it is not counted" for moment in found.cut_off_s
    )
    fraction = float(np.isfinite(track.image_px[:, 0, 0]).mean())
    if fraction < MIN_FOUND_FRACTION:
        warnings.append(f"the person was found in only {100 * fraction:.0f} % of the frames")
    return tuple(warnings)


def _all_unjudged(applied: Sequence[AppliedRule], exercise: Exercise, reason: str) -> tuple[Outcome, ...]:
    return tuple(judging.unjudged(item, exercise, reason) for item in applied)


def _other_joints(measured: Kinematics, side: Side, signal_metric: str) -> list[FloatArray]:
    """The angles that tell two movements apart which the signal alone does not."""
    names = ("knee_flexion_deg", "hip_flexion_deg", "trunk_inclination_deg")
    return [measured.columns[metrics.column_name(metric, side)] for metric in names if metric != signal_metric]


def _rest_frames(time_s: FloatArray, angle: FloatArray, bounds: Sequence[reps.Bounds]) -> BoolArray:
    """Frames outside every repetition, with the judged angle near its rest level."""
    outside = np.ones(len(time_s), dtype=bool)
    for span in bounds:
        outside &= (time_s < span.start_s) | (time_s > span.end_s)
    if not bounds:
        return outside
    whole = [span for span in bounds if span.complete] or bounds  # one that is cut off has not shown its rest level
    rest = float(np.median([span.rest_deg for span in whole]))
    size = float(np.median([span.turn_deg - span.rest_deg for span in whole]))
    return np.asarray(outside & (np.abs(angle - rest) < 0.25 * size))


def _with_neutral(
    measured: Kinematics, side: Side, at_rest: BoolArray, outline: Back, model: LumbarModel | None
) -> tuple[dict[str, FloatArray], dict[str, float], Reading]:
    """Fill in what is measured against the person's own neutral: lower back and neck.

    The neutral is the median over the rest frames (of the back: the frames nearest to rest in which it was seen);
    without any, both stay NaN.
    """
    columns = dict(measured.columns)
    names = judging.metric_names(side)
    neutral = {metric: _median(columns[column][at_rest]) for metric, column in names.items()}
    columns["neck_flexion_deg"] = columns["neck_flexion_deg"] - neutral["neck_flexion_deg"]
    bend, lean = _bend(columns, names, neutral), columns["trunk_inclination_deg"]
    reading = lumbar.read(outline, bend, lean, at_rest, _median(measured.yaw_deg), model)
    columns["lumbar_flexion_deg"] = reading.flexion_deg
    return columns, neutral, reading


def _bend(columns: Mapping[str, FloatArray], names: Mapping[str, str], neutral: Mapping[str, float]) -> FloatArray:
    """How far trunk or hip is from rest, degrees, whichever is further: a trunk can lean over a leg that goes back."""
    moved = [
        np.abs(wrap_degrees(columns[names[metric]] - neutral[metric]))
        for metric in ("trunk_inclination_deg", "hip_flexion_deg")
    ]
    return np.fmax(*moved)


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else math.nan


def summary(window: Window, exercise: Exercise) -> Mapping[str, float]:
    """Numbers that describe one repetition: angles at the turn, ranges, and the tempo in seconds."""
    rep = window.rep
    outward_s, back_s = rep.turn_start_s - rep.start_s, rep.end_s - rep.turn_end_s
    lifts = exercise.outward is Phase.LIFTING
    numbers = {
        "lifting_s": outward_s if lifts else back_s,
        "turn_s": rep.turn_end_s - rep.turn_start_s,
        "lowering_s": back_s if lifts else outward_s,
    }
    numbers["range_deg"] = spread_of(window.values[judging.RANGE_METRIC])
    for metric in (*metrics.SIDED_METRICS, *metrics.MIDLINE_METRICS):
        values = window.values[metric]
        name = metric.removesuffix("_deg")
        known = values[np.isfinite(values)]
        numbers[f"{name}_min_deg"] = float(known.min()) if known.size else math.nan
        numbers[f"{name}_max_deg"] = float(known.max()) if known.size else math.nan
        numbers[f"{name}_at_turn_deg"] = _median(values[window.turn])
    return numbers


def _back_summary(window: Window, reading: Reading, inside: BoolArray) -> Mapping[str, float]:
    """The back of one repetition: its outline at rest and at the turn, and what the bend at the hip is made of."""
    turn = np.flatnonzero(inside)[window.turn]
    flexion = _median(reading.flexion_deg[turn])
    lean = _median(window.values["trunk_inclination_deg"][window.turn])
    hip = _median(window.values["hip_flexion_deg"][window.turn])
    return {
        "back_offset_at_rest_percent": reading.neutral_offset,
        "back_offset_at_turn_percent": reading.neutral_offset + _median(reading.offset[turn]),
        "back_bow_at_rest_percent": reading.neutral_bow,
        "back_bow_at_turn_percent": reading.neutral_bow + _median(reading.bow[turn]),
        "hip_flexion_without_back_at_turn_deg": hip - flexion,
        "hip_share_at_turn_percent": 100.0 * (1.0 - flexion / lean) if lean >= MIN_SHARED_LEAN_DEG else math.nan,
    }
