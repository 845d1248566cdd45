"""What changed over the sessions, and whether the camera can tell.

A number is called changed only beyond what the measurement error alone can do. For two sessions that is the minimal
detectable change of reliability studies, 1.96 * sqrt(2) * SEM (Weir 2005, J Strength Cond Res 19:231), here as
1.96 * sqrt(error_1**2 + error_2**2) since each session has its own error. An error has two parts:

- *systematic*: the standard error of the error tables. Most of it is an offset that belongs to a person, a position
  and a camera, so the mean over the repetitions of a session does not make it smaller. Some of it is the same in each
  session of one person at one place and would cancel in a difference; how much has not been measured, so nothing is
  taken off. That makes these statements too careful rather than too bold.
- *scatter*: how much the repetitions of a session differ, as the standard error of their mean.

For more sessions the change is that of a straight line, fitted with weights 1 / error**2, between the first and the
last. More sessions make its scatter smaller, but not its systematic part: as the worst case, all sessions before some
day share one offset (one place of the camera) and all after it another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.explain import exercise_limits
from formcheck.history.records import Session
from formcheck.rules import RULES
from formcheck.rules.base import Direction
from formcheck.types import FloatArray, Kind, Outcome, Side

CONFIDENCE = 1.96  # standard errors: 95 % of what a normal error does lies within
MIN_REPS = 2  # fewer repetitions say how one of them went, not the session
DAY_S = 86400.0

# What each rule's number is called when it is followed over time. A rule that is not here goes by its title.
TITLES = {
    "locked-knees": "Knee bend where the knee is straightest",
    "excessive-dorsiflexion": "Toes pulled up, at most",
    "rounded-lower-back": "Rounding of the lower back, at most",
    "hinge-from-hips": "Share of the bend that the hips do",
    "knees-bending": "Knee bend at the turn",
    "hips-rise-first": "Rise of the trunk when the knees are nearly straight",
    "ankle-not-neutral": "Ankle away from neutral, at most",
    "missing-plantarflexion": "Ankle while curling (below 0: toes pointed)",
    "short-range": "Range",
    "hips-lifting": "Hips lifting off the bench",
    "hips-hinging": "Bend at the hips",
    "arched-lower-back": "Arch of the lower back (below 0: hollow)",
    "knee-not-straight": "Knee bend",
    "knee-not-bent": "Knee bend",
    "heel-lift": "Heel lift",
    "neck-flexion": "Head dropped, at most",
    "bouncing": "Bounces in a hold",
    "short-hold": "Length of the hold",
    "held-not-moving": "Time held at the end",
    "left-right-difference": "Difference between the legs",
    "fatigue": "Fall towards the end of the set",
}
TEMPO = {"lifting_s": "Time of lifting", "lowering_s": "Time of lowering"}
# Told by the tempo itself; what is information, not form; and what is made of other rules' findings.
LEFT_OUT = frozenset({"momentum", "fast-lowering", "neural-load", "reduce-the-load"})


@dataclass(frozen=True, slots=True)
class Point:
    """One number of one session: the mean over `count` repetitions, with both parts of its standard error."""

    session: int
    when: datetime
    value: float
    systematic: float
    scatter: float
    count: int
    weight_kg: float | None

    @property
    def error(self) -> float:
        """Standard error of `value`."""
        return math.hypot(self.systematic, self.scatter)


@dataclass(frozen=True, slots=True)
class Series:
    """One number of one exercise and side over the sessions, oldest first.

    Attributes
    ----------
    key : str
        The rule behind it, or the repetitions' metric.
    title, unit : str
    direction : Direction or None
        On which side of `limit` the number becomes a problem; None where neither side is one.
    limit : float
        The first limit of the rule in this exercise; NaN without one.
    """

    exercise: str
    side: Side | None
    key: str
    title: str
    unit: str
    direction: Direction | None
    limit: float
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """How a number changed between two times.

    Attributes
    ----------
    before, after : float
    detectable : float
        The change that the measurement error alone stays below, in 95 of 100 cases.
    better : bool or None
        Towards the good side out of the bad one, or the other way round; None where it is neither.
    sessions : int
        How many sessions it rests on.
    """

    before: float
    after: float
    detectable: float
    better: bool | None
    sessions: int

    @property
    def difference(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def real(self) -> bool:
        """Whether the change is larger than what the measurement error does."""
        return abs(self.difference) > self.detectable


def series_of(sessions: Iterable[Session], exercise_id: str) -> tuple[Series, ...]:
    """What can be followed over the sessions of one exercise, side by side.

    Parameters
    ----------
    sessions : iterable of Session
        In any order; those of other exercises are left out.
    exercise_id : str

    Returns
    -------
    tuple of Series
        In the order of the exercise's rules, then the tempo; only those with a number. Empty for an exercise that
        this version does not know.
    """
    exercise = EXERCISES.get(exercise_id)
    if exercise is None:
        return ()
    of_exercise = sorted((item for item in sessions if item.exercise == exercise_id), key=lambda item: item.when)
    found = []
    for side in Side:
        for use in exercise.rules:
            if use.rule not in LEFT_OUT:
                points = [point for item in of_exercise if (point := _rule_point(item, use.rule, side, exercise))]
                rule, limits = RULES[use.rule], exercise_limits(RULES[use.rule], use)
                limit = limits.caution if limits.caution is not None else limits.fault
                title = TITLES.get(rule.id, rule.title)
                bounds = (rule.direction, math.nan if limit is None else limit)
                found.append(Series(exercise_id, side, rule.id, title, rule.unit, *bounds, tuple(points)))
        for name, title in TEMPO.items() if exercise.kind is Kind.REPS else ():
            points = [point for item in of_exercise if (point := _tempo_point(item, name, side))]
            found.append(Series(exercise_id, side, name, title, "s", None, math.nan, tuple(points)))
    return tuple(series for series in found if series.points)


def _rule_point(session: Session, rule: str, side: Side, exercise: Exercise) -> Point | None:
    measured = [
        outcome
        for outcome in session.report.outcomes
        if outcome.rule == rule and outcome.side is side and math.isfinite(outcome.measured)
    ]
    least = 1 if exercise.kind is Kind.HOLD or any(outcome.rep is None for outcome in measured) else MIN_REPS
    return _point(session, [item.measured for item in measured], _sigma(measured), least)


def _sigma(measured: Sequence[Outcome]) -> float:
    known = [outcome.sigma for outcome in measured if math.isfinite(outcome.sigma)]
    return max(known) if known else math.nan


def _tempo_point(session: Session, name: str, side: Side) -> Point | None:
    times = [rep.metrics.get(name, math.nan) for rep in session.report.reps if rep.side is side and rep.complete]
    known = [time for time in times if math.isfinite(time)]
    return _point(session, known, session.errors.get(name, math.nan), MIN_REPS)


def _point(session: Session, values: Sequence[float], systematic: float, least: int) -> Point | None:
    """The mean of a session's values; None when they are too few, or nothing is known of their error."""
    count = len(values)
    if count < least or not math.isfinite(systematic):
        return None
    scatter = float(np.std(values, ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    return Point(session.id, session.when, float(np.mean(values)), systematic, scatter, count, session.weight_kg)


def between(series: Series, first: Point, second: Point) -> Change:
    """The change from one session to another."""
    detectable = CONFIDENCE * math.hypot(first.error, second.error)
    return Change(first.value, second.value, detectable, _better(series, first.value, second.value), 2)


def compare(first: Session, second: Session) -> tuple[tuple[Series, Change], ...]:
    """What can be compared between two sessions of one exercise: each number that both have, and its change.

    Parameters
    ----------
    first, second : Session
        In this order, whichever came first. Two exercises, or two sides, have nothing in common: empty.
    """
    found = []
    for series in series_of((first, second), first.exercise):
        point_of = {point.session: point for point in series.points}
        if first.id in point_of and second.id in point_of:
            found.append((series, between(series, point_of[first.id], point_of[second.id])))
    return tuple(found)


def trend(series: Series) -> Change | None:
    """The change along a straight line through all sessions; None with fewer than two, or all at one time.

    The method is in the module's docstring.
    """
    points = series.points
    if len(points) < 2:
        return None
    days = np.array([point.when.timestamp() / DAY_S for point in points])
    values = np.array([point.value for point in points])
    errors = np.array([point.error for point in points])
    weights = 1.0 / np.maximum(errors, 1e-9) ** 2
    middle = float(np.average(days, weights=weights))
    spread = float(np.sum(weights * (days - middle) ** 2))
    span = float(days[-1] - days[0])
    if span <= 0 or spread <= 0:
        return None
    # The change over the whole time is a weighted sum of the values: change = sum(shares * values).
    shares = span * weights * (days - middle) / spread
    slope = float(np.sum(shares * values)) / span
    line = float(np.average(values, weights=weights)) + slope * (days - middle)
    detectable = CONFIDENCE * _line_error(points, shares, values - line)
    before, after = float(line[0]), float(line[-1])
    return Change(before, after, detectable, _better(series, before, after), len(points))


def _line_error(points: Sequence[Point], shares: FloatArray, rest: FloatArray) -> float:
    """Standard error of the change along the line; `rest` is what the line leaves of each value."""
    scatter = np.array([point.scatter for point in points])
    systematic = np.array([point.systematic for point in points])
    if len(points) > 2:  # people differ from day to day by more than their repetitions do
        scatter = np.maximum(scatter, math.sqrt(float(np.sum(rest**2)) / (len(points) - 2)))
    early, late = shares < 0, shares >= 0
    one_place, another = (float(np.sum((shares * systematic)[part])) for part in (early, late))
    return math.sqrt(float(np.sum((shares * scatter) ** 2)) + one_place**2 + another**2)


def _better(series: Series, before: float, after: float) -> bool | None:
    if series.direction is None or math.isnan(series.limit):
        return None
    past_before, past_after = (series.direction.excess(value, series.limit) for value in (before, after))
    if max(past_before, past_after) <= 0:
        return None  # well on the good side: more of it is not better
    return past_after < past_before


def change_text(series: Series, change: Change) -> str:
    """One plain sentence about a change: how much, and whether it is one that the camera can tell."""
    unit = "%" if series.unit == "%" else f" {series.unit}"
    decimals = 1 if series.unit == "s" else 0
    size, floor = f"{abs(change.difference):.{decimals}f}{unit}", f"{change.detectable:.{decimals}f}{unit}"
    if not change.real:
        return f"No change that the camera can tell. It would have to be more than {floor}."
    way = "more" if change.difference > 0 else "less"
    verdict = {True: ", for the better", False: ", for the worse", None: ""}[change.better]
    since = "before" if change.sessions == 2 else "at the start"
    return f"A real change{verdict}: {size} {way} than {since}, beyond the {floor} of measurement error."
