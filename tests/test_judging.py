"""Grading with measurement error, reasons for not judging, and what an outcome carries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import cases
import numpy as np
import pytest
import synthetic
from cases import METRICS, window_of
from hypothesis import given, settings
from hypothesis import strategies as st

from formcheck import accuracy, judging, kinematics
from formcheck.config import Settings
from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.judging import Evidence, grade
from formcheck.pipeline import applied_rules
from formcheck.rules import RULES
from formcheck.rules.base import AppliedRule, Limits
from formcheck.types import Kind, Outcome, Phase, PoseTrack, Position, Rep, Scope, Side, Status

QUICK = settings(max_examples=60, deadline=None)
ABOVE, BELOW = RULES["excessive-dorsiflexion"], RULES["locked-knees"]
BOTH, ONLY_CAUTION, ONLY_FAULT = Limits(10.0, 20.0), Limits(10.0, None), Limits(None, 20.0)
STRETCH = EXERCISES["seated-hamstring-stretch"]


@pytest.mark.parametrize(
    ("measured", "limits", "expected"),
    [
        (7.0, BOTH, Status.OK),
        (7.9, BOTH, Status.OK),
        (8.1, BOTH, Status.NOT_JUDGED),
        (9.9, BOTH, Status.NOT_JUDGED),
        (10.0, BOTH, Status.CAUTION),
        (19.0, BOTH, Status.CAUTION),
        (21.9, BOTH, Status.CAUTION),  # past the fault limit, but not by more than the error
        (22.1, BOTH, Status.FAULT),
        (80.0, ONLY_CAUTION, Status.CAUTION),
        (9.0, ONLY_CAUTION, Status.NOT_JUDGED),
        (17.0, ONLY_FAULT, Status.OK),
        (19.0, ONLY_FAULT, Status.NOT_JUDGED),
        (21.0, ONLY_FAULT, Status.CAUTION),
        (23.0, ONLY_FAULT, Status.FAULT),
    ],
)
def test_grade_with_an_error_of_two(measured: float, limits: Limits, expected: Status) -> None:
    assert grade(measured, 2.0, limits, ABOVE) is expected
    turned = Limits(*(None if limit is None else -limit for limit in (limits.caution, limits.fault)))
    assert grade(-measured, 2.0, turned, BELOW) is expected


def test_a_large_error_never_gives_a_fault_or_an_ok_near_the_limits() -> None:
    statuses = {grade(measured, 15.0, BOTH, ABOVE) for measured in np.arange(-4.0, 34.0, 0.5)}
    assert statuses == {Status.NOT_JUDGED, Status.CAUTION}


@QUICK
@given(st.floats(-90.0, 90.0), st.floats(0.0, 20.0), st.floats(-60.0, 60.0), st.floats(0.1, 30.0))
def test_more_of_a_problem_is_never_graded_milder(measured: float, sigma: float, caution: float, gap: float) -> None:
    order = [Status.OK, Status.NOT_JUDGED, Status.CAUTION, Status.FAULT]
    limits = Limits(caution, caution + gap)
    one, more = (order.index(grade(value, sigma, limits, ABOVE)) for value in (measured, measured + 1.0))
    assert one <= more


@QUICK
@given(st.floats(-90.0, 90.0), st.floats(0.1, 20.0))
def test_a_smaller_error_never_takes_an_ok_or_a_fault_away(measured: float, sigma: float) -> None:
    status = grade(measured, sigma, BOTH, ABOVE)
    if status in (Status.OK, Status.FAULT):
        assert grade(measured, sigma / 2, BOTH, ABOVE) is status


def evidence(values: Mapping[str, float] | None = None, yaw_deg: float = 0.0, complete: bool = True) -> Evidence:
    good = {"knee_flexion_deg": 40.0, "ankle_dorsiflexion_deg": -20.0, "lumbar_flexion_deg": 0.0, "range_deg": 120.0}
    window = window_of({**good, **(values or {})}, complete=complete)
    return Evidence(window, dict.fromkeys(METRICS, 1.0), yaw_deg)


def judged(given_evidence: Evidence) -> tuple[Outcome, ...]:
    return judging.judge_rep(given_evidence, STRETCH, applied_rules(STRETCH, Settings()))


def test_each_applied_rule_gives_one_outcome_in_order() -> None:
    of_holds = [use.rule for use in STRETCH.rules if Scope.HOLD in RULES[use.rule].scopes]
    assert [outcome.rule for outcome in judged(evidence())] == of_holds


def test_rules_of_another_scope_are_left_out() -> None:
    rule = RULES["knees-bending"]  # of repetitions only
    applied = AppliedRule(rule, rule.limits, rule.cue)
    assert STRETCH.kind is Kind.HOLD
    assert judging.judge_rep(evidence(), STRETCH, [applied]) == ()


@pytest.mark.parametrize(
    ("given_evidence", "reason"),
    [
        (evidence(yaw_deg=88.0), "side-on"),
        (evidence(yaw_deg=STRETCH.max_yaw_deg + 5.0), f"{STRETCH.max_yaw_deg + 5.0:.0f} deg off"),
        (evidence(complete=False), "cut off"),
        (replace(evidence(), seen_share=dict.fromkeys(METRICS, 0.3)), "hidden"),
    ],
)
def test_what_cannot_be_judged_says_why_and_carries_no_number(given_evidence: Evidence, reason: str) -> None:
    for outcome in judged(given_evidence):
        if RULES[outcome.rule].any_view and "deg off" in reason:
            continue  # times can be told from there
        assert outcome.status is Status.NOT_JUDGED
        assert reason in outcome.reason
        assert math.isnan(outcome.measured)
        assert math.isnan(outcome.sigma)
        assert (outcome.message, outcome.cue) == ("", "")
        assert (outcome.rep, outcome.side) == (1, Side.RIGHT)


def test_within_error_still_carries_the_number() -> None:
    sigma = accuracy.sigma("knee_flexion_deg", STRETCH.position, 0.0)
    limit = cases.applied(STRETCH, "locked-knees").limits.caution
    assert limit is not None
    outcome = judged(evidence({"knee_flexion_deg": limit + sigma / 2}))[0]
    assert (outcome.status, outcome.reason) == (Status.NOT_JUDGED, judging.WITHIN_ERROR)
    assert outcome.measured == pytest.approx(limit + sigma / 2)
    assert (outcome.sigma, outcome.limit) == (sigma, limit)


def test_an_outcome_names_the_limit_that_it_passed_and_speaks_only_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accuracy, "sigma", lambda *_: 2.0)
    rule = RULES["excessive-dorsiflexion"]
    applied = AppliedRule(rule, replace(rule.limits, caution=10.0, fault=20.0), "Mine.")
    for value, limit, speaks in ((0.0, 10.0, False), (15.0, 10.0, True), (40.0, 20.0, True)):
        (outcome,) = judging.judge_rep(evidence({"ankle_dorsiflexion_deg": value}), STRETCH, [applied])
        assert outcome.limit == limit
        assert outcome.cue == ("Mine." if speaks else "")
        assert bool(outcome.message) == speaks


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
def test_the_error_is_asked_for_as_it_was_seen(exercise: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def sigma(metric: str, position: Position, yaw_deg: float, brightness: float) -> float:
        asked.append((metric, position, yaw_deg, brightness))
        return 1.0

    monkeypatch.setattr(accuracy, "sigma", sigma)
    applied = applied_rules(exercise, Settings())
    outcomes = judging.judge_rep(replace(evidence(yaw_deg=11.0), brightness=33.0), exercise, applied)
    assert [metric for metric, *_ in asked] == [outcome.metric for outcome in outcomes]
    assert {tuple(seen_as) for _, *seen_as in asked} == {(exercise.position, 11.0, 33.0)}
    assert judging.RANGE_METRIC not in {metric for metric, *_ in asked}


KEYS = synthetic.repetitions({"knee": 10.0, "ankle": -20.0}, {"knee": 100.0, "ankle": -20.0}, count=1)
REP = Rep(1, Side.RIGHT, 2.0, 3.4, 5.0, 3.2, 3.6)


def gathered(poses: list[synthetic.Pose], side: Side = Side.RIGHT) -> Evidence:
    measured = kinematics.over_window(PoseTrack.from_poses(poses))
    exercise = EXERCISES["prone-leg-curl"]
    return judging.gather(measured, replace(REP, side=side), exercise, measured.columns, {})


def test_gather_cuts_the_window_and_its_phases() -> None:
    found = gathered(synthetic.film(KEYS, position=Position.PRONE))
    window = found.window
    assert window.time_s[0] == pytest.approx(2.0, abs=0.04)
    assert window.time_s[-1] == pytest.approx(5.0, abs=0.04)
    assert (window.lifting.astype(int) + window.turn + window.lowering == 1).all()
    assert window.time_s[window.lifting].max() < 3.2
    assert window.time_s[window.lowering].min() > 3.6
    assert set(found.seen_share.values()) == {1.0}
    assert found.yaw_deg == pytest.approx(0.0, abs=5.0)
    assert (window.values["range_deg"] == window.values["knee_flexion_deg"]).all()


def test_gather_takes_the_judged_side() -> None:
    poses = synthetic.film(KEYS, position=Position.PRONE, still_far_leg=True)
    assert np.nanmax(gathered(poses, Side.RIGHT).window.values["knee_flexion_deg"]) > 90.0
    assert np.nanmax(gathered(poses, Side.LEFT).window.values["knee_flexion_deg"]) < 20.0


def test_gather_counts_what_was_seen_over_the_window_and_over_the_turn() -> None:
    poses = synthetic.film(KEYS, position=Position.PRONE)
    for pose in poses:  # the foot is hidden at the turn only, which is an eighth of the repetition
        if 3.2 <= pose.time_s <= 3.6:
            pose.visibility[[synthetic.TOE, synthetic.TOE + 1]] = 0.0
    found = gathered(poses)
    assert found.seen_share["ankle_dorsiflexion_deg"] == 0.0
    assert found.seen_share["knee_flexion_deg"] == 1.0
    inside = found.window.turn
    assert np.isnan(found.window.values["ankle_dorsiflexion_deg"][inside]).all()
    assert np.isfinite(found.window.values["ankle_dorsiflexion_deg"][~inside]).all()


def test_gather_names_the_phases_as_the_exercise_does() -> None:
    measured = kinematics.over_window(PoseTrack.from_poses(synthetic.film(KEYS, position=Position.PRONE)))
    hinge = EXERCISES["romanian-deadlift"]
    assert hinge.outward is Phase.LOWERING
    window = judging.gather(measured, REP, hinge, measured.columns, {}).window
    assert window.lowering[0]
    assert window.lifting[-1]


def test_too_large_an_error_judges_nothing_but_keeps_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = replace(RULES["excessive-dorsiflexion"], max_error=5.0)
    applied = AppliedRule(rule, rule.limits, rule.cue)
    for sigma, judged_at_all in ((5.0, True), (5.1, False)):
        monkeypatch.setattr(accuracy, "sigma", lambda *_, sigma=sigma: sigma)
        (outcome,) = judging.judge_rep(evidence({"ankle_dorsiflexion_deg": 60.0}), STRETCH, [applied])
        assert (outcome.status is not Status.NOT_JUDGED) == judged_at_all
        assert (outcome.measured, outcome.sigma) == (60.0, sigma)
        assert judged_at_all or "error" in outcome.reason
