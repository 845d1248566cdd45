"""Angles out of pictures: round trips through the generator, invariances, degenerate input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from synthetic import ANKLE, EARS, HEEL, HIP, KNEE, SHOULDER, TOE, Shot, pose_at

from formcheck import metrics
from formcheck.metrics import COLUMNS, METRIC_LANDMARKS, MIDLINE_METRICS, SIDED_METRICS, column_name
from formcheck.types import FloatArray, PoseTrack, Position, Side

QUICK = settings(max_examples=40, deadline=None)
ROUND_TRIP_DEG = 0.01
POSITIONS = (Position.STANDING, Position.PRONE, Position.SUPINE, Position.LONG_SITTING)
NUMBER = {
    "ear": EARS[0],
    "shoulder": SHOULDER,
    "hip": HIP,
    "knee": KNEE,
    "ankle": ANKLE,
    "heel": HEEL,
    "foot_index": TOE,
}
POSES = st.fixed_dictionaries(
    {
        "knee": st.floats(-15.0, 140.0),
        "hip": st.floats(-20.0, 130.0),
        "ankle": st.floats(-60.0, 35.0),
        "neck": st.floats(-40.0, 70.0),
        "shorten": st.floats(0.0, 25.0),
    }
)
SHOTS = st.builds(Shot, position=st.sampled_from(POSITIONS), near=st.sampled_from(list(Side)))


def near_sign(near: Side, track: PoseTrack) -> FloatArray:
    return np.full(len(track), 1.0 if near is Side.RIGHT else -1.0)


def measured(track: PoseTrack, near: Side) -> dict[str, FloatArray]:
    return metrics.measure(track, near_sign(near, track))


def moved(track: PoseTrack, *, turn_deg: float = 0.0, scale: float = 1.0, shift: tuple[float, float] = (0, 0)):
    turn = np.radians(turn_deg)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return replace(track, image_px=track.image_px @ matrix.T + np.array(shift))


@QUICK
@given(SHOTS, POSES)
def test_angles_come_back_as_they_were_put_in(shot: Shot, pose: dict[str, float]) -> None:
    columns = measured(pose_at(shot, **pose), shot.near)
    for side in Side:  # in a pure side view the far leg lies behind the near one
        for name in ("knee", "hip"):
            assert_allclose(columns[f"{side}_{name}_flexion_deg"], pose[name], atol=ROUND_TRIP_DEG)
        assert_allclose(columns[f"{side}_ankle_dorsiflexion_deg"], pose["ankle"], atol=ROUND_TRIP_DEG)
    assert_allclose(columns["neck_flexion_deg"], pose["neck"], atol=ROUND_TRIP_DEG)


@pytest.mark.parametrize("near", Side)
@pytest.mark.parametrize(
    ("position", "pose", "expected"),
    [
        (Position.STANDING, {}, 0.0),
        (Position.STANDING, {"hip": 70.0, "knee": 10.0}, 60.0),
        (Position.STANDING, {"trunk": -12.0}, -12.0),
        (Position.PRONE, {"knee": 60.0}, 90.0),
        (Position.SUPINE, {"hip": 30.0}, -90.0),
        (Position.LONG_SITTING, {"hip": 125.0}, 35.0),
    ],
)
def test_trunk_inclination(position: Position, near: Side, pose: dict[str, float], expected: float) -> None:
    columns = measured(pose_at(Shot(position=position, near=near), **pose), near)
    assert_allclose(columns["trunk_inclination_deg"], expected, atol=ROUND_TRIP_DEG)


@pytest.mark.parametrize("near", Side)
@pytest.mark.parametrize("position", POSITIONS)
def test_hyperextended_knee_is_negative(position: Position, near: Side) -> None:
    shot = Shot(position=position, near=near)
    columns = measured(pose_at(shot, knee=-8.0, hip=40.0), near)
    assert_allclose(columns[f"{near}_knee_flexion_deg"], -8.0, atol=ROUND_TRIP_DEG)


@QUICK
@given(SHOTS, POSES, st.floats(-180.0, 180.0), st.floats(0.05, 20.0), st.floats(-2e3, 2e3))
def test_turning_scaling_and_moving_the_picture_change_no_angle_but_the_inclination(
    shot: Shot, pose: dict[str, float], turn_deg: float, scale: float, shift: float
) -> None:
    track = pose_at(shot, **pose)
    before = measured(track, shot.near)
    after = measured(moved(track, turn_deg=turn_deg, scale=scale, shift=(shift, -shift)), shot.near)
    against_the_vertical = {name for name in COLUMNS if "inclination" in name or "pitch" in name}
    for name in set(COLUMNS) - against_the_vertical:
        assert_allclose(after[name], before[name], atol=1e-6, err_msg=name)
    clockwise = turn_deg if shot.near is Side.RIGHT else -turn_deg
    for name in against_the_vertical:
        turned = (after[name] - before[name])[0]
        assert_allclose((turned - clockwise + 180.0) % 360.0 - 180.0, 0.0, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("near", Side)
def test_shank_and_sole_against_the_floor(near: Side) -> None:
    flat = measured(pose_at(Shot(near=near), knee=30.0, hip=20.0, ankle=15.0), near)
    assert_allclose(flat[f"{near}_shank_inclination_deg"], 15.0, atol=ROUND_TRIP_DEG)
    assert_allclose(flat[f"{near}_sole_pitch_deg"], 0.0, atol=ROUND_TRIP_DEG)
    tiptoe = measured(pose_at(Shot(near=near), ankle=-20.0, trunk=0.0), near)
    assert_allclose(tiptoe[f"{near}_shank_inclination_deg"], 0.0, atol=ROUND_TRIP_DEG)
    assert_allclose(tiptoe[f"{near}_sole_pitch_deg"], 20.0, atol=ROUND_TRIP_DEG)


@QUICK
@given(SHOTS, POSES, st.floats(-25.0, 25.0))
def test_a_mirror_exchanges_the_sides_and_keeps_the_angles(shot: Shot, pose: dict[str, float], yaw_deg: float) -> None:
    poses = synthetic.film([synthetic.Key(0.0, **pose), synthetic.Key(0.1, **pose)], shot, yaw_deg=yaw_deg)
    before = measured(PoseTrack.from_poses(poses), shot.near)
    after = measured(PoseTrack.from_poses(synthetic.mirror(poses)), shot.near.other)
    for metric in SIDED_METRICS:
        for side in Side:
            assert_allclose(after[column_name(metric, side)], before[column_name(metric, side.other)], atol=1e-6)
    for metric in MIDLINE_METRICS:
        assert_allclose(after[metric], before[metric], atol=1e-6)


def test_the_wrong_near_side_turns_every_bend_around() -> None:
    columns = measured(pose_at(knee=30.0, hip=20.0), Side.LEFT)
    assert_allclose(columns["right_knee_flexion_deg"], -30.0, atol=ROUND_TRIP_DEG)


def test_an_unknown_near_side_gives_nan() -> None:
    track = pose_at(knee=30.0)
    columns = metrics.measure(track, np.zeros(len(track)))
    assert all(np.isnan(columns[name]).all() for name in COLUMNS)


@pytest.mark.parametrize("metric", [name for name in METRIC_LANDMARKS if name != "lumbar_flexion_deg"])
def test_a_missing_landmark_gives_nan_in_what_is_made_of_it_and_nowhere_else(metric: str) -> None:
    for part in METRIC_LANDMARKS[metric]:
        track = pose_at(knee=30.0, hip=20.0)
        track.image_px[:, NUMBER[part] + 1] = np.nan  # right side, which is near
        columns = measured(track, Side.RIGHT)
        assert np.isnan(columns[column_name(metric, Side.RIGHT)]).all(), part
        untouched = [name for name, parts in METRIC_LANDMARKS.items() if part not in parts]
        for name in set(untouched) - {"lumbar_flexion_deg"}:  # which needs a neutral, and is always NaN here
            assert np.isfinite(columns[column_name(name, Side.RIGHT)]).all(), (part, name)


@pytest.mark.parametrize(
    ("metric", "number", "onto"),
    [
        ("right_knee_flexion_deg", KNEE, HIP),
        ("right_knee_flexion_deg", ANKLE, KNEE),
        ("right_hip_flexion_deg", KNEE, HIP),
        ("right_ankle_dorsiflexion_deg", TOE, HEEL),
        ("right_ankle_dorsiflexion_deg", ANKLE, KNEE),
    ],
)
def test_a_segment_without_length_gives_nan_and_not_zero(metric: str, number: int, onto: int) -> None:
    track = pose_at(knee=30.0, hip=20.0)
    track.image_px[:, number + 1] = track.image_px[:, onto + 1]
    assert np.isnan(measured(track, Side.RIGHT)[metric]).all()


def test_a_trunk_without_length_gives_nan() -> None:
    track = pose_at(knee=30.0, hip=20.0)
    track.image_px[:, [SHOULDER, SHOULDER + 1]] = track.image_px[:, [HIP, HIP + 1]]
    columns = measured(track, Side.RIGHT)
    for name in ("right_hip_flexion_deg", "trunk_inclination_deg", "neck_flexion_deg"):
        assert np.isnan(columns[name]).all()


def test_nobody_gives_nan_everywhere() -> None:
    poses = synthetic.film([synthetic.Key(0.0), synthetic.Key(1.0)], missing=((0.0, 1.0),))
    columns = measured(PoseTrack.from_poses(poses), Side.RIGHT)
    assert set(columns) == set(COLUMNS)
    assert all(np.isnan(column).all() for column in columns.values())


def test_angles_are_wrapped() -> None:
    for angle in (170.0, -170.0):
        columns = measured(pose_at(hip=angle, trunk=0.0), Side.RIGHT)
        assert_allclose(columns["right_hip_flexion_deg"], angle, atol=ROUND_TRIP_DEG)


def test_trunk_length_sees_the_back_shorten() -> None:
    long, short = (metrics.trunk_length(pose_at(shorten=percent))[0] for percent in (0.0, 20.0))
    assert short / long == pytest.approx(0.8)
