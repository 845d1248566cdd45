"""The pose generator against poses worked out by hand, so that an error shared with the metrics cannot hide."""

from __future__ import annotations

import math

import numpy as np
import pytest
import synthetic
from numpy.testing import assert_allclose
from synthetic import ANKLE, EARS, HEEL, HIP, KNEE, NOSE, SHOULDER, TOE, Body, Key, Shot, film, pose_at, repetitions

from formcheck.types import Pose, PoseTrack, Position, Side

RIGHT = 1  # right landmarks are numbered one higher
BODY = Body()


def right_side(track: PoseTrack) -> dict[int, tuple[float, float]]:
    """Right joints in metres from the right hip, (towards the picture's right, upwards)."""
    numbers = (EARS[0], SHOULDER, HIP, KNEE, ANKLE, HEEL, TOE)
    points = track.image_px[0] / Shot().px_per_m
    from_hip = points - points[HIP + RIGHT]
    return {number: (from_hip[number + RIGHT, 0], -from_hip[number + RIGHT, 1]) for number in numbers}


# Everything below is worked out on paper from thigh = shank = 0.42, trunk = 0.50, head = 0.20, foot = 0.22, and a
# heel 0.05 behind and 0.07 below the ankle.
BY_HAND = {
    "standing upright, ankle under knee under hip": (
        Shot(),
        {},
        {
            SHOULDER: (0, 0.5),
            EARS[0]: (0, 0.7),
            KNEE: (0, -0.42),
            ANKLE: (0, -0.84),
            HEEL: (-0.05, -0.91),
            TOE: (0.17, -0.91),
        },
    ),
    "standing, left side near, faces the other way": (
        Shot(near=Side.LEFT),
        {},
        {SHOULDER: (0, 0.5), ANKLE: (0, -0.84), HEEL: (0.05, -0.91), TOE: (-0.17, -0.91)},
    ),
    "standing with knee 90: shank backwards, toes down": (
        Shot(),
        {"knee": 90.0, "trunk": 0.0},
        {KNEE: (0, -0.42), ANKLE: (-0.42, -0.42), HEEL: (-0.49, -0.37), TOE: (-0.49, -0.59)},
    ),
    "standing with a knee hyperextended by 30": (
        Shot(),
        {"knee": -30.0, "trunk": 0.0},
        {KNEE: (0, -0.42), ANKLE: (0.21, -0.42 - 0.42 * math.cos(math.radians(30)))},
    ),
    "standing with hip 90: thigh forwards": (
        Shot(),
        {"hip": 90.0, "trunk": 0.0},
        {SHOULDER: (0, 0.5), KNEE: (0.42, 0), ANKLE: (0.84, 0)},
    ),
    "hinge of 90 over straight legs: trunk level, head first": (
        Shot(),
        {"hip": 90.0},
        {SHOULDER: (0.5, 0), EARS[0]: (0.7, 0), KNEE: (0, -0.42), ANKLE: (0, -0.84), TOE: (0.17, -0.91)},
    ),
    "squat with hip 90, knee 90 over a flat foot: thigh level, trunk upright": (
        Shot(),
        {"hip": 90.0, "knee": 90.0},
        {SHOULDER: (0, 0.5), KNEE: (0.42, 0), ANKLE: (0.42, -0.42), TOE: (0.59, -0.49)},
    ),
    "ankle dorsiflexed by 30: toes up": (
        Shot(),
        {"ankle": 30.0, "trunk": 0.0},
        {
            HEEL: (-0.05 * math.cos(math.pi / 6) + 0.07 * 0.5, -0.84 - 0.05 * 0.5 - 0.07 * math.cos(math.pi / 6)),
            TOE: (0.17 * math.cos(math.pi / 6) + 0.07 * 0.5, -0.84 + 0.17 * 0.5 - 0.07 * math.cos(math.pi / 6)),
        },
    ),
    "ankle pointed by 90: sole in line with the shank": (
        Shot(),
        {"ankle": -90.0, "trunk": 0.0},
        {HEEL: (-0.07, -0.79), TOE: (-0.07, -1.01)},
    ),
    "head dropped by 90: ear in front of the shoulder": (Shot(), {"neck": 90.0}, {EARS[0]: (0.2, 0.5)}),
    "back shortened by a tenth": (Shot(), {"shorten": 10.0}, {SHOULDER: (0, 0.45), EARS[0]: (0, 0.65)}),
    "prone, right side near: head to the right, toes point to the left": (
        Shot(position=Position.PRONE),
        {"ankle": -90.0},
        {SHOULDER: (0.5, 0), EARS[0]: (0.7, 0), KNEE: (-0.42, 0), ANKLE: (-0.84, 0), TOE: (-1.01, 0.07)},
    ),
    "prone with knee 90: shank up, sole to the ceiling": (
        Shot(position=Position.PRONE),
        {"knee": 90.0},
        {KNEE: (-0.42, 0), ANKLE: (-0.42, 0.42), HEEL: (-0.37, 0.49), TOE: (-0.59, 0.49)},
    ),
    "prone, left side near: head to the left": (
        Shot(position=Position.PRONE, near=Side.LEFT),
        {"knee": 90.0},
        {SHOULDER: (-0.5, 0), KNEE: (0.42, 0), ANKLE: (0.42, 0.42)},
    ),
    "supine, right side near: head to the left, toes up": (
        Shot(position=Position.SUPINE),
        {},
        {SHOULDER: (-0.5, 0), KNEE: (0.42, 0), ANKLE: (0.84, 0), HEEL: (0.91, -0.05), TOE: (0.91, 0.17)},
    ),
    "supine, leg raised by 90": (
        Shot(position=Position.SUPINE),
        {"hip": 90.0},
        {SHOULDER: (-0.5, 0), KNEE: (0, 0.42), ANKLE: (0, 0.84), TOE: (-0.17, 0.91)},
    ),
    "long sitting upright: legs level, toes up": (
        Shot(position=Position.LONG_SITTING),
        {"hip": 90.0},
        {SHOULDER: (0, 0.5), KNEE: (0.42, 0), ANKLE: (0.84, 0), TOE: (0.91, 0.17)},
    ),
    "long sitting, folded by 30 more": (
        Shot(position=Position.LONG_SITTING),
        {"hip": 120.0},
        {SHOULDER: (0.25, 0.5 * math.cos(math.pi / 6)), KNEE: (0.42, 0)},
    ),
    "long sitting with bent knees: shank falls from the knee": (
        Shot(position=Position.LONG_SITTING),
        {"hip": 90.0, "knee": 90.0},
        {KNEE: (0.42, 0), ANKLE: (0.42, -0.42)},
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_pose_is_where_paper_says(name: str) -> None:
    shot, angles, expected = BY_HAND[name]
    found = right_side(pose_at(shot, **angles))
    for number, place in expected.items():
        assert_allclose(found[number], place, atol=1e-9, err_msg=f"landmark {number}")


def test_left_and_right_lie_on_each_other_in_the_side_view() -> None:
    track = pose_at(knee=40.0, hip=30.0)
    for number in (SHOULDER, HIP, KNEE, ANKLE, HEEL, TOE):
        assert_allclose(track.image_px[0, number], track.image_px[0, number + RIGHT], atol=1e-9)


def test_right_side_near_has_smaller_depth() -> None:
    world = pose_at().world_m[0]
    assert_allclose(world[HIP + RIGHT], [0, 0, -0.1], atol=1e-12)
    assert_allclose(world[HIP], [0, 0, 0.1], atol=1e-12)
    assert_allclose(world[SHOULDER, 2] - world[SHOULDER + RIGHT, 2], BODY.shoulder_width)
    world = pose_at(Shot(near=Side.LEFT)).world_m[0]
    assert_allclose(world[HIP], [0, 0, -0.1], atol=1e-12)


def test_seen_from_behind_the_right_is_to_the_right() -> None:
    world = pose_at(Shot(yaw_deg=90.0)).world_m[0]
    assert_allclose(world[HIP + RIGHT], [0.1, 0, 0], atol=1e-12)
    assert world[NOSE, 2] == pytest.approx(0.1)  # the face is away from the camera


def test_seen_from_the_front_the_right_is_to_the_left() -> None:
    world = pose_at(Shot(yaw_deg=-90.0)).world_m[0]
    assert_allclose(world[HIP + RIGHT], [-0.1, 0, 0], atol=1e-12)
    assert world[NOSE, 2] == pytest.approx(-0.1)


def test_world_and_picture_agree() -> None:
    shot = Shot(position=Position.PRONE, yaw_deg=20.0)
    track = pose_at(shot, knee=70.0, ankle=-10.0)
    in_picture = (track.image_px[0] - track.image_px[0, HIP]) / shot.px_per_m
    in_world = (track.world_m[0] - track.world_m[0, HIP])[:, :2]
    assert_allclose(in_picture, in_world, atol=1e-9)


def test_near_left_is_the_mirror_of_near_right() -> None:
    keys = repetitions({"knee": 8.0, "ankle": -20.0}, {"knee": 100.0, "ankle": 5.0}, count=1)
    right = film(keys, position=Position.PRONE, yaw_deg=15.0)
    left = film(keys, position=Position.PRONE, yaw_deg=15.0, near=Side.LEFT)
    for there, here in zip(synthetic.mirror(right), left, strict=True):
        assert_allclose(there.image_px, here.image_px, atol=1e-9)
        assert_allclose(there.world_m, here.world_m, atol=1e-9)


def test_planted_foot_stays() -> None:
    track = synthetic.track_of(repetitions({"hip": 5.0, "knee": 5.0}, {"hip": 90.0, "knee": 20.0, "ankle": -5.0}))
    for number in (HEEL, TOE):
        assert np.ptp(track.image_px[:, number], axis=0).max() < 1e-6
    assert np.ptp(track.image_px[:, HIP], axis=0).max() > 20.0


def test_far_leg_can_stay_still() -> None:
    keys = [Key(0.0), Key(1.0, knee=90.0)]
    track = synthetic.track_of(keys, position=Position.PRONE, still_far_leg=True)
    assert np.ptp(track.image_px[:, ANKLE], axis=0).max() < 1e-9
    assert np.ptp(track.image_px[:, ANKLE + RIGHT], axis=0).max() > 100.0


def test_movement_starts_and_stops_softly() -> None:
    moments = np.array([0.0, 1.0, 1.5, 2.0, 3.0, 9.0])
    values = synthetic.interpolate([Key(1.0, knee=10.0), Key(2.0, knee=50.0), Key(3.0, knee=10.0)], "knee", moments)
    assert_allclose(values, [10.0, 10.0, 30.0, 50.0, 10.0, 10.0])
    fine = np.linspace(1.0, 2.0, 1001)
    speed = np.gradient(synthetic.interpolate([Key(1.0), Key(2.0, knee=40.0)], "knee", fine), fine)
    assert speed.max() == pytest.approx(40.0 * 1.875, rel=1e-3)  # minimum jerk peaks at 15/8 of the mean speed
    assert abs(speed[0]) < 0.05
    assert abs(speed[-1]) < 0.05


def test_frame_times() -> None:
    random = np.random.default_rng(0)
    assert_allclose(synthetic.frame_times(1.0, Shot(fps=4.0), random), [0, 0.25, 0.5, 0.75, 1.0])
    wandering = synthetic.frame_times(20.0, Shot(fps=30.0, jitter=0.8), random)
    assert np.diff(wandering).min() > 0
    assert np.ptp(np.diff(wandering)) > 0.02


def test_noise_is_seeded_and_of_the_size_asked_for() -> None:
    keys = [Key(0.0), Key(4.0)]
    clean, one, again, other = (
        synthetic.track_of(keys, noise_px=noise, seed=seed) for noise, seed in ((0, 1), (2.0, 1), (2.0, 1), (2.0, 2))
    )
    assert_allclose(one.image_px, again.image_px)
    assert not np.allclose(one.image_px, other.image_px)
    assert (one.image_px - clean.image_px).std() == pytest.approx(2.0, rel=0.05)


def test_people_can_go_missing_and_feet_be_hidden() -> None:
    poses = film([Key(0.0), Key(2.0)], missing=((0.5, 1.0),), fps=10.0)
    assert [pose.found for pose in poses] == [not 0.5 <= pose.time_s <= 1.0 for pose in poses]
    hidden = synthetic.hide(poses, synthetic.FOOT)[0]
    assert (hidden.visibility < 0.5).sum() == 6
    assert isinstance(hidden, Pose)


def test_whole_body_is_in_the_picture() -> None:
    for position in (Position.STANDING, Position.PRONE, Position.SUPINE, Position.LONG_SITTING):
        rest = {"hip": 90.0} if position is Position.LONG_SITTING else {}
        track = synthetic.track_of(repetitions(rest, {"hip": 100.0, "knee": 60.0}), position=position)
        assert (track.image_px >= 0).all()
        assert (track.image_px < track.size_px).all()
