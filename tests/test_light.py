"""Dark pictures: the angles are less exact, and everything that is said of them knows it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from cases import ExerciseCase as Case
from cases import exercise_cases
from filmed import CLIP, TOOL

from formcheck import accuracy, view
from formcheck.config import Settings
from formcheck.engine import Analyzer
from formcheck.exercises import EXERCISES
from formcheck.live.course import Course, Plan
from formcheck.pipeline import applied_rules
from formcheck.poselog import PoseLog
from formcheck.types import Analysis, Position, Status, View

CASES = exercise_cases()
DARK, BRIGHT = 20.0, 120.0
METRICS = sorted({row.metric for row in accuracy.light_rows() if row.metric is not None})


def case(exercise: str, name: str) -> Case:
    return next(item for item in CASES if (item.exercise, item.name) == (exercise, name))


def analysed(filmed: Case, brightness: float) -> Analysis:
    exercise = EXERCISES[filmed.exercise]
    poses = PoseLog.of(filmed.film())
    poses.brightness = brightness
    analyzer = Analyzer(exercise, applied_rules(exercise, Settings()))
    analyzer.adopt(poses)
    return analyzer.finish(CLIP, TOOL)


class TestFactor:
    def test_every_angle_was_measured_in_the_dark(self) -> None:
        assert {"knee_flexion_deg", "hip_flexion_deg", "ankle_dorsiflexion_deg", "lumbar_flexion_deg"} <= set(METRICS)

    @pytest.mark.parametrize("metric", METRICS)
    def test_errors_grow_as_it_gets_darker_and_never_shrink(self, metric: str) -> None:
        levels = np.arange(0.0, 256.0, 1.0)
        factors = np.array([accuracy.light_factor(metric, level) for level in levels.tolist()])
        assert (np.diff(factors) <= 0).all()
        assert factors[-1] == 1.0
        assert factors[int(DARK)] > 1.1

    def test_without_knowledge_of_the_light_nothing_changes(self) -> None:
        for metric in METRICS:
            assert accuracy.light_factor(metric, math.nan) == 1.0

    def test_what_was_not_measured_in_the_dark_takes_the_middle_of_the_others(self) -> None:
        others = [accuracy.light_factor(metric, DARK) for metric in METRICS]
        assert accuracy.light_factor("lifting_s", DARK) == pytest.approx(np.median(others), abs=0.01)

    def test_between_two_levels_it_lies_between(self) -> None:
        low, middle, high = (accuracy.light_factor("knee_flexion_deg", level) for level in (20.0, 25.0, 30.0))
        assert middle == pytest.approx((low + high) / 2)

    def test_sigma_is_that_many_times_as_large(self) -> None:
        args = ("knee_flexion_deg", Position.STANDING, 5.0)
        factor = accuracy.light_factor("knee_flexion_deg", DARK)
        assert accuracy.sigma(*args, DARK) == pytest.approx(factor * accuracy.sigma(*args))


class TestVerdicts:
    def test_the_same_angles_with_a_larger_error(self) -> None:
        filmed = case("romanian-deadlift", "good")
        bright, dark = (analysed(filmed, level).report for level in (BRIGHT, DARK))
        assert (bright.view.brightness, dark.view.brightness) == (BRIGHT, DARK)
        assert len(bright.reps) == len(dark.reps) > 0
        pairs = [
            (one, other)
            for one, other in zip(bright.outcomes, dark.outcomes, strict=True)
            if math.isfinite(one.sigma) and math.isfinite(other.sigma) and one.rep is not None
        ]
        assert pairs
        for one, other in pairs:
            assert other.measured == one.measured
            factor = accuracy.light_factor(one.metric, DARK)
            assert other.sigma == pytest.approx(factor * one.sigma)
            assert factor > 1.0

    @pytest.mark.parametrize("filmed", CASES, ids=lambda item: f"{item.exercise} {item.name}")
    def test_the_dark_makes_no_fault_and_no_ok(self, filmed: Case) -> None:
        bright, dark = (
            {(item.rule, item.rep): item.status for item in analysed(filmed, level).report.outcomes}
            for level in (BRIGHT, 5.0)
        )
        for key, status in dark.items():
            if status in (Status.FAULT, Status.OK):
                assert bright[key] is status


def test_parts_of_a_long_clip_share_their_light() -> None:
    part = View(5.0, None, False, True, brightness=DARK)
    assert view.over([(part, 100), (part, 50)], 30.0).brightness == DARK


def test_a_live_set_is_judged_by_the_light_that_it_was_done_in() -> None:
    filmed = case("romanian-deadlift", "good")
    course = Course(Plan(exercise=EXERCISES[filmed.exercise], setup=False))
    for pose in filmed.film():
        course.update(pose, DARK)
    live = course.finish(CLIP, TOOL).report
    assert live.view.brightness == pytest.approx(DARK)
    told = {(item.rule, item.rep): item.sigma for item in live.outcomes if math.isfinite(item.sigma)}
    file = analysed(replace(filmed), DARK).report
    assert told
    for item in file.outcomes:
        if math.isfinite(item.sigma):
            assert told[item.rule, item.rep] == pytest.approx(item.sigma)
