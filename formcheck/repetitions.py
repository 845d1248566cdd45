"""The repetitions or holds of one measured stretch: found, and judged one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from formcheck import judging, kinematics, lumbar, metrics, muscles, neutral, reps, roll, silhouette, view
from formcheck.bias import BiasModel
from formcheck.exercises.base import Exercise
from formcheck.geometry import wrap_degrees
from formcheck.judging_sets import Judged
from formcheck.kinematics import Kinematics
from formcheck.lumbar import LumbarModel, Reading
from formcheck.roll import Roll
from formcheck.rules.base import AppliedRule, Window, spread_of
from formcheck.silhouette import Back
from formcheck.types import BoolArray, FloatArray, MeasurementTable, NeutralPose, Phase, PoseTrack, Rep, Side, View

MIN_SHARED_LEAN_DEG = 30.0  # a share of less is made of measurement error


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch in which repetitions were looked for (n = frames).

    Attributes
    ----------
    measured : Kinematics
    found : Segmentation
    at_rest : ndarray of bool, shape (n,)
        Frames outside every repetition, near the rest level.
    view : View
    usual : Side
        The leg to judge where it is not known which one faces the camera.
    lean : Roll
        Of the camera; taken out of the angles where it is certain.
    """

    measured: Kinematics
    found: reps.Segmentation
    at_rest: BoolArray
    view: View
    usual: Side
    lean: Roll


@dataclass(frozen=True, slots=True)
class JudgedReps:
    """The repetitions of a stretch with their outcomes, the angles of every frame, and the usual leg's neutral pose."""

    reps: tuple[Rep, ...]
    judged: tuple[Judged, ...]
    table: MeasurementTable
    neutral: NeutralPose


@dataclass(frozen=True, slots=True)
class Leg:
    """What one leg is judged by: columns, the person's own values at rest, the lower back, and the neutral pose."""

    columns: Mapping[str, FloatArray]
    at_rest: Mapping[str, float]
    back: Reading
    neutral: NeutralPose


def look(raw: PoseTrack, exercise: Exercise, side: Side | None = None, model: BiasModel | None = None) -> Stretch:
    """Measure a raw track, with the camera's lean taken out, and find its repetitions; as for `verdicts.judge`."""
    measured = kinematics.over_window(raw, model)
    usual, found, at_rest = _segment(measured, exercise, side)
    lean = roll.estimate(measured.track, measured.near_sign, measured.yaw_deg, at_rest, exercise.position)
    if lean.certain:
        measured = kinematics.over_window(raw, model, lean.deg)
        usual, found, at_rest = _segment(measured, exercise, side)
    seen_from = view.assess(measured.levelled, measured.yaw_deg, at_rest, exercise.max_yaw_deg)
    seen_from = replace(seen_from, roll_deg=lean.deg, roll_sigma_deg=lean.sigma_deg, brightness=raw.brightness)
    return Stretch(measured, found, at_rest, seen_from, usual, lean)


def _segment(measured: Kinematics, exercise: Exercise, side: Side | None) -> tuple[Side, reps.Segmentation, BoolArray]:
    """The usual near side, the repetitions, and the frames outside them in which the person rests."""
    usual = side or view.side_of(float(np.sign(measured.near_sign.sum()))) or Side.RIGHT
    signal, time_s = exercise.signal, measured.track.time_s
    counted = measured.signal(signal.metric, side) if side else measured.near_signal(signal.metric, usual)
    angle = signal.towards_turn(counted)
    found = reps.segment(time_s, angle, signal.enter_deg, signal.leave_deg, signal.min_s)
    found = reps.without_getting_into_place(found, time_s, angle, _other_joints(measured, usual, signal.metric))
    return usual, found, _rest_frames(time_s, angle, found.bounds)


def _other_joints(measured: Kinematics, side: Side, signal_metric: str) -> list[FloatArray]:
    """The angles that tell two movements apart which the signal alone does not."""
    names = ("knee_flexion_deg", "hip_flexion_deg", "trunk_inclination_deg")
    return [measured.columns[metrics.column_name(metric, side)] for metric in names if metric != signal_metric]


def judge(
    stretch: Stretch,
    chosen: Sequence[reps.Bounds],
    exercise: Exercise,
    applied: Sequence[AppliedRule],
    side: Side | None = None,
    back: LumbarModel | None = None,
    first_number: int = 1,
) -> JudgedReps:
    """Judge the chosen ones of the repetitions that were found; parameters as for `verdicts.judge`."""
    measured = stretch.measured
    time_s = measured.track.time_s
    outline = silhouette.dorsal(measured.track, measured.near_sign)
    by_side = {leg: _with_neutral(measured, leg, stretch.at_rest, outline, back) for leg in Side}
    finished: list[Rep] = []
    judged: list[Judged] = []
    for number, bounds in enumerate(chosen, start=first_number):
        # people turn around between repetitions
        leg = side or measured.facing(bounds.start_s, bounds.end_s) or stretch.usual
        own = by_side[leg]
        times = (bounds.start_s, bounds.turn_s, bounds.end_s, bounds.turn_start_s, bounds.turn_end_s)
        rep = Rep(number, leg, *times, complete=bounds.complete)
        evidence = judging.gather(measured, rep, exercise, own.columns, own.at_rest, own.back)
        inside = (time_s >= rep.start_s) & (time_s <= rep.end_s)
        numbers = {**summary(evidence.window, exercise), **_back_summary(evidence.window, own.back, inside)}
        numbers |= muscles.at_turn(numbers)
        finished.append(replace(rep, metrics=numbers))
        judged.append(Judged(evidence, judging.judge_rep(evidence, exercise, applied)))
    usual = by_side[stretch.usual]
    table = replace(measured, columns=usual.columns).table()
    return JudgedReps(tuple(finished), tuple(judged), table, usual.neutral)


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
) -> Leg:
    """Measure against the person's own neutral: lower back and neck from it, the ankle with its offset removed.

    The neutral is the median over the rest frames (of the back: the frames nearest to rest in which it was seen; of the
    ankle: see `formcheck.neutral`); without any, lower back and neck stay NaN, and the ankle as it is.
    """
    pose = neutral.find(measured, side, at_rest)
    columns = neutral.removed(measured.columns, pose, measured.near_sign)
    names = judging.metric_names(side)
    own = {metric: _median(columns[column][at_rest]) for metric, column in names.items()}
    columns["neck_flexion_deg"] = columns["neck_flexion_deg"] - own["neck_flexion_deg"]
    bend, lean = _bend(columns, names, own), columns["trunk_inclination_deg"]
    reading = lumbar.read(outline, bend, lean, at_rest, _median(measured.yaw_deg), model)
    columns["lumbar_flexion_deg"] = reading.flexion_deg
    return Leg(columns, own, reading, pose)


def _bend(columns: Mapping[str, FloatArray], names: Mapping[str, str], at_rest: Mapping[str, float]) -> FloatArray:
    """How far trunk or hip is from rest, degrees, whichever is further: a trunk can lean over a leg that goes back."""
    moved = [
        np.abs(wrap_degrees(columns[names[metric]] - at_rest[metric]))
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
