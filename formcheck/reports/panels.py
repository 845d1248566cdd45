"""What the plots show, as numbers: the judged angles over time, their errors, limits, and findings at their moments."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from formcheck import accuracy, metrics
from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.reports.findings import findings_by_rule, moment_s
from formcheck.reports.words import MINUS, signed
from formcheck.rules import RULES
from formcheck.rules.base import Direction
from formcheck.types import Analysis, FloatArray, IntArray, MeasurementTable, Outcome, Rep, Side, Status

# What rules make of an angle on the angle's own scale: its limits belong into the angle's plot.
ON_THE_SCALE_OF = {"lumbar_rounding_deg": "lumbar_flexion_deg", "lumbar_arch_deg": "lumbar_flexion_deg"}
TITLES = {
    "hip_flexion_deg": "Hip: bend",
    "knee_flexion_deg": "Knee: bend (0 = straight)",
    "ankle_dorsiflexion_deg": f"Ankle: + toes pulled up, {MINUS} pointed",
    "trunk_inclination_deg": "Trunk: lean forward",
    "lumbar_flexion_deg": f"Lower back: + rounded, {MINUS} arched",
    "neck_flexion_deg": "Head: + chin to chest",
    "sole_pitch_deg": "Foot: + heel higher than the toes",
    "shank_inclination_deg": "Shin: + knee in front of the ankle",
}
JOINTS = ("hip_flexion_deg", "knee_flexion_deg", "ankle_dorsiflexion_deg")
SAME_MOMENT_SHARE = 0.015  # of the clip: marks nearer than this would lie on one another


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A limit that was applied to an angle, in degrees, and in words."""

    value: float
    direction: Direction
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Findings of one moment: the letters of their rules, the most serious status, where, and in words."""

    time_s: float
    value: float
    letters: str
    status: Status
    text: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One angle over time (n = points).

    Attributes
    ----------
    metric, title : str
    sigma : float
        Standard error in degrees.
    time_s, value : ndarray, shape (n,)
        Only moments at which it was seen.
    part : ndarray of int, shape (n,)
        Consecutive points of one part belong to one line; a gap in what was seen begins another.
    limits : tuple of LimitLine
    marks : tuple of Mark
    """

    metric: str
    title: str
    sigma: float
    time_s: FloatArray
    value: FloatArray
    part: IntArray
    limits: tuple[LimitLine, ...]
    marks: tuple[Mark, ...]


def panels(analysis: Analysis, max_points: int) -> tuple[Panel, ...]:
    """The angles to plot: hip, knee and ankle of the judged leg, and what else a rule of the exercise looked at.

    Parameters
    ----------
    analysis : Analysis
    max_points : int
        Of each angle. Longer clips are thinned so that every peak and dip keeps its height.

    Returns
    -------
    tuple of Panel
        Without those of which nothing was seen.
    """
    exercise = EXERCISES[analysis.report.exercise.name]
    judged = [panel_metric(outcome, exercise) for outcome in analysis.report.outcomes]
    wanted = dict.fromkeys((*JOINTS, *(metric for metric in TITLES if metric in judged)))
    made = (_panel(analysis, exercise, metric, max_points) for metric in wanted)
    return tuple(panel for panel in made if panel.value.size)


def panel_metric(outcome: Outcome, exercise: Exercise) -> str:
    """The angle in whose plot an outcome belongs, without side."""
    absolute = f"{outcome.metric.removesuffix('_change_deg')}_deg"
    for metric in (outcome.metric, absolute):
        if metric in TITLES:
            return metric
    rule = RULES.get(outcome.rule)
    first = rule.needs[0] if rule is not None else ""
    return first if first in TITLES else exercise.signal.metric


def _panel(analysis: Analysis, exercise: Exercise, metric: str, max_points: int) -> Panel:
    report, table = analysis.report, analysis.table
    value, side = judged_values(table, report.reps, metric)
    seen = np.flatnonzero(np.isfinite(value))
    begins = (np.diff(seen, prepend=-2) > 1) | (np.diff(side[seen], prepend=-1) != 0)
    part = np.cumsum(begins)
    kept = thinned(value[seen], part, max_points)
    rows = seen[kept]
    return Panel(
        metric=metric,
        title=TITLES[metric],
        sigma=accuracy.sigma(metric, exercise.position, report.view.yaw_deg, report.view.brightness),
        time_s=table.time_s[rows],
        value=value[rows],
        part=part[kept],
        limits=_limits([item for item in report.outcomes if ON_THE_SCALE_OF.get(item.metric, item.metric) == metric]),
        marks=_marks(analysis, exercise, metric, value),
    )


