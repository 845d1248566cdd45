"""Bugs that were found by the tests, each kept as a test."""

import numpy as np
import pytest
import synthetic
from synthetic import Key, Shot, repetitions, track_of

from formcheck import accuracy, kinematics, metrics, pipeline, reps, smoothing, verdicts, view
from formcheck.config import Settings
from formcheck.exercises import EXERCISES
from formcheck.landmarks import Landmark
from formcheck.rules import RULES
from formcheck.types import PoseTrack, Position, Status


# test_view.py
def test_near_side_is_exactly_unknown_in_a_long_gap() -> None:
    track = track_of([Key(0.0, knee=8.0), Key(12.0, knee=8.0)], fps=15.0, missing=((4.0, 9.0),))
    track.world_m[..., 2] *= np.random.default_rng(1).uniform(0.05, 0.3, len(track))[:, None]  # uncertain depth
    near = view.near_side_per_frame(track)
    middle = (track.time_s > 4.0 + view.VOTE_WINDOW_S) & (track.time_s < 9.0 - view.VOTE_WINDOW_S)
    assert (near[middle] == 0.0).all()


def test_view_without_world_landmarks() -> None:
    track = track_of([Key(0.0, knee=8.0), Key(2.0, knee=8.0)], fps=15.0)
    track.world_m[:] = np.nan
    assert np.isnan(
        view.assess(track, view.yaw_per_frame(track), np.ones(len(track), bool), 35.0).yaw_deg
    )  # RuntimeWarning: All-NaN slice


# test_smoothing.py / test_kinematics
CURL = repetitions({"knee": 8.0, "ankle": -20.0}, {"knee": 110.0, "ankle": -25.0}, out_s=0.8, back_s=0.8)


@pytest.mark.parametrize("noise_px", [0.0, 1.0])
@pytest.mark.parametrize("fps", [15.0, 20.0, 24.0, 30.0, 60.0])
def test_cleaning_keeps_a_normal_curl(fps: float, noise_px: float) -> None:
    """An ordinary curl of 0.8 s each way: nothing that was seen may get lost or bent by the outlier filter."""
    shot = Shot(position=Position.PRONE, fps=fps)
    clean = track_of(CURL, shot)
    true = metrics.measure(clean, np.ones(len(clean)))
    got = kinematics.over_window(track_of(CURL, shot, noise_px=noise_px)).columns
    for name in ("right_knee_flexion_deg", "right_ankle_dorsiflexion_deg"):
        assert np.isfinite(got[name]).all(), name
        assert np.abs(got[name] - true[name]).max() < 5.0, name


def test_hampel_keeps_the_start_and_the_turn_of_a_movement() -> None:
    time_s = np.arange(0.0, 6.0, 1 / 30)
    keys = [Key(0.0), Key(2.0), Key(2.8, knee=110.0), Key(3.6), Key(6.0)]
    knee = synthetic.interpolate(keys, "knee", time_s) + np.random.default_rng(0).normal(0, 0.3, time_s.size)
    assert np.isnan(smoothing.hampel(time_s, knee, 0.35)).sum() <= 2


# test_engine.py
def test_no_frame_at_all() -> None:
    exercise = EXERCISES["prone-leg-curl"]
    verdict = verdicts.judge(PoseTrack.from_poses([]), exercise, pipeline.applied_rules(exercise, Settings()))
    assert {outcome.status for outcome in verdict.outcomes} == {Status.NOT_JUDGED}


# test_reps.py
def test_a_pause_low_on_the_way_belongs_to_the_repetition() -> None:
    keys = [Key(0, 10), Key(2, 10), Key(2.8, 40), Key(4.3, 40), Key(5.1, 100), Key(6.3, 10), Key(8.3, 10)]
    time_s = np.arange(0, 8.3, 1 / 30)
    bounds = reps.segment(time_s, synthetic.interpolate(keys, "knee", time_s), 20.0, 12.0, 0.4).bounds
    assert len(bounds) == 1
    assert bounds[0].start_s == pytest.approx(2.0, abs=0.2)


# test_exercises.py
def test_a_curl_at_15_fps_is_judged() -> None:
    exercise = EXERCISES["prone-leg-curl"]
    keys = repetitions({"knee": 8.0, "ankle": -25.0}, {"knee": 115.0, "ankle": -25.0}, back_s=2.0, still_s=3.0)
    track = track_of(keys, position=Position.PRONE, fps=15.0)
    outcomes = verdicts.judge(track, exercise, pipeline.applied_rules(exercise, Settings())).outcomes
    assert {outcome.status for outcome in outcomes} == {Status.OK}


# test_judging.py / test_exercises.py
@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
def test_an_unjudged_outcome_names_the_metric_that_a_judged_one_names(exercise) -> None:
    outcomes = verdicts.judge(
        track_of([Key(0.0), Key(2.0)], missing=((0.0, 2.0),)), exercise, pipeline.applied_rules(exercise, Settings())
    ).outcomes
    measured = {row.metric for row in accuracy.error_rows()}  # angles, and what rules make of them
    assert {*metrics.SIDED_METRICS, *metrics.MIDLINE_METRICS} <= measured
    # a rule of sets works its error out of those, and names its own metric
    assert {outcome.metric for outcome in outcomes if RULES[outcome.rule].check_set is None} <= measured


# test_rules.py or test_exercises.py: "during the deep part of the repetition or the hold" (locked_knees' docstring)
def test_straight_knees_while_standing_up_are_not_locked_knees(monkeypatch) -> None:
    monkeypatch.setattr(accuracy, "sigma", lambda *_: 2.0)
    exercise = EXERCISES["romanian-deadlift"]
    keys = repetitions({"knee": 0.0, "hip": 5.0}, {"knee": 18.0, "hip": 90.0}, out_s=2.5, back_s=2.5)
    outcomes = verdicts.judge(track_of(keys), exercise, pipeline.applied_rules(exercise, Settings())).outcomes
    assert {outcome.status for outcome in outcomes if outcome.rule == "locked-knees"} == {Status.OK}


# test_engine.py: the clip is a person at rest, then gone, with lone frames of a movement between long gaps
def test_lone_frames_between_gaps() -> None:
    time_s = np.arange(0, 8.0, 1 / 30)
    knee = synthetic.interpolate(repetitions({"knee": 8.0}, {"knee": 100.0}, count=1), "knee", time_s)
    knee[(time_s > 3.3) & (np.arange(time_s.size) % 12 != 0)] = np.nan
    reps.segment(time_s, knee, 20.0, 12.0, 0.4)  # no RuntimeWarning, no exception


def test_a_gap_at_the_turn_does_not_read_as_a_straight_leg() -> None:
    """An outlier that was taken out, or a knee that left the picture, while the person stays in sight."""
    rest, turn = {"knee": 8.0, "ankle": -20.0}, {"knee": 110.0, "ankle": -25.0}
    track = track_of(repetitions(rest, turn, count=1, out_s=1.0, hold_s=1.5, still_s=2.0), position=Position.PRONE)
    track.image_px[(track.time_s > 3.5) & (track.time_s < 4.0), Landmark.RIGHT_KNEE] = np.nan
    assert len(verdicts.judge(track, EXERCISES["prone-leg-curl"], ()).reps) == 1
