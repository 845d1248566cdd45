"""Named cases as data: one TOML table per rule (windows) and per exercise (whole clips).

A rule's case gives the metrics of one repetition as (seconds, degrees) points, straight lines in between, over a
window that goes out for 1.5 s, stays at the turn for 1 s and comes back in 1.5 s. An exercise's case gives joint
angles at rest and at the turn for `synthetic.repetitions`, and what every rule must say of every repetition. Both are
judged with the standard error `SIGMA_DEG`, so that they stay valid when the measured accuracy changes.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import synthetic

from formcheck import metrics
from formcheck.config import Settings
from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.judging import RANGE_METRIC, Evidence
from formcheck.pipeline import applied_rules
from formcheck.rules import RULES
from formcheck.rules.base import AppliedRule, Window
from formcheck.types import Phase, Pose, Rep, Side

SIGMA_DEG = 2.0
SIGMA_SMALL = 0.1  # of times in seconds and of counts
FOLDER = Path(__file__).parent
OUT_S, TURN_S, BACK_S, FPS = 1.5, 1.0, 1.5, 30.0
SHORT = {"still_s": 1.5, "pause_s": 0.6}  # clips no longer than they need to be
METRICS = (*metrics.SIDED_METRICS, *metrics.MIDLINE_METRICS, RANGE_METRIC)


def sigma(metric: str, position: object = None, yaw_deg: float = 0.0, brightness: float = 120.0) -> float:
    """A standard error to judge the cases with, in place of the measured table."""
    del position, yaw_deg, brightness
    return SIGMA_SMALL if metric.endswith("_s") or metric == "reversals" else SIGMA_DEG


@dataclass(frozen=True)
class RuleCase:
    """One window and what its rule must say of it."""

    rule: str
    name: str
    expect: str
    values: Mapping[str, Any]
    measured: float | None = None
    reason: str = ""
    exercise: str | None = None
    yaw_deg: float = 0.0
    complete: bool = True
    seen: Mapping[str, float] = field(default_factory=dict)
    way_s: Mapping[str, float] = field(default_factory=dict)  # durations other than those of the usual window

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"


@dataclass(frozen=True)
class ExerciseCase:
    """One synthetic clip and what each rule must say of each repetition in it."""

    exercise: str
    name: str
    rest: Mapping[str, float]
    turn: Mapping[str, float]
    expect: Mapping[str, str]
    reps: int = 2
    reason: Mapping[str, str] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)
    shot: Mapping[str, Any] = field(default_factory=dict)
    hide: tuple[int, ...] = ()
    lose: tuple[tuple[float, float], ...] = ()
    keep_s: tuple[float, float] = (0.0, 1e9)
    bounce: Mapping[str, Any] = field(default_factory=dict)
    back_by: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.exercise}: {self.name}"

    def film(self, **changes: object) -> list[Pose]:
        """The clip; `changes` are further fields of its `Shot`."""
        keys = synthetic.repetitions(self.rest, self.turn, **{**SHORT, "count": self.reps, **self.timing})  # type: ignore[arg-type]
        if self.bounce:
            keys = self._bounced(keys)
        if self.back_by:
            keys = self._detoured(keys)
        how = {"position": EXERCISES[self.exercise].position, "fps": 25.0, **self.shot, **changes}
        poses = synthetic.film(keys, **how)
        poses = synthetic.lose(synthetic.hide(poses, self.hide), self.lose)
        return [pose for pose in poses if self.keep_s[0] <= pose.time_s <= self.keep_s[1]]

    def _bounced(self, keys: list[synthetic.Key]) -> list[synthetic.Key]:
        """The same single hold, left a little and entered again `times` times, each within `each_s` seconds."""
        out, away = keys[:3], {**self.turn, **self.bounce["to"]}
        for _ in range(self.bounce["times"]):
            for angles in (away, self.turn):
                out.append(synthetic.Key(out[-1].time_s + self.bounce["each_s"] / 2, **angles))
        late = out[-1].time_s - keys[2].time_s
        return out + [replace(key, time_s=key.time_s + late) for key in keys[3:]]

    def _detoured(self, keys: list[synthetic.Key]) -> list[synthetic.Key]:
        """The same, with each way back leading through another posture at `share` of its time."""
        angles = {name: value for name, value in self.back_by.items() if name != "share"}
        detoured = keys[:1]
        for before, after in itertools.pairwise(keys):
            way_back = before.hip == self.turn["hip"] and after.hip == self.rest["hip"]
            if way_back:
                time_s = before.time_s + self.back_by["share"] * (after.time_s - before.time_s)
                detoured.append(synthetic.Key(time_s, **angles))
            detoured.append(after)
        return detoured


def _tables(folder: str) -> list[tuple[str, Mapping[str, Any]]]:
    found = []
    for path in sorted((FOLDER / folder).glob("*.toml")):
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        found.extend((path.stem, {**document.get("default", {}), **case}) for case in document["case"])
    return found


def rule_cases() -> list[RuleCase]:
    """Every case of every rule."""
    return [RuleCase(rule=name, **case) for name, case in _tables("rules")]


def exercise_cases() -> list[ExerciseCase]:
    """Every case of every exercise."""
    cases = []
    for name, table in _tables("exercises"):
        fields = dict(table)
        for key in ("rest", "turn"):  # what a case names is added to the file's default posture
            fields[key] = {**table.get(f"{key}_posture", {}), **table.get(key, {})}
            fields.pop(f"{key}_posture", None)
        fields["expect"] = {**fields.pop("expect_posture", {}), **fields["expect"]}
        if "all" in fields["expect"]:
            fields["expect"] = dict.fromkeys(window_rules(EXERCISES[name]), fields["expect"]["all"])
        cases.append(ExerciseCase(exercise=name, **fields))
    return cases


def window_rules(exercise: Exercise) -> list[str]:
    """The rules of an exercise that judge repetitions or holds, and not whole sets."""
    return [use.rule for use in exercise.rules if RULES[use.rule].check_set is None]


def exercise_of(rule: str) -> Exercise:
    """The first exercise that applies a rule."""
    return next(exercise for exercise in EXERCISES.values() if exercise.rule_use(rule) is not None)


def applied(exercise: Exercise, rule: str) -> AppliedRule:
    """A rule as an exercise applies it."""
    return next(item for item in applied_rules(exercise, Settings()) if item.rule.id == rule)


def window_of(
    values: Mapping[str, Any],
    outward: Phase = Phase.LIFTING,
    complete: bool = True,
    neutral: Mapping[str, float] | None = None,
    way_s: Mapping[str, float] | None = None,
) -> Window:
    """A window from points (or one constant) per metric; metrics not named are NaN."""
    spans = {"out": OUT_S, "turn": TURN_S, "back": BACK_S, **(way_s or {})}
    turns, leaves, ends = spans["out"], spans["out"] + spans["turn"], sum(spans.values())
    times = np.arange(round(ends * FPS) + 1) / FPS
    turn = (times >= turns) & (times <= leaves)
    columns = {name: np.full(times.size, np.nan) for name in METRICS}
    for name, given in values.items():
        points = np.array([[0.0, given]] if isinstance(given, int | float) else given, dtype=float)
        columns[name] = np.interp(times, points[:, 0], points[:, 1])
    before, after = times < turns, times > leaves
    lifts = outward is Phase.LIFTING
    end = float(times[-1])
    return Window(
        rep=Rep(1, Side.RIGHT, 0.0, (turns + leaves) / 2, end, turns, leaves, complete),
        time_s=times,
        values=columns,
        neutral=neutral or dict.fromkeys(METRICS, 0.0),
        lifting=before if lifts else after,
        turn=turn,
        lowering=after if lifts else before,
        deep=(times >= turns / 2) & (times <= (leaves + ends) / 2),
    )


def evidence_of(case: RuleCase) -> Evidence:
    """The window of a rule's case, with how much of it was seen and from where."""
    exercise = EXERCISES[case.exercise] if case.exercise else exercise_of(case.rule)
    window = window_of(case.values, exercise.outward, case.complete, way_s=case.way_s)
    seen = {name: case.seen.get(name, 1.0) for name in METRICS}
    return Evidence(window, seen, case.yaw_deg)