def judged_values(table: MeasurementTable, reps: Sequence[Rep], metric: str) -> tuple[FloatArray, IntArray]:
    """One metric of the judged leg over a whole clip.

    Parameters
    ----------
    table : MeasurementTable
    reps : sequence of Rep
        Half-way between two repetitions, the leg of the later one takes over. Without any, the leg that faces the
        camera most often counts.
    metric : str
        Without side.

    Returns
    -------
    value : ndarray, shape (n,)
        NaN where unseen.
    side : ndarray of int, shape (n,)
        0 for left, 1 for right.
    """
    sides = list(Side)
    if reps:
        changes = [(before.end_s + after.start_s) / 2 for before, after in itertools.pairwise(reps)]
        order = np.array([sides.index(rep.side) for rep in reps])
        side = order[np.searchsorted(changes, table.time_s)]
    else:
        near = [side for side in table.near_side if side is not None]
        usual = max(sides, key=near.count)
        side = np.full(len(table), sides.index(usual))
    columns = np.stack([table.columns[metrics.column_name(metric, leg)] for leg in sides])
    return columns[side, np.arange(len(table))], side


def thinned(value: FloatArray, part: IntArray, max_points: int) -> IntArray:
    """Rows to keep, in order, at most `max_points` of them.

    Of each stretch of rows the lowest and the highest stay, so that no peak loses its height, and where parts begin
    and end stays where there is room for it.

    Parameters
    ----------
    value : ndarray, shape (n,)
        Without NaN.
    part : ndarray of int, shape (n,)
    max_points : int
        At least 8.
    """
    count = value.size
    if count <= max_points:
        return np.arange(count)
    edges = np.flatnonzero(np.diff(part, prepend=part[0] - 1, append=part[-1] + 1))
    ends = np.unique(np.clip(np.concatenate([edges, edges - 1]), 0, count - 1))
    if ends.size > max_points // 2:
        ends = np.array([0, count - 1])
    stretches = np.array_split(np.arange(count), (max_points - ends.size) // 2)
    lowest = [rows[np.argmin(value[rows])] for rows in stretches]
    highest = [rows[np.argmax(value[rows])] for rows in stretches]
    return np.unique(np.concatenate([ends, lowest, highest]))


def _limits(outcomes: Sequence[Outcome]) -> tuple[LimitLine, ...]:
    """Each limit that was compared with this angle itself, once."""
    lines = {}
    for outcome in outcomes:
        rule = RULES.get(outcome.rule)
        if rule is None or math.isnan(outcome.limit):
            continue
        word = "over" if rule.direction is Direction.ABOVE else "under"
        text = f"{rule.title}: {word} {signed(f'{outcome.limit:g}')}°"
        lines[outcome.rule, outcome.limit] = LimitLine(outcome.limit, rule.direction, text)
    return tuple(sorted(lines.values(), key=lambda line: line.value))


def _marks(analysis: Analysis, exercise: Exercise, metric: str, value: FloatArray) -> tuple[Mark, ...]:
    """The findings that belong to this angle, at their worst moments; those of one moment are one mark."""
    time_s = analysis.table.time_s
    seen = np.flatnonzero(np.isfinite(value))
    if not seen.size:
        return ()
    found = [
        (moment_s(outcome), finding.letter, outcome)
        for finding in findings_by_rule(analysis.report)
        for outcome in finding.outcomes
        if panel_metric(outcome, exercise) == metric and math.isfinite(moment_s(outcome))
    ]
    found.sort(key=lambda item: item[0])
    near_s = SAME_MOMENT_SHARE * float(time_s[-1] - time_s[0])
    groups: list[list[tuple[float, str, Outcome]]] = []
    for item in found:
        if groups and item[0] - groups[-1][0][0] <= near_s:
            groups[-1].append(item)
        else:
            groups.append([item])
    return tuple(_mark(group, time_s, value, seen) for group in groups)


def _mark(group: Sequence[tuple[float, str, Outcome]], time_s: FloatArray, value: FloatArray, seen: IntArray) -> Mark:
    """One mark on the line, at the seen moment nearest to the first finding of the group."""
    row = seen[np.argmin(np.abs(time_s[seen] - group[0][0]))]
    outcomes = [outcome for _, _, outcome in group]
    faulty = any(outcome.status is Status.FAULT for outcome in outcomes)
    letters = " ".join(sorted({letter for _, letter, _ in group}))
    text = "; ".join(dict.fromkeys(outcome.message for outcome in outcomes))
    return Mark(float(time_s[row]), float(value[row]), letters, Status.FAULT if faulty else Status.CAUTION, text)
